//! What is wrong, where, and what would be accepted: one form for requests and documents.
//!
//! Rules: docs/contract.md, *Errors*.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::value::json::{Json, JsonError, MAX_BYTES, MAX_DEPTH, Value};
use crate::value::shown::{cut, quoted};

/// How many characters of a refused value are echoed.
const ECHOED: usize = 128;
/// How many problems are listed; what comes after them is counted.
const LISTED: usize = 100;

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
    /// A list with too many elements, or a filter with too many nodes.
    TooManyValues = "too_many_values",
    /// A search text that is too long.
    TextTooLong = "text_too_long",
    /// `mycase` without a current user.
    MissingCurrentUser = "missing_current_user",
    /// A reserved name that is not built yet.
    Unsupported = "unsupported",
    /// A name that the contract does not know: in a filter, and in strict mode anywhere.
    UnknownField = "unknown_field",
    /// A part of a filter with nothing in it.
    InvalidFilter = "invalid_filter",
    /// An operator that a filter's field does not have.
    UnknownOperator = "unknown_operator",
    /// A number that no finite double holds.
    InvalidNumber = "invalid_number",
    /// A filter that is nested too deep.
    TooDeepFilter = "too_deep_filter",
    /// A document whose `_id` is missing, blank, no text or too long.
    InvalidId = "invalid_id",
    /// A document that is too long; comes alone.
    DocumentTooLarge = "document_too_large",
    /// A document that names another account or stream than the one it is stored in.
    ForeignScope = "foreign_scope",
    /// More problems than are listed; comes last, and says how many more.
    TooManyProblems = "too_many_problems",
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
    code: Code,
    path: String,
    msg: String,
    value: Option<String>,
    accepted: Option<Accepted>,
    offset: Option<usize>,
}

impl Problem {
    /// The kind of the problem.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Where it is: `$.status[2]`, `$["a b"]`, or a header's name; at most 256 characters.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it is, in words.
    #[must_use]
    pub fn msg(&self) -> &str {
        &self.msg
    }

    /// The refused value as JSON text, or the first 128 characters of that as a JSON string.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What would be accepted.
    #[must_use]
    pub fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    /// Where the refused value, key or character begins in the text that was read, in bytes, where
    /// that is known: always in a document, except of what it does not hold.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }
}

impl Problem {
    pub(crate) fn new(code: Code, path: impl Into<String>, msg: impl Into<String>) -> Self {
        let path = cut(path.into()).into_owned();
        Self { code, path, msg: msg.into(), value: None, accepted: None, offset: None }
    }

    /// Echoes a JSON text. Cost: the characters that are echoed.
    pub(crate) fn with_value(mut self, json: &str) -> Self {
        self.value = Some(match json.char_indices().nth(ECHOED) {
            Some((end, _)) => quoted(json.get(..end).unwrap_or_default()),
            None => json.to_owned(),
        });
        self
    }

    /// Says where in the text it is, in bytes.
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
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
            .with_value(value.raw())
            .at(value.range().start as usize)
            .accepts(wanted)
    }

    pub(crate) fn invalid_date(path: impl Into<String>, value: Value<'_, '_>) -> Self {
        Self::new(Code::InvalidDate, path, "no date")
            .with_value(value.raw())
            .at(value.range().start as usize)
            .accepts("YYYY-MM-DD, RFC 3339, or epoch milliseconds")
    }

    pub(crate) fn missing_current_user(path: impl Into<String>) -> Self {
        let msg = "who the current user is, is not known";
        Self::new(Code::MissingCurrentUser, path, msg).accepts("a request with a current user")
    }

    /// Why a text is no strict JSON; `too_long` is the code for what is too long.
    pub(crate) fn from_json(error: JsonError, too_long: Code) -> Self {
        match error {
            JsonError::TooLong => {
                Self::new(too_long, "$", format!("longer than {MAX_BYTES} bytes"))
                    .accepts(format!("at most {MAX_BYTES} bytes"))
            }
            JsonError::Syntax { line, column, at, what } => {
                let msg = format!("not strict JSON at line {line}, column {column}: {what}");
                Self::new(Code::InvalidJson, "$", msg)
                    .at(at)
                    .accepts("a JSON object in UTF-8, without BOM or lone surrogates")
            }
            JsonError::TooDeep { at } => {
                Self::new(Code::TooDeep, "$", format!("nested deeper than {MAX_DEPTH}"))
                    .at(at)
                    .accepts(format!("arrays and objects at most {MAX_DEPTH} deep"))
            }
            JsonError::DuplicateKey { in_object: false, .. } => Self::not_an_object(),
            JsonError::DuplicateKey { path, at, .. } => {
                Self::new(Code::DuplicateKey, path, "the key stands twice in one object")
                    .at(at)
                    .accepts("each key once")
            }
        }
    }

    pub(crate) fn not_an_object() -> Self {
        Self::new(Code::NotAnObject, "$", "the text is JSON, but no object")
            .accepts("a JSON object")
    }
}

impl Problem {
    /// Appends the problem as one JSON object, its value as it is spelled.
    fn write(&self, json: &mut String) {
        json.push_str("{\"code\":");
        json.push_str(&quoted(self.code.as_str()));
        for (name, text) in [("msg", &self.msg), ("path", &self.path)] {
            json.push_str(&format!(",\"{name}\":{}", quoted(text)));
        }
        if let Some(value) = &self.value {
            json.push_str(&format!(",\"value\":{value}"));
        }
        let accepted = match &self.accepted {
            None => None,
            Some(Accepted::Phrase(phrase)) => Some(quoted(phrase)),
            Some(Accepted::OneOf(list)) => {
                let list: Vec<_> = list.iter().map(|one| quoted(one)).collect();
                Some(format!("[{}]", list.join(",")))
            }
        };
        if let Some(accepted) = accepted {
            json.push_str(&format!(",\"accepted\":{accepted}"));
        }
        json.push('}');
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.path, self.code, self.msg)
    }
}

/// Each member in the contract's order; a text behind it is as [`Refusal::to_json`] writes it. A
/// tree such as `serde_json::Value` may have no number for the refused value (`1e999`, `-0`, thirty
/// digits): it then gets the value's JSON text as a string.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code.as_str())?;
        map.serialize_entry("msg", &self.msg)?;
        map.serialize_entry("path", &self.path)?;
        if let Some(value) = &self.value {
            // What writes text gives nothing back, and takes a value as it is spelled.
            let is_tree = size_of::<S::Ok>() > 0;
            match serde_json::from_str::<&RawValue>(value) {
                Ok(raw) if !is_tree || has_plain_numbers(value) => {
                    map.serialize_entry("value", raw)?;
                }
                _ => map.serialize_entry("value", value)?,
            }
        }
        match &self.accepted {
            Some(Accepted::Phrase(phrase)) => map.serialize_entry("accepted", phrase)?,
            Some(Accepted::OneOf(list)) => map.serialize_entry("accepted", list)?,
            None => {}
        }
        map.end()
    }
}

/// Whether a tree of serde_json spells each number of a JSON text as the text does.
fn has_plain_numbers(json: &str) -> bool {
    let is_plain = |text: &str| {
        serde_json::from_str::<Number>(text).is_ok_and(|number| number.to_string() == text)
    };
    Json::read(json.as_bytes()).is_ok_and(|json| json.numbers().all(is_plain))
}

/// Problems in the order they are found: the first ones are listed, the rest only counted.
///
/// Useful for judging what may hold a hundred thousand wrong things. Not for looking any of them up
/// again.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// Adds a problem, which is made only where it is listed.
    pub(crate) fn add(&mut self, problem: impl FnOnce() -> Problem) {
        if self.listed.len() < LISTED {
            self.listed.push(problem());
        } else {
            self.more += 1;
        }
    }

    /// Nothing where there are no problems.
    pub(crate) fn into_result(mut self) -> Result<(), Refusal> {
        let msg = match self.more {
            0 => None,
            1 => Some("1 more problem".to_owned()),
            more => Some(format!("{more} more problems")),
        };
        self.listed.extend(msg.map(|msg| Problem::new(Code::TooManyProblems, "$", msg)));
        if self.listed.is_empty() { Ok(()) } else { Err(Refusal { problems: self.listed }) }
    }
}

/// Why a request or a document is refused: every problem at once, each code and path once. Where
/// there are more than 100, the first 100 and one that says how many more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Refusal {
    problems: Vec<Problem>,
}

impl Refusal {
    /// The problems; at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The error body `{"errors":[…]}`: below 256 KiB, whatever was refused.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = String::from("{\"errors\":[");
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            problem.write(&mut json);
        }
        json.push_str("]}");
        json.into_bytes()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(value: &str) -> Problem {
        Problem::new(Code::InvalidInteger, "$.limit", "no").with_value(value).accepts("an integer")
    }

    #[test]
    fn a_body_echoes_what_came() {
        let values =
            ["1e999", "-1E400", "-0", "1.50", "123456789012345678901234567890", "[1, -0]", "\"é\""];
        for value in values {
            let body = String::from_utf8(Refusal::from(problem(value)).to_json()).unwrap();
            let expected = format!(
                "{{\"errors\":[{{\"code\":\"invalid_integer\",\"msg\":\"no\",\
                 \"path\":\"$.limit\",\"value\":{value},\"accepted\":\"an integer\"}}]}}"
            );
            assert_eq!(body, expected);
            assert!(Json::read(body.as_bytes()).is_ok());
            let written = serde_json::to_string(&problem(value)).unwrap();
            assert!(expected.contains(&written), "{written}");
        }
    }

    #[test]
    fn a_tree_gets_what_it_has_no_number_for_as_text() {
        for (value, in_tree) in [
            ("1e999", serde_json::json!("1e999")),
            ("-0", serde_json::json!("-0")),
            ("[-0]", serde_json::json!("[-0]")),
            ("1.5", serde_json::json!(1.5)),
            ("{\"b\": 1, \"a\": \"\\u0041\"}", serde_json::json!({"a": "A", "b": 1})),
        ] {
            assert_eq!(serde_json::to_value(problem(value)).unwrap()["value"], in_tree);
        }
    }

    #[test]
    fn a_value_that_is_no_json_is_text() {
        let broken = Problem { value: Some("1e".to_owned()), ..problem("0") };
        assert_eq!(serde_json::to_value(&broken).unwrap()["value"], "1e");
        assert!(serde_json::to_string(&broken).unwrap().contains("\"value\":\"1e\""));
    }

    #[test]
    fn what_is_listed_is_bounded() {
        let mut problems = Problems::default();
        for at in 0..100_000 {
            problems.add(|| {
                let path = format!("$[{}]", quoted(&"\u{1}".repeat(1000)));
                Problem::new(Code::UnknownField, path, at.to_string())
                    .with_value(&"\u{1}".repeat(1000))
            });
        }
        let refusal = problems.into_result().unwrap_err();
        assert_eq!(refusal.problems().len(), LISTED + 1);
        let last = refusal.problems().last().unwrap();
        assert_eq!((last.code, &*last.msg), (Code::TooManyProblems, "99900 more problems"));
        assert!(refusal.to_json().len() < 256 << 10);
        assert!(refusal.to_string().len() < 256 << 10);
    }
}
