//! A server on a port of its own, its cases, and tokens for it.

use std::net::SocketAddr;
use std::sync::Arc;

use getcases::{Engine, Scope};
use getcases_server::{
    Access, Algorithm, AppSettings, Apps, CONFIGURATION, Limits, Secret, Server, WRITE, serve,
};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The sample's own scope and secret.
pub(crate) const ACCOUNT: &str = "6639f7bd58c97ffac03b0000";
pub(crate) const STREAM: &str = "st-5393141c-723b-579d-8265-27dd9b7fxxxx";
pub(crate) const SECRET: &str = "a secret of thirty-two bytes, at least";
pub(crate) const APP: &str = "cs-1";

/// A server that runs for as long as this lives.
pub(crate) struct Started {
    pub(crate) address: SocketAddr,
    #[allow(dead_code)]
    pub(crate) server: Server,
    pub(crate) engine: Arc<Engine>,
    _runtime: Runtime,
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
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = server.router();
        runtime.spawn(serve(listener, server.clone(), router, None, std::future::pending()));
        Self { address, server, engine, _runtime: runtime }
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
