//! Opening: the folder is locked, every record proved unchanged, and the engine filled with them.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use getcases::Engine;
use rusqlite::Connection;

use crate::checkpoint::{Checkpoint, Restored};
use crate::cursor_key;
use crate::disk::{self, Access, Disk};
use crate::error::{Finding, StoreError, database};
use crate::format::{self, DATABASE, Kind, LOG};
use crate::lock::{self, Lock};
use crate::options::Options;
use crate::scan::{self, Found, Into};
use crate::write::Writer;
use crate::{Report, Store};

/// What the index of a store was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opened {
    /// Of the checkpoint that was kept when the store was closed. The records are held against it,
    /// and against what was written, beside what is read; the first write waits for that.
    Checkpoint,
    /// Of an older checkpoint, and of the records that have changed since.
    OlderCheckpoint,
    /// Of the records alone.
    Records {
        /// Why not of the checkpoint, where there is one.
        why: Option<String>,
    },
}

/// The folder of a store that nobody else can open, until this is dropped: what is known at once,
/// before all that is kept is read.
#[derive(Debug)]
pub struct Locked {
    folder: PathBuf,
    lock: Lock,
    /// Which log was the last one.
    log: Option<u64>,
}

impl Locked {
    /// Opens the store, as [`Store::open`] does.
    ///
    /// # Errors
    /// Where it is damaged, of a later version, or its disk fails.
    pub fn open(self, options: &Options) -> Result<Store, StoreError> {
        let Self { folder, lock, log } = self;
        let folder = &*folder;
        // The files of another layer are not in the folder.
        let log = log.filter(|_| options.vfs.is_none());
        let path = folder.join(DATABASE);
        let is_there = path.try_exists().map_err(StoreError::io("look for", &path))?;
        if !is_there && log.is_some() {
            return Err(StoreError::Missing { file: path });
        }
        let access = if is_there { Access::Write } else { Access::Create };
        let mut connection = disk::connect(&path, access, options)?;
        match format::kind(&connection)? {
            Kind::Empty if log.is_some() => return Err(StoreError::Missing { file: path }),
            Kind::Empty => {
                let made = format::create(&connection);
                made.map_err(database("make the store's tables"))?;
            }
            Kind::Store => {}
        }
        let Loaded { engine, found, findings, opened } =
            load(&mut connection, folder, (log, true), options)?;
        if !findings.is_empty() {
            return Err(StoreError::Damaged(findings));
        }
        let is_proved = !options.keeps_index(found.cases_told());
        let mut disk = Disk::new(connection, found, (folder, lock), options)?;
        disk.begin_log(folder)?;
        lock::sync_folder(folder)?;
        let writer = Writer::new(disk, options, is_proved);
        Ok(Store::begun(folder, engine, Some(writer), opened, options))
    }
}

impl Store {
    /// Opens the store in a folder, and makes one where there is none. Everything that is kept is
    /// read and proved to be what was written: before this returns, or where the index of so many
    /// cases is kept ([`Options::checkpoint_cases`]), as far as [`Opened`] tells and SQLite's own
    /// structures go, before anything is written. Cost grows with all of it: docs/store.md has
    /// figures.
    ///
    /// # Errors
    /// Where another process has it open, it is damaged, of a later version, or its disk fails.
    pub fn open(folder: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        Self::lock(folder)?.open(options)
    }

    /// Locks the folder of a store, and makes the folder where there is none. Nothing that is kept
    /// is read.
    ///
    /// # Errors
    /// Where another process has it open, or its disk fails.
    pub fn lock(folder: impl AsRef<Path>) -> Result<Locked, StoreError> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder).map_err(StoreError::io("make", folder))?;
        let (lock, log) = Lock::take(folder)?;
        Ok(Locked { folder: folder.to_owned(), lock, log })
    }

    /// Opens a store for reading, as it is now: beside a process that writes, or where nothing can
    /// be written. With [`Options::despite_damage`] what is whole is there, and
    /// [`Report::findings`] tells what is not. Where the index was kept when the store was closed,
    /// it answers, and the records are not looked at: [`verify`](crate::verify()) does that.
    ///
    /// # Errors
    /// Where there is no store, it is damaged, of a later version, or its disk fails.
    pub fn open_read_only(
        folder: impl AsRef<Path>,
        options: &Options,
    ) -> Result<(Self, Report), StoreError> {
        let folder = folder.as_ref();
        let mut reading = Reading::open(folder, options)?;
        let Loaded { engine, found, findings, opened } =
            load(&mut reading.connection, folder, (reading.log, false), options)?;
        if !findings.is_empty() && !options.despite_damage {
            return Err(StoreError::Damaged(findings));
        }
        let report = Report::of(&found, findings);
        Ok((Self::begun(folder, engine, None, opened, options), report))
    }
}

/// A store that is being read, with all that is read of one moment.
pub(crate) struct Reading {
    pub(crate) connection: Connection,
    /// Which log was the last one.
    pub(crate) log: Option<u64>,
}

impl Reading {
    pub(crate) fn open(folder: &Path, options: &Options) -> Result<Self, StoreError> {
        let path = folder.join(DATABASE);
        let log = Lock::look(folder)?;
        let is_there = path.try_exists().map_err(StoreError::io("look for", &path))?;
        if !is_there {
            return Err(StoreError::Missing { file: path });
        }
        let opened = disk::connect(&path, Access::Read, options);
        let asked = opened.and_then(|own| format::kind(&own).map(|kind| (own, kind)));
        let (connection, kind) = match asked {
            // Reading beside a log takes files that cannot be made here; where there is no log
            // none is needed.
            Err(StoreError::Database { .. }) if !has_log(folder) => {
                let connection = disk::connect(&path, Access::Immutable, options)?;
                let kind = format::kind(&connection)?;
                (connection, kind)
            }
            asked => asked?,
        };
        if matches!(kind, Kind::Empty) {
            return Err(StoreError::Missing { file: path });
        }
        connection.execute_batch("BEGIN").map_err(database("read the store"))?;
        Ok(Self { connection, log })
    }
}

fn has_log(folder: &Path) -> bool {
    std::fs::metadata(folder.join(LOG)).is_ok_and(|file| file.len() > 0)
}

/// An engine with what is whole, and what is not.
struct Loaded {
    engine: Engine,
    found: Found,
    findings: Vec<Finding>,
    opened: Opened,
}

fn load(
    connection: &mut Connection,
    folder: &Path,
    (log, may_write): (Option<u64>, bool),
    options: &Options,
) -> Result<Loaded, StoreError> {
    let path = folder.join(DATABASE);
    let accounts = scan::read_accounts(connection).ok();
    let dropped = accounts.as_ref().map_or(0, |found| found.dropped);
    let key = match &options.vfs {
        None => cursor_key::of(folder, may_write),
        Some(_) => None,
    };
    let new_engine = || {
        let engine = options.engine.clone().first_generation(dropped);
        let engine = match key {
            Some(key) => engine.cursor_key_or(key),
            None => engine,
        };
        engine.build()
    };
    let (mut engine, mut opened) = (new_engine(), Opened::Records { why: None });
    let cases = accounts.as_ref().map_or(0, Found::cases_told);
    if let Some(found) = accounts.filter(|_| options.keeps_index(cases)) {
        let restored = Checkpoint::find(folder).and_then(|own| {
            let Some(own) = own else { return Ok(None) };
            let pool = scan::pool().map_err(|error| error.to_string())?;
            own.restore(&found.accounts, &engine, &pool).map(Some)
        });
        match restored {
            Ok(None) => {}
            Ok(Some(Restored::Older)) => opened = Opened::OlderCheckpoint,
            Ok(Some(Restored::Everything)) => opened = Opened::Checkpoint,
            Err(why) => {
                engine = new_engine();
                opened = Opened::Records { why: Some(why) };
            }
        }
        let is_clear = || format::check_tables(connection).is_ok_and(|wrong| wrong.is_empty());
        let is_last = log.is_none_or(|log| log <= found.log);
        if opened == Opened::Checkpoint && found.findings.is_empty() && is_last && is_clear() {
            let found = Found { cases, ..found };
            return Ok(Loaded { engine, found, findings: Vec::new(), opened });
        }
        if opened == Opened::Checkpoint {
            opened = Opened::OlderCheckpoint;
        }
    }
    // Of many cases SQLite's own structures are looked at later, before anything is written.
    let asks_database = !options.keeps_index(cases);
    let into = Into::Engine(&engine);
    let (found, findings) = check(connection, &path, log, (into, asks_database), options)?;
    for (scope, own) in &found.accounts {
        engine.resume(scope, own.generation);
    }
    Ok(Loaded { engine, found, findings, opened })
}

/// Proves what was not when a store was opened, beside whoever reads: SQLite's own structures, and
/// where the index is that of a checkpoint, that the records are what was written and what it has.
///
/// # Errors
/// What is damaged, or why that is not known.
pub(crate) fn prove(
    folder: &Path,
    (engine, opened): (&Engine, &Opened),
    is_given_up: &AtomicBool,
    options: &Options,
) -> Result<(), StoreError> {
    let path = folder.join(DATABASE);
    let mut connection = disk::connect(&path, Access::Read, options)?;
    let findings = match opened {
        Opened::Checkpoint => {
            connection.execute_batch("BEGIN").map_err(database("read the store"))?;
            let into = Into::Same(engine, is_given_up);
            check(&mut connection, &path, None, (into, true), options)?.1
        }
        _ if options.check_database => scan::check_database(&connection),
        _ => Vec::new(),
    };
    if findings.is_empty() { Ok(()) } else { Err(StoreError::Damaged(findings)) }
}

/// Holds a whole store against what was written: SQLite's structures on one core, the records on
/// the other.
pub(crate) fn check(
    connection: &mut Connection,
    path: &Path,
    log: Option<u64>,
    (into, asks_database): (Into<'_>, bool),
    options: &Options,
) -> Result<(Found, Vec<Finding>), StoreError> {
    let mut findings = Vec::new();
    match format::check_tables(connection) {
        Ok(wrong) => findings.extend(wrong),
        Err(error) => match database("read the schema")(error) {
            StoreError::Damaged(wrong) => findings.extend(wrong),
            error => return Err(error),
        },
    }
    if !findings.is_empty() {
        // Statements would mean something else.
        return Ok((Found::default(), findings));
    }
    // A layer of one connection is asked first, and by that one.
    let is_beside = options.vfs.is_none();
    let asks_database = asks_database && options.check_database;
    if asks_database && !is_beside {
        findings.extend(scan::check_database(connection));
    }
    let path = PathBuf::from(path);
    let mut found = std::thread::scope(|threads| {
        let beside = (asks_database && is_beside).then(|| {
            threads.spawn(|| {
                let second = disk::connect(&path, Access::Read, options);
                let second = second.or_else(|_| disk::connect(&path, Access::Immutable, options));
                second.map(|own| scan::check_database(&own))
            })
        });
        let found = scan::scan(connection, into, options)?;
        match beside.map(|own| own.join()) {
            None => {}
            Some(Ok(checked)) => findings.extend(checked?),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
        Ok::<_, StoreError>(found)
    })?;
    findings.append(&mut found.findings);
    // Where the store's own row is damaged so is its number.
    let has_number =
        !findings.iter().any(|own| matches!(own, Finding::Database { .. } | Finding::Store { .. }));
    if has_number && log.is_some_and(|log| log > found.log) {
        findings.push(Finding::Log);
    }
    Ok((found, findings))
}
