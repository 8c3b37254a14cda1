//! A thread that applies what is being written: beside the disk, which is mostly waited for.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use getcases::{Applied, Prepared};

/// Applies one after the other, for one caller at a time.
pub(crate) struct Applier {
    slot: Arc<Slot>,
    /// Nothing where the system has no thread to give: the caller then applies.
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Slot {
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Default)]
enum Turn {
    #[default]
    Idle,
    Given(Prepared),
    Taken,
    Done(thread::Result<Applied>),
    Over,
}

impl Slot {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while a turn is one of some, and puts another one in the place of what comes.
    fn wait(&self, is_waiting: impl Fn(&Turn) -> bool, next: Turn) -> Turn {
        let turn = self.changed.wait_while(self.turn(), |own| is_waiting(own));
        std::mem::replace(&mut *turn.unwrap_or_else(PoisonError::into_inner), next)
    }

    fn tell(&self, turn: Turn) {
        *self.turn() = turn;
        self.changed.notify_all();
    }

    /// Applies what is given until it is over.
    fn serve(&self) {
        let is_waiting = |turn: &Turn| !matches!(turn, Turn::Given(_) | Turn::Over);
        while let Turn::Given(prepared) = self.wait(is_waiting, Turn::Taken) {
            self.tell(Turn::Done(catch_unwind(AssertUnwindSafe(|| prepared.apply()))));
        }
    }
}

impl Applier {
    pub(crate) fn new() -> Self {
        let slot = Arc::<Slot>::default();
        let own = Arc::clone(&slot);
        let named = thread::Builder::new().name("getcases-apply".to_owned());
        Self { thread: named.spawn(move || own.serve()).ok(), slot }
    }

    /// Does some work, and applies meanwhile; gives what was applied where the work succeeds. What
    /// the thread has not begun by then is applied by the caller.
    pub(crate) fn beside<E>(
        &mut self,
        prepared: Prepared,
        work: impl FnOnce() -> Result<(), E>,
    ) -> Result<Applied, E> {
        if self.thread.is_none() {
            return work().map(|()| prepared.apply());
        }
        self.slot.tell(Turn::Given(prepared));
        // Also where the work panics nothing stays behind for the next caller.
        let worked = catch_unwind(AssertUnwindSafe(work));
        let turn = self.slot.wait(|turn| matches!(turn, Turn::Taken), Turn::Idle);
        worked.unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(match turn {
            Turn::Given(prepared) => prepared.apply(),
            Turn::Done(applied) => applied.unwrap_or_else(|panic| resume_unwind(panic)),
            Turn::Idle | Turn::Taken | Turn::Over => {
                unreachable!("it was given, and not taken back")
            }
        })
    }
}

impl Drop for Applier {
    fn drop(&mut self) {
        self.slot.tell(Turn::Over);
        if let Some(thread) = self.thread.take() {
            // It catches what panics.
            _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use getcases::{Batch, Engine, Scope};

    use super::*;

    #[test]
    fn what_succeeds_is_published_and_nothing_else() {
        let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
        let mut applier = Applier::new();
        let mut write = |id: &str, work: fn() -> Result<(), &'static str>| {
            let mut batch = Batch::new();
            batch.upsert(&desk, format!(r#"{{"_id":"{id}"}}"#)).unwrap();
            let entered = engine.enter(batch).unwrap();
            let write = || engine.commit_after(vec![entered], |own| applier.beside(own, work));
            catch_unwind(AssertUnwindSafe(write)).map(|done| done.map(|own| own.len()))
        };
        for (round, own) in ["1", "2", "3"].into_iter().enumerate() {
            assert_eq!(write(own, || Ok(())).unwrap(), Ok(1));
            assert_eq!(write("no", || Err("the disk is full")).unwrap(), Err("the disk is full"));
            assert!(write("no", || panic!("the disk is gone")).is_err());
            assert_eq!(engine.snapshot(&desk).len(), round + 1);
        }
        assert!(engine.snapshot(&desk).get("no").is_none());
    }

    #[test]
    fn a_caller_without_a_thread_applies_by_itself() {
        let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
        let mut applier = Applier { slot: Arc::default(), thread: None };
        let mut batch = Batch::new();
        batch.upsert(&desk, r#"{"_id":"1"}"#).unwrap();
        let entered = vec![engine.enter(batch).unwrap()];
        let written = engine.commit_after(entered, |own| applier.beside(own, || Ok::<_, ()>(())));
        assert!(written.unwrap()[0].is_ok() && engine.snapshot(&desk).len() == 1);
    }
}
