//! A segment's matches gathered and sorted.

use super::super::docset::DocSet;
use super::compare::Compare;
use super::scan::Step;
use crate::index::DocAddress;

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
        let order = |a: &(u64, u16), b: &(u64, u16)| {
            a.0.cmp(&b.0).then_with(|| compare.merged_slots(segment, a.1, b.1))
        };
        if wanted > 0 && wanted < list.len() {
            let last = *list.select_nth_unstable_by(wanted - 1, order).1;
            if compare.has_kept_tail {
                list.truncate(wanted);
            } else {
                // Other keys may choose among all that are equal.
                list.retain(|own| order(own, &last).is_le());
            }
        }
        list.sort_unstable_by(|a, b| order(b, a));
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
