//! What each route may answer: what is told on success, and the codes that it refuses with, each
//! under the status that the table of codes has for it.

use std::collections::BTreeMap;

use getcases::Code;
use utoipa::IntoResponses;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, Type};

/// Before a scope is looked at: the path, the token, and that the cases are there.
const ADMITTED: &[Code] = &[
    Code::Overloaded,
    Code::UnknownPath,
    Code::Unauthenticated,
    Code::MissingScope,
    Code::UnknownStream,
    Code::NotReady,
    Code::TooManyRequests,
    Code::InternalError,
];
/// The header of the documented path.
const ACCOUNT: &[Code] = &[Code::MissingHeader];
/// What a read may want of the state that it sees.
const STATE: &[Code] =
    &[Code::InvalidType, Code::InvalidInteger, Code::RepeatedHeader, Code::UnknownGeneration];
const BODY: &[Code] =
    &[Code::UnsupportedMediaType, Code::BodyTooLarge, Code::RequestTimeout, Code::InvalidJson];
const QUESTION: &[Code] = &[
    Code::NotAnObject,
    Code::DuplicateKey,
    Code::TooDeep,
    Code::ConflictingPaging,
    Code::InvalidDate,
    Code::InvalidOffset,
    Code::InvalidSort,
    Code::UnknownSortField,
    Code::TooManyValues,
    Code::TextTooLong,
    Code::MissingCurrentUser,
    Code::Unsupported,
    Code::UnknownField,
    Code::InvalidFilter,
    Code::UnknownOperator,
    Code::InvalidNumber,
    Code::TooDeepFilter,
    Code::InvalidCursor,
    Code::TooManyProblems,
    Code::TooSlow,
];
/// What a list of `_id`s is refused for.
const IDS: &[Code] = &[
    Code::NotAnObject,
    Code::DuplicateKey,
    Code::TooDeep,
    Code::UnknownField,
    Code::TooManyValues,
    Code::TooManyProblems,
];
/// What a batch is refused for as a whole.
const LINES_AT_ONCE: &[Code] = &[Code::TooManyValues, Code::TooManyProblems];
const DOCUMENT: &[Code] = &[
    Code::NotAnObject,
    Code::DuplicateKey,
    Code::TooDeep,
    Code::InvalidType,
    Code::InvalidDate,
    Code::InvalidId,
    Code::ForeignScope,
];
/// What a patch is refused for, and what would become of a case.
const PATCH: &[Code] = &[
    Code::UnknownCase,
    Code::NotAnObject,
    Code::DuplicateKey,
    Code::TooDeep,
    Code::InvalidDate,
    Code::InvalidId,
    Code::ForeignScope,
    Code::DocumentTooLarge,
];
/// What a write may expect to be there.
const EXPECTED: &[Code] = &[Code::InvalidType, Code::RepeatedHeader, Code::VersionConflict];
/// What changed since a generation.
const CHANGED: &[Code] = &[Code::InvalidInteger, Code::UnknownGeneration, Code::GenerationTooOld];
/// What may become of a write on its way to a disk.
const STORAGE: &[Code] = &[Code::StorageFull, Code::StorageFailed];
/// Where changes may find no room.
const ROOM: &[Code] = &[Code::ScopeFull, Code::MemoryLimit, Code::StorageFull, Code::StorageFailed];

/// Answers of routes, each a type that stands in a handler's annotation.
macro_rules! answers {
    ($($name:ident: $told:expr, $($codes:expr),*;)*) => {$(
        pub(in crate::routes) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                all($told, &[$($codes),*])
            }
        }
    )*};
}

answers! {
    StreamAsked: &[FOUND], ADMITTED, ACCOUNT, STATE, BODY, QUESTION;
    Asked: &[FOUND], ADMITTED, STATE, BODY, QUESTION;
    CaseRead: &[CASE], ADMITTED, STATE, &[Code::UnknownCase];
    CaseWritten: &[REPLACED, INSERTED], ADMITTED, BODY, EXPECTED, DOCUMENT, ROOM;
    CasePatched: &[PATCHED], ADMITTED, BODY, EXPECTED, PATCH, ROOM;
    CaseDeleted: &[DELETED], ADMITTED, EXPECTED, STORAGE, &[Code::UnknownCase];
    ChangesRead: &[CHANGES], ADMITTED, CHANGED;
    BatchWritten: &[LINES], ADMITTED, BODY, ROOM, LINES_AT_ONCE;
    CasesRead: &[CASES], ADMITTED, STATE, BODY, IDS;
    StatsRead: &[STATS], ADMITTED, STATE;
    Lives: &[ALIVE],;
    Ready: &[READY], &[Code::NotReady];
    Measured: &[MEASURED], &[Code::InternalError];
}

const JSON: &str = "application/json";

/// An answer of success.
struct Told {
    status: u16,
    what: &'static str,
    media: &'static str,
    /// The name of its schema; nothing where it is a text.
    schema: Option<&'static str>,
    headers: &'static [Header],
}

struct Header {
    name: &'static str,
    what: &'static str,
    kind: fn() -> Type,
}

const REQUEST_ID: Header = Header {
    name: "X-Request-Id",
    what: "The name of the request in the log: as it was given, or made.",
    kind: || Type::String,
};
const GENERATION: Header = Header {
    name: "X-GetCases-Generation",
    what: "The state of the stream that was read or written.",
    kind: || Type::Integer,
};
const IGNORED: Header = Header {
    name: "X-GetCases-Ignored",
    what: "What was asked and not honoured: unknown keys, columns that no case has, a lowered \
           limit.",
    kind: || Type::String,
};
const TAG: Header = Header {
    name: "ETag",
    what: "The version of the case, for `If-Match`.",
    kind: || Type::String,
};
const WWW_AUTHENTICATE: Header =
    Header { name: "WWW-Authenticate", what: "Bearer: a token is wanted.", kind: || Type::String };
const RETRY_AFTER: Header =
    Header { name: "Retry-After", what: "When to come again, in seconds.", kind: || Type::Integer };

const fn told(
    status: u16,
    what: &'static str,
    schema: &'static str,
    headers: &'static [Header],
) -> Told {
    Told { status, what, media: JSON, schema: Some(schema), headers }
}

const FOUND: Told = told(200, "A page of cases.", "Found", &[GENERATION, IGNORED]);
const CASE: Told = told(200, "The case.", "Case", &[GENERATION, TAG]);
const CASES: Told = told(200, "The cases.", "Cases", &[GENERATION]);
const REPLACED: Told =
    told(200, "The case was there, and is replaced.", "Written", &[GENERATION, TAG]);
const INSERTED: Told = told(201, "The case is new.", "Written", &[GENERATION, TAG]);
const PATCHED: Told = told(200, "The case is changed.", "Written", &[GENERATION, TAG]);
const CHANGES: Told = told(200, "What changed.", "Changes", &[GENERATION]);
const DELETED: Told = told(200, "The case is deleted.", "Written", &[GENERATION]);
const STATS: Told = told(200, "What the stream takes.", "Stats", &[GENERATION]);
const ALIVE: Told = told(200, "The server answers.", "Probe", &[]);
const READY: Told = told(200, "The cases are there.", "Probe", &[]);
const LINES: Told = Told {
    status: 200,
    what: "A line for each line that was not blank, in their order: a `ToldLine` each. What is \
           right is written, all at once, whatever is wrong on other lines.",
    media: "application/x-ndjson",
    schema: None,
    headers: &[GENERATION],
};
const MEASURED: Told = Told {
    status: 200,
    what: "Counters, gauges and histograms.",
    media: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    schema: None,
    headers: &[],
};

fn all(told: &[Told], groups: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in groups.concat() {
        let codes = by_status.entry(code.http_status()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let told = told.iter().map(|told| (told.status, success(told)));
    let refused = by_status.into_iter().map(|(status, codes)| (status, refusal(status, &codes)));
    let head = ResponseBuilder::new().description("The head is too long. There is no body.");
    let all = told.chain(refused).chain([(431, head.build())]);
    all.map(|(status, response)| (status.to_string(), response.into())).collect()
}

fn success(told: &Told) -> Response {
    let content = match told.schema {
        Some(name) => Content::new(Some(Ref::from_schema_name(name))),
        None => Content::new(Some(RefOr::T(ObjectBuilder::new().schema_type(Type::String).into()))),
    };
    let response = ResponseBuilder::new().description(told.what).content(told.media, content);
    with_headers(response, told.headers.iter().chain([&REQUEST_ID]))
}

fn refusal(status: u16, codes: &[Code]) -> Response {
    let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let response = ResponseBuilder::new()
        .description(format!("Refused: {listed}."))
        .content(JSON, Content::new(Some(Ref::from_schema_name("Refusal"))))
        .extensions(Some(ExtensionsBuilder::new().add("x-codes", names).build()));
    let own = match status {
        401 => Some(&WWW_AUTHENTICATE),
        429 => Some(&RETRY_AFTER),
        _ => None,
    };
    with_headers(response, own.into_iter().chain([&REQUEST_ID]))
}

fn with_headers<'h>(
    response: ResponseBuilder,
    headers: impl Iterator<Item = &'h Header>,
) -> Response {
    let add = |response: ResponseBuilder, header: &Header| {
        let kind = ObjectBuilder::new().schema_type((header.kind)());
        let own = HeaderBuilder::new().description(Some(header.what)).schema(Some(kind));
        response.header(header.name, own.build())
    };
    headers.fold(response, add).build()
}
