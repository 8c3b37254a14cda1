//! Distinct texts and their ordinals: a dictionary that keeps its texts in an arena.
//!
//! Read without waiting while one writer adds: an ordinal, once given, means the same for ever.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::arena::Arena;
use super::dictionary::Ordinal;
use super::known::Known;

/// Distinct texts, each with its ordinal.
#[derive(Debug)]
pub(crate) struct Texts {
    arena: Arena,
    known: Known,
    hasher: FixedState,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            arena: Arena::default(),
            known: Known::default(),
            hasher: FixedState::with_seed(0x6765_7463_6173_6573),
        }
    }
}

impl Texts {
    /// The ordinal of a text, and whether it is new.
    pub(crate) fn intern(&self, text: &str) -> (Ordinal, bool) {
        let is_it = |text: &&str, own| self.get(own) == *text;
        let add = |text: &str| self.arena.push(text) as Ordinal;
        self.known.find_or_add(self.hash(text), text, is_it, add)
    }

    /// The ordinal of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<Ordinal> {
        self.find_hashed(text, self.hash(text))
    }

    /// What `find_hashed` goes by.
    pub(super) fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    pub(super) fn find_hashed(&self, text: &str, hash: u64) -> Option<Ordinal> {
        self.known.find(hash, |own| self.get(own) == text)
    }

    /// # Panics
    /// Where the ordinal was not given.
    #[inline]
    pub(crate) fn get(&self, ordinal: Ordinal) -> &str {
        self.arena.get(ordinal as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.arena.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ordinal, &str)> {
        (0..self.len() as Ordinal).map(|ordinal| (ordinal, self.get(ordinal)))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.arena.bytes() + self.known.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_ordinal() {
        let texts = Texts::default();
        for round in 0..2 {
            for number in 0..1000 {
                assert_eq!(texts.intern(&format!("t{number}")), (number, round == 0));
            }
        }
        assert_eq!((texts.find("t77"), texts.find("none"), texts.len()), (Some(77), None, 1000));
        assert!(texts.iter().all(|(ordinal, text)| text == format!("t{ordinal}")));
    }
}
