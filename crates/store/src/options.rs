//! How a store is opened.

use std::fmt;
use std::sync::Arc;

use getcases::EngineBuilder;

/// Is told how far something is: what, how much of it is done, and how much there is.
pub type Progress = Arc<dyn Fn(&str, u64, u64) + Send + Sync>;

/// How a store is opened, and how much it takes.
#[derive(Clone)]
pub struct Options {
    /// What the engine may use.
    pub engine: EngineBuilder,
    /// How many bytes of the database SQLite keeps in memory.
    pub cache_bytes: u64,
    /// From how many bytes of the write-ahead log on it is copied into the database.
    pub log_bytes: u64,
    /// How many changes of waiting batches are written at once, at most; a batch is never cut.
    pub group_changes: usize,
    /// From how many cases on the index is kept beside the records when the store is closed, so
    /// that it need not be made anew: fewer are soon indexed.
    pub checkpoint_cases: u64,
    /// Open a damaged store for reading, with what of it is whole.
    pub despite_damage: bool,
    /// Has SQLite check its own structures where the store is opened. Only a test that looks for
    /// what the store's checksums find alone turns it off.
    #[doc(hidden)]
    pub check_database: bool,
    /// The name of SQLite's layer over the disk, where it is not the system's.
    #[doc(hidden)]
    pub vfs: Option<String>,
    /// Is told how far opening is.
    pub progress: Option<Progress>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: EngineBuilder::default(),
            cache_bytes: 64 << 20,
            log_bytes: 64 << 20,
            group_changes: 4096,
            checkpoint_cases: 20_000,
            despite_damage: false,
            check_database: true,
            vfs: None,
            progress: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("engine", &self.engine)
            .field("cache_bytes", &self.cache_bytes)
            .field("log_bytes", &self.log_bytes)
            .field("group_changes", &self.group_changes)
            .field("checkpoint_cases", &self.checkpoint_cases)
            .field("despite_damage", &self.despite_damage)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Whether the index of so many cases is kept. A layer over the disk has the database alone,
    /// and of a damaged store the records are all that counts.
    pub(crate) fn keeps_index(&self, cases: u64) -> bool {
        cases >= self.checkpoint_cases && self.vfs.is_none() && !self.despite_damage
    }

    pub(crate) fn tell(&self, what: &str, done: u64, all: u64) {
        self.progress.iter().for_each(|tell| tell(what, done, all));
    }
}
