//! What a case must be to be found: one clause for each filter asked, all of which must hold.

use crate::value::fold::{key, status_key};
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

/// A set of keys, of which a case must have one.
#[derive(Clone, Debug, PartialEq)]
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

    /// Whether one of a case's keys is in the set.
    pub(crate) fn meets(&self, keys: &[Box<str>]) -> bool {
        keys.iter().any(|key| self.keys.binary_search_by(|own| own.as_str().cmp(key)).is_ok())
    }
}
