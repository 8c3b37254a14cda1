//! A set of slots of one segment, as 64 Ki bits.
//!
//! Useful where several sets meet: eight kilobytes stay in the nearest cache. Not for keeping
//! sparse sets: posting lists are smaller.

use super::kernels::{self, BLOCK_WORDS, BlockWords};
use super::paged::Paged;

/// A set of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BitSet {
    words: Box<BlockWords>,
}

impl Default for BitSet {
    fn default() -> Self {
        Self { words: Box::new([0; BLOCK_WORDS]) }
    }
}

impl FromIterator<u16> for BitSet {
    fn from_iter<I: IntoIterator<Item = u16>>(slots: I) -> Self {
        let mut set = Self::default();
        slots.into_iter().for_each(|slot| set.insert(slot));
        set
    }
}

/// A set of slots that is kept: as long as it has to be, in pages that clones share.
///
/// Useful beside what it is a part of. Not for meeting other sets: bit sets do that.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct KeptBitSet(Paged<u64, PAGE>);

/// How many words a page of a kept set has: a change copies one.
const PAGE: usize = 64;

impl PartialEq for KeptBitSet {
    /// Sets of the same slots are the same, however long they are.
    fn eq(&self, other: &Self) -> bool {
        let words = |own: &Self, at| own.0.get(at).copied().unwrap_or(0);
        (0..self.0.len().max(other.0.len())).all(|at| words(self, at) == words(other, at))
    }
}

impl KeptBitSet {
    pub(crate) fn insert(&mut self, slot: u16) {
        let at = usize::from(slot) / 64;
        self.0.grow(at + 1, &0);
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (slot % 64);
        }
    }

    pub(crate) fn remove(&mut self, slot: u16) {
        if let Some(word) = self.0.get_mut(usize::from(slot) / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    pub(crate) fn has(&self, slot: u16) -> bool {
        self.0.get(usize::from(slot) / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// How many slots there are. Cost: a word for each 64.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        self.0.references()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

impl BitSet {
    /// The slots below a number, of which there are at most 65,536.
    pub(crate) fn up_to(length: usize) -> Self {
        let mut set = Self::default();
        let (words, bits) = (length / 64, length % 64);
        set.words[..words].fill(u64::MAX);
        if bits > 0 {
            set.words[words] = (1 << bits) - 1;
        }
        set
    }

    /// The bits of all slots.
    #[cfg(feature = "checkpoint")]
    pub(super) fn words(&self) -> &[u64] {
        &*self.words
    }

    /// Adds those of 64 slots that follow one another whose bits are set; the first of them is a
    /// multiple of 64.
    #[inline]
    pub(crate) fn insert_word(&mut self, first: u16, word: u64) {
        self.words[usize::from(first) / 64] |= word;
    }

    /// Leaves the slots that a kept set has.
    pub(crate) fn intersect_kept(&mut self, kept: &KeptBitSet) {
        let mut words = self.words.chunks_mut(PAGE);
        // In this order none is taken where there is no page.
        for (kept, own) in kept.0.pages().zip(words.by_ref()) {
            let (own, rest) = own.split_at_mut(kept.len());
            own.iter_mut().zip(kept).for_each(|(own, kept)| *own &= kept);
            rest.fill(0);
        }
        words.for_each(|own| own.fill(0));
    }

    /// Leaves the slots that a kept set has not.
    pub(crate) fn subtract_kept(&mut self, kept: &KeptBitSet) {
        for (own, kept) in self.words.chunks_mut(PAGE).zip(kept.0.pages()) {
            own.iter_mut().zip(kept).for_each(|(own, kept)| *own &= !kept);
        }
    }

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
        kernels::count(&self.words)
    }

    /// Adds the slots of another one; gives how many there are then.
    pub(crate) fn unite(&mut self, other: &Self) -> usize {
        kernels::unite(&mut self.words, &other.words)
    }

    /// Keeps the slots that another one has; gives how many are left.
    pub(crate) fn intersect(&mut self, other: &Self) -> usize {
        kernels::intersect(&mut self.words, &other.words)
    }

    /// Keeps the slots that another one has not; gives how many are left.
    pub(crate) fn subtract(&mut self, other: &Self) -> usize {
        kernels::subtract(&mut self.words, &other.words)
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(other.words.iter()).any(|(own, other)| own & other != 0)
    }

    /// Hands on the slots, ascending: that is faster than to iterate over them.
    pub(crate) fn each(&self, mut each: impl FnMut(u16)) {
        for (at, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                each((at * 64) as u16 + rest.trailing_zeros() as u16);
                rest &= rest - 1;
            }
        }
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
            let mut set = BitSet::default();
            slots.iter().for_each(|slot| set.insert(*slot));
            set
        };
        let (a, b) = (of(&[0, 63, 64, 65_535]), of(&[63, 64, 1000]));
        let changed = |change: fn(&mut BitSet, &BitSet) -> usize| {
            let mut own = a.clone();
            assert_eq!(change(&mut own, &b), own.len());
            own.iter().collect::<Vec<_>>()
        };
        assert_eq!(changed(BitSet::unite), [0, 63, 64, 1000, 65_535]);
        assert_eq!(changed(BitSet::intersect), [63, 64]);
        assert_eq!(changed(BitSet::subtract), [0, 65_535]);
        assert!(a.meets(&b) && !of(&[1]).meets(&b) && a.has(65_535) && !a.has(1));
        assert_eq!(a.len(), 4);
        for length in [0, 1, 63, 64, 65, 1 << 16] {
            assert!(BitSet::up_to(length).iter().eq((0..length).map(|slot| slot as u16)));
        }
        let mut words = of(&[64]);
        words.insert_word(64, 0b110);
        assert!(words.iter().eq([64, 65, 66]));
    }

    #[test]
    fn a_kept_set_meets_a_block() {
        let all = [1, 63, 64, 4095, 4096, 9000];
        let slots = |own: &BitSet| own.iter().collect::<Vec<_>>();
        let mut kept = KeptBitSet::default();
        for count in 0..all.len() {
            let (mut both, mut without) = (BitSet::default(), BitSet::default());
            for slot in all {
                both.insert(slot);
                without.insert(slot);
            }
            both.intersect_kept(&kept);
            without.subtract_kept(&kept);
            assert_eq!((slots(&both), slots(&without)), (all[..count].into(), all[count..].into()));
            assert!(!kept.has(all[count]));
            kept.insert(all[count]);
            assert!(kept.has(all[count]));
            let before = kept.clone();
            kept.insert(60_000);
            assert_ne!(kept, before);
            kept.remove(60_000);
            assert_eq!(kept, before);
            kept = before;
        }
        assert!(kept.bytes() < 2000);
    }
}
