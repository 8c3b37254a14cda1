//! What was read of values, by how documents spell them.
//!
//! Useful for what few values describe: a status that is spelled as one before it is not read
//! again. Not for what every case has another one of: where few spellings come again none is
//! remembered for a while. Only writers ask: the lock is none that a reader waits for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;

use super::sized::sized;

/// How many spellings are remembered, and how long they may be.
const MAX_SPELLINGS: usize = 4096;
const MAX_SPELLING: usize = 1024;

/// At how many spellings it is judged whether remembering pays, and one in how many must have come
/// again by then; and where there is no room for more.
const EARLY: usize = 1024;
const AGAIN_EARLY: usize = 16;
const AGAIN: usize = 4;

/// How many times is read without remembering where it did not pay.
const REST: usize = 1 << 16;

/// How many times is read without remembering: scopes of few cases should cost little.
const UNKEPT: usize = sized(64, 4);

/// What was read of spellings. Many may ask at once.
#[derive(Debug)]
pub(crate) struct Memo<V> {
    kept: OnceBox<Kept<V>>,
    /// How many times more is read without remembering, about.
    resting: AtomicUsize,
}

#[derive(Debug)]
struct Kept<V> {
    values: RwLock<HashMap<Box<str>, V, RandomState>>,
    /// About how many bytes are allocated.
    allocated: AtomicUsize,
    /// How often a spelling was found, about.
    found: AtomicUsize,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self { kept: OnceBox::new(), resting: AtomicUsize::new(UNKEPT) }
    }
}

impl<V> Default for Kept<V> {
    fn default() -> Self {
        let (allocated, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { values: RwLock::default(), allocated, found }
    }
}

impl<V> Kept<V> {
    /// Keeps the value of a spelling, where remembering pays; forgets all where it does not, or
    /// where there are as many as may be. Says whether it pays.
    fn remember(&self, spelling: &str, value: V) -> bool {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let found = self.found.load(Ordering::Relaxed);
        let pays = match values.len() {
            EARLY => found >= EARLY / AGAIN_EARLY,
            MAX_SPELLINGS.. => found >= MAX_SPELLINGS / AGAIN,
            _ => true,
        };
        if !pays || values.len() >= MAX_SPELLINGS {
            *values = HashMap::default();
            self.allocated.store(0, Ordering::Relaxed);
            self.found.store(0, Ordering::Relaxed);
        }
        if pays && values.insert(spelling.into(), value).is_none() {
            self.allocated.fetch_add(spelling.len(), Ordering::Relaxed);
        }
        pays
    }
}

impl<V: Copy> Memo<V> {
    /// What `read` gives for a spelling, now or before; `both` is any text to write into. Two who
    /// ask at once may both read.
    pub(crate) fn get(
        &self,
        spelling: [&str; 2],
        both: &mut String,
        read: impl FnOnce([&str; 2]) -> V,
    ) -> V {
        let [one, other] = spelling;
        if one.len() + other.len() > MAX_SPELLING {
            return read(spelling);
        }
        let resting = self.resting.load(Ordering::Relaxed);
        if resting > 0 {
            self.resting.store(resting - 1, Ordering::Relaxed);
            return read(spelling);
        }
        both.clear();
        both.push_str(one);
        // Compact JSON has no line feed.
        both.push('\n');
        both.push_str(other);
        let kept = self.kept.get_or_init(Box::default);
        let known = kept.values.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(both.as_str()) {
            kept.found.store(kept.found.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            return *known;
        }
        drop(known);
        let value = read(spelling);
        if !kept.remember(both, value) {
            self.resting.store(REST, Ordering::Relaxed);
        }
        value
    }

    /// About how many bytes are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let Some(Kept { values, allocated, .. }) = self.kept.get() else {
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
        let (spelled, both) = (Memo::default(), &mut String::new());
        (0..UNKEPT).for_each(|n| assert_eq!(spelled.get(["", ""], both, |_| n), n));
        assert_eq!(spelled.bytes(), 0);
        let mut read = Vec::new();
        let long = "x".repeat(MAX_SPELLING);
        for spelling in [["a", "b"], ["ab", ""], ["a", "b"], ["", "ab"], [&long, "1"], [&long, "1"]]
        {
            let value = spelled.get(spelling, both, |texts| {
                read.push(texts.concat());
                read.len()
            });
            assert!(value <= read.len());
        }
        assert_eq!(read, ["ab", "ab", "ab", &format!("{long}1"), &format!("{long}1")]);
        // Each comes twice, one after the other.
        let twice = |n: usize| (n / 2).to_string();
        (0..MAX_SPELLINGS * 4).for_each(|n| _ = spelled.get([&twice(n), ""], both, |_| n));
        let kept = spelled.kept.get().unwrap().values.read().unwrap().len();
        assert!(
            kept <= MAX_SPELLINGS && kept > 0 && spelled.bytes() > kept * 16,
            "{kept} are kept"
        );
    }

    #[test]
    fn spellings_that_never_come_again_are_not_remembered() {
        let (spelled, both) = (Memo::default(), &mut String::new());
        let mut own = 0..;
        let mut ask = |times: usize| {
            own.by_ref().take(times).for_each(|n| {
                assert_eq!(spelled.get([&n.to_string(), ""], both, |_| n), n);
            });
            spelled.bytes()
        };
        ask(UNKEPT + EARLY);
        assert!(ask(1) < 200 && ask(REST - 1) < 200, "{} bytes are kept", spelled.bytes());
        assert!(ask(EARLY) > EARLY * 16, "it is tried again");
    }
}
