//! A request as plain data: what a body says, or what a program asks for.

use std::fmt;
use std::str::FromStr;

use super::clause::Span;
use super::cursor::Cursor;
use super::filter::Filter;
use super::sort::SortKey;
use crate::value::time::{Date, Millis};

/// How many cases a page has where it is not said.
const DEFAULT_LIMIT: u64 = 50;

/// What is asked for. Empty texts and lists, `false` and nothing all mean: not asked.
///
/// Fields: docs/contract.md, *Request*.
///
/// ```
/// use getcases::{Context, Direction, Query, Request, SortField, SortKey};
///
/// let request = Request {
///     unresolved: true,
///     queues: vec!["Billing".into()],
///     start_date: Some("2025-05-27".parse()?),
///     sort_by: vec![SortKey { field: SortField::Due, direction: Some(Direction::Asc) }],
///     page: Some(2),
///     ..Request::default()
/// };
/// let query = Query::new(&request, &Context::default())?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// A part of the name or title, in any letter case.
    pub search_text: String,
    /// Only cases that are neither resolved nor closed.
    pub unresolved: bool,
    /// Only cases that nobody has.
    pub unassigned: bool,
    /// Only cases of the current user.
    pub mycase: bool,
    /// The same as `mycase`, by its other name.
    pub mytask: bool,
    /// Any of these priorities.
    pub priority: Vec<String>,
    /// Any of these statuses.
    pub status: Vec<String>,
    /// Any of these queues.
    pub queues: Vec<String>,
    /// Any of these channels.
    pub channel: Vec<String>,
    /// Any of these agents.
    pub agents: Vec<String>,
    /// Created then or later.
    pub start_date: Option<RequestDate>,
    /// Created then or earlier.
    pub end_date: Option<RequestDate>,
    /// Due then: at that instant, or on that local day.
    pub due_date: Option<RequestDate>,
    /// What else a case must be, beside all of the above.
    pub filter: Option<Filter>,
    /// The order, the first key weighing most; created, newest first, where there is none.
    pub sort_by: Vec<SortKey>,
    /// Which page, from 1.
    pub page: Option<u64>,
    /// How many cases come before the page.
    pub skip: Option<u64>,
    /// Which of the pages that follow one another, in the place of `page` and `skip`.
    pub cursor: Option<Cursor>,
    /// How many cases a page has; 50 where it is not said.
    pub limit: Option<u64>,
    /// Which top-level keys of the documents come back; all where there are none.
    pub selected_columns: Vec<String>,
}

impl Request {
    /// What its fields are called in a body, as they stand here.
    pub const FIELDS: [&'static str; 20] = [
        "searchText",
        "unresolved",
        "unassigned",
        "mycase",
        "mytask",
        "priority",
        "status",
        "queues",
        "channel",
        "agents",
        "startDate",
        "endDate",
        "dueDate",
        "filter",
        "sortBy",
        "page",
        "skip",
        "cursor",
        "limit",
        "selectedColumns",
    ];

    pub(super) fn limit_or_default(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}

/// A date of a request: an instant, a local time or a whole local day, of the years 1 to 9999.
///
/// Reads from a text (`"2025-05-27".parse()`), or comes from milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestDate(pub(super) Date);

impl RequestDate {
    /// An instant, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`DateError`] outside 0001-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z.
    pub fn from_millis(millis: i64) -> Result<Self, DateError> {
        Date::from_millis(millis).map(Self).ok_or(DateError)
    }

    /// The first millisecond it names, where utc = local + `offset_minutes`.
    #[must_use]
    pub fn first_instant(self, offset_minutes: i32) -> i64 {
        self.span(offset_minutes).first
    }

    /// The instants it names, where utc = local + `offset` minutes.
    pub(super) fn span(self, offset: i32) -> Span<Millis> {
        let (first, last) = self.0.span(offset);
        Span { first, last }
    }
}

/// Why a text or a number of milliseconds is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected YYYY-MM-DD, RFC 3339 or epoch milliseconds, of the years 1 to 9999")]
#[non_exhaustive]
pub struct DateError;

/// As it reads from a text.
impl fmt::Display for RequestDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_text())
    }
}

impl FromStr for RequestDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        Date::from_text(text).map(Self).ok_or(DateError)
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::Context;
    use super::super::query::Query;
    use super::*;

    /// A field of a request, as a body writes it.
    fn in_body(field: &str) -> String {
        let mut words = field.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
    }

    #[test]
    fn each_field_is_named_and_read() {
        let shown = format!("{:#?}", Request::default());
        let fields = shown.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
        let fields: Vec<_> = fields.map(|(field, _)| in_body(field)).collect();
        assert_eq!(fields, Request::FIELDS);
        for name in Request::FIELDS {
            let body = format!("{{{name:?}:null}}");
            let query = Query::from_json(body.as_bytes(), &Context::default()).unwrap();
            assert!(query.ignored().is_empty(), "{name}");
        }
    }
}
