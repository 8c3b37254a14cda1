//! Up to 65,536 cases of a scope, by the order of their arrival.
//!
//! A published segment never changes: a writer clones it, which shares all its parts, and changes
//! the clone's few (`update`).

#[cfg(feature = "document-cache")]
mod document_cache;
mod documents;
mod lists;
#[cfg(not(feature = "document-cache"))]
mod no_document_cache;
mod order;
mod postings;
mod run;
mod runs;
mod term_postings;
mod update;

#[cfg(feature = "document-cache")]
pub use document_cache::DocumentCache;
#[cfg(feature = "document-cache")]
pub(crate) use document_cache::KeptDocument;
#[cfg(not(feature = "document-cache"))]
pub(crate) use no_document_cache::{DocumentCache, KeptDocument};
pub(crate) use order::{Order, Position};
pub(crate) use postings::{Half, PostingList, Postings};
pub(crate) use run::{Run, RunPart};
pub(crate) use update::{Revision, Update};

use crate::index::catalog::code;
use crate::index::catalog::{Catalog, DocAddress, DocRef, Field, FieldSet, Row};
use crate::index::codec::decoded_len;
use crate::index::collections::{ARC, BitSet, NONE, Ordinal, Paged};
use documents::Documents;
use lists::FieldPostings;
use term_postings::{SlotTerms, TermPostings};

/// The least and the greatest key of an order. Where no case has a value, `first` is greater than
/// `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct MinMaxKeys {
    /// The smallest key of a value.
    pub(crate) first: u64,
    /// The greatest key of a value.
    pub(crate) last: u64,
    /// Whether cases without a value follow.
    pub(crate) has_missing: bool,
}

impl MinMaxKeys {
    pub(crate) const EMPTY: Self = Self { first: u64::MAX, last: 0, has_missing: false };

    /// Whether a key goes without a change of the ends.
    pub(super) fn surround(&self, key: u64) -> bool {
        self.first < key && key < self.last
    }

    /// The ends with a key more.
    pub(crate) fn with(&self, key: u64) -> Self {
        match key {
            u64::MAX => Self { has_missing: true, ..*self },
            _ => Self { first: self.first.min(key), last: self.last.max(key), ..*self },
        }
    }

    /// The key that comes first in the kept direction or the other one, where keys are turned
    /// over; the greatest where there is none.
    pub(crate) fn best(&self, is_reversed: bool) -> u64 {
        match is_reversed {
            _ if self.first > self.last => u64::MAX,
            false => self.first,
            true => !self.last,
        }
    }

    /// The key that comes last, as `best`.
    pub(crate) fn worst(&self, is_reversed: bool) -> u64 {
        match is_reversed {
            _ if self.has_missing || self.first > self.last => u64::MAX,
            false => self.last,
            true => !self.first,
        }
    }
}

/// Bytes of segments, part by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentBytes {
    pub(crate) columns: usize,
    pub(crate) orders: usize,
    pub(crate) postings: usize,
    pub(crate) text: usize,
    pub(crate) documents: usize,
}

impl SegmentBytes {
    /// Counts one of the segments that has changed.
    pub(crate) fn change(&mut self, before: Self, after: Self) {
        self.columns = self.columns + after.columns - before.columns;
        self.orders = self.orders + after.orders - before.orders;
        self.postings = self.postings + after.postings - before.postings;
        self.text = self.text + after.text - before.text;
        self.documents = self.documents + after.documents - before.documents;
    }
}

/// Rows by slot.
pub(super) type Rows = Paged<Row, 64>;
/// Signatures by slot.
pub(crate) type Signatures = Paged<Ordinal, SIGNATURES>;

/// How many slots a page of signatures has.
pub(crate) const SIGNATURES: usize = 512;

/// Some cases of a scope, and every structure over them.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Segment {
    /// Which segment of the scope it is.
    pub(crate) number: usize,
    /// By slot; of a deleted case its last one.
    pub(crate) rows: Rows,
    /// By slot, `NONE` where the case is deleted: what is tested first.
    pub(crate) signatures: Signatures,
    /// How many live cases there are.
    pub(crate) live: u32,
    /// By `Field::ALL`; each has every live slot once.
    pub(crate) orders: [Order; 7],
    /// Of each order.
    pub(crate) ends: [MinMaxKeys; 7],
    /// Of which orders the ends changed since the zone map was told, and which of these are to be
    /// found again. None in a segment that is published.
    pub(super) changed_ends: FieldSet,
    pub(super) unknown_ends: FieldSet,
    pub(crate) lists: FieldPostings,
    pub(crate) terms: TermPostings,
    pub(crate) documents: Documents,
}

impl Segment {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            rows: Paged::default(),
            signatures: Paged::default(),
            live: 0,
            orders: Field::ALL.map(|field| Order::new(field.is_counted())),
            ends: [MinMaxKeys::EMPTY; 7],
            changed_ends: FieldSet::default(),
            unknown_ends: FieldSet::default(),
            lists: FieldPostings::default(),
            terms: TermPostings::default(),
            documents: Documents::default(),
        }
    }

    /// Prefetches the counts of references that a clone changes.
    pub(crate) fn prefetch(&self) {
        let parts = [
            self.rows.references(),
            self.signatures.references(),
            self.lists.references(),
            self.terms.references(),
            self.documents.references(),
        ];
        std::hint::black_box((parts, self.orders.each_ref().map(Order::references)));
    }

    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// How many slots were given, to live cases and deleted ones.
    pub(crate) fn slots(&self) -> usize {
        self.rows.len()
    }

    /// How many live cases have each signature's code, in pages.
    pub(crate) fn counts(&self) -> impl Iterator<Item = &[u32]> {
        self.lists.counts.pages()
    }

    #[inline]
    pub(crate) fn order(&self, field: Field) -> &Order {
        &self.orders[field as usize]
    }

    #[inline]
    pub(crate) fn lists(&self) -> &FieldPostings {
        &self.lists
    }

    #[inline]
    pub(crate) fn ends(&self, field: Field) -> MinMaxKeys {
        self.ends[field as usize]
    }

    pub(super) fn find_ends(&self, catalog: &Catalog, field: Field) -> MinMaxKeys {
        let order = self.order(field);
        let end = self.present_end(catalog, field);
        let key = |slot: u16| field.key(catalog, self.doc(slot));
        match (order.get(order.start()), order.before(end)) {
            (Some(first), Some((_, last))) => {
                MinMaxKeys { first: key(first), last: key(last), has_missing: end != order.end() }
            }
            _ => MinMaxKeys { has_missing: end != order.end(), ..MinMaxKeys::EMPTY },
        }
    }

    /// Where the cases without a value begin in an order.
    pub(crate) fn present_end(&self, catalog: &Catalog, field: Field) -> Position {
        self.order(field).at_key(u64::MAX, |slot| field.key(catalog, self.doc(slot)))
    }

    /// The signature of a live case, else `NONE`.
    #[inline]
    pub(crate) fn signature(&self, slot: u16) -> Ordinal {
        self.signatures.get(slot.into()).copied().unwrap_or(NONE)
    }

    /// The signatures by slot, in pages; `NONE` where a case is deleted.
    pub(crate) fn signatures(&self) -> impl Iterator<Item = &[Ordinal]> {
        self.signatures.pages()
    }

    pub(crate) fn is_live(&self, slot: u16) -> bool {
        self.signature(slot) != NONE
    }

    #[inline]
    pub(crate) fn address(&self, slot: u16) -> DocAddress {
        DocAddress::of(self.number, slot)
    }

    /// The document of a live case as it is kept.
    pub(crate) fn encoded(&self, slot: u16) -> &[u8] {
        self.documents.get(slot.into())
    }

    /// Appends the document of a live case. Cost grows with its length.
    pub(crate) fn write_document(&self, catalog: &Catalog, slot: u16, out: &mut Vec<u8>) {
        let id = catalog.ids.id(self.address(slot));
        catalog.codec.decode(self.encoded(slot), id, out);
    }

    /// The document of a live case, where it was written before and is kept.
    pub(crate) fn kept(&self, slot: u16, cache: Option<&DocumentCache>) -> Option<KeptDocument> {
        let (block, at) = self.documents.block(slot.into())?;
        cache?.get(block, at)
    }

    /// Keeps the document of a live case, as it was written.
    pub(crate) fn keep(&self, slot: u16, json: &[u8], cache: Option<&DocumentCache>) {
        if let (Some(cache), Some((block, at))) = (cache, self.documents.block(slot.into())) {
            cache.keep(block, at, json);
        }
    }

    /// The document of a live case.
    pub(crate) fn document(&self, catalog: &Catalog, slot: u16) -> Box<str> {
        let mut text = Vec::with_capacity(decoded_len(self.encoded(slot)));
        self.write_document(catalog, slot, &mut text);
        // Every document was a text when it came.
        String::from_utf8(text).unwrap_or_default().into()
    }

    /// # Panics
    /// Where the slot was not given.
    #[inline]
    pub(crate) fn row(&self, slot: u16) -> &Row {
        match self.rows.get(slot.into()) {
            Some(row) => row,
            None => unreachable!("slot {slot} was not given"),
        }
    }

    #[inline]
    pub(crate) fn doc(&self, slot: u16) -> DocRef<'_> {
        DocRef { address: self.address(slot), row: self.row(slot) }
    }

    /// The live slots that have any of the words, which are sorted; `has` tells of one word.
    /// Nothing where the words' lists have more than `most` slots.
    pub(crate) fn with_words(
        &self,
        catalog: &Catalog,
        words: &[Ordinal],
        most: usize,
        has: impl Fn(Ordinal) -> bool,
    ) -> Option<BitSet> {
        self.terms.union(words, most, has, &self.words(catalog))
    }

    /// The live slots that have any of the words, as a list, for words that few slots have. Nothing
    /// where the words' lists have more than `most` slots.
    pub(crate) fn listed_with_words(
        &self,
        catalog: &Catalog,
        words: &[Ordinal],
        most: usize,
        has: impl Fn(Ordinal) -> bool,
    ) -> Option<Vec<u16>> {
        self.terms.list(words, most, has, &self.words(catalog))
    }

    pub(crate) fn words<'a>(&'a self, catalog: &'a Catalog) -> RowTerms<'a> {
        RowTerms { catalog, rows: &self.rows, signatures: &self.signatures }
    }

    /// Counts what was allocated anew where a checkpoint was read.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn recount(&mut self) {
        self.orders.iter_mut().for_each(Order::recount);
    }

    /// Bytes that are allocated. Cost: none that grows, but by the levels of words.
    pub(crate) fn bytes(&self) -> SegmentBytes {
        let columns = ARC + size_of::<Self>() + self.rows.bytes() + self.signatures.bytes();
        SegmentBytes {
            columns: columns + self.lists.counts.bytes(),
            orders: self.orders.iter().map(Order::bytes).sum(),
            postings: self.lists.bytes(),
            text: self.terms.bytes(),
            documents: self.documents.bytes(),
        }
    }

    /// Checks every structure against the rows.
    pub(crate) fn validate(&self, catalog: &Catalog) -> Result<(), String> {
        ensure(self.changed_ends == FieldSet::default(), || "ends that are not settled".into())?;
        let slots = || (0..self.slots()).map(|slot| slot as u16);
        let live: Vec<u16> = slots().filter(|slot| self.is_live(*slot)).collect();
        let count = self.live as usize;
        ensure(live.len() == count, || format!("{} live of {}", live.len(), self.live))?;
        for field in Field::ALL {
            let order = self.order(field);
            let slots: Vec<u16> = order.between(order.start(), order.end()).collect();
            let sorted = slots.windows(2).all(|pair| {
                let (a, b) = (self.doc(pair[0]), self.doc(pair[1]));
                field.compare_all(catalog, a, b).is_lt()
                    && field.key(catalog, a) <= field.key(catalog, b)
                    && field.long_key(catalog, a) <= field.long_key(catalog, b)
            });
            ensure(sorted && slots.len() == live.len(), || format!("the order of {field:?}"))?;
            ensure(slots.iter().all(|slot| self.is_live(*slot)), || format!("dead in {field:?}"))?;
            order
                .validate(
                    |slot| field.long_key(catalog, self.doc(slot)),
                    |slot| code(self.signature(slot)),
                )
                .map_err(|wrong| format!("the order of {field:?}: {wrong}"))?;
            let ends = self.find_ends(catalog, field);
            ensure(ends == self.ends(field), || format!("the ends of {field:?}"))?;
        }
        for slot in &live {
            let row = self.row(*slot);
            ensure(row.signature == self.signature(*slot), || format!("signature of {slot}"))?;
            ensure(!self.document(catalog, *slot).is_empty(), || format!("document of {slot}"))?;
        }
        self.lists.validate(catalog, live.iter().map(|slot| (*slot, self.row(*slot))))?;
        let words = self.words(catalog);
        self.terms.validate(self.slots(), &words)
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// The words of a segment's cases.
pub(crate) struct RowTerms<'a> {
    catalog: &'a Catalog,
    rows: &'a Rows,
    signatures: &'a Signatures,
}

impl<'a> RowTerms<'a> {
    pub(crate) fn new(catalog: &'a Catalog, rows: &'a Rows, signatures: &'a Signatures) -> Self {
        Self { catalog, rows, signatures }
    }
}

impl SlotTerms for RowTerms<'_> {
    fn of(&self, slot: u16) -> impl Iterator<Item = Ordinal> {
        let row = self.rows.get(slot.into()).zip(self.signatures.get(slot.into()));
        let row = row.filter(|(_, signature)| **signature != NONE);
        row.into_iter().flat_map(|(row, _)| self.catalog.titles.get(row.title).terms())
    }
}
