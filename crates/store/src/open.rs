//! Opening: the folder is locked, every record proved unchanged, and the engine filled with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use crate::disk::{self, Access, Disk};
use crate::error::{Finding, StoreError, database};
use crate::format::{self, DATABASE, Kind, LOG};
use crate::lock::{self, Lock};
use crate::options::Options;
use crate::scan::{self, Found};
use crate::write::Writer;
use crate::{Report, Store};

impl Store {
    /// Opens the store in a folder, and makes one where there is none. Everything that is kept is
    /// read and proved to be what was written. Cost grows with all of it: docs/store.md has
    /// figures.
    ///
    /// # Errors
    /// Where another process has it open, it is damaged, of a later version, or its disk fails.
    pub fn open(folder: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder).map_err(StoreError::io("make", folder))?;
        let (lock, log) = Lock::take(folder)?;
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
        let (engine, found, findings) = load(&mut connection, &path, log, options)?;
        if !findings.is_empty() {
            return Err(StoreError::Damaged(findings));
        }
        let mut disk = Disk::new(connection, found, lock, options)?;
        disk.begin_log()?;
        lock::sync_folder(folder)?;
        let writer = Some(Writer::new(disk, options));
        Ok(Self { folder: folder.to_owned(), engine: Arc::new(engine), writer })
    }

    /// Opens a store for reading, as it is now: beside a process that writes, or where nothing can
    /// be written. With [`Options::despite_damage`] what is whole is there, and
    /// [`Report::findings`] tells what is not.
    ///
    /// # Errors
    /// Where there is no store, it is damaged, of a later version, or its disk fails.
    pub fn open_read_only(
        folder: impl AsRef<Path>,
        options: &Options,
    ) -> Result<(Self, Report), StoreError> {
        let folder = folder.as_ref();
        let mut reading = Reading::open(folder, options)?;
        let path = folder.join(DATABASE);
        let (engine, found, findings) = load(&mut reading.connection, &path, reading.log, options)?;
        if !findings.is_empty() && !options.despite_damage {
            return Err(StoreError::Damaged(findings));
        }
        let report = Report::of(&found, findings);
        Ok((Self { folder: folder.to_owned(), engine: Arc::new(engine), writer: None }, report))
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
        let log = Lock::look(folder);
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
fn load(
    connection: &mut Connection,
    path: &Path,
    log: Option<u64>,
    options: &Options,
) -> Result<(getcases::Engine, Found, Vec<Finding>), StoreError> {
    let dropped = scan::read_accounts(connection).map_or(0, |found| found.dropped);
    let engine = options.engine.clone().first_generation(dropped).build();
    let (found, findings) = check(connection, path, log, Some(&engine), options)?;
    for (scope, own) in &found.accounts {
        engine.resume(scope, own.generation);
    }
    Ok((engine, found, findings))
}

/// Holds a whole store against what was written: SQLite's structures on one core, the records on
/// the other.
pub(crate) fn check(
    connection: &mut Connection,
    path: &Path,
    log: Option<u64>,
    engine: Option<&getcases::Engine>,
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
    if options.check_database && !is_beside {
        findings.extend(scan::check_database(connection));
    }
    let path = PathBuf::from(path);
    let mut found = std::thread::scope(|threads| {
        let beside = (options.check_database && is_beside).then(|| {
            threads.spawn(|| {
                let second = disk::connect(&path, Access::Read, options);
                let second = second.or_else(|_| disk::connect(&path, Access::Immutable, options));
                second.map(|own| scan::check_database(&own))
            })
        });
        let found = scan::scan(connection, engine, options)?;
        match beside.map(|own| own.join()) {
            None => {}
            Some(Ok(checked)) => findings.extend(checked?),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
        Ok::<_, StoreError>(found)
    })?;
    findings.append(&mut found.findings);
    if log.is_some_and(|log| log > found.log) {
        findings.push(Finding::Log);
    }
    Ok((found, findings))
}
