//! Which ordinal a value has, by its hash: the way back of a dictionary.
//!
//! It keeps half of each hash beside the ordinal, so that a table that grows looks at no values.
//! Useful under any store of distinct values that gives ordinals. The values are not here: whoever
//! has them compares.

use std::sync::{PoisonError, RwLock};

use hashbrown::HashTable;

use super::dictionary::Ordinal;

/// An ordinal and half its value's hash.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    ordinal: Ordinal,
}

impl Entry {
    /// The hash that the table goes by.
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Ordinals by the hashes of their values.
#[derive(Debug, Default)]
pub(super) struct Known {
    entries: RwLock<HashTable<Entry>>,
}

impl Known {
    /// The ordinal of a value with this hash that `is_it`.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(Ordinal) -> bool) -> Option<Ordinal> {
        find(&self.entries.read().unwrap_or_else(PoisonError::into_inner), hash, is_it)
    }

    /// The same; or where there is none the ordinal that `add` gives, and that it is new. `add` is
    /// called by one at a time, and once a value.
    pub(super) fn find_or_add<V>(
        &self,
        hash: u64,
        value: V,
        is_it: impl Fn(&V, Ordinal) -> bool,
        add: impl FnOnce(V) -> Ordinal,
    ) -> (Ordinal, bool) {
        let is_own = |ordinal| is_it(&value, ordinal);
        if let Some(known) = self.find(hash, is_own) {
            return (known, false);
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        // Another one may have added it meanwhile.
        if let Some(known) = find(&entries, hash, is_own) {
            return (known, false);
        }
        let entry = Entry { hash: hash as u32, ordinal: add(value) };
        entries.insert_unique(Entry::spread(entry.hash), entry, |own| Entry::spread(own.hash));
        (entry.ordinal, true)
    }

    pub(super) fn bytes(&self) -> usize {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.capacity() * (size_of::<Entry>() + 1) * 8 / 7
    }
}

fn find(entries: &HashTable<Entry>, hash: u64, is_it: impl Fn(Ordinal) -> bool) -> Option<Ordinal> {
    let hash = hash as u32;
    let is_own = |own: &Entry| own.hash == hash && is_it(own.ordinal);
    entries.find(Entry::spread(hash), is_own).map(|own| own.ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_value_is_added_once_however_many_ask() {
        let (known, values) = (Known::default(), Mutex::new(Vec::new()));
        let is = |value: u32| move |ordinal: Ordinal| ordinal == value;
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for value in 0..1000 {
                        // Hashes that many values share.
                        let is_it = |value: &u32, ordinal| *value == ordinal;
                        known.find_or_add(u64::from(value % 7), value, is_it, |value| {
                            values.lock().unwrap().push(value);
                            value
                        });
                    }
                });
            }
        });
        let mut values = values.into_inner().unwrap();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..1000));
        assert_eq!((known.find(3, is(10)), known.find(3, is(2000))), (Some(10), None));
    }
}
