//! All cases in the order of `_id`s: a merge of the segments' kept orders.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fmt;

use super::page;
use crate::contract::Document;
use crate::index::{Field, Index, Position, Segment};

/// The cases of a snapshot in the order of `_id`s; what
/// [`Snapshot::cases`](crate::Snapshot::cases) gives.
pub struct Cases<'s> {
    index: &'s Index,
    /// The next case of each segment that has one.
    heads: BinaryHeap<Head<'s>>,
}

struct Head<'s> {
    id: &'s str,
    segment: &'s Segment,
    slot: u16,
    at: Position,
}

impl<'s> Head<'s> {
    fn new(index: &'s Index, segment: &'s Segment, at: Position) -> Option<Self> {
        let slot = segment.order(Field::Id).get(at)?;
        Some(Self { id: index.catalog().ids.id(segment.address(slot)), segment, slot, at })
    }
}

impl Ord for Head<'_> {
    /// The greatest comes first out of a heap: the least `_id`.
    fn cmp(&self, other: &Self) -> Ordering {
        other.id.cmp(self.id)
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head<'_> {}

impl<'s> Cases<'s> {
    /// Those behind an `_id`.
    pub(crate) fn new(index: &'s Index, behind: &str) -> Self {
        let ids = &index.catalog().ids;
        let heads = index.segments().iter().filter_map(|segment| {
            let at = segment.order(Field::Id).lower(|slot| {
                let is_before = ids.id(segment.address(slot)) <= behind;
                if is_before { Ordering::Less } else { Ordering::Greater }
            });
            Head::new(index, segment, at)
        });
        Self { index, heads: heads.collect() }
    }
}

impl Iterator for Cases<'_> {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        let mut head = self.heads.peek_mut()?;
        let address = head.segment.address(head.slot);
        let after = head.segment.order(Field::Id).after(head.at);
        match Head::new(self.index, head.segment, after) {
            Some(next) => *head = next,
            None => _ = PeekMut::pop(head),
        }
        Some(page::get(address, self.index))
    }
}

impl fmt::Debug for Cases<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cases").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::made;

    #[test]
    fn whatever_was_there_all_the_time_comes_once() {
        let index = made::index(500);
        let ids: Vec<_> = Cases::new(&index, "").map(|own| own.id().to_owned()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(ids.len() as u64, index.len());
        for behind in ["", "c1", "c100", "c1000", "c3", "c333x", "d"] {
            let right = ids.iter().filter(|id| id.as_str() > behind);
            let found = Cases::new(&index, behind).map(|own| own.id().to_owned());
            assert!(right.eq(found.collect::<Vec<_>>().iter()), "{behind}");
        }
    }
}
