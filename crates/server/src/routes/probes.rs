//! Whether the server lives, whether it may be asked, and what it has done.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::openapi;
use crate::Server;
use crate::cases::Cases;
use crate::refused::{Refused, json};

/// Tells that the server answers.
#[utoipa::path(
    get, path = "/livez", tag = "Server", operation_id = "live", security(()),
    responses(openapi::Lives),
)]
pub(super) async fn live() -> Response<Body> {
    json(StatusCode::OK, r#"{"status":"alive"}"#)
}

/// Tells whether the cases are there.
#[utoipa::path(
    get, path = "/readyz", tag = "Server", operation_id = "ready", security(()),
    responses(openapi::Ready),
)]
pub(super) async fn ready(State(server): State<Server>) -> Result<Response<Body>, Refused> {
    server.cases()?;
    Ok(json(StatusCode::OK, r#"{"status":"ready"}"#))
}

/// Counts what was asked and answered, as a text of OpenMetrics.
#[utoipa::path(
    get, path = "/metrics", tag = "Server", operation_id = "metrics", security(()),
    responses(openapi::Measured),
)]
pub(super) async fn metrics(State(server): State<Server>) -> Result<Response<Body>, Refused> {
    let count = || server.cases().map(Cases::totals).unwrap_or_default();
    let kept_bytes = server.documents().bytes();
    let text = server.metrics().text(kept_bytes, count).map_err(|_| Refused::internal())?;
    let mut response = Response::new(text.into());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}
