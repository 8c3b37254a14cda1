//! What changed lately.

use axum::body::Body;
use axum::extract::{self, Request, State};
use axum::http::{Response, StatusCode};
use getcases::{ChangesError, Code, Problem};
use serde::Deserialize;

use super::admit;
use super::get_cases::GENERATION;
use super::openapi::{self, ScopePath, SinceQuery};
use crate::Server;
use crate::held::held;
use crate::refused::{Refused, json};
use crate::request::{self, Path};

const SINCE: &str = "since";

/// Tells which cases changed since a generation.
///
/// Each `_id` is there once, whatever happened to it since. What a client that keeps cases needs to
/// become current: it reads those that are upserted, and lets go of those that are deleted.
#[utoipa::path(
    get,
    path = "/v1/{account}/{stream}/changes",
    tag = "Cases",
    operation_id = "readChanges",
    params(ScopePath, SinceQuery),
    responses(openapi::ChangesRead)
)]
pub(super) async fn changes(
    State(server): State<Server>,
    Path((account, stream)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let rules = server.rules();
    let admitted = admit::reader(&server, &rules, request.headers(), (&account, &stream))?;
    let since = since(&request)?;
    let _turn = server.queue().turn(rules.limits.queue()).await?;
    let snapshot = admitted.cases.snapshot(&admitted.who);
    let changes = snapshot.changes_since(since).map_err(|error| {
        let code = match error {
            ChangesError::NotYet { .. } => Code::UnknownGeneration,
            _ => Code::GenerationTooOld,
        };
        let problem = Problem::new(code, SINCE, error.to_string());
        Refused::from(problem.with_value(&since.to_string()))
    })?;
    let told = serde_json::to_vec(&changes).map_err(|_| Refused::internal())?;
    let mut response = json(StatusCode::OK, told);
    response.headers_mut().insert(GENERATION, changes.generation.into());
    Ok(held(response, admitted.permit))
}

/// The one generation of a request's query.
fn since(request: &Request) -> Result<u64, Refused> {
    #[derive(Deserialize)]
    struct Since {
        since: u64,
    }
    let query = extract::Query::<Since>::try_from_uri(request.uri());
    let query = query.map_err(|_| {
        let problem = Problem::new(Code::InvalidInteger, SINCE, "it is no one generation");
        let given = request.uri().query().unwrap_or_default();
        let given = given.strip_prefix("since=").filter(|own| !own.contains('&')).unwrap_or(given);
        let problem = problem.with_value(given);
        Refused::from(problem.accepts("since=G, of what a read or a write was answered"))
    })?;
    request::check_query(request.uri(), &[SINCE])?;
    Ok(query.0.since)
}
