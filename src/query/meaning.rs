//! What the clauses of a query mean, in words, and by what they are answered.

use crate::contract::{Clause, DateField, FilterField, Span, TextField};
use crate::value::shown::cut;
use crate::value::time::display;

/// How many values of a list are shown, each cut.
const SHOWN: usize = 8;

/// Which structure answers a clause by itself.
pub(super) fn by(clause: &Clause) -> &'static str {
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
        Clause::RefId(_) | Clause::StartsWith(TextField::RefId, _) => "refId order",
        Clause::StartsWith(TextField::Name, _) => "name order",
        Clause::StartsWith(TextField::Id, _) => "_id order",
        Clause::Id(_) => "ids",
        Clause::Exists(field) => match field {
            FilterField::Queue => "queue lists",
            FilterField::Assignee => "assignee lists",
            FilterField::Text | FilterField::Name => "name order",
            FilterField::RefId => "refId order",
            FilterField::Created => "created order",
            FilterField::Updated => "updated order",
            FilterField::Due => "due order",
            _ => "signatures",
        },
    }
}

/// What a clause means, dates as instants and values as keys.
pub(super) fn meaning(clause: &Clause) -> String {
    let shown = |text: &str| format!("{:?}", cut(text));
    let (what, any) = match clause {
        Clause::Text(needle) => return format!("name or title contains {}", shown(needle)),
        Clause::Unresolved => return "neither resolved nor closed".into(),
        Clause::Unassigned => return "nobody has it".into(),
        Clause::Mine(user) => return format!("{} has it", shown(user)),
        Clause::Date(field, span) => return format!("{} {}", field.as_str(), when(*span)),
        Clause::Score(span) => return format!("priority score {}", scored(*span)),
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

fn scored(span: Span<f64>) -> String {
    let Span { first, last } = span;
    if last >= Span::FINITE.last {
        format!("{first:?} or more")
    } else if first <= Span::FINITE.first {
        format!("{last:?} or less")
    } else {
        format!("from {first:?} to {last:?}")
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
