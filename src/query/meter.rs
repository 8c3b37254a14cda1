//! What a query has looked at, and what that cost.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of one query, which several threads may add to.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// How many slots were looked at.
    examined: AtomicU64,
    /// What segments have cost so far, in nanoseconds, about; told by counts and not by a clock.
    spent: AtomicU64,
}

impl Meter {
    pub(super) fn spend(&self, nanoseconds: u64) {
        self.spent.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    pub(super) fn examine(&self, slots: usize) {
        self.examined.fetch_add(slots as u64, Ordering::Relaxed);
    }

    pub(super) fn examined(&self) -> u64 {
        self.examined.load(Ordering::Relaxed)
    }
}
