//! Which ordinal a value has, by its hash: the way back of a dictionary.
//!
//! The first few values are compared one by one, so that a dictionary of few takes nothing for
//! this. Then a table keeps a part of each hash beside the ordinal: half of 32 bits up to 65,534
//! ordinals, and of 64 bits past them, so that a look-up mostly touches one line of memory and
//! compares no other value. Read without waiting, and without a word that all readers write.
//! Useful under any store of distinct values that gives ordinals one after the other. The values
//! are not here: whoever has them compares.
//!
//! A look-up goes through at most 13 entries on average, and through few more at worst: hashes
//! are seeded at random (`hash_one`), so that nobody can choose values whose hashes meet,
//! and four entries in five are taken at most. Half a hash keeps this so: the places of 2³²
//! halves are spread over any table, and one look-up in a full table of 2³² compares one wrong
//! value, on average.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use foldhash::fast::RandomState;

use super::ordinal::Ordinal;
use super::paged::ARC;
use super::sized::sized;

/// Up to how many values there is no table: a scope of few cases has many of these.
const FEW: usize = sized(8, 2);

/// How many entries the first table has room for; each has half as many more than the one before,
/// and a quarter where they are many: going over to it looks at no values then.
const FIRST_TABLE: usize = 16;
const LARGE_TABLE: usize = sized(1 << 16, 50);

/// How many ordinals the entries of a narrow table can name.
const NARROW: usize = sized(u16::MAX as usize, 40);

/// How long the table is that comes after one of a length.
fn longer(length: usize) -> usize {
    (length + if length < LARGE_TABLE { length / 2 } else { length / 4 }).max(FIRST_TABLE)
}

/// The hash of a value, by a seed of this process.
#[inline]
pub(crate) fn hash_one(value: impl Hash) -> u64 {
    static SEEDED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    SEEDED.hash_one(value)
}

/// Ordinals by the hashes of their values.
#[derive(Debug, Default)]
pub(crate) struct HashIndex {
    /// Nothing while there are few.
    table: ArcSwapOption<Table>,
    /// How many ordinals there are.
    length: AtomicU32,
    /// Held by whoever adds one.
    writer: Mutex<()>,
}

/// Entries where their hashes want them, or in the first free place after that. Four in five are
/// taken at most.
#[derive(Debug)]
enum Table {
    Narrow(Box<[AtomicU32]>),
    Wide(Box<[AtomicU64]>),
}

/// The upper half is an ordinal, one greater than it is, the lower one a part of its value's hash;
/// 0 where there is none.
trait Entry {
    const HALF: u32;
    fn load(&self) -> u64;
    fn store(&self, entry: u64);
}

impl Entry for AtomicU32 {
    const HALF: u32 = 16;

    #[inline]
    fn load(&self) -> u64 {
        self.load(Ordering::Acquire).into()
    }

    fn store(&self, entry: u64) {
        self.store(entry as u32, Ordering::Release);
    }
}

impl Entry for AtomicU64 {
    const HALF: u32 = 32;

    #[inline]
    fn load(&self) -> u64 {
        self.load(Ordering::Acquire)
    }

    fn store(&self, entry: u64) {
        self.store(entry, Ordering::Release);
    }
}

/// The half of a hash that says where its entry stands.
fn half(hash: u64) -> u32 {
    hash as u32
}

/// What of a hash an entry has.
fn part<E: Entry>(hash: u32) -> u64 {
    u64::from(hash) & ((1 << E::HALF) - 1)
}

/// The places in which a hash may stand, the likeliest first.
fn places<E>(entries: &[E], hash: u32) -> impl Iterator<Item = &E> {
    let spread = u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let start = ((u128::from(spread) * entries.len() as u128) >> 64) as usize;
    let (before, after) = entries.split_at(start);
    after.iter().chain(before)
}

/// The ordinal of the first entry of a hash that is of a value.
#[inline]
fn find<E: Entry>(entries: &[E], hash: u32, is_it: impl Fn(Ordinal) -> bool) -> Option<Ordinal> {
    for entry in places(entries, hash) {
        let entry = entry.load();
        if entry == 0 {
            return None;
        }
        let ordinal = (entry >> E::HALF) as Ordinal - 1;
        if entry & ((1 << E::HALF) - 1) == part::<E>(hash) && is_it(ordinal) {
            return Some(ordinal);
        }
    }
    None
}

fn add<E: Entry>(entries: &[E], ordinal: Ordinal, hash: u32) {
    if let Some(free) = places(entries, hash).find(|place| place.load() == 0) {
        free.store(u64::from(ordinal + 1) << E::HALF | part::<E>(hash));
    }
}

impl Table {
    /// One that has room for as many entries, for so many ordinals.
    fn new(length: usize, ordinals: usize) -> Self {
        match ordinals <= NARROW {
            true => Self::Narrow((0..length).map(|_| AtomicU32::new(0)).collect()),
            false => Self::Wide((0..length).map(|_| AtomicU64::new(0)).collect()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Narrow(entries) => entries.len(),
            Self::Wide(entries) => entries.len(),
        }
    }

    /// Whether there is room for the last one of so many ordinals.
    fn fits(&self, ordinals: usize) -> bool {
        let can_name = ordinals <= NARROW || matches!(self, Self::Wide(_));
        can_name && ordinals * 5 <= self.len() * 4
    }

    #[inline]
    fn find(&self, hash: u32, is_it: impl Fn(Ordinal) -> bool) -> Option<Ordinal> {
        match self {
            Self::Narrow(entries) => find(entries, hash, is_it),
            Self::Wide(entries) => find(entries, hash, is_it),
        }
    }

    fn add(&self, ordinal: Ordinal, hash: u32) {
        match self {
            Self::Narrow(entries) => add(entries, ordinal, hash),
            Self::Wide(entries) => add(entries, ordinal, hash),
        }
    }
}

impl HashIndex {
    /// One of distinct values that are known to be so, by their hashes: as long as one that they
    /// were added to.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn of(hashes: &[u64]) -> Self {
        let own = Self::default();
        if hashes.len() > FEW {
            let mut table = longer(0);
            while hashes.len() * 5 > table * 4 {
                table = longer(table);
            }
            let table = Table::new(table, hashes.len());
            for (ordinal, hash) in (0..).zip(hashes) {
                table.add(ordinal, half(*hash));
            }
            own.table.store(Some(Arc::new(table)));
        }
        own.length.store(hashes.len() as u32, Ordering::Release);
        own
    }

    /// The ordinal of a value with this hash that `is_it`.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(Ordinal) -> bool) -> Option<Ordinal> {
        match &*self.table.load() {
            Some(table) => table.find(half(hash), is_it),
            None => (0..self.length.load(Ordering::Acquire)).find(|own| is_it(*own)),
        }
    }

    /// The ordinal of a value with this hash that `is_it`; where there is none, the one that `add`
    /// gives, and that it is new. `add` gives one more each time, from 0 on; it is called by one at
    /// a time, and once a value. `hash_of` gives the hash of a value that was added.
    pub(crate) fn find_or_add<V>(
        &self,
        hash: u64,
        value: V,
        is_it: impl Fn(&V, Ordinal) -> bool,
        hash_of: impl Fn(Ordinal) -> u64,
        add: impl FnOnce(V) -> Ordinal,
    ) -> (Ordinal, bool) {
        if let Some(known) = self.find(hash, |ordinal| is_it(&value, ordinal)) {
            return (known, false);
        }
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Another one may have added it meanwhile.
        if let Some(known) = self.find(hash, |ordinal| is_it(&value, ordinal)) {
            return (known, false);
        }
        let ordinal = add(value);
        let length = ordinal as usize + 1;
        match &*self.table.load() {
            Some(table) if table.fits(length) => table.add(ordinal, half(hash)),
            None if length <= FEW => {}
            full => self.grow(full.as_deref(), length, hash_of),
        }
        self.length.store(ordinal + 1, Ordering::Release);
        (ordinal, true)
    }

    /// Puts a longer table in the place of a full one, with so many ordinals.
    fn grow(&self, full: Option<&Table>, length: usize, hash_of: impl Fn(Ordinal) -> u64) {
        let old = full.map_or(0, Table::len);
        let is_full = length * 5 > old * 4;
        let table = Table::new(if is_full { longer(old) } else { old }, length);
        let known = match full {
            // Entries stand in the order of their hashes, about: this is one walk along both.
            Some(Table::Wide(entries)) => {
                for entry in entries.iter().map(Entry::load).filter(|entry| *entry > 0) {
                    table.add((entry >> 32) as Ordinal - 1, entry as u32);
                }
                length - 1
            }
            _ => 0,
        };
        (known as Ordinal..length as Ordinal).for_each(|own| table.add(own, half(hash_of(own))));
        self.table.store(Some(Arc::new(table)));
    }

    /// About how many bytes each entry takes.
    pub(crate) const ENTRY: usize = 12;

    /// Bytes that are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let table = |table: &Arc<Table>| {
            let entry = match &**table {
                Table::Narrow(_) => size_of::<AtomicU32>(),
                Table::Wide(_) => size_of::<AtomicU64>(),
            };
            ARC + size_of::<Table>() + table.len() * entry
        };
        self.table.load().as_ref().map_or(0, table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_added_once_however_many_ask() {
        // Hashes that many values share, and hashes of their own.
        for hash in [|value: u32| u64::from(value % 7), |value| u64::from(value) << 20 | 5] {
            let (known, values) = (HashIndex::default(), Mutex::new(Vec::new()));
            let value = |own: Ordinal| values.lock().unwrap()[own as usize];
            let find = |asked: u32| known.find(hash(asked), |own| value(own) == asked);
            std::thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| {
                        for asked in 0..1000 {
                            let is_it = |asked: &u32, own| value(own) == *asked;
                            known.find_or_add(
                                hash(asked),
                                asked,
                                is_it,
                                |own| hash(value(own)),
                                |new| {
                                    let mut values = values.lock().unwrap();
                                    values.push(new);
                                    values.len() as Ordinal - 1
                                },
                            );
                        }
                    });
                }
            });
            assert!((0..1000).all(|asked| find(asked).map(value) == Some(asked)));
            assert_eq!((find(2000), values.lock().unwrap().len()), (None, 1000));
        }
    }

    #[test]
    fn ordinals_of_any_size_are_found() {
        let known = HashIndex::default();
        let hash = |own: u32| u64::from(own).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let count = if cfg!(miri) { 100 } else { 100_000 };
        let (mut bytes, mut entry) = (0, 0);
        for own in 0..count {
            let added = known.find_or_add(hash(own), own, |_, _| false, hash, |own| own);
            assert_eq!(added, (own, true));
            if known.bytes() != bytes {
                bytes = known.bytes();
                assert!((0..=own).all(|own| known.find(hash(own), |it| it == own) == Some(own)));
                entry = bytes / (own as usize + 1);
                assert!(own as usize >= FEW && (entry <= 12 || own < 64), "{bytes} for {own}");
            }
        }
        assert!(entry >= 8 || cfg!(miri), "past what 16 bits name");
    }
}
