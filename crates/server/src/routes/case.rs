//! One case by its `_id`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::ETAG;
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use getcases::{Case, Code, Edit, Edited, Problem, Version};
use serde_json::json as value;

use super::admit::{self, Admitted};
use super::get_cases::GENERATION;
use super::openapi::{self, CasePath, ReadHeaders, WriteHeaders};
use crate::Server;
use crate::auth::Writer;
use crate::cases::{Changes, Done};
use crate::held::held;
use crate::precondition::Precondition;
use crate::refused::{Refused, json};
use crate::request::{self, Media, Path};
use crate::rules::Rules;

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
    request::check_query(request.uri(), &[])?;
    let _turn = server.queue().turn(rules.limits.queue()).await?;
    let snapshot = admitted.cases.snapshot(&admitted.who);
    request::has_reached(headers, admitted.cases.generations(&snapshot))?;
    let document = snapshot.get(&id).ok_or_else(unknown)?;
    let version = Version::of(document.json());
    let mut response = json(StatusCode::OK, document.into_json());
    response.headers_mut().insert(GENERATION, snapshot.generation().into());
    set_tag(&mut response, Some(version));
    Ok(held(response, admitted.permit))
}

/// Writes a case, in the place of the one that has its `_id`.
#[utoipa::path(
    put, path = "/v1/{account}/{stream}/cases/{id}", tag = "Cases", operation_id = "writeCase",
    params(CasePath, WriteHeaders), responses(openapi::CaseWritten),
    request_body(content = ref("#/components/schemas/Case"), content_type = "application/json"),
)]
pub(super) async fn put(
    State(server): State<Server>,
    Path((account, stream, id)): Path<OfCase>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let rules = server.rules();
    let (admitted, precondition, body) =
        to_write(&server, &rules, (&account, &stream), request).await?;
    let turn = server.queue().turn(rules.limits.queue()).await?;
    let case = Case::from_json(&body)?;
    drop(turn);
    if case.id() != id {
        let problem = Problem::new(Code::InvalidId, "$._id", "the path names another case");
        let own = value!(case.id()).to_string();
        return Err(problem.with_value(&own).accepts(id).into());
    }
    let (Admitted { who, cases, permit }, version) = (admitted, case.version());
    let Done { written, generation, permit } = if precondition == Precondition::None {
        let mut changes = Changes::of(&who);
        changes.upsert(case)?;
        cases.write(changes, permit).await?
    } else {
        let edit = move |there| {
            let expected = precondition.expected(there)?;
            Some(Edit::Upsert(expected, body.to_vec()))
        };
        let (edited, done) = cases.edit((&who, &id), edit, permit).await?;
        stored(edited, false)?;
        done
    };
    let (status, result) = if written.inserted > 0 {
        (StatusCode::CREATED, "inserted")
    } else {
        (StatusCode::OK, "replaced")
    };
    Ok(held(told(status, (&id, result), Some(version), generation), permit))
}

/// Changes parts of a case, by a JSON merge patch (RFC 7396).
///
/// What the patch does not name keeps its place and its spelling.
#[utoipa::path(
    patch, path = "/v1/{account}/{stream}/cases/{id}", tag = "Cases", operation_id = "patchCase",
    params(CasePath, WriteHeaders), responses(openapi::CasePatched),
    request_body(
        content = ref("#/components/schemas/Patch"), content_type = "application/merge-patch+json",
    ),
)]
pub(super) async fn patch(
    State(server): State<Server>,
    Path((account, stream, id)): Path<OfCase>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let rules = server.rules();
    let (admitted, precondition, body) =
        to_write(&server, &rules, (&account, &stream), request).await?;
    drop(server.queue().turn(rules.limits.queue()).await?);
    let (patched, is_free) = (id.clone(), precondition.holds_for_nothing());
    let edit = move |there| {
        let expected = precondition.expected(there)?;
        Some(Edit::Patch(expected, patched.clone(), body.to_vec()))
    };
    let Admitted { who, cases, permit } = admitted;
    let (edited, Done { generation, permit, .. }) = cases.edit((&who, &id), edit, permit).await?;
    let version = stored(edited, is_free)?;
    Ok(held(told(StatusCode::OK, (&id, "patched"), version, generation), permit))
}

/// Deletes a case.
#[utoipa::path(
    delete,
    path = "/v1/{account}/{stream}/cases/{id}",
    tag = "Cases",
    operation_id = "deleteCase",
    params(CasePath, WriteHeaders),
    responses(openapi::CaseDeleted)
)]
pub(super) async fn delete(
    State(server): State<Server>,
    Path((account, stream, id)): Path<OfCase>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let rules = server.rules();
    let admitted = admit::writer(&server, &rules, request.headers(), (&account, &stream))?;
    request::check_query(request.uri(), &[])?;
    let precondition = Precondition::of(request.headers())?;
    drop(server.queue().turn(rules.limits.queue()).await?);
    let (deleted, is_free) = (id.clone(), precondition.holds_for_nothing());
    let edit = move |there: Option<Version>| {
        let expected = precondition.expected(there)?;
        there.map(|_| Edit::Delete(expected, deleted.clone()))
    };
    let Admitted { who, cases, permit } = admitted;
    let (edited, Done { generation, permit, .. }) = cases.edit((&who, &id), edit, permit).await?;
    stored(edited, is_free)?;
    Ok(held(told(StatusCode::OK, (&id, "deleted"), None, generation), permit))
}

/// Judges a request to write into a case up to its body, in the order of the contract.
async fn to_write<'s>(
    server: &'s Server,
    rules: &Rules,
    scope: (&str, &str),
    request: Request,
) -> Result<(Admitted<'s, Writer>, Precondition, Bytes), Refused> {
    let (parts, body) = request.into_parts();
    let admitted = admit::writer(server, rules, &parts.headers, scope)?;
    request::check_query(&parts.uri, &[])?;
    Media::Json.check(&parts.headers)?;
    let limits = &rules.limits;
    let body = request::body(&parts.headers, body, (limits.body_bytes, limits.body())).await?;
    Ok((admitted, Precondition::of(&parts.headers)?, body))
}

/// The version that an edit stored; why it was not made, otherwise. Whoever does not expect a case
/// is told of one that is not there.
fn stored(edited: Edited, is_free: bool) -> Result<Option<Version>, Refused> {
    match edited {
        Edited::Stored(version) => Ok(Some(version)),
        Edited::Deleted => Ok(None),
        Edited::Refused(refusal) => Err(refusal.into()),
        Edited::Unmet(None) if is_free => Err(unknown()),
        Edited::Unmet(there) => Err(unmet(there)),
        _ => Err(Refused::internal()),
    }
}

fn told(
    status: StatusCode,
    (id, result): (&str, &str),
    version: Option<Version>,
    generation: u64,
) -> Response<Body> {
    let told = value!({"_id": id, "result": result, "generation": generation});
    let mut response = json(status, told.to_string());
    response.headers_mut().insert(GENERATION, generation.into());
    set_tag(&mut response, version);
    response
}

/// Tells which version of a case a response is about.
fn set_tag(response: &mut Response<Body>, version: Option<Version>) {
    let tag = version.map(|version| HeaderValue::try_from(format!("\"{version}\"")));
    if let Some(Ok(tag)) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
}

fn unmet(there: Option<Version>) -> Refused {
    let msg = "another version of the case is there, or none, or one where none was expected";
    let problem = Problem::new(Code::VersionConflict, "$", msg);
    let problem = match there {
        Some(version) => problem.accepts(format!("what expects \"{version}\"")),
        None => problem.accepts("what expects no case"),
    };
    problem.into()
}

fn unknown() -> Refused {
    Problem::new(Code::UnknownCase, "$._id", "no case of the stream has this _id").into()
}
