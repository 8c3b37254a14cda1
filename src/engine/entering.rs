//! Changes on their way into the catalogs of an engine's scopes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Engine;
use super::batch::Guard;
use super::cell::Cell;
use super::scope::Scope;
use super::write::WriteError;
use crate::index::{Change, Demand, Entered, Full, sized};
use crate::threads::{Pool, Threads};

/// How many changes may be pending before they are entered, and how many bytes of documents.
const PENDING: usize = sized(4096, 40);
const PENDING_BYTES: usize = sized(8 << 20, 8 << 10);

/// Changes of any number of scopes, which are entered some at a time.
///
/// What it takes grows with what its cases will take: each 4,096 documents are encoded, and their
/// values entered, by as many threads as the engine has, while others are still to come.
pub(super) struct Entering<'e> {
    engine: &'e Engine,
    scopes: HashMap<Scope, Staged>,
    length: usize,
    /// The scopes with changes that are not entered yet, how many these are, and how many bytes of
    /// documents they have.
    pending: Vec<Scope>,
    pending_count: usize,
    pending_bytes: usize,
    /// How many bytes the changes are packed in that are entered.
    bytes: u64,
    /// Kept from the first large part on.
    threads: Threads,
    /// Why there is no room for it: nothing of it is kept any more.
    full: Option<WriteError>,
}

/// The changes of one scope.
#[derive(Debug, Default)]
struct Staged {
    /// Changes that are not entered yet, and how much they can bring, at most.
    changes: Vec<Change>,
    demand: Demand,
    /// What must be there.
    guards: Vec<Guard>,
    /// Changes that are entered, and where they go.
    entered: Option<ScopeChanges>,
}

/// A batch whose documents are encoded and whose values are in the engine; what [`Engine::enter`]
/// makes of it, and [`Engine::commit_after`] writes. Dropped, it has changed nothing.
pub struct EnteredBatch {
    /// Which engine it was entered into: no two share their threads.
    pub(super) engine: Arc<Pool>,
    pub(super) parts: Vec<ScopeChanges>,
    pub(super) length: usize,
    /// What they were spread over.
    pub(super) threads: Threads,
}

impl fmt::Debug for EnteredBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnteredBatch").field("length", &self.length).finish_non_exhaustive()
    }
}

impl EnteredBatch {
    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// What a batch changes in one scope.
#[derive(Debug)]
pub(super) struct ScopeChanges {
    pub(super) scope: Scope,
    pub(super) cell: Arc<Cell>,
    /// Whether nobody else knows the cell.
    pub(super) is_new: bool,
    /// What must be there.
    pub(super) guards: Vec<Guard>,
    pub(super) entered: Entered,
}

impl ScopeChanges {
    /// Where they go, and how many there are.
    pub(super) fn cell(&self) -> (Arc<Cell>, usize) {
        (Arc::clone(&self.cell), self.entered.len())
    }
}

impl<'e> Entering<'e> {
    pub(super) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            scopes: HashMap::new(),
            length: 0,
            pending: Vec::new(),
            pending_count: 0,
            pending_bytes: 0,
            bytes: 0,
            threads: Threads::NONE,
            full: None,
        }
    }

    /// Adds a change, and enters what is pending where that is much.
    pub(super) fn push(&mut self, scope: &Scope, change: Change) {
        self.length += 1;
        if self.full.is_some() {
            return;
        }
        let staged = match self.scopes.get_mut(scope) {
            Some(staged) => staged,
            None => self.scopes.entry(scope.clone()).or_default(),
        };
        if staged.changes.is_empty() {
            self.pending.push(scope.clone());
        }
        self.pending_count += 1;
        self.pending_bytes += change.length();
        staged.demand.add(change.demand());
        staged.changes.push(change);
        if self.pending_count >= PENDING || self.pending_bytes >= PENDING_BYTES {
            self.enter();
        }
    }

    /// Has all of it written only where something is there.
    pub(super) fn guard(&mut self, guard: Guard) {
        if self.full.is_none() {
            self.pending.push(guard.scope.clone());
            self.scopes.entry(guard.scope.clone()).or_default().guards.push(guard);
        }
    }

    /// Enters what is pending, where there is room for all of it.
    fn enter(&mut self) {
        if self.length >= super::LARGE && self.threads.count() == 1 {
            self.threads = self.engine.pool.threads();
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable();
        pending.dedup();
        (self.pending_count, self.pending_bytes) = (0, 0);
        for scope in &pending {
            if let Some(full) = self.reserve(scope) {
                self.full = Some(WriteError::full(scope, full));
                self.give_up();
                return;
            }
        }
        for scope in &pending {
            let Some(staged) = self.scopes.get_mut(scope) else { continue };
            let changes = std::mem::take(&mut staged.changes);
            if let Some(part) = &mut staged.entered {
                let before = part.entered.bytes();
                part.entered.enter(changes, &self.threads);
                self.bytes += part.entered.bytes() - before;
            }
        }
        if let Some(full) = self.engine.memory.as_ref().and_then(|own| own.check(self.bytes)) {
            self.full = Some(full);
            self.give_up();
        }
    }

    /// Reserves room for what is pending in a scope; gives what there is no room for.
    fn reserve(&mut self, scope: &Scope) -> Option<Full> {
        let staged = self.scopes.get_mut(scope)?;
        let engine = self.engine;
        let part = staged.entered.get_or_insert_with(|| {
            let known = engine.cell(scope);
            let is_new = known.is_none();
            let cell = known.unwrap_or_else(|| Arc::new(engine.new_cell()));
            let entered = cell.load().index().entered();
            ScopeChanges { scope: scope.clone(), cell, is_new, guards: Vec::new(), entered }
        });
        part.entered.reserve(std::mem::take(&mut staged.demand)).err()
    }

    /// Lets go of all changes; upkeep may make room of what they brought.
    pub(super) fn give_up(&mut self) {
        for staged in std::mem::take(&mut self.scopes).into_values() {
            if let Some(ScopeChanges { cell, is_new: false, entered, .. }) = staged.entered {
                let changes = entered.len() + staged.changes.len();
                drop(entered);
                self.engine.after_write(&cell, changes);
            }
        }
    }

    /// All of it entered, the parts by scope.
    pub(super) fn finish(mut self) -> Result<EnteredBatch, WriteError> {
        if self.full.is_none() {
            self.enter();
        }
        if let Some(full) = self.full {
            return Err(full);
        }
        let staged = self.scopes.into_values();
        let part = |staged: Staged| Some(ScopeChanges { guards: staged.guards, ..staged.entered? });
        let mut parts: Vec<_> = staged.filter_map(part).collect();
        parts.sort_unstable_by(|a, b| a.scope.cmp(&b.scope));
        let engine = Arc::clone(&self.engine.questions);
        Ok(EnteredBatch { engine, parts, length: self.length, threads: self.threads })
    }
}
