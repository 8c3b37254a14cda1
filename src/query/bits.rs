//! A set of ordinals of one dictionary.

use crate::index::Ordinal;

/// A set of ordinals.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The set of some ordinals, all below a length.
    pub(super) fn of(length: usize, ordinals: impl IntoIterator<Item = Ordinal>) -> Self {
        let mut bits = Self { words: vec![0; length.div_ceil(64)] };
        ordinals.into_iter().for_each(|ordinal| bits.insert(ordinal));
        bits
    }

    fn insert(&mut self, ordinal: Ordinal) {
        if let Some(word) = self.words.get_mut(ordinal as usize / 64) {
            *word |= 1 << (ordinal % 64);
        }
    }

    /// Whether an ordinal is in the set; `NONE` never is.
    #[inline]
    pub(super) fn has(&self, ordinal: Ordinal) -> bool {
        let word = self.words.get(ordinal as usize / 64).copied().unwrap_or(0);
        word >> (ordinal % 64) & 1 == 1
    }
}
