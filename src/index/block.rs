//! A set of slots of one segment, as 64 Ki bits.
//!
//! Useful where several sets meet: eight kilobytes stay in the nearest cache. Not for keeping
//! sparse sets: posting lists are smaller.

use super::kernel::{self, WORDS, Words};

/// A set of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    words: Box<Words>,
}

impl Default for Block {
    fn default() -> Self {
        Self { words: Box::new([0; WORDS]) }
    }
}

impl Block {
    #[inline]
    pub(crate) fn insert(&mut self, slot: u16) {
        self.words[usize::from(slot) / 64] |= 1 << (slot % 64);
    }

    pub(crate) fn remove(&mut self, slot: u16) {
        self.words[usize::from(slot) / 64] &= !(1 << (slot % 64));
    }

    #[inline]
    pub(crate) fn has(&self, slot: u16) -> bool {
        self.words[usize::from(slot) / 64] >> (slot % 64) & 1 == 1
    }

    pub(crate) fn len(&self) -> usize {
        kernel::count(&self.words)
    }

    /// Adds the slots of another one; gives how many there are then. So the next two.
    pub(crate) fn unite(&mut self, other: &Self) -> usize {
        kernel::unite(&mut self.words, &other.words)
    }

    /// Leaves the slots that another one has.
    pub(crate) fn intersect(&mut self, other: &Self) -> usize {
        kernel::intersect(&mut self.words, &other.words)
    }

    /// Leaves the slots that another one has not.
    pub(crate) fn subtract(&mut self, other: &Self) -> usize {
        kernel::subtract(&mut self.words, &other.words)
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(other.words.iter()).any(|(own, other)| own & other != 0)
    }

    /// The slots, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u16> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some((at * 64) as u16 + bit as u16)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_set() {
        let of = |slots: &[u16]| {
            let mut block = Block::default();
            slots.iter().for_each(|slot| block.insert(*slot));
            block
        };
        let (a, b) = (of(&[0, 63, 64, 65_535]), of(&[63, 64, 1000]));
        let changed = |change: fn(&mut Block, &Block) -> usize| {
            let mut own = a.clone();
            assert_eq!(change(&mut own, &b), own.len());
            own.iter().collect::<Vec<_>>()
        };
        assert_eq!(changed(Block::unite), [0, 63, 64, 1000, 65_535]);
        assert_eq!(changed(Block::intersect), [63, 64]);
        assert_eq!(changed(Block::subtract), [0, 65_535]);
        assert!(a.meets(&b) && !of(&[1]).meets(&b) && a.has(65_535) && !a.has(1));
        assert_eq!(a.len(), 4);
    }
}
