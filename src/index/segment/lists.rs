//! The posting lists of a segment, by queue, by assignee and by signature, its unresolved half, and
//! the cases that are in no list.

use super::postings::Postings;
use crate::index::catalog::code;
use crate::index::catalog::{Catalog, Row};
use crate::index::collections::{KeptBitSet, NONE, Ordinal, Paged};

/// What lists a segment has. They change together, for each is split into the same halves.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct FieldPostings {
    pub(crate) queues: Postings,
    pub(crate) assignees: Postings,
    pub(crate) by_signature: Postings,
    /// The slots of live unresolved cases.
    pub(crate) unresolved: KeptBitSet,
    /// The slots of live cases in no queue, and of those that nobody has.
    pub(crate) no_queue: KeptBitSet,
    pub(crate) nobody: KeptBitSet,
    /// How many live cases have each signature's code.
    pub(crate) counts: Paged<u32, 128>,
}

impl FieldPostings {
    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        self.queues.references()
            + self.assignees.references()
            + self.by_signature.references()
            + self.unresolved.references()
            + self.no_queue.references()
            + self.nobody.references()
            + self.counts.references()
    }

    /// Takes a slot out of the lists that its new row, if any, is not in.
    pub(crate) fn remove(&mut self, catalog: &Catalog, slot: u16, old: &Row, new: Option<&Row>) {
        let unresolved = catalog.unresolved(old.signature);
        if old.assignee == NONE && new.is_none_or(|new| new.assignee != NONE) {
            self.nobody.remove(slot);
        }
        if is_in_no_queue(catalog, old) && !new.is_some_and(|new| is_in_no_queue(catalog, new)) {
            self.no_queue.remove(slot);
        }
        let new = new.filter(|new| catalog.unresolved(new.signature) == unresolved);
        if new.is_none() && unresolved {
            self.unresolved.remove(slot);
        }
        if new.is_none_or(|new| new.signature != old.signature) {
            self.by_signature.remove(old.signature, unresolved, slot);
            self.count(old.signature, -1);
        }
        if old.assignee != NONE && new.is_none_or(|new| new.assignee != old.assignee) {
            self.assignees.remove(old.assignee, unresolved, slot);
        }
        if new.is_none_or(|new| new.queues != old.queues) {
            for queue in catalog.queue_sets.get(old.queues).iter() {
                self.queues.remove(*queue, unresolved, slot);
            }
        }
    }

    /// Puts a slot into the lists that its old row, if any, was not in.
    pub(crate) fn insert(&mut self, catalog: &Catalog, slot: u16, row: &Row, old: Option<&Row>) {
        let unresolved = catalog.unresolved(row.signature);
        if row.assignee == NONE {
            self.nobody.insert(slot);
        }
        if is_in_no_queue(catalog, row) {
            self.no_queue.insert(slot);
        }
        let old = old.filter(|old| catalog.unresolved(old.signature) == unresolved);
        if old.is_none() && unresolved {
            self.unresolved.insert(slot);
        }
        if old.is_none_or(|old| old.signature != row.signature) {
            self.by_signature.insert(row.signature, unresolved, slot);
            self.count(row.signature, 1);
        }
        if row.assignee != NONE && old.is_none_or(|old| old.assignee != row.assignee) {
            self.assignees.insert(row.assignee, unresolved, slot);
        }
        if old.is_none_or(|old| old.queues != row.queues) {
            for queue in catalog.queue_sets.get(row.queues).iter() {
                self.queues.insert(*queue, unresolved, slot);
            }
        }
    }

    fn count(&mut self, signature: Ordinal, change: i32) {
        let at = usize::from(code(signature));
        self.counts.grow(at + 1, &0);
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.wrapping_add_signed(change);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let lists = self.queues.bytes() + self.assignees.bytes() + self.by_signature.bytes();
        lists + self.unresolved.bytes() + self.no_queue.bytes() + self.nobody.bytes()
    }

    /// Checks the lists against the rows of the live slots.
    pub(crate) fn validate<'r>(
        &self,
        catalog: &Catalog,
        live: impl Iterator<Item = (u16, &'r Row)>,
    ) -> Result<(), String> {
        let mut right = Self::default();
        live.for_each(|(slot, row)| right.insert(catalog, slot, row, None));
        let all = [&self.queues, &self.assignees, &self.by_signature];
        let same = |one: &Postings, other: &Postings| one.iter().eq(other.iter());
        let counts = |lists: &Self| {
            let mut counts: Vec<u32> = lists.counts.iter().copied().collect();
            counts.truncate(counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1));
            counts
        };
        let parts = [
            ("queues", same(&self.queues, &right.queues)),
            ("assignees", same(&self.assignees, &right.assignees)),
            ("signatures", same(&self.by_signature, &right.by_signature)),
            ("the unresolved half", self.unresolved == right.unresolved),
            ("cases in no queue", self.no_queue == right.no_queue),
            ("cases that nobody has", self.nobody == right.nobody),
            ("counts of signatures", counts(self) == counts(&right)),
            ("their bytes", all.iter().all(|lists| lists.is_bytes_right())),
        ];
        match parts.into_iter().find(|(_, is_right)| !is_right) {
            Some((what, _)) => Err(format!("the lists: {what}")),
            None => Ok(()),
        }
    }
}

fn is_in_no_queue(catalog: &Catalog, row: &Row) -> bool {
    catalog.queue_sets.get(row.queues).is_empty()
}
