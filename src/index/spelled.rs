//! What was read of values, by how documents spell them.
//!
//! Useful for what few values describe: a status that is spelled as one before it is not read
//! again. Not for what every case has another one of; such values are forgotten again.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// How many spellings are remembered, and how long they may be.
const MOST: usize = 4096;
const LONGEST: usize = 1024;

/// What was read of spellings.
#[derive(Debug)]
pub(super) struct Spelled<V> {
    values: HashMap<Box<str>, V, RandomState>,
    /// Both texts of a spelling, with what stands in neither between them.
    both: String,
}

impl<V> Default for Spelled<V> {
    fn default() -> Self {
        Self { values: HashMap::default(), both: String::new() }
    }
}

impl<V: Copy> Spelled<V> {
    /// What `read` gives for a spelling, now or before.
    pub(super) fn get(&mut self, spelling: [&str; 2], read: impl FnOnce([&str; 2]) -> V) -> V {
        let [one, other] = spelling;
        if one.len() + other.len() > LONGEST {
            return read(spelling);
        }
        self.both.clear();
        self.both.push_str(one);
        // Compact JSON has no line feed.
        self.both.push('\n');
        self.both.push_str(other);
        if let Some(known) = self.values.get(&*self.both) {
            return *known;
        }
        let value = read(spelling);
        if self.values.len() >= MOST {
            self.values.clear();
        }
        self.values.insert(self.both.as_str().into(), value);
        value
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.values.keys().map(|text| text.len()).sum();
        texts + self.values.capacity() * (size_of::<(Box<str>, V)>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_is_read_once() {
        let mut spelled = Spelled::default();
        let mut read = Vec::new();
        let long = "x".repeat(LONGEST);
        for spelling in [["a", "b"], ["ab", ""], ["a", "b"], ["", "ab"], [&long, "1"], [&long, "1"]]
        {
            let value = spelled.get(spelling, |texts| {
                read.push(texts.concat());
                read.len()
            });
            assert!(value <= read.len());
        }
        assert_eq!(read, ["ab", "ab", "ab", &format!("{long}1"), &format!("{long}1")]);
        (0..MOST * 2).for_each(|n| _ = spelled.get([&n.to_string(), ""], |_| n));
        assert!(spelled.values.len() <= MOST && spelled.bytes() > 0);
    }
}
