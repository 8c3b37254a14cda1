//! Filters: trees of conditions beside a request's parameters.
//!
//! Rules: docs/contract.md, *Filter*. A filter is made by a program (here) or read from a body
//! (`read`), judged (`check`), and bound to a user and an offset (`bind`).

mod bind;
mod check;
mod operator;
mod path;
mod read;
mod to_json;
mod wrong;

use std::ops::{BitAnd, BitOr, Not};

use super::field::{DateField, FilterField, Flag, ListField, TextField};
use super::request::RequestDate;

/// How deep the nodes of a filter may nest; the outermost is 1.
const MAX_DEPTH: usize = 16;
/// How many nodes a filter may have.
const MAX_NODES: usize = 1000;

/// A tree of conditions that a case must meet, beside the request's other filters.
///
/// Useful for what needs `or`, `not` or nesting, and for fields that no parameter asks for. Not for
/// what a parameter asks: that is shorter. It is plain data; [`Query::new`](crate::Query::new)
/// refuses what a body's `filter` is refused for: more than 16 levels or 1,000 nodes, long lists
/// and texts, nothing where something is needed.
///
/// Conditions are joined by `&`, `|` and `!`, or by lists of them:
///
/// ```
/// use getcases::{Comparison::{Gte, Lt}, Context, Filter, FilterField, Query, Request};
///
/// let january = Filter::created([Gte("2025-01-01".parse()?), Lt("2025-02-01".parse()?)]);
/// let urgent = Filter::priority_score([Gte(8.0)]) | Filter::priority(["critical"]);
/// let filter = january & urgent & !Filter::queue(["spam"]) & Filter::missing(FilterField::Due);
/// let request = Request { filter: Some(filter), ..Request::default() };
/// let query = Query::new(&request, &Context::default())?;
///
/// let body = br#"{"filter": {
///     "created": {"gte": "2025-01-01", "lt": "2025-02-01"},
///     "or": [{"priorityScore": {"gte": 8}}, {"priority": {"in": ["critical"]}}],
///     "not": {"queue": {"in": ["spam"]}},
///     "due": {"exists": false}
/// }}"#;
/// assert_eq!(Query::from_json(body, &Context::default())?, query);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// All of them must hold.
    members: Vec<Member>,
    /// How many levels it has; at most one more than it may have.
    depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Member {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Leaf(Leaf),
}

/// What one field is asked for.
#[derive(Clone, Debug, PartialEq)]
enum Leaf {
    Flag(Flag, bool),
    Exists(FilterField, bool),
    In(ListField, Vec<String>),
    Contains(String),
    StartsWith(TextField, String),
    /// All of these.
    Dates(DateField, Vec<Comparison<RequestDate>>),
    /// All of these.
    Scores(Vec<Comparison<f64>>),
}

/// How a date or a number must compare. Of a bare date, `Gte` is from its first instant, `Gt` after
/// its last, `Lte` up to its last, `Lt` before its first, and `On` that local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison<T> {
    /// At or after; at least.
    Gte(T),
    /// After; more than.
    Gt(T),
    /// At or before; at most.
    Lte(T),
    /// Before; less than.
    Lt(T),
    /// At, or on that day; equal to.
    On(T),
}

impl Filter {
    /// Cases that meet each of these, at least one of which is needed.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::around(filters.into_iter().collect(), Member::And)
    }

    /// Cases that meet one of these, at least one of which is needed.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::around(filters.into_iter().collect(), Member::Or)
    }

    /// Cases of one of these statuses, each a name, lname or `_id`.
    pub fn status<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::Status, any)
    }

    /// Cases whose status has one of these categories.
    pub fn status_category<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::StatusCategory, any)
    }

    /// Cases of one of these priorities, each a name, lname or `_id`.
    pub fn priority<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::Priority, any)
    }

    /// Cases of one of these channels.
    pub fn channel<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::Channel, any)
    }

    /// Cases in one of these queues, each a name, lname or `_id`.
    pub fn queue<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::Queue, any)
    }

    /// Cases that one of these has, each an id or a name.
    pub fn assignee<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::Assignee, any)
    }

    /// Cases with one of these `refId`s, in any letter case.
    pub fn ref_id<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::RefId, any)
    }

    /// Cases with one of these `_id`s, exactly.
    pub fn id<T: Into<String>>(any: impl IntoIterator<Item = T>) -> Self {
        Self::is_in(ListField::Id, any)
    }

    /// Cases that are neither resolved nor closed, or those that are.
    #[must_use]
    pub fn unresolved(wanted: bool) -> Self {
        Self::leaf(Leaf::Flag(Flag::Unresolved, wanted))
    }

    /// Cases that nobody has, or those that somebody has.
    #[must_use]
    pub fn unassigned(wanted: bool) -> Self {
        Self::leaf(Leaf::Flag(Flag::Unassigned, wanted))
    }

    /// Cases that the current user has, or those that the user has not.
    #[must_use]
    pub fn mycase(wanted: bool) -> Self {
        Self::leaf(Leaf::Flag(Flag::Mycase, wanted))
    }

    /// Cases whose name or title contains this, in any letter case.
    pub fn text_contains(needle: impl Into<String>) -> Self {
        Self::leaf(Leaf::Contains(needle.into()))
    }

    /// Cases whose name begins with this, in any letter case.
    pub fn name_starts_with(prefix: impl Into<String>) -> Self {
        Self::leaf(Leaf::StartsWith(TextField::Name, prefix.into()))
    }

    /// Cases whose `refId` begins with this, in any letter case.
    pub fn ref_id_starts_with(prefix: impl Into<String>) -> Self {
        Self::leaf(Leaf::StartsWith(TextField::RefId, prefix.into()))
    }

    /// Cases whose `_id` begins with this, exactly.
    pub fn id_starts_with(prefix: impl Into<String>) -> Self {
        Self::leaf(Leaf::StartsWith(TextField::Id, prefix.into()))
    }

    /// Cases created then; each of these must hold, and at least one is needed.
    pub fn created(all: impl IntoIterator<Item = Comparison<RequestDate>>) -> Self {
        Self::leaf(Leaf::Dates(DateField::Created, all.into_iter().collect()))
    }

    /// Cases last updated then; each of these must hold, and at least one is needed.
    pub fn updated(all: impl IntoIterator<Item = Comparison<RequestDate>>) -> Self {
        Self::leaf(Leaf::Dates(DateField::Updated, all.into_iter().collect()))
    }

    /// Cases due then; each of these must hold, and at least one is needed.
    pub fn due(all: impl IntoIterator<Item = Comparison<RequestDate>>) -> Self {
        Self::leaf(Leaf::Dates(DateField::Due, all.into_iter().collect()))
    }

    /// Cases whose priority has such a score; each of these must hold, and at least one is needed.
    pub fn priority_score(all: impl IntoIterator<Item = Comparison<f64>>) -> Self {
        Self::leaf(Leaf::Scores(all.into_iter().collect()))
    }

    /// Cases that have a value of the field; of `_id` and what is true or false, all.
    #[must_use]
    pub fn exists(field: FilterField) -> Self {
        Self::leaf(Leaf::Exists(field, true))
    }

    /// Cases that have no value of the field; of `_id` and what is true or false, none.
    #[must_use]
    pub fn missing(field: FilterField) -> Self {
        Self::leaf(Leaf::Exists(field, false))
    }

    fn is_in<T: Into<String>>(field: ListField, any: impl IntoIterator<Item = T>) -> Self {
        Self::leaf(Leaf::In(field, any.into_iter().map(Into::into).collect()))
    }

    fn leaf(leaf: Leaf) -> Self {
        Self::of(vec![Member::Leaf(leaf)])
    }

    fn of(members: Vec<Member>) -> Self {
        let below = members.iter().map(|member| match member {
            Member::And(list) | Member::Or(list) => {
                list.iter().map(|own| own.depth).max().unwrap_or(0)
            }
            Member::Not(own) => own.depth,
            Member::Leaf(_) => 0,
        });
        Self { depth: 1 + below.max().unwrap_or(0), members }
    }

    /// One that is too deep stays as it is: it is refused whatever is put around it, and no tree
    /// gets so deep that a walk over it runs out of stack.
    fn around(mut filters: Vec<Self>, member: fn(Vec<Self>) -> Member) -> Self {
        match filters.iter().position(|own| own.depth > MAX_DEPTH) {
            Some(deep) => filters.swap_remove(deep),
            None => Self::of(vec![member(filters)]),
        }
    }
}

/// Cases that meet both; as deep as the deeper of them.
impl BitAnd for Filter {
    type Output = Self;

    fn bitand(mut self, other: Self) -> Self {
        self.depth = self.depth.max(other.depth);
        self.members.extend(other.members);
        self
    }
}

/// Cases that meet one of both; a chain of these is one list.
impl BitOr for Filter {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        match self.members.as_mut_slice() {
            [Member::Or(list)] if other.depth < MAX_DEPTH => {
                self.depth = self.depth.max(1 + other.depth);
                list.push(other);
                self
            }
            _ => Self::any([self, other]),
        }
    }
}

/// Cases that do not meet it, those without a value too.
impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        if self.depth > MAX_DEPTH { self } else { Self::of(vec![Member::Not(Box::new(self))]) }
    }
}

impl Leaf {
    fn field(&self) -> FilterField {
        match self {
            Self::Flag(flag, _) => (*flag).into(),
            Self::Exists(field, _) => *field,
            Self::In(field, _) => (*field).into(),
            Self::Contains(_) => FilterField::Text,
            Self::StartsWith(field, _) => (*field).into(),
            Self::Dates(field, _) => (*field).into(),
            Self::Scores(_) => FilterField::PriorityScore,
        }
    }
}

impl<T> Comparison<T> {
    /// The operator's name in a body.
    fn name(&self) -> &'static str {
        match self {
            Self::Gte(_) => "gte",
            Self::Gt(_) => "gt",
            Self::Lte(_) => "lte",
            Self::Lt(_) => "lt",
            Self::On(_) => "on",
        }
    }

    fn value(&self) -> &T {
        match self {
            Self::Gte(own) | Self::Gt(own) | Self::Lte(own) | Self::Lt(own) | Self::On(own) => own,
        }
    }

    /// The same comparison with what this makes of its value.
    fn map<U>(self, make: impl FnOnce(T) -> U) -> Comparison<U> {
        match self {
            Self::Gte(own) => Comparison::Gte(make(own)),
            Self::Gt(own) => Comparison::Gt(make(own)),
            Self::Lte(own) => Comparison::Lte(make(own)),
            Self::Lt(own) => Comparison::Lt(make(own)),
            Self::On(own) => Comparison::On(make(own)),
        }
    }
}

impl Comparison<()> {
    const ALL: [Self; 5] = [Self::Gte(()), Self::Gt(()), Self::Lte(()), Self::Lt(()), Self::On(())];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::clause::{Clause, Condition, Span};
    use crate::contract::{Context, Query, Request};
    use crate::refusal::Code;

    fn bound(filter: Filter) -> Condition {
        let request = Request { filter: Some(filter), ..Request::default() };
        let context =
            Context { user: Some("u".into()), offset_minutes: -330, ..Context::default() };
        Query::new(&request, &context).unwrap().filter().unwrap().clone()
    }

    fn problems(filter: Filter) -> Vec<(Code, String)> {
        let request = Request { filter: Some(filter), ..Request::default() };
        let refusal = Query::new(&request, &Context::default()).unwrap_err();
        refusal.problems().iter().map(|own| (own.code(), own.path().to_owned())).collect()
    }

    fn clause(filter: Filter) -> Clause {
        match bound(filter) {
            Condition::Clause(clause) => clause,
            other => panic!("{other:?} is no clause"),
        }
    }

    fn some() -> Filter {
        Filter::unresolved(true)
    }

    #[test]
    fn dates_become_spans() {
        // The local day is that of UTC+05:30.
        let (day, next) = (1_735_669_800_000, 1_735_756_200_000);
        let date: RequestDate = "2025-01-01".parse().unwrap();
        let span = |all: &[Comparison<RequestDate>]| match clause(Filter::due(all.to_vec())) {
            Clause::Date(DateField::Due, Span { first, last }) => (first, last),
            other => panic!("{other:?} is no date"),
        };
        let Span { first: least, last: most } = Span::ALWAYS;
        assert_eq!(span(&[Comparison::Gte(date)]), (day, most));
        assert_eq!(span(&[Comparison::Gt(date)]), (next, most));
        assert_eq!(span(&[Comparison::Lte(date)]), (least, next - 1));
        assert_eq!(span(&[Comparison::Lt(date)]), (least, day - 1));
        assert_eq!(span(&[Comparison::On(date)]), (day, next - 1));
        assert_eq!(span(&[Comparison::Gte(date), Comparison::Lte(date)]), (day, next - 1));
        let (first, last) = span(&[Comparison::Gt(date), Comparison::Lt(date)]);
        assert!(first > last);
    }

    #[test]
    fn numbers_become_spans() {
        let span = |own| match clause(Filter::priority_score([own])) {
            Clause::Score(Span { first, last }) => (first, last),
            other => panic!("{other:?} is no score"),
        };
        let (least, most) = (f64::MIN, f64::MAX);
        assert_eq!(span(Comparison::Gte(2.0)), (2.0, most));
        assert_eq!(span(Comparison::Gt(2.0)), (2.0_f64.next_up(), most));
        assert_eq!(span(Comparison::Lt(0.0)), (least, -5e-324));
        assert_eq!(span(Comparison::Gt(-0.0)), (5e-324, most));
        let bits = |own| {
            let (first, last) = span(own);
            (first.to_bits(), last.to_bits())
        };
        assert_eq!(bits(Comparison::On(-0.0)), (0, 0));
        assert_eq!(bits(Comparison::Gt(-5e-324)).0, 0);
        let (first, last) = span(Comparison::Gt(most));
        assert!(first > last);
    }

    #[test]
    fn chains_are_lists() {
        let filter = some() | !some() | some();
        assert_eq!(filter.depth, 3);
        assert!(matches!(bound(filter), Condition::Or(list) if list.len() == 3));
        let filter = some() & Filter::name_starts_with(" Ab") & some();
        assert_eq!(filter.depth, 1);
        assert!(matches!(bound(filter), Condition::And(list) if list.len() == 3));
        assert_eq!(bound(Filter::all([Filter::any([some()])])), bound(some()));
    }

    #[test]
    fn texts_are_folded_where_cases_are() {
        let starts = |filter| match clause(filter) {
            Clause::StartsWith(_, prefix) => prefix,
            other => panic!("{other:?} is no prefix"),
        };
        assert_eq!(starts(Filter::name_starts_with(" AΣ ")), " aσ ");
        assert_eq!(starts(Filter::ref_id_starts_with("CS")), "cs");
        assert_eq!(starts(Filter::id_starts_with("CI")), "CI");
        assert_eq!(clause(Filter::text_contains(" Ab ")), Clause::Text("ab".into()));
        match clause(Filter::id([" A", "b", " A", ""])) {
            Clause::Id(any) => assert_eq!(any.as_slice(), [" A", "b"]),
            other => panic!("{other:?} is no list"),
        }
        match clause(Filter::ref_id([" A"])) {
            Clause::RefId(any) => assert_eq!(any.as_slice(), ["a"]),
            other => panic!("{other:?} is no list"),
        }
    }

    #[test]
    fn no_tree_grows_too_deep_to_walk() {
        let around: [fn(Filter) -> Filter; 5] = [
            |own| !own,
            |own| Filter::all([some(), own]),
            |own| Filter::any([own, some()]),
            |own| own | some(),
            |own| some() | own,
        ];
        for around in around {
            let mut filter = !some();
            for _ in 0..100_000 {
                filter = around(filter);
            }
            assert!(filter.depth <= MAX_DEPTH + 1);
            assert!(!problems(filter).is_empty());
        }
        let deep = (0..16).fold(some(), |own, _| !own);
        assert_eq!(
            problems(deep),
            [(Code::TooDeepFilter, format!("$.filter{}", ".not".repeat(16)))]
        );
        bound((0..15).fold(some(), |own, _| !own));
    }

    #[test]
    fn each_place_is_told_once() {
        let blank = || Filter::text_contains(" ");
        let wrong = Filter::priority_score([Comparison::Gt(f64::NAN), Comparison::Gt(f64::MIN)])
            & Filter::priority_score([Comparison::Gt(f64::INFINITY)])
            & Filter::mycase(true)
            & Filter::all([])
            & blank()
            & blank()
            & Filter::mycase(false);
        let at = |path: &str| format!("$.filter.{path}");
        assert_eq!(
            problems(wrong),
            [
                (Code::InvalidNumber, at("priorityScore.gt")),
                (Code::InvalidFilter, at("and")),
                (Code::InvalidFilter, at("text.contains")),
                (Code::MissingCurrentUser, at("mycase")),
            ]
        );
    }
}
