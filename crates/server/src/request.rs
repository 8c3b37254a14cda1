//! What a request says besides its path: headers, and its body within bounds.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{self, FromRequestParts};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use bytes::Bytes;
use getcases::{Code, Context, Problem, Refusal};
use http_body_util::{BodyExt, Limited};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::refused::Refused;

const OFFSET: &str = "X-Timezone-Offset";
const STRICT: &str = "X-GetCases-Strict";
const MIN_GENERATION: &str = "X-GetCases-Min-Generation";
const ACCOUNT: &str = "accountId";
/// An offset that no zone has, so that it is refused in its place among all problems.
const NO_OFFSET: i64 = i64::MAX;

/// The names in a path, decoded: `%2F` is a slash within a name. A path with a name that is empty
/// or no text is nowhere.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let names = extract::Path::<T>::from_request_parts(parts, state).await;
        match names {
            Ok(extract::Path(names)) if !has_empty_name(&parts.uri) => Ok(Self(names)),
            _ => Err(nameless(&parts.uri)),
        }
    }
}

/// Refuses a path that no name could be read from, where none is read: with another method.
pub(crate) fn check_path(uri: &Uri) -> Result<(), Refused> {
    let is_text = percent_decode_str(uri.path()).decode_utf8().is_ok();
    if is_text && !has_empty_name(uri) { Ok(()) } else { Err(nameless(uri)) }
}

fn has_empty_name(uri: &Uri) -> bool {
    uri.path().contains("//") || uri.path().ends_with('/')
}

fn nameless(uri: &Uri) -> Refused {
    let problem = Problem::new(Code::UnknownPath, "$", "a name is empty or no UTF-8");
    problem.with_value(uri.path()).accepts("names, percent-encoded").into()
}

/// The names of the query in a URI that nothing reads, as `?name`, each once.
pub(crate) fn unread_names(uri: &Uri, read: &[&str]) -> Vec<String> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let names = form_urlencoded::parse(query).map(|(name, _)| name);
    let mut met = HashSet::new();
    let unread = names.filter(|name| !read.contains(&&**name) && met.insert(name.clone()));
    unread.map(|name| format!("?{name}")).collect()
}

/// Refuses a query with names that nothing reads.
pub(crate) fn check_query(uri: &Uri, read: &[&'static str]) -> Result<(), Refused> {
    let problems = unread_names(uri, read).into_iter().map(|name| {
        let problem = Problem::new(Code::UnknownField, name, "nothing reads it");
        problem.accepts(read.first().copied().unwrap_or("no query"))
    });
    Refusal::new(problems).map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// The account of a request, of its one header.
pub(crate) fn account(headers: &HeaderMap) -> Result<&str, Refused> {
    match one(headers, ACCOUNT)? {
        Some(account) if !account.is_empty() => Ok(account),
        _ => {
            let problem = Problem::new(Code::MissingHeader, ACCOUNT, "the header is missing");
            Err(problem.accepts("the id of the account that is asked").into())
        }
    }
}

/// In what light a body is read, and what to put right in a refusal.
pub(crate) struct Light<'h> {
    pub(crate) context: Context,
    /// A header that is no offset at all.
    no_offset: Option<&'h HeaderValue>,
}

impl<'h> Light<'h> {
    /// What the headers say. A wrong offset is refused together with what is wrong in the body.
    pub(crate) fn of(headers: &'h HeaderMap, user: Option<&str>) -> Result<Self, Refused> {
        let mut context = Context { user: user.map(str::to_owned), ..Context::default() };
        context.strict = match one(headers, STRICT)?.map(str::trim) {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => {
                let problem = Problem::new(Code::InvalidType, STRICT, "it is neither 1 nor 0");
                return Err(problem.with_value(other).accepts("1 or 0").into());
            }
        };
        let mut no_offset = None;
        if let Some(value) = single(headers, OFFSET)? {
            let offset = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            if offset.is_none() {
                no_offset = Some(value);
            }
            context.offset_minutes = offset.unwrap_or(NO_OFFSET);
        }
        Ok(Self { context, no_offset })
    }

    /// A refusal that echoes the header as it came.
    pub(crate) fn echoed(&self, refusal: Refusal) -> Refusal {
        let Some(value) = self.no_offset else { return refusal };
        let text = String::from_utf8_lossy(value.as_bytes());
        let problems = refusal.problems().iter().map(|problem| {
            if problem.code() == Code::InvalidOffset {
                problem.clone().with_value(&text)
            } else {
                problem.clone()
            }
        });
        Refusal::new(problems).unwrap_or(refusal)
    }
}

/// Refuses a read that wants more than there is: a generation that a scope has not reached, or one
/// of an earlier server whose writes are gone. 0 wants nothing.
pub(crate) fn has_reached(
    headers: &HeaderMap,
    generations: RangeInclusive<u64>,
) -> Result<(), Refused> {
    let Some(text) = one(headers, MIN_GENERATION)? else { return Ok(()) };
    match text.trim().parse::<u64>() {
        Ok(wanted) if wanted == 0 || generations.contains(&wanted) => Ok(()),
        Ok(_) => {
            let msg = "the scope has not come so far; it may have begun anew with the server";
            let problem = Problem::new(Code::UnknownGeneration, MIN_GENERATION, msg);
            let accepted = match generations.into_inner() {
                (0, last) => format!("at most {last}"),
                (first, last) => format!("{first} to {last}"),
            };
            Err(problem.with_value(text).accepts(accepted).into())
        }
        Err(_) => {
            let problem = Problem::new(Code::InvalidInteger, MIN_GENERATION, "it is no generation");
            Err(problem.with_value(text).accepts("what a write was answered").into())
        }
    }
}

/// The one value of a header, which may be there once.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h HeaderValue>, Refused> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        let msg = "the header is there more than once";
        return Err(Problem::new(Code::RepeatedHeader, name, msg).into());
    }
    Ok(value)
}

/// As [`single`], as a text.
pub(crate) fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refused> {
    let text = |value: &'h HeaderValue| {
        std::str::from_utf8(value.as_bytes()).map_err(|_| {
            let problem = Problem::new(Code::InvalidType, name, "the header is no UTF-8");
            problem.accepts("a text").into()
        })
    };
    single(headers, name)?.map(text).transpose()
}

/// A media type that a body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    /// A case, or what is to be deleted, a line.
    Lines,
}

impl Media {
    /// Refuses a body of another kind, or one that is packed.
    pub(crate) fn check(self, headers: &HeaderMap) -> Result<(), Refused> {
        let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
        let packed = encodings.find(|own| !own.as_bytes().eq_ignore_ascii_case(b"identity"));
        if let Some(encoding) = packed {
            let problem = Problem::new(Code::UnsupportedMediaType, "Content-Encoding", "packed");
            let problem = problem.with_value(&String::from_utf8_lossy(encoding.as_bytes()));
            return Err(problem.accepts("identity: a body as it is").into());
        }
        check_transfer(headers)?;
        let Some(value) = single(headers, "Content-Type")? else { return Ok(()) };
        let essence = value.to_str().unwrap_or("?").split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        let is_json = essence == "application/json"
            || essence.starts_with("application/") && essence.ends_with("+json");
        let is_lines = matches!(
            &*essence,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl"
        );
        if is_json || self == Self::Lines && is_lines {
            return Ok(());
        }
        let problem = Problem::new(Code::UnsupportedMediaType, "Content-Type", "another type");
        let accepted = match self {
            Self::Json => "application/json",
            Self::Lines => "application/x-ndjson",
        };
        Err(problem.with_value(&essence).accepts(accepted).into())
    }
}

/// Refuses a body that was packed on its way: only the chunks that it came in are undone, whatever
/// else `Transfer-Encoding` names before them.
fn check_transfer(headers: &HeaderMap) -> Result<(), Refused> {
    let values = headers.get_all(TRANSFER_ENCODING).iter();
    let names = values.into_iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let names: Vec<_> = names.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()).collect();
    match names[..] {
        [] => Ok(()),
        [only] if only.eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => {
            let problem = Problem::new(Code::UnsupportedMediaType, "Transfer-Encoding", "packed");
            let named = String::from_utf8_lossy(&names.join(&b", "[..])).into_owned();
            Err(problem.with_value(&named).accepts("chunked").into())
        }
    }
}

/// Refuses a body that says itself that it is too long, before any of it is read.
fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), Refused> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limit) { Err(too_large(limit)) } else { Ok(()) }
}

/// Reads a whole body, in time and within its length.
pub(crate) async fn body(
    headers: &HeaderMap,
    body: Body,
    (limit, time): (u64, Duration),
) -> Result<Bytes, Refused> {
    check_length(headers, limit)?;
    match timeout(time, within(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) => Err(unread(&*error, limit)),
        Err(_) => Err(too_late(time)),
    }
}

/// Reads a body in time and within its length, and gives each of its lines as soon as it is there.
/// No more of it is kept than a line.
pub(crate) async fn lines(
    headers: &HeaderMap,
    body: Body,
    (limit, time): (u64, Duration),
    mut take: impl FnMut(&[u8]),
) -> Result<(), Refused> {
    check_length(headers, limit)?;
    let mut body = within(body, limit);
    let mut begun = Vec::new();
    let reading = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| unread(&*error, limit))?;
            let mut parts = frame.data_ref().into_iter().flat_map(|data| data.split(is_end));
            begun.extend_from_slice(parts.next().unwrap_or_default());
            for part in parts {
                take(&begun);
                begun.clear();
                begun.extend_from_slice(part);
            }
        }
        take(&begun);
        Ok(())
    };
    timeout(time, reading).await.unwrap_or_else(|_| Err(too_late(time)))
}

fn is_end(byte: &u8) -> bool {
    *byte == b'\n'
}

fn within(body: Body, limit: u64) -> Limited<Body> {
    Limited::new(body, usize::try_from(limit).unwrap_or(usize::MAX))
}

fn unread(error: &(dyn std::error::Error + 'static), limit: u64) -> Refused {
    if error.is::<http_body_util::LengthLimitError>() { too_large(limit) } else { broken() }
}

fn too_large(limit: u64) -> Refused {
    let msg = format!("longer than {limit} bytes");
    let problem = Problem::new(Code::BodyTooLarge, "$", msg);
    problem.accepts(format!("at most {limit} bytes")).into()
}

fn too_late(time: Duration) -> Refused {
    let problem = Problem::new(Code::RequestTimeout, "$", "the body did not come in time");
    problem.accepts(format!("all of it within {} seconds", time.as_secs())).into()
}

/// The body ended before its end; whoever sent it has most likely gone.
fn broken() -> Refused {
    let problem = Problem::new(Code::InvalidJson, "$", "the body is broken off");
    problem.accepts("all of the body").into()
}
