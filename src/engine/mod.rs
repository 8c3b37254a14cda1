//! The engine: scopes, writes and snapshots.

mod scope;
mod snapshot;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;

pub use scope::Scope;
pub use snapshot::Snapshot;
pub use write::{Batch, Written};

use crate::index::Cases;

/// Cases of any number of scopes, in memory. Share it behind an `Arc`; readers never wait for
/// writers.
#[derive(Debug, Default)]
pub struct Engine {
    /// Each scope's newest cases. A scope is here once something was written into it.
    scopes: RwLock<HashMap<Scope, Arc<ArcSwap<Cases>>>>,
    /// Held while a batch is applied: one writer at a time.
    writer: Mutex<()>,
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
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let cases = scopes.get(scope).map(|cases| cases.load_full());
        Snapshot::new(cases.unwrap_or_default())
    }

    /// The scopes that were written into, sorted. Cost grows with their number.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let mut scopes: Vec<_> = scopes.keys().cloned().collect();
        scopes.sort_unstable();
        scopes
    }

    /// Writes a batch: what `stage` puts into it is seen whole in each scope, or, where `stage`
    /// fails, not at all. Cost grows with the batch, and with the cases of each scope it names.
    ///
    /// # Errors
    /// What `stage` returns.
    pub fn write<E>(&self, stage: impl FnOnce(&mut Batch) -> Result<(), E>) -> Result<Written, E> {
        let mut batch = Batch::default();
        stage(&mut batch)?;
        // A writer that panicked has published nothing, so its lock is as good as new.
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = Written::default();
        for (scope, changes) in batch.into_scopes() {
            let cell = self.cell(&scope);
            let mut cases = Cases::clone(&cell.load());
            written.apply(changes, &mut cases);
            cell.store(Arc::new(cases));
        }
        Ok(written)
    }

    fn cell(&self, scope: &Scope) -> Arc<ArcSwap<Cases>> {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(scopes.entry(scope.clone()).or_default())
    }
}
