//! Values of a body, each judged by itself, wherever they stand.

use super::limits::{MAX_VALUES, too_many_values};
use super::request::RequestDate;
use crate::refusal::{Problem, Problems};
use crate::value::json::{Kind, Value};
use crate::value::time::Date;

/// A list of texts, or one text. What is none is left out, and among the problems.
pub(super) fn texts(
    value: Value<'_, '_>,
    path: impl Fn() -> String,
    problems: &mut Problems,
) -> Vec<String> {
    if let Some(text) = value.text() {
        return vec![text.into()];
    }
    if value.kind() != Kind::Array {
        problems.add(|| Problem::wrong_type(path(), value, "a list of texts, or one text"));
        return Vec::new();
    }
    if is_too_long(value.elements().count(), &path, problems) {
        return Vec::new();
    }
    let mut texts = Vec::new();
    for (index, element) in value.elements().enumerate() {
        match element.text() {
            Some(text) => texts.push(text.into()),
            None => problems
                .add(|| Problem::wrong_type(format!("{}[{index}]", path()), element, "a text")),
        }
    }
    texts
}

/// Reports a list that is too long; its elements are then not judged, so that a body of a million
/// wrong ones gets a short answer.
pub(super) fn is_too_long(
    count: usize,
    path: impl Fn() -> String,
    problems: &mut Problems,
) -> bool {
    if count > MAX_VALUES {
        problems.add(|| too_many_values(&path()));
    }
    count > MAX_VALUES
}

/// A date as a text or an integer.
pub(super) fn date(
    value: Value<'_, '_>,
    path: impl Fn() -> String,
    problems: &mut Problems,
) -> Option<RequestDate> {
    let date = match value.kind() {
        Kind::Text => Date::from_text(&value.text()?),
        Kind::Number => Date::from_number(value.raw()),
        _ => {
            problems.add(|| Problem::wrong_type(path(), value, "a date as a text or an integer"));
            return None;
        }
    };
    if date.is_none() {
        problems.add(|| Problem::invalid_date(path(), value));
    }
    date.map(RequestDate)
}
