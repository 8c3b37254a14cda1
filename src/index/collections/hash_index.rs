//! Which ordinal a value has, by its hash: the way back of a dictionary.
//!
//! It keeps half of each hash beside the ordinal, so that a table that grows looks at no values,
//! and a look-up mostly touches one line of memory. Read without waiting, and without a word that
//! all readers write. Useful under any store of distinct values that gives ordinals. The values
//! are not here: whoever has them compares.
//!
//! A look-up goes through at most 13 entries on average, and through few more at worst: hashes
//! are seeded at random by whoever makes them, so that nobody can choose values whose hashes meet,
//! and four entries in five are taken at most. Half a hash keeps this so: the places of 2³²
//! halves are spread over any table, and one look-up in a full table of 2³² compares one wrong
//! value, on average.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use super::ordinal::Ordinal;
use super::paged::ARC;

/// How many entries there are without a table: a scope of few cases has many of these.
const INLINE_ENTRIES: usize = 2;

/// How many entries the first table has room for; each has half as many more than the one before,
/// and a quarter where they are many.
const FIRST_TABLE: usize = 8;
const LARGE_TABLE: usize = 1 << 10;

/// How long the table is that comes after one of a length. Entries stand in the order of their
/// hashes, about, so going over to it is one walk along both.
fn longer(length: usize) -> usize {
    (length + if length < LARGE_TABLE { length / 2 } else { length / 4 }).max(FIRST_TABLE)
}

/// Ordinals by the hashes of their values.
#[derive(Debug, Default)]
pub(crate) struct HashIndex {
    /// The first ones, by order of their coming; used while there is no table.
    inline: [AtomicU64; INLINE_ENTRIES],
    table: ArcSwapOption<Table>,
    /// How many entries there are; held by whoever adds one.
    used: Mutex<u32>,
}

/// Entries where their hashes want them, or in the first free place after that. Four in five are
/// taken at most.
#[derive(Debug)]
struct Table {
    /// An ordinal, one greater than it is, and half its value's hash; 0 where there is none.
    entries: Box<[AtomicU64]>,
}

fn half(hash: u64) -> u32 {
    hash as u32
}

/// The first of some entries in a row that is of a value.
#[inline]
fn first<'e>(
    entries: impl Iterator<Item = &'e AtomicU64>,
    hash: u32,
    is_it: impl Fn(Ordinal) -> bool,
) -> Option<Ordinal> {
    for entry in entries {
        let entry = entry.load(Ordering::Acquire);
        if entry == 0 {
            return None;
        }
        let ordinal = (entry >> 32) as Ordinal - 1;
        if entry as u32 == hash && is_it(ordinal) {
            return Some(ordinal);
        }
    }
    None
}

impl Table {
    fn new(length: usize) -> Self {
        Self { entries: (0..length).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The places in which a hash may stand, the likeliest first.
    fn places(&self, hash: u32) -> impl Iterator<Item = &AtomicU64> {
        let spread = u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let start = ((u128::from(spread) * self.entries.len() as u128) >> 64) as usize;
        let (before, after) = self.entries.split_at(start);
        after.iter().chain(before)
    }

    fn add(&self, entry: u64) {
        let free = self.places(entry as u32).find(|place| place.load(Ordering::Relaxed) == 0);
        if let Some(free) = free {
            free.store(entry, Ordering::Release);
        }
    }
}

impl HashIndex {
    /// The ordinal of a value with this hash that `is_it`.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(Ordinal) -> bool) -> Option<Ordinal> {
        match &*self.table.load() {
            Some(table) => first(table.places(half(hash)), half(hash), is_it),
            None => first(self.inline.iter(), half(hash), is_it),
        }
    }

    /// The ordinal of a value with this hash that `is_it`; where there is none, the one that `add`
    /// gives, and that it is new. `add` is
    /// called by one at a time, and once a value.
    pub(crate) fn find_or_add<V>(
        &self,
        hash: u64,
        value: V,
        is_it: impl Fn(&V, Ordinal) -> bool,
        add: impl FnOnce(V) -> Ordinal,
    ) -> (Ordinal, bool) {
        if let Some(known) = self.find(hash, |ordinal| is_it(&value, ordinal)) {
            return (known, false);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        // Another one may have added it meanwhile.
        if let Some(known) = self.find(hash, |ordinal| is_it(&value, ordinal)) {
            return (known, false);
        }
        let ordinal = add(value);
        // An ordinal is at most `NONE` - 1.
        let entry = u64::from(ordinal + 1) << 32 | u64::from(half(hash));
        match (&*self.table.load(), self.inline.get(*used as usize)) {
            (None, Some(free)) => free.store(entry, Ordering::Release),
            (Some(table), _) if (*used as usize + 1) * 5 <= table.entries.len() * 4 => {
                table.add(entry);
            }
            (full, _) => self.grow(full.as_deref(), entry),
        }
        *used += 1;
        (ordinal, true)
    }

    /// Puts a longer table in the place of a full one, with an entry more.
    fn grow(&self, full: Option<&Table>, entry: u64) {
        let old = full.map_or(&self.inline[..], |full| &full.entries);
        let table = Table::new(longer(old.len()));
        let entries = old.iter().map(|place| place.load(Ordering::Relaxed));
        entries.filter(|entry| *entry > 0).for_each(|entry| table.add(entry));
        table.add(entry);
        self.table.store(Some(Arc::new(table)));
    }

    /// About how many bytes each entry takes.
    pub(crate) const ENTRY: usize = 12;

    /// Bytes that are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let table = |table: &Arc<Table>| {
            ARC + size_of::<Table>() + table.entries.len() * size_of::<AtomicU64>()
        };
        self.table.load().as_ref().map_or(0, table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn a_value_is_added_once_however_many_ask() {
        let (known, values) = (HashIndex::default(), Mutex::new(Vec::new()));
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
