//! Whether the server keeps up, by how late its own clock is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use getcases::{Code, Problem};
use tokio::task::AbortHandle;

use crate::refused::Refused;

/// How often the clock is asked.
const TICK: Duration = Duration::from_millis(1);
/// On how many connections requests must have come since then, so that it is they that make it
/// late, and not a machine that does something else.
const MANY: u64 = 16;

/// How late a task is served that was due: what every request that has come waits for, too.
///
/// Useful for refusing early what would be answered late: under more than the server can do, a
/// queue grows without end, and each answer is given to somebody who has left. Refusing costs a
/// small part of answering, so what is let in is answered in time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load(Arc<Measured>);

#[derive(Debug, Default)]
struct Measured {
    late_micros: AtomicU64,
    /// How often the clock was asked.
    ticks: AtomicU64,
    /// On how many connections requests have come since it was asked last.
    come: AtomicU64,
}

/// Keeps the clock asked for as long as it lives.
pub(crate) struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Load {
    /// Begins to ask the clock. Where nobody does, nothing is ever late.
    pub(crate) fn watch(&self) -> Watch {
        let own = self.clone();
        let asking = tokio::spawn(async move {
            loop {
                let asked = Instant::now();
                tokio::time::sleep(TICK).await;
                let late = asked.elapsed().saturating_sub(TICK).as_micros() as u64;
                own.0.ticks.fetch_add(1, Ordering::Relaxed);
                let are_many = own.0.come.swap(0, Ordering::Relaxed) >= MANY;
                own.0.late_micros.store(if are_many { late } else { 0 }, Ordering::Relaxed);
            }
        });
        Watch(asking.abort_handle())
    }

    /// Notes a request of a connection, whose last one came at a tick.
    pub(crate) fn note(&self, last: &AtomicU64) {
        let tick = self.0.ticks.load(Ordering::Relaxed);
        if last.swap(tick, Ordering::Relaxed) != tick {
            self.0.come.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Refuses what would be answered late.
    pub(crate) fn check(&self, limit: Duration) -> Result<(), Refused> {
        if Duration::from_micros(self.0.late_micros.load(Ordering::Relaxed)) <= limit {
            return Ok(());
        }
        let msg = "more is asked than can be answered in time";
        let problem = Problem::new(Code::Overloaded, "$", msg);
        Err(Refused::from(problem.accepts("the same, a little later")).retry_after(1))
    }
}
