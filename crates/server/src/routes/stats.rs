//! What a scope takes.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use serde::Serialize;

use super::admit;
use super::get_cases::GENERATION;
use super::openapi::{self, ReadHeaders, ScopePath};
use crate::Server;
use crate::refused::{Refused, json};
use crate::request::{self, Path};

/// Tells what a stream takes in memory.
#[utoipa::path(
    get,
    path = "/v1/{account}/{stream}/stats",
    tag = "Cases",
    operation_id = "readStats",
    params(ScopePath, ReadHeaders),
    responses(openapi::StatsRead)
)]
pub(super) async fn stats(
    State(server): State<Server>,
    Path((account, stream)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    #[derive(Serialize)]
    struct Told {
        generation: u64,
        bytes: usize,
        #[serde(flatten)]
        stats: getcases::Stats,
    }
    let headers = request.headers();
    let rules = server.rules();
    let admitted = admit::reader(&server, &rules, headers, (&account, &stream))?;
    request::check_query(request.uri(), &[])?;
    let _turn = server.queue().turn(rules.limits.queue()).await?;
    let snapshot = admitted.cases.snapshot(&admitted.who);
    request::has_reached(headers, admitted.cases.generations(&snapshot))?;
    let (stats, generation) = (snapshot.stats(), snapshot.generation());
    let told = Told { generation, bytes: stats.bytes(), stats };
    let told = serde_json::to_vec(&told).map_err(|_| Refused::internal())?;
    let mut response = json(StatusCode::OK, told);
    response.headers_mut().insert(GENERATION, generation.into());
    Ok(response)
}
