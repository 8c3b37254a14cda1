//! A store as what is served: what is written is answered once it is on the disk.

use std::path::Path;
use std::sync::Arc;

use getcases::{Batch, Code, Maintained, Problem, Refusal, Scope, Snapshot, Written};
use getcases_server::Backend;
use getcases_store::{Opened, Options, Store, StoreError};

use crate::memory;

/// A store that is open for writing.
pub(super) struct Kept(Store);

impl Kept {
    /// Opens a store, which is made where there is none.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Arc<Self>> {
        let store = memory::loading(|| Ok(Store::open(folder, &Options::default())?))?;
        match store.opened() {
            Opened::Records { why: Some(why) } => {
                tracing::warn!(why, "the checkpoint is of no use: the index was made anew");
            }
            opened => tracing::info!(?opened, "the store is open"),
        }
        Ok(Arc::new(Self(store)))
    }

    /// Leaves nothing for the next start to recover.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        self.0.checkpoint()
    }
}

impl Backend for Kept {
    fn snapshot(&self, scope: &Scope) -> Snapshot {
        self.0.snapshot(scope)
    }

    fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    fn scopes(&self) -> Vec<Scope> {
        self.0.scopes()
    }

    fn maintain(&self, slots: usize) -> Maintained {
        self.0.maintain(slots)
    }

    fn commit(&self, batch: Batch<'static>) -> Result<Written, Refusal> {
        self.0.write(batch).map_err(|error| {
            let (code, accepted) = match error {
                StoreError::Write(error) => return error.into(),
                StoreError::DiskFull(_) => (Code::StorageFull, "the same, once there is room"),
                _ => (Code::StorageFailed, "the same, once the store is opened anew"),
            };
            tracing::error!(%error, "a write is not kept");
            Problem::new(code, "$", "the server's disk did not take it").accepts(accepted).into()
        })
    }
}
