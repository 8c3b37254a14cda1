//! What a query has looked at, what that cost, and whether its time is over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// At one in how many steps of a merge, or slots that are tested, the clock is looked at.
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
    /// Counts of a query that may go on until then, if not for ever.
    pub(super) fn until(deadline: Option<Instant>) -> Self {
        Self { deadline, ..Self::default() }
    }

    /// Whether the time is over; asked once a segment, and once for each part of a filter there.
    /// Cost: a look at the clock, where there is a deadline.
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

    /// A test of slots that passes none once the time is over: however long one look takes, it is
    /// never far until the next look at the clock.
    pub(super) fn in_time(&self, passes: impl Fn(u16) -> bool) -> impl FnMut(u16) -> bool {
        let (mut tested, mut is_over) = (0_u64, false);
        move |slot| {
            if self.deadline.is_some() && tested.is_multiple_of(STEPS) {
                is_over = self.is_over();
            }
            tested += 1;
            !is_over && passes(slot)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_deadline_nothing_passes_and_little_is_tested() {
        let tested = AtomicU64::new(0);
        let count = |meter: &Meter| {
            let mut passes =
                meter.in_time(|_| tested.fetch_add(1, Ordering::Relaxed).is_multiple_of(2));
            (0..1_000).filter(|slot| passes(*slot)).count()
        };
        let later = Instant::now() + std::time::Duration::from_secs(60);
        assert_eq!(count(&Meter::default()), 500);
        assert_eq!(count(&Meter::until(Some(later))), 500);
        assert_eq!(tested.swap(0, Ordering::Relaxed), 2_000);
        assert_eq!((count(&Meter::until(Some(Instant::now()))), tested.into_inner()), (0, 0));
    }
}
