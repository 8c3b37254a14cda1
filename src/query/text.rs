//! A searched text, bound to what the scope's names and titles hold.
//!
//! How many cases have it is known before any is looked at, or at least how many have its rarest
//! piece. Which they are is found in one of two ways, whichever costs less: the terms that hold it
//! are asked for their slots, a segment at a time; or it is looked for in the texts of those cases
//! that another clause leaves.

use std::cell::OnceCell;

use memchr::memmem::Finder;

use crate::index::{Block, Index, Needle, Ordinal, Piece, Row, Segment, Substrings, Weight, sized};

use super::plan::Bits;

/// What it costs to look for a text in a case's name and title, to look up the slots of a term, to
/// take over a slot, and to go through a block: in nanoseconds, about.
const TEST: u64 = 80;
const TERM: u64 = 4;
const SLOT: u64 = 2;
const BLOCK: u64 = 2000;

/// Up to how many slots that are expected in a segment are listed.
const FEW: u64 = sized(512, 3) as u64;

/// What a searched text asks of cases.
#[derive(Debug)]
pub(super) struct Text<'i> {
    index: &'i Index,
    /// A case that has the text has a term for each; the rarest first.
    pieces: Vec<(Piece, Weight)>,
    /// Whether a case that has a term for each has the text.
    is_exact: bool,
    /// Of each piece, found when they are asked for.
    terms: Vec<OnceCell<Terms>>,
    finder: Finder<'static>,
}

/// Some terms.
#[derive(Debug)]
struct Terms {
    /// Ascending.
    list: Vec<Ordinal>,
    bits: Bits,
}

/// Slots whose cases may have the text.
pub(super) enum Slots {
    Few(Vec<u16>),
    Many(Block),
}

impl<'i> Text<'i> {
    /// Cost: a few searches, whatever the number of terms.
    pub(super) fn of(needle: &str, index: &'i Index) -> Self {
        let Needle { pieces, is_exact } = Needle::of(needle);
        let mut pieces: Vec<(Piece, Weight)> = Vec::from_iter(pieces.into_iter().map(|piece| {
            let weight = index.substrings().weigh(&piece);
            (piece, weight)
        }));
        pieces.sort_by_key(|(_, weight)| weight.cases.iter().sum::<u64>());
        Self {
            index,
            is_exact,
            terms: pieces.iter().map(|_| OnceCell::new()).collect(),
            pieces,
            finder: Finder::new(needle).into_owned(),
        }
    }

    /// How many live cases have it, unresolved and done, where that is known.
    pub(super) fn counts(&self) -> Option<[u64; 2]> {
        match &*self.pieces {
            [(piece, weight)] if self.is_exact && Substrings::is_counted(piece) => {
                Some(weight.cases)
            }
            _ => None,
        }
    }

    /// How many live cases have it at most.
    pub(super) fn at_most(&self) -> u64 {
        self.pieces.first().map_or(0, |(_, weight)| weight.cases.iter().sum())
    }

    /// Whether those that have its terms must be tested.
    pub(super) fn must_be_tested(&self) -> bool {
        !self.is_exact
    }

    /// Whether the name or title of a case has it.
    #[inline]
    pub(super) fn is_in(&self, row: &Row) -> bool {
        self.index.catalog().titles.get(row.title).contains(&self.finder)
    }

    /// What it costs to test some cases.
    pub(super) fn test_cost(cases: u64) -> u64 {
        cases.saturating_mul(TEST)
    }

    /// How many of a scope's cases have it, at most, of so many of them.
    pub(super) fn expected(&self, cases: u64) -> u64 {
        let share = u128::from(self.at_most()) * u128::from(cases);
        share.div_ceil(u128::from(self.index.len().max(1))) as u64
    }

    /// What it costs to find the slots of a segment by terms.
    pub(super) fn terms_cost(&self, segment: &Segment) -> u64 {
        let slots = self.expected(segment.live().into());
        let tested = if self.is_exact { 0 } else { Self::test_cost(slots) };
        let block = if slots < FEW { 0 } else { BLOCK };
        self.pieces.first().map_or(0, |(_, weight)| weight.spread as u64 * TERM)
            + slots * SLOT
            + block
            + tested
    }

    fn terms(&self, piece: usize) -> &Terms {
        self.terms[piece].get_or_init(|| {
            let list = self.index.substrings().terms(self.index.catalog(), &self.pieces[piece].0);
            let length = list.last().map_or(0, |last| *last as usize + 1);
            let bits = Bits::of(length, list.iter().copied());
            Terms { list, bits }
        })
    }

    fn block(&self, segment: &Segment, piece: usize) -> Block {
        let Terms { list, bits } = self.terms(piece);
        segment.with_words(self.index.catalog(), list, |term| bits.has(term))
    }

    /// The live slots of a segment that may have it, by terms; all that do are among them.
    pub(super) fn slots(&self, segment: &Segment) -> Slots {
        if self.expected(segment.live().into()) < FEW {
            let Terms { list, bits } = self.terms(0);
            let catalog = self.index.catalog();
            return Slots::Few(segment.listed_with_words(catalog, list, |term| bits.has(term)));
        }
        let mut block = self.block(segment, 0);
        for (piece, (_, weight)) in self.pieces.iter().enumerate().skip(1) {
            // What a piece leaves need not be tested.
            let cost = weight.spread as u64 * TERM + BLOCK;
            if cost < Self::test_cost(block.len() as u64) / 2 {
                block.intersect(&self.block(segment, piece));
            }
        }
        Slots::Many(block)
    }
}
