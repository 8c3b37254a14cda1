//! Durability around the [`getcases`] engine: what is acknowledged is kept, on SQLite.
//!
//! ```
//! use getcases::{Batch, Scope};
//! use getcases_store::{Options, Store};
//!
//! let folder = std::env::temp_dir().join(format!("getcases-doc-{}", std::process::id()));
//! # let _ = std::fs::remove_dir_all(&folder);
//! let desk = Scope::new("account", "stream");
//! let store = Store::open(&folder, &Options::default())?;
//! let mut batch = Batch::new();
//! batch.upsert(&desk, r#"{"_id":"1","status":"open"}"#)?;
//! store.write(batch)?; // on the disk, and seen
//! drop(store);
//!
//! let store = Store::open(&folder, &Options::default())?;
//! assert_eq!(store.snapshot(&desk).len(), 1);
//! # drop(store);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What always holds
//! - A batch is on the disk whole or not at all, over all of its scopes; [`Store::write`] returns
//!   once it is there, and readers see it after that and never before.
//! - Nothing is lost in silence: each record has a checksum, each scope a count and a digest of its
//!   records, written with each batch; opening holds everything against them.
//! - One process writes. What failed to reach the disk is not tried again: writes stop, reads go
//!   on, and opening the store anew tells what is there.
//! - Questions are answered from memory, and wait for no disk.
//!
//! The tables are told of in docs/format.md, what was measured in docs/store.md.

mod applier;
mod background;
mod backup;
mod checkpoint;
mod cursor_key;
mod disk;
mod error;
mod export;
mod format;
mod lock;
mod open;
mod options;
mod queue;
mod record;
mod scan;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use getcases::{Batch, Engine, Maintained, Scope, Snapshot, Written};

pub use backup::{backup, restore};
pub use error::{Finding, StoreError};
pub use open::{Locked, Opened};
pub use options::{Options, Progress};

use rusqlite::wal::CheckpointMode;

use background::Background;
use open::Reading;
use scan::{Found, Into};
use write::Writer;

/// Cases of any number of scopes, in memory and on a disk. Share it behind an `Arc`.
///
/// Nothing is written past it: it hands out snapshots, and keeps the engine to itself. Dropping it
/// closes it; [`Store::close`] tells whether that went well.
pub struct Store {
    folder: PathBuf,
    engine: Arc<Engine>,
    /// Where it is open for writing.
    writer: Option<Arc<Writer>>,
    opened: Opened,
    /// Whether the checkpoint that is there has all that there is.
    is_saved: Arc<AtomicBool>,
    background: Background,
    options: Options,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.folder)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// What a store was found to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many scopes.
    pub scopes: u64,
    /// How many records, damaged ones included.
    pub cases: u64,
    /// What is damaged.
    pub findings: Vec<Finding>,
}

impl Report {
    fn of(found: &Found, findings: Vec<Finding>) -> Self {
        Self { scopes: found.accounts.len() as u64, cases: found.cases, findings }
    }

    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What a store takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many scopes there are.
    pub scopes: u64,
    /// How many cases.
    pub cases: u64,
    /// How many bytes the database has.
    pub database_bytes: u64,
    /// How many its write-ahead log has.
    pub log_bytes: u64,
    /// How many the engine takes in memory, as it counts them.
    pub memory_bytes: u64,
}

impl Store {
    /// Writes a batch: it is on the disk, and seen, when this returns. Batches of many threads are
    /// written together, in the order in which they came. Cost grows with the batch, and is at
    /// least that of a sync of the disk.
    ///
    /// # Errors
    /// [`StoreError::Write`] and [`StoreError::DiskFull`]: nothing of the batch is anywhere, and
    /// others may be written. [`StoreError::Broken`]: whether it is kept is known once the store is
    /// opened anew.
    pub fn write(&self, batch: Batch<'static>) -> Result<Written, StoreError> {
        let writer = self.writer()?;
        let written = writer.write(&self.engine, batch);
        self.is_saved.store(false, Ordering::Relaxed);
        written
    }

    /// What one scope holds now, as [`Engine::snapshot`] gives it.
    #[must_use]
    pub fn snapshot(&self, scope: &Scope) -> Snapshot {
        self.engine.snapshot(scope)
    }

    /// Whether a scope was written into, and not dropped since.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.engine.contains(scope)
    }

    /// The scopes that were written into, sorted.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        self.engine.scopes()
    }

    /// Takes a scope out with all its cases; says whether it was there. Waits for all writers.
    ///
    /// # Errors
    /// As of [`Store::write`].
    pub fn drop_scope(&self, scope: &Scope) -> Result<bool, StoreError> {
        let dropped = self.writer()?.drop_scope(&self.engine, scope);
        self.is_saved.store(false, Ordering::Relaxed);
        dropped
    }

    /// Upkeep of the engine, as [`Engine::maintain`] does it.
    pub fn maintain(&self, slots: usize) -> Maintained {
        self.engine.maintain(slots)
    }

    /// Upkeep of the engine, as [`Engine::maintain_for`] does it.
    pub fn maintain_for(&self, time: Duration) -> Maintained {
        self.engine.maintain_for(time)
    }

    /// Whether writes go on: not where it was opened to be read, or its disk has failed.
    ///
    /// # Errors
    /// Why they do not.
    pub fn writable(&self) -> Result<(), StoreError> {
        self.writer()?.check()
    }

    /// Holds everything on the disk against what was written, while reads and writes go on.
    ///
    /// # Errors
    /// Where it cannot be read at all.
    pub fn verify(&self) -> Result<Report, StoreError> {
        verify(&self.folder, &Options::default())
    }

    /// Writes the database anew without what is free in it. Writers wait meanwhile; it takes as
    /// much room as the database besides.
    ///
    /// # Errors
    /// As of [`Store::write`].
    pub fn compact(&self) -> Result<(), StoreError> {
        self.writer()?.alone(disk::Disk::compact)
    }

    /// What the index was made of when the store was opened.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Waits until everything that was kept was held against what was written, where that goes on
    /// beside what is read, and says whether it is whole.
    ///
    /// # Errors
    /// What is damaged; else why writes do not go on.
    pub fn proved(&self) -> Result<(), StoreError> {
        self.writer()?.wait_until_proved()
    }

    /// Keeps the index beside the records, and copies the write-ahead log into the database, so
    /// that the next opening has neither to make nor to go through. Writers wait while the log is
    /// copied; that is done by itself where it gets long. Closing does both.
    ///
    /// # Errors
    /// As of [`Store::write`]. That the index could not be kept is none: it is made anew.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let writer = self.writer()?;
        background::save(&self.folder, &self.engine, writer, &self.is_saved, &self.options)?;
        writer.alone(|disk| disk.checkpoint(CheckpointMode::FULL))
    }

    /// What it takes. Cost grows with the scopes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let length =
            |name: &str| std::fs::metadata(self.folder.join(name)).map_or(0, |file| file.len());
        let mut stats = Stats {
            database_bytes: length(format::DATABASE),
            log_bytes: length(format::LOG),
            ..Stats::default()
        };
        for scope in self.engine.scopes() {
            let own = self.engine.snapshot(&scope).stats();
            stats.scopes += 1;
            stats.cases += own.cases;
            stats.memory_bytes += own.bytes() as u64;
        }
        stats
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Closes it, so that opening it finds nothing to recover.
    ///
    /// # Errors
    /// Where its disk fails, or has failed before. Nothing that was acknowledged is lost.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.background.end();
        let Some(writer) = self.writer.take() else { return Ok(()) };
        // Where nothing was written since it was opened it need not be proved for that.
        if writer.is_proved() {
            background::save(&self.folder, &self.engine, &writer, &self.is_saved, &self.options)?;
        }
        writer.close()
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_deref().ok_or(StoreError::ReadOnly)
    }

    /// What was opened, with what goes on beside it from here on.
    fn begun(
        folder: &Path,
        engine: Engine,
        writer: Option<Writer>,
        opened: Opened,
        options: &Options,
    ) -> Self {
        let (engine, writer) = (Arc::new(engine), writer.map(Arc::new));
        let is_saved = Arc::new(AtomicBool::new(opened == Opened::Checkpoint));
        let background = match &writer {
            None => Background::none(),
            Some(writer) => {
                Background::begin(folder, &engine, (writer, &opened), &is_saved, options)
            }
        };
        let (folder, options) = (folder.to_owned(), options.clone());
        Self { folder, engine, writer, opened, is_saved, background, options }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Whoever wants to know calls `close`.
        let _ = self.end();
    }
}

/// Holds a store against what was written, without opening it: what is damaged is in the report.
/// Another process may write meanwhile.
///
/// # Errors
/// Where there is none, it is of a later version, or it cannot be read at all.
pub fn verify(folder: impl AsRef<Path>, options: &Options) -> Result<Report, StoreError> {
    let folder = folder.as_ref();
    let damaged = |findings| Report { findings, ..Report::default() };
    let mut reading = match Reading::open(folder, options) {
        Ok(reading) => reading,
        Err(StoreError::Damaged(findings)) => return Ok(damaged(findings)),
        Err(error) => return Err(error),
    };
    let path = folder.join(format::DATABASE);
    let (found, findings) =
        open::check(&mut reading.connection, &path, reading.log, (Into::Nothing, true), options)?;
    Ok(Report::of(&found, findings))
}
