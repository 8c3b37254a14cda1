//! Which ordinals of a dictionary have a key.
//!
//! Keys are not kept here: each has the first ordinal that has it and its place among that one's
//! keys, where it is compared. Further ordinals are links behind it, the newest first. The first
//! few pairs stand side by side: a scope of few cases has many of these. Read without waiting;
//! adding one costs the same however many have the key. Useful for "which values does this filter
//! name". Not for which keys a value has.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use once_cell::race::OnceBox;

use crate::index::collections::{HashIndex, Numbers, Ordinal, hash_one};

/// How many pairs of a key and an ordinal need no store.
const FEW: usize = 4;

/// Ordinals by key; it only grows.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    /// While there is no store: an ordinal, one greater than it is, and the place of its key, in
    /// two bytes each; 0 behind the last.
    few: [AtomicU32; FEW],
    store: OnceBox<Store>,
    /// Held by whoever adds.
    writer: Mutex<()>,
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

    fn add<'k>(&self, ordinal: Ordinal, place: usize, key_of: impl Fn(Ordinal, usize) -> &'k str) {
        let text = key_of(ordinal, place);
        // No document has so many keys that it would not fit.
        let first = pair(ordinal, place as u32);
        let is_it = |_: &u64, key| self.is(key, text, &key_of);
        let hash_of = |key: Ordinal| {
            let [first, _] = self.keys.get(key as usize);
            hash_one(key_of(upper(first), first as u32 as usize))
        };
        let add = |first| self.keys.push([first, 0]) as Ordinal;
        let (key, is_new) = self.known.find_or_add(hash_one(text), first, is_it, hash_of, add);
        let is_there = || self.ordinals(key as usize).take(2).any(|own| own == ordinal);
        if !is_new && !is_there() {
            let before = self.keys.current(key as usize, 1) as u32;
            let link = self.links.push([pair(ordinal, before)]);
            self.keys.replace(key as usize, 1, link as u64 + 1);
        }
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
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(store) = self.store.get() else {
            return self.add_to_few(ordinal, place, key_of);
        };
        store.add(ordinal, place, key_of);
    }

    /// Adds to the first few, which go into a store where there is no room for one more.
    fn add_to_few<'k>(
        &self,
        ordinal: Ordinal,
        place: usize,
        key_of: impl Fn(Ordinal, usize) -> &'k str,
    ) {
        let text = key_of(ordinal, place);
        if self.few().any(|(own, at)| own == ordinal && key_of(own, at) == text) {
            return;
        }
        let free = self.few.get(self.few().count());
        if let (Some(free), Ok(upper @ 1..), Ok(lower)) =
            (free, u16::try_from(ordinal + 1), u16::try_from(place))
        {
            return free.store(u32::from(upper) << 16 | u32::from(lower), Ordering::Release);
        }
        let store = Box::<Store>::default();
        let all = self.few().chain(std::iter::once((ordinal, place)));
        all.for_each(|(own, at)| store.add(own, at, &key_of));
        // Nobody else adds.
        _ = self.store.set(store);
    }

    /// The first few pairs, in the order they came.
    fn few(&self) -> impl Iterator<Item = (Ordinal, usize)> {
        let pairs = self.few.iter().map(|pair| pair.load(Ordering::Acquire));
        let pairs = pairs.take_while(|pair| *pair > 0);
        pairs.map(|pair| ((pair >> 16) - 1, pair as u16 as usize))
    }

    /// The ordinals that have one of some keys; sorted, distinct. Cost: a look-up a key, and the
    /// ordinals.
    pub(crate) fn find<'k, 'o>(
        &self,
        keys: impl Iterator<Item = &'k str>,
        key_of: impl Fn(Ordinal, usize) -> &'o str,
    ) -> Vec<Ordinal> {
        let mut found = Vec::new();
        match self.store.get() {
            Some(store) => {
                let hash = |key: &str| hash_one(key);
                let known = keys.filter_map(|key| store.key(hash(key), key, &key_of));
                found.extend(known.flat_map(|key| store.ordinals(key)));
            }
            None => keys.for_each(|key| {
                let pairs = self.few().filter(|(own, at)| key_of(*own, *at) == key);
                found.extend(pairs.map(|(own, _)| own));
            }),
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How many pairs of a key and an ordinal there are.
    pub(crate) fn len(&self) -> usize {
        self.store.get().map_or(self.few().count(), |own| own.keys.len() + own.links.len())
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
