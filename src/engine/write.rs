//! Batches: changes that are seen together.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::cell::Cell;
use super::scope::Scope;
use super::{Engine, maintain};
use crate::case::Case;
use crate::index::{Change, Changed, Demand, Entered, Full, Resource, sized};
use crate::refusal::Refusal;
use crate::threads::Threads;

/// How many changes may be pending before they are entered, and how many bytes of documents.
const PENDING: usize = sized(4096, 40);
const PENDING_BYTES: usize = sized(8 << 20, 8 << 10);

/// Upserts and deletes, in the order they are to be applied; later ones win.
///
/// What it takes grows with what its cases will take: each 4,096 documents are encoded, and their
/// values entered, by as many threads as the engine has, while others are still to come.
pub struct Batch<'e> {
    engine: &'e Engine,
    scopes: HashMap<Scope, Staged>,
    length: usize,
    /// The scopes with changes that are not entered yet, how many these are, and how many bytes of
    /// documents they have.
    pending: Vec<Scope>,
    pending_count: usize,
    pending_bytes: usize,
    /// Kept from the first large part on.
    threads: Threads,
    /// Which scope has no room for it: nothing of it is kept any more.
    full: Option<(Scope, Full)>,
}

/// The changes of one scope.
#[derive(Debug, Default)]
struct Staged {
    /// Changes that are not entered yet, and how much they can bring, at most.
    changes: Vec<Change>,
    demand: Demand,
    /// Changes that are entered, and where they go.
    entered: Option<ScopeChanges>,
}

/// What a batch changes in one scope.
#[derive(Debug)]
pub(super) struct ScopeChanges {
    pub(super) scope: Scope,
    pub(super) cell: Arc<Cell>,
    /// Whether nobody else knows the cell.
    pub(super) is_new: bool,
    pub(super) entered: Entered,
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("length", &self.length).finish_non_exhaustive()
    }
}

impl<'e> Batch<'e> {
    pub(super) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            scopes: HashMap::new(),
            length: 0,
            pending: Vec::new(),
            pending_count: 0,
            pending_bytes: 0,
            threads: Threads::NONE,
            full: None,
        }
    }

    /// Stores a document, in place of the one with its `_id` if there is one. Cost grows with its
    /// length.
    ///
    /// # Errors
    /// Every reason for which the document is refused; the batch is then as before.
    pub fn upsert(&mut self, scope: &Scope, document: impl AsRef<[u8]>) -> Result<(), Refusal> {
        self.upsert_case(scope, Case::from_json(document.as_ref())?)
    }

    /// Stores a case that was read before, so that reading can be spread over threads.
    ///
    /// # Errors
    /// `foreign_scope` where the case names another account or stream.
    pub fn upsert_case(&mut self, scope: &Scope, case: Case) -> Result<(), Refusal> {
        case.belongs_to(scope.account(), scope.stream())?;
        self.push(scope, Change::Upsert(Box::new(case)));
        Ok(())
    }

    /// Takes a case out, if it is there.
    pub fn delete(&mut self, scope: &Scope, id: &str) {
        self.push(scope, Change::Delete(id.into()));
    }

    fn push(&mut self, scope: &Scope, change: Change) {
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

    /// Enters what is pending, where there is room for all of it.
    fn enter(&mut self) {
        if self.length >= super::LARGE && self.threads.count() == 1 {
            self.threads = self.engine.pool.threads();
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable();
        (self.pending_count, self.pending_bytes) = (0, 0);
        for scope in &pending {
            if let Some(full) = self.reserve(scope) {
                self.full = Some((scope.clone(), full));
                self.give_up();
                return;
            }
        }
        for scope in &pending {
            let Some(staged) = self.scopes.get_mut(scope) else { continue };
            let changes = std::mem::take(&mut staged.changes);
            if let Some(part) = &mut staged.entered {
                part.entered.enter(changes, &self.threads);
            }
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
            ScopeChanges { scope: scope.clone(), cell, is_new, entered }
        });
        part.entered.reserve(std::mem::take(&mut staged.demand)).err()
    }

    /// Lets go of all changes; upkeep may make room of what they brought.
    pub(super) fn give_up(&mut self) {
        for staged in std::mem::take(&mut self.scopes).into_values() {
            if let Some(ScopeChanges { cell, is_new: false, entered, .. }) = staged.entered {
                let changes = entered.len() + staged.changes.len();
                drop(entered);
                maintain::after_write(&cell, changes);
            }
        }
    }

    /// The changes of each scope, by scope, all of them entered; and what they were spread over.
    pub(super) fn into_parts<E>(mut self) -> Result<(Vec<ScopeChanges>, Threads), WriteError<E>> {
        if self.full.is_none() {
            self.enter();
        }
        if let Some((scope, full)) = self.full {
            return Err(WriteError::full(&scope, full));
        }
        let staged = self.scopes.into_values();
        let mut parts: Vec<_> = staged.filter_map(|staged| staged.entered).collect();
        parts.sort_unstable_by(|a, b| a.scope.cmp(&b.scope));
        Ok((parts, self.threads))
    }
}

/// Why a batch was not written. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError<E> {
    /// What staging it returned.
    #[error(transparent)]
    Stage(E),
    /// A scope may not have room for it: what there is and what the batch can bring at most are
    /// more than the limit. Of each 4,096 changes all values count as if they were new.
    #[error("scope {scope} has no room for the batch: at most {limit} {what}")]
    Full {
        /// The first scope that was found to have no room.
        scope: Scope,
        /// What there would be too much of.
        what: Resource,
        /// How much of it there may be.
        limit: u64,
    },
}

impl<E> WriteError<E> {
    pub(super) fn full(scope: &Scope, Full { what, limit }: Full) -> Self {
        Self::Full { scope: scope.clone(), what, limit }
    }
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// How many cases are new.
    pub inserted: u64,
    /// How many took the place of an earlier one, those of the same batch included.
    pub replaced: u64,
    /// How many were taken out.
    pub deleted: u64,
}

impl Written {
    pub(super) fn add(&mut self, changed: Changed) {
        self.inserted += changed.inserted;
        self.replaced += changed.replaced;
        self.deleted += changed.deleted;
    }
}
