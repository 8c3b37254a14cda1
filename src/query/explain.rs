//! How a query was understood and answered, with the real numbers.

use std::fmt;
use std::time::Instant;

use super::found::answer;
use super::meaning::{by, meaning};
use super::plan::Plan;
use super::{execute, page};
use crate::contract::{Clause, Condition, Parameter, Query};
use crate::index::Index;
use crate::threads::Pool;

/// How a query is understood and answered. Its `Display` is for people; by the feature `serde` it
/// serialises as one object.
///
/// It speaks of *signatures*, the distinct combinations of status, priority and channels that cases
/// have, of which a query leaves some; and of *segments*, the parts of up to 65,536 cases that a
/// scope is kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explain {
    /// What the request named and nothing reads.
    pub ignored: Vec<String>,
    /// What `limit` was lowered to, if it was.
    pub lowered_limit: Option<u64>,
    /// Each parameter that filters.
    pub clauses: Vec<ClauseReport>,
    /// The filter, if one is asked.
    pub filter: Option<FilterReport>,
    /// The whole order: field and direction.
    pub order: Vec<(&'static str, &'static str)>,
    /// How the page is found.
    pub page: String,
    /// How many cases were looked at one by one; totals that follow from counts look at none.
    pub examined: u64,
}

/// One parameter: what it means, and how many cases it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ClauseReport {
    /// Where it stands in the body.
    pub path: &'static str,
    /// What it means, dates as instants and values as keys.
    pub meaning: String,
    /// How many cases of the scope it holds for, by itself.
    pub cases: u64,
    /// By what it is tested.
    pub by: &'static str,
}

/// A node of a filter: what it means, and how many cases it holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FilterReport {
    /// `all of`, `any of` or `not`, which say it of their parts; else what the test means, dates as
    /// instants and values as keys.
    pub meaning: String,
    /// How many cases of the scope it holds for, by itself.
    pub cases: u64,
    /// By what it is tested: of a node with parts, `parts`.
    pub by: &'static str,
    /// In the filter's order.
    pub parts: Vec<FilterReport>,
}

impl FilterReport {
    /// A line for each node, each part further in.
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let Self { meaning, cases, by, parts } = self;
        let inset = "  ".repeat(depth);
        match parts.is_empty() {
            true => writeln!(f, "filter    {inset}{meaning} ({cases} cases, by {by})")?,
            false => writeln!(f, "filter    {inset}{meaning} ({cases} cases)")?,
        }
        parts.iter().try_for_each(|part| part.write(f, depth + 1))
    }
}

/// What explains a query: its parts are answered one by one. Past a deadline nothing is looked at
/// any more, and nobody may use what is told.
pub(super) struct Explainer<'i> {
    pub(super) index: &'i Index,
    pub(super) pool: &'i Pool,
    pub(super) deadline: Option<Instant>,
}

impl<'i> Explainer<'i> {
    /// Cost: the query, and each of its clauses and nodes by itself.
    pub(super) fn explain(&self, query: &Query) -> Explain {
        let plan = self.plan(query.clauses(), query.filter());
        _ = answer(&plan, query);
        Explain {
            ignored: page::ignored(query, self.index),
            lowered_limit: query.lowered_limit(),
            clauses: query.parameters().iter().map(|own| self.clause(own)).collect(),
            filter: query.filter().map(|filter| self.filter(filter)),
            order: query.order().keys().iter().map(|(f, d)| (f.as_str(), d.as_str())).collect(),
            page: plan.to_string(),
            examined: plan.meter.examined(),
        }
    }

    fn plan<'c>(
        &self,
        clauses: impl IntoIterator<Item = &'c Clause>,
        filter: Option<&Condition>,
    ) -> Plan<'i> {
        Plan::until(self.deadline, clauses, filter, self.index, self.pool)
    }

    pub(super) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// How many cases a part finds; past the deadline, none.
    fn total<'c>(
        &self,
        clauses: impl IntoIterator<Item = &'c Clause>,
        filter: Option<&Condition>,
    ) -> u64 {
        if self.is_over() { 0 } else { execute::execute(&self.plan(clauses, filter)).total }
    }

    fn clause(&self, Parameter { path, clause }: &Parameter) -> ClauseReport {
        let cases = self.total([clause], None);
        ClauseReport { path, meaning: meaning(clause), cases, by: by(clause) }
    }

    fn filter(&self, condition: &Condition) -> FilterReport {
        let parts = |parts: &[Condition]| parts.iter().map(|part| self.filter(part)).collect();
        let (meaning, by, parts) = match condition {
            Condition::And(all) => ("all of".into(), "parts", parts(all)),
            Condition::Or(any) => ("any of".into(), "parts", parts(any)),
            Condition::Not(inner) => ("not".into(), "parts", vec![self.filter(inner)]),
            Condition::Clause(clause) => (meaning(clause), by(clause), Vec::new()),
        };
        let cases = self.total([], Some(condition));
        FilterReport { meaning, cases, by, parts }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Explain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        let lowered: std::collections::BTreeMap<_, _> =
            self.lowered_limit.map(|limit| ("limit", limit)).into_iter().collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ignored", &self.ignored)?;
        map.serialize_entry("lowered", &lowered)?;
        map.serialize_entry("clauses", &self.clauses)?;
        map.serialize_entry("filter", &self.filter)?;
        map.serialize_entry("order", &self.order)?;
        map.serialize_entry("page", &self.page)?;
        map.serialize_entry("examined", &self.examined)?;
        map.end()
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.ignored {
            writeln!(f, "ignored   {}", name.escape_debug())?;
        }
        if let Some(limit) = self.lowered_limit {
            writeln!(f, "lowered   limit to {limit}")?;
        }
        for ClauseReport { path, meaning, cases, by } in &self.clauses {
            writeln!(f, "filter    {path}: {meaning} ({cases} cases, by {by})")?;
        }
        self.filter.iter().try_for_each(|filter| filter.write(f, 0))?;
        let order: Vec<_> =
            self.order.iter().map(|(field, way)| format!("{field} {way}")).collect();
        writeln!(f, "order     {}", order.join(", "))?;
        writeln!(f, "page      {}", self.page)?;
        write!(f, "examined  {} cases", self.examined)
    }
}
