//! The whole Get Cases API in an axum application, beside a route of its own:
//! `cargo run --release -p getcases-examples --bin mount -- 127.0.0.1:8080`
//!
//! The router answers below `/desk`, with tokens, limits, metrics and the document of the API, and
//! the host keeps the engine: what it writes is seen by the next question.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use getcases::{Engine, Scope};
use getcases_server::{Access, Apps, Server, Settings, make_token, serve};
use tokio::net::TcpListener;

/// Who may ask; a program reads it from a file by `Settings::from_file`.
const SETTINGS: &str = r#"
    [limits]
    request_seconds = 2

    [[app]]
    id = "desk"
    secret = "a secret of 32 bytes, not in a program"
    algorithms = ["HS256"]
    accounts = ["account"]
    streams = ["*"]
    scopes = ["Case Management Configuration", "Case Management Write"]
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let settings = Settings::from_toml(SETTINGS)?;
    let apps = Apps::new(&settings.apps)?;
    let token = make_token(&apps, "desk", Some("agent-1"), Some(Duration::from_secs(3600)))?;
    let server = Server::new(Access::Apps(apps), settings.limits);

    let engine = Arc::new(Engine::new());
    let app = Router::new()
        .route("/hook", post(hook))
        .with_state(engine.clone())
        .nest("/desk", server.router());

    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}/desk/v1/account/stream/getCases", listener.local_addr()?);
    println!("auth: {token}");
    // Until here questions are answered 503, and /desk/readyz too.
    engine.write(|batch| batch.upsert(&desk(), r#"{"_id":"1","name":"Late delivery"}"#))?;
    server.open(engine);
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(listener, server, app, None, stop).await?;
    Ok(())
}

fn desk() -> Scope {
    Scope::new("account", "stream")
}

/// A route of the host's own, which writes a case.
async fn hook(State(engine): State<Arc<Engine>>, document: String) -> String {
    match engine.write(|batch| batch.upsert(&desk(), &document)) {
        Ok(written) => format!("{} new\n", written.inserted),
        Err(refusal) => format!("refused: {refusal}\n"),
    }
}
