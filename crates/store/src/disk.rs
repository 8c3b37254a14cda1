//! The database that is written: one transaction for a group of batches, and with it the count and
//! the digest of every scope that changes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use getcases::{Batch, Scope};
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use crate::error::{StoreError, database, is_corrupt};
use crate::format::{DATABASE, LOG};
use crate::lock::{LOCK, Lock, Pinned};
use crate::options::Options;
use crate::record::{self, Checksums, Digest};
use crate::scan::Found;

/// How long another process that looks into the database is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is written at a time. Documents of some kilobytes stand on one page each, or few.
const PAGE_BYTES: u64 = 4096;

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Made where it is not there.
    Create,
    Write,
    Read,
    /// Nobody writes, and nothing can be written beside it either.
    Immutable,
}

/// Opens a database and says how it is kept.
pub(crate) fn connect(
    path: &Path,
    access: Access,
    options: &Options,
) -> Result<Connection, StoreError> {
    let own = match access {
        Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
    };
    let flags = own | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Of a path that begins with `file:` SQLite would make an address.
    let path = std::path::absolute(path).map_err(StoreError::io("open", path))?;
    let name = match access {
        Access::Immutable => immutable(&path).into(),
        _ => path,
    };
    let opened = match &options.vfs {
        None => Connection::open_with_flags(name, flags),
        Some(vfs) => Connection::open_with_flags_and_vfs(name, flags, vfs.as_str()),
    };
    let connection = opened.and_then(|own| set_up(&own, access, options).map(|()| own));
    connection.map_err(database("open the store's database"))
}

/// A path as an address that says that nobody writes.
fn immutable(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                address.push(char::from(*byte));
            }
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "?immutable=1"
}

fn set_up(connection: &Connection, access: Access, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    if options.vfs.is_some() {
        // No memory is then shared with other processes, which such a layer need not have. Before
        // anything that looks into the database.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
    }
    let cache = options.cache_bytes / 1024;
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -{cache}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON"
    ))?;
    if matches!(access, Access::Create | Access::Write) {
        // A log whose syncing failed is not to be copied once more on closing.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // With a log that is as FULL. Before there is one, a journal whose deletion the disk has
        // forgotten would take back what was written since.
        connection.execute_batch(&format!(
            "PRAGMA page_size = {PAGE_BYTES}; PRAGMA synchronous = EXTRA;
             PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = {}",
            options.log_bytes
        ))?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))?;
        if mode != "wal" {
            return Err(rusqlite::Error::InvalidParameterName(format!("journal mode {mode}")));
        }
    }
    Ok(())
}

/// What is kept of a scope beside its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) number: i64,
    pub(crate) cases: u64,
    pub(crate) digest: Digest,
    pub(crate) generation: u64,
}

/// What a batch leaves of each case that it changes, by scope.
#[derive(Debug, Default)]
pub(crate) struct Records {
    scopes: Vec<ScopeRecords>,
    pub(crate) changes: usize,
}

#[derive(Debug)]
struct ScopeRecords {
    scope: Scope,
    /// Whether any change is an upsert, one that was taken back too: the scope's generation goes
    /// on then.
    has_upsert: bool,
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    id: Box<str>,
    /// Nothing where the case is taken out.
    document: Option<(Box<str>, Digest)>,
}

impl Records {
    /// Of several changes of one case the last one stays, in the place of the first.
    pub(crate) fn of(batch: &Batch<'static>) -> Self {
        let mut scopes: Vec<ScopeRecords> = Vec::new();
        let mut places: HashMap<(usize, &str), usize> = HashMap::new();
        let mut known: HashMap<&Scope, usize> = HashMap::new();
        let is_one = batch.len() == 1;
        for (scope, id, document) in batch.changes() {
            let at = *known.entry(scope).or_insert_with(|| {
                let scope = scope.clone();
                scopes.push(ScopeRecords { scope, has_upsert: false, records: Vec::new() });
                scopes.len() - 1
            });
            let own = &mut scopes[at];
            own.has_upsert |= document.is_some();
            let document = document.map(|text| (text.into(), record::fingerprint(text)));
            let new = own.records.len();
            let place = if is_one { new } else { *places.entry((at, id)).or_insert(new) };
            match own.records.get_mut(place) {
                Some(record) => record.document = document,
                None => own.records.push(Record { id: id.into(), document }),
            }
        }
        Self { scopes, changes: batch.len() }
    }
}

/// The database of a store that is open for writing.
pub(crate) struct Disk {
    connection: Connection,
    accounts: BTreeMap<Scope, Account>,
    /// Where the generations of a scope that is not there begin.
    dropped: u64,
    /// The number of the log, and whether the next transaction begins another one.
    log: u64,
    is_log_new: bool,
    lock: Lock,
    /// Those of the store's files that are in its folder.
    files: Vec<Pinned>,
    /// What SQLite counts writes of other connections by.
    foreign: i64,
    log_pages: Arc<AtomicU64>,
    most_log_pages: u64,
}

/// What a transaction changes in the accounts, once it is kept.
#[derive(Default)]
struct Changed {
    accounts: BTreeMap<Scope, Account>,
    new_scopes: u64,
}

const SELECT: &str = "SELECT rowid, checksum FROM cases WHERE scope = ? AND _id = ?";
const INSERT: &str =
    "INSERT INTO cases(scope, _id, version, checksum, document) VALUES(?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE cases SET version = ?, checksum = ?, document = ? WHERE rowid = ?";
const DELETE: &str = "DELETE FROM cases WHERE rowid = ?";
const UPDATE_SCOPE: &str =
    "UPDATE scopes SET cases = ?, digest = ?, generation = ?, checksum = ? WHERE number = ?";

/// Writes the row of a scope that is there.
pub(crate) fn write_account(
    connection: &Connection,
    scope: &Scope,
    own: Account,
) -> rusqlite::Result<()> {
    let Account { number, cases, digest, generation } = own;
    let sum = record::scope_row(scope, number, cases, digest, generation);
    let done = connection.prepare_cached(UPDATE_SCOPE)?.execute(params![
        cases as i64,
        record::to_bytes(digest),
        generation as i64,
        record::to_bytes(sum),
        number
    ])?;
    if done == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(done)) }
}

/// Writes the row of the store; `log` is the number that it has, or gets in the same transaction.
pub(crate) fn write_store(
    connection: &Connection,
    scopes: u64,
    dropped: u64,
    log: u64,
) -> rusqlite::Result<()> {
    let sum = record::to_bytes(record::store_row(scopes, dropped, log));
    let update = "UPDATE store SET scopes = ?, dropped = ?, checksum = ?";
    let mut update = connection.prepare_cached(update)?;
    update.execute(params![scopes as i64, dropped as i64, sum]).map(drop)
}

impl Disk {
    pub(crate) fn new(
        mut connection: Connection,
        found: Found,
        (folder, lock): (&Path, Lock),
        options: &Options,
    ) -> Result<Self, StoreError> {
        let log_pages = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&log_pages);
        let count = move |_: &mut Wal, pages: std::ffi::c_int| {
            counted.store(pages.unsigned_abs().into(), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(count)).map_err(database("open the store's database"))?;
        let most_log_pages = options.log_bytes / PAGE_BYTES;
        let Found { accounts, dropped, log, .. } = found;
        let (is_log_new, foreign) = (true, 0);
        // The database of another layer is not there.
        let files = [LOCK, DATABASE].map(|name| Pinned::of(&folder.join(name)));
        let files = files.into_iter().flatten().collect();
        let mut disk = Self {
            connection,
            accounts,
            dropped,
            log,
            is_log_new,
            lock,
            files,
            foreign,
            log_pages,
            most_log_pages,
        };
        disk.foreign = disk.foreign_writes().map_err(database("open the store's database"))?;
        Ok(disk)
    }

    /// What is kept of each scope beside its records.
    pub(crate) fn accounts(&self) -> &BTreeMap<Scope, Account> {
        &self.accounts
    }

    fn foreign_writes(&self) -> rusqlite::Result<i64> {
        self.connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
    }

    /// Writes batches in one transaction: all are on the disk when this returns, or none is.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], after which others may be written; else
    /// [`StoreError::Broken`].
    pub(crate) fn write<'r>(
        &mut self,
        batches: impl IntoIterator<Item = &'r Records>,
    ) -> Result<(), StoreError> {
        let changed = self.transaction(|disk| {
            let mut changed = Changed::default();
            for part in batches.into_iter().flat_map(|batch| &batch.scopes) {
                disk.write_part(part, &mut changed)?;
            }
            disk.write_accounts(&changed)?;
            Ok(changed)
        })?;
        self.accounts.extend(changed.accounts);
        Ok(())
    }

    /// Does something in a transaction, and has it kept. The first one of a log gives that a
    /// number, which is noted beside the database too before anything is acknowledged.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Self) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let done = self.begin().and_then(|()| {
            if self.is_log_new {
                let update = "UPDATE store SET log = ?, checksum = ?";
                let (scopes, log) = (self.accounts.len() as u64, self.log + 1);
                let sum = record::to_bytes(record::store_row(scopes, self.dropped, log));
                self.connection.prepare_cached(update)?.execute(params![log as i64, sum])?;
            }
            let done = work(self)?;
            self.connection.prepare_cached("COMMIT")?.execute(())?;
            Ok(done)
        });
        let done = done.map_err(|error| self.give_up(&error))?;
        if std::mem::take(&mut self.is_log_new) {
            self.log += 1;
            let noted = self.lock.note(self.log);
            noted.map_err(|error| StoreError::Broken(error.to_string().into()))?;
        }
        Ok(done)
    }

    /// The number of the log that a transaction is written to.
    fn log_of_transaction(&self) -> u64 {
        self.log + u64::from(self.is_log_new)
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        // An error of any kind, told as it is.
        let refused = |why: &str| Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
        if self.foreign_writes()? != self.foreign {
            return refused("another program has written into the database");
        }
        if !self.files.iter().all(Pinned::is_in_place) {
            return refused("its files were moved, removed or replaced");
        }
        Ok(())
    }

    /// Takes back what a transaction did that failed. A full disk is nobody's fault: nothing of
    /// the transaction counts, and the next one may fit. Of any other failure it is not known what
    /// of it is on the disk.
    fn give_up(&self, error: &rusqlite::Error) -> StoreError {
        let is_back =
            self.connection.is_autocommit() || self.connection.execute_batch("ROLLBACK").is_ok();
        let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        let told = match is_corrupt(error) {
            true => format!("it is damaged: {error}"),
            false => error.to_string(),
        };
        match is_full && is_back {
            true => StoreError::DiskFull(told.into()),
            false => StoreError::Broken(told.into()),
        }
    }

    fn write_part(&self, part: &ScopeRecords, changed: &mut Changed) -> rusqlite::Result<()> {
        let scope = &part.scope;
        let known = changed.accounts.get(scope).or_else(|| self.accounts.get(scope));
        let mut account = match known {
            Some(account) => *account,
            None => self.add_scope(scope, changed)?,
        };
        let version = account.generation + 1;
        let mut checksums = Checksums::of(scope);
        let mut select = self.connection.prepare_cached(SELECT)?;
        let mut has_deleted = false;
        for Record { id, document } in &part.records {
            let old = select.query_row(params![account.number, id], |row| {
                let digest = row.get_ref(1)?.as_blob().ok().and_then(record::from_bytes);
                Ok((row.get::<_, i64>(0)?, digest.unwrap_or(0)))
            });
            let old = old.optional()?;
            let new = document.as_ref().map(|(text, fingerprint)| {
                (text, checksums.record(id, version, text.len(), *fingerprint))
            });
            let run = |text: &str, parameters: &[&dyn rusqlite::ToSql]| {
                let done = self.connection.prepare_cached(text)?.execute(parameters)?;
                if done == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(done)) }
            };
            let bytes = new.map(|(_, checksum)| record::to_bytes(checksum));
            let is_there = old.is_some();
            match (&old, new, bytes) {
                (Some((row, _)), Some((text, _)), Some(bytes)) => {
                    run(UPDATE, params![version as i64, bytes, text, row])?;
                }
                (None, Some((text, _)), Some(bytes)) => {
                    run(INSERT, params![account.number, id, version as i64, bytes, text])?;
                }
                (Some((row, _)), ..) => {
                    has_deleted = true;
                    run(DELETE, params![row])?;
                }
                (None, ..) => {}
            }
            let (gone, come) = (old.map_or(0, |(_, sum)| sum), new.map_or(0, |(_, sum)| sum));
            account.digest = account.digest.wrapping_sub(gone).wrapping_add(come);
            account.cases = account.cases + u64::from(new.is_some()) - u64::from(is_there);
        }
        if part.has_upsert || has_deleted {
            account.generation = version;
        }
        changed.accounts.insert(scope.clone(), account);
        Ok(())
    }

    fn add_scope(&self, scope: &Scope, changed: &mut Changed) -> rusqlite::Result<Account> {
        let insert = "INSERT INTO scopes(account, stream, cases, digest, generation, checksum)
            VALUES(?, ?, 0, x'', 0, x'')";
        let mut insert = self.connection.prepare_cached(insert)?;
        insert.execute(params![scope.account(), scope.stream()])?;
        let number = self.connection.last_insert_rowid();
        changed.new_scopes += 1;
        Ok(Account { number, cases: 0, digest: 0, generation: self.dropped })
    }

    fn write_accounts(&self, changed: &Changed) -> rusqlite::Result<()> {
        for (scope, own) in &changed.accounts {
            write_account(&self.connection, scope, *own)?;
        }
        if changed.new_scopes > 0 {
            let scopes = self.accounts.len() as u64 + changed.new_scopes;
            self.write_store(scopes, self.dropped)?;
        }
        Ok(())
    }

    fn write_store(&self, scopes: u64, dropped: u64) -> rusqlite::Result<()> {
        write_store(&self.connection, scopes, dropped, self.log_of_transaction())
    }

    /// Begins a log, which is then one of the store's files.
    pub(crate) fn begin_log(&mut self, folder: &Path) -> Result<(), StoreError> {
        self.transaction(|_| Ok(()))?;
        self.files.extend(Pinned::of(&folder.join(LOG)));
        Ok(())
    }

    /// Takes a scope out with all its records; says whether it was there.
    pub(crate) fn drop_scope(&mut self, scope: &Scope) -> Result<bool, StoreError> {
        let Some(Account { number, generation, .. }) = self.accounts.get(scope).copied() else {
            return Ok(false);
        };
        let (scopes, dropped) = (self.accounts.len() as u64 - 1, self.dropped.max(generation + 1));
        self.transaction(|disk| {
            disk.connection.execute("DELETE FROM cases WHERE scope = ?", [number])?;
            disk.connection.execute("DELETE FROM scopes WHERE number = ?", [number])?;
            disk.write_store(scopes, dropped)
        })?;
        self.accounts.remove(scope);
        self.dropped = dropped;
        Ok(true)
    }

    /// Copies the log into the database where it is long.
    ///
    /// # Errors
    /// [`StoreError::Broken`]: what was not synced is not tried again.
    pub(crate) fn checkpoint_if_long(&mut self) -> Result<(), StoreError> {
        if self.log_pages.load(Ordering::Relaxed) < self.most_log_pages {
            return Ok(());
        }
        self.checkpoint(CheckpointMode::PASSIVE)
    }

    /// Copies the log into the database; a full disk may have room later.
    pub(crate) fn checkpoint(&mut self, mode: CheckpointMode) -> Result<(), StoreError> {
        match self.connection.wal_checkpoint_v2(rusqlite::MAIN_DB.into(), mode) {
            Ok(_) => {
                self.log_pages.store(0, Ordering::Relaxed);
                self.is_log_new = true;
                Ok(())
            }
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => Ok(()),
                _ => Err(StoreError::Broken(error.to_string().into())),
            },
        }
    }

    /// Writes the database anew without what is free in it. Cost grows with all of it.
    pub(crate) fn compact(&mut self) -> Result<(), StoreError> {
        let done = self.connection.execute_batch("VACUUM");
        done.map_err(|error| self.give_up(&error))?;
        self.checkpoint(CheckpointMode::TRUNCATE)
    }

    /// Lets the log go that was copied.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        let failed = database("close the store's database");
        let allowed =
            self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        match allowed.and_then(|_| self.connection.close().map_err(|(_, error)| error)) {
            Ok(()) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}
