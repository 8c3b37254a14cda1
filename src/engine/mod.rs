//! The engine: scopes, writes and snapshots.

mod aside;
mod cell;
mod maintain;
mod scope;
mod snapshot;
mod trim;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub use maintain::Maintained;
pub use scope::Scope;
pub use snapshot::{Corrupt, Snapshot, Stats};
use write::ScopeChanges;
pub use write::{Batch, WriteError, Written};

use crate::index::{Index, IndexWriter, Limits, sized};
use crate::threads::{Pool, Threads};
use cell::{Cell, Held};

/// From how many changes on a batch is spread over threads.
const LARGE: usize = sized(1024, 32);

/// From how many changes on a batch leaves much memory free.
const HUGE: usize = sized(8192, 1 << 20);

/// Cases of any number of scopes, in memory. Share it behind an `Arc`.
///
/// # Who waits for whom
/// Readers wait for nobody. Writers of one scope come one at a time, and do not wait for those of
/// other scopes; a batch over several scopes waits for the writers of each. Documents are read,
/// packed and entered before that, by as many at once as there are. Upkeep goes on beside both:
/// a writer waits a few milliseconds for it, seldom more (docs/speed.md).
///
/// # Threads
/// Batches of 1,024 changes and more are spread over threads, which are started for them and end
/// with them; so is upkeep. Questions that take a good part of a millisecond are spread over
/// others, which are started once and stay. There are as many of each as the builder was told, or
/// as there are cores. Any thread may call, one of rayon's too: while it waits it takes up no other
/// task. What takes long to free is freed by one more thread, which ends when nothing is left.
///
/// # Limits
/// Values are kept under 32-bit numbers. A scope holds at most 2³² - 1 cases, as many distinct
/// values of each field, and 4 GiB of distinct words of names and titles ([`Resource`] lists what
/// is counted, [`EngineBuilder::limits`] lowers it); documents of 1 MiB each, as many bytes of them
/// as there is memory for. A batch that may not fit is refused whole ([`WriteError::Full`]), before
/// anything of it is applied.
///
/// [`Resource`]: crate::Resource
///
/// # Memory
/// Where the allocator is that of glibc, what is free after a batch of 8,192 changes and more, a
/// rebuild or a drop is given back to the system within half a second, or where writes go on as
/// soon as they pause for a tenth of one, or after five seconds, by a thread that ends with it
/// (`malloc_trim`).
pub struct Engine {
    /// A scope is here once something was written into it.
    scopes: RwLock<HashMap<Scope, Arc<Cell>>>,
    /// What large batches and upkeep are spread over. Questions have threads of their own: they
    /// would wait for a writer there.
    pool: Pool,
    questions: Arc<Pool>,
    limits: Limits,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let cases: u64 = scopes.values().map(|cell| cell.load().index().len()).sum();
        f.debug_struct("Engine")
            .field("scopes", &scopes.len())
            .field("cases", &cases)
            .finish_non_exhaustive()
    }
}

/// Chooses what an engine may use.
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    threads: Option<usize>,
    limits: Limits,
}

impl EngineBuilder {
    /// How many threads a large batch is spread over, and how many a long question; with 1 every
    /// call does its work itself. As many as there are cores, if this is not called.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// How much each scope may hold; as much as can be numbered, if this is not called.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// An engine without cases.
    #[must_use]
    pub fn build(self) -> Engine {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.unwrap_or_else(cores);
        Engine {
            scopes: RwLock::default(),
            pool: Pool::passing("getcases-write", threads),
            questions: Arc::new(Pool::lasting("getcases-query", threads)),
            limits: self.limits,
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Engine {
    /// An engine without cases.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses what an engine may use.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// What one scope holds now. It never changes; a scope that nobody wrote into is empty.
    /// Cost: a look-up.
    #[must_use]
    pub fn snapshot(&self, scope: &Scope) -> Snapshot {
        Snapshot::new(self.cell(scope).map_or_else(Held::nothing, |cell| cell.load()))
    }

    /// The scopes that were written into, sorted. Cost grows with their number.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let mut scopes: Vec<_> = scopes.keys().cloned().collect();
        scopes.sort_unstable();
        scopes
    }

    /// Forgets a scope and all its cases; says whether it was there. Snapshots taken before still
    /// answer; when the last of them is dropped, the memory comes back. Cost: a look-up; the cases
    /// are freed aside. A write under way goes into what is forgotten.
    pub fn drop_scope(&self, scope: &Scope) -> bool {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = scopes.remove(scope);
        drop(scopes);
        dropped.is_some_and(|cell| {
            cell.close();
            true
        })
    }

    /// Writes a batch: what `stage` puts into it is seen whole in each scope, or, where `stage`
    /// fails, not at all. Cost grows with the batch, hardly with the cases that are there: about
    /// 153 pointers are copied for 10,000,000 of them.
    ///
    /// `stage` is called without any lock, and may itself write. A document that is refused leaves
    /// the batch as it was: whether the batch fails is for `stage` to say.
    ///
    /// # Errors
    /// What `stage` returns, or which scope may not have room for the batch.
    pub fn write<E>(
        &self,
        stage: impl FnOnce(&mut Batch<'_>) -> Result<(), E>,
    ) -> Result<Written, WriteError<E>> {
        trim::note_write();
        let mut batch = Batch::new(self);
        if let Err(error) = stage(&mut batch) {
            batch.give_up();
            return Err(WriteError::Stage(error));
        }
        let length = batch.len();
        let (mut parts, threads) = batch.into_parts()?;
        for part in parts.iter_mut().filter(|part| part.is_new) {
            part.cell = self.add_cell(&part.scope, &part.cell);
        }
        let cells: Vec<_> =
            parts.iter().map(|part| (Arc::clone(&part.cell), part.entered.len())).collect();
        let written = publish(parts, &threads);
        // Also where it did not fit: upkeep may make room.
        for (cell, changes) in cells {
            maintain::after_write(&cell, changes);
        }
        if length >= HUGE {
            trim::soon();
        }
        written
    }

    /// Upkeep: goes through at most `budget` slots of cases to build scopes anew, those that hold
    /// much which no case needs any more, and those whose cases came in no order of creation: a
    /// query then looks at few segments where it looked at all. What makes texts quick to search
    /// is merged within the same budget. A slot holds a case or did; some 100,000 are a second's
    /// work; 0 does nothing. Call it after a load, and now and then, from a thread that
    /// has time: readers and writers go on meanwhile.
    ///
    /// Writers go on with the first kind and the merges, a slice with each batch, so that memory
    /// stays within bounds without a call; the second waits for the host. Answers are the same
    /// before, within and after. Cost: some microseconds a slot; until it is whole, the memory of
    /// both.
    pub fn maintain(&self, budget: usize) -> Maintained {
        let threads = self.threads(budget);
        let (mut maintained, mut budget) = (Maintained::default(), budget);
        for scope in self.scopes() {
            let Some(cell) = self.cell(&scope) else { continue };
            let own = maintain::maintain(&cell, &mut budget, &threads);
            maintained.rebuilt += own.rebuilt;
            maintained.left += own.left;
        }
        maintained
    }

    /// Upkeep, as [`Engine::maintain`] does it, for about so long: the clock is looked at after
    /// each 2,048 slots, which take some tens of milliseconds, and by so much it may take longer.
    /// Each call goes through as many, however short the time is: call it again while something is
    /// left, and it comes to an end.
    pub fn maintain_for(&self, time: Duration) -> Maintained {
        let started = Instant::now();
        let threads = self.pool.threads();
        let (mut maintained, mut has_worked) = (Maintained::default(), false);
        for scope in self.scopes() {
            let Some(cell) = self.cell(&scope) else { continue };
            loop {
                let is_over = has_worked && started.elapsed() >= time;
                let mut budget = if is_over { 0 } else { maintain::SLICE };
                let own = maintain::maintain(&cell, &mut budget, &threads);
                maintained.rebuilt += own.rebuilt;
                if is_over || own.left == 0 {
                    maintained.left += own.left;
                    break;
                }
                has_worked = true;
            }
        }
        maintained
    }

    /// The threads for some work; small work is done sooner than they wake up.
    fn threads(&self, changes: usize) -> Threads {
        if changes < LARGE { Threads::NONE } else { self.pool.threads() }
    }

    fn cell(&self, scope: &Scope) -> Option<Arc<Cell>> {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        scopes.get(scope).cloned()
    }

    /// One that nobody knows.
    fn new_cell(&self) -> Cell {
        Cell::new(&self.questions, self.limits)
    }

    /// The cell of a scope, this one where it has none.
    fn add_cell(&self, scope: &Scope, cell: &Arc<Cell>) -> Arc<Cell> {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(scopes.entry(scope.clone()).or_insert_with(|| Arc::clone(cell)))
    }
}

/// Applies a batch that was entered, and publishes it.
fn publish<E>(parts: Vec<ScopeChanges>, threads: &Threads) -> Result<Written, WriteError<E>> {
    let cells: Vec<_> = parts.iter().map(|part| Arc::clone(&part.cell)).collect();
    // All are waited for in the order of scopes: two batches never wait for each other.
    let writers: Vec<_> = cells.iter().map(|cell| cell.writer()).collect();
    // Nothing is applied before all have room: a scope may have been built anew meanwhile.
    let adopted = parts.into_iter().zip(writers).map(
        |(ScopeChanges { scope, cell, entered, .. }, writer)| {
            let index = Index::clone(cell.load().index());
            let entered = index.adopt(entered).map_err(|full| WriteError::full(&scope, full))?;
            Ok((index, entered, writer))
        },
    );
    let adopted: Vec<_> = adopted.collect::<Result<_, _>>()?;
    let (mut written, mut old) = (Written::default(), Vec::new());
    for ((index, entered, mut writer), cell) in adopted.into_iter().zip(&cells) {
        let has_journal = writer.journal.is_some();
        let ids = entered.ids().filter(|_| has_journal).map(Into::into);
        let (ids, changes): (Vec<Box<str>>, _) = (ids.collect(), entered.len());
        let mut changing = IndexWriter::new(index);
        changing.apply(entered, threads);
        let (index, changed) = changing.finish();
        written.add(changed);
        old.push(cell.publish(&writer, index, changes));
        writer.journal.iter_mut().for_each(|journal| journal.extend_from_slice(&ids));
    }
    drop(old);
    Ok(written)
}
