//! Distinct texts and their ordinals: a dictionary that keeps its texts in an arena.
//!
//! Read without waiting while one writer adds: an ordinal, once given, means the same for ever.

use std::hash::BuildHasher;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::arena::Arena;
use super::dictionary::{Known, Ordinal};

/// Distinct texts, each with its ordinal.
#[derive(Debug)]
pub(crate) struct Texts {
    arena: Arena,
    known: RwLock<HashTable<Known>>,
    hasher: FixedState,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            arena: Arena::default(),
            known: RwLock::default(),
            hasher: FixedState::with_seed(0x6765_7463_6173_6573),
        }
    }
}

impl Texts {
    /// The ordinal of a text, and whether it is new.
    pub(crate) fn intern(&self, text: &str) -> (Ordinal, bool) {
        let hash = self.hasher.hash_one(text);
        if let Some(known) = self.find_hashed(text, hash) {
            return (known, false);
        }
        let mut table = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let ordinal = self.arena.push(text) as Ordinal;
        let known = Known { hash: hash as u32, ordinal };
        table.insert_unique(known.hash(), known, |known| known.hash());
        (ordinal, true)
    }

    /// The ordinal of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<Ordinal> {
        self.find_hashed(text, self.hasher.hash_one(text))
    }

    /// What `find_hashed` goes by.
    pub(super) fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    pub(super) fn find_hashed(&self, text: &str, hash: u64) -> Option<Ordinal> {
        let table = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let hash = hash as u32;
        let is_it = |own: &Known| own.hash == hash && self.get(own.ordinal) == text;
        table.find(Known { hash, ordinal: 0 }.hash(), is_it).map(|known| known.ordinal)
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
        let table = self.known.read().unwrap_or_else(PoisonError::into_inner);
        self.arena.bytes() + table.capacity() * (size_of::<Known>() + 1) * 8 / 7
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
