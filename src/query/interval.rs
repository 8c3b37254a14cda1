//! The slots between two positions of a segment's order: what a range of dates leaves, or what
//! shares one value.

use super::cost::{CODE_TEST, ROW_TEST, RUN_SUM, SIGNATURE_TEST};
use super::plan::Plan;
use super::signature_docs::{counted, each_of_signatures};
use super::signatures::Signatures;
use crate::index::{Catalog, Field, Order, Position, Segment};

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

/// The parts of an order that tell of a range: its own, or where it is most of the order, what lies
/// beside it.
pub(super) fn nearer(
    order: &Order,
    from: Position,
    to: Position,
) -> (bool, [(Position, Position); 2]) {
    let (start, end) = (order.start(), order.end());
    let is_most = (to.run - from.run) * 2 > end.run;
    (is_most, if is_most { [(start, from), (to, end)] } else { [(from, to), (end, end)] })
}

/// Whether those slots of an interval that have some signatures are sooner found by these than
/// along the order.
pub(super) fn is_sooner_listed(
    segment: &Segment,
    signatures: &Signatures,
    interval: &Interval,
) -> bool {
    if signatures.is_all {
        return false;
    }
    let is_by_code = segment.order(interval.field).is_counted() && signatures.are_counted();
    let test = if is_by_code { CODE_TEST } else { SIGNATURE_TEST };
    // Of each listed case and of the interval's ends the rows are looked at.
    let listed = counted(segment, signatures).saturating_mul(3 * ROW_TEST);
    listed < interval.len(segment) * test
}

/// Hands on the slots of some signatures that are in an interval. Cost: a look at each of the
/// signatures' slots.
pub(super) fn each_listed_within(
    plan: &Plan<'_>,
    segment: &Segment,
    signatures: &Signatures,
    interval: &Interval,
    mut each: impl FnMut(u16),
) {
    each_of_signatures(segment, signatures, |slot| {
        if interval.has(plan.index.catalog(), segment, slot) {
            each(slot);
        }
    });
}

/// What `count_between` costs, in nanoseconds, about.
pub(super) fn counting_cost(
    segment: &Segment,
    signatures: &Signatures,
    interval: &Interval,
) -> u64 {
    if signatures.is_all {
        return 0;
    }
    let order = segment.order(interval.field);
    let (_, parts) = nearer(order, interval.from, interval.to);
    let cost = |(from, to): (Position, Position)| {
        let runs = (to.run - from.run) as u64;
        if order.is_counted() && signatures.are_counted() {
            // Of the runs where it begins and ends, codes are looked at.
            runs * RUN_SUM + (from.index + to.index) as u64 * CODE_TEST
        } else {
            order.distance(from, to) as u64 * SIGNATURE_TEST
        }
    };
    parts.into_iter().map(cost).sum()
}

/// How many slots between two positions of an order have one of the signatures. Cost: the runs of
/// the nearer part; where these do not count signatures, its slots or those of the signatures,
/// whichever are fewer.
pub(super) fn count_between(
    plan: &Plan<'_>,
    segment: &Segment,
    signatures: &Signatures,
    interval: &Interval,
) -> u64 {
    let order = segment.order(interval.field);
    if signatures.is_all {
        return interval.len(segment);
    }
    let by_runs = order.is_counted() && signatures.are_counted();
    if !by_runs && is_sooner_listed(segment, signatures, interval) {
        let mut count = 0;
        plan.meter.examine(counted(segment, signatures) as usize);
        each_listed_within(plan, segment, signatures, interval, |_| count += 1);
        return count;
    }
    let (is_most, parts) = nearer(order, interval.from, interval.to);
    let mut count = 0;
    for part in parts.into_iter().flat_map(|(from, to)| order.parts(from, to)) {
        count += if by_runs {
            let (count, examined) = signatures.count_part(&part);
            plan.meter.examine(examined);
            count
        } else {
            let slots = part.slots();
            plan.meter.examine(slots.len());
            slots.iter().filter(|slot| signatures.has(segment.signature(**slot))).count()
        };
    }
    if is_most { counted(segment, signatures) - count as u64 } else { count as u64 }
}
