//! What a scope holds now, and who may change it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

use arc_swap::ArcSwap;

use super::aside;
use super::journal::{IdList, Journal, Noted};
use super::memory::Share;
use crate::index::{Index, Limits, Rebuild};
use crate::threads::Pool;

/// From how many changes on what an old snapshot alone still holds may be long to free.
const FREED_ASIDE: u64 = 1024;

/// How many bytes a change leaves to old snapshots, about: parts of each order, list and column.
const CHANGE: u64 = 16 << 10;

/// Since when a scope has the catalog that it has.
#[derive(Debug, Default)]
struct Era {
    /// Whether the scope was dropped, or built anew since.
    is_over: AtomicBool,
    changes: AtomicU64,
}

/// An index that was published. It is freed by whoever drops it last, or aside where it may be
/// much.
#[derive(Debug)]
pub(super) struct Held {
    /// There until it is dropped.
    index: Option<Index>,
    era: Arc<Era>,
    /// How many changes the era had when it was published.
    at: u64,
    /// How many batches have changed the scope.
    generation: u64,
    /// What they changed.
    journal: Arc<Journal>,
    pool: Arc<Pool>,
}

impl Held {
    /// What a scope holds that nobody wrote into.
    pub(super) fn nothing() -> Arc<Self> {
        static NOTHING: LazyLock<Arc<Held>> = LazyLock::new(|| {
            let (journal, pool) = (Arc::default(), Arc::new(Pool::none()));
            Arc::new(Held::new(Index::default(), Arc::default(), 0, (&journal, &pool)))
        });
        Arc::clone(&NOTHING)
    }

    fn new(
        index: Index,
        era: Arc<Era>,
        generation: u64,
        (journal, pool): (&Arc<Journal>, &Arc<Pool>),
    ) -> Self {
        let at = era.changes.load(Ordering::Relaxed);
        let (journal, pool) = (Arc::clone(journal), Arc::clone(pool));
        Self { index: Some(index), era, at, generation, journal, pool }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// What changed in the scope lately.
    pub(super) fn journal(&self) -> &Journal {
        &self.journal
    }

    pub(super) fn index(&self) -> &Index {
        match &self.index {
            Some(index) => index,
            None => unreachable!("it is taken only where it is dropped"),
        }
    }

    /// How many bytes it holds that what is there now does not, about.
    pub(super) fn alone(&self) -> u64 {
        let all = self.index().bytes().total();
        match self.era.is_over.load(Ordering::Relaxed) {
            true => all,
            false => all.min(self.changes_since() * CHANGE),
        }
    }

    fn changes_since(&self) -> u64 {
        self.era.changes.load(Ordering::Relaxed) - self.at
    }

    /// What long questions are spread over.
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.changes_since() >= FREED_ASIDE || self.era.is_over.load(Ordering::Relaxed) {
            aside::free(self.index.take());
        }
    }
}

/// What only writers of a scope know, one at a time.
#[derive(Debug, Default)]
pub(super) struct WriterState {
    /// Where the scope is being built anew, the ids of cases that changed since upkeep took it
    /// last.
    pub(super) journal: Option<Vec<Box<str>>>,
}

/// A rebuild, if one is under way.
pub(super) type Upkeep = Option<Box<Rebuild>>;

/// One scope: readers take what is published, writers come one at a time, and upkeep is beside
/// both. Who has the lock of upkeep may take that of writers, and never the other way round.
#[derive(Debug)]
pub(super) struct Cell {
    held: ArcSwap<Held>,
    journal: Arc<Journal>,
    /// How many bytes of changes are kept, at most.
    changes_kept: usize,
    pool: Arc<Pool>,
    writer: Mutex<WriterState>,
    /// How many writers wait.
    waiting: AtomicUsize,
    /// The rebuild under way.
    upkeep: Mutex<Upkeep>,
    /// Where memory is limited.
    share: Option<Box<Share>>,
}

impl Cell {
    pub(super) fn new(
        pool: &Arc<Pool>,
        limits: Limits,
        changes_kept: usize,
        share: Option<Share>,
    ) -> Self {
        let (share, journal) = (share.map(Box::new), Arc::default());
        let held = Held::new(Index::new(limits), Arc::default(), 0, (&journal, pool));
        Self {
            held: ArcSwap::from_pointee(held),
            journal,
            changes_kept,
            pool: Arc::clone(pool),
            writer: Mutex::default(),
            waiting: AtomicUsize::new(0),
            upkeep: Mutex::default(),
            share,
        }
    }

    /// Goes on with the generations of what was dropped before. Nobody else knows the cell yet.
    pub(super) fn begin_at(&self, generation: u64) {
        if generation > 0 {
            self.go_on_at(generation);
        }
    }

    /// Goes on at a generation that was told before.
    pub(super) fn resume(&self, _writer: &WriterState, generation: u64) {
        self.go_on_at(generation);
    }

    /// Puts what was read of a checkpoint in the place of nothing.
    #[cfg(feature = "checkpoint")]
    pub(super) fn restore(&self, _writer: &WriterState, index: Index, generation: u64) {
        let shared = (&self.journal, &self.pool);
        self.journal.begin_at(generation);
        self.held.store(Arc::new(Held::new(index, Arc::default(), generation, shared)));
    }

    fn go_on_at(&self, generation: u64) {
        let old = self.held.load();
        let index = Index::clone(old.index());
        let shared = (&self.journal, &self.pool);
        let held = Held::new(index, Arc::clone(&old.era), generation, shared);
        self.journal.begin_at(generation);
        self.held.store(Arc::new(held));
    }

    /// Counts what it takes now, where that is limited.
    pub(super) fn recount(&self) {
        let bytes = || self.held.load().index().bytes().total();
        self.share.iter().for_each(|share| share.count(bytes));
    }

    pub(super) fn load(&self) -> Arc<Held> {
        self.held.load_full()
    }

    /// Waits until no other writer is there. One that panicked has published nothing, and what it
    /// added to a catalog no case refers to: the lock is as good as new.
    pub(super) fn writer(&self) -> MutexGuard<'_, WriterState> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let writer = self.writer.lock().unwrap_or_else(|poisoned| {
            self.writer.clear_poison();
            poisoned.into_inner()
        });
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        writer
    }

    pub(super) fn has_waiting_writers(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until no other upkeep is there.
    pub(super) fn upkeep(&self) -> MutexGuard<'_, Upkeep> {
        let upkeep = self.upkeep.lock();
        upkeep.unwrap_or_else(|poisoned| self.begin_anew(poisoned))
    }

    /// The upkeep, where nobody has to be waited for.
    pub(super) fn try_upkeep(&self) -> Option<MutexGuard<'_, Upkeep>> {
        match self.upkeep.try_lock() {
            Ok(upkeep) => Some(upkeep),
            Err(TryLockError::Poisoned(poisoned)) => Some(self.begin_anew(poisoned)),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// A rebuild may have been left half changed.
    fn begin_anew<'c>(
        &self,
        poisoned: PoisonError<MutexGuard<'c, Upkeep>>,
    ) -> MutexGuard<'c, Upkeep> {
        let mut upkeep = poisoned.into_inner();
        aside::free(upkeep.take());
        self.writer().journal = None;
        self.upkeep.clear_poison();
        upkeep
    }

    /// The ids of changes that are to be applied to what is there, as long as they may be kept.
    pub(super) fn list<'i>(
        &self,
        ids: impl Iterator<Item = &'i str> + Clone,
        old: &Index,
    ) -> Option<IdList> {
        IdList::of(ids, old, self.changes_kept)
    }

    /// Publishes what a writer made of what is there, by so many changes of batches that are
    /// `noted`; gives what was there.
    #[must_use = "it is freed without the lock"]
    pub(super) fn publish(
        &self,
        _writer: &WriterState,
        index: Index,
        (noted, changes): (Vec<Noted>, usize),
        generation: u64,
    ) -> Arc<Held> {
        // Before anybody sees it.
        self.journal.note(noted, self.changes_kept);
        let era = Arc::clone(&self.held.load().era);
        era.changes.fetch_add(changes as u64, Ordering::Relaxed);
        let shared = (&self.journal, &self.pool);
        self.held.swap(Arc::new(Held::new(index, era, generation, shared)))
    }

    /// Publishes what was built anew.
    #[must_use = "it is freed without the lock"]
    pub(super) fn replace(&self, _writer: &WriterState, index: Index) -> Arc<Held> {
        let generation = self.held.load().generation();
        let shared = (&self.journal, &self.pool);
        let held = Held::new(index, Arc::default(), generation, shared);
        let old = self.held.swap(Arc::new(held));
        old.era.is_over.store(true, Ordering::Relaxed);
        old
    }

    /// Tells that nobody will find the scope any more; gives its generation.
    pub(super) fn close(&self) -> u64 {
        self.share.iter().for_each(|share| share.close());
        let held = self.held.load();
        held.era.is_over.store(true, Ordering::Relaxed);
        held.generation()
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        let upkeep = self.upkeep.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(rebuild) = upkeep.take() {
            aside::free(rebuild);
        }
    }
}
