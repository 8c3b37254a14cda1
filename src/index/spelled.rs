//! What was read of values, by how documents spell them.
//!
//! Useful for what few values describe: a status that is spelled as one before it is not read
//! again. Not for what every case has another one of; such values are forgotten again. Only writers
//! ask: the lock is none that a reader waits for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use foldhash::fast::RandomState;

use super::sized::sized;

/// How many spellings are remembered, and how long they may be.
const MOST: usize = 4096;
const LONGEST: usize = 1024;

/// How many times is read without remembering: scopes of few cases should cost little.
const UNKEPT: usize = sized(64, 4);

/// What was read of spellings. Many may ask at once.
#[derive(Debug)]
pub(super) struct Spelled<V> {
    kept: OnceLock<Box<Kept<V>>>,
    /// How many times was read without remembering.
    unkept: AtomicUsize,
}

#[derive(Debug)]
struct Kept<V> {
    values: RwLock<HashMap<Box<str>, V, RandomState>>,
    /// About how many bytes are allocated.
    allocated: AtomicUsize,
}

impl<V> Default for Spelled<V> {
    fn default() -> Self {
        Self { kept: OnceLock::new(), unkept: AtomicUsize::new(0) }
    }
}

impl<V> Default for Kept<V> {
    fn default() -> Self {
        Self { values: RwLock::default(), allocated: AtomicUsize::new(0) }
    }
}

impl<V: Copy> Spelled<V> {
    /// What `read` gives for a spelling, now or before; `both` is any text to write into. Two who
    /// ask at once may both read.
    pub(super) fn get(
        &self,
        spelling: [&str; 2],
        both: &mut String,
        read: impl FnOnce([&str; 2]) -> V,
    ) -> V {
        let [one, other] = spelling;
        if one.len() + other.len() > LONGEST {
            return read(spelling);
        }
        if self.unkept.load(Ordering::Relaxed) < UNKEPT {
            self.unkept.fetch_add(1, Ordering::Relaxed);
            return read(spelling);
        }
        both.clear();
        both.push_str(one);
        // Compact JSON has no line feed.
        both.push('\n');
        both.push_str(other);
        let Kept { values, allocated } = &**self.kept.get_or_init(Box::default);
        let known = values.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(both.as_str()) {
            return *known;
        }
        drop(known);
        let value = read(spelling);
        let mut values = values.write().unwrap_or_else(PoisonError::into_inner);
        if values.len() >= MOST {
            values.clear();
            allocated.store(0, Ordering::Relaxed);
        }
        if values.insert(both.as_str().into(), value).is_none() {
            allocated.fetch_add(both.len(), Ordering::Relaxed);
        }
        value
    }

    /// About how many bytes are allocated. Cost: none that grows.
    pub(super) fn bytes(&self) -> usize {
        let Some(Kept { values, allocated }) = self.kept.get().map(|kept| &**kept) else {
            return 0;
        };
        let values = values.read().unwrap_or_else(PoisonError::into_inner);
        // A table has room for an eighth more, and a byte a place.
        let places = (values.capacity() * 8 / 7).next_power_of_two();
        let table = places * (size_of::<(Box<str>, V)>() + 1);
        size_of::<Kept<V>>() + allocated.load(Ordering::Relaxed) + table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_read_once() {
        let (spelled, both) = (Spelled::default(), &mut String::new());
        (0..UNKEPT).for_each(|n| assert_eq!(spelled.get(["", ""], both, |_| n), n));
        assert_eq!(spelled.bytes(), 0);
        let mut read = Vec::new();
        let long = "x".repeat(LONGEST);
        for spelling in [["a", "b"], ["ab", ""], ["a", "b"], ["", "ab"], [&long, "1"], [&long, "1"]]
        {
            let value = spelled.get(spelling, both, |texts| {
                read.push(texts.concat());
                read.len()
            });
            assert!(value <= read.len());
        }
        assert_eq!(read, ["ab", "ab", "ab", &format!("{long}1"), &format!("{long}1")]);
        (0..MOST * 2).for_each(|n| _ = spelled.get([&n.to_string(), ""], both, |_| n));
        let kept = spelled.kept.get().unwrap().values.read().unwrap().len();
        assert!(kept <= MOST && spelled.bytes() > kept * 16);
    }
}
