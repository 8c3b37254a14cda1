//! Distinct values and their ordinals.
//!
//! Read without waiting while one writer adds: an ordinal, once given, means the same for ever.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::{PoisonError, RwLock};

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use super::known::Known;

/// A number that stands for a value of one dictionary.
pub(crate) type Ordinal = u32;

/// No value at all.
pub(crate) const NONE: Ordinal = u32::MAX;

/// Distinct values, each with its ordinal.
#[derive(Debug)]
pub(crate) struct Dictionary<T> {
    values: boxcar::Vec<T>,
    known: Known,
    hasher: FixedState,
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Self {
            values: boxcar::Vec::new(),
            known: Known::default(),
            hasher: FixedState::with_seed(0x6765_7463_6173_6573),
        }
    }
}

impl<T: Hash + Eq> Dictionary<T> {
    /// The ordinal of a value, and whether it is new.
    pub(crate) fn intern(&self, value: T) -> (Ordinal, bool) {
        let is_it = |value: &T, own| self.get(own) == value;
        let add = |value| self.values.push(value) as Ordinal;
        self.known.find_or_add(self.hasher.hash_one(&value), value, is_it, add)
    }
}

impl<T> Dictionary<T> {
    /// # Panics
    /// Where the ordinal was not given by this dictionary.
    #[inline]
    pub(crate) fn get(&self, ordinal: Ordinal) -> &T {
        &self.values[ordinal as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.values.count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ordinal, &T)> {
        self.values.iter().map(|(ordinal, value)| (ordinal as Ordinal, value))
    }

    /// Bytes of the values, their hashes and what they own.
    pub(crate) fn bytes(&self, owned: impl Fn(&T) -> usize) -> usize {
        let own = self.len() * size_of::<T>() + self.known.bytes();
        own + self.iter().map(|(_, value)| owned(value)).sum::<usize>()
    }
}

/// Which ordinals have a key.
#[derive(Debug, Default)]
pub(crate) struct Names {
    ordinals: RwLock<HashMap<Box<str>, SmallVec<[Ordinal; 2]>, FixedState>>,
}

impl Names {
    pub(super) fn add(&self, key: &str, ordinal: Ordinal) {
        let mut ordinals = self.ordinals.write().unwrap_or_else(PoisonError::into_inner);
        let known = ordinals.entry(key.into()).or_default();
        if !known.contains(&ordinal) {
            known.push(ordinal);
        }
    }

    pub(super) fn add_all(&self, keys: &[Box<str>], ordinal: Ordinal) {
        keys.iter().for_each(|key| self.add(key, ordinal));
    }

    /// The ordinals that have one of the keys; sorted, distinct.
    pub(crate) fn find<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Ordinal> {
        let ordinals = self.ordinals.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> =
            keys.filter_map(|key| ordinals.get(key)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn bytes(&self) -> usize {
        let ordinals = self.ordinals.read().unwrap_or_else(PoisonError::into_inner);
        ordinals.iter().map(|(key, list)| key.len() + 48 + list.len() * 4).sum()
    }
}
