//! The catalog and the segments of one instant, of one scope.

use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(test)]
use super::catalog::Resource;
use super::catalog::{
    Catalog, ChangeBlock, Entered, Entry, Field, Full, KeyCounts, Limits, Place, Row, SEGMENT,
    Signature, SignatureFilter, SignatureSet, SignatureSets, Unpacked, unpacked,
};
use super::collections::{Ordinal, Paged, sized};
use super::segment::{Revision, Segment, SegmentBytes};
use super::substring::Substrings;
use super::zone_map::{Zone, ZoneMap};
use crate::threads::Threads;

/// Up to how many bytes of the catalog are no waste.
const FEW: u64 = sized(1 << 18, 1 << 12) as u64;

/// How many titles are gone through in upkeep for a slot: they cost less than a case built anew.
const TITLES_A_SLOT: usize = 16;

/// For how many threads another segment is built at once: a segment has work for as many.
const THREADS_A_SEGMENT: usize = 4;

/// What one scope holds. A clone costs a few pointers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    catalog: Arc<Catalog>,
    segments: Paged<Arc<Segment>, 1>,
    /// What all segments have allocated, part by part.
    parts: SegmentBytes,
    zone_map: ZoneMap,
    substrings: Substrings,
    /// The catalog's signatures, side by side.
    signatures: Paged<Signature, 64>,
    sets: Arc<SignatureSets>,
    /// How many live cases have each signature.
    counts: Paged<u32, 64>,
    keys: KeyCounts,
    live: u64,
    /// About how many bytes of the catalog cases left that were replaced or deleted.
    left: u64,
    /// How many bytes of the catalog's own texts live cases need at most.
    needed: u64,
    /// About how many bytes the catalog took when changes were applied last.
    weighed: u64,
}

/// What changes did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changed {
    pub(crate) inserted: u64,
    pub(crate) replaced: u64,
    pub(crate) deleted: u64,
}

/// How many bytes each part of an index takes, about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bytes {
    pub(crate) ids: usize,
    pub(crate) documents: usize,
    pub(crate) text: usize,
    pub(crate) columns: usize,
    pub(crate) postings: usize,
    pub(crate) orders: usize,
    pub(crate) signatures: usize,
}

impl Index {
    /// One that holds nothing.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { catalog: Arc::new(Catalog::new(limits)), ..Self::default() }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.catalog.limits
    }

    /// How much there is of what is limited.
    #[cfg(test)]
    pub(super) fn used(&self, resource: Resource) -> u64 {
        self.catalog.used(resource)
    }

    pub(crate) fn len(&self) -> u64 {
        self.live
    }

    #[inline]
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    #[inline]
    pub(crate) fn segments(&self) -> &Paged<Arc<Segment>, 1> {
        &self.segments
    }

    /// The segment that a zone stands for.
    pub(crate) fn at(&self, zone: &Zone) -> Option<&Segment> {
        self.segments.get(zone.segment as usize).map(|segment| &**segment)
    }

    /// The segments by their best keys.
    pub(crate) fn zone_map(&self) -> &ZoneMap {
        &self.zone_map
    }

    /// What texts hold.
    pub(crate) fn substrings(&self) -> &Substrings {
        &self.substrings
    }

    /// How much the upkeep of what texts hold is behind, about, as slots.
    pub(crate) fn untidy(&self) -> usize {
        self.substrings.left().div_ceil(TITLES_A_SLOT)
    }

    /// Goes on with the upkeep of what texts hold; gives how many slots are left over. Cost: some
    /// microseconds a slot.
    pub(crate) fn tidy(&mut self, slots: usize) -> usize {
        let titles = slots.saturating_mul(TITLES_A_SLOT);
        self.substrings.merge(&self.catalog, titles).div_ceil(TITLES_A_SLOT)
    }

    /// The same for one that nobody waits for. Cost: besides, a good part of a microsecond for each
    /// title now and then.
    pub(super) fn tidy_aside(&mut self, slots: usize) -> usize {
        let titles = slots.saturating_mul(TITLES_A_SLOT);
        self.substrings.merge_aside(&self.catalog, titles).div_ceil(TITLES_A_SLOT)
    }

    /// Every signature that a case may have, by ordinal, in pages.
    pub(crate) fn signatures(&self) -> &Paged<Signature, 64> {
        &self.signatures
    }

    /// Which signatures have a value.
    pub(crate) fn signature_sets(&self) -> &SignatureSets {
        &self.sets
    }

    /// The signatures that are as asked.
    pub(crate) fn signatures_as(&self, asked: &SignatureFilter) -> SignatureSet {
        let get = |ordinal: Ordinal| self.signatures.get(ordinal as usize);
        self.signature_sets().leave(asked, self.signatures.len(), get)
    }

    /// How many live cases have each signature, in pages as `signatures` has them.
    pub(crate) fn counts(&self) -> &Paged<u32, 64> {
        &self.counts
    }

    /// Where a live case is.
    pub(crate) fn find(&self, id: &str) -> Option<Place> {
        self.catalog.ids.find(id).filter(|place| self.is_live(*place))
    }

    /// Whether a case is in a place that was given.
    pub(super) fn is_live(&self, place: Place) -> bool {
        self.segments.get(place.segment()).is_some_and(|segment| segment.is_live(place.slot()))
    }

    #[inline]
    pub(crate) fn segment(&self, place: Place) -> &Segment {
        match self.segments.get(place.segment()) {
            Some(segment) => segment,
            None => unreachable!("{place:?} was not given"),
        }
    }

    #[inline]
    pub(crate) fn row(&self, place: Place) -> &Row {
        self.segment(place).row(place.slot())
    }

    /// Every live document, by place.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Box<str>> {
        self.segments.iter().flat_map(|segment| {
            let slots = (0..segment.slots()).map(|slot| slot as u16);
            let live = slots.filter(|slot| segment.is_live(*slot));
            live.map(|slot| segment.document(&self.catalog, slot))
        })
    }

    /// Whether any live case has this top-level key. Cost: a look-up.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.keys.has(name, &self.catalog.key_sets)
    }

    /// Where changes are entered, with values of this index.
    pub(crate) fn entered(&self) -> Entered {
        Entered::new(&self.catalog)
    }

    /// Changes that were entered into another catalog, which this one took the place of since,
    /// entered again; others as they are.
    ///
    /// # Errors
    /// What there is no room for here.
    pub(crate) fn adopt(&self, mut entered: Entered) -> Result<Entered, Full> {
        if entered.is_of(&self.catalog) { Ok(entered) } else { entered.again(&self.catalog) }
    }

    /// Applies changes in order that were entered into this catalog.
    pub(crate) fn apply(&mut self, mut entered: Entered, threads: &Threads) -> Changed {
        debug_assert!(entered.is_of(&self.catalog), "another catalog");
        self.pad();
        let before = self.weighed;
        let mut touched = BTreeSet::new();
        let changed = self.apply_blocks(entered.take(), &mut touched, threads);
        self.settle(&touched, threads);
        // What replaced cases brought stands for as much that they left; and a deleted one leaves
        // as much as any brought. What came with changes that were never applied is all garbage.
        let abandoned = self.catalog.take_abandoned();
        let grown = self.weighed.saturating_sub(before).saturating_sub(abandoned);
        let upserts = u128::from(changed.inserted + changed.replaced);
        let replaced = u128::from(grown) * u128::from(changed.replaced);
        // No more than has grown.
        let left = replaced.checked_div(upserts).unwrap_or(0) as u64;
        let a_case = self.weighed / (self.catalog.ids.len() as u64).max(1);
        self.left += left + changed.deleted * a_case + abandoned;
        changed
    }

    /// Whether so much of the catalog is garbage that the scope is worth building anew: little of
    /// it is no waste, but where it takes room that is limited.
    pub(super) fn is_wasteful(&self) -> bool {
        let garbage = self.garbage();
        let matters = garbage > FEW || self.catalog.is_half_full();
        matters && garbage * 4 > self.catalog.weight()
    }

    /// About how many bytes of the catalog no live case has a use for: those that cases left which
    /// were replaced or deleted, or that came with none; or if that is more, the part of its texts
    /// that live cases would not need even if each of them had texts of its own. The latter tells
    /// of long texts that came with cases which are deleted.
    fn garbage(&self) -> u64 {
        let (texts, all) = (self.catalog.own_texts(), self.catalog.weight());
        let unneeded = u128::from(texts.saturating_sub(self.needed)) * u128::from(all);
        // No more than all of it.
        let left = self.left + self.catalog.abandoned();
        left.max((unneeded / u128::from(texts.max(1))) as u64)
    }

    /// Whether so many segments hold cases of the same times that the scope is worth building anew
    /// in order. The more segments there are, the more must overlap: each case is built anew only
    /// a few times, however many come.
    pub(super) fn is_disordered(&self) -> bool {
        let ends = self.segments.iter().map(|segment| segment.ends(Field::Created));
        let ends: Vec<_> = ends.filter(|ends| ends.first <= ends.last).collect();
        let first = ends.iter().map(|ends| ends.first).min().unwrap_or(0);
        let last = ends.iter().map(|ends| ends.last).max().unwrap_or(0);
        let spans: u128 = ends.iter().map(|ends| u128::from(ends.last - ends.first)).sum();
        let overlap = (self.segments.len() / 8).max(2) as u128;
        spans > u128::from(last - first) * overlap
    }

    /// Cases wait until something else comes, or until they fill segments: many at once cost less.
    /// Each block is freed once all its cases stand in segments.
    fn apply_blocks(
        &mut self,
        blocks: Vec<Arc<ChangeBlock>>,
        touched: &mut BTreeSet<usize>,
        threads: &Threads,
    ) -> Changed {
        let mut changed = Changed::default();
        let (mut new, mut known) = (Vec::new(), Vec::new());
        let mut given = self.given();
        let most = SEGMENT * threads.count().div_ceil(THREADS_A_SEGMENT);
        for block in blocks {
            for change in unpacked(&block) {
                match change {
                    Unpacked::Upsert(entry) => {
                        let (place, is_new) = self.catalog.ids.place(entry.id());
                        if !is_new {
                            if place.0 as usize >= given {
                                given = self.append(&mut new, touched, threads);
                            }
                            known.push((place, entry));
                            continue;
                        }
                        changed.inserted += 1;
                        new.push(entry);
                        if new.len() >= most && (given + new.len()).is_multiple_of(SEGMENT) {
                            given = self.append(&mut new, touched, threads);
                        }
                    }
                    Unpacked::Delete(id) => {
                        given = self.append(&mut new, touched, threads);
                        self.upsert(&mut known, touched, &mut changed);
                        if let Some(place) = self.find(id) {
                            touched.insert(place.segment());
                            self.delete(place);
                            changed.deleted += 1;
                        }
                    }
                }
            }
        }
        self.append(&mut new, touched, threads);
        self.upsert(&mut known, touched, &mut changed);
        changed
    }

    /// Applies changes whose rows were made for this catalog.
    pub(super) fn put(&mut self, blocks: Vec<Arc<ChangeBlock>>, threads: &Threads) {
        let mut touched = BTreeSet::new();
        self.apply_blocks(blocks, &mut touched, threads);
        self.settle(&touched, threads);
    }

    fn settle(&mut self, touched: &BTreeSet<usize>, threads: &Threads) {
        for number in touched {
            if let Some(segment) = self.segments.get_mut(*number) {
                let zones = &mut self.zone_map;
                Arc::make_mut(segment).settle(&self.catalog, |field, ends| {
                    zones.note(field, *number as u32, ends);
                });
            }
        }
        let known = self.signatures.len();
        if known < self.catalog.signatures.len() {
            for ordinal in known..self.catalog.signatures.len() {
                self.signatures.push(*self.catalog.signatures.get(ordinal as Ordinal));
            }
            Arc::make_mut(&mut self.sets).add(&self.catalog, known);
        }
        self.counts.grow(self.signatures.len(), &0);
        self.substrings.settle(&self.catalog, threads);
        self.weighed = self.catalog.weight();
    }

    /// Leaves empty slots for ids whose write was never finished: the catalog has given them
    /// places.
    fn pad(&mut self) {
        let given = self.given();
        for place in given..self.catalog.ids.len() {
            let number = place / SEGMENT;
            if number == self.segments.len() {
                self.add_segment();
            }
            self.change(number, |segment, _| segment.push_empty());
        }
    }

    /// Changes a segment, a clone where it is published.
    fn change<T>(
        &mut self,
        number: usize,
        change: impl FnOnce(&mut Segment, &Catalog) -> T,
    ) -> Option<T> {
        let segment = Segment::to_change(self.segments.get_mut(number)?);
        let before = segment.bytes();
        let done = change(segment, &self.catalog);
        self.parts.change(before, segment.bytes());
        Some(done)
    }

    fn add_segment(&mut self) {
        let number = self.segments.len();
        let segment = Segment::new(number);
        self.parts.change(SegmentBytes::default(), segment.bytes());
        self.segments.push(Arc::new(segment));
        self.zone_map.add(number as u32);
    }

    /// How many slots the segments gave.
    pub(super) fn given(&self) -> usize {
        let last = self.segments.len().saturating_sub(1);
        last * SEGMENT + self.segments.get(last).map_or(0, |last| last.slots())
    }

    fn count(&mut self, old: Option<&Row>, new: Option<&Row>) {
        self.live = self.live + u64::from(new.is_some()) - u64::from(old.is_some());
        for (row, change) in [(old, -1), (new, 1)] {
            let Some(row) = row else { continue };
            let needed = self.catalog.needed(row);
            self.needed = if change > 0 { self.needed + needed } else { self.needed - needed };
            self.counts.add(row.signature as usize, change);
        }
        let key_set = |row: &Row| row.key_set;
        self.keys.count(old.map(key_set), new.map(key_set), &self.catalog.key_sets);
        let text = |row: &Row| (row.title, self.catalog.unresolved(row.signature));
        self.substrings.note(old.map(text), new.map(text));
    }

    /// Puts cases into places that were given, a segment after the other.
    fn upsert(
        &mut self,
        known: &mut Vec<(Place, Entry)>,
        touched: &mut BTreeSet<usize>,
        changed: &mut Changed,
    ) {
        let mut known = std::mem::take(known);
        let all = known.len();
        // Of cases with the same id the last one stays: it stands last among them.
        known.reverse();
        known.sort_by_key(|(place, _)| *place);
        known.dedup_by_key(|(place, _)| *place);
        changed.replaced += (all - known.len()) as u64;
        for cases in known.chunk_by(|(one, _), (other, _)| one.segment() == other.segment()) {
            let number = cases[0].0.segment();
            touched.insert(number);
            self.revise(number, cases, changed);
        }
    }

    /// Puts cases into slots of a segment, each into another one.
    fn revise(&mut self, number: usize, cases: &[(Place, Entry)], changed: &mut Changed) {
        let revisions: Vec<_> =
            cases.iter().map(|(place, own)| Revision::of(place.slot(), own)).collect();
        let old = self.change(number, |segment, catalog| segment.upsert(catalog, &revisions));
        let old = old.unwrap_or_default();
        for (old, Revision { row, .. }) in old.iter().zip(&revisions) {
            self.count(old.as_ref(), Some(row));
            changed.replaced += u64::from(old.is_some());
            changed.inserted += u64::from(old.is_none());
        }
    }

    fn delete(&mut self, place: Place) {
        let delete =
            |segment: &mut Segment, catalog: &Catalog| segment.delete(catalog, place.slot());
        let old = self.change(place.segment(), delete).flatten();
        self.count(old.as_ref(), None);
    }

    /// Puts new cases at the end, several segments of them in parallel; gives how many slots are
    /// given then.
    fn append(
        &mut self,
        new: &mut Vec<Entry>,
        touched: &mut BTreeSet<usize>,
        threads: &Threads,
    ) -> usize {
        let mut entries = std::mem::take(new);
        entries.iter().for_each(|entry| self.count(None, Some(entry.row())));
        // Each part is a segment and the entries that go into it.
        let mut parts: Vec<(usize, Arc<Segment>, Vec<Entry>)> = Vec::new();
        let mut at = self.given();
        while !entries.is_empty() {
            let number = at / SEGMENT;
            let more = entries.split_off(entries.len().min((number + 1) * SEGMENT - at));
            at += entries.len();
            if number == self.segments.len() {
                self.add_segment();
            }
            if let Some(segment) = self.segments.get(number) {
                parts.push((number, Arc::clone(segment), entries));
            }
            entries = more;
        }
        let catalog = &*self.catalog;
        let build = |(number, mut segment, entries): (usize, Arc<Segment>, Vec<Entry>)| {
            let before = segment.bytes();
            Arc::make_mut(&mut segment).extend(catalog, &entries, threads);
            (number, segment, before)
        };
        for (number, segment, before) in threads.map(parts, build) {
            touched.insert(number);
            self.parts.change(before, segment.bytes());
            if let Some(place) = self.segments.get_mut(number) {
                *place = segment;
            }
        }
        at
    }

    /// How many bytes each part has allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> Bytes {
        let [ids, text, documents, rest] = self.catalog.bytes();
        let signatures = self.signatures.bytes() + self.sets.bytes() + self.counts.bytes();
        let columns = size_of::<Self>() + self.segments.bytes() + self.keys.bytes() + rest;
        let (text, orders) = (text + self.substrings.bytes(), self.zone_map.bytes());
        let parts = &self.parts;
        Bytes {
            ids,
            documents: documents + parts.documents,
            text: text + parts.text,
            columns: columns + parts.columns,
            postings: parts.postings,
            orders: orders + parts.orders,
            signatures,
        }
    }

    /// Checks every structure.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.catalog.validate()?;
        for (number, segment) in self.segments.iter().enumerate() {
            let wrong = |wrong| format!("segment {number}: {wrong}");
            segment.validate(&self.catalog).map_err(wrong)?;
            let full = number + 1 == self.segments.len() || segment.slots() == SEGMENT;
            if !full || segment.place(0) != Place::of(number, 0) {
                return Err(format!("segment {number} stands wrongly"));
            }
        }
        let mut parts = SegmentBytes::default();
        for segment in self.segments.iter() {
            parts.change(SegmentBytes::default(), segment.bytes());
        }
        if parts != self.parts {
            return Err(format!("{:?} bytes of segments that have {parts:?}", self.parts));
        }
        let ends = |field| self.segments.iter().map(|segment| segment.ends(field)).collect();
        self.zone_map.validate(ends)?;
        let mut counts = vec![0; self.counts.len()];
        let mut key_sets = Vec::new();
        for segment in self.segments.iter() {
            let slots = (0..segment.slots()).map(|slot| slot as u16);
            for slot in slots.filter(|slot| segment.is_live(*slot)) {
                counts[segment.row(slot).signature as usize] += 1;
                key_sets.push(segment.row(slot).key_set);
            }
        }
        let texts = self.segments.iter().flat_map(|segment| {
            let slots = (0..segment.slots()).map(|slot| slot as u16);
            let live = slots.filter(|slot| segment.is_live(*slot)).map(|slot| segment.row(slot));
            live.map(|row| (row.title, self.catalog.unresolved(row.signature)))
        });
        self.substrings.validate(&self.catalog, texts)?;
        let live: u32 = counts.iter().sum();
        self.keys.validate(key_sets.into_iter(), &self.catalog.key_sets)?;
        if !self.counts.iter().copied().eq(counts) {
            return Err("the counts of signatures".to_owned());
        }
        self.sets.validate(&self.catalog, self.signatures.len())?;
        let signatures = self.signatures.iter().enumerate();
        let same = |(at, own): (usize, &Signature)| self.catalog.signatures.get(at as u32) == own;
        if !signatures.into_iter().all(same) || u64::from(live) != self.live {
            return Err(format!("the signatures, or {live} live of {}", self.live));
        }
        Ok(())
    }
}
