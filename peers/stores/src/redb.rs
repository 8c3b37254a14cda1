//! redb, with its own settings: every commit is synced.

use std::path::Path;

use anyhow::Result;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::candidate::{Candidate, Pair};

const DOCUMENTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("documents");

pub struct Redb(Database);

impl Redb {
    pub fn open(folder: &Path) -> Result<Self> {
        let database = Database::create(folder.join("documents.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(DOCUMENTS)?;
        transaction.commit()?;
        Ok(Self(database))
    }
}

impl Candidate for Redb {
    fn write(&self, pairs: &[Pair]) -> Result<()> {
        let transaction = self.0.begin_write()?;
        {
            let mut table = transaction.open_table(DOCUMENTS)?;
            for (key, document) in pairs {
                table.insert(&key[..], &document[..])?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn read(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        let table = self.0.begin_read()?.open_table(DOCUMENTS)?;
        for row in table.iter()? {
            let (key, document) = row?;
            each(key.value(), document.value());
        }
        Ok(())
    }

    fn check(mut self: Box<Self>) -> Result<Option<String>> {
        let is_well = self.0.check_integrity()?;
        Ok((!is_well).then(|| "repaired".to_owned()))
    }
}
