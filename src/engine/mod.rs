//! The engine: scopes, writes and snapshots.

mod aside;
mod batch;
mod cell;
#[cfg(feature = "checkpoint")]
mod checkpoint;
mod cursors;
mod edits;
mod entering;
mod journal;
mod maintain;
mod memory;
mod publish;
mod scope;
mod snapshot;
mod trim;
mod until;
mod write;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub use batch::Batch;
#[cfg(feature = "checkpoint")]
pub use checkpoint::{CheckpointPart, RestoreError, RestoredCheckpointPart};
pub use cursors::CursorLimits;
pub use edits::{Edit, Edited, Expected};
pub use entering::EnteredBatch;
pub use journal::{Changes, ChangesError};
pub use maintain::Maintained;
pub use publish::{Applied, Prepared};
pub use scope::Scope;
pub use snapshot::{Corrupt, Snapshot, Stats};
pub use until::Until;
pub use write::{WriteError, Written};

use crate::index::{Limits, sized};
use crate::threads::{Pool, Threads};
use crate::trace::Span;
use cell::Cell;
use cursors::Cursors;
use entering::{Entering, ScopeChanges};
use memory::{MemoryLimit, Room, Share};
use publish::Locks;

/// From how many changes on a batch is spread over threads.
const LARGE: usize = sized(1024, 32);

/// From how many changes on a batch leaves much memory free.
const HUGE: usize = sized(8192, 1 << 20);

/// How many bytes of ids that changed each scope keeps, unless it is set.
const CHANGES_KEPT: usize = 256 << 10;

/// Cases of any number of scopes, in memory. Share it behind an `Arc`.
///
/// ```
/// use getcases::{Engine, Refusal, Scope};
///
/// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
/// let written = engine.write(|batch| {
///     batch.upsert(&desk, r#"{"_id":"1","status":"open"}"#)?;
///     batch.upsert(&desk, r#"{"_id":"2","status":"open"}"#)?;
///     batch.delete(&desk, "1");
///     Ok::<_, Refusal>(())
/// })?;
/// assert_eq!((written.inserted, written.deleted), (2, 1));
/// assert_eq!(written.generation(&desk), Some(engine.snapshot(&desk).generation()));
/// while engine.maintain_for(std::time::Duration::from_millis(100)).left > 0 {}
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
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
    /// The generation from which a scope that is not here goes on; changed and read with the lock
    /// of the scopes.
    dropped: AtomicU64,
    first_generation: u64,
    /// What large batches and upkeep are spread over. Questions have threads of their own: they
    /// would wait for a writer there.
    pool: Pool,
    questions: Arc<Pool>,
    limits: Limits,
    memory: Option<Arc<MemoryLimit>>,
    upkeep: bool,
    changes_kept: usize,
    cursors: Arc<Cursors>,
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
///
/// ```
/// use getcases::{Engine, Scope, WriteError};
///
/// let engine = Engine::builder().threads(2).memory_limit(100_000).build();
/// let desk = Scope::new("account", "stream");
/// let long = format!(r#"{{"_id":"1","text":"{}"}}"#, "x".repeat(50));
/// engine.write(|batch| batch.upsert(&desk, &long))?;
/// let refused = engine.write(|batch| {
///     (0..10_000).try_for_each(|id| batch.upsert(&desk, format!(r#"{{"_id":"{id}"}}"#)))
/// });
/// assert!(matches!(refused, Err(WriteError::Memory { limit: 100_000, .. })));
/// assert_eq!(engine.snapshot(&desk).len(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct EngineBuilder {
    threads: Option<usize>,
    limits: Limits,
    memory: Option<u64>,
    upkeep: bool,
    generation: u64,
    changes_kept: usize,
    cursors: CursorLimits,
    cursor_key: Option<[u8; 16]>,
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, limits, memory, upkeep, generation, .. } = self;
        let Self { changes_kept, cursors, cursor_key, .. } = self;
        f.debug_struct("EngineBuilder")
            .field("threads", threads)
            .field("limits", limits)
            .field("memory", memory)
            .field("upkeep", upkeep)
            .field("generation", generation)
            .field("changes_kept", changes_kept)
            .field("cursors", cursors)
            .field("has_cursor_key", &cursor_key.is_some())
            .finish()
    }
}

impl Default for EngineBuilder {
    fn default() -> Self {
        Self {
            threads: None,
            limits: Limits::default(),
            memory: None,
            upkeep: true,
            generation: 0,
            changes_kept: CHANGES_KEPT,
            cursors: CursorLimits::default(),
            cursor_key: None,
        }
    }
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

    /// How many bytes all scopes may take together, as [`Snapshot::stats`] counts them; no limit,
    /// if this is not called. A batch that would leave more is refused ([`WriteError::Memory`])
    /// before anything of it is applied. What only takes cases out, or leaves no more than there
    /// was, always goes through.
    ///
    /// It is judged by about what the batch brings, its documents to the byte and some 128 bytes a
    /// new case beside them and its texts, and counted to the byte after each write: no error adds
    /// up. Not counted are old snapshots, what a batch takes while it is filled (one that alone is
    /// larger than the limit is refused meanwhile), a scope that is being built anew beside the
    /// old one, and what the allocator adds: leave a third of the memory to these.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Whether writers go on with upkeep, a slice with each batch; they do, if this is not called.
    /// A host that turns it off calls [`Engine::maintain`] itself, or garbage grows without bound.
    /// Useful where writes must be short and a thread has time; not otherwise.
    #[must_use]
    pub fn upkeep(mut self, by_writers: bool) -> Self {
        self.upkeep = by_writers;
        self
    }

    /// The generation of scopes that nobody wrote into; 0, if this is not called. Useful for a host
    /// that restores scopes ([`Engine::resume`]): others may know generations of one that was
    /// dropped. And for one whose clients may know generations of an earlier engine, whose cases
    /// are gone: begun at the microseconds of the clock, each later one is ahead of all before.
    #[must_use]
    pub fn first_generation(mut self, generation: u64) -> Self {
        self.generation = generation;
        self
    }

    /// How many bytes each scope may keep of the `_id`s that changed lately
    /// ([`Snapshot::changes_since`]): each takes its length and 2, each batch 48. 256 KiB, if this
    /// is not called; with 0 none are kept.
    #[must_use]
    pub fn changes_kept(mut self, bytes: usize) -> Self {
        self.changes_kept = bytes;
        self
    }

    /// Which snapshots are kept for cursors; see [`CursorLimits`], if this is not called.
    #[must_use]
    pub fn cursors(mut self, limits: CursorLimits) -> Self {
        self.cursors = limits;
        self
    }

    /// What cursors are authenticated with: engines of the same version and with the same key take
    /// each other's, also after a restart. It must be random and stay secret: who knows it can make
    /// cursors. A random one, if this is not called.
    #[must_use]
    pub fn cursor_key(mut self, key: [u8; 16]) -> Self {
        self.cursor_key = Some(key);
        self
    }

    /// The same, where no other key is set before: for a host that keeps one beside its cases.
    #[must_use]
    pub fn cursor_key_or(mut self, key: [u8; 16]) -> Self {
        self.cursor_key.get_or_insert(key);
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
            memory: self.memory.map(|limit| Arc::new(MemoryLimit::new(limit))),
            upkeep: self.upkeep,
            changes_kept: self.changes_kept,
            cursors: Cursors::new(self.cursor_key, self.cursors),
            dropped: AtomicU64::new(self.generation),
            first_generation: self.generation,
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
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        match scopes.get(scope) {
            Some(cell) => Snapshot::new(cell.load(), scope, &self.cursors),
            None => {
                let generation = self.dropped.load(Ordering::Relaxed);
                Snapshot::nothing(generation, scope, &self.cursors)
            }
        }
    }

    /// As [`EngineBuilder::first_generation`] has it.
    #[must_use]
    pub fn first_generation(&self) -> u64 {
        self.first_generation
    }

    /// Whether a scope was written into, and not dropped since. Cost: a look-up.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.scopes.read().unwrap_or_else(PoisonError::into_inner).contains_key(scope)
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
    /// are freed aside. A write under way goes into what is forgotten: it succeeds, and is lost.
    pub fn drop_scope(&self, scope: &Scope) -> bool {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let Some(dropped) = scopes.remove(scope) else { return false };
        self.dropped.fetch_max(dropped.close() + 1, Ordering::Relaxed);
        drop(scopes);
        self.cursors.forget(scope);
        true
    }

    /// Writes a batch: what `stage` puts into it is seen whole in each scope, or, where `stage`
    /// fails, not at all. Cost grows with the batch, hardly with the cases that are there: about
    /// 153 pointers are copied for 10,000,000 of them.
    ///
    /// `stage` is called without any lock, and may itself write. A document that is refused leaves
    /// the batch as it was: whether the batch fails is for `stage` to say.
    ///
    /// Where [`Engine::drop_scope`] forgets a scope of the batch meanwhile, this returns `Ok` all
    /// the same, and what it wrote there is forgotten too: whoever drops scopes sees to it that
    /// nobody writes into them.
    ///
    /// # Errors
    /// What `stage` returns, or why there may not be room for the batch.
    pub fn write<E>(
        &self,
        stage: impl FnOnce(&mut Batch<'_>) -> Result<(), E>,
    ) -> Result<Written, WriteError<E>> {
        trim::note_write();
        let mut batch = Batch::of(self);
        if let Err(error) = stage(&mut batch) {
            batch.give_up();
            return Err(WriteError::Stage(error));
        }
        self.finish(batch.entering(self))
    }

    /// Writes a batch that was filled elsewhere, as [`Engine::write`] does; beside
    /// [`Engine::drop_scope`] too.
    ///
    /// # Errors
    /// Why there may not be room for it: the batch is gone then.
    pub fn commit(&self, batch: Batch<'static>) -> Result<Written, WriteError> {
        trim::note_write();
        self.finish(batch.entering(self))
    }

    /// Makes changes of a scope that depend on what is there, one after the other: each is judged
    /// by what the ones before it leave, all that are made are seen together, and
    /// [`Written::edits`] tells what became of each. They are judged beside other writers, and anew
    /// where one of these was faster, so that no update is lost. Cost: for each the reading of what
    /// is there.
    ///
    /// ```
    /// use getcases::{Edit, Edited, Engine, Expected, Scope};
    ///
    /// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1","n":1.0,"status":"open"}"#))?;
    /// let version = engine.snapshot(&desk).version("1").unwrap();
    /// let patch = br#"{"status":"closed"}"#;
    /// let close = || Edit::Patch(Expected::Version(version), "1".into(), patch.to_vec());
    /// let written = engine.edit(&desk, &[close()])?;
    /// assert!(matches!(written.edits[..], [Edited::Stored(_)]));
    /// let closed = engine.snapshot(&desk).get("1").unwrap();
    /// assert_eq!(closed.json(), r#"{"_id":"1","n":1.0,"status":"closed"}"#);
    /// let written = engine.edit(&desk, &[close()])?;
    /// assert!(matches!(written.edits[..], [Edited::Unmet(Some(_))]));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Why there may not be room for what they store; nothing is changed then.
    pub fn edit(&self, scope: &Scope, edits: &[Edit]) -> Result<Written, WriteError> {
        loop {
            let (batch, edits) = self.snapshot(scope).stage(edits);
            match self.commit(batch) {
                Err(WriteError::Unmet { .. }) => {}
                written => return written.map(|written| Written { edits, ..written }),
            }
        }
    }

    /// Enters a batch, as [`Engine::commit`] does before anybody is waited for; it is written by
    /// [`Engine::commit_after`]. Useful for a host that gathers batches of many threads: each
    /// encodes its own.
    ///
    /// # Errors
    /// Why there may not be room for it: the batch is gone then.
    pub fn enter(&self, batch: Batch<'static>) -> Result<EnteredBatch, WriteError> {
        trim::note_write();
        batch.entering(self).finish()
    }

    /// Writes batches that were entered, one after the other, once `keep` says that they are kept:
    /// for a host that has them on a disk too. First the batches are found to have room, and the
    /// others refused; then `keep` is called with what is to be applied, which it may do on another
    /// thread while it waits for the disk; where it succeeds, all that have room are published
    /// together. Where it fails nothing is published, as if nobody had written, but that a scope
    /// that was not there may be there, without cases. Nobody else writes into their scopes
    /// meanwhile; readers wait for nobody.
    ///
    /// ```
    /// use getcases::{Batch, Engine, Scope};
    ///
    /// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// let batch = || {
    ///     let mut batch = Batch::new();
    ///     batch.upsert(&desk, r#"{"_id":"1"}"#).map(|()| batch)
    /// };
    /// let entered = engine.enter(batch()?)?;
    /// let failed = engine.commit_after(vec![entered], |_| Err("the disk is full"));
    /// assert!(failed.is_err() && engine.snapshot(&desk).is_empty());
    /// let entered = engine.enter(batch()?)?;
    /// let kept = engine.commit_after(vec![entered], |prepared| {
    ///     let applied = std::thread::spawn(|| prepared.apply());
    ///     // Here it is written to the disk.
    ///     applied.join().map_err(|_| "it panicked")
    /// });
    /// assert!(kept.is_ok() && engine.snapshot(&desk).len() == 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What `keep` returns; of single batches, why there is no room for them.
    ///
    /// # Panics
    /// Where a batch was entered into another engine, or what `keep` gives back was applied for
    /// another call.
    pub fn commit_after<E>(
        &self,
        batches: Vec<EnteredBatch>,
        keep: impl FnOnce(Prepared) -> Result<Applied, E>,
    ) -> Result<Vec<Result<Written, WriteError>>, E> {
        let is_own = |batch: &EnteredBatch| Arc::ptr_eq(&batch.engine, &self.questions);
        assert!(batches.iter().all(is_own), "a batch was entered into another engine");
        let span = Span::write();
        let length: usize = batches.iter().map(|batch| batch.length).sum();
        let threads = batches.iter().map(|batch| &batch.threads).max_by_key(|own| own.count());
        let threads = threads.cloned().unwrap_or(Threads::NONE);
        let (mut known, mut rooms) = (Vec::new(), Vec::new());
        let roomed = batches.into_iter().map(|batch| {
            let (parts, room) = self.make_room(batch.parts, &mut known)?;
            rooms.push(room);
            Ok(parts)
        });
        let roomed: Vec<_> = roomed.collect();
        let cells = publish::cells(&roomed);
        let locks = Locks::of(&cells);
        let applied = keep(locks.prepare(roomed, threads));
        let written = applied.map(|applied| locks.publish(applied));
        span.record(&[("changes", length as u64)]);
        span.record(&Written::figures(written.iter().flatten().flatten()));
        // Also where they did not fit: upkeep may make room.
        known.iter().for_each(|(cell, changes)| self.after_write(cell, *changes));
        // What was reserved is counted by now.
        drop(rooms);
        if length >= HUGE {
            trim::soon();
        }
        written
    }

    /// Reserves memory for a batch, and tells others of scopes that are new. `known` is whom it
    /// concerns.
    fn make_room(
        &self,
        mut parts: Vec<ScopeChanges>,
        known: &mut Vec<(Arc<Cell>, usize)>,
    ) -> Result<(Vec<ScopeChanges>, Option<Room<'_>>), WriteError> {
        match self.memory.as_ref().map(|memory| memory.reserve(&parts)).transpose() {
            Ok(room) => {
                for part in parts.iter_mut().filter(|part| part.is_new) {
                    part.cell = self.add_cell(&part.scope, &part.cell);
                }
                known.extend(parts.iter().map(ScopeChanges::cell));
                Ok((parts, room))
            }
            Err(full) => {
                known.extend(parts.iter().filter(|own| !own.is_new).map(ScopeChanges::cell));
                Err(full)
            }
        }
    }

    fn finish<E>(&self, entering: Entering<'_>) -> Result<Written, WriteError<E>> {
        let entered = entering.finish().map_err(WriteError::of_any)?;
        let kept = |prepared: Prepared| Ok::<_, Infallible>(prepared.apply());
        let Ok(mut written) = self.commit_after(vec![entered], kept);
        match written.pop() {
            Some(written) => written.map_err(WriteError::of_any),
            None => unreachable!("one batch was given"),
        }
    }

    /// Goes on with upkeep after a write, and counts what the scope takes.
    fn after_write(&self, cell: &Cell, changes: usize) {
        if self.upkeep {
            maintain::after_write(cell, changes);
        }
        cell.recount();
        self.cursors.after_write();
    }

    /// Has a scope go on at a generation, for a host that restores what it kept: no later one will
    /// be less. Snapshots that were taken before keep theirs. Cost: a look-up.
    pub fn resume(&self, scope: &Scope, generation: u64) {
        let cell = self.add_cell(scope, &Arc::new(self.new_cell()));
        let writer = cell.writer();
        cell.resume(&writer, generation);
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
        let span = Span::upkeep();
        let threads = self.threads(budget);
        let (mut maintained, mut budget) = (Maintained::default(), budget);
        for scope in self.scopes() {
            let Some(cell) = self.cell(&scope) else { continue };
            let own = maintain::maintain(&cell, &mut budget, &threads);
            maintained.rebuilt += own.rebuilt;
            maintained.left += own.left;
            cell.recount();
        }
        self.cursors.after_write();
        span.record(&[("rebuilt", maintained.rebuilt), ("left", maintained.left)]);
        maintained
    }

    /// Upkeep, as [`Engine::maintain`] does it, for about so long: the clock is looked at after
    /// each 2,048 slots, which take some tens of milliseconds, and by so much it may take longer.
    /// Each call goes through as many, however short the time is: call it again while something is
    /// left, and it comes to an end.
    pub fn maintain_for(&self, time: Duration) -> Maintained {
        let span = Span::upkeep();
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
            cell.recount();
        }
        self.cursors.after_write();
        span.record(&[("rebuilt", maintained.rebuilt), ("left", maintained.left)]);
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
        let share = self.memory.as_ref().map(Share::new);
        Cell::new(&self.questions, self.limits, self.changes_kept, share)
    }

    /// The cell of a scope, this one where it has none.
    fn add_cell(&self, scope: &Scope, cell: &Arc<Cell>) -> Arc<Cell> {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let add = || {
            cell.begin_at(self.dropped.load(Ordering::Relaxed));
            Arc::clone(cell)
        };
        Arc::clone(scopes.entry(scope.clone()).or_insert_with(add))
    }
}
