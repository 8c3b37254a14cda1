//! One process writes: a file in the store's folder is locked by it, and tells which write-ahead
//! log was the last one, so that one which is gone is missed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::{Finding, StoreError};

/// The file.
pub(crate) const LOCK: &str = "store.lock";

/// The lock of a folder, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Locks a folder, and tells the number of its last log; nothing where it was no store.
    pub(crate) fn take(folder: &Path) -> Result<(Self, Option<u64>), StoreError> {
        let path = folder.join(LOCK);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(StoreError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { folder: folder.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", &path)(error)),
        }
        let log = read(&mut file).map_err(StoreError::io("read", &path))?;
        Ok((Self { file }, log))
    }

    /// The number of a folder's last log, without a lock; nothing where the file is not there or
    /// not to be read.
    ///
    /// # Errors
    /// Where its text is not what was written.
    pub(crate) fn look(folder: &Path) -> Result<Option<u64>, StoreError> {
        let Ok(mut file) = File::open(folder.join(LOCK)) else { return Ok(None) };
        read(&mut file).map_err(|error| {
            StoreError::Damaged(vec![Finding::Store { what: format!("{LOCK}: {error}") }])
        })
    }

    /// Notes that a log was begun; on the disk when this returns.
    pub(crate) fn note(&mut self, log: u64) -> std::io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(text(log).as_bytes())?;
        self.file.sync_all()
    }
}

/// A file that is open, by where it stands: what is written into one without a name is lost.
#[derive(Debug)]
pub(crate) struct Pinned {
    path: PathBuf,
    which: Which,
}

/// A device, and a file on it.
type Which = (u64, u64);

impl Pinned {
    /// A file that is there now.
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        let path = path.canonicalize()?;
        Ok(Self { which: which(&path)?, path })
    }

    /// Whether it still is, and no other in its place.
    pub(crate) fn is_in_place(&self) -> bool {
        which(&self.path).is_ok_and(|own| own == self.which)
    }
}

#[cfg(unix)]
fn which(path: &Path) -> std::io::Result<Which> {
    use std::os::unix::fs::MetadataExt;

    let own = std::fs::metadata(path)?;
    Ok((own.dev(), own.ino()))
}

/// Where a file that is open keeps its name.
#[cfg(not(unix))]
fn which(path: &Path) -> std::io::Result<Which> {
    std::fs::metadata(path).map(|_| (0, 0))
}

/// Notes the last log of a store that nobody uses.
pub(crate) fn note(folder: &Path, log: u64) -> std::io::Result<()> {
    let mut file = File::create(folder.join(LOCK))?;
    file.write_all(text(log).as_bytes())?;
    file.sync_all()
}

/// Always of one length: one takes the place of the other within a sector.
fn text(log: u64) -> String {
    format!("getcases store, log {log:020}\n")
}

fn read(file: &mut File) -> std::io::Result<Option<u64>> {
    let mut own = String::new();
    file.rewind()?;
    file.take(64).read_to_string(&mut own)?;
    if own.is_empty() {
        return Ok(None);
    }
    let number = own.trim_end().rsplit(' ').next().and_then(|own| own.parse().ok());
    let log = number.filter(|log| own == text(*log));
    log.map(Some).ok_or_else(|| std::io::Error::other("its text is not what was written"))
}

/// Has the names in a folder kept.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(StoreError::io("sync", folder))?;
    }
    Ok(())
}
