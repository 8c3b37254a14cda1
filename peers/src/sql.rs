//! What the two databases are asked, in the words that both know.
//!
//! Values stand in the text itself, so that each planner sees them when it prepares.

use std::fmt::Display;
use std::ops::Range;

use getcases_plain::{By, Keyed};

use crate::ask::{Ask, Coded};
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
    conditions.extend(ask.arrivals.as_ref().map(|numbers| range("n", numbers)));
    conditions.extend(ask.due.as_ref().map(|due| range("due", due)));
    conditions
}

/// A filter as a condition; `text` says how a text is searched.
#[must_use]
pub fn tree(filter: &Coded, text: &dyn Fn(&str) -> String) -> String {
    let all = |parts: &[Coded], between: &str, none: &str| match parts {
        [] => none.to_owned(),
        _ => {
            let parts: Vec<_> = parts.iter().map(|part| tree(part, text)).collect();
            format!("({})", parts.join(between))
        }
    };
    match filter {
        Coded::And(parts) => all(parts, " AND ", "1 = 1"),
        Coded::Or(parts) => all(parts, " OR ", "1 = 0"),
        Coded::Not(inner) => format!("NOT ({})", tree(inner, text)),
        Coded::Codes(Keyed::Status, codes) => among("status", codes),
        Coded::Codes(Keyed::Priority, codes) => among("priority", codes),
        Coded::Codes(Keyed::Channel, codes) => among("channel", codes),
        Coded::Codes(Keyed::Assignee, codes) => among("assignee", codes),
        Coded::Codes(Keyed::Queue, codes) => queued(codes),
        Coded::Unresolved => "unresolved = 1".to_owned(),
        Coded::Unassigned => "unassigned = 1".to_owned(),
        Coded::Text(needle) => text(needle),
        Coded::Created(_, arrivals) => range("n", arrivals),
        Coded::Due(ranks) => range("due", ranks),
    }
}

fn range(column: &str, range: &Range<u32>) -> String {
    format!("({column} >= {} AND {column} < {})", range.start, range.end)
}

/// That a case is in one of the queues.
#[must_use]
pub fn queued(codes: &[impl Display]) -> String {
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
