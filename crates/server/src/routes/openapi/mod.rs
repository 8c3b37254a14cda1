//! The API described for machines: OpenAPI 3.1, made of the handlers' own annotations, of the codes
//! that they refuse with, and of the schemas here.

mod answers;
mod schemas;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi};

use crate::refused::{Refused, json};

pub(super) use answers::{
    Asked, BatchWritten, CaseDeleted, CasePatched, CaseRead, CaseWritten, CasesRead, ChangesRead,
    Lives, Measured, Ready, StatsRead, StreamAsked,
};

/// What is said of the API as a whole.
const ABOUT: &str = "\
Case search: exact totals, total orders, every page reachable. What a request means, field \
by field, is in docs/contract.md.\n\nA wrong request is answered every problem at once, \
each with its code, its path, what was found and what is accepted. A path that is not here \
is answered 404 `unknown_path`; a method that a path does not have, 405 \
`method_not_allowed`, with `Allow`. What is no HTTP is answered 400, and a path of more \
than 64 KiB 414, without a body.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Get Cases API", description = ABOUT),
    security(("auth" = []), ("bearer" = [])),
    tags(
        (name = "Ask", description = "Questions over the cases of an account's stream."),
        (name = "Cases", description = "Cases one by one and many at once."),
        (name = "Server", description = "What probes and monitors ask; without a token."),
    ),
    modifiers(&Tokens),
)]
struct Api;

/// How a token is sent.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut Document) {
        let auth = ApiKeyValue::with_description(
            "auth",
            "A JWT with the claims `appId`, `sub` and `exp`; `Bearer ` before it is tolerated.",
        );
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        let auth = SecurityScheme::ApiKey(ApiKey::Header(auth));
        components.add_security_scheme("auth", auth);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
}

/// What the paths are added to.
pub(super) fn document() -> Document {
    Api::openapi()
}

/// The document as a text that is served, and kept in docs/openapi.json.
pub(super) fn text(document: &Document) -> Result<Bytes, serde_json::Error> {
    let mut document = serde_json::to_value(document)?;
    if let Some(components) = document.get_mut("components") {
        components["schemas"] = schemas::all().into();
    }
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    Ok(text.into())
}

pub(super) fn answer(text: Option<Bytes>) -> Result<Response<Body>, Refused> {
    text.map(|text| json(StatusCode::OK, text)).ok_or_else(Refused::internal)
}

/// The scope of a path of our own.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)]
pub(super) struct ScopePath {
    /// The account.
    account: String,
    /// The stream.
    stream: String,
}

/// The scope and the case of a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)]
pub(super) struct CasePath {
    /// The account.
    account: String,
    /// The stream.
    stream: String,
    /// The case's `_id`.
    id: String,
}

/// The stream of the documented path; its account is a header.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)]
pub(super) struct StreamPath {
    /// The stream.
    #[param(rename = "streamId")]
    stream: String,
}

/// The account of the documented path.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub(super) struct AccountHeader {
    /// The account.
    #[param(rename = "accountId", min_length = 1)]
    account: String,
}

/// What a read may want of the state that it sees.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub(super) struct ReadHeaders {
    /// The generation that the read must see at least, as a write was answered it. Above what the
    /// stream has: 412.
    #[param(rename = "X-GetCases-Min-Generation", minimum = 0)]
    min_generation: Option<u64>,
}

/// What a write expects of the case that is there; else it is 412.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub(super) struct WriteHeaders {
    /// One of these versions, as `ETag` tells them, or `*` for any.
    #[param(
        rename = "If-Match",
        pattern = r#"^(\*|[\s,]*((W/)?"[!#-~\x80-\xff]*"(\s*,[\s,]*|$))+)$"#
    )]
    if_match: Option<String>,
    /// `*`: none.
    #[param(rename = "If-None-Match", pattern = r"^\*$")]
    if_none_match: Option<String>,
}

/// Since when changes are told.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(super) struct SinceQuery {
    /// A generation, as a read or a write was answered it.
    #[param(minimum = 0)]
    since: u64,
}

/// How a question is read.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub(super) struct AskHeaders {
    /// Minutes with utc = local + offset: -330 is UTC+05:30. Dates without a zone are local.
    #[param(rename = "X-Timezone-Offset", minimum = -840, maximum = 720)]
    offset: Option<i64>,
    /// 1: unknown keys are errors; 0: they are ignored and reported.
    #[param(rename = "X-GetCases-Strict", minimum = 0, maximum = 1)]
    strict: Option<u8>,
}
