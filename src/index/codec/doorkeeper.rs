//! What was seen not long ago, about: a text is worth an entry in a dictionary when it comes again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use crate::index::collections::sized;

/// How many marks there are, up to how many texts: few texts should cost little.
const LEVELS: [(usize, u64); 8] = [
    (1 << 4, 1 << 5),
    (1 << 6, 1 << 7),
    (1 << 8, 1 << 9),
    (1 << 10, 1 << 11),
    (1 << 12, 1 << 13),
    (1 << 14, 1 << 15),
    (1 << 16, sized(1 << 20, 1 << 16) as u64),
    (1 << 18, u64::MAX),
];

/// One in how many texts is counted.
const COUNTED: u32 = 16;

/// Marks of hashes. A newer one takes the place of an older one; a wrong answer costs some memory.
#[derive(Debug, Default)]
pub(super) struct Doorkeeper {
    levels: [OnceLock<Box<[AtomicU16]>>; LEVELS.len()],
    count: AtomicU64,
}

impl Doorkeeper {
    /// Whether a hash was seen not long ago; notes that it is seen now.
    pub(super) fn again(&self, hash: u64) -> bool {
        // One in some is counted, for all of them: threads would take turns at a word that each
        // of them writes every time.
        let count = match hash as u32 % COUNTED {
            0 => self.count.fetch_add(COUNTED.into(), Ordering::Relaxed),
            _ => self.count.load(Ordering::Relaxed),
        };
        let level = LEVELS.iter().position(|(_, texts)| count < *texts).unwrap_or(0);
        let length = LEVELS[level].0;
        let marks =
            self.levels[level].get_or_init(|| (0..length).map(|_| AtomicU16::new(0)).collect());
        let mark = (hash >> 48) as u16 | 1;
        marks[hash as usize % length].swap(mark, Ordering::Relaxed) == mark
    }

    pub(super) fn bytes(&self) -> usize {
        let marks = self.levels.iter().filter_map(OnceLock::get);
        marks.map(|marks| size_of_val(&**marks)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_came_just_before() {
        let seen = Doorkeeper::default();
        let hash = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let again = (0..20_000).filter(|number| {
            assert!(!seen.again(hash(*number)));
            seen.again(hash(*number))
        });
        // Not where a level has just begun.
        assert!(again.count() > 19_990);
    }
}
