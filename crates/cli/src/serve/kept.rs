//! A store as what is served: what is written is answered once it is on the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use getcases::{Batch, Code, Maintained, Problem, Refusal, Scope, Snapshot, Written};
use getcases_load::Loader;
use getcases_server::Backend;
use getcases_store::{Opened, Options, Store, StoreError};

use crate::{demo, memory, store};

/// A folder that is gone when this is.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    pub(super) fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("getcases-demo-{}", std::process::id()));
        // Of another process that had the same number once.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&folder)?,
        }
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store that is open for writing.
pub(super) struct Kept(Store);

impl Kept {
    /// A store of the demo's cases, in a folder that is to be empty.
    pub(super) fn demo(folder: &Path) -> anyhow::Result<Arc<Self>> {
        memory::loading(|| {
            let store = Store::open(folder, &Options::default())?;
            demo::fill(Loader::new(store::load::Kept(&store)))?;
            Ok(Arc::new(Self(store)))
        })
    }

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
