//! The slots between two positions of a segment's order: what a range of dates leaves, or what
//! shares one value.

use crate::index::{Catalog, Field, Position, Segment};

/// Slots that follow one another in an order.
///
/// Useful for telling them from others without listing them: by position along that order, by
/// value along any other. Not for slots of several segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) field: Field,
    pub(super) from: Position,
    pub(super) to: Position,
    /// The first and the last slot.
    first: u16,
    last: u16,
}

impl Interval {
    /// Nothing where no slot stands between the positions.
    pub(super) fn new(
        segment: &Segment,
        field: Field,
        (from, to): (Position, Position),
    ) -> Option<Self> {
        let order = segment.order(field);
        let first = order.get(from).filter(|_| from < to)?;
        let (_, last) = order.before(to)?;
        Some(Self { field, from, to, first, last })
    }

    /// How many slots.
    pub(super) fn len(&self, segment: &Segment) -> u64 {
        segment.order(self.field).distance(self.from, self.to) as u64
    }

    /// Whether a live slot of the segment is one of them, told by its value.
    #[inline]
    pub(super) fn has(&self, catalog: &Catalog, segment: &Segment, slot: u16) -> bool {
        let [first, own, last] = [self.first, slot, self.last].map(|slot| segment.spot(slot));
        self.field.compare(catalog, first, own).is_le()
            && self.field.compare(catalog, own, last).is_le()
    }
}
