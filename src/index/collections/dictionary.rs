//! Distinct values and their ordinals.
//!
//! Read without waiting while one writer adds: an ordinal, once given, means the same for ever.

use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::append_vec::Values;
use super::hash_index::{HashIndex, hash_one};
use super::ordinal::Ordinal;

/// What a value owns besides itself.
pub(crate) trait Owned {
    /// Bytes that are allocated.
    fn owned(&self) -> usize;
}

/// Distinct values, each with its ordinal.
#[derive(Debug)]
pub(crate) struct Dictionary<T> {
    values: Values<T>,
    known: HashIndex,
    /// What the values own.
    owned: AtomicUsize,
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Self { values: Values::default(), known: HashIndex::default(), owned: AtomicUsize::new(0) }
    }
}

impl<T: Hash + Eq + Owned> Dictionary<T> {
    /// The ordinal of a value, and whether it is new.
    pub(crate) fn intern(&self, value: T) -> (Ordinal, bool) {
        self.intern_with(value, |_| {})
    }

    /// The ordinal of a value, and whether it is new; `note` hears of a new one before anyone else
    /// finds it.
    pub(crate) fn intern_with(&self, value: T, note: impl FnOnce(Ordinal)) -> (Ordinal, bool) {
        let is_it = |value: &T, own| self.get(own) == value;
        let add = |value: T| {
            self.owned.fetch_add(value.owned(), Ordering::Relaxed);
            let ordinal = self.values.push(value) as Ordinal;
            note(ordinal);
            ordinal
        };
        let hash_of = |own| hash_one(self.get(own));
        self.known.find_or_add(hash_one(&value), value, is_it, hash_of, add)
    }
}

impl<T: Hash + Eq> Dictionary<T> {
    /// The ordinal of a value, if it has one.
    pub(crate) fn find(&self, value: &T) -> Option<Ordinal> {
        self.known.find(hash_one(value), |own| self.get(own) == value)
    }
}

impl<T> Dictionary<T> {
    /// # Panics
    /// Where the ordinal was not given by this dictionary.
    #[inline]
    pub(crate) fn get(&self, ordinal: Ordinal) -> &T {
        self.values.get(ordinal as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// About how many bytes the values take, and what finds them. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.owned.load(Ordering::Relaxed) + self.len() * (size_of::<T>() + HashIndex::ENTRY)
    }

    /// Bytes that are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let owned = self.owned.load(Ordering::Relaxed);
        self.values.bytes() + self.known.bytes() + owned
    }
}
