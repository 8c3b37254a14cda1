//! Every request with a name of its own, in the log and in its answer; counted and timed.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use axum::middleware::Next;
use axum::{body::Body, response::IntoResponse};
use tracing::Instrument;

use crate::Server;
use crate::host;
use crate::refused::{Reason, Refused};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What is answered however much there is to do.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];
/// The route of what comes to none.
const UNKNOWN: &str = "unknown";
/// How long the name may be that a client gives its request.
const ID_BYTES: usize = 128;

/// Refuses a request that is none, or would wait for too long, before anything is done for it.
pub(crate) fn refuse_early<B>(server: &Server, request: &mut Request<B>) -> Option<Response<Body>> {
    let refused = match host::settle(request) {
        Err(refused) => refused,
        Ok(()) => {
            let refused = server.queue().check(server.rules().limits.queue()).err()?;
            if PROBES.iter().any(|probe| request.uri().path().ends_with(probe)) {
                return None;
            }
            refused
        }
    };
    let mut response = refused.into_response();
    note(server, (UNKNOWN, request.method()), Duration::ZERO, &response);
    response.headers_mut().insert(REQUEST_ID, given_id(request.headers()).unwrap_or_else(new_id));
    Some(response)
}

/// Counts an answer, and why it is a refusal where it is one.
fn note(
    server: &Server,
    (route, method): (&str, &Method),
    took: Duration,
    response: &Response<Body>,
) {
    server.metrics().answered(route, method, response.status().as_u16(), took);
    if let Some(Reason(code)) = response.extensions().get() {
        server.metrics().refused(*code);
    }
}

/// Names a request, answers it, and counts the answer.
pub(crate) async fn observe(
    State(server): State<Server>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let started = Instant::now();
    let id = given_id(request.headers()).unwrap_or_else(new_id);
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(UNKNOWN, MatchedPath::as_str);
    let name = id.to_str().unwrap_or_default();
    let span = tracing::info_span!("request", id = name, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    note(&server, (route, &method), started.elapsed(), &response);
    let status = response.status().as_u16();
    let microseconds = started.elapsed().as_micros() as u64;
    span.in_scope(|| tracing::debug!(status, microseconds, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What is answered in the place of a panic.
pub(crate) fn panicked(server: &Server, panic: &(dyn std::any::Any + Send)) -> Response<Body> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("unknown"), "a request ended in a panic");
    server.metrics().panicked();
    Refused::internal().into_response()
}

fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let is_plain = |byte: &u8| byte.is_ascii_graphic();
    let is_good = (1..=ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(is_plain);
    is_good.then(|| id.clone())
}

/// A name that no other request of this server has, and hardly one of another server.
fn new_id() -> HeaderValue {
    static START: LazyLock<u64> = LazyLock::new(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |since| since.as_micros() as u64) ^ u64::from(std::process::id()) << 44
    });
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{:x}-{:x}", *START, NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("unnamed"))
}
