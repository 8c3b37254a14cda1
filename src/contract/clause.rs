//! What a case must be to be found: a tree of clauses, all values folded, all dates instants.

use std::hash::{Hash, Hasher};

use super::field::{DateField, FilterField, TextField};
use super::request::{Request, RequestDate};
use crate::value::fold::{fold, key, status_key};
use crate::value::time::Millis;

/// A tree of clauses.
///
/// Useful for what a filter holds for; `Not` is the plain complement within the scope. Its depth is
/// bounded by that of a filter, so that walks over it may recur.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    /// Each of these; never empty.
    And(Vec<Condition>),
    /// At least one of these; never empty.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Clause(Clause),
}

impl Condition {
    /// Holds where each of these does.
    pub(super) fn all(conditions: Vec<Self>) -> Self {
        Self::joined(conditions, Self::And)
    }

    /// Holds where one of these does.
    pub(super) fn any(conditions: Vec<Self>) -> Self {
        Self::joined(conditions, Self::Or)
    }

    fn joined(mut conditions: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match conditions.pop() {
            Some(only) if conditions.is_empty() => only,
            last => {
                conditions.extend(last);
                join(conditions)
            }
        }
    }

    /// A clause, or its complement.
    pub(super) fn is(clause: Clause, wanted: bool) -> Self {
        let clause = Self::Clause(clause);
        if wanted { clause } else { Self::Not(Box::new(clause)) }
    }
}

/// One test of a case. A case without a value meets none that asks for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Clause {
    /// The folded name or title contains this folded needle.
    Text(String),
    Unresolved,
    Unassigned,
    /// One of the assignee's ids is exactly this.
    Mine(String),
    Status(AnyOf),
    StatusCategory(AnyOf),
    Priority(AnyOf),
    Channel(AnyOf),
    Queues(AnyOf),
    Agents(AnyOf),
    /// The key of the `refId`: folded and trimmed.
    RefId(AnyOf),
    /// The `_id`, exactly.
    Id(AnyOf),
    /// The field's date lies within.
    Date(DateField, Span<Millis>),
    /// The score of the priority lies within.
    Score(Span<f64>),
    /// The field begins with this: of `_id` exactly, else folded and untrimmed. Never empty.
    StartsWith(TextField, String),
    /// The case has a value of the field; of `_id` and of what is true or false it always has.
    Exists(FilterField),
}

/// A range with both ends included; empty where the first is greater than the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span<T> {
    pub(crate) first: T,
    pub(crate) last: T,
}

impl Span<Millis> {
    /// Every instant. The least number stands for no date.
    pub(crate) const ALWAYS: Self = Self { first: Millis::MIN + 1, last: Millis::MAX };
}

impl Span<f64> {
    /// Every finite number.
    pub(crate) const FINITE: Self = Self { first: f64::MIN, last: f64::MAX };
}

/// The ends of scores are finite.
impl<T: PartialEq> Eq for Span<T> {}

impl Hash for Span<Millis> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        [self.first, self.last].hash(state);
    }
}

impl Hash for Span<f64> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Adding zero makes -0 a plain 0, which it equals.
        [self.first, self.last].map(|end| (end + 0.0).to_bits()).hash(state);
    }
}

impl<T: PartialOrd> Span<T> {
    /// What is in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            first: if other.first > self.first { other.first } else { self.first },
            last: if other.last < self.last { other.last } else { self.last },
        }
    }
}

/// A clause that one of a request's parameters asks, and where that stands in a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Parameter {
    pub(crate) path: &'static str,
    pub(crate) clause: Clause,
}

/// What a request's parameters ask, in a fixed order; `user` is whom `mycase` asks for.
pub(super) fn parameters(request: &Request, user: Option<&str>, offset: i32) -> Vec<Parameter> {
    let list =
        |values: &[String], set: fn(&[String]) -> AnyOf| (!values.is_empty()).then(|| set(values));
    let span = |date: Option<RequestDate>| date.map(|date| date.span(offset));
    let from = |first| Clause::Date(DateField::Created, Span { first, ..Span::ALWAYS });
    let to = |last| Clause::Date(DateField::Created, Span { last, ..Span::ALWAYS });
    let needle = request.search_text.trim();
    let asked = [
        ("$.searchText", (!needle.is_empty()).then(|| Clause::Text(fold(needle)))),
        ("$.unresolved", request.unresolved.then_some(Clause::Unresolved)),
        ("$.unassigned", request.unassigned.then_some(Clause::Unassigned)),
        ("$.mycase", user.map(|user| Clause::Mine(user.to_owned()))),
        ("$.priority", list(&request.priority, AnyOf::keys).map(Clause::Priority)),
        ("$.status", list(&request.status, AnyOf::status_keys).map(Clause::Status)),
        ("$.channel", list(&request.channel, AnyOf::keys).map(Clause::Channel)),
        ("$.queues", list(&request.queues, AnyOf::keys).map(Clause::Queues)),
        ("$.agents", list(&request.agents, AnyOf::keys).map(Clause::Agents)),
        ("$.startDate", span(request.start_date).map(|span| from(span.first))),
        ("$.endDate", span(request.end_date).map(|span| to(span.last))),
        ("$.dueDate", span(request.due_date).map(|span| Clause::Date(DateField::Due, span))),
    ];
    let asked = asked.into_iter();
    asked.filter_map(|(path, clause)| Some(Parameter { path, clause: clause? })).collect()
}

/// A set of keys, of which a case must have one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AnyOf {
    /// Sorted, distinct, none empty: a blank element matches nothing.
    keys: Vec<String>,
}

impl AnyOf {
    pub(super) fn keys(values: &[String]) -> Self {
        Self::of(values.iter().map(|value| key(value)))
    }

    pub(super) fn status_keys(values: &[String]) -> Self {
        Self::of(values.iter().map(|value| status_key(value)))
    }

    /// Texts that are compared as they are.
    pub(super) fn exact(values: &[String]) -> Self {
        Self::of(values.iter().cloned())
    }

    fn of(keys: impl Iterator<Item = String>) -> Self {
        let mut keys: Vec<_> = keys.filter(|key| !key.is_empty()).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { keys }
    }

    /// The keys, sorted and distinct; as the next.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.keys.iter().map(String::as_str)
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_meet_in_what_both_have() {
        let span = |first, last| Span { first, last };
        assert_eq!(span(1, 5).and(span(3, 9)), span(3, 5));
        assert_eq!(Span::ALWAYS.and(span(3, 9)), span(3, 9));
        let empty = span(1, 2).and(span(4, 5));
        assert!(empty.first > empty.last);
        assert_eq!(Span::FINITE.and(Span { first: 0.5, last: f64::INFINITY }).last, f64::MAX);
    }
}
