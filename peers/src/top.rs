//! The best ones of many.

use crate::ask::Ask;

/// Keeps the least of what is pushed: a buffer of twice as many, halved when it is full.
#[derive(Debug)]
pub struct Top {
    wanted: usize,
    /// A key, then a number.
    best: Vec<u64>,
    bound: u64,
}

impl Top {
    /// Keeps as many as are wanted.
    #[must_use]
    pub fn new(wanted: usize) -> Self {
        Self { wanted, best: Vec::new(), bound: u64::MAX }
    }

    /// Whether a key is too great, whatever the number.
    #[must_use]
    pub fn excludes(&self, key: u32) -> bool {
        u64::from(key) > self.bound >> 32
    }

    /// A candidate, first by its key and then by its number.
    pub fn push(&mut self, key: u32, number: u32) {
        let packed = u64::from(key) << 32 | u64::from(number);
        if packed >= self.bound || self.wanted == 0 {
            return;
        }
        self.best.push(packed);
        if self.best.len() >= 2 * self.wanted.max(32) {
            let (_, bound, _) = self.best.select_nth_unstable(self.wanted - 1);
            self.bound = *bound + 1;
            self.best.truncate(self.wanted);
        }
    }

    /// The numbers of the page, in order.
    #[must_use]
    pub fn page(mut self, ask: &Ask) -> Vec<u32> {
        let skip = usize::try_from(ask.request.skip).unwrap_or(usize::MAX);
        if skip >= self.best.len() {
            return Vec::new();
        }
        if self.wanted < self.best.len() {
            self.best.select_nth_unstable(self.wanted);
            self.best.truncate(self.wanted);
        }
        if skip > 0 {
            self.best.select_nth_unstable(skip);
        }
        let page = &mut self.best[skip..];
        page.sort_unstable();
        page.iter().map(|packed| *packed as u32).collect()
    }
}
