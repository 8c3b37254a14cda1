//! What is wrong, where, and what would be accepted: one form for requests and documents.
//!
//! Rules: docs/contract.md, *Errors*.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::value::json::{JsonError, MAX_BYTES, MAX_DEPTH, Value};

/// How many characters of a refused value are echoed.
const ECHOED: usize = 128;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kinds of problems: one table for requests and documents.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it stands in an error body.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The text is no strict JSON; comes alone.
    InvalidJson = "invalid_json",
    /// The text is JSON but no object; comes alone.
    NotAnObject = "not_an_object",
    /// A key stands twice in one object; comes alone.
    DuplicateKey = "duplicate_key",
    /// Arrays and objects nest too deep; comes alone.
    TooDeep = "too_deep",
    /// The request body is too long; comes alone.
    BodyTooLarge = "body_too_large",
    /// A value of the wrong JSON type.
    InvalidType = "invalid_type",
    /// A number that is no integer in range.
    InvalidInteger = "invalid_integer",
    /// `page` and `skip` disagree.
    ConflictingPaging = "conflicting_paging",
    /// No date of an accepted form.
    InvalidDate = "invalid_date",
    /// A timezone offset out of range.
    InvalidOffset = "invalid_offset",
    /// A part of `sortBy` that is not of an accepted form.
    InvalidSort = "invalid_sort",
    /// A name that nothing sorts by.
    UnknownSortField = "unknown_sort_field",
    /// A list with too many elements.
    TooManyValues = "too_many_values",
    /// A search text that is too long.
    TextTooLong = "text_too_long",
    /// `mycase` without a current user.
    MissingCurrentUser = "missing_current_user",
    /// A reserved name that is not built yet.
    Unsupported = "unsupported",
    /// A name that the contract does not know, in strict mode.
    UnknownField = "unknown_field",
    /// A document whose `_id` is missing, blank, no text or too long.
    InvalidId = "invalid_id",
    /// A document that is too long; comes alone.
    DocumentTooLarge = "document_too_large",
    /// A document that names another account or stream than the one it is stored in.
    ForeignScope = "foreign_scope",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What would be accepted in place of a refused value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// In words.
    Phrase(Cow<'static, str>),
    /// One of these.
    OneOf(Vec<&'static str>),
}

impl From<&'static str> for Accepted {
    fn from(phrase: &'static str) -> Self {
        Self::Phrase(Cow::Borrowed(phrase))
    }
}

impl From<String> for Accepted {
    fn from(phrase: String) -> Self {
        Self::Phrase(Cow::Owned(phrase))
    }
}

/// One thing that is wrong with a request or a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of the problem.
    pub code: Code,
    /// Where it is: `$.status[2]`, `$["a b"]`, or a header's name.
    pub path: String,
    /// What it is, in words.
    pub msg: String,
    /// The refused value as JSON text, or the first 128 characters of that as a JSON string.
    pub value: Option<String>,
    /// What would be accepted.
    pub accepted: Option<Accepted>,
}

impl Problem {
    pub(crate) fn new(code: Code, path: impl Into<String>, msg: impl Into<String>) -> Self {
        Self { code, path: path.into(), msg: msg.into(), value: None, accepted: None }
    }

    /// Echoes a JSON text.
    pub(crate) fn value(mut self, json: &str) -> Self {
        self.value = Some(match json.char_indices().nth(ECHOED) {
            Some((end, _)) => serde_json::Value::from(&json[..end]).to_string(),
            None => json.to_owned(),
        });
        self
    }

    pub(crate) fn accepts(mut self, accepted: impl Into<Accepted>) -> Self {
        self.accepted = Some(accepted.into());
        self
    }

    /// A value of another JSON type than the one wanted.
    pub(crate) fn wrong_type(
        path: impl Into<String>,
        value: Value<'_, '_>,
        wanted: &'static str,
    ) -> Self {
        Self::new(Code::InvalidType, path, format!("expected {wanted}"))
            .value(value.raw())
            .accepts(wanted)
    }

    /// Why a text is no strict JSON; `too_long` is the code for what is too long.
    pub(crate) fn from_json(error: JsonError, too_long: Code) -> Self {
        match error {
            JsonError::TooLong => {
                Self::new(too_long, "$", format!("longer than {MAX_BYTES} bytes"))
                    .accepts(format!("at most {MAX_BYTES} bytes"))
            }
            JsonError::Syntax { line, column, what } => {
                let msg = format!("not strict JSON at line {line}, column {column}: {what}");
                Self::new(Code::InvalidJson, "$", msg)
                    .accepts("a JSON object in UTF-8, without BOM or lone surrogates")
            }
            JsonError::TooDeep => {
                Self::new(Code::TooDeep, "$", format!("nested deeper than {MAX_DEPTH}"))
                    .accepts(format!("arrays and objects at most {MAX_DEPTH} deep"))
            }
            JsonError::DuplicateKey { in_object: false, .. } => Self::not_an_object(),
            JsonError::DuplicateKey { path, .. } => {
                Self::new(Code::DuplicateKey, path, "the key stands twice in one object")
                    .accepts("each key once")
            }
        }
    }

    pub(crate) fn not_an_object() -> Self {
        Self::new(Code::NotAnObject, "$", "the text is JSON, but no object")
            .accepts("a JSON object")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.path, self.code, self.msg)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code.as_str())?;
        map.serialize_entry("msg", &self.msg)?;
        map.serialize_entry("path", &self.path)?;
        if let Some(value) = &self.value {
            let raw = RawValue::from_string(value.clone()).map_err(serde::ser::Error::custom)?;
            map.serialize_entry("value", &raw)?;
        }
        match &self.accepted {
            Some(Accepted::Phrase(phrase)) => map.serialize_entry("accepted", phrase)?,
            Some(Accepted::OneOf(list)) => map.serialize_entry("accepted", list)?,
            None => {}
        }
        map.end()
    }
}

/// Why a request or a document is refused: every problem at once, each code and path once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Refusal {
    problems: Vec<Problem>,
}

impl Refusal {
    /// Nothing where there are no problems.
    pub(crate) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// The problems; at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The error body `{"errors":[…]}`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let body = serde_json::json!({"errors": &self.problems});
        body.to_string().into_bytes()
    }

    fn summary(&self) -> String {
        let problems: Vec<_> = self.problems.iter().map(Problem::to_string).collect();
        problems.join("; ")
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}
