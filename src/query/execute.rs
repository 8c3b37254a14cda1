//! Which cases match: every clause tested on every case.

use super::plan::Plan;
use crate::case::Case;
use crate::contract::Clause;
use crate::index::{Cases, Place};

/// The places of all matches, in no order that means anything.
pub(super) fn matches(plan: &Plan<'_>, cases: &Cases) -> Vec<Place> {
    let holds =
        |place: &Place| plan.clauses().iter().all(|clause| holds(clause, cases.case(*place)));
    cases.places().filter(holds).collect()
}

/// Whether a clause holds for a case.
pub(super) fn holds(clause: &Clause, case: &Case) -> bool {
    match clause {
        Clause::Text(needle) => {
            let contains = |text: &Option<Box<str>>| {
                text.as_ref().is_some_and(|text| text.contains(needle.as_str()))
            };
            contains(&case.name) || contains(&case.title)
        }
        Clause::Unresolved => case.unresolved,
        Clause::Unassigned => case.unassigned,
        Clause::Mine(user) => case.assignee_ids.iter().any(|id| id.as_ref() == user),
        Clause::Status(any) => any.meets(&case.statuses),
        Clause::Priority(any) => any.meets(&case.priorities),
        Clause::Channel(any) => any.meets(&case.channels),
        Clause::Queues(any) => any.meets(&case.queues),
        Clause::Agents(any) => any.meets(&case.agents),
        Clause::CreatedFrom(first) => case.created.is_some_and(|created| created >= *first),
        Clause::CreatedTo(last) => case.created.is_some_and(|created| created <= *last),
        Clause::Due(first, last) => case.due.is_some_and(|due| (*first..=*last).contains(&due)),
    }
}
