//! The documents of a segment, encoded, a few to a block.
//!
//! Useful for fetching one document by its slot. Not for anything a query tests: it never comes
//! here. What encoded documents mean, `codec` knows.

use std::ops::Range;
use std::sync::Arc;

use crate::index::collections::{Paged, sized};

/// How many documents a block holds: a change copies one block.
const BLOCK: usize = sized(8, 4);

/// Documents one after the other: at most `BLOCK` of about a mebibyte, far below 4 GiB.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Block {
    #[cfg_attr(feature = "checkpoint", serde(with = "crate::index::collections::bytes"))]
    bytes: Box<[u8]>,
    /// Where each document ends.
    ends: [u32; BLOCK],
}

impl Block {
    /// Its bytes, with what an `Arc` and two allocations add.
    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + 32
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[at] as usize]
    }

    /// The block with one document changed.
    fn with(&self, at: usize, document: &[u8]) -> Self {
        let old = self.get(at).len();
        let start = self.ends[at] as usize - old;
        let (before, after) = (&self.bytes[..start], &self.bytes[start + old..]);
        let mut ends = self.ends;
        for end in &mut ends[at..] {
            *end = *end - old as u32 + document.len() as u32;
        }
        Self { bytes: [before, document, after].concat().into(), ends }
    }
}

/// The documents of a segment by slot; nothing where there is none.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Documents {
    blocks: Paged<Option<Arc<Block>>, 8>,
    /// What the blocks take.
    bytes: usize,
}

impl Documents {
    pub(crate) fn get(&self, slot: usize) -> &[u8] {
        let block = self.blocks.get(slot / BLOCK);
        block.and_then(Option::as_ref).map_or(&[], |block| block.get(slot % BLOCK))
    }

    /// The block that has the document of a slot, and the place there.
    pub(super) fn block(&self, slot: usize) -> Option<(&Arc<Block>, usize)> {
        let block = self.blocks.get(slot / BLOCK).and_then(Option::as_ref);
        block.map(|block| (block, slot % BLOCK))
    }

    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        self.blocks.references()
    }

    pub(crate) fn set(&mut self, slot: usize, document: &[u8]) {
        let none = Block::default();
        let old = self.blocks.get(slot / BLOCK).and_then(Option::as_deref);
        self.put(slot, old.unwrap_or(&none).with(slot % BLOCK, document));
    }

    /// Puts a block in the place of the one that has a slot.
    fn put(&mut self, slot: usize, block: Block) {
        self.blocks.grow(slot / BLOCK + 1, &None);
        if let Some(own) = self.blocks.get_mut(slot / BLOCK) {
            self.bytes += block.size();
            let old = own.replace(Arc::new(block));
            self.bytes -= old.map_or(0, |old| old.size());
        }
    }

    /// Adds documents in some slots, a whole block at a time where it can; `write` appends that of
    /// a slot.
    pub(crate) fn extend(
        &mut self,
        slots: Range<usize>,
        mut write: impl FnMut(usize, &mut Vec<u8>),
    ) {
        let (mut slot, mut bytes) = (slots.start, Vec::new());
        while slot < slots.end {
            bytes.clear();
            if !slot.is_multiple_of(BLOCK) || slots.end - slot < BLOCK {
                write(slot, &mut bytes);
                self.set(slot, &bytes);
                slot += 1;
                continue;
            }
            let ends = std::array::from_fn(|at| {
                write(slot + at, &mut bytes);
                bytes.len() as u32
            });
            self.put(slot, Block { bytes: bytes.as_slice().into(), ends });
            slot += BLOCK;
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_set_last() {
        let text = |slot: usize| format!("{slot}").repeat(slot % 5).into_bytes();
        let texts: Vec<_> = (0..3000).map(text).collect();
        let mut documents = Documents::default();
        documents.set(0, &texts[0]);
        documents.set(1, &texts[1]);
        documents.extend(2..2990, |slot, into| into.extend_from_slice(&texts[slot]));
        documents.set(2995, &texts[2995]);
        let kept = documents.clone();
        documents.set(41, b"other");
        let wrong: Vec<_> = (0..2990).filter(|slot| documents.get(*slot) != texts[*slot]).collect();
        assert_eq!(
            (wrong, documents.get(41), kept.get(41)),
            (vec![41], &b"other"[..], &*texts[41])
        );
        let blocks = |all: &Documents| -> usize {
            all.blocks.iter().flatten().map(|block| block.size()).sum()
        };
        assert_eq!((documents.bytes(), kept.bytes()), (blocks(&documents), blocks(&kept)));
        assert_eq!((kept.get(2994), kept.get(2995)), (&b""[..], &*texts[2995]));
        assert_eq!(kept.get(9999), b"");
    }
}
