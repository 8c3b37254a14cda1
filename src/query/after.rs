//! The case that was seen last, behind which a page goes on: it may be gone, so matches are
//! compared with its values.
//!
//! Useful for a search in any order that is sorted by the same keys. Not for how many matches come
//! before it: nobody counts them.

use std::cmp::Ordering;

use super::merge::{Keys, kept};
use crate::contract::{Direction, LastSeen, Query, SortField, SortText, SortValue};
use crate::index::{Catalog, Column, DocAddress, DocRef, Field, Index};

/// What a case was ordered by, for some last keys of a total order.
#[derive(Clone, Copy)]
pub(super) struct After<'a> {
    catalog: &'a Catalog,
    keys: Keys<'a>,
    /// A value for each key but `_id`.
    values: &'a [SortValue],
    id: &'a str,
}

/// What a case has of one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Own<'a> {
    Date(i64),
    Text(&'a str),
    Ranked(u64, &'a str),
}

impl<'a> Own<'a> {
    fn of(catalog: &'a Catalog, field: SortField, doc: DocRef<'_>) -> Option<Self> {
        let ranked = |column| {
            let value = catalog.signatures.get(doc.row.signature).value(column);
            catalog.sort_key(column, value).map(|(rank, text)| Self::Ranked(rank, text))
        };
        match field {
            SortField::Priority => ranked(Column::Priority),
            SortField::Status => ranked(Column::Status),
            _ => {
                let field = kept(field);
                let date = field.date(doc.row).map(Self::Date);
                date.or_else(|| field.text(catalog, doc).map(Self::Text))
            }
        }
    }

    fn to_value(self) -> SortValue {
        match self {
            Self::Date(date) => SortValue::Date(date),
            Self::Text(text) => SortValue::Text(SortText::of(text)),
            Self::Ranked(rank, text) => SortValue::Ranked(rank, SortText::of(text)),
        }
    }
}

/// What a value is compared as.
fn own(value: &SortValue) -> Option<Own<'_>> {
    match value {
        SortValue::Date(date) => Some(Own::Date(*date)),
        SortValue::Text(SortText::Whole(text)) => Some(Own::Text(text)),
        SortValue::Ranked(rank, SortText::Whole(text)) => Some(Own::Ranked(*rank, text)),
        // Digests were spelled out before.
        _ => None,
    }
}

/// What a case stands at in an order.
pub(super) fn last_seen(index: &Index, keys: Keys<'_>, address: DocAddress) -> LastSeen {
    let (catalog, doc) = (index.catalog(), DocRef { address, row: index.row(address) });
    let keys = keys.iter().filter(|(field, _)| *field != SortField::Id);
    let value = |field| Own::of(catalog, field, doc).map_or(SortValue::Missing, Own::to_value);
    let values = keys.map(|(field, _)| value(*field)).collect();
    LastSeen { values, id: catalog.ids.id(address).into() }
}

/// Puts texts in the place of a cursor's digests, as the case that it ends at has them; says
/// whether it has.
pub(crate) fn spell_out(index: &Index, query: &mut Query) -> bool {
    let keys = query.order().clone();
    let Some(last) = query.position_mut().and_then(|own| own.last.as_mut()) else { return true };
    let Some(address) = index.find(&last.id) else { return false };
    let (catalog, doc) = (index.catalog(), DocRef { address, row: index.row(address) });
    let pairs = last.values.iter_mut().zip(keys.keys()).filter(|(value, _)| value.is_digest());
    pairs.fold(true, |is_same, (value, (field, _))| {
        let own = Own::of(catalog, *field, doc);
        let is_own = own.is_some_and(|own| own.to_value() == *value);
        match own {
            Some(Own::Text(text)) => *value = SortValue::Text(SortText::Whole(text.into())),
            Some(Own::Ranked(rank, text)) => {
                *value = SortValue::Ranked(rank, SortText::Whole(text.into()));
            }
            _ => {}
        }
        is_same && is_own
    })
}

impl<'a> After<'a> {
    pub(super) fn new(index: &'a Index, keys: Keys<'a>, last: &'a LastSeen) -> Self {
        Self { catalog: index.catalog(), keys, values: &last.values, id: &last.id }
    }

    /// The same by the keys after the first.
    pub(super) fn rest(self) -> Self {
        let keys = self.keys.get(1..).unwrap_or_default();
        Self { keys, values: self.values.get(1..).unwrap_or_default(), ..self }
    }

    fn value(&self, at: usize) -> Option<Own<'a>> {
        match self.values.get(at) {
            Some(value) => own(value),
            None => Some(Own::Text(self.id)),
        }
    }

    /// How a case stands to it by one key.
    fn by(&self, at: usize, doc: DocRef<'_>) -> Ordering {
        let Some((field, direction)) = self.keys.get(at) else { return Ordering::Equal };
        let own = Own::of(self.catalog, *field, doc);
        directed(own, self.value(at), *direction == Direction::Desc)
    }

    /// How a case stands to it by all keys.
    pub(super) fn compare(&self, doc: DocRef<'_>) -> Ordering {
        let by = |at: usize| self.by(at, doc);
        (0..self.keys.len()).map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// How a case stands to it by the first key.
    pub(super) fn first(&self, doc: DocRef<'_>) -> Ordering {
        self.by(0, doc)
    }

    /// The same in the direction in which the order of a field is kept.
    pub(super) fn first_as_kept(&self, field: Field, doc: DocRef<'_>) -> Ordering {
        let Some((own, _)) = self.keys.first() else { return Ordering::Equal };
        let own = Own::of(self.catalog, *own, doc);
        directed(own, self.value(0), field.is_kept_descending())
    }

    /// Whether it has no value of the first key.
    pub(super) fn is_missing(&self) -> bool {
        self.value(0).is_none()
    }

    /// The key of its first value, as cases have one in the kept direction.
    pub(super) fn key(&self, field: Field) -> u64 {
        match self.value(0) {
            Some(Own::Date(date)) => field.date_key(Some(date)),
            Some(Own::Text(text)) => Field::text_key(Some(text)),
            _ if field.is_text() => Field::text_key(None),
            _ => field.date_key(None),
        }
    }

    /// How a value of status or priority stands to its first one.
    pub(super) fn ranked(&self, own: Option<(u64, &str)>) -> Ordering {
        let is_descending =
            self.keys.first().is_some_and(|(_, direction)| *direction == Direction::Desc);
        directed(own.map(|(rank, text)| Own::Ranked(rank, text)), self.value(0), is_descending)
    }
}

/// How two values stand in a direction; a missing one comes last.
fn directed<T: Ord>(a: Option<T>, b: Option<T>, is_descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if is_descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
