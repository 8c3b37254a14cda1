//! Requests, as far as measuring needs them.

use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;

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
}

/// By what results are ordered, each in its natural direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Created,
    Updated,
    Due,
    Priority,
    Name,
}

/// A request, its values folded and its dates made instants.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) text: Option<String>,
    pub(crate) unresolved: bool,
    pub(crate) unassigned: bool,
    pub(crate) user: Option<String>,
    pub(crate) status: Option<Vec<String>>,
    pub(crate) priority: Option<Vec<String>>,
    pub(crate) channel: Option<Vec<String>>,
    pub(crate) queues: Option<Vec<String>>,
    pub(crate) agents: Option<Vec<String>>,
    pub(crate) created: Option<(i64, i64)>,
    pub(crate) due: Option<(i64, i64)>,
    pub(crate) by: By,
    pub(crate) skip: u64,
    pub(crate) limit: u64,
}

/// A request in a form that is not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(String);

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
        let by = order(body.sort_by.as_deref().unwrap_or("createdDate"))?;
        let limit = body.limit.unwrap_or(50);
        Ok(Self {
            text: Some(fold(body.search_text.trim())).filter(|text| !text.is_empty()),
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
            by,
            skip: body.skip.unwrap_or_else(|| (body.page.unwrap_or(1) - 1) * limit),
            limit,
        })
    }
}

/// Orders are measured in their natural direction.
fn order(name: &str) -> Result<By, Unsupported> {
    Ok(match name {
        "createdDate" | "-createdDate" => By::Created,
        "updatedDate" | "-updatedDate" => By::Updated,
        "priority" | "-priority" => By::Priority,
        "dueDate" => By::Due,
        "name" => By::Name,
        _ => return Err(Unsupported(format!("an order by {name}"))),
    })
}

/// The first and the last millisecond of a day, or an instant twice.
fn span(date: &str) -> Result<(i64, i64), Unsupported> {
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

pub(crate) fn key(text: &str) -> String {
    fold(text).trim().to_owned()
}

pub(crate) fn status_key(text: &str) -> String {
    key(&text.replace(['-', '_'], " "))
}
