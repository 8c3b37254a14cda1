//! The documents of a segment, a few to a block.
//!
//! Useful for fetching one document by its slot. Not for anything a query tests: it never comes
//! here.

use std::sync::Arc;

use super::paged::Paged;
use super::sized::sized;

/// How many documents a block holds: a change copies one block.
const BLOCK: usize = sized(8, 4);

/// Texts one after the other.
#[derive(Clone, Debug, Default)]
struct Block {
    text: Box<str>,
    /// Where each text ends.
    ends: Box<[u32]>,
}

impl Block {
    fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    /// The block with one text changed or added, empty texts put before it where it is further on.
    fn with(&self, at: usize, document: &str) -> Self {
        let length = self.ends.len().max(at + 1);
        let old = self.get(at).map_or(0, str::len);
        let mut text = String::with_capacity(self.text.len() - old + document.len());
        let mut ends = Vec::with_capacity(length);
        for slot in 0..length {
            text.push_str(if slot == at { document } else { self.get(slot).unwrap_or_default() });
            ends.push(text.len() as u32);
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

/// The documents of a segment by slot; an empty text where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    blocks: Paged<Option<Arc<Block>>, 8>,
}

impl Documents {
    pub(super) fn get(&self, slot: usize) -> &str {
        let block = self.blocks.get(slot / BLOCK);
        block.and_then(|block| block.as_ref()?.get(slot % BLOCK)).unwrap_or_default()
    }

    pub(super) fn set(&mut self, slot: usize, document: &str) {
        if let Some(own) = self.block_mut(slot) {
            let none = Block::default();
            let block = own.as_deref().unwrap_or(&none).with(slot % BLOCK, document);
            *own = Some(Arc::new(block));
        }
    }

    fn block_mut(&mut self, slot: usize) -> Option<&mut Option<Arc<Block>>> {
        while self.blocks.len() <= slot / BLOCK {
            self.blocks.push(None);
        }
        self.blocks.get_mut(slot / BLOCK)
    }

    /// Adds documents from a slot on, a whole block at a time where it can.
    pub(super) fn extend(&mut self, mut slot: usize, mut documents: &[&str]) {
        while let [first, rest @ ..] = documents {
            if !slot.is_multiple_of(BLOCK) || documents.len() < BLOCK {
                self.set(slot, first);
                (slot, documents) = (slot + 1, rest);
                continue;
            }
            let (block, rest) = documents.split_at(BLOCK);
            let ends = block.iter().scan(0, |end, text| {
                *end += text.len() as u32;
                Some(*end)
            });
            let block = Block { text: block.concat().into(), ends: ends.collect() };
            if let Some(own) = self.block_mut(slot) {
                *own = Some(Arc::new(block));
            }
            (slot, documents) = (slot + BLOCK, rest);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().flatten().map(|block| block.text.len() + block.ends.len() * 4 + 64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_set_last() {
        let text = |slot: usize| -> Box<str> { format!("{slot}").repeat(slot % 5).into() };
        let texts: Vec<_> = (0..3000).map(text).collect();
        let mut documents = Documents::default();
        documents.set(0, &texts[0]);
        documents.set(1, &texts[1]);
        let middle: Vec<&str> = texts[2..2990].iter().map(|text| &**text).collect();
        documents.extend(2, &middle);
        documents.set(2995, &texts[2995]);
        let kept = documents.clone();
        documents.set(40, "other");
        let wrong: Vec<_> =
            (0..2990).filter(|slot| documents.get(*slot) != &*texts[*slot]).collect();
        assert_eq!((wrong, documents.get(40), kept.get(40)), (vec![40], "other", &*texts[40]));
        assert_eq!((kept.get(2994), kept.get(2995), kept.get(9999)), ("", &*texts[2995], ""));
    }
}
