//! A vector that one writer appends to while many read, in buckets that never move.
//!
//! Read without waiting: a value, once its index was given, stays where it is. Empty it allocates
//! nothing, and its first value stands in the vector itself: a scope of few cases has many of
//! these. Useful for the values of dictionaries and for small records that stay. Not for values
//! that go.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use once_cell::race::OnceBox;

use super::sized::sized;

/// Bucket `k` holds the values from index `2^k` on, as many; the first value is in none. From
/// `2^SPLIT` on each of these is split in `PARTS` of the same length, so that little is allocated
/// ahead. The buckets are in tables: of the short ones, the long ones, and for each `k` from
/// `SPLIT` on of its parts.
const SHORT_BUCKETS: usize = 4;
const SPLIT: usize = 10;
const LONG_BUCKETS: usize = SPLIT - SHORT_BUCKETS;
const UNSPLIT_BUCKETS: usize = SHORT_BUCKETS + LONG_BUCKETS;
const PARTS: usize = 8;
const SPLITS: usize = 32 - SPLIT;

/// How many values there may be: their indices are kept as 32-bit numbers.
pub(crate) const MAX_VALUES: usize = u32::MAX as usize;

/// From how many values on those that are only worth having are no longer added: more than as many
/// as threads may add at once are left.
pub(super) const ENOUGH: usize = sized(MAX_VALUES - (1 << 16), 1 << 14);

/// Where a value will be stored, and is once it was.
pub(crate) trait WriteOnce {
    type Value;
    fn empty() -> Self;
    /// Stores a value in an empty cell.
    fn store(&self, value: Self::Value);
}

impl<T> WriteOnce for OnceLock<T> {
    type Value = T;

    fn empty() -> Self {
        Self::new()
    }

    fn store(&self, value: T) {
        // An empty cell takes it.
        let _ = self.set(value);
    }
}

impl<const N: usize> WriteOnce for [AtomicU64; N] {
    type Value = [u64; N];

    fn empty() -> Self {
        [const { AtomicU64::new(0) }; N]
    }

    fn store(&self, value: [u64; N]) {
        self.iter().zip(value).for_each(|(cell, number)| cell.store(number, Ordering::Relaxed));
    }
}

type Bucket<C> = OnceLock<Box<[C]>>;
type Table<C, const BUCKETS: usize> = OnceBox<[Bucket<C>; BUCKETS]>;

/// Values in cells; it only grows.
#[derive(Debug)]
pub(crate) struct AppendVec<C> {
    len: AtomicUsize,
    first: C,
    short: Table<C, SHORT_BUCKETS>,
    long: Table<C, LONG_BUCKETS>,
    split: OnceBox<[Table<C, PARTS>; SPLITS]>,
}

/// Values of any type.
pub(crate) type Values<T> = AppendVec<OnceLock<T>>;
/// Records of `N` numbers.
pub(crate) type Numbers<const N: usize> = AppendVec<[AtomicU64; N]>;

impl<C: WriteOnce> Default for AppendVec<C> {
    fn default() -> Self {
        Self {
            len: AtomicUsize::new(0),
            first: C::empty(),
            short: OnceBox::new(),
            long: OnceBox::new(),
            split: OnceBox::new(),
        }
    }
}

/// Where an index is.
enum At {
    First,
    /// A bucket of a table, and the place there.
    Short(usize, usize),
    Long(usize, usize),
    /// The table, the bucket there, and the place.
    Split(usize, usize, usize),
}

impl At {
    #[inline]
    fn of(index: usize) -> Self {
        match index.checked_ilog2().map(|bits| bits as usize) {
            None => Self::First,
            Some(bits) if bits < SHORT_BUCKETS => Self::Short(bits, index - (1 << bits)),
            Some(bits) if bits < SPLIT => Self::Long(bits - SHORT_BUCKETS, index - (1 << bits)),
            Some(bits) => {
                // A division would cost more than all else.
                let rest = bits - PARTS.ilog2() as usize;
                // With the bit that leads it.
                let part = index >> rest;
                Self::Split(bits - SPLIT, part - PARTS, index - (part << rest))
            }
        }
    }
}

fn table<C, const BUCKETS: usize>() -> Box<[Bucket<C>; BUCKETS]> {
    Box::new([const { OnceLock::new() }; BUCKETS])
}

impl<C: WriteOnce> AppendVec<C> {
    /// Adds a value; gives its index. Two at once would lose one: whoever pushes holds a lock.
    ///
    /// # Panics
    /// Where there are 2³² - 1 values: writes that could come to that are refused before.
    pub(crate) fn push(&self, value: C::Value) -> usize {
        let index = self.len.load(Ordering::Relaxed);
        assert!(index < MAX_VALUES, "no index is left");
        let cells = |length: usize| move || std::iter::repeat_with(C::empty).take(length).collect();
        let (bucket, length, at) = match At::of(index) {
            At::First => (None, 0, 0),
            At::Short(own, at) => (Some(&self.short.get_or_init(table)[own]), 1 << own, at),
            At::Long(own, at) => {
                (Some(&self.long.get_or_init(table)[own]), 1 << (own + SHORT_BUCKETS), at)
            }
            At::Split(own, part, at) => {
                let tables = || Box::new([const { OnceBox::new() }; SPLITS]);
                let parts = self.split.get_or_init(tables)[own].get_or_init(table);
                (Some(&parts[part]), (1 << (own + SPLIT)) / PARTS, at)
            }
        };
        match bucket {
            None => self.first.store(value),
            Some(bucket) => bucket.get_or_init(cells(length))[at].store(value),
        }
        self.len.store(index + 1, Ordering::Release);
        index
    }

    /// The cell of an index that was given. Texts are read by two of these: a call would cost as
    /// much as what it does.
    #[inline(always)]
    fn cell(&self, index: usize) -> Option<&C> {
        if index >= self.len() {
            return None;
        }
        let (bucket, at) = match At::of(index) {
            At::First => return Some(&self.first),
            At::Short(own, at) => (&self.short.get()?[own], at),
            At::Long(own, at) => (&self.long.get()?[own], at),
            At::Split(own, part, at) => (&self.split.get()?[own].get()?[part], at),
        };
        bucket.get()?.get(at)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether so many values are there that only such should be added which have to be.
    pub(crate) fn has_enough(&self) -> bool {
        self.len() >= ENOUGH
    }

    /// Bytes that are allocated, but for what the values own. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let Some(last) = self.len().checked_sub(1).filter(|last| *last > 0) else { return 0 };
        let (cells, buckets, tables) = match At::of(last) {
            At::First => (0, 0, 0),
            At::Short(own, _) => ((2 << own) - 1, SHORT_BUCKETS, 0),
            At::Long(own, _) => ((2 << (own + SHORT_BUCKETS)) - 1, UNSPLIT_BUCKETS, 0),
            At::Split(own, part, _) => {
                let whole = 1 << (own + SPLIT);
                let cells = whole - 1 + (part + 1) * (whole / PARTS);
                (cells, UNSPLIT_BUCKETS + (own + 1) * PARTS, SPLITS)
            }
        };
        let tables = tables * size_of::<Table<C, PARTS>>();
        tables + cells * size_of::<C>() + buckets * size_of::<Bucket<C>>()
    }
}

impl<T> Values<T> {
    /// # Panics
    /// Where the index was not given.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> &T {
        match self.cell(index).and_then(OnceLock::get) {
            Some(value) => value,
            None => missing(index),
        }
    }
}

impl<const N: usize> Numbers<N> {
    /// # Panics
    /// Where the index was not given.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> [u64; N] {
        match self.cell(index) {
            Some(record) => std::array::from_fn(|n| record[n].load(Ordering::Relaxed)),
            None => missing(index),
        }
    }

    /// Puts a number of a record in the place of what it was; readers see either one, and with
    /// the new one all that was written before it.
    ///
    /// # Panics
    /// Where the index was not given.
    pub(crate) fn replace(&self, index: usize, number: usize, value: u64) {
        match self.cell(index) {
            Some(record) => record[number].store(value, Ordering::Release),
            None => missing(index),
        }
    }

    /// A number of a record that may be replaced, as last written.
    ///
    /// # Panics
    /// Where the index was not given.
    pub(crate) fn current(&self, index: usize, number: usize) -> u64 {
        match self.cell(index) {
            Some(record) => record[number].load(Ordering::Acquire),
            None => missing(index),
        }
    }
}

#[cold]
pub(crate) fn missing(index: usize) -> ! {
    panic!("nothing has index {index}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_stay_where_they_were() {
        let (numbers, values) = (Numbers::default(), Values::default());
        let count = if cfg!(miri) { 70 } else { 1000 };
        assert_eq!((numbers.bytes(), values.bytes()), (0, 0));
        for index in 0..count {
            assert_eq!(numbers.push([index as u64, !0]), index);
            assert_eq!(values.push(index.to_string()), index);
        }
        assert!((0..count).all(|index| numbers.get(index) == [index as u64, !0]));
        assert!((0..count).all(|index| *values.get(index) == index.to_string()));
        assert_eq!((numbers.len(), values.len()), (count, count));
        numbers.replace(count - 1, 1, 7);
        assert_eq!((numbers.current(count - 1, 1), numbers.get(0)), (7, [0, !0]));
        if !cfg!(miri) {
            let bucket = size_of::<Bucket<[AtomicU64; 2]>>();
            assert_eq!(numbers.bytes(), 1023 * 16 + UNSPLIT_BUCKETS * bucket);
            (count..1500).for_each(|index| _ = numbers.push([index as u64, !0]));
            assert!((0..1500).all(|index| index == count - 1 || numbers.get(index)[1] == !0));
            assert_eq!(
                numbers.bytes(),
                (1023 + 4 * 128) * 16 + (UNSPLIT_BUCKETS + PARTS) * bucket + SPLITS * 8
            );
        }
    }

    #[test]
    #[should_panic(expected = "nothing has index 0")]
    fn an_index_that_was_not_given_is_refused() {
        Numbers::<1>::default().get(0);
    }

    #[test]
    fn readers_see_whole_values_while_one_writes() {
        let values = Values::default();
        let count = if cfg!(miri) { 70 } else { 50_000 };
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    let mut seen = 0;
                    while seen < count {
                        let length = values.len();
                        (seen..length)
                            .for_each(|index| assert_eq!(*values.get(index), index.to_string()));
                        seen = length;
                        std::thread::yield_now();
                    }
                });
            }
            (0..count).for_each(|index| _ = values.push(index.to_string()));
        });
    }

    proptest! {
        #[test]
        fn is_a_vector(numbers in prop::collection::vec(any::<u64>(), 0..200)) {
            let own = Numbers::<1>::default();
            numbers.iter().for_each(|number| _ = own.push([*number]));
            prop_assert_eq!((0..own.len()).map(|at| own.get(at)[0]).collect::<Vec<_>>(), numbers);
        }
    }
}
