//! What a filter is refused for, however it comes.

use super::operator::Operator;
use super::path::Path;
use super::{MAX_DEPTH, MAX_NODES};
use crate::contract::field::FilterField;
use crate::contract::limits::{is_too_long, text_too_long};
use crate::refusal::{Accepted, Code, Problem};

/// What `and` and `or` take.
pub(super) const NODES: &str = "a list of at least one object";

/// The operators of a field.
pub(super) fn operators(field: FilterField) -> Accepted {
    Accepted::OneOf(Operator::all(field).map(|(name, _)| name).collect())
}

/// What a field takes that is asked by operators alone.
pub(super) fn an_operator(field: FilterField) -> &'static str {
    let first = Operator::all(field).map(|(name, _)| name).next();
    match first {
        _ if field.date().is_some() => r#"an object of operators, such as {"on":"2025-05-29"}"#,
        Some("in") => r#"an object of operators, such as {"in":["a","b"]}"#,
        Some("contains") => r#"an object of operators, such as {"contains":"a"}"#,
        Some("startsWith") => r#"an object of operators, such as {"startsWith":"a"}"#,
        _ => r#"an object of operators, such as {"gte":1}"#,
    }
}

/// The keys of a node.
pub(super) fn keys() -> Accepted {
    Accepted::OneOf(["and", "or", "not"].into_iter().chain(FilterField::names()).collect())
}

pub(super) fn nothing(path: &Path<'_>, value: &str, accepted: impl Into<Accepted>) -> Problem {
    Problem::new(Code::InvalidFilter, path.written(), "nothing is asked here")
        .with_value(value)
        .accepts(accepted)
}

pub(super) fn too_deep(path: &Path<'_>) -> Problem {
    let msg = format!("nested deeper than {MAX_DEPTH}");
    Problem::new(Code::TooDeepFilter, path.written(), msg)
        .accepts(format!("objects at most {MAX_DEPTH} deep, the filter itself being the first"))
}

pub(super) fn too_many_nodes() -> Problem {
    Problem::new(Code::TooManyValues, Path::ROOT.written(), "too many nodes")
        .accepts(format!("at most {MAX_NODES} nodes: operators, and, or, not"))
}

pub(super) fn unknown_field(path: &Path<'_>, value: &str) -> Problem {
    Problem::new(Code::UnknownField, path.written(), "a filter has no such field")
        .with_value(value)
        .accepts(keys())
}

pub(super) fn unknown_operator(path: &Path<'_>, value: &str, field: FilterField) -> Problem {
    Problem::new(Code::UnknownOperator, path.written(), "the field has no such operator")
        .with_value(value)
        .accepts(operators(field))
}

pub(super) fn invalid_number(path: &Path<'_>, value: &str) -> Problem {
    Problem::new(Code::InvalidNumber, path.written(), "no number that a double holds")
        .with_value(value)
        .accepts("a finite double")
}

/// Why nothing can be searched for by a text, less what is trimmed of it; `value` gives all of it
/// as JSON.
pub(super) fn wrong_text(
    text: &str,
    path: &Path<'_>,
    value: impl FnOnce() -> String,
) -> Option<Problem> {
    if text.is_empty() {
        Some(nothing(path, &value(), "a text, which for contains is not blank"))
    } else {
        is_too_long(text).then(|| text_too_long(path.written(), &value()))
    }
}
