//! The signatures of a segment's slots, where many of them are looked at in any order.

use crate::index::{NONE, Ordinal, SIGNATURES, Segment};

/// From how many looks on its pages are listed first.
const LOOKS: u64 = 512;

/// The column of signatures. Where its pages are listed, a look is one at one place; otherwise it
/// goes down the tree that they hang in.
#[derive(Debug)]
pub(super) struct SignatureColumn<'a> {
    segment: &'a Segment,
    /// Empty where they are not listed.
    pages: Vec<&'a [Ordinal]>,
}

impl<'a> SignatureColumn<'a> {
    /// For about so many looks.
    pub(super) fn of(segment: &'a Segment, looks: u64) -> Self {
        let pages = if looks > LOOKS { segment.signatures().collect() } else { Vec::new() };
        Self { segment, pages }
    }

    /// The signature of a live case, else `NONE`.
    #[inline]
    pub(super) fn get(&self, slot: u16) -> Ordinal {
        let (page, index) = (usize::from(slot) / SIGNATURES, usize::from(slot) % SIGNATURES);
        match self.pages.get(page) {
            Some(page) => page.get(index).copied().unwrap_or(NONE),
            None => self.segment.signature(slot),
        }
    }
}
