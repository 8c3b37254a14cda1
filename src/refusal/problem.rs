//! One problem: what is wrong, where, and what would be accepted.

use std::borrow::Cow;
use std::fmt;

use super::code::Code;
use crate::value::json::{Json, JsonError, MAX_BYTES, MAX_DEPTH, Value};
use crate::value::shown::{SHOWN, cut, quoted};

/// How many characters of a refused value are echoed.
const ECHOED: usize = 128;

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

impl Accepted {
    /// As a JSON text: a string, or a list of them.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Phrase(phrase) => quoted(phrase),
            Self::OneOf(list) => {
                let list: Vec<_> = list.iter().map(|one| quoted(one)).collect();
                format!("[{}]", list.join(","))
            }
        }
    }

    fn bounded(self) -> Self {
        match self {
            Self::Phrase(phrase) => Self::Phrase(cut(phrase)),
            Self::OneOf(mut list) => {
                let mut left = SHOWN;
                let fits = |name: &&str| {
                    let length = name.chars().take(left + 1).count();
                    left = left.saturating_sub(length);
                    length > 0 && left > 0
                };
                list.truncate(list.iter().copied().take_while(fits).count());
                Self::OneOf(list)
            }
        }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phrase(phrase) => f.write_str(phrase),
            Self::OneOf(list) => f.write_str(&list.join(", ")),
        }
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
    /// A problem that a host has with a request, such as a header that is missing; `path` and `msg`
    /// are cut to 256 characters each.
    ///
    /// ```
    /// use getcases::{Code, Problem, Refusal};
    ///
    /// let refusal = Refusal::from(
    ///     Problem::new(Code::MissingHeader, "accountId", "the header is missing")
    ///         .accepts("the account's id"),
    /// );
    /// assert_eq!(refusal.http_status(), 400);
    /// assert!(refusal.to_json().starts_with(br#"{"errors":[{"code":"missing_header","msg":"th"#));
    /// ```
    #[must_use]
    pub fn new(code: Code, path: impl Into<String>, msg: impl Into<String>) -> Self {
        let (path, msg) = (cut(path.into()).into_owned(), cut(msg.into()).into_owned());
        Self { code, path, msg, value: None, accepted: None, offset: None }
    }

    /// Echoes a refused value: JSON as it is spelled, any other text as a string; of more than 128
    /// characters the first 128 as a string. Cost: the characters that are echoed.
    #[must_use]
    pub fn with_value(mut self, value: &str) -> Self {
        self.value = Some(match value.char_indices().nth(ECHOED) {
            Some((end, _)) => quoted(value.get(..end).unwrap_or_default()),
            None if Json::read(value.as_bytes()).is_ok() => value.to_owned(),
            None => quoted(value),
        });
        self
    }

    /// Says what would be accepted: a phrase is cut to 256 characters, a list to the names that
    /// have no more together.
    #[must_use]
    pub fn accepts(mut self, accepted: impl Into<Accepted>) -> Self {
        self.accepted = Some(accepted.into().bounded());
        self
    }

    /// Says where in the text it is, in bytes.
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.offset = Some(offset);
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
    pub(super) fn write(&self, json: &mut String) {
        json.push_str("{\"code\":");
        json.push_str(&quoted(self.code.as_str()));
        for (name, text) in [("msg", &self.msg), ("path", &self.path)] {
            json.push_str(&format!(",\"{name}\":{}", quoted(text)));
        }
        if let Some(value) = &self.value {
            json.push_str(&format!(",\"value\":{value}"));
        }
        if let Some(accepted) = &self.accepted {
            json.push_str(&format!(",\"accepted\":{}", accepted.to_json()));
        }
        json.push('}');
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.path, self.code, self.msg)?;
        if let Some(value) = &self.value {
            write!(f, "; found {value}")?;
        }
        match &self.accepted {
            Some(accepted) => write!(f, "; accepted: {accepted}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(value: &str) -> Problem {
        Problem::new(Code::InvalidInteger, "$.limit", "no").with_value(value).accepts("an integer")
    }

    #[test]
    fn what_a_host_says_is_cut() {
        let long = "\u{1F600}\u{1}".repeat(1000);
        let names: Vec<&'static str> = vec!["fifteen letters"; 1000];
        let problem = Problem::new(Code::MissingHeader, long.as_str(), long.as_str())
            .with_value(&long)
            .accepts(Accepted::OneOf(names));
        assert_eq!(problem.path().chars().count(), SHOWN);
        assert_eq!(problem.msg().chars().count(), SHOWN);
        let value: String = serde_json::from_str(problem.value().unwrap()).unwrap();
        assert_eq!(value.chars().count(), ECHOED);
        assert!(matches!(problem.accepted(), Some(Accepted::OneOf(list)) if list.len() == 17));
        let phrase = problem.accepts(long);
        let accepted = phrase.accepted().unwrap().to_string();
        assert_eq!(accepted.chars().count(), SHOWN);
    }

    #[test]
    fn people_are_told_what_was_found_and_what_is_accepted() {
        let told = problem("-1").to_string();
        assert_eq!(told, "$.limit: invalid_integer: no; found -1; accepted: an integer");
    }
}
