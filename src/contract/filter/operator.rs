//! What a field can be asked, and how that is spelled.

use super::Comparison;
use crate::contract::field::{DateField, FilterField, Flag, ListField, TextField};

pub(super) const EQ: &str = "eq";
pub(super) const IN: &str = "in";
pub(super) const CONTAINS: &str = "contains";
pub(super) const STARTS_WITH: &str = "startsWith";
pub(super) const EXISTS: &str = "exists";

#[derive(Clone, Copy)]
pub(super) enum Operator {
    Eq(Flag),
    In(ListField),
    Contains,
    StartsWith(TextField),
    Date(DateField, Comparison<()>),
    Score(Comparison<()>),
    Exists,
}

impl Operator {
    /// Those that a field has, by their names, in the order in which they are told.
    pub(super) fn all(field: FilterField) -> impl Iterator<Item = (&'static str, Self)> {
        let is_score = field == FilterField::PriorityScore;
        let compared = Comparison::ALL.into_iter().filter_map(move |how| {
            let date = field.date().map(|field| Self::Date(field, how));
            Some((how.name(), date.or_else(|| is_score.then_some(Self::Score(how)))?))
        });
        let is_text = field == FilterField::Text;
        let others = [
            (EQ, field.flag().map(Self::Eq)),
            (IN, field.list().map(Self::In)),
            (CONTAINS, is_text.then_some(Self::Contains)),
            (STARTS_WITH, field.text().map(Self::StartsWith)),
        ];
        let others = others.into_iter().filter_map(|(name, own)| Some((name, own?)));
        others.chain(compared).chain([(EXISTS, Self::Exists)])
    }

    /// Nothing where the field has no such operator.
    pub(super) fn of(field: FilterField, name: &str) -> Option<Self> {
        Self::all(field).find(|(own, _)| *own == name).map(|(_, operator)| operator)
    }
}
