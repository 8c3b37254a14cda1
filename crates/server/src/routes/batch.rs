//! Many cases at once: written as lines, or read by their `_id`s.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use getcases::{Case, Code, Document, Member, Problem, Refusal};
use serde::Deserialize;
use serde_json::json as value;

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

/// The key of what is read.
const IDS: &str = "ids";
const NO_LIST: &str = "expected a list of texts";
/// The key of a line that deletes.
const DELETE: &str = "delete";
/// How it is told that a line's own text is no JSON.
const FIRST_LINE: &str = "not strict JSON at line 1";

/// How many members beside a `delete` are told of: what is told of one is longer than it may be.
const TOLD: usize = 8;

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
    request::check_query(&parts.uri, &[])?;
    Media::Lines.check(&parts.headers)?;
    let limits = &rules.limits;
    drop(server.queue().turn(limits.queue()).await?);
    let (mut changes, mut lines) = (Changes::of(&admitted.who), Vec::new());
    let bounds = (limits.batch_bytes, limits.body());
    let (mut number, mut count, mut wrong) = (0, 0, 0);
    let take = |line: &[u8]| {
        number += 1;
        if line.trim_ascii().is_empty() {
            return;
        }
        count += 1;
        if count <= LINES && wrong <= WRONG {
            let own = take(&mut changes, line).unwrap_or_else(|refusal| {
                wrong += 1;
                Line::Refused(on_line(number, refusal))
            });
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
    /// The error body, with the line's number.
    Refused(String),
}

fn told(lines: Vec<Line>, generation: Option<u64>) -> Response<Body> {
    let mut told = Vec::new();
    for line in lines {
        let one = match line {
            Line::Written(id) => value!({"_id": id, "result": "written", "generation": generation}),
            Line::Deleted(id) => value!({"_id": id, "result": "deleted", "generation": generation}),
            Line::Refused(body) => {
                told.extend(body.into_bytes());
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
fn take(changes: &mut Changes, line: &[u8]) -> Result<Line, Refusal> {
    /// One member and no other; a struct would be read from a list, too.
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Change {
        Delete(String),
    }
    // Fails at the first key of a case.
    if let Ok(Change::Delete(delete)) = serde_json::from_slice(line) {
        changes.delete(&delete);
        return Ok(Line::Deleted(delete));
    }
    let case = match Case::from_json(line) {
        Ok(case) if !case.has_key(DELETE) => case,
        other => {
            // With that key it is no case, whatever else it has: which of two is meant is not
            // guessed.
            let wrong = Member::all(line).ok().and_then(|members| wrong_delete(&members));
            wrong.map_or(other, Err)?
        }
    };
    let id = case.id().to_owned();
    changes.upsert(case)?;
    Ok(Line::Written(id))
}

/// What is wrong with a line that has the key `delete`; nothing of another.
fn wrong_delete(members: &[Member<'_>]) -> Option<Refusal> {
    members.iter().find(|member| member.name() == DELETE)?;
    let wrong = members.iter().filter_map(|member| {
        if member.name() != DELETE {
            let msg = "it stands beside `delete`, which stands alone";
            return Some(problem(Code::UnknownField, member, msg).accepts("`delete` alone"));
        }
        let is_text = member.text().is_some();
        let wrong = || problem(Code::InvalidType, member, "expected a text").accepts("an _id");
        (!is_text).then(wrong)
    });
    Refusal::new(wrong.take(TOLD))
}

fn problem(code: Code, member: &Member<'_>, msg: &str) -> Problem {
    Problem::new(code, member.path(), msg).with_value(member.value())
}

/// The error body of a line. What is no JSON is told with a line and a column, and each line was
/// read as a text of its own: its number in the batch takes the place of the 1 there.
fn on_line(number: usize, refusal: Refusal) -> String {
    let problems = refusal.problems().iter().map(|own| {
        let place = own.msg().strip_prefix(FIRST_LINE).filter(|_| own.code() == Code::InvalidJson);
        let Some(rest) = place else { return own.clone() };
        let msg = format!("not strict JSON at line {number}{rest}");
        let placed = Problem::new(own.code(), own.path(), msg);
        own.accepted().cloned().into_iter().fold(placed, Problem::accepts)
    });
    let body = Refusal::new(problems).unwrap_or(refusal).to_json();
    let body = String::from_utf8_lossy(&body);
    format!("{{\"line\":{number},{}", body.strip_prefix('{').unwrap_or(&body))
}

/// The `_id`s that a body asks for.
fn wanted(body: &[u8]) -> Result<Vec<String>, Refused> {
    let members = Member::all(body)?;
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    for member in &members {
        if member.name() == IDS {
            texts(member, &mut ids, &mut problems);
        } else {
            problems.push(problem(Code::UnknownField, member, "nothing reads it"));
        }
    }
    if members.iter().all(|member| member.name() != IDS) {
        problems.push(Problem::new(Code::InvalidType, format!("$.{IDS}"), NO_LIST));
    }
    let problems = problems.into_iter().map(|own| match own.accepted() {
        None => own.accepts("{\"ids\":[\"…\"]}"),
        Some(_) => own,
    });
    Refusal::new(problems).map_or(Ok(ids), |refusal| Err(refusal.into()))
}

/// The texts of a list, and what of it is wrong. One that is too long is not judged further.
fn texts(member: &Member<'_>, texts: &mut Vec<String>, problems: &mut Vec<Problem>) {
    let Some(elements) = member.elements() else {
        problems.push(problem(Code::InvalidType, member, NO_LIST));
        return;
    };
    if elements.len() > READ {
        let many = Problem::new(Code::TooManyValues, member.path(), "too many cases at once");
        problems.push(many.accepts(format!("at most {READ}")));
        return;
    }
    for (at, element) in elements.into_iter().enumerate() {
        match serde_json::from_str(element) {
            Ok(text) => texts.push(text),
            Err(_) => {
                let path = format!("{}[{at}]", member.path());
                let other = Problem::new(Code::InvalidType, path, "expected a text");
                problems.push(other.with_value(element));
            }
        }
    }
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
    request::check_query(&parts.uri, &[])?;
    Media::Json.check(&parts.headers)?;
    let limits = &rules.limits;
    let body = request::body(&parts.headers, body, (limits.body_bytes, limits.body())).await?;
    let _turn = server.queue().turn(limits.queue()).await?;
    let snapshot = admitted.cases.snapshot(&admitted.who);
    request::has_reached(&parts.headers, admitted.cases.generations(&snapshot))?;
    let ids = wanted(&body)?;
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
