//! What a query has looked at, what that cost, and whether its time is over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// At one in how many steps of a merge the clock is looked at.
const STEPS: u64 = 64;

/// The counts of one query, which several threads may add to.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// How many slots were looked at.
    examined: AtomicU64,
    /// What segments have cost so far, in nanoseconds, about; told by counts and not by a clock.
    spent: AtomicU64,
    /// Until when the query may go on. Whoever sees that it is past stops where they are: what is
    /// found so far is thrown away.
    deadline: Option<Instant>,
    is_over: AtomicBool,
    /// How often a step of a merge has asked.
    steps: AtomicU64,
}

impl Meter {
    /// Counts of a query that may go on until then.
    pub(super) fn until(deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..Self::default() }
    }

    /// Whether the time is over; asked once a segment. Cost: a look at the clock, where there is a
    /// deadline.
    pub(super) fn is_over(&self) -> bool {
        let Some(deadline) = self.deadline else { return false };
        let is_over = self.is_over.load(Ordering::Relaxed) || Instant::now() >= deadline;
        if is_over {
            self.is_over.store(true, Ordering::Relaxed);
        }
        is_over
    }

    /// The same, asked once a step: the clock is looked at now and then.
    #[inline]
    pub(super) fn is_over_by_now(&self) -> bool {
        if self.deadline.is_none() {
            return false;
        }
        let steps = self.steps.fetch_add(1, Ordering::Relaxed);
        match steps.is_multiple_of(STEPS) {
            true => self.is_over(),
            false => self.is_over.load(Ordering::Relaxed),
        }
    }

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
