//! Posting lists of a segment: for each value the slots that have it, as roaring bitmaps.
//!
//! Useful for "the cases of this queue", few among many. Each list is split into unresolved and
//! done, for desks look at unresolved cases nearly always and those are few. Not for fields of few
//! values: signatures answer those by counts.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::dictionary::Ordinal;
use super::paged::Paged;

/// How many values share a page.
const PAGE: usize = 8;

/// The slots of one value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Split {
    pub(crate) unresolved: RoaringBitmap,
    pub(crate) done: RoaringBitmap,
}

impl Split {
    fn half(&mut self, unresolved: bool) -> &mut RoaringBitmap {
        if unresolved { &mut self.unresolved } else { &mut self.done }
    }

    pub(crate) fn len(&self) -> u64 {
        self.unresolved.len() + self.done.len()
    }
}

/// The lists of one field, by ordinal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Postings {
    lists: Paged<Option<Arc<Split>>, PAGE>,
}

impl Postings {
    pub(crate) fn get(&self, ordinal: Ordinal) -> Option<&Split> {
        self.lists.get(ordinal as usize)?.as_deref()
    }

    pub(super) fn insert(&mut self, ordinal: Ordinal, unresolved: bool, slot: u16) {
        self.lists.grow(ordinal as usize + 1, &None);
        if let Some(list) = self.lists.get_mut(ordinal as usize) {
            Arc::make_mut(list.get_or_insert_default()).half(unresolved).insert(slot.into());
        }
    }

    pub(super) fn remove(&mut self, ordinal: Ordinal, unresolved: bool, slot: u16) {
        if let Some(place) = self.lists.get_mut(ordinal as usize)
            && let Some(list) = place
        {
            let split = Arc::make_mut(list);
            split.half(unresolved).remove(slot.into());
            if split.len() == 0 {
                *place = None;
            }
        }
    }

    /// How many references there are to what a clone shares.
    pub(super) fn references(&self) -> usize {
        self.lists.references()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Ordinal, &Split)> {
        let lists = self.lists.iter().enumerate();
        lists.filter_map(|(ordinal, list)| Some((ordinal as Ordinal, list.as_deref()?)))
    }

    pub(super) fn bytes(&self) -> usize {
        let size = |bitmap: &RoaringBitmap| bitmap.serialized_size() + 64;
        self.lists.len() * 8
            + self
                .iter()
                .map(|(_, list)| size(&list.unresolved) + size(&list.done) + 16)
                .sum::<usize>()
    }
}
