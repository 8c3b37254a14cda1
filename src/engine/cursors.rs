//! The snapshots that cursors name: kept for a while, so that the pages that follow one another are
//! parts of one result.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Builder, Thread};
use std::time::{Duration, Instant};

use super::cell::Held;
use super::scope::Scope;
use crate::contract::CursorKey;

/// How long after a snapshot is too old it may still be there: so many can be let go of at once.
const SLACK: Duration = Duration::from_millis(250);

/// Which snapshots an engine keeps for cursors ([`EngineBuilder::cursors`]).
///
/// Where one is let go of, its cursors go on behind the last case seen, in what the scope holds by
/// then. With `snapshots: 0` all do.
///
/// [`EngineBuilder::cursors`]: crate::EngineBuilder::cursors
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorLimits {
    /// How many; 256 where it is not set.
    pub snapshots: usize,
    /// For how long after a page of it was asked for last; five minutes where it is not set.
    pub age: Duration,
    /// How many bytes they alone may hold, about; 256 MiB where it is not set. Counted are 16 KiB
    /// for each change that was written since, up to all that the scope took then.
    pub bytes: u64,
}

impl Default for CursorLimits {
    fn default() -> Self {
        Self { snapshots: 256, age: Duration::from_secs(300), bytes: 256 << 20 }
    }
}

/// What an engine's cursors are sealed with, and the snapshots that they name.
#[derive(Debug)]
pub(super) struct Cursors {
    key: CursorKey,
    /// Tells this engine from others with its key.
    engine: u64,
    limits: CursorLimits,
    /// The one that was used longest ago first.
    kept: Mutex<VecDeque<Kept>>,
    /// How many are kept, for writers that look by the way.
    length: AtomicUsize,
    /// Lets go of what is too old, while anything is kept.
    sweeper: Mutex<Option<Thread>>,
}

#[derive(Debug)]
struct Kept {
    scope: Scope,
    held: Arc<Held>,
    used: Instant,
}

impl Cursors {
    /// With a random key, if none is given.
    pub(super) fn new(key: Option<[u8; 16]>, limits: CursorLimits) -> Arc<Self> {
        // The standard library draws its keys from the system's randomness.
        let random = RandomState::new();
        let drawn = |number: u64| random.hash_one(number);
        let random_key = || {
            let halves = [drawn(1), drawn(2)].map(u64::to_le_bytes);
            std::array::from_fn(|at| halves[at / 8][at % 8])
        };
        Arc::new(Self {
            key: CursorKey::new(key.unwrap_or_else(random_key)),
            engine: drawn(0),
            limits,
            kept: Mutex::default(),
            length: AtomicUsize::new(0),
            sweeper: Mutex::default(),
        })
    }

    pub(super) fn key(&self) -> CursorKey {
        self.key
    }

    pub(super) fn engine(&self) -> u64 {
        self.engine
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a scope held at a generation, if that is kept.
    pub(super) fn find(&self, scope: &Scope, generation: u64) -> Option<Arc<Held>> {
        let mut kept = self.lock();
        let is_it = |own: &Kept| own.held.generation() == generation && own.scope == *scope;
        let at = kept.iter().position(is_it)?;
        let mut found = kept.remove(at)?;
        found.used = Instant::now();
        let held = Arc::clone(&found.held);
        kept.push_back(found);
        Some(held)
    }

    /// Keeps what a scope holds, for a cursor that names it.
    pub(super) fn keep(self: &Arc<Self>, scope: &Scope, held: &Arc<Held>) {
        let generation = held.generation();
        if self.limits.snapshots == 0 || self.find(scope, generation).is_some() {
            return;
        }
        let own = Kept { scope: scope.clone(), held: Arc::clone(held), used: Instant::now() };
        self.lock().push_back(own);
        self.sweep();
        self.begin_sweeping();
    }

    /// Lets go of what is too much or too old. Cost: those that are kept; what much hangs on is
    /// freed aside.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        let is_old = |own: &Kept| now.duration_since(own.used) >= self.limits.age;
        let mut gone = Vec::new();
        let mut kept = self.lock();
        let mut bytes: u64 = kept.iter().map(|own| own.held.alone()).sum();
        while let Some(own) = kept.pop_front_if(|own| is_old(own) || bytes > self.limits.bytes) {
            bytes = bytes.saturating_sub(own.held.alone());
            gone.push(own);
        }
        while kept.len() > self.limits.snapshots {
            gone.extend(kept.pop_front());
        }
        self.length.store(kept.len(), Ordering::Relaxed);
        drop(kept);
        drop(gone);
    }

    /// The same by a writer, where anything is kept.
    pub(super) fn after_write(&self) {
        if self.length.load(Ordering::Relaxed) > 0 {
            self.sweep();
        }
    }

    /// Lets go of all that a scope held.
    pub(super) fn forget(&self, scope: &Scope) {
        let mut gone = Vec::new();
        let mut kept = self.lock();
        for own in std::mem::take(&mut *kept) {
            if own.scope == *scope { gone.push(own) } else { kept.push_back(own) }
        }
        self.length.store(kept.len(), Ordering::Relaxed);
        drop(kept);
        drop(gone);
    }

    /// Has a thread see to it that nothing gets too old, which ends when nothing is kept.
    fn begin_sweeping(self: &Arc<Self>) {
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        if sweeper.is_some() {
            return;
        }
        let weak = Arc::downgrade(self);
        let begun = Builder::new().name("getcases-cursors".to_owned()).spawn(move || run(&weak));
        // Where the system has no thread more, writers and readers do it.
        *sweeper = begun.ok().map(|handle| handle.thread().clone());
    }

    /// How long until something is too old; nothing where nothing is kept, and the thread ends.
    fn due(&self) -> Option<Duration> {
        let mut sweeper = self.sweeper.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.lock().front().map(|own| own.used);
        if first.is_none() {
            *sweeper = None;
        }
        let age = first?.elapsed();
        Some(self.limits.age.saturating_sub(age) + SLACK)
    }
}

fn run(cursors: &Weak<Cursors>) {
    loop {
        let Some(due) = cursors.upgrade().and_then(|cursors| cursors.due()) else { return };
        thread::park_timeout(due);
        let Some(cursors) = cursors.upgrade() else { return };
        cursors.sweep();
    }
}

impl Drop for Cursors {
    fn drop(&mut self) {
        let sweeper = self.sweeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = sweeper.take() {
            thread.unpark();
        }
    }
}
