//! The *Get Cases API* over HTTP: a router to mount in an application of your own, and everything
//! that `getcases serve` is made of.
//!
//! ```
//! use std::sync::Arc;
//!
//! use getcases::Engine;
//! use getcases_server::{Access, Limits, Server};
//!
//! let server = Server::new(Access::Everybody { user: None }, Limits::default());
//! let router: axum::Router = server.router();
//! server.open(Arc::new(Engine::new())); // once its cases are there
//! ```
//!
//! What is answered where, and in which order a request is judged: docs/server.md and
//! docs/contract.md.

// In the order of the road; each knows only those before it, and the server's state.
mod settings;

mod accounts;
mod auth;
mod blocking;
mod cases;
mod connection;
mod encoding;
mod held;
mod host;
mod listen;
mod metrics;
mod observe;
mod precondition;
mod queue;
mod refused;
mod request;
mod routes;
mod rules;
mod slow_log;
mod tls;
mod upkeep;

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use axum::Router;
use axum::http::HeaderValue;
use axum::middleware::{from_fn_with_state, map_request};
use getcases::{Code, DocumentCache, Problem, Scope};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use cases::Cases;
use metrics::Metrics;
use queue::Queue;
use refused::Refused;
use rules::Rules;
use slow_log::SlowLog;

pub use auth::{Access, Apps, TokenError, make_token};
pub use cases::Backend;
pub use listen::serve;
pub use settings::{
    Algorithm, AppSettings, CONFIGURATION, EXAMPLE, Limits, Secret, Settings, SettingsError, WRITE,
};
pub use tls::Tls;

/// What answers: cases, who may ask for them, and how much. Clones are the same server.
#[derive(Clone)]
pub struct Server(Arc<State>);

struct State {
    /// Nothing while they are loaded.
    cases: OnceLock<Cases>,
    rules: ArcSwap<Rules>,
    metrics: Metrics,
    queue: Queue,
    slow_log: SlowLog,
    documents: DocumentCache,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("is_ready", &self.is_ready()).finish_non_exhaustive()
    }
}

impl Server {
    /// A server that is not ready yet: it has no cases before [`Server::open`].
    #[must_use]
    pub fn new(access: Access, limits: Limits) -> Self {
        let documents = DocumentCache::new(limits.document_cache_bytes);
        Self(Arc::new(State {
            cases: OnceLock::new(),
            rules: ArcSwap::from_pointee(Rules::new(access, limits)),
            metrics: Metrics::new(),
            queue: Queue::default(),
            slow_log: SlowLog::default(),
            documents,
        }))
    }

    /// Gives it the cases that it answers with; from here on it is ready, and goes on with their
    /// upkeep on a thread of its own. What it has once it keeps: a second backend is not taken, and
    /// this says so.
    pub fn open<B: Backend>(&self, backend: Arc<B>) -> bool {
        let weak = Arc::downgrade(&backend);
        let is_first = self.0.cases.set(Cases::new(backend)).is_ok();
        if is_first {
            upkeep::begin(weak);
        }
        is_first
    }

    /// Whether the cases are there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.cases.get().is_some()
    }

    /// Whether there is anybody who may read a scope.
    #[must_use]
    pub fn has_reader_of(&self, scope: &Scope) -> bool {
        self.rules().access.has_reader_of(scope)
    }

    /// Changes who may ask, and how much, from the next request on.
    pub fn set_rules(&self, access: Access, limits: Limits) {
        self.0.documents.set_capacity(limits.document_cache_bytes);
        let next = self.rules().next(access, limits);
        self.0.rules.store(Arc::new(next));
    }

    /// The cases, or that they are being loaded.
    pub(crate) fn cases(&self) -> Result<&Cases, Refused> {
        self.0.cases.get().ok_or_else(|| {
            let problem = Problem::new(Code::NotReady, "$", "cases are being loaded");
            Refused::from(problem.accepts("the same, a little later")).retry_after(1)
        })
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// Documents as they were written before.
    pub(crate) fn documents(&self) -> &DocumentCache {
        &self.0.documents
    }

    pub(crate) fn slow_log(&self) -> &SlowLog {
        &self.0.slow_log
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.0.rules.load_full()
    }

    /// Everything that is answered, with what surrounds it: names of requests, counters, panics
    /// that become answers, and compression where a client takes it.
    pub fn router(&self) -> Router {
        self.router_for(&[])
    }

    /// As [`Server::router`], for pages of some origins too; `*` is any.
    pub fn router_for(&self, origins: &[String]) -> Router {
        self.surround(routes::router(self.clone()), origins)
    }

    /// Puts around a router of your own what is around every answer: names of requests, counters,
    /// panics that become answers, compression, and pages of some origins.
    pub fn surround(&self, router: Router, origins: &[String]) -> Router {
        let server = self.clone();
        let panicked =
            move |panic: Box<dyn std::any::Any + Send>| observe::panicked(&server, panic.as_ref());
        let mut router = router
            .layer(CatchPanicLayer::custom(panicked))
            .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
            .layer(map_request(encoding::take_identity));
        if !origins.is_empty() {
            router = router.layer(cors(origins));
        }
        router.layer(from_fn_with_state(self.clone(), observe::observe))
    }
}

/// What a browser lets pages of some origins do. Tokens stand in a header, so no credentials of the
/// browser's are needed.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()))
    };
    // Of all headers, `*` leaves out `Authorization`; so those that a page asks for are named.
    let headers = AllowHeaders::mirror_request();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(Any)
        .allow_headers(headers)
        .expose_headers(Any)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn broken() -> &'static str {
        panic!("with what a request said")
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_and_the_server_lives() {
        let server = Server::new(Access::Everybody { user: None }, Limits::default());
        let router = routes::router(server.clone()).route("/broken", get(broken));
        let router = server.surround(router, &[]);
        for turn in 1..=3 {
            let request = Request::get("/broken").header("x-request-id", "r-7");
            let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
            let response = response.unwrap();
            assert_eq!(response.status(), 500);
            assert_eq!(response.headers()["x-request-id"], "r-7");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let text = std::str::from_utf8(&body).unwrap();
            assert!(
                text.contains("\"internal_error\"") && !text.contains("request said"),
                "{text}"
            );
            let request = Request::get("/metrics").body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let line = format!("getcases_http_panics_total {turn}\n");
            assert!(std::str::from_utf8(&body).unwrap().contains(&line));
        }
    }
}
