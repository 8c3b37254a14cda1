//! What the two databases are asked, in the words that both know.
//!
//! Values stand in the text itself, so that each planner sees them when it prepares.

use std::fmt::Display;

use getcases_plain::By;

use crate::ask::Ask;
use crate::rows::MISSING;

/// The column of an order's ranks.
#[must_use]
pub fn column(by: By) -> &'static str {
    match by {
        By::Created => "created",
        By::Updated => "updated",
        By::Due => "due",
        By::Priority => "severity",
        By::Status => "stage",
        By::Name => "name",
        By::RefId => "ref_id",
        By::Assignee => "agent",
        By::Id => "id",
    }
}

/// The conditions of a request, but for queues and text.
#[must_use]
pub fn conditions(ask: &Ask) -> Vec<String> {
    let mut conditions = Vec::new();
    conditions.extend(ask.request.unresolved.then(|| "unresolved = 1".to_owned()));
    conditions.extend(ask.request.unassigned.then(|| "unassigned = 1".to_owned()));
    conditions.extend(ask.status.as_ref().map(|codes| among("status", codes)));
    conditions.extend(ask.priority.as_ref().map(|codes| among("priority", codes)));
    conditions.extend(ask.channel.as_ref().map(|codes| among("channel", codes)));
    conditions.extend(ask.assignee.as_ref().map(|codes| among("assignee", codes)));
    let range = |column: &str, range: &std::ops::Range<u32>| {
        format!("{column} >= {} AND {column} < {}", range.start, range.end)
    };
    conditions.extend(ask.arrivals.as_ref().map(|numbers| range("n", numbers)));
    conditions.extend(ask.due.as_ref().map(|due| range("due", due)));
    conditions
}

/// That a case is in one of the queues.
#[must_use]
pub fn queued(codes: &[u8]) -> String {
    format!("({} OR {})", among("q1", codes), among("q2", codes))
}

fn among(column: &str, codes: &[impl Display]) -> String {
    match codes {
        [] => "1 = 0".to_owned(),
        [code] => format!("{column} = {code}"),
        _ => {
            let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
            format!("{column} IN ({})", codes.join(", "))
        }
    }
}

/// ` WHERE …`, or nothing.
#[must_use]
pub fn filter(conditions: &[String]) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    format!(" WHERE {}", conditions.join(" AND "))
}

/// ` ORDER BY … LIMIT … OFFSET …`
#[must_use]
pub fn paging(ask: &Ask) -> String {
    let column = column(ask.request.by);
    let order = match (ask.request.by, ask.reverse) {
        (By::Created, false) => "n DESC".to_owned(),
        (_, false) => format!("{column}, n DESC"),
        // Every case has these: nothing to put last.
        (By::Created | By::Id, true) => format!("{column} DESC, n DESC"),
        (_, true) => format!("{column} = {MISSING}, {column} DESC, n DESC"),
    };
    format!(" ORDER BY {order} LIMIT {} OFFSET {}", ask.request.limit, ask.request.skip)
}

/// A text in quotation marks.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
