//! Parts of a segment's order, told by values.

use std::cmp::Ordering;

use crate::index::{Catalog, Field, Position, Segment};

/// The keys of the cases created within a range, first and last; so of the updated ones. They run
/// against the dates.
pub(super) fn created_keys((first, last): (i64, i64)) -> (u64, u64) {
    let key = |date: i64| !(date as u64 ^ 1 << 63);
    (key(last), key(first))
}

/// The keys of the cases due within a range, first and last.
pub(super) fn due_keys((first, last): (i64, i64)) -> (u64, u64) {
    let key = |date: i64| (date as u64 ^ 1 << 63).wrapping_sub(1);
    (key(first), key(last))
}

/// Where the cases with keys within bounds stand in an order; nowhere where the first bound is
/// greater than the last.
pub(super) fn positions(
    catalog: &Catalog,
    segment: &Segment,
    field: Field,
    (first, last): (u64, u64),
) -> (Position, Position) {
    let order = segment.order(field);
    // A segment that lies apart, or within, is told by its ends.
    let ends = segment.ends(field);
    if first > last || ends.first > last || ends.last < first {
        return (order.end(), order.end());
    }
    if first <= ends.first && ends.last <= last && !ends.has_missing {
        return (order.start(), order.end());
    }
    let of = |slot: u16| field.key(catalog, segment.doc(slot));
    (order.at_key(first, of), order.at_key(last.saturating_add(1), of))
}

/// Cases that follow one another in the order by a field, wherever they are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueRange {
    pub(super) field: Field,
    bounds: Bounds,
}

#[derive(Clone, Debug, PartialEq)]
enum Bounds {
    /// Keys, both included.
    Keys(u64, u64),
    /// Texts that begin with this one, which is not empty.
    Prefix(Box<str>),
}

impl ValueRange {
    /// Those whose date lies between two instants, both included.
    pub(super) fn of_dates(field: Field, dates: (i64, i64)) -> Self {
        let of = if field.is_kept_descending() { created_keys } else { due_keys };
        let (first, last) = of(dates);
        Self { field, bounds: Bounds::Keys(first, last) }
    }

    /// Those that have a value: only a missing one has the greatest key.
    pub(super) fn present(field: Field) -> Self {
        Self { field, bounds: Bounds::Keys(0, u64::MAX - 1) }
    }

    pub(super) fn starting_with(field: Field, prefix: &str) -> Self {
        Self { field, bounds: Bounds::Prefix(prefix.into()) }
    }

    /// Where they stand in a segment's order. Cost: two searches, of which the ends spare some.
    pub(super) fn positions(&self, catalog: &Catalog, segment: &Segment) -> (Position, Position) {
        match &self.bounds {
            Bounds::Keys(first, last) => positions(catalog, segment, self.field, (*first, *last)),
            Bounds::Prefix(prefix) => text_positions(catalog, segment, self.field, prefix, |own| {
                own.starts_with(&**prefix)
            }),
        }
    }

    /// Whether a slot is one of them.
    pub(super) fn has(&self, catalog: &Catalog, segment: &Segment, slot: u16) -> bool {
        let (field, doc) = (self.field, segment.doc(slot));
        match &self.bounds {
            Bounds::Keys(first, last) => (*first..=*last).contains(&field.key(catalog, doc)),
            Bounds::Prefix(prefix) => {
                field.text(catalog, doc).is_some_and(|own| own.starts_with(&**prefix))
            }
        }
    }
}

/// Where texts stand in an order that are a text or begin with it, as `is_it` says of those that
/// do not come before it.
pub(super) fn text_positions(
    catalog: &Catalog,
    segment: &Segment,
    field: Field,
    first: &str,
    is_it: impl Fn(&str) -> bool,
) -> (Position, Position) {
    let order = segment.order(field);
    let text = |slot: u16| field.text(catalog, segment.doc(slot));
    let from = order.lower(|slot| text(slot).map_or(Ordering::Greater, |own| own.cmp(first)));
    let is_one = |slot: u16| match text(slot) {
        Some(own) if is_it(own) => Ordering::Less,
        _ => Ordering::Greater,
    };
    (from, order.lower_between(from, order.end(), is_one))
}
