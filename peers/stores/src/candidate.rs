//! A store of documents by key, as one process has it open.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use getcases_workload::{Shape, Workload};

/// What a store is given: a key, and a document.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The `number`th of the workload's lean cases, by its number.
pub fn pair(workload: &Workload, number: u64) -> Pair {
    let mut document = Vec::new();
    workload.write_case(number, &mut document);
    (format!("case-{number:012}").into_bytes(), document)
}

pub fn workload(cases: u64) -> Workload {
    Workload::new(cases, 1, Shape::Lean)
}

/// A store that is open.
pub trait Candidate: Sync {
    /// Writes documents in one transaction. They are on the disk when this returns.
    fn write(&self, pairs: &[Pair]) -> Result<()>;
    /// Hands on every document.
    fn read(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<()>;
    /// What its own check of itself finds; nothing where all is well, or where it has none.
    fn check(self: Box<Self>) -> Result<Option<String>>;
}

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Through rusqlite: a log ahead of the database, synced with each transaction.
    Sqlite,
    /// One file, copied on write.
    Redb,
    /// A tree of files and a journal.
    Fjall,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Redb, Self::Fjall];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Redb => "redb",
            Self::Fjall => "fjall",
        }
    }

    /// Opens what is in a folder, or makes it there.
    pub fn open(self, folder: &Path) -> Result<Box<dyn Candidate>> {
        std::fs::create_dir_all(folder)?;
        Ok(match self {
            Self::Sqlite => Box::new(crate::sqlite::Sqlite::open(folder)?),
            Self::Redb => Box::new(crate::redb::Redb::open(folder)?),
            Self::Fjall => Box::new(crate::fjall::Fjall::open(folder)?),
        })
    }
}
