//! Segments gone through on several threads, where that pays.
//!
//! Useful for the few questions that take a good part of a millisecond. Most are answered sooner
//! than another thread wakes up: whether it pays is told by what the first segments cost. What
//! comes out is the same.

use crate::index::sized;
use crate::threads::Pool;

/// From how many nanoseconds of work on that are left, about, threads are woken.
const WORTH_IT: u64 = sized(500_000, 0) as u64;

/// What a look at a segment costs at least.
const LOOK: u64 = 500;

/// What a function gives for each segment, those left out for which it gives nothing; in order.
/// `spent` tells what it cost so far, in nanoseconds, about.
pub(super) fn each<S: Sync, F: Send>(
    segments: &[S],
    pool: &Pool,
    spent: impl Fn() -> u64,
    find: impl Fn(&S) -> Option<F> + Send + Sync,
) -> Vec<F> {
    let mut found = Vec::new();
    let before = spent();
    for (at, segment) in segments.iter().enumerate() {
        // Seldom enough that asking costs nothing.
        if at > 1 && at.is_power_of_two() {
            let (done, left) = (at as u64, (segments.len() - at) as u64);
            let a_segment = LOOK + (spent() - before) / done;
            if left > 1 && a_segment * left >= WORTH_IT {
                found.extend(pool.threads().find(&segments[at..], find));
                return found;
            }
        }
        found.extend(find(segment));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    #[test]
    fn keeps_the_order_whoever_finds() {
        let pool = Pool::lasting("test", 2);
        for cost in [0, WORTH_IT / 10 + 1] {
            let segments: Vec<u32> = (0..100).collect();
            let (spent, others) = (AtomicU64::new(0), AtomicU64::new(0));
            let own = std::thread::current().id();
            let find = |segment: &u32| {
                spent.fetch_add(cost, Relaxed);
                others.fetch_add(u64::from(std::thread::current().id() != own), Relaxed);
                segment.is_multiple_of(3).then_some(segment * 2)
            };
            let found = each(&segments, &pool, || spent.load(Relaxed), find);
            assert!(found.into_iter().eq((0..100).step_by(3).map(|segment| segment * 2)));
            // Small segments are worth it in any case.
            assert_eq!(others.into_inner() > 0, cost > 0 || WORTH_IT == 0);
        }
    }
}
