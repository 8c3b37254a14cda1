//! SQLite, as the store of getcases has it: a log ahead of the database, synced with each
//! transaction.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use rusqlite::Connection;

use crate::candidate::{Candidate, Pair};

/// Writers take turns.
pub struct Sqlite(Mutex<Connection>);

impl Sqlite {
    pub fn open(folder: &Path) -> Result<Self> {
        let connection = Connection::open(folder.join("documents.db"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;
             CREATE TABLE IF NOT EXISTS documents(
                 key BLOB PRIMARY KEY, document BLOB NOT NULL
             ) WITHOUT ROWID;",
        )?;
        Ok(Self(Mutex::new(connection)))
    }
}

impl Candidate for Sqlite {
    fn write(&self, pairs: &[Pair]) -> Result<()> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        {
            let sql = "INSERT OR REPLACE INTO documents(key, document) VALUES (?1, ?2)";
            let mut insert = transaction.prepare_cached(sql)?;
            for (key, document) in pairs {
                insert.execute((key, document))?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn read(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut select = connection.prepare("SELECT key, document FROM documents")?;
        let mut rows = select.query(())?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_bytes()?, row.get_ref(1)?.as_bytes()?);
        }
        Ok(())
    }

    fn check(self: Box<Self>) -> Result<Option<String>> {
        let connection = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let told: String =
            connection.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
        Ok((told != "ok").then_some(told))
    }
}
