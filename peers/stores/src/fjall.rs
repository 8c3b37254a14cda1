//! fjall, with its own settings; every batch is synced before it counts.

use std::path::Path;

use anyhow::Result;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::candidate::{Candidate, Pair};

pub struct Fjall {
    database: Database,
    documents: Keyspace,
}

impl Fjall {
    pub fn open(folder: &Path) -> Result<Self> {
        let database = Database::builder(folder).open()?;
        let documents = database.keyspace("documents", KeyspaceCreateOptions::default)?;
        Ok(Self { database, documents })
    }
}

impl Candidate for Fjall {
    fn write(&self, pairs: &[Pair]) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (key, document) in pairs {
            batch.insert(&self.documents, &key[..], &document[..]);
        }
        Ok(batch.commit()?)
    }

    fn read(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        for row in self.documents.iter() {
            let (key, document) = row.into_inner()?;
            each(&key, &document);
        }
        Ok(())
    }

    fn check(self: Box<Self>) -> Result<Option<String>> {
        Ok(None)
    }
}
