//! The log of slow questions.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use getcases::{Context, Snapshot};
use tokio::task::spawn_blocking;

/// How long a question may take to be explained.
const EXPLAINED: Duration = Duration::from_secs(1);

/// Writes questions that took long to the log, each with how it was understood and answered.
///
/// To tell that, a question is asked again, and each part of it by itself: after its answer, on a
/// thread that may block, one question at a time and for a limited time. What is slow meanwhile is
/// told without it: slow questions never cost much more than their answers.
#[derive(Debug, Default)]
pub(crate) struct SlowLog(Arc<AtomicBool>);

/// The right to explain; another one has it once this is dropped.
struct Explaining(Arc<AtomicBool>);

impl Drop for Explaining {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl SlowLog {
    /// Tells of a question that took so long.
    pub(crate) fn tell(
        &self,
        snapshot: &Snapshot,
        body: &Bytes,
        context: &Context,
        took: Duration,
    ) {
        let Some(explaining) = self.turn() else {
            return write(took, "another question is being explained");
        };
        let (snapshot, body, context) = (snapshot.clone(), body.clone(), context.clone());
        let request = tracing::Span::current();
        spawn_blocking(move || {
            let _explaining = explaining;
            // What could not be read took no long time to answer.
            let Ok(query) = snapshot.query_json(&body, &context) else { return };
            request.in_scope(|| match snapshot.until(Instant::now() + EXPLAINED).explain(&query) {
                Ok(explain) => write(took, explain),
                Err(_) => write(took, "explaining it takes too long"),
            });
        });
    }

    fn turn(&self) -> Option<Explaining> {
        let is_taken = self.0.swap(true, Ordering::Acquire);
        (!is_taken).then(|| Explaining(Arc::clone(&self.0)))
    }
}

fn write(took: Duration, explain: impl Display) {
    tracing::warn!(milliseconds = took.as_millis() as u64, %explain, "slow question");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_is_explained_at_a_time() {
        let log = SlowLog::default();
        let first = log.turn();
        assert!(first.is_some() && log.turn().is_none());
        drop(first);
        assert!(log.turn().is_some());
    }
}
