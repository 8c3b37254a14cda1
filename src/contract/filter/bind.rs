//! A filter that was judged, as what the engine asks of cases.

use super::{Comparison, Filter, Leaf, Member};
use crate::contract::clause::{AnyOf, Clause, Condition, Span};
use crate::contract::field::{Flag, ListField, TextField};
use crate::value::fold::fold;

/// Who asks, and where.
#[derive(Clone, Copy)]
struct Asker<'u> {
    user: &'u str,
    offset: i32,
}

impl Filter {
    /// Folds its values and makes its dates instants; `user` is whom `mycase` asks for.
    pub(in crate::contract) fn bind(&self, user: &str, offset: i32) -> Condition {
        self.condition(Asker { user, offset })
    }

    fn condition(&self, asker: Asker<'_>) -> Condition {
        let list = |list: &[Self]| list.iter().map(|own| own.condition(asker)).collect();
        let of = |member: &Member| match member {
            Member::And(own) => Condition::all(list(own)),
            Member::Or(own) => Condition::any(list(own)),
            Member::Not(own) => Condition::Not(Box::new(own.condition(asker))),
            Member::Leaf(leaf) => leaf.condition(asker),
        };
        Condition::all(self.members.iter().map(of).collect())
    }
}

impl Leaf {
    fn condition(&self, asker: Asker<'_>) -> Condition {
        Condition::Clause(match self {
            Self::Flag(flag, wanted) => {
                let clause = match flag {
                    Flag::Unresolved => Clause::Unresolved,
                    Flag::Unassigned => Clause::Unassigned,
                    Flag::Mycase => Clause::Mine(asker.user.to_owned()),
                };
                return Condition::is(clause, *wanted);
            }
            Self::Exists(field, wanted) => return Condition::is(Clause::Exists(*field), *wanted),
            Self::In(field, values) => any_of(*field, values),
            Self::Contains(needle) => Clause::Text(fold(needle.trim())),
            Self::StartsWith(TextField::Id, prefix) => {
                Clause::StartsWith(TextField::Id, prefix.clone())
            }
            Self::StartsWith(field, prefix) => Clause::StartsWith(*field, fold(prefix)),
            Self::Dates(field, all) => {
                let spans = all.iter().map(|own| {
                    let own = own.map(|date| date.span(asker.offset));
                    // A date is of the years 1 to 9999, far from any overflow.
                    own.span(Span::ALWAYS, |at| at + 1, |at| at - 1)
                });
                Clause::Date(*field, spans.fold(Span::ALWAYS, Span::and))
            }
            Self::Scores(all) => {
                let spans = all.iter().map(|own| {
                    // Adding zero makes -0 a plain 0, as scores have it.
                    let own = own.map(|number| number + 0.0);
                    let own = own.map(|number| Span { first: number, last: number });
                    own.span(Span::FINITE, |n| n.next_up() + 0.0, |n| n.next_down() + 0.0)
                });
                Clause::Score(spans.fold(Span::FINITE, Span::and))
            }
        })
    }
}

fn any_of(field: ListField, values: &[String]) -> Clause {
    match field {
        ListField::Status => Clause::Status(AnyOf::status_keys(values)),
        ListField::StatusCategory => Clause::StatusCategory(AnyOf::status_keys(values)),
        ListField::Priority => Clause::Priority(AnyOf::keys(values)),
        ListField::Channel => Clause::Channel(AnyOf::keys(values)),
        ListField::Queue => Clause::Queues(AnyOf::keys(values)),
        ListField::Assignee => Clause::Agents(AnyOf::keys(values)),
        ListField::RefId => Clause::RefId(AnyOf::keys(values)),
        ListField::Id => Clause::Id(AnyOf::exact(values)),
    }
}

impl<T> Comparison<Span<T>> {
    /// The values for which it holds, all of which are `all`.
    fn span(self, all: Span<T>, next: fn(T) -> T, before: fn(T) -> T) -> Span<T> {
        match self {
            Self::Gte(own) => Span { first: own.first, ..all },
            Self::Gt(own) => Span { first: next(own.last), ..all },
            Self::Lte(own) => Span { last: own.last, ..all },
            Self::Lt(own) => Span { last: before(own.first), ..all },
            Self::On(own) => own,
        }
    }
}
