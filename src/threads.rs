//! Threads that large work is spread over: the one room that knows of rayon.
//!
//! Useful for work that takes a good part of a millisecond. Not for less: a thread wakes up in tens
//! of microseconds. Whoever hands work over really waits: a thread of another pool's would take up
//! that pool's tasks meanwhile, and with them perhaps a task that wants a lock it holds.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How many threads work may be spread over, and those threads while they are needed. They are
/// started when they are first asked for.
#[derive(Debug)]
pub(crate) struct Pool {
    name: &'static str,
    count: usize,
    /// While somebody has them.
    started: Mutex<Weak<ThreadPool>>,
    /// Of a pool whose threads stay.
    kept: Option<OnceLock<Arc<ThreadPool>>>,
}

impl Pool {
    /// Threads that end when nobody has work for them: what they keep for themselves is then
    /// free.
    pub(crate) fn passing(name: &'static str, count: usize) -> Self {
        Self { name, count, started: Mutex::default(), kept: None }
    }

    /// Threads that stay, for work that is shorter than it takes to start them.
    pub(crate) fn lasting(name: &'static str, count: usize) -> Self {
        Self { kept: Some(OnceLock::new()), ..Self::passing(name, count) }
    }

    /// No threads at all.
    pub(crate) fn none() -> Self {
        Self::passing("", 1)
    }

    /// The threads, started where they are not; the caller alone where there is one, or where the
    /// system has no more.
    pub(crate) fn threads(&self) -> Threads {
        if self.count < 2 {
            return Threads::NONE;
        }
        if let Some(kept) = self.kept.as_ref().and_then(OnceLock::get) {
            return Threads(Some(Arc::clone(kept)));
        }
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = started.upgrade().or_else(|| {
            let name = self.name;
            let named = ThreadPoolBuilder::new().thread_name(move |at| format!("{name}-{at}"));
            named.num_threads(self.count).build().ok().map(Arc::new)
        });
        if let Some(pool) = &pool {
            *started = Arc::downgrade(pool);
            // Another one may have kept it already: it is the same.
            self.kept.iter().for_each(|kept| _ = kept.set(Arc::clone(pool)));
        }
        Threads(pool)
    }
}

/// What work is given to: the threads of a pool, or nobody but the caller.
#[derive(Clone, Debug)]
pub(crate) struct Threads(Option<Arc<ThreadPool>>);

impl Threads {
    /// The caller alone.
    pub(crate) const NONE: Self = Self(None);

    /// How many there are; one where the caller is alone.
    pub(crate) fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// What a function gives for each item, in order.
    pub(crate) fn map<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        each: impl Fn(T) -> R + Send + Sync,
    ) -> Vec<R> {
        self.map_with(items, || (), |(), item| each(item))
    }

    /// The same, with something that a thread makes once and uses for many items.
    pub(crate) fn map_with<T: Send, S, R: Send>(
        &self,
        items: Vec<T>,
        init: impl Fn() -> S + Send + Sync,
        each: impl Fn(&mut S, T) -> R + Send + Sync,
    ) -> Vec<R> {
        match &self.0 {
            Some(pool) if items.len() > 1 => {
                hand_over(pool, || items.into_par_iter().map_init(init, each).collect())
            }
            _ => {
                let mut own = init();
                items.into_iter().map(|item| each(&mut own, item)).collect()
            }
        }
    }

    /// What a function gives for some of few items, each of them long work; in order.
    pub(crate) fn find<T: Sync, R: Send>(
        &self,
        items: &[T],
        find: impl Fn(&T) -> Option<R> + Send + Sync,
    ) -> Vec<R> {
        match &self.0 {
            Some(pool) if items.len() > 1 => {
                hand_over(pool, || items.par_iter().with_max_len(1).filter_map(find).collect())
            }
            _ => items.iter().filter_map(find).collect(),
        }
    }
}

/// Runs work in a pool, and waits for it without doing anything else. A thread of another pool
/// would not: a plain one waits in its place.
fn hand_over<R: Send>(pool: &ThreadPool, work: impl FnOnce() -> R + Send) -> R {
    let is_own = pool.current_thread_index().is_some();
    if is_own || rayon::current_thread_index().is_none() {
        return pool.install(work);
    }
    std::thread::scope(|threads| match threads.spawn(|| pool.install(work)).join() {
        Ok(done) => done,
        Err(panic) => resume_unwind(panic),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    #[test]
    fn items_keep_their_order() {
        for threads in [Threads::NONE, Pool::passing("test", 3).threads()] {
            let even = |n: &u32| n.is_multiple_of(2).then_some(*n);
            assert!(
                threads
                    .map((0..999).collect(), |n: u32| n * 2)
                    .into_iter()
                    .eq((0..999).map(|n| n * 2))
            );
            let items: Vec<u32> = (0..99).collect();
            assert!(threads.find(&items, even).into_iter().eq((0..99).step_by(2)));
        }
    }

    #[test]
    fn threads_end_with_their_work_or_stay() {
        let (passing, lasting) = (Pool::passing("test", 2), Pool::lasting("test", 2));
        let is_there = |pool: &Pool| pool.started.lock().unwrap().upgrade().is_some();
        let held = passing.threads();
        assert!(held.count() == 2 && is_there(&passing));
        drop(held);
        assert!(lasting.threads().count() == 2 && is_there(&lasting) && !is_there(&passing));
        assert_eq!(Pool::none().threads().count(), 1);
    }

    #[test]
    fn a_thread_of_another_pool_takes_up_nothing_while_it_waits() {
        let host = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let own = Pool::passing("test", 2);
        let (is_waiting, stole) = (AtomicBool::new(false), AtomicBool::new(false));
        host.scope(|scope| {
            scope.spawn(|_| stole.store(is_waiting.load(SeqCst), SeqCst));
            // The last one is taken up first.
            scope.spawn(|_| {
                is_waiting.store(true, SeqCst);
                let pause = std::time::Duration::from_millis(5);
                own.threads().map(vec![0; 4], |_| std::thread::sleep(pause));
                is_waiting.store(false, SeqCst);
            });
        });
        assert!(!stole.into_inner());
    }
}
