//! Requests in a queue, so that what is too much is refused at once and not answered late.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use getcases::{Code, Problem};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::refused::Refused;

/// Once in how many turns what has come is read before: that costs some microseconds.
const LOOK: u64 = 8;
/// Which part of the mean interval a new one is.
const PART: u64 = 8;
/// What an interval counts for at most: the machine may have done something else.
const PAUSE: u64 = 1_000_000;

/// A request that was read waits for its turn, one for each thread, and works then.
///
/// Useful for staying in time under more than there are threads for: reading requests takes a small
/// part of answering them, so a queue in which they wait is seen, and what it would take too long
/// to come to is refused before anything is done for it. Not for work that waits itself, or takes
/// longer than a millisecond: a turn ends before that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// As many as the runtime has threads, of which it is asked once.
    turns: OnceLock<Semaphore>,
    waiting: AtomicUsize,
    /// How many turns there were.
    turned: AtomicU64,
    started: OnceLock<Instant>,
    /// In nanoseconds since the start: when a turn ended last while somebody waited, else 0.
    ended: AtomicU64,
    /// The mean time between the ends of two turns while somebody waits, in nanoseconds.
    interval: AtomicU64,
}

/// The right to work; another has it once this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'q> {
    queue: &'q Queue,
    _permit: Option<SemaphorePermit<'q>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queue.note_end(self.queue.now());
    }
}

/// One that waits, for as long as it does.
struct Waiting<'q>(&'q AtomicUsize);

impl<'q> Waiting<'q> {
    fn new(count: &'q AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    /// Waits for a turn; refuses where that would take longer than a limit.
    pub(crate) async fn turn(&self, limit: Duration) -> Result<Turn<'_>, Refused> {
        self.check(limit)?;
        let threads = || Semaphore::new(Handle::current().metrics().num_workers());
        let turns = self.0.turns.get_or_init(threads);
        let waiting = Waiting::new(&self.0.waiting);
        // It is never closed.
        let permit = turns.acquire().await.ok();
        drop(waiting);
        // What has come meanwhile is read before so many work: it is refused, or waits.
        if self.0.turned.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK) {
            tokio::task::yield_now().await;
        }
        Ok(Turn { queue: self, _permit: permit })
    }

    /// Refuses what would wait for longer than a limit.
    pub(crate) fn check(&self, limit: Duration) -> Result<(), Refused> {
        if self.wait() <= limit {
            return Ok(());
        }
        let msg = "more is asked than can be answered in time";
        let problem = Problem::new(Code::Overloaded, "$", msg);
        Err(Refused::from(problem.accepts("the same, a little later")).retry_after(1))
    }

    /// About how long one would wait that comes now.
    fn wait(&self) -> Duration {
        let waiting = self.0.waiting.load(Ordering::Relaxed) as u64;
        Duration::from_nanos(waiting.saturating_mul(self.0.interval.load(Ordering::Relaxed)))
    }

    /// Nanoseconds since the first use, and never 0.
    fn now(&self) -> u64 {
        self.0.started.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
    }

    /// Notes the end of a turn. Several at once may count too little or too much: it is a mean.
    fn note_end(&self, now: u64) {
        let is_busy = self.0.waiting.load(Ordering::Relaxed) > 0;
        let last = self.0.ended.swap(if is_busy { now } else { 0 }, Ordering::Relaxed);
        if last == 0 {
            return;
        }
        let mean = self.0.interval.load(Ordering::Relaxed);
        let interval = now.saturating_sub(last).min(mean.saturating_mul(2) + PAUSE);
        let mean = if mean == 0 { interval } else { mean - mean / PART + interval / PART };
        self.0.interval.store(mean, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn a_turn_at_a_time_in_the_order_they_came() {
        let queue = Queue::default();
        let first = queue.turn(LIMIT).await.unwrap();
        let order = std::sync::Mutex::new(Vec::new());
        let wait = async |name| {
            let turn = queue.turn(LIMIT).await.unwrap();
            order.lock().unwrap().push(name);
            drop(turn);
        };
        let end = async {
            assert_eq!(queue.0.waiting.load(Ordering::Relaxed), 2);
            drop(first);
        };
        tokio::join!(biased; wait("second"), wait("third"), end);
        assert_eq!(*order.lock().unwrap(), ["second", "third"]);
        assert_eq!(queue.0.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn one_that_leaves_waits_no_more() {
        let queue = Queue::default();
        let first = queue.turn(LIMIT).await.unwrap();
        let left = tokio::time::timeout(Duration::from_millis(1), queue.turn(LIMIT)).await;
        assert!(left.is_err());
        assert_eq!(queue.0.waiting.load(Ordering::Relaxed), 0);
        drop(first);
        assert!(queue.turn(LIMIT).await.is_ok());
    }

    #[test]
    fn what_would_wait_too_long_is_refused() {
        let (queue, millisecond) = (Queue::default(), 1_000_000);
        let waiting: Vec<_> = (0..20).map(|_| Waiting::new(&queue.0.waiting)).collect();
        // Nothing is known yet.
        assert!(queue.check(LIMIT).is_ok());
        (1..=20).for_each(|end| queue.note_end(end * millisecond));
        assert_eq!(queue.wait(), Duration::from_millis(20));
        assert!(queue.check(LIMIT).is_err());
        assert!(queue.check(LIMIT * 3).is_ok());
        // A pause is not how long turns take.
        queue.note_end(520 * millisecond);
        assert!(queue.wait() < Duration::from_millis(30), "{:?}", queue.wait());
        drop(waiting);
        assert!(queue.check(LIMIT).is_ok());
        // What comes after a rest is no interval.
        queue.note_end(600 * millisecond);
        let interval = queue.0.interval.load(Ordering::Relaxed);
        queue.note_end(700 * millisecond);
        assert_eq!(queue.0.interval.load(Ordering::Relaxed), interval);
    }
}
