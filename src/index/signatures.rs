//! Which signatures have a value: sets over the first `COUNTED` of them.
//!
//! Useful for the signatures that a filter leaves: a few words are united and intersected, and no
//! signature is looked at. Those past them, which few scopes have, are judged one by one.

use super::catalog::Signature;
use super::dictionary::Ordinal;
use super::run::COUNTED;

const WORDS: usize = COUNTED.div_ceil(64);

/// Some of the first signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SignatureSet {
    words: [u64; WORDS],
}

impl SignatureSet {
    /// The first ones.
    pub(crate) fn first(length: usize) -> Self {
        let length = length.min(COUNTED);
        let mut set = Self::default();
        set.words[..length / 64].fill(u64::MAX);
        if !length.is_multiple_of(64) {
            set.words[length / 64] = (1 << (length % 64)) - 1;
        }
        set
    }

    fn insert(&mut self, ordinal: usize) {
        self.words[ordinal / 64] |= 1 << (ordinal % 64);
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own |= other);
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= other);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= !other);
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(own, other)| own & other != 0)
    }

    #[inline]
    pub(crate) fn has(&self, ordinal: Ordinal) -> bool {
        let word = self.words.get(ordinal as usize / 64).copied().unwrap_or(0);
        word >> (ordinal % 64) & 1 == 1
    }

    pub(crate) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// For each of the first ones, all bits where it is in the set, else none.
    pub(crate) fn mask(&self, length: usize) -> Vec<u16> {
        let mut mask = vec![0; length.min(COUNTED)];
        for (word, own) in self.words.iter().zip(mask.chunks_mut(64)) {
            for (bit, own) in own.iter_mut().enumerate() {
                *own = (word >> bit & 1) as u16 * u16::MAX;
            }
        }
        mask
    }

    /// Whether some are not in another set.
    pub(crate) fn exceeds(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(own, other)| own & !other != 0)
    }

    /// The ordinals, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ordinal> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.wrapping_sub(1);
                (bit < 64).then_some(at as Ordinal * 64 + bit)
            })
        })
    }
}

impl FromIterator<Ordinal> for SignatureSet {
    /// All of them are counted ones.
    fn from_iter<I: IntoIterator<Item = Ordinal>>(ordinals: I) -> Self {
        let mut set = Self::default();
        ordinals.into_iter().for_each(|ordinal| set.insert(ordinal as usize));
        set
    }
}

/// The sets of each value, by its ordinal.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignatureSets {
    pub(crate) unresolved: SignatureSet,
    pub(crate) unassigned: SignatureSet,
    pub(crate) statuses: Vec<SignatureSet>,
    pub(crate) priorities: Vec<SignatureSet>,
    pub(crate) channels: Vec<SignatureSet>,
}

impl SignatureSets {
    pub(super) fn add(&mut self, ordinal: usize, signature: &Signature) {
        if ordinal >= COUNTED {
            return;
        }
        for (sets, value) in [
            (&mut self.statuses, signature.status),
            (&mut self.priorities, signature.priority),
            (&mut self.channels, signature.channels),
        ] {
            let value = value as usize;
            if sets.len() <= value {
                sets.resize(value + 1, SignatureSet::default());
            }
            sets[value].insert(ordinal);
        }
        if signature.unresolved {
            self.unresolved.insert(ordinal);
        }
        if signature.unassigned {
            self.unassigned.insert(ordinal);
        }
    }

    /// How many bytes the sets take.
    pub(super) fn bytes(&self) -> usize {
        let sets = self.statuses.len() + self.priorities.len() + self.channels.len() + 2;
        sets * size_of::<SignatureSet>()
    }

    /// Checks the sets against the signatures.
    pub(super) fn validate<'s>(
        &self,
        signatures: impl Iterator<Item = &'s Signature>,
    ) -> Result<(), String> {
        let mut right = Self::default();
        signatures.enumerate().for_each(|(ordinal, signature)| right.add(ordinal, signature));
        let parts = |sets: &Self| {
            let lists = [&sets.statuses, &sets.priorities, &sets.channels].map(Vec::clone);
            (sets.unresolved, sets.unassigned, lists)
        };
        if parts(self) == parts(&right) { Ok(()) } else { Err("the sets of signatures".into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sets() {
        let set = |ordinals: &[usize]| {
            let mut set = SignatureSet::default();
            ordinals.iter().for_each(|ordinal| set.insert(*ordinal));
            set
        };
        let (mut one, other) = (set(&[0, 3, COUNTED - 1]), set(&[3, 4]));
        assert!(one.meets(&other) && one.exceeds(&other) && !set(&[3]).exceeds(&other));
        one.unite(&other);
        assert_eq!(one.iter().collect::<Vec<_>>(), [0, 3, 4, COUNTED as Ordinal - 1]);
        one.subtract(&other);
        one.intersect(&SignatureSet::first(5));
        assert_eq!(one.iter().collect::<Vec<_>>(), [0]);
        assert_eq!(SignatureSet::first(usize::MAX).len(), COUNTED);
        let set: SignatureSet = [1, 3].into_iter().collect();
        assert!(set.has(3) && !set.has(2) && !set.has(Ordinal::MAX));
        assert_eq!(set.mask(5), [0, u16::MAX, 0, u16::MAX, 0]);
        assert_eq!(set.mask(usize::MAX).len(), COUNTED);
    }
}
