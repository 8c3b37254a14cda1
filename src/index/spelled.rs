//! What was read of values, by how documents spell them.
//!
//! Useful for what few values describe: a status that is spelled as one before it is not read
//! again. Not for what every case has another one of; such values are forgotten again.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;

/// How many spellings are remembered, and how long they may be.
const MOST: usize = 4096;
const LONGEST: usize = 1024;

/// What was read of spellings. Many may ask at once.
#[derive(Debug)]
pub(super) struct Spelled<V> {
    values: RwLock<HashMap<Box<str>, V, RandomState>>,
}

impl<V> Default for Spelled<V> {
    fn default() -> Self {
        Self { values: RwLock::default() }
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
        both.clear();
        both.push_str(one);
        // Compact JSON has no line feed.
        both.push('\n');
        both.push_str(other);
        let known = self.values.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(both.as_str()) {
            return *known;
        }
        drop(known);
        let value = read(spelling);
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        if values.len() >= MOST {
            values.clear();
        }
        values.insert(both.as_str().into(), value);
        value
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let texts: usize = values.keys().map(|text| text.len()).sum();
        texts + values.capacity() * (size_of::<(Box<str>, V)>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_read_once() {
        let (spelled, both) = (Spelled::default(), &mut String::new());
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
        assert!(spelled.values.read().unwrap().len() <= MOST && spelled.bytes() > 0);
    }
}
