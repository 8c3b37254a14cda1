//! Segments gone through on several cores, where that pays.
//!
//! Useful for the few questions that take a good part of a millisecond. Most are answered sooner
//! than another thread wakes up: whether it pays is told by the time that the first segments took.
//! What comes out is the same.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::index::sized;

/// From how much work on that is left threads are woken.
const WORTH_IT: Duration = Duration::from_micros(sized(500, 0) as u64);

/// Threads of questions alone: on those that large loads are spread over, a reader would wait for
/// a writer. They are started when they are first needed.
static POOL: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let named = ThreadPoolBuilder::new().thread_name(|at| format!("getcases-query-{at}"));
    let pool = || named.num_threads(cores).build().ok();
    if cores > 1 { pool() } else { None }
});

/// What a function gives for each segment, those left out for which it gives nothing; in order.
pub(super) fn each<S: Sync, F: Send>(
    segments: &[S],
    find: impl Fn(&S) -> Option<F> + Sync,
) -> Vec<F> {
    let mut found = Vec::new();
    let start = Instant::now();
    for (at, segment) in segments.iter().enumerate() {
        // A look at the clock costs as much as a segment with little in it.
        if at > 1 && at.is_power_of_two() {
            let (done, left) = (at as u32, (segments.len() - at) as u32);
            let is_long = left > 1 && start.elapsed() / done * left >= WORTH_IT;
            if let Some(pool) = POOL.as_ref().filter(|_| is_long) {
                let rest = || segments[at..].par_iter().with_max_len(1).filter_map(&find);
                found.extend(pool.install(|| rest().collect::<Vec<_>>()));
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

    #[test]
    fn keeps_the_order_whoever_finds() {
        for pause in [Duration::ZERO, Duration::from_micros(100)] {
            let segments: Vec<u32> = (0..100).collect();
            let found = each(&segments, |segment| {
                std::thread::sleep(pause);
                (segment % 3 == 0).then_some(segment * 2)
            });
            assert!(found.into_iter().eq((0..100).step_by(3).map(|segment| segment * 2)));
        }
    }
}
