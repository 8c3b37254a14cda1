//! The engine: scopes, writes and snapshots.

mod maintain;
mod scope;
mod snapshot;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arc_swap::ArcSwap;

pub use maintain::Maintained;
pub use scope::Scope;
pub use snapshot::{Corrupt, Snapshot, Stats};
pub use write::{Batch, Written};

use crate::index::Index;
use maintain::Upkeep;

/// What a scope holds now.
type Cell = Arc<ArcSwap<Index>>;

/// Cases of any number of scopes, in memory. Share it behind an `Arc`; readers never wait for
/// writers.
#[derive(Debug, Default)]
pub struct Engine {
    /// A scope is here once something was written into it.
    scopes: RwLock<HashMap<Scope, Cell>>,
    /// Held while a batch is applied: one writer at a time.
    writer: Mutex<Upkeep>,
}

impl Engine {
    /// An engine without cases.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What one scope holds now. It never changes; a scope that nobody wrote into is empty.
    /// Cost: a look-up.
    #[must_use]
    pub fn snapshot(&self, scope: &Scope) -> Snapshot {
        Snapshot::new(self.cell(scope).map(|cell| cell.load_full()).unwrap_or_default())
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
    /// answer; when the last of them is dropped, the memory comes back.
    pub fn drop_scope(&self, scope: &Scope) -> bool {
        let mut upkeep = self.writer();
        upkeep.forget(scope);
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let dropped = scopes.remove(scope);
        // The cases are freed without the lock: readers do not wait for it.
        drop(scopes);
        dropped.is_some()
    }

    /// Writes a batch: what `stage` puts into it is seen whole in each scope, or, where `stage`
    /// fails, not at all. Cost grows with the batch, hardly with the cases that are there: about
    /// 153 pointers are copied for 10,000,000 of them.
    ///
    /// # Errors
    /// What `stage` returns.
    pub fn write<E>(&self, stage: impl FnOnce(&mut Batch) -> Result<(), E>) -> Result<Written, E> {
        let mut batch = Batch::default();
        stage(&mut batch)?;
        let mut upkeep = self.writer();
        let mut written = Written::default();
        for (scope, changes) in batch.into_scopes() {
            let cell = self.cell_to_write(&scope);
            let mut index = Index::clone(&cell.load());
            let count = changes.len();
            let follows = upkeep.follows(&scope);
            let ids: Vec<Box<str>> =
                changes.iter().filter(|_| follows).map(|change| change.id().into()).collect();
            written.add(index.apply(changes));
            let index = upkeep.after_write(&scope, &index, &ids, count).unwrap_or(index);
            cell.store(Arc::new(index));
        }
        Ok(written)
    }

    /// Upkeep: goes through at most `budget` slots of cases to build scopes anew, those that hold
    /// much which no case needs any more, and those whose cases came in no order of creation: a
    /// query then looks at few segments where it looked at all. What makes texts quick to search
    /// is merged within the same budget. Call it after a load, and now and then.
    ///
    /// Writers go on with the first kind and the merges, a slice with each batch, so that memory
    /// stays within bounds without a call; the second waits for the host. Answers are the same
    /// before, within and after. Cost: some microseconds a slot; until it is whole, the memory of
    /// both.
    pub fn maintain(&self, budget: usize) -> Maintained {
        let mut upkeep = self.writer();
        let (mut maintained, mut budget) = (Maintained::default(), budget);
        for scope in self.scopes() {
            let Some(cell) = self.cell(&scope) else { continue };
            let index = cell.load_full();
            if budget > 0
                && let Some(rebuilt) = upkeep.go_on(&scope, &index, &mut budget)
            {
                maintained.rebuilt += 1;
                cell.store(Arc::new(rebuilt));
            }
            let mut index = cell.load_full();
            if budget > 0 && index.untidy() > 0 {
                let mut tidied = Index::clone(&index);
                budget = tidied.tidy(budget);
                index = Arc::new(tidied);
                cell.store(Arc::clone(&index));
            }
            maintained.left += (upkeep.left(&scope, &index) + index.untidy()) as u64;
        }
        maintained
    }

    fn cell(&self, scope: &Scope) -> Option<Cell> {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        scopes.get(scope).cloned()
    }

    fn cell_to_write(&self, scope: &Scope) -> Cell {
        if let Some(cell) = self.cell(scope) {
            return cell;
        }
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(scopes.entry(scope.clone()).or_default())
    }

    /// A writer that panicked has published nothing, and what it added to a catalog no case refers
    /// to: its lock is as good as new, but for the rebuilds it may have left half changed.
    fn writer(&self) -> MutexGuard<'_, Upkeep> {
        self.writer.lock().unwrap_or_else(|poisoned| {
            let mut upkeep = poisoned.into_inner();
            *upkeep = Upkeep::default();
            self.writer.clear_poison();
            upkeep
        })
    }
}
