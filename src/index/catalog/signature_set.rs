//! Sets of signatures, however many there are.
//!
//! Useful for what a filter leaves: a few words of bits for the signatures that are counted, and a
//! bitmap for those past them, which few scopes have. Not for keeping one for each of many values.

use roaring::RoaringBitmap;

use super::code::MAX_COUNTED;
use crate::index::collections::Ordinal;

/// How many words have the bits of the counted signatures.
const COUNTED_WORDS: usize = MAX_COUNTED.div_ceil(64);
/// The number of the first signature past the counted ones, and of the word its bit is in.
pub(super) const PAST: Ordinal = MAX_COUNTED as Ordinal;
pub(super) const PAST_WORD: usize = MAX_COUNTED / 64;

/// A set of the first signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CountedBits(pub(super) [u64; COUNTED_WORDS]);

impl CountedBits {
    pub(super) fn up_to(length: usize) -> Self {
        let length = length.min(MAX_COUNTED);
        let mut words = Self::default();
        words.0[..length / 64].fill(u64::MAX);
        if !length.is_multiple_of(64) {
            words.0[length / 64] = (1 << (length % 64)) - 1;
        }
        words
    }

    pub(super) fn insert(&mut self, ordinal: usize) {
        self.0[ordinal / 64] |= 1 << (ordinal % 64);
    }

    pub(super) fn change(&mut self, other: &Self, change: impl Fn(&mut u64, u64)) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| change(own, *other));
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Ordinal> {
        self.0.into_iter().enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.wrapping_sub(1);
                (bit < 64).then_some(at as Ordinal * 64 + bit)
            })
        })
    }
}

/// Some signatures, however many there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SignatureSet {
    pub(super) first: CountedBits,
    /// Those past the counted ones.
    pub(super) past: RoaringBitmap,
}

impl SignatureSet {
    /// All of so many. Cost: none that grows but for a few bytes for each 65,536.
    pub(crate) fn up_to(length: usize) -> Self {
        let mut past = RoaringBitmap::new();
        past.insert_range(PAST..(length as Ordinal).max(PAST));
        Self { first: CountedBits::up_to(length), past }
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        self.first.change(&other.first, |own, other| *own &= other);
        self.past &= &other.past;
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        self.first.change(&other.first, |own, other| *own |= other);
        self.past |= &other.past;
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.first.change(&other.first, |own, other| *own &= !other);
        self.past -= &other.past;
    }

    #[inline]
    pub(crate) fn has(&self, ordinal: Ordinal) -> bool {
        match self.first.0.get(ordinal as usize / 64) {
            Some(word) if ordinal < PAST => word >> (ordinal % 64) & 1 == 1,
            _ => self.past.contains(ordinal),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first == CountedBits::default() && self.past.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.past_len()
    }

    /// How many of them are past the counted ones.
    pub(crate) fn past_len(&self) -> usize {
        self.past.len() as usize
    }

    /// The counted ones as words of bits.
    pub(crate) fn words(&self) -> &[u64] {
        &self.first.0
    }

    /// The ordinals of counted ones, ascending.
    pub(crate) fn counted(&self) -> impl Iterator<Item = Ordinal> {
        self.first.iter()
    }

    /// The ordinals of the others, ascending.
    pub(crate) fn past(&self) -> impl Iterator<Item = Ordinal> {
        self.past.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::index::collections::NONE;

    fn set(ordinals: &BTreeSet<Ordinal>) -> SignatureSet {
        let mut set = SignatureSet::default();
        for ordinal in ordinals {
            match *ordinal {
                own if own < PAST => set.first.insert(own as usize),
                own => _ = set.past.insert(own),
            }
        }
        set
    }

    fn listed(set: &SignatureSet) -> BTreeSet<Ordinal> {
        set.counted().chain(set.past()).collect()
    }

    fn ordinals() -> impl Strategy<Value = BTreeSet<Ordinal>> {
        prop::collection::btree_set(0..PAST * 2 + 70, 0..200)
    }

    proptest! {
        #[test]
        fn sets_are_sets(one in ordinals(), other in ordinals(), length in 0..MAX_COUNTED * 3) {
            let (a, b) = (set(&one), set(&other));
            let changed = |change: fn(&mut SignatureSet, &SignatureSet)| {
                let mut own = a.clone();
                change(&mut own, &b);
                listed(&own)
            };
            prop_assert_eq!(changed(SignatureSet::intersect), &one & &other);
            prop_assert_eq!(changed(SignatureSet::unite), &one | &other);
            prop_assert_eq!(changed(SignatureSet::subtract), &one - &other);
            prop_assert_eq!((a.len(), a.is_empty()), (one.len(), one.is_empty()));
            prop_assert!((0..PAST * 3).all(|own| a.has(own) == one.contains(&own)));
            let all = SignatureSet::up_to(length);
            prop_assert!(listed(&all).into_iter().eq(0..length as Ordinal));
            prop_assert!(!a.has(NONE));
        }
    }
}
