//! A server on a port of its own, its cases, and tokens for it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use getcases::{Engine, Scope};
use getcases_server::{
    Access, Algorithm, AppSettings, Apps, CONFIGURATION, Limits, Secret, Server, Tls, WRITE, serve,
};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Request;

/// The sample's own scope and secret.
pub(crate) const ACCOUNT: &str = "6639f7bd58c97ffac03b0000";
pub(crate) const STREAM: &str = "st-5393141c-723b-579d-8265-27dd9b7fxxxx";
pub(crate) const SECRET: &str = "a secret of thirty-two bytes, at least";
pub(crate) const APP: &str = "cs-1";

/// A server that runs for as long as this lives.
pub(crate) struct Started {
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    pub(crate) engine: Arc<Engine>,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<io::Result<()>>>,
}

impl Started {
    /// One with the sample's case, and one app that may read and write everything of its account.
    pub(crate) fn new() -> Self {
        Self::with(Limits::default(), &[app()])
    }

    pub(crate) fn with(limits: Limits, apps: &[AppSettings]) -> Self {
        let engine = Arc::new(Engine::new());
        engine.write(|batch| batch.upsert(&Scope::new(ACCOUNT, STREAM), seed_case())).unwrap();
        Self::of(engine, Access::Apps(Apps::new(apps).unwrap()), limits)
    }

    pub(crate) fn of(engine: Arc<Engine>, access: Access, limits: Limits) -> Self {
        let server = Server::new(access, limits);
        server.open(engine.clone());
        let router = server.router();
        Self::serve(server, engine, router, None)
    }

    /// One that has no cases yet.
    pub(crate) fn loading() -> Self {
        let access = Access::Apps(Apps::new(&[app()]).unwrap());
        let server = Server::new(access, Limits::default());
        let router = server.router();
        Self::serve(server, Arc::new(Engine::new()), router, None)
    }

    /// A server with a router of it, or one over TLS.
    pub(crate) fn serve(
        server: Server,
        engine: Arc<Engine>,
        router: Router,
        tls: Option<Tls>,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let serving = runtime.spawn(serve(listener, server.clone(), router, tls, stopped));
        Self { address, server, engine, runtime, stop: Some(stop), serving: Some(serving) }
    }

    /// Tells the server to stop; what runs goes on.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) fn wait(&mut self) {
        self.runtime.block_on(self.serving.take().unwrap()).unwrap().unwrap();
    }

    /// A number that the server tells of itself.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let answer = Request::new("GET", "/metrics").send(self.address);
        let line = answer.text().lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap().parse().unwrap()
    }
}

/// Tries until something holds, for some seconds.
pub(crate) fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The case that the API's page prints, of the account.
pub(crate) fn seed_case() -> String {
    include_str!("../../../../tests/seed/case.json").replace("{{accountId}}", ACCOUNT)
}

/// An app with the secret.
pub(crate) fn app() -> AppSettings {
    AppSettings {
        id: APP.to_owned(),
        secret: Some(Secret::new(SECRET)),
        secret_file: None,
        public_key_file: None,
        algorithms: vec![Algorithm::HS256],
        accounts: vec![ACCOUNT.to_owned()],
        streams: vec!["*".to_owned()],
        scopes: vec![CONFIGURATION.to_owned(), WRITE.to_owned()],
        user_claim: "userId".to_owned(),
        require_exp: true,
    }
}

/// The time, in seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// A token of the app that is good for a while.
pub(crate) fn token() -> String {
    sign(&json!({"sub": "s", "appId": APP, "exp": now() + 600, "userId": "u-1"}), SECRET)
}

/// A token with any claims, signed by HS256.
pub(crate) fn sign(claims: &Value, secret: &str) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}
