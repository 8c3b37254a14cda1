//! How a query was understood and answered, with the real numbers.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::plan::Plan;
use super::{answer, execute, page};
use crate::contract::{Clause, DateField, Parameter, Query, Span};
use crate::index::Index;
use crate::threads::Pool;
use crate::value::shown::cut;
use crate::value::time::display;

/// How many values of a list are shown, each cut.
const SHOWN: usize = 8;

/// How a query is understood and answered. Its `Display` is for people; it serialises as one
/// object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explain {
    /// What the request named and nothing reads.
    pub ignored: Vec<String>,
    /// What `limit` was lowered to, if it was.
    pub lowered_limit: Option<u64>,
    /// Each filter.
    pub clauses: Vec<ClauseReport>,
    /// The whole order: field and direction.
    pub order: Vec<(&'static str, &'static str)>,
    /// How the page is found.
    pub page: String,
    /// How many cases were looked at one by one; totals that follow from counts look at none.
    pub examined: u64,
}

/// One filter: what it means, and how many cases it holds for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
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

pub(super) fn explain(index: &Index, query: &Query, pool: &Pool) -> Explain {
    let plan = Plan::new(query.clauses(), query.filter(), index, pool);
    let report = |Parameter { path, clause }: &Parameter| ClauseReport {
        path,
        meaning: meaning(clause),
        cases: execute::execute(&Plan::new([clause], None, index, pool)).total,
        by: by(clause),
    };
    _ = answer(&plan, query);
    Explain {
        ignored: page::ignored(query, index),
        lowered_limit: query.lowered_limit(),
        clauses: query.parameters().iter().map(report).collect(),
        order: query.order().keys().iter().map(|(f, d)| (f.as_str(), d.as_str())).collect(),
        page: plan.to_string(),
        examined: plan.meter.examined(),
    }
}

/// Which structure answers a clause by itself.
fn by(clause: &Clause) -> &'static str {
    match clause {
        Clause::Text(_) => "words",
        Clause::Unresolved
        | Clause::Unassigned
        | Clause::Status(_)
        | Clause::StatusCategory(_)
        | Clause::Priority(_)
        | Clause::Score(_)
        | Clause::Channel(_) => "signatures",
        Clause::Mine(_) | Clause::Agents(_) => "assignee lists",
        Clause::Queues(_) => "queue lists",
        Clause::Date(DateField::Created, _) => "created order",
        Clause::Date(DateField::Updated, _) => "updated order",
        Clause::Date(DateField::Due, _) => "due order",
        Clause::RefId(_) | Clause::Id(_) | Clause::StartsWith(..) | Clause::Exists(_) => "cases",
    }
}

fn meaning(clause: &Clause) -> String {
    let shown = |text: &str| format!("{:?}", cut(text));
    let (what, any) = match clause {
        Clause::Text(needle) => return format!("name or title contains {}", shown(needle)),
        Clause::Unresolved => return "neither resolved nor closed".into(),
        Clause::Unassigned => return "nobody has it".into(),
        Clause::Mine(user) => return format!("{} has it", shown(user)),
        Clause::Date(field, span) => return format!("{} {}", field.as_str(), when(*span)),
        Clause::Score(Span { first, last }) => {
            return format!("priority score from {first} to {last}");
        }
        Clause::StartsWith(field, prefix) => {
            return format!("{} starts with {}", field.as_str(), shown(prefix));
        }
        Clause::Exists(field) => return format!("{} has a value", field.as_str()),
        Clause::StatusCategory(any) => ("status category", any),
        Clause::RefId(any) => ("refId", any),
        Clause::Id(any) => ("_id", any),
        Clause::Status(any) => ("status", any),
        Clause::Priority(any) => ("priority", any),
        Clause::Channel(any) => ("channel", any),
        Clause::Queues(any) => ("queue", any),
        Clause::Agents(any) => ("agent", any),
    };
    match any.as_slice() {
        [] => format!("{what} is none that a case can have"),
        [one] => format!("{what} is {}", shown(one)),
        many => {
            let shown: Vec<_> = many.iter().take(SHOWN).map(|key| shown(key)).collect();
            let more = many.len() - shown.len();
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{what} is one of {}{more}", shown.join(", "))
        }
    }
}

fn when(span: Span<i64>) -> String {
    let Span { first, last } = span;
    if last == Span::ALWAYS.last {
        format!("at {} or later", display(first))
    } else if first == Span::ALWAYS.first {
        format!("at {} or earlier", display(last))
    } else if first == last {
        format!("at {}", display(first))
    } else {
        format!("from {} to {}", display(first), display(last))
    }
}

impl Serialize for Explain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lowered: BTreeMap<_, _> =
            self.lowered_limit.map(|limit| ("limit", limit)).into_iter().collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("ignored", &self.ignored)?;
        map.serialize_entry("lowered", &lowered)?;
        map.serialize_entry("clauses", &self.clauses)?;
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
        let order: Vec<_> =
            self.order.iter().map(|(field, way)| format!("{field} {way}")).collect();
        writeln!(f, "order     {}", order.join(", "))?;
        writeln!(f, "page      {}", self.page)?;
        write!(f, "examined  {} cases", self.examined)
    }
}
