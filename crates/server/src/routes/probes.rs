//! Whether the server lives, whether it may be asked, and what it has done.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use getcases::{Code, Problem};

use crate::Server;
use crate::refused::{Refused, json};

/// `GET /livez`.
pub(super) async fn live() -> Response<Body> {
    json(StatusCode::OK, r#"{"status":"alive"}"#)
}

/// `GET /readyz`.
pub(super) async fn ready(State(server): State<Server>) -> Result<Response<Body>, Refused> {
    must_be_ready(&server)?;
    Ok(json(StatusCode::OK, r#"{"status":"ready"}"#))
}

/// Refuses whatever needs cases while they are loaded.
pub(super) fn must_be_ready(server: &Server) -> Result<(), Refused> {
    if server.is_ready() {
        return Ok(());
    }
    let problem = Problem::new(Code::NotReady, "$", "cases are being loaded");
    Err(Refused::from(problem.accepts("the same, a little later")).retry_after(1))
}

/// `GET /metrics`, in the text form of OpenMetrics.
pub(super) async fn metrics(State(server): State<Server>) -> Result<Response<Body>, Refused> {
    let text = server.metrics().text(server.cases().totals()).map_err(|_| Refused::internal())?;
    let mut response = Response::new(text.into());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}
