//! Copies of a store: taken while it is written, of one moment, and put back.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::disk::{Account, write_account, write_store};
use crate::error::{Finding, StoreError, database};
use crate::format::DATABASE;
use crate::lock;
use crate::open::Reading;
use crate::options::Options;
use crate::{Report, Store, verify};

/// How many pages are copied between two calls of `progress`.
const STEP: i32 = 4096;

impl Store {
    /// Copies the store into a folder that is not there, as it is at one moment, while reads and
    /// writes go on. The copy is a store of its own. `progress` is told how many bytes were copied,
    /// and how many there are.
    ///
    /// # Errors
    /// Where the folder is there, or a disk fails.
    pub fn backup(
        &self,
        to: impl AsRef<Path>,
        progress: impl FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        copy(&self.folder, to.as_ref(), progress, |_| Ok(()))
    }
}

/// Copies a store into a folder that is not there, as [`Store::backup`] does, also where another
/// process has it open.
///
/// # Errors
/// As of [`Store::backup`]; where there is no store.
pub fn backup(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    progress: impl FnMut(u64, u64),
) -> Result<(), StoreError> {
    copy(from.as_ref(), to.as_ref(), progress, |_| Ok(()))
}

/// How far the generations of what is restored are ahead of those that it was copied with.
const RESTORED: u64 = 1 << 32;

/// Puts a copy into a folder that is not there, once everything in it was found whole. Generations
/// go on far ahead of those of the copy: one that the store had reached after it was copied is then
/// too old, rather than a place from where on changes are told.
///
/// # Errors
/// Where the folder is there, the copy is damaged or none, or a disk fails.
pub fn restore(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    progress: impl FnMut(u64, u64),
) -> Result<Report, StoreError> {
    let report = verify(&from, &Options::default())?;
    if !report.is_whole() {
        return Err(StoreError::Damaged(report.findings));
    }
    copy(from.as_ref(), to.as_ref(), progress, go_ahead)?;
    Ok(report)
}

/// Raises the generation of each scope, and that of scopes to come.
fn go_ahead(target: &mut Connection) -> rusqlite::Result<()> {
    let found = crate::scan::read_accounts(target)?;
    let transaction = target.transaction()?;
    for (scope, own) in &found.accounts {
        let ahead = Account { generation: own.generation + RESTORED, ..*own };
        write_account(&transaction, scope, ahead)?;
    }
    let scopes = found.accounts.len() as u64;
    write_store(&transaction, scopes, found.dropped + RESTORED, found.log)?;
    transaction.commit()
}

/// Copies into a folder beside, and gives it its name when all of it is on the disk; `then` may
/// change the copy before.
fn copy(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
    then: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let is_there = to.try_exists().map_err(StoreError::io("look for", to))?;
    if is_there {
        let kind = std::io::ErrorKind::AlreadyExists;
        let error = std::io::Error::new(kind, "it is there already, and a copy takes no place");
        return Err(StoreError::io("make", to)(error));
    }
    let aside = aside(&std::path::absolute(to).map_err(StoreError::io("make", to))?);
    let copied = copy_aside(from, &aside, &mut progress, then)
        .and_then(|()| std::fs::rename(&aside, to).map_err(StoreError::io("make", to)));
    if copied.is_err() {
        // A full disk has its room back.
        _ = std::fs::remove_dir_all(&aside);
    }
    copied?;
    match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => lock::sync_folder(parent),
        _ => lock::sync_folder(Path::new(".")),
    }
}

/// Copies into a folder of its own, all of it on the disk when this returns.
fn copy_aside(
    from: &Path,
    aside: &Path,
    progress: &mut impl FnMut(u64, u64),
    then: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let fresh = match std::fs::remove_dir_all(aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::create_dir_all(aside),
    };
    fresh.map_err(StoreError::io("make", aside))?;
    let path = aside.join(DATABASE);
    let log = copy_database(from, &path, progress, then)?;
    let synced = std::fs::File::open(&path).and_then(|file| file.sync_all());
    synced.map_err(StoreError::io("sync", &path))?;
    lock::note(aside, log).map_err(StoreError::io("write", aside))?;
    lock::sync_folder(aside)
}

fn copy_database(
    from: &Path,
    to: &Path,
    progress: &mut impl FnMut(u64, u64),
    then: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> Result<u64, StoreError> {
    let failed = || database("copy the store");
    // Its transaction stays on one moment, whatever is written meanwhile.
    let reading = Reading::open(from, &Options::default())?;
    let log = crate::scan::read_accounts(&reading.connection).map_err(failed())?.log;
    if reading.log.is_some_and(|last| last > log) {
        return Err(StoreError::Damaged(vec![Finding::Log]));
    }
    let page: i64 =
        reading.connection.query_row("PRAGMA page_size", (), |row| row.get(0)).map_err(failed())?;
    let mut target = Connection::open(to).map_err(failed())?;
    {
        let backup = Backup::new(&reading.connection, &mut target).map_err(failed())?;
        loop {
            let step = backup.step(STEP).map_err(failed())?;
            let pages = backup.progress();
            let [all, left] = [pages.pagecount, pages.remaining].map(|own| i64::from(own) * page);
            progress((all - left) as u64, all as u64);
            match step {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                _ => {}
            }
        }
    }
    then(&mut target).map_err(failed())?;
    target.close().map_err(|(_, error)| failed()(error))?;
    Ok(log)
}

fn aside(to: &Path) -> PathBuf {
    let mut name = OsString::from(to);
    name.push(".partial");
    name.into()
}
