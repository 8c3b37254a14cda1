//! What one scope holds at one instant, as readers see it: a catalog and segments.
//!
//! Useful for whoever asks; nothing here changes. What changes an index is `IndexWriter` alone.

use std::sync::Arc;

#[cfg(test)]
use super::catalog::Resource;
use super::catalog::{
    Catalog, DocAddress, Entered, Field, Full, KeyCounts, Limits, Row, SEGMENT, Signature,
    SignatureFilter, SignatureSet, SignatureSets,
};
use super::collections::{Ordinal, Paged, sized};
use super::segment::{Segment, SegmentBytes};
use super::substring::SubstringIndex;
use super::zone_map::{Zone, ZoneMap};

/// Up to how many bytes of garbage are not worth a rebuild, where no limit is near.
const TOLERATED_GARBAGE: u64 = sized(1 << 18, 1 << 12) as u64;

/// How many titles are gone through in upkeep for a slot: they cost less than a case built anew.
pub(super) const TITLES_A_SLOT: usize = 16;

/// What one scope holds. A clone costs a few pointers. Its fields are the writer's to change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(super) catalog: Arc<Catalog>,
    pub(super) segments: Paged<Arc<Segment>, 1>,
    /// What all segments have allocated, part by part.
    pub(super) segment_bytes: SegmentBytes,
    pub(super) zone_map: ZoneMap,
    pub(super) substrings: SubstringIndex,
    /// The catalog's signatures, side by side.
    pub(super) signatures: Paged<Signature, 64>,
    pub(super) signature_sets: Arc<SignatureSets>,
    /// How many live cases have each signature.
    pub(super) signature_counts: Paged<u32, 64>,
    pub(super) key_counts: KeyCounts,
    pub(super) live: u64,
    /// About how many bytes of the catalog belong to cases that were replaced or deleted.
    pub(super) garbage: u64,
    /// How many bytes of the catalog's own texts live cases need at most.
    pub(super) live_texts: u64,
    /// About how many bytes the catalog took when changes were applied last.
    pub(super) catalog_bytes: u64,
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

impl Bytes {
    pub(crate) fn total(self) -> u64 {
        let Self { ids, documents, text, columns, postings, orders, signatures } = self;
        (ids + documents + text + columns + postings + orders + signatures) as u64
    }
}

impl Index {
    /// One that holds nothing.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { catalog: Arc::new(Catalog::new(limits)), ..Self::default() }
    }

    /// Whether no case ever was in it.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn is_untouched(&self) -> bool {
        self.segments.len() == 0
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
    pub(crate) fn substrings(&self) -> &SubstringIndex {
        &self.substrings
    }

    /// How much of the upkeep of what texts hold is still to be done, about, as slots.
    pub(crate) fn merge_debt(&self) -> usize {
        self.substrings.debt().div_ceil(TITLES_A_SLOT)
    }

    /// Every signature that a case may have, by ordinal, in pages.
    pub(crate) fn signatures(&self) -> &Paged<Signature, 64> {
        &self.signatures
    }

    /// Which signatures have a value.
    pub(crate) fn signature_sets(&self) -> &SignatureSets {
        &self.signature_sets
    }

    /// The signatures that are as asked.
    pub(crate) fn signatures_as(&self, asked: &SignatureFilter) -> SignatureSet {
        let get = |ordinal: Ordinal| self.signatures.get(ordinal as usize);
        self.signature_sets().matching(asked, self.signatures.len(), get)
    }

    /// How many live cases have each signature, in pages as `signatures` has them.
    pub(crate) fn counts(&self) -> &Paged<u32, 64> {
        &self.signature_counts
    }

    /// Where a live case is.
    pub(crate) fn find(&self, id: &str) -> Option<DocAddress> {
        self.catalog.ids.find(id).filter(|address| self.is_live(*address))
    }

    /// Whether a case is at an address that was given.
    pub(super) fn is_live(&self, address: DocAddress) -> bool {
        self.segments.get(address.segment()).is_some_and(|segment| segment.is_live(address.slot()))
    }

    #[inline]
    pub(crate) fn segment(&self, address: DocAddress) -> &Segment {
        match self.segments.get(address.segment()) {
            Some(segment) => segment,
            None => unreachable!("{address:?} was not given"),
        }
    }

    #[inline]
    pub(crate) fn row(&self, address: DocAddress) -> &Row {
        self.segment(address).row(address.slot())
    }

    /// Every live case, by address.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = DocAddress> {
        self.segments.iter().flat_map(|segment| {
            let slots = (0..segment.slots()).map(|slot| slot as u16);
            slots.filter(|slot| segment.is_live(*slot)).map(|slot| segment.address(slot))
        })
    }

    /// Whether any live case has this top-level key. Cost: a look-up.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.key_counts.has(name, &self.catalog.key_sets)
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

    /// Whether so much of the catalog is garbage that the scope is worth building anew: little of
    /// it is no waste, but where it takes room that is limited.
    pub(super) fn is_wasteful(&self) -> bool {
        let garbage = self.garbage();
        let matters = garbage > TOLERATED_GARBAGE || self.catalog.is_half_full();
        matters && garbage * 4 > self.catalog.value_bytes()
    }

    /// About how many bytes of the catalog no live case has a use for: those that cases left which
    /// were replaced or deleted, or that came with none; or if that is more, the part of its texts
    /// that live cases would not need even if each of them had texts of its own. The latter tells
    /// of long texts that came with cases which are deleted.
    fn garbage(&self) -> u64 {
        let (texts, all) = (self.catalog.own_texts(), self.catalog.value_bytes());
        let unneeded = u128::from(texts.saturating_sub(self.live_texts)) * u128::from(all);
        // No more than all of it.
        let known = self.garbage + self.catalog.abandoned();
        known.max((unneeded / u128::from(texts.max(1))) as u64)
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

    /// How many slots were given, to live cases and others.
    pub(super) fn slots(&self) -> usize {
        let last = self.segments.len().saturating_sub(1);
        last * SEGMENT + self.segments.get(last).map_or(0, |last| last.slots())
    }

    /// How many bytes each part has allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> Bytes {
        let [ids, text, documents, rest] = self.catalog.bytes();
        let signatures =
            self.signatures.bytes() + self.signature_sets.bytes() + self.signature_counts.bytes();
        let columns = size_of::<Self>() + self.segments.bytes() + self.key_counts.bytes() + rest;
        let (text, orders) = (text + self.substrings.bytes(), self.zone_map.bytes());
        let parts = &self.segment_bytes;
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
            if !full || segment.address(0) != DocAddress::of(number, 0) {
                return Err(format!("segment {number} stands wrongly"));
            }
        }
        let mut parts = SegmentBytes::default();
        for segment in self.segments.iter() {
            parts.change(SegmentBytes::default(), segment.bytes());
        }
        if parts != self.segment_bytes {
            return Err(format!("{:?} bytes of segments that have {parts:?}", self.segment_bytes));
        }
        let ends = |field| self.segments.iter().map(|segment| segment.ends(field)).collect();
        self.zone_map.validate(ends)?;
        let live = || {
            self.segments.iter().flat_map(|segment| {
                let slots = (0..segment.slots()).map(|slot| slot as u16);
                slots.filter(|slot| segment.is_live(*slot)).map(|slot| segment.row(slot))
            })
        };
        let text = |row: &Row| (row.title, self.catalog.unresolved(row.signature));
        self.substrings.validate(&self.catalog, live().map(text))?;
        self.key_counts.validate(live().map(|row| row.key_set), &self.catalog.key_sets)?;
        self.validate_signatures(live().map(|row| row.signature))
    }

    /// Checks the signatures and their counts against those of live cases.
    fn validate_signatures(&self, live: impl Iterator<Item = Ordinal>) -> Result<(), String> {
        let mut counts = vec![0; self.signature_counts.len()];
        live.for_each(|signature| counts[signature as usize] += 1);
        let live: u32 = counts.iter().sum();
        if !self.signature_counts.iter().copied().eq(counts) {
            return Err("the counts of signatures".to_owned());
        }
        self.signature_sets.validate(&self.catalog, self.signatures.len())?;
        let signatures = self.signatures.iter().enumerate();
        let same = |(at, own): (usize, &Signature)| self.catalog.signatures.get(at as u32) == own;
        if !signatures.into_iter().all(same) || u64::from(live) != self.live {
            return Err(format!("the signatures, or {live} live of {}", self.live));
        }
        Ok(())
    }
}
