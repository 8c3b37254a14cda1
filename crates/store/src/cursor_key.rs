//! What cursors are authenticated with, kept beside the records: one that was given is good after a
//! restart, too.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

const FILE: &str = "cursors.key";
/// What it is called while it is written.
const FRESH: &str = "cursors.key.new";
const BYTES: usize = 16;

/// The key of a store; made where there is none and it `may_write`. Nothing where it cannot be
/// kept: cursors are refused after a restart then.
pub(crate) fn of(folder: &Path, may_write: bool) -> Option<[u8; BYTES]> {
    let path = folder.join(FILE);
    match read(&path) {
        Ok(key) => Some(key),
        Err(error) if may_write && is_none(&error) => make(folder).ok(),
        Err(_) => None,
    }
}

fn read(path: &Path) -> io::Result<[u8; BYTES]> {
    let mut key = [0; BYTES];
    File::open(path)?.read_exact(&mut key)?;
    Ok(key)
}

/// Whether there is no key, or one that was cut when it was made.
fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

/// Whoever may read the file may make cursors, so it is its owner's alone.
fn make(folder: &Path) -> io::Result<[u8; BYTES]> {
    let mut key = [0; BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let fresh = folder.join(FRESH);
    let mut file = options.open(&fresh)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(fresh, folder.join(FILE))?;
    Ok(key)
}
