//! Many cases at once: written as lines, or read by their `_id`s.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use getcases::{Case, Code, Document, Problem, Refusal};
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::admit;
use super::get_cases::GENERATION;
use super::openapi::{self, ReadHeaders, ScopePath};
use crate::Server;
use crate::cases::{Changes, Done};
use crate::held::held;
use crate::refused::{Refused, json};
use crate::request::{self, Media, Path};

/// How many cases are read at once by their `_id`s.
const READ: usize = 1000;

/// How many lines a batch may have, and how many of them may be wrong: what is kept of a line until
/// all are there, and what is told of one, is far more than the shortest line.
const LINES: usize = 250_000;
const WRONG: usize = 1000;

/// Writes many cases at once.
///
/// A case, or `{"delete":"ID"}`, a line. What is right is seen at once; what is wrong is left out,
/// and told on its line.
#[utoipa::path(
    post, path = "/v1/{account}/{stream}/cases:batch", tag = "Cases", operation_id = "writeCases",
    params(ScopePath), responses(openapi::BatchWritten),
    request_body(
        content = ref("#/components/schemas/BatchLine"), content_type = "application/x-ndjson",
    ),
)]
pub(super) async fn write_cases(
    State(server): State<Server>,
    Path((account, stream)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let rules = server.rules();
    let admitted = admit::writer(&server, &rules, &parts.headers, (&account, &stream))?;
    Media::Lines.check(&parts.headers)?;
    let limits = &rules.limits;
    drop(server.queue().turn(limits.queue()).await?);
    let (mut changes, mut lines) = (Changes::of(&admitted.who), Vec::new());
    let bounds = (limits.batch_bytes, limits.body());
    let (mut count, mut wrong) = (0, 0);
    let take = |line: &[u8]| {
        if line.trim_ascii().is_empty() {
            return;
        }
        count += 1;
        if count <= LINES && wrong <= WRONG {
            let own = take(&mut changes, line);
            wrong += usize::from(matches!(own, Line::Refused(_)));
            lines.push(own);
        }
    };
    request::lines(&parts.headers, body, bounds, take).await?;
    if wrong > WRONG {
        let problem = Problem::new(Code::TooManyProblems, "$", "too many lines are wrong");
        return Err(problem.accepts(format!("at most {WRONG} wrong lines")).into());
    }
    if count > LINES {
        let problem = Problem::new(Code::TooManyValues, "$", "too many lines at once");
        return Err(problem.accepts(format!("at most {LINES} lines")).into());
    }
    if changes.is_empty() {
        return Ok(held(told(lines, None), admitted.permit));
    }
    let Done { generation, permit, .. } = admitted.cases.write(changes, admitted.permit).await?;
    Ok(held(told(lines, Some(generation)), permit))
}

/// What is told of a line.
enum Line {
    Written(String),
    Deleted(String),
    Refused(Refusal),
}

fn told(lines: Vec<Line>, generation: Option<u64>) -> Response<Body> {
    let mut told = Vec::new();
    for line in lines {
        let one = match line {
            Line::Written(id) => value!({"_id": id, "result": "written", "generation": generation}),
            Line::Deleted(id) => value!({"_id": id, "result": "deleted", "generation": generation}),
            Line::Refused(refusal) => {
                told.extend(refusal.to_json());
                told.push(b'\n');
                continue;
            }
        };
        told.extend(one.to_string().into_bytes());
        told.push(b'\n');
    }
    let mut response = json(StatusCode::OK, told);
    let lines = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, lines);
    if let Some(generation) = generation {
        response.headers_mut().insert(GENERATION, generation.into());
    }
    response
}

/// Takes a line into the changes: a case, or what is to be deleted.
fn take(changes: &mut Changes, line: &[u8]) -> Line {
    /// One member and no other; a struct would be read from a list, too.
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Change {
        Delete(String),
    }
    // A case has an `_id`, which this has not.
    if let Ok(Change::Delete(delete)) = serde_json::from_slice(line) {
        changes.delete(&delete);
        return Line::Deleted(delete);
    }
    let upsert = |case: Case| {
        let id = case.id().to_owned();
        changes.upsert(case).map(|()| id)
    };
    Case::from_json(line).and_then(upsert).map_or_else(Line::Refused, Line::Written)
}

/// The `_id`s that a body asks for.
fn wanted(body: &[u8]) -> Result<Vec<String>, Refused> {
    let refused = |problem: Problem| Refused::from(problem.accepts("{\"ids\":[\"…\"]}"));
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| refused(Problem::new(Code::InvalidJson, "$", error.to_string())))?;
    let wrong = |code, path: &str, value: &Value, msg: &str| {
        refused(Problem::new(code, path, msg).with_value(&value.to_string()))
    };
    let Value::Object(members) = &body else {
        return Err(wrong(Code::NotAnObject, "$", &body, "expected an object"));
    };
    if let Some((key, value)) = members.iter().find(|(key, _)| *key != "ids") {
        return Err(wrong(Code::UnknownField, &format!("$.{key}"), value, "nothing reads it"));
    }
    let ids = members.get("ids").unwrap_or(&Value::Null);
    let Value::Array(ids) = ids else {
        return Err(wrong(Code::InvalidType, "$.ids", ids, "expected a list of texts"));
    };
    let text = |(at, id): (usize, &Value)| match id {
        Value::String(id) => Ok(id.clone()),
        other => Err(wrong(Code::InvalidType, &format!("$.ids[{at}]"), other, "expected a text")),
    };
    ids.iter().enumerate().map(text).collect()
}

/// Reads many cases at once, at most 1,000.
#[utoipa::path(
    post, path = "/v1/{account}/{stream}/cases:get", tag = "Cases", operation_id = "readCases",
    params(ScopePath, ReadHeaders), responses(openapi::CasesRead),
    request_body(content = ref("#/components/schemas/Wanted"), content_type = "application/json"),
)]
pub(super) async fn get(
    State(server): State<Server>,
    Path((account, stream)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let rules = server.rules();
    let admitted = admit::reader(&server, &rules, &parts.headers, (&account, &stream))?;
    Media::Json.check(&parts.headers)?;
    let limits = &rules.limits;
    let body = request::body(&parts.headers, body, (limits.body_bytes, limits.body())).await?;
    let _turn = server.queue().turn(limits.queue()).await?;
    let snapshot = admitted.cases.snapshot(&admitted.who);
    request::has_reached(&parts.headers, admitted.cases.generations(&snapshot))?;
    let ids = wanted(&body)?;
    if ids.len() > READ {
        let problem = Problem::new(Code::TooManyValues, "$.ids", "too many cases at once");
        return Err(problem.accepts(format!("at most {READ}")).into());
    }
    let documents = snapshot.get_many(ids.iter().map(String::as_str));
    let mut told = b"{\"cases\":[".to_vec();
    for (at, document) in documents.iter().enumerate() {
        if at > 0 {
            told.push(b',');
        }
        let text = document.as_ref().map_or("null", Document::json);
        told.extend_from_slice(text.as_bytes());
    }
    told.extend_from_slice(b"]}");
    let mut response = json(StatusCode::OK, told);
    response.headers_mut().insert(GENERATION, snapshot.generation().into());
    Ok(held(response, admitted.permit))
}
