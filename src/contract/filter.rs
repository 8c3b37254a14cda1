//! What a case must be to be found: one clause for each filter asked, all of which must hold.

use super::request::{Request, RequestDate};
use crate::value::fold::{fold, key, status_key};
use crate::value::time::Millis;

/// One filter, its values folded and its dates made instants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clause {
    /// The folded name or title contains this folded needle.
    Text(String),
    Unresolved,
    Unassigned,
    /// One of the assignee's ids is exactly this.
    Mine(String),
    Status(AnyOf),
    Priority(AnyOf),
    Channel(AnyOf),
    Queues(AnyOf),
    Agents(AnyOf),
    /// Created at this instant or later.
    CreatedFrom(Millis),
    /// Created at this instant or earlier.
    CreatedTo(Millis),
    /// Due within these instants, both included.
    Due(Millis, Millis),
}

impl Clause {
    /// Where the filter stands in a request's body.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Text(_) => "$.searchText",
            Self::Unresolved => "$.unresolved",
            Self::Unassigned => "$.unassigned",
            Self::Mine(_) => "$.mycase",
            Self::Status(_) => "$.status",
            Self::Priority(_) => "$.priority",
            Self::Channel(_) => "$.channel",
            Self::Queues(_) => "$.queues",
            Self::Agents(_) => "$.agents",
            Self::CreatedFrom(_) => "$.startDate",
            Self::CreatedTo(_) => "$.endDate",
            Self::Due(..) => "$.dueDate",
        }
    }
}

/// The clauses of a request, in a fixed order; `user` is whom `mycase` asks for.
pub(super) fn clauses(request: &Request, user: Option<&str>, offset: i32) -> Vec<Clause> {
    let list =
        |values: &[String], set: fn(&[String]) -> AnyOf| (!values.is_empty()).then(|| set(values));
    let span = |date: Option<RequestDate>| date.map(|date| date.0.span(offset));
    let needle = request.search_text.trim();
    [
        (!needle.is_empty()).then(|| Clause::Text(fold(needle))),
        request.unresolved.then_some(Clause::Unresolved),
        request.unassigned.then_some(Clause::Unassigned),
        user.map(|user| Clause::Mine(user.to_owned())),
        list(&request.priority, AnyOf::keys).map(Clause::Priority),
        list(&request.status, AnyOf::status_keys).map(Clause::Status),
        list(&request.channel, AnyOf::keys).map(Clause::Channel),
        list(&request.queues, AnyOf::keys).map(Clause::Queues),
        list(&request.agents, AnyOf::keys).map(Clause::Agents),
        span(request.start_date).map(|(first, _)| Clause::CreatedFrom(first)),
        span(request.end_date).map(|(_, last)| Clause::CreatedTo(last)),
        span(request.due_date).map(|(first, last)| Clause::Due(first, last)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A set of keys, of which a case must have one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AnyOf {
    /// Sorted, distinct, none empty: a blank element matches nothing.
    keys: Vec<String>,
}

impl AnyOf {
    fn keys(values: &[String]) -> Self {
        Self::of(values.iter().map(|value| key(value)))
    }

    fn status_keys(values: &[String]) -> Self {
        Self::of(values.iter().map(|value| status_key(value)))
    }

    fn of(keys: impl Iterator<Item = String>) -> Self {
        let mut keys: Vec<_> = keys.filter(|key| !key.is_empty()).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { keys }
    }

    /// The keys, sorted and distinct.
    pub(crate) fn as_slice(&self) -> &[String] {
        &self.keys
    }
}
