//! Which ordinals of a dictionary have a key.
//!
//! Keys are not kept here: each has the first ordinal that has it and its place among that one's
//! keys, where it is compared. Further ordinals are links behind it, the newest first. Read without
//! waiting; adding one costs the same however many have the key. Useful for "which values does this
//! filter name". Not for which keys a value has.

use std::hash::BuildHasher;
use std::sync::{Mutex, OnceLock, PoisonError};

use foldhash::fast::RandomState;

use crate::index::collections::{HashIndex, Numbers, Ordinal};

/// Ordinals by key; it only grows.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    store: OnceLock<Box<Store>>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Store {
    /// Which key a text is.
    known: HashIndex,
    /// Of each key: the first ordinal that has it and the key's place there; and the newest link,
    /// one greater than it is, 0 where there is none.
    keys: Numbers<2>,
    /// An ordinal, and the link before it, one greater than it is, 0 where there is none.
    links: Numbers<1>,
    /// Held by whoever adds.
    writer: Mutex<()>,
}

fn pair(upper: u32, lower: u32) -> u64 {
    u64::from(upper) << 32 | u64::from(lower)
}

fn upper(pair: u64) -> u32 {
    (pair >> 32) as u32
}

impl Store {
    /// The key that a text is; `key_of` gives a key of an ordinal by its place.
    fn key<'k>(
        &self,
        hash: u64,
        text: &str,
        key_of: impl Fn(Ordinal, usize) -> &'k str,
    ) -> Option<usize> {
        let is_it = |key: Ordinal| self.is(key, text, &key_of);
        self.known.find(hash, is_it).map(|key| key as usize)
    }

    fn is<'k>(&self, key: Ordinal, text: &str, key_of: impl Fn(Ordinal, usize) -> &'k str) -> bool {
        let [first, _] = self.keys.get(key as usize);
        key_of(upper(first), first as u32 as usize) == text
    }

    /// The ordinals of a key, the first one first and then the newest.
    fn ordinals(&self, key: usize) -> impl Iterator<Item = Ordinal> + '_ {
        let mut link = self.keys.current(key, 1);
        let links = std::iter::from_fn(move || {
            let [own] = self.links.get((link as u32 as usize).checked_sub(1)?);
            link = u64::from(own as u32);
            Some(upper(own))
        });
        std::iter::once(upper(self.keys.get(key)[0])).chain(links)
    }
}

impl KeyIndex {
    /// Adds a key of an ordinal; `key_of` gives any key that was added by its ordinal and its place
    /// there. Those of one ordinal are added one after the other.
    pub(crate) fn add<'k>(
        &self,
        ordinal: Ordinal,
        place: usize,
        key_of: impl Fn(Ordinal, usize) -> &'k str,
    ) {
        let store = &**self.store.get_or_init(Box::default);
        let text = key_of(ordinal, place);
        let hash = self.hasher.hash_one(text);
        let _writer = store.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // No document has so many keys that it would not fit.
        let first = pair(ordinal, place as u32);
        let is_it = |_: &u64, key| store.is(key, text, &key_of);
        let add = |first| store.keys.push([first, 0]) as Ordinal;
        let (key, is_new) = store.known.find_or_add(hash, first, is_it, add);
        let is_there = || store.ordinals(key as usize).take(2).any(|own| own == ordinal);
        if !is_new && !is_there() {
            let before = store.keys.current(key as usize, 1) as u32;
            let link = store.links.push([pair(ordinal, before)]);
            store.keys.replace(key as usize, 1, link as u64 + 1);
        }
    }

    /// The ordinals that have one of some keys; sorted, distinct. Cost: a look-up a key, and the
    /// ordinals.
    pub(crate) fn find<'k, 'o>(
        &self,
        keys: impl Iterator<Item = &'k str>,
        key_of: impl Fn(Ordinal, usize) -> &'o str,
    ) -> Vec<Ordinal> {
        let Some(store) = self.store.get() else { return Vec::new() };
        let known = keys.filter_map(|key| store.key(self.hasher.hash_one(key), key, &key_of));
        let mut found: Vec<_> = known.flat_map(|key| store.ordinals(key)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How many pairs of a key and an ordinal there are.
    pub(crate) fn len(&self) -> usize {
        self.store.get().map_or(0, |own| own.keys.len() + own.links.len())
    }

    /// Bytes that are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        self.store.get().map_or(0, |own| {
            let numbers = own.keys.bytes() + own.links.bytes();
            size_of::<Store>() + own.known.bytes() + numbers
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn added(values: &[Vec<String>]) -> KeyIndex {
        let names = KeyIndex::default();
        for (ordinal, keys) in values.iter().enumerate() {
            for place in 0..keys.len() {
                names.add(ordinal as Ordinal, place, |own, at| &values[own as usize][at]);
            }
        }
        names
    }

    #[test]
    fn a_key_of_all_costs_as_much_as_one_of_few() {
        let values: Vec<_> = (0..50_000)
            .map(|n: usize| vec!["open".to_owned(), n.to_string(), "open".to_owned()])
            .collect();
        let names = added(&values);
        let found = |key| names.find([key].into_iter(), |own, at| &values[own as usize][at]);
        assert!(found("open").into_iter().eq(0..50_000));
        assert_eq!((found("77"), found("none")), (vec![77], vec![]));
        // A link each for all but the first, and no second one where a value has a key twice.
        assert_eq!(names.store.get().unwrap().links.len(), 49_999);
    }

    proptest! {
        #[test]
        fn finds_what_a_map_finds(
            values in prop::collection::vec(prop::collection::vec("[a-d]{0,2}", 0..4), 0..40),
            asked in prop::collection::vec("[a-d]{0,2}", 0..4),
        ) {
            let names = added(&values);
            let mut right: BTreeMap<&str, BTreeSet<Ordinal>> = BTreeMap::new();
            for (ordinal, keys) in values.iter().enumerate() {
                for key in keys {
                    right.entry(key).or_default().insert(ordinal as Ordinal);
                }
            }
            let wanted: BTreeSet<_> =
                asked.iter().filter_map(|key| right.get(&**key)).flatten().copied().collect();
            let keys = asked.iter().map(String::as_str);
            let found = names.find(keys, |own, at| &values[own as usize][at]);
            prop_assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
