//! An index in parts that can be written and read again: what all segments share, and each segment.
//!
//! What follows from them is made anew: what finds values by their hashes, the sets of signatures
//! and the zone map. Useful for a host that keeps cases and wants them back at once. What is read
//! must be what was written: its indices are trusted.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::catalog::{Catalog, Field, KeyCounts, Limits, SignatureSets};
use super::collections::{Interner, Ordinal, Paged, serialize_texts};
use super::index::Index;
use super::segment::{Segment, SegmentBytes};
use super::substring::SubstringIndex;
use super::zone_map::ZoneMap;

/// A part of an index.
#[derive(Debug, Serialize)]
pub(crate) enum Part<'i> {
    Catalog(&'i Catalog),
    Shared(Shared<'i>),
    Segment(&'i Segment),
}

/// A part that was read.
#[derive(Debug, Deserialize)]
pub(crate) enum RestoredPart {
    Catalog(Box<Catalog>),
    Shared(Box<RestoredShared>),
    Segment(Box<Segment>),
}

/// What all segments share besides the catalog.
#[derive(Debug, Serialize)]
pub(crate) struct Shared<'i> {
    segments: usize,
    ids: PublishedIds<'i>,
    substrings: &'i SubstringIndex,
    signature_counts: &'i Paged<u32, 64>,
    key_counts: &'i KeyCounts,
    live: u64,
    garbage: u64,
    live_texts: u64,
    catalog_bytes: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RestoredShared {
    segments: usize,
    ids: Interner,
    substrings: SubstringIndex,
    signature_counts: Paged<u32, 64>,
    key_counts: KeyCounts,
    live: u64,
    garbage: u64,
    live_texts: u64,
    catalog_bytes: u64,
}

/// The ids of the slots that there are: more may have been given by a writer that has not published
/// yet.
#[derive(Debug)]
struct PublishedIds<'i>(&'i Index);

impl Serialize for PublishedIds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let slots = self.0.slots();
        serialize_texts(serializer, slots, self.0.catalog.ids.iter())
    }
}

impl Index {
    /// Everything that it is made of.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let shared = Shared {
            segments: self.segments.len(),
            ids: PublishedIds(self),
            substrings: &self.substrings,
            signature_counts: &self.signature_counts,
            key_counts: &self.key_counts,
            live: self.live,
            garbage: self.garbage,
            live_texts: self.live_texts,
            catalog_bytes: self.catalog_bytes,
        };
        let segments = self.segments.iter().map(|segment| Part::Segment(segment));
        // The largest come first: whoever reads several at once is done sooner.
        [Part::Catalog(&self.catalog), Part::Shared(shared)].into_iter().chain(segments)
    }

    /// The index that parts are of, in any order; what is missing or too much, in words.
    pub(crate) fn of_parts(parts: Vec<RestoredPart>, limits: Limits) -> Result<Self, String> {
        let (mut catalog, mut shared, mut segments) = (None, None, Vec::new());
        for part in parts {
            match part {
                RestoredPart::Segment(segment) => segments.push(segment),
                RestoredPart::Catalog(own) if catalog.is_none() => catalog = Some(own),
                RestoredPart::Shared(own) if shared.is_none() => shared = Some(own),
                _ => return Err("what all share is there twice".to_owned()),
            }
        }
        let (shared, catalog) = shared.zip(catalog).ok_or("what all share is missing")?;
        segments.sort_unstable_by_key(|segment| segment.number);
        let numbers = segments.iter().map(|segment| segment.number);
        if !numbers.eq(0..shared.segments) {
            return Err(format!("not each of {} segments is there once", shared.segments));
        }
        let catalog = catalog.restored(shared.ids, limits);
        let (mut zone_map, mut segment_bytes) = (ZoneMap::default(), SegmentBytes::default());
        for (number, segment) in (0..).zip(&mut segments) {
            segment.recount();
            zone_map.add(number);
            Field::ALL.iter().for_each(|field| zone_map.note(*field, number, segment.ends(*field)));
            segment_bytes.change(SegmentBytes::default(), segment.bytes());
        }
        let mut signature_sets = Arc::<SignatureSets>::default();
        let count = catalog.signatures.len();
        if count > 0 {
            SignatureSets::add_to(&mut signature_sets, &catalog, 0);
        }
        let mut signature_counts = shared.signature_counts;
        signature_counts.grow(count, &0);
        let signatures = (0..count as Ordinal).map(|own| *catalog.signatures.get(own)).collect();
        let own = Self {
            segments: segments.into_iter().map(Arc::from).collect(),
            segment_bytes,
            zone_map,
            substrings: shared.substrings,
            signatures,
            signature_sets,
            signature_counts,
            key_counts: shared.key_counts,
            live: shared.live,
            garbage: shared.garbage,
            live_texts: shared.live_texts,
            catalog_bytes: shared.catalog_bytes,
            catalog: Arc::new(catalog),
        };
        let live: u64 = own.segments.iter().map(|segment| u64::from(segment.live)).sum();
        if live != own.live || own.catalog.ids.len() != own.slots() {
            return Err(format!("{live} cases are there, of {}", own.live));
        }
        Ok(own)
    }
}
