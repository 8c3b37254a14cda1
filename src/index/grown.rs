//! Numbers that one writer adds and many read, in buckets that never move.
//!
//! Read without waiting. Useful for small records that stay. Not for any that changes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many buckets there are, and how many records the first one has; each has as many as all
/// before it, and those of the first again.
const BUCKETS: usize = 32;
const FIRST: usize = 32;

/// Records of `N` numbers; it only grows.
#[derive(Debug)]
pub(super) struct Grown<const N: usize> {
    buckets: [OnceLock<Box<[[AtomicU64; N]]>>; BUCKETS],
    len: AtomicUsize,
}

impl<const N: usize> Default for Grown<N> {
    fn default() -> Self {
        Self { buckets: [const { OnceLock::new() }; BUCKETS], len: AtomicUsize::new(0) }
    }
}

impl<const N: usize> Grown<N> {
    /// The bucket of a record, and its place there.
    #[inline]
    fn place(index: usize) -> (usize, usize) {
        let index = index + FIRST;
        let bucket = index.ilog2() - FIRST.ilog2();
        (bucket as usize, index - (FIRST << bucket))
    }

    /// Adds a record; gives its index. Two at once would lose one: whoever pushes holds a lock.
    pub(super) fn push(&self, record: [u64; N]) -> usize {
        let index = self.len.load(Ordering::Relaxed);
        let (bucket, at) = Self::place(index);
        let empty = || [const { AtomicU64::new(0) }; N];
        let bucket = self.buckets[bucket]
            .get_or_init(|| std::iter::repeat_with(empty).take(FIRST << bucket).collect());
        for (cell, number) in bucket[at].iter().zip(record) {
            cell.store(number, Ordering::Relaxed);
        }
        self.len.store(index + 1, Ordering::Release);
        index
    }

    /// # Panics
    /// Where the index was not given.
    #[inline]
    pub(super) fn get(&self, index: usize) -> [u64; N] {
        assert!(index < self.len(), "nothing has index {index}");
        let (bucket, at) = Self::place(index);
        let record = self.buckets[bucket].get().map(|bucket| &bucket[at]);
        std::array::from_fn(|n| record.map_or(0, |record| record[n].load(Ordering::Relaxed)))
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    pub(super) fn bytes(&self) -> usize {
        let buckets = self.buckets.iter().filter_map(OnceLock::get);
        buckets.map(|bucket| bucket.len() * N * 8).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_stay_as_they_were() {
        let grown = Grown::default();
        for index in 0..1000 {
            assert_eq!(grown.push([index as u64, !0]), index);
        }
        assert!((0..1000).all(|index| grown.get(index) == [index as u64, !0]));
        assert_eq!((grown.len(), grown.bytes()), (1000, 2016 * 16));
    }

    #[test]
    #[should_panic(expected = "nothing has index 0")]
    fn an_index_that_was_not_given_is_refused() {
        Grown::<1>::default().get(0);
    }
}
