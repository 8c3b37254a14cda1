//! Requests, as far as measuring needs them.

use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde_json::Value;

use crate::filter::Filter;

/// A request in the forms that are measured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Body {
    search_text: String,
    unresolved: bool,
    unassigned: bool,
    mycase: bool,
    status: Vec<String>,
    priority: Vec<String>,
    channel: Vec<String>,
    queues: Vec<String>,
    agents: Vec<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    due_date: Option<String>,
    sort_by: Option<String>,
    page: Option<u64>,
    skip: Option<u64>,
    limit: Option<u64>,
    filter: Option<Value>,
}

/// By what results are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// When a case was created.
    Created,
    /// When it was updated.
    Updated,
    /// When it is due.
    Due,
    /// The score of its priority.
    Priority,
    /// Its status's category, then the status's name.
    Status,
    /// Its name.
    Name,
    /// Its number for people.
    RefId,
    /// The name of who works on it.
    Assignee,
    /// Its `_id`.
    Id,
}

impl By {
    /// Every order, in that of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Updated,
        Self::Due,
        Self::Priority,
        Self::Status,
        Self::Name,
        Self::RefId,
        Self::Assignee,
        Self::Id,
    ];

    /// Whether a bare name means the descending order.
    #[must_use]
    pub fn naturally_descends(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Priority)
    }
}

/// A request, its values folded and its dates made instants.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the name or the title holds, folded.
    pub text: Option<String>,
    /// Only cases that are neither resolved nor closed.
    pub unresolved: bool,
    /// Only cases of nobody.
    pub unassigned: bool,
    /// Only the cases of this user.
    pub user: Option<String>,
    /// Keys of statuses, any of them.
    pub status: Option<Vec<String>>,
    /// Keys of priorities, any of them.
    pub priority: Option<Vec<String>>,
    /// Keys of channels, any of them.
    pub channel: Option<Vec<String>>,
    /// Keys of queues, any of them.
    pub queues: Option<Vec<String>>,
    /// Keys of assignees, any of them.
    pub agents: Option<Vec<String>>,
    /// The first and the last millisecond of creation.
    pub created: Option<(i64, i64)>,
    /// The first and the last millisecond of being due.
    pub due: Option<(i64, i64)>,
    /// What must hold besides.
    pub filter: Option<Filter>,
    /// The field of the order; newest first and `_id` decide among equals.
    pub by: By,
    /// Whether that field descends. A missing value is last either way.
    pub descending: bool,
    /// How many cases stand before the page.
    pub skip: u64,
    /// How many the page has at most.
    pub limit: u64,
}

/// A request in a form that is not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(String);

impl Unsupported {
    pub(crate) fn new(what: String) -> Self {
        Self(what)
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a request that is measured: {}", self.0)
    }
}

impl std::error::Error for Unsupported {}

impl Request {
    /// Reads a body, asked by a user where there is one.
    ///
    /// # Errors
    /// Where the body has a form that is not measured.
    pub fn read(body: &str, user: Option<&str>) -> Result<Self, Unsupported> {
        let body: Body =
            serde_json::from_str(body).map_err(|error| Unsupported(error.to_string()))?;
        let list = |values: Vec<String>, key: fn(&str) -> String| {
            (!values.is_empty()).then(|| values.iter().map(|value| key(value)).collect())
        };
        let start = body.start_date.as_deref().map(span).transpose()?;
        let end = body.end_date.as_deref().map(span).transpose()?;
        let created = (start.is_some() || end.is_some()).then(|| {
            let first = start.map_or(i64::MIN + 1, |(first, _)| first);
            (first, end.map_or(i64::MAX, |(_, last)| last))
        });
        let (by, descending) = order(body.sort_by.as_deref().unwrap_or("createdDate"))?;
        let limit = body.limit.unwrap_or(50);
        Ok(Self {
            text: Some(trimmed_text(&body.search_text)).filter(|text| !text.is_empty()),
            unresolved: body.unresolved,
            unassigned: body.unassigned,
            user: user.filter(|_| body.mycase).map(str::to_owned),
            status: list(body.status, status_key),
            priority: list(body.priority, key),
            channel: list(body.channel, key),
            queues: list(body.queues, key),
            agents: list(body.agents, key),
            created,
            due: body.due_date.as_deref().map(span).transpose()?,
            filter: body.filter.as_ref().map(Filter::read).transpose()?,
            by,
            descending,
            skip: body.skip.unwrap_or_else(|| body.page.unwrap_or(1).saturating_sub(1) * limit),
            limit,
        })
    }
}

/// A name, `-name`, `name:asc` or `name:desc`.
fn order(text: &str) -> Result<(By, bool), Unsupported> {
    let unknown = || Unsupported(format!("an order by {text}"));
    let (name, direction) = match (text.strip_prefix('-'), text.split_once(':')) {
        (Some(name), _) => (name, Some("desc")),
        (None, Some((name, direction))) => (name, Some(direction)),
        (None, None) => (text, None),
    };
    let by = match name {
        "createdDate" => By::Created,
        "updatedDate" => By::Updated,
        "dueDate" => By::Due,
        "priority" => By::Priority,
        "status" => By::Status,
        "name" => By::Name,
        "refId" => By::RefId,
        "assignee" => By::Assignee,
        "_id" => By::Id,
        _ => return Err(unknown()),
    };
    match direction {
        None => Ok((by, by.naturally_descends())),
        Some("asc") => Ok((by, false)),
        Some("desc") => Ok((by, true)),
        Some(_) => Err(unknown()),
    }
}

/// The first and the last millisecond of a day, or an instant twice.
pub(crate) fn span(date: &str) -> Result<(i64, i64), Unsupported> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(date) {
        return Ok((instant.timestamp_millis(), instant.timestamp_millis()));
    }
    let day: NaiveDate = date.parse().map_err(|_| Unsupported(format!("the date {date}")))?;
    let first = day.and_hms_opt(0, 0, 0).map_or(0, |start| start.and_utc().timestamp_millis());
    Ok((first, first + 86_400_000 - 1))
}

pub(crate) fn fold(text: &str) -> String {
    let lower = |c: char| match c {
        'ς' => 'σ',
        _ => c.to_lowercase().next().unwrap_or(c),
    };
    text.chars().map(lower).collect()
}

/// A text that is searched.
pub(crate) fn trimmed_text(text: &str) -> String {
    fold(text.trim())
}

pub(crate) fn key(text: &str) -> String {
    fold(text).trim().to_owned()
}

pub(crate) fn status_key(text: &str) -> String {
    key(&text.replace(['-', '_'], " "))
}
