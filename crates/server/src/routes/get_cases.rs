//! `getCases`: the endpoint of the API's page, and the same under a path of our own.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use getcases::{Code, Refusal, Snapshot};

use super::admit::{self, Admitted};
use super::openapi::{self, AccountHeader, AskHeaders, ReadHeaders, ScopePath, StreamPath};
use crate::Server;
use crate::auth::Reader;
use crate::blocking::blocking;
use crate::held::held;
use crate::queue::Turn;
use crate::refused::{self, Refused, json};
use crate::request::{self, Light, Media, Path};
use crate::settings::Limits;

/// How long a question may run on the thread that has the connection; most take microseconds. What
/// takes longer begins anew on a thread that may block.
const INLINE: Duration = Duration::from_millis(1);
/// How long the header of what was ignored may be, in bytes.
const IGNORED_BYTES: usize = 1024;

pub(super) const IGNORED: HeaderName = HeaderName::from_static("x-getcases-ignored");
pub(super) const GENERATION: HeaderName = HeaderName::from_static("x-getcases-generation");

/// Asks for cases, as the API's page prints it.
#[utoipa::path(
    post, path = "/caseManagement/api/public/analytics/{streamId}/getCases", tag = "Ask",
    operation_id = "getCases", params(StreamPath, AccountHeader, AskHeaders, ReadHeaders),
    request_body(content = ref("#/components/schemas/GetCases"), content_type = "application/json"),
    responses(openapi::StreamAsked),
)]
pub(super) async fn documented(
    State(server): State<Server>,
    Path(stream): Path<String>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let rules = server.rules();
    let caller = rules.access.caller(&parts.headers)?;
    let account = request::account(&parts.headers)?;
    let admitted = admit::known_reader(&server, &rules, caller, (account, &stream))?;
    answer((&server, &rules.limits), admitted, &parts, body).await
}

/// Asks for cases.
#[utoipa::path(
    post, path = "/v1/{account}/{stream}/getCases", tag = "Ask", operation_id = "ask",
    params(ScopePath, AskHeaders, ReadHeaders),
    request_body(content = ref("#/components/schemas/GetCases"), content_type = "application/json"),
    responses(openapi::Asked),
)]
pub(super) async fn own(
    State(server): State<Server>,
    Path((account, stream)): Path<(String, String)>,
    request: Request,
) -> Result<Response<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let rules = server.rules();
    let admitted = admit::reader(&server, &rules, &parts.headers, (&account, &stream))?;
    answer((&server, &rules.limits), admitted, &parts, body).await
}

/// Judges what is left, in the order of the contract, and answers.
async fn answer(
    (server, limits): (&Server, &Limits),
    Admitted { who: reader, cases, permit }: Admitted<'_, Reader>,
    Parts { headers, uri, .. }: &Parts,
    body: Body,
) -> Result<Response<Body>, Refused> {
    Media::Json.check(headers)?;
    let body = request::body(headers, body, (limits.body_bytes, limits.body())).await?;
    let light = Light::of(headers, reader.user())?;
    if light.context.strict {
        request::check_query(uri, &[])?;
    }
    let turn = server.queue().turn(limits.queue()).await?;
    let snapshot = cases.snapshot(&reader);
    let generation = snapshot.generation();
    request::has_reached(headers, cases.generations(&snapshot))?;
    let started = Instant::now();
    let (asked, deadline) = ((&body, &light), started + limits.request());
    let found = search((server, turn), &snapshot, asked, deadline).await;
    if started.elapsed() >= limits.slow() {
        server.slow_log().tell(&snapshot, &body, &light.context, started.elapsed());
    }
    let found = found.map_err(|refusal| light.echoed(refusal))?;
    let mut response = json(StatusCode::OK, found.json);
    let headers = response.headers_mut();
    headers.insert(GENERATION, generation.into());
    let lowered = found.lowered_limit.map(|limit| format!("limit={limit}"));
    if let Some(ignored) =
        ignored(found.ignored.iter().chain(&lowered).chain(&request::unread_names(uri, &[])))
    {
        headers.insert(IGNORED, ignored);
    }
    Ok(held(response, permit))
}

/// Asks right here, and where that takes longer than a turn, on a thread that may block.
async fn search(
    (server, turn): (&Server, Turn<'_>),
    snapshot: &Snapshot,
    (body, light): (&Bytes, &Light<'_>),
    deadline: Instant,
) -> Result<getcases::Response, Refusal> {
    let inline = deadline.min(Instant::now() + INLINE);
    let asked = snapshot.until(inline).caching(server.documents());
    let found = asked.search_json(body, &light.context);
    drop(turn);
    if !is_too_slow(&found) || deadline <= inline {
        return found;
    }
    let (server, snapshot, body) = (server.clone(), snapshot.clone(), body.clone());
    let context = light.context.clone();
    let search =
        move || snapshot.until(deadline).caching(server.documents()).search_json(&body, &context);
    blocking(search).await.unwrap_or(found)
}

fn is_too_slow(found: &Result<getcases::Response, Refusal>) -> bool {
    found.as_ref().is_err_and(|refusal| refused::code(refusal) == Code::TooSlow)
}

/// Names that were ignored, as the value of a header: in ASCII, and cut where there are many.
fn ignored<'n>(names: impl Iterator<Item = &'n String>) -> Option<HeaderValue> {
    let mut text = String::new();
    for name in names {
        let shown: String = name.chars().flat_map(escaped).collect();
        let is_cut = text.len() + shown.len() + 2 > IGNORED_BYTES;
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(if is_cut { "..." } else { &shown });
        if is_cut {
            break;
        }
    }
    if text.is_empty() { None } else { text.try_into().ok() }
}

/// A character as it may stand in a header, the others as `\u{e9}`.
fn escaped(own: char) -> impl Iterator<Item = char> {
    let is_plain = own == ' ' || own.is_ascii_graphic();
    let plain = is_plain.then_some(own);
    plain.into_iter().chain((!is_plain).then(|| own.escape_unicode()).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    #[tokio::test]
    async fn a_question_that_takes_too_long_is_given_up() {
        let snapshot = getcases::Engine::new().snapshot(&getcases::Scope::new("a", "s"));
        let (headers, body) = (axum::http::HeaderMap::new(), Bytes::from_static(b"{}"));
        let light = Light::of(&headers, None).unwrap();
        let server = Server::new(Access::Everybody { user: None }, Limits::default());
        let turn = async || (&server, server.queue().turn(Duration::ZERO).await.unwrap());
        let asked = (&body, &light);
        let found = search(turn().await, &snapshot, asked, Instant::now()).await;
        assert_eq!(found.unwrap_err().http_status(), 503);
        let later = Instant::now() + Duration::from_secs(10);
        let found = search(turn().await, &snapshot, asked, later).await;
        assert_eq!(found.unwrap().total_results, 0);
    }

    #[test]
    fn names_that_were_ignored_are_a_header() {
        let of = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            ignored(names.iter()).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["name", "a b"]).unwrap(), "name, a b");
        assert_eq!(of(&["é\r\nx: y"]).unwrap(), "\\u{e9}\\u{d}\\u{a}x: y");
        let many = of(&["long name"; 1000]).unwrap();
        assert!(many.ends_with(", ...") && many.len() < IGNORED_BYTES + 10);
        assert_eq!(of(&[&"é".repeat(500), "name"]).unwrap(), "...");
    }
}
