//! One case by its `_id`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use getcases::{Code, Problem};
use serde_json::json as value;

use super::admit;
use super::get_cases::GENERATION;
use super::openapi::{self, CasePath, ReadHeaders};
use crate::Server;
use crate::cases::{Changes, Done};
use crate::held::held;
use crate::refused::{Refused, json};
use crate::request::{self, Media, Path};

/// An account, a stream and an `_id`.
type OfCase = (String, String, String);

/// Reads a case.
#[utoipa::path(
    get,
    path = "/v1/{account}/{stream}/cases/{id}",
    tag = "Cases",
    operation_id = "readCase",
    params(CasePath, ReadHeaders),
    responses(openapi::CaseRead)
)]
pub(super) async fn get(
    State(server): State<Server>,
    Path((account, stream, id)): Path<OfCase>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let headers = request.headers();
    let rules = server.rules();
    let admitted = admit::reader(&server, &rules, headers, (&account, &stream))?;
    let _turn = server.queue().turn(rules.limits.queue()).await?;
    let snapshot = admitted.cases.snapshot(&admitted.who);
    request::has_reached(headers, snapshot.generation())?;
    let document = snapshot.get(&id).ok_or_else(unknown)?;
    let mut response = json(StatusCode::OK, document.into_json());
    response.headers_mut().insert(GENERATION, snapshot.generation().into());
    Ok(held(response, admitted.permit))
}

/// Writes a case, in the place of the one that has its `_id`.
#[utoipa::path(
    put, path = "/v1/{account}/{stream}/cases/{id}", tag = "Cases", operation_id = "writeCase",
    params(CasePath), responses(openapi::CaseWritten),
    request_body(content = ref("#/components/schemas/Case"), content_type = "application/json"),
)]
pub(super) async fn put(
    State(server): State<Server>,
    Path((account, stream, id)): Path<OfCase>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let rules = server.rules();
    let admitted = admit::writer(&server, &rules, &parts.headers, (&account, &stream))?;
    Media::Json.check(&parts.headers)?;
    let limits = &rules.limits;
    let body = request::body(&parts.headers, body, (limits.body_bytes, limits.body())).await?;
    let _turn = server.queue().turn(limits.queue()).await?;
    let mut changes = Changes::of(&admitted.who);
    let own = changes.upsert(&body)?;
    if own != id {
        let problem = Problem::new(Code::InvalidId, "$._id", "the path names another case");
        return Err(problem.with_value(&value!(own).to_string()).accepts(id).into());
    }
    let Done { written, generation, permit } =
        admitted.cases.write(changes, admitted.permit).await?;
    let (status, result) = if written.inserted > 0 {
        (StatusCode::CREATED, "inserted")
    } else {
        (StatusCode::OK, "replaced")
    };
    Ok(held(told(status, &id, result, generation), permit))
}

/// Deletes a case.
#[utoipa::path(
    delete,
    path = "/v1/{account}/{stream}/cases/{id}",
    tag = "Cases",
    operation_id = "deleteCase",
    params(CasePath),
    responses(openapi::CaseDeleted)
)]
pub(super) async fn delete(
    State(server): State<Server>,
    Path((account, stream, id)): Path<OfCase>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let rules = server.rules();
    let admitted = admit::writer(&server, &rules, request.headers(), (&account, &stream))?;
    let _turn = server.queue().turn(rules.limits.queue()).await?;
    let mut changes = Changes::of(&admitted.who);
    changes.delete(&id);
    let Done { written, generation, permit } =
        admitted.cases.write(changes, admitted.permit).await?;
    if written.deleted == 0 {
        return Err(unknown());
    }
    Ok(held(told(StatusCode::OK, &id, "deleted", generation), permit))
}

fn told(status: StatusCode, id: &str, result: &str, generation: u64) -> Response<Body> {
    let told = value!({"_id": id, "result": result, "generation": generation});
    let mut response = json(status, told.to_string());
    response.headers_mut().insert(GENERATION, generation.into());
    response
}

fn unknown() -> Refused {
    Problem::new(Code::UnknownCase, "$._id", "no case of the stream has this _id").into()
}
