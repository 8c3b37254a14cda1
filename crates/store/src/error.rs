//! Why something is not done, and what is damaged.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use getcases::{Scope, WriteError};

/// How many findings an error tells of by name.
const TOLD: usize = 3;

/// Why a store is not opened, or did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open, or another `Store` of this one.
    #[error("the store {} is open in another process", folder.display())]
    Locked {
        /// The store's folder.
        folder: PathBuf,
    },
    /// The folder was a store, and its database is gone. None is made in its place.
    #[error("the store's database {} is not there", file.display())]
    Missing {
        /// What is not there.
        file: PathBuf,
    },
    /// The database is another program's.
    #[error(
        "it is no getcases store: its database has application id {application:#x}, \
         version {version}"
    )]
    NotAStore {
        /// What its header says.
        application: i32,
        /// What its header says.
        version: i32,
    },
    /// A later version of this library made it.
    #[error("the store has format {found}, and this program knows formats up to {known}")]
    Newer {
        /// The store's format.
        found: i32,
        /// The latest one that is known here.
        known: i32,
    },
    /// It is damaged: nothing is changed, and nothing is served unless that is asked for.
    #[error("the store is damaged: {}", told(.0))]
    Damaged(Vec<Finding>),
    /// The engine has no room for the batch: nothing of it was written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It was opened to be read.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The disk has no room: nothing of the batch was written, and it may be tried again.
    #[error("there is no room on the store's disk: {0}")]
    DiskFull(Arc<str>),
    /// The disk failed. Whether the batch is kept is known once the store is opened anew; until
    /// then nothing is written, and reads go on.
    #[error("the store's disk failed, and writes have stopped until it is opened anew: {0}")]
    Broken(Arc<str>),
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {error}", path.display())]
    Io {
        /// What was to be done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        error: Arc<io::Error>,
    },
    /// SQLite refused to do something.
    #[error("cannot {doing}: {message}")]
    Database {
        /// What was to be done.
        doing: &'static str,
        /// Why it failed.
        message: Arc<str>,
    },
}

fn told(findings: &[Finding]) -> String {
    let first: Vec<_> = findings.iter().take(TOLD).map(Finding::to_string).collect();
    let more = match findings.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    first.join("; ") + &more
}

impl StoreError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error: Arc::new(error) }
    }
}

/// What an error of SQLite's becomes where nothing was being written.
pub(crate) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |error| {
        if is_corrupt(&error) {
            return StoreError::Damaged(vec![Finding::Database { what: error.to_string() }]);
        }
        StoreError::Database { doing, message: error.to_string().into() }
    }
}

/// Whether SQLite says that the file is damaged.
pub(crate) fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
        || matches!(
            error,
            rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..)
                | rusqlite::Error::QueryReturnedNoRows
        )
}

/// One thing that is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// What SQLite says of its own structures.
    Database {
        /// In its words.
        what: String,
    },
    /// A table's definition was changed.
    Table {
        /// Which one.
        name: String,
    },
    /// The write-ahead log of a store that was not closed is gone: the newest writes were in it.
    Log,
    /// A record is not what was written.
    Record {
        /// The number of its row.
        row: i64,
        /// Its scope, where that is known.
        scope: Option<Scope>,
        /// Its `_id`, as far as it can be read.
        id: String,
        /// What is wrong.
        what: String,
    },
    /// A scope's own row is not what was written.
    Scope {
        /// Which one.
        scope: Scope,
        /// What is wrong.
        what: String,
    },
    /// A scope has fewer or more records than were written.
    Count {
        /// Which one.
        scope: Scope,
        /// How many there are.
        found: u64,
        /// How many were written.
        written: u64,
    },
    /// A scope has as many records as were written, and they are not the same ones.
    Digest {
        /// Which one.
        scope: Scope,
    },
    /// The index that was kept beside the records is not theirs; without it they are whole.
    Checkpoint {
        /// Of which scope.
        scope: Scope,
    },
    /// The store's own row, or the number of its scopes, is not what was written.
    Store {
        /// What is wrong.
        what: String,
    },
}

impl Finding {
    /// A word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Database { .. } => "database",
            Self::Table { .. } => "table",
            Self::Log => "log",
            Self::Record { .. } => "record",
            Self::Scope { .. } => "scope",
            Self::Count { .. } => "count",
            Self::Digest { .. } => "digest",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Store { .. } => "store",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database { what } => write!(f, "database: {what}"),
            Self::Table { name } => write!(f, "table {name}: its definition was changed"),
            Self::Log => f.write_str("the write-ahead log is gone, and with it the newest writes"),
            Self::Record { row, scope, id, what } => {
                write!(f, "record {id:?} (row {row}")?;
                match scope {
                    Some(scope) => write!(f, ", scope {scope}): {what}"),
                    None => write!(f, "): {what}"),
                }
            }
            Self::Scope { scope, what } => write!(f, "scope {scope}: {what}"),
            Self::Count { scope, found, written } => {
                write!(f, "scope {scope}: {found} records are there, and {written} were written")
            }
            Self::Digest { scope } => {
                write!(f, "scope {scope}: its records are not those that were written")
            }
            Self::Checkpoint { scope } => {
                write!(f, "scope {scope}: the index that was kept is not that of its records")
            }
            Self::Store { what } => write!(f, "store: {what}"),
        }
    }
}
