//! What segments keep orders of, and how cases compare by it.

use std::cmp::Ordering;

use super::Catalog;
use super::prefix::{first_bytes, prefix};
use super::row::{DocRef, NO_DATE, Row};
use crate::index::collections::NONE;

/// What a segment keeps an order of. Priority and status have few values: their orders follow from
/// the signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Created,
    Updated,
    Due,
    Name,
    RefId,
    Assignee,
    Id,
}

/// Some of the fields that segments keep orders of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct FieldSet(u8);

impl FieldSet {
    pub(crate) const ALL: Self = Self((1 << Field::ALL.len()) - 1);

    pub(crate) fn insert(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    #[inline]
    pub(crate) fn has(self, field: Field) -> bool {
        self.0 >> field as u8 & 1 == 1
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut set = Self::default();
        fields.into_iter().for_each(|field| set.insert(field));
        set
    }
}

impl Field {
    pub(crate) const ALL: [Self; 7] = [
        Self::Created,
        Self::Updated,
        Self::Due,
        Self::Name,
        Self::RefId,
        Self::Assignee,
        Self::Id,
    ];

    /// Whether the order is kept greatest first.
    pub(crate) fn is_kept_descending(self) -> bool {
        matches!(self, Self::Created | Self::Updated)
    }

    /// Whether the order's runs count signatures: where far pages are asked.
    pub(crate) fn is_counted(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Due)
    }

    /// Whether its values are texts, of which keys have the first bytes.
    pub(crate) fn is_text(self) -> bool {
        !matches!(self, Self::Created | Self::Updated | Self::Due)
    }

    /// A number that orders as the values do in the kept direction, the greatest where there is
    /// none. Equal numbers say nothing of texts.
    #[inline]
    pub(crate) fn key(self, catalog: &Catalog, doc: DocRef<'_>) -> u64 {
        match self {
            Self::Created => self.bits_of(doc.row.created),
            Self::Updated => self.bits_of(doc.row.updated),
            Self::Due => self.bits_of(doc.row.due),
            Self::Name => catalog.titles.prefix(doc.row.title),
            Self::RefId => prefix(catalog.ref_id(doc.row)),
            Self::Assignee if doc.row.assignee == NONE => u64::MAX,
            Self::Assignee => catalog.assignees.get(doc.row.assignee).prefix,
            Self::Id => prefix(Some(catalog.ids.id(doc.address))),
        }
    }

    /// The key of a date, or of none.
    pub(crate) fn date_key(self, date: Option<i64>) -> u64 {
        self.bits_of(date.unwrap_or(NO_DATE))
    }

    /// The key of a text, or of none.
    pub(crate) fn text_key(text: Option<&str>) -> u64 {
        prefix(text)
    }

    #[inline]
    fn bits_of(self, date: i64) -> u64 {
        let bits = date as u64 ^ 1 << 63;
        // No date is the smallest; it comes last in both.
        if self.is_kept_descending() { !bits } else { bits.wrapping_sub(1) }
    }

    /// The date that it orders by; nothing where there is none, or where it orders by texts.
    pub(crate) fn date(self, row: &Row) -> Option<i64> {
        let date = match self {
            Self::Created => row.created,
            Self::Updated => row.updated,
            Self::Due => row.due,
            _ => return None,
        };
        Some(date).filter(|date| *date != NO_DATE)
    }

    /// The text that it orders by; nothing where there is none, or where it orders by dates.
    pub(crate) fn text<'a>(self, catalog: &'a Catalog, doc: DocRef<'_>) -> Option<&'a str> {
        match self {
            Self::Name => catalog.name(doc.row),
            Self::RefId => catalog.ref_id(doc.row),
            Self::Assignee => catalog.assignee_name(doc.row),
            Self::Id => Some(catalog.ids.id(doc.address)),
            Self::Created | Self::Updated | Self::Due => None,
        }
    }

    /// A key that tells more apart: its upper half is the key, and it orders as `compare_all` does.
    pub(crate) fn long_key(self, catalog: &Catalog, doc: DocRef<'_>) -> u128 {
        if !self.is_text() {
            let lower = if self == Self::Created { 0 } else { Self::Created.key(catalog, doc) };
            return u128::from(self.key(catalog, doc)) << 64 | u128::from(lower);
        }
        let text = self.text(catalog, doc);
        let rest = text.and_then(|text| text.as_bytes().get(8..)).unwrap_or_default();
        u128::from(prefix(text)) << 64 | u128::from(text.map_or(u64::MAX, |_| first_bytes(rest)))
    }

    /// How the values of two cases stand in the kept direction; a missing one comes last.
    pub(crate) fn compare(self, catalog: &Catalog, a: DocRef<'_>, b: DocRef<'_>) -> Ordering {
        let texts = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        match self {
            Self::Created => b.row.created.cmp(&a.row.created),
            Self::Updated => b.row.updated.cmp(&a.row.updated),
            // The wrap makes no date the greatest.
            Self::Due => a.row.due.wrapping_sub(1).cmp(&b.row.due.wrapping_sub(1)),
            Self::Name if a.row.title == b.row.title => Ordering::Equal,
            Self::Name => texts(catalog.name(a.row), catalog.name(b.row)),
            Self::RefId => texts(catalog.ref_id(a.row), catalog.ref_id(b.row)),
            Self::Assignee if a.row.assignee == b.row.assignee => Ordering::Equal,
            Self::Assignee => texts(catalog.assignee_name(a.row), catalog.assignee_name(b.row)),
            Self::Id => catalog.ids.id(a.address).cmp(catalog.ids.id(b.address)),
        }
    }

    /// How two cases stand in an order, where ties are broken by newest first and then by `_id`:
    /// never equal for two addresses.
    pub(crate) fn compare_all(self, catalog: &Catalog, a: DocRef<'_>, b: DocRef<'_>) -> Ordering {
        self.compare(catalog, a, b)
            .then_with(|| Self::Created.compare(catalog, a, b))
            .then_with(|| Self::Id.compare(catalog, a, b))
    }

    /// Whether a row has a value.
    pub(crate) fn is_present(self, catalog: &Catalog, row: &Row) -> bool {
        match self {
            Self::Created => row.created != NO_DATE,
            Self::Updated => row.updated != NO_DATE,
            Self::Due => row.due != NO_DATE,
            Self::Name => catalog.name(row).is_some(),
            Self::RefId => catalog.ref_id(row).is_some(),
            Self::Assignee => catalog.assignee_name(row).is_some(),
            Self::Id => true,
        }
    }
}
