//! What is wrong with words, and where they stand.

use getcases::{Accepted, Problem};
use getcases_load::{plain, told};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// How many characters of a word, and of a name in a message, are shown.
const ECHOED: usize = 128;
const SHOWN: usize = 40;

/// One thing that is wrong. It is told as the contract tells of a request's problems, with the
/// column of the word for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    code: &'static str,
    msg: String,
    column: usize,
    /// The refused value, as JSON.
    value: Option<String>,
    accepted: Option<Accepted>,
}

impl Wrong {
    pub(crate) fn new(code: &'static str, column: usize, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into(), column, value: None, accepted: None }
    }

    /// Words that are not written as words are.
    pub(super) fn words(column: usize, msg: impl Into<String>) -> Self {
        Self::new("invalid_words", column, msg)
    }

    /// A problem of the body that words became, with the column of the word that it comes from.
    pub(super) fn of_body(problem: &Problem, column: usize) -> Self {
        let (code, msg) = (problem.code().as_str(), problem.msg().to_owned());
        let (value, accepted) = (problem.value().map(str::to_owned), problem.accepted().cloned());
        Self { code, msg, column, value, accepted }
    }

    /// Echoes a word, or a part of it.
    pub(crate) fn found(mut self, text: &str) -> Self {
        let echoed: String = text.chars().take(ECHOED).collect();
        self.value = serde_json::to_string(&echoed).ok();
        self
    }

    pub(crate) fn accepts(mut self, phrase: impl Into<String>) -> Self {
        self.accepted = Some(Accepted::from(phrase.into()));
        self
    }

    pub(crate) fn accepts_one_of(mut self, names: &[&'static str]) -> Self {
        self.accepted = Some(Accepted::OneOf(names.to_vec()));
        self
    }

    /// Says which name may have been meant.
    pub(crate) fn meant(mut self, near: Option<&str>) -> Self {
        if let Some(near) = near {
            self.msg += &format!("; did you mean {near:?}?");
        }
        self
    }

    /// The column of the word, from 1; 0 where it is none of a word.
    #[cfg(test)]
    pub(super) fn column(&self) -> usize {
        self.column
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> &str {
        self.code
    }

    fn path(&self) -> String {
        if self.column == 0 { "words".to_owned() } else { format!("words:{}", self.column) }
    }

    /// One line, for people.
    pub(crate) fn line(&self) -> String {
        let Self { code, msg, value, accepted, .. } = self;
        plain(&told(&self.path(), code, msg, value.as_deref(), accepted.as_ref()))
    }
}

/// In the members and the order of the contract's errors.
impl Serialize for Wrong {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code)?;
        map.serialize_entry("msg", &self.msg)?;
        map.serialize_entry("path", &self.path())?;
        // What is echoed is JSON, or was made so.
        let (value, accepted) = (self.value.clone(), self.accepted.as_ref().map(Accepted::to_json));
        for (name, json) in [("value", value), ("accepted", accepted)] {
            if let Some(json) = json.and_then(|json| RawValue::from_string(json).ok()) {
                map.serialize_entry(name, &json)?;
            }
        }
        map.end()
    }
}

/// The error body `{"errors":[…]}`.
pub(crate) fn to_json(wrongs: &[Wrong]) -> String {
    // Writing texts into memory never fails.
    let errors = serde_json::to_string(wrongs).unwrap_or_default();
    format!("{{\"errors\":{errors}}}")
}

/// A text as a message shows it.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
