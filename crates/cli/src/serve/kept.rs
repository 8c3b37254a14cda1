//! A store as what is served: what is written is answered once it is on the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use getcases::{Batch, Code, Maintained, Problem, Refusal, Scope, Snapshot, Written};
use getcases_load::Loader;
use getcases_server::Backend;
use getcases_store::{Locked, Opened, Options, Store, StoreError};

use crate::{demo, memory, store};

/// The store of a demo, whose folder is gone when this is.
pub(super) struct Demo {
    folder: PathBuf,
    kept: Arc<Kept>,
}

impl Demo {
    /// One without cases. It is open when this returns: nothing is made in the folder afterwards.
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("getcases-demo-{}", std::process::id()));
        // Of another process that had the same number once.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir(&folder)?,
        }
        let kept = Arc::new(Kept(Store::open(&folder, &Options::default())?));
        Ok(Self { folder, kept })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn begun(&self) -> Begun {
        Begun::Demo(self.kept.clone())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A store that is nobody else's, before it has cases.
pub(super) enum Begun {
    Demo(Arc<Kept>),
    Locked(Locked),
}

impl Begun {
    /// Locks a store, which is made where there is none.
    pub(super) fn lock(folder: &PathBuf) -> Result<Self, StoreError> {
        Store::lock(folder).map(Self::Locked)
    }
}

/// A store that is open for writing.
pub(super) struct Kept(Store);

impl Kept {
    /// Puts the demo's cases into it.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        memory::loading(|| demo::fill(Loader::new(store::load::Kept(&self.0))).map(drop))
    }

    /// Opens a store that is locked.
    pub(super) fn open(locked: Locked) -> anyhow::Result<Arc<Self>> {
        let store = memory::loading(|| Ok(locked.open(&Options::default())?))?;
        if let Opened::Records { why: Some(why) } = store.opened() {
            tracing::warn!(why, "the checkpoint is of no use: the index was made anew");
        } else {
            let of = match store.opened() {
                Opened::Records { .. } => "records",
                Opened::OlderCheckpoint => "an older checkpoint and records",
                _ => "its checkpoint",
            };
            tracing::info!(of, "the store is open");
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
