//! A segment's matches gathered and sorted: by their keys, and those whose keys say nothing by the
//! values themselves, or by the order that the segment keeps.

use super::super::cost::{PASS, SEARCH, SLOT_BY_TEST, TIE};
use super::super::docset::DocSet;
use super::super::select::ranks;
use super::compare::Compare;
use super::scan::Step;
use crate::index::{BitSet, DocAddress, Position};

/// Sorted matches, the next at the end, with their keys.
pub(super) struct SortedRun(Vec<(u64, u16)>);

impl SortedRun {
    pub(super) const EMPTY: Self = Self(Vec::new());

    /// A segment's matches: no more than are wanted, and those that equal the last of them where
    /// other keys break ties. Only those that come after a slot, where one is given, and that are
    /// to come at all. Cost: a look at each match, and the sort of those that are wanted.
    pub(super) fn gather(
        compare: &Compare<'_>,
        docs: &DocSet<'_>,
        wanted: usize,
        after: Option<u16>,
    ) -> Self {
        let segment = docs.segment;
        let mut list = Vec::with_capacity(docs.known().map_or(0, |count| count as usize));
        let after = after.map(|slot| segment.doc(slot));
        let least = after.map_or(0, |after| compare.key(after));
        docs.for_each(|slot| {
            let key = compare.key(segment.doc(slot));
            if key >= least {
                list.push((key, slot));
            }
        });
        if let Some(start) = &compare.start {
            let least = start.key;
            list.retain(|(key, slot)| {
                *key > least || *key == least && start.is_ahead(segment.doc(*slot))
            });
        }
        if let Some(after) = after {
            let follows = |slot| compare.as_kept(segment.doc(slot), after).is_gt();
            list.retain(|(key, slot)| *key > least || follows(*slot));
        }
        sort(compare, docs, &mut list, wanted);
        list.reverse();
        Self(list)
    }

    pub(super) fn next(&mut self) -> Step {
        self.0.pop().map_or(Step::End, |(_, slot)| Step::Match(slot))
    }

    /// Puts matches after others as far as they come before the best key of other segments, up to
    /// so many addresses.
    pub(super) fn bulk_take(
        &mut self,
        docs: &DocSet<'_>,
        bound: Option<u64>,
        addresses: &mut Vec<DocAddress>,
        end: usize,
    ) {
        let precedes = |(key, _): &mut (u64, u16)| bound.is_none_or(|bound| *key < bound);
        while addresses.len() < end
            && let Some((_, slot)) = self.0.pop_if(precedes)
        {
            addresses.push(docs.segment.address(slot));
        }
    }

    /// Drops those at the front that are as told.
    pub(super) fn skip_while(&mut self, is: impl Fn(u16) -> bool) {
        while self.0.pop_if(|(_, slot)| is(*slot)).is_some() {}
    }
}

/// Sorts matches. Where fewer are wanted, 0 being none fewer, only the first of them are left, and
/// those that equal the last one of these where other keys break ties.
fn sort(compare: &Compare<'_>, docs: &DocSet<'_>, list: &mut Vec<(u64, u16)>, wanted: usize) {
    let by_key = |own: &(u64, u16)| own.0;
    let wanted = if wanted == 0 { list.len() } else { wanted.min(list.len()) };
    if wanted < list.len() {
        let last = list.select_nth_unstable_by_key(wanted - 1, by_key).1.0;
        list.retain(|(key, _)| *key <= last);
    }
    list.sort_unstable_by_key(by_key);
    let mut before = 0;
    for ties in list.chunk_by_mut(|a, b| a.0 == b.0) {
        if ties.len() > 1 {
            sort_ties(compare, docs, ties, wanted - before);
        }
        before += ties.len();
    }
    if wanted < list.len() {
        let rest = list.split_off(wanted);
        if let Some(last) = list.last().copied().filter(|_| !compare.has_kept_tail) {
            // All that is left behind it has its key.
            let ties = |own: &(u64, u16)| compare.merged_slots(docs.segment, own.1, last.1).is_eq();
            list.extend(rest.into_iter().filter(ties));
        }
    }
}

/// Moves the first of some matches with one key to where they belong, so many of them. Cost: what
/// is less of comparing them, and of going along all slots that have the key.
fn sort_ties(compare: &Compare<'_>, docs: &DocSet<'_>, ties: &mut [(u64, u16)], wanted: usize) {
    let count = ties.len() as u64;
    let sorted = wanted.min(ties.len()) as u64;
    // Those before the last one that is wanted are found by some three looks at each.
    let selected = if sorted < count { 3 * count } else { 0 };
    let compared = (selected + sorted * u64::from(sorted.max(1).ilog2())) * TIE;
    // A bit set tells which of the slots that have the key are among them.
    let apart = 2 * SEARCH + PASS;
    if apart + SLOT_BY_TEST * count < compared
        && let Some(&(key, _)) = ties.first()
        && let Some((from, to)) = positions(compare, docs, key)
        && let slots = docs.segment.order(compare.field).distance(from, to) as u64
        && apart + SLOT_BY_TEST * slots < compared
    {
        return sort_along(compare, docs, ties, (from, to));
    }
    ranks(ties, 0..wanted, |a, b| compare.merged_slots(docs.segment, a.1, b.1));
}

/// Where the slots stand in the kept order that have a key of the asked one; nothing where they do
/// not stand together: against the order, the least key is as no value is.
fn positions(compare: &Compare<'_>, docs: &DocSet<'_>, key: u64) -> Option<(Position, Position)> {
    let order = docs.segment.order(compare.field);
    let kept = |slot: u16| compare.field.key(compare.catalog(), docs.segment.doc(slot));
    let at = |key: u64| order.at_key(key, kept);
    if key == u64::MAX && compare.is_reversed && at(1) > order.start() {
        return None;
    }
    let key = compare.directed(key);
    Some((at(key), key.checked_add(1).map_or(order.end(), at)))
}

/// Sorts all matches that stand between two positions of the kept order as they stand there;
/// against the order, values run backwards and equal ones as they are kept.
fn sort_along(
    compare: &Compare<'_>,
    docs: &DocSet<'_>,
    ties: &mut [(u64, u16)],
    (from, to): (Position, Position),
) {
    let segment = docs.segment;
    let set: BitSet = ties.iter().map(|(_, slot)| *slot).collect();
    let slots = segment.order(compare.field).between(from, to).filter(|slot| set.has(*slot));
    ties.iter_mut().zip(slots).for_each(|(own, slot)| own.1 = slot);
    if compare.is_reversed && ties.first().is_some_and(|own| own.0 != u64::MAX) {
        ties.reverse();
        let is_equal = |a: &(u64, u16), b: &(u64, u16)| {
            compare.first(segment.doc(a.1), segment.doc(b.1)).is_eq()
        };
        ties.chunk_by_mut(is_equal).for_each(<[_]>::reverse);
    }
}
