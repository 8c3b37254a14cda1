//! Changing what one scope holds: a writer takes an index, and finishes as another one.
//!
//! Everything that changes an index is here, and what every change owes the whole (the zone map,
//! the signatures, what texts hold, the accounts of garbage) is settled before a call returns: an
//! index that is not settled cannot be had. A writer works on a clone, which shares every part with
//! the published index until it changes.
//!
//! Useful for batches and upkeep of one scope, one at a time. Not for what readers ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::catalog::{
    Catalog, ChangeBlock, DocAddress, Entered, Entry, Row, SEGMENT, SignatureSets, Unpacked,
    unpacked,
};
use super::collections::Ordinal;
use super::index::{Index, TITLES_A_SLOT};
use super::segment::{Revision, Segment, SegmentBytes, Update};
use super::substring::{Deltas, SubstringWriter};
use crate::threads::Threads;

/// For how many threads another segment is built at once: a segment has work for as many.
const THREADS_A_SEGMENT: usize = 4;

/// What changes did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changed {
    pub(crate) inserted: u64,
    pub(crate) replaced: u64,
    pub(crate) deleted: u64,
}

impl Changed {
    pub(crate) fn is_any(self) -> bool {
        self.inserted + self.replaced + self.deleted > 0
    }
}

/// An index that is being changed.
#[derive(Debug)]
#[must_use = "what was changed is in the index that it finishes as"]
pub(crate) struct IndexWriter {
    index: Index,
    /// The segments that changed since the index was settled.
    touched: BTreeSet<usize>,
    changed: Changed,
    /// New cases and revisions, in the order they came, that are not in segments yet: many at once
    /// cost less. There are none between two calls.
    inserts: Vec<Entry>,
    revisions: Vec<(DocAddress, Entry)>,
    /// What changed of texts since the index was settled.
    texts: Deltas,
}

impl IndexWriter {
    pub(crate) fn new(index: Index) -> Self {
        Self {
            index,
            touched: BTreeSet::new(),
            changed: Changed::default(),
            inserts: Vec::new(),
            revisions: Vec::new(),
            texts: Deltas::default(),
        }
    }

    /// The index as it is by now.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The changed index, and what was done.
    pub(crate) fn finish(self) -> (Index, Changed) {
        (self.index, self.changed)
    }

    /// Applies changes in order that were entered into this index's catalog.
    pub(crate) fn apply(&mut self, mut entered: Entered, threads: &Threads) {
        debug_assert!(entered.is_of(&self.index.catalog), "another catalog");
        self.pad();
        self.apply_blocks(entered.take(), threads);
    }

    /// Goes on with the upkeep of what texts hold for a number of slots; gives how many are left
    /// over. Cost: some microseconds a slot.
    pub(crate) fn merge(&mut self, slots: usize) -> usize {
        let titles = slots.saturating_mul(TITLES_A_SLOT);
        self.substrings().merge(titles).div_ceil(TITLES_A_SLOT)
    }

    /// Goes on with it on an index that nobody waits for. Cost: besides, a good part of a
    /// microsecond for each title now and then.
    pub(super) fn merge_aside(&mut self, slots: usize) -> usize {
        let titles = slots.saturating_mul(TITLES_A_SLOT);
        self.substrings().merge_aside(titles).div_ceil(TITLES_A_SLOT)
    }

    fn substrings(&mut self) -> SubstringWriter<'_> {
        SubstringWriter::new(&mut self.index.substrings, &self.index.catalog)
    }

    /// Applies changes whose rows were made for this index's catalog. Each block is freed once all
    /// its cases stand in segments.
    pub(super) fn apply_blocks(&mut self, blocks: Vec<Arc<ChangeBlock>>, threads: &Threads) {
        let before = self.changed;
        let full = SEGMENT * threads.count().div_ceil(THREADS_A_SEGMENT);
        for block in blocks {
            for change in unpacked(&block) {
                match change {
                    Unpacked::Upsert(entry) => self.upsert(entry, full, threads),
                    Unpacked::Delete(id) => {
                        self.append(threads);
                        self.revise();
                        self.delete(id);
                    }
                }
            }
        }
        self.append(threads);
        self.revise();
        self.settle(threads);
        self.account(before);
    }

    /// Takes up a case: a new one until there are many or something else comes, one whose id has
    /// an address until something is deleted. `full` is how many new ones are many.
    fn upsert(&mut self, entry: Entry, full: usize, threads: &Threads) {
        let (address, is_new) = self.index.catalog.ids.address(entry.id());
        if is_new {
            self.changed.inserted += 1;
            self.inserts.push(entry);
            let count = self.inserts.len();
            if count >= full && (self.index.slots() + count).is_multiple_of(SEGMENT) {
                self.append(threads);
            }
            return;
        }
        if address.0 as usize >= self.index.slots() {
            // The case that has its address is itself among the new ones.
            self.append(threads);
        }
        self.revisions.push((address, entry));
    }

    /// Puts new cases at the end, several segments of them in parallel.
    fn append(&mut self, threads: &Threads) {
        let mut entries = std::mem::take(&mut self.inserts);
        entries.iter().for_each(|entry| self.count(None, Some(entry.row())));
        // Each part is a segment and the entries that go into it.
        let mut parts: Vec<(usize, Arc<Segment>, Vec<Entry>)> = Vec::new();
        let mut at = self.index.slots();
        while !entries.is_empty() {
            let number = at / SEGMENT;
            let after = entries.split_off(entries.len().min((number + 1) * SEGMENT - at));
            at += entries.len();
            if number == self.index.segments.len() {
                self.add_segment();
            }
            if let Some(segment) = self.index.segments.get(number) {
                parts.push((number, Arc::clone(segment), entries));
            }
            entries = after;
        }
        let catalog = &*self.index.catalog;
        let build = |(number, mut segment, entries): (usize, Arc<Segment>, Vec<Entry>)| {
            let before = segment.bytes();
            Arc::make_mut(&mut segment).extend(catalog, &entries, threads);
            (number, segment, before)
        };
        for (number, segment, before) in threads.map(parts, build) {
            self.touched.insert(number);
            self.index.segment_bytes.change(before, segment.bytes());
            if let Some(shared) = self.index.segments.get_mut(number) {
                *shared = segment;
            }
        }
    }

    /// Puts cases at addresses that were given, a segment after the other.
    fn revise(&mut self) {
        let mut revisions = std::mem::take(&mut self.revisions);
        let all = revisions.len();
        // Of cases with the same id the last one stays: it stands last among them.
        revisions.reverse();
        revisions.sort_by_key(|(address, _)| *address);
        revisions.dedup_by_key(|(address, _)| *address);
        self.changed.replaced += (all - revisions.len()) as u64;
        for cases in revisions.chunk_by(|(one, _), (other, _)| one.segment() == other.segment()) {
            let upserts: Vec<_> =
                cases.iter().map(|(address, own)| Revision::upsert(address.slot(), own)).collect();
            self.update(cases[0].0.segment(), &upserts);
        }
    }

    /// Takes a case out, if it is there.
    fn delete(&mut self, id: &str) {
        if let Some(address) = self.index.find(id) {
            self.update(address.segment(), &[Revision::delete(address.slot())]);
        }
    }

    /// Applies revisions to a segment, no two of them to one slot.
    fn update(&mut self, number: usize, revisions: &[Revision<'_>]) {
        let updates = self.change(number, |segment, catalog| segment.update(catalog, revisions));
        for Update { old, new, .. } in updates.iter().flatten() {
            self.count(old.as_ref(), *new);
            self.changed.inserted += u64::from(old.is_none() && new.is_some());
            self.changed.replaced += u64::from(old.is_some() && new.is_some());
            self.changed.deleted += u64::from(old.is_some() && new.is_none());
        }
    }

    /// Changes a segment, a clone where it is published.
    fn change<T>(
        &mut self,
        number: usize,
        change: impl FnOnce(&mut Segment, &Catalog) -> T,
    ) -> Option<T> {
        let Index { segments, catalog, segment_bytes, .. } = &mut self.index;
        let segment = Segment::to_change(segments.get_mut(number)?);
        let before = segment.bytes();
        let done = change(segment, catalog);
        segment_bytes.change(before, segment.bytes());
        self.touched.insert(number);
        Some(done)
    }

    fn add_segment(&mut self) {
        let number = self.index.segments.len();
        let segment = Segment::new(number);
        self.index.segment_bytes.change(SegmentBytes::default(), segment.bytes());
        self.index.segments.push(Arc::new(segment));
        self.index.zone_map.add(number as u32);
    }

    /// Leaves empty slots for ids whose write was never finished: the catalog has given them
    /// addresses.
    fn pad(&mut self) {
        for address in self.index.slots()..self.index.catalog.ids.len() {
            let number = address / SEGMENT;
            if number == self.index.segments.len() {
                self.add_segment();
            }
            self.change(number, |segment, _| segment.push_empty());
        }
    }

    /// Counts a case under its new row, if it has one, and no longer under its old one.
    fn count(&mut self, old: Option<&Row>, new: Option<&Row>) {
        let index = &mut self.index;
        index.live = index.live + u64::from(new.is_some()) - u64::from(old.is_some());
        for (row, change) in [(old, -1), (new, 1)] {
            let Some(row) = row else { continue };
            let texts = index.catalog.needed(row);
            index.live_texts =
                if change > 0 { index.live_texts + texts } else { index.live_texts - texts };
            index.signature_counts.add(row.signature as usize, change);
        }
        let key_set = |row: &Row| row.key_set;
        index.key_counts.count(old.map(key_set), new.map(key_set), &index.catalog.key_sets);
        let text = |row: &Row| (row.title, index.catalog.unresolved(row.signature));
        self.texts.push(old.map(text), new.map(text));
    }

    /// Brings up to the segments and the catalog what is kept of all of them.
    fn settle(&mut self, threads: &Threads) {
        let index = &mut self.index;
        for number in std::mem::take(&mut self.touched) {
            let Some(segment) = index.segments.get_mut(number) else { continue };
            let zones = &mut index.zone_map;
            Arc::make_mut(segment).settle_ends(&index.catalog, |field, ends| {
                zones.note(field, number as u32, ends);
            });
        }
        let signatures = &index.catalog.signatures;
        let known = index.signatures.len();
        if known < signatures.len() {
            for ordinal in known..signatures.len() {
                index.signatures.push(*signatures.get(ordinal as Ordinal));
            }
            SignatureSets::add_to(&mut index.signature_sets, &index.catalog, known);
        }
        index.signature_counts.grow(index.signatures.len(), &0);
        let texts = std::mem::take(&mut self.texts);
        self.substrings().flush(texts, threads);
    }

    /// Adds what changes have left behind in the catalog to the garbage. `before` is what was done
    /// before them.
    fn account(&mut self, before: Changed) {
        let index = &mut self.index;
        let catalog_bytes = index.catalog.value_bytes();
        // What came with changes that were never applied is all garbage.
        let abandoned = index.catalog.take_abandoned();
        let grown = catalog_bytes.saturating_sub(index.catalog_bytes).saturating_sub(abandoned);
        let (inserted, replaced, deleted) = (
            self.changed.inserted - before.inserted,
            self.changed.replaced - before.replaced,
            self.changed.deleted - before.deleted,
        );
        // A replaced case leaves as much as the one in its place brought: no more than all did.
        let by_replaced = u128::from(grown) * u128::from(replaced);
        let by_replaced = by_replaced.checked_div(u128::from(inserted + replaced)).unwrap_or(0);
        // A deleted one leaves as much as any.
        let a_case = catalog_bytes / (index.catalog.ids.len() as u64).max(1);
        index.garbage += by_replaced as u64 + deleted * a_case + abandoned;
        index.catalog_bytes = catalog_bytes;
    }
}
