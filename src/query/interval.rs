//! The slots between two positions of a segment's order: what a range of dates leaves, or what
//! shares one value.

use super::cost::{CODE_TEST, ROW_TEST, RUN_SUM, SIGNATURE_TEST};
use super::segment_context::SegmentContext;
use super::signature_docs::live_docs;
use super::signatures::{RunMask, Signatures};
use crate::index::{BitSet, Catalog, Field, Position, RunPart, Segment};

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

    /// How many slots. Cost: the runs.
    pub(super) fn len(&self, segment: &Segment) -> u64 {
        segment.order(self.field).distance(self.from, self.to) as u64
    }

    /// Whether a live slot of the segment is one of them, told by its value.
    #[inline]
    pub(super) fn has(&self, catalog: &Catalog, segment: &Segment, slot: u16) -> bool {
        let [first, own, last] = [self.first, slot, self.last].map(|slot| segment.doc(slot));
        self.field.compare(catalog, first, own).is_le()
            && self.field.compare(catalog, own, last).is_le()
    }

    /// The parts of runs that it is made of.
    fn parts<'s>(&self, segment: &'s Segment) -> impl Iterator<Item = RunPart<'s>> {
        segment.order(self.field).parts(self.from, self.to)
    }

    /// What tells some signatures by the codes of the order; nothing where these do not.
    fn run_mask<'s>(&self, segment: &Segment, signatures: &'s Signatures) -> Option<RunMask<'s>> {
        let is_counted = segment.order(self.field).is_counted();
        signatures.run_mask().filter(|_| is_counted)
    }

    /// The positions that bound the shorter of two ways to tell of the interval: whether these are
    /// what lies beside it, because it is most of its order, and the two stretches.
    pub(super) fn nearer(&self, segment: &Segment) -> (bool, [(Position, Position); 2]) {
        let order = segment.order(self.field);
        let (start, end) = (order.start(), order.end());
        let is_most = (self.to.run - self.from.run) * 2 > end.run;
        let own = [(self.from, self.to), (end, end)];
        (is_most, if is_most { [(start, self.from), (self.to, end)] } else { own })
    }

    /// Whether its slots of some signatures are sooner found by these than along the order.
    fn is_sooner_listed(&self, segment: &Segment, signatures: &Signatures) -> bool {
        if signatures.is_all {
            return false;
        }
        let is_by_code = self.run_mask(segment, signatures).is_some();
        let test = if is_by_code { CODE_TEST } else { SIGNATURE_TEST };
        // Of each listed case and of the interval's ends the rows are looked at.
        let listed = signatures.count_in(segment).saturating_mul(3 * ROW_TEST);
        listed < self.len(segment) * test
    }

    /// Hands on its slots that have some signatures, each by a look at its value. Cost: the slots
    /// of the signatures.
    fn for_each_listed(
        &self,
        context: SegmentContext<'_>,
        signatures: &Signatures,
        mut each: impl FnMut(u16),
    ) {
        let SegmentContext { segment, meter, .. } = context;
        meter.examine(signatures.count_in(segment) as usize);
        signatures.for_each_in(segment, |slot| {
            if self.has(context.catalog(), segment, slot) {
                each(slot);
            }
        });
    }

    /// Hands on its slots that have some signatures. Cost: its slots, or those of the signatures,
    /// whichever is less.
    pub(super) fn for_each_of(
        &self,
        context: SegmentContext<'_>,
        signatures: &Signatures,
        mut each: impl FnMut(u16),
    ) {
        let SegmentContext { segment, meter, .. } = context;
        if self.is_sooner_listed(segment, signatures) {
            return self.for_each_listed(context, signatures, each);
        }
        meter.examine(self.len(segment) as usize);
        let parts = self.parts(segment);
        if signatures.is_all {
            parts.flat_map(|part| part.slots()).for_each(|slot| each(*slot));
        } else if let Some(mask) = self.run_mask(segment, signatures) {
            let left = mask.codes();
            let pairs = parts.flat_map(|part| part.slots().iter().zip(part.codes()));
            pairs.filter(|(_, code)| left.has(**code)).for_each(|(slot, _)| each(*slot));
        } else {
            let has = |slot: &&u16| signatures.has(segment.signature(**slot));
            parts.flat_map(|part| part.slots()).filter(has).for_each(|slot| each(*slot));
        }
    }

    /// What `count_of` costs, in nanoseconds, about.
    pub(super) fn counting_cost(&self, segment: &Segment, signatures: &Signatures) -> u64 {
        if signatures.is_all {
            return 0;
        }
        let order = segment.order(self.field);
        let is_by_code = self.run_mask(segment, signatures).is_some();
        let cost = |(from, to): (Position, Position)| {
            let runs = (to.run - from.run) as u64;
            if is_by_code {
                // Of the runs where it begins and ends, codes are looked at.
                runs * RUN_SUM + (from.index + to.index) as u64 * CODE_TEST
            } else {
                order.distance(from, to) as u64 * SIGNATURE_TEST
            }
        };
        self.nearer(segment).1.into_iter().map(cost).sum()
    }

    /// How many of its slots have one of some signatures. Cost: the runs of the nearer stretch;
    /// where these do not count signatures, its slots or those of the signatures, whichever are
    /// fewer.
    pub(super) fn count_of(&self, context: SegmentContext<'_>, signatures: &Signatures) -> u64 {
        let SegmentContext { segment, meter, .. } = context;
        if signatures.is_all {
            return self.len(segment);
        }
        let mask = self.run_mask(segment, signatures);
        if mask.is_none() && self.is_sooner_listed(segment, signatures) {
            let mut count = 0;
            self.for_each_listed(context, signatures, |_| count += 1);
            return count;
        }
        let order = segment.order(self.field);
        let (is_most, stretches) = self.nearer(segment);
        let mut count = 0;
        for part in stretches.into_iter().flat_map(|(from, to)| order.parts(from, to)) {
            let (own, examined) = match mask {
                Some(mask) => mask.count_part(&part),
                None => {
                    let has = |slot: &&u16| signatures.has(segment.signature(**slot));
                    (part.slots().iter().filter(has).count(), part.slots().len())
                }
            };
            meter.examine(examined);
            count += own as u64;
        }
        if is_most { signatures.count_in(segment) - count } else { count }
    }

    /// Adds how many of its slots have each code to others. Its order counts signatures. Cost: the
    /// runs of the nearer stretch.
    pub(super) fn count_codes(&self, segment: &Segment, counts: &mut [u32]) {
        let (is_most, stretches) = self.nearer(segment);
        // Of most of an order, what lies beside it is taken off all.
        if is_most {
            add_pages(counts, segment.counts());
        }
        let change = |count: &mut u32, by: u32| {
            *count = count.wrapping_add(if is_most { by.wrapping_neg() } else { by });
        };
        let order = segment.order(self.field);
        for part in stretches.into_iter().flat_map(|(from, to)| order.parts(from, to)) {
            if part.is_whole() {
                let both = counts.iter_mut().zip(part.run.counts());
                both.for_each(|(count, times)| change(count, u32::from(*times)));
            } else {
                let codes = part.codes().iter();
                codes.for_each(|code| change(&mut counts[usize::from(*code)], 1));
            }
        }
    }
}

/// The slots between two positions of an order. Cost: these, or where they are most, the others.
pub(super) fn docs_between(
    context: SegmentContext<'_>,
    field: Field,
    from: Position,
    to: Position,
) -> BitSet {
    let SegmentContext { segment, meter, .. } = context;
    let order = segment.order(field);
    let count = order.distance(from, to);
    let others = segment.live() as usize - count;
    meter.examine(count.min(others));
    if count <= others {
        return order.between(from, to).collect();
    }
    let mut set = live_docs(segment);
    order.between(order.start(), from).for_each(|slot| set.remove(slot));
    order.between(to, order.end()).for_each(|slot| set.remove(slot));
    set
}

/// Adds numbers to others, in pages.
pub(super) fn add_pages<'c>(mut sums: &mut [u32], pages: impl Iterator<Item = &'c [u32]>) {
    for page in pages {
        let (own, rest) = sums.split_at_mut(page.len().min(sums.len()));
        own.iter_mut().zip(page).for_each(|(sum, count)| *sum += count);
        sums = rest;
    }
}
