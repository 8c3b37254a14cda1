//! What was seen not long ago, about: a text is worth an entry in a dictionary when it comes again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::super::sized::sized;

/// How many marks there are at first, and once there are many texts.
const FEW: usize = 1 << 10;
const MANY: usize = 1 << 16;
/// After how many texts there are many.
const GROWN: u64 = sized(1 << 12, 1 << 8) as u64;

/// Marks of hashes. A newer one takes the place of an older one; a wrong answer costs some memory.
#[derive(Debug, Default)]
pub(super) struct Seen {
    few: OnceLock<Box<[AtomicU32]>>,
    many: OnceLock<Box<[AtomicU32]>>,
    count: AtomicU64,
}

impl Seen {
    /// Whether a hash was seen not long ago; notes that it is seen now.
    pub(super) fn again(&self, hash: u64) -> bool {
        let few = self.count.fetch_add(1, Ordering::Relaxed) < GROWN;
        let (marks, length) = if few { (&self.few, FEW) } else { (&self.many, MANY) };
        let marks = marks.get_or_init(|| (0..length).map(|_| AtomicU32::new(0)).collect());
        let mark = (hash >> 32) as u32 | 1;
        marks[hash as usize % length].swap(mark, Ordering::Relaxed) == mark
    }

    pub(super) fn bytes(&self) -> usize {
        let marks = [&self.few, &self.many].into_iter().filter_map(OnceLock::get);
        marks.map(|marks| marks.len() * 4).sum()
    }
}
