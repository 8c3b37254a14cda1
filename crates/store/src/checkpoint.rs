//! The engine's index beside the records, so that opening need not make it anew.
//!
//! It is no more than a copy: what it says is held against the records, and where it is missing,
//! old or bad the records alone count. docs/format.md tells of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use getcases::{Engine, RestoredCheckpointPart, Scope, Snapshot};
use rayon::ThreadPool;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::disk::Account;
use crate::lock;
use crate::record::Digest;

const FILE: &str = "index.checkpoint";
/// What it is called while it is written.
const FRESH: &str = "index.checkpoint.new";
/// How it ends.
const MAGIC: [u8; 8] = *b"gcindex\n";
/// The form of what surrounds the parts.
const FORM: u32 = 1;
/// The table's length and checksum, both forms, and the magic number.
const FOOTER: u64 = 8 + 16 + 4 + 4 + 8;
const BUFFER: usize = 1 << 20;

/// What stands before the footer: whose parts follow one another from the beginning of the file.
#[derive(Serialize, Deserialize)]
struct Table {
    /// The version of the library that wrote it.
    version: String,
    scopes: Vec<Kept>,
}

/// What is kept of a scope.
#[derive(Serialize, Deserialize)]
struct Kept {
    account: String,
    stream: String,
    generation: u64,
    cases: u64,
    digest: Digest,
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Part {
    length: u64,
    checksum: Digest,
}

/// What was restored of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    /// All that there is.
    Everything,
    /// What there was when it was written: records have changed since.
    Older,
}

/// Takes a checkpoint away: it is of something that is no more.
pub(crate) fn remove(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(FILE));
}

/// Writes what scopes hold, each with its account, beside the file that is there, and puts it in
/// its place once it is on the disk. Cost: a few hundred bytes a case.
pub(crate) fn write(folder: &Path, scopes: &[(Snapshot, Account)]) -> io::Result<()> {
    let fresh = folder.join(FRESH);
    let written = write_file(&fresh, scopes).and_then(|()| {
        std::fs::rename(&fresh, folder.join(FILE))?;
        lock::sync_folder(folder).map_err(io::Error::other)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    written
}

fn write_file(path: &Path, scopes: &[(Snapshot, Account)]) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, File::create(path)?);
    let mut table = Table { version: version(), scopes: Vec::with_capacity(scopes.len()) };
    let mut bytes = Vec::new();
    for (snapshot, account) in scopes {
        let mut parts = Vec::new();
        for part in snapshot.checkpoint() {
            bytes.clear();
            bytes = postcard::to_extend(&part, bytes).map_err(io::Error::other)?;
            out.write_all(&bytes)?;
            parts.push(Part { length: bytes.len() as u64, checksum: xxh3_128(&bytes) });
        }
        table.scopes.push(Kept {
            account: snapshot.scope().account().to_owned(),
            stream: snapshot.scope().stream().to_owned(),
            generation: account.generation,
            cases: account.cases,
            digest: account.digest,
            parts,
        });
    }
    let table = postcard::to_allocvec(&table).map_err(io::Error::other)?;
    out.write_all(&table)?;
    out.write_all(&(table.len() as u64).to_le_bytes())?;
    out.write_all(&xxh3_128(&table).to_le_bytes())?;
    out.write_all(&FORM.to_le_bytes())?;
    out.write_all(&Engine::CHECKPOINT_FORM.to_le_bytes())?;
    out.write_all(&MAGIC)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// A checkpoint that was found, none of its parts read yet.
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    table: Table,
}

impl Checkpoint {
    /// Looks for the checkpoint of a folder. Nothing is read before its length is known to be that
    /// of what it tells of.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub(crate) fn find(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let table = read_table(&file, &path)?;
        Ok(Some(Self { path, file, table }))
    }

    /// Whether an engine with this, where scopes are told by their accounts, would have all that
    /// there is; nothing where it is not of an earlier state of the same scopes.
    fn state(&self, accounts: &BTreeMap<Scope, Account>) -> Option<Restored> {
        let mut state = Restored::Everything;
        for own in &self.table.scopes {
            let account = accounts.get(&own.scope())?;
            let is_same = (own.generation, own.cases, own.digest)
                == (account.generation, account.cases, account.digest);
            if own.generation > account.generation
                || own.generation == account.generation && !is_same
            {
                return None;
            }
            if !is_same {
                state = Restored::Older;
            }
        }
        let has_all = self.table.scopes.len() == accounts.len();
        Some(if has_all { state } else { Restored::Older })
    }

    /// Puts its scopes into an engine that has none. Parts are read by all threads.
    ///
    /// # Errors
    /// Why they cannot be, in words; some scopes may be there then.
    pub(crate) fn restore(
        &self,
        accounts: &BTreeMap<Scope, Account>,
        engine: &Engine,
        pool: &ThreadPool,
    ) -> Result<Restored, String> {
        let state = self.state(accounts).ok_or("it is not of this store")?;
        let mut at = 0;
        let starts: Vec<u64> = (self.table.scopes.iter())
            .map(|own| {
                let start = at;
                at += own.parts.iter().map(|part| part.length).sum::<u64>();
                start
            })
            .collect();
        pool.install(|| {
            let scopes = self.table.scopes.par_iter().zip(starts);
            scopes.try_for_each(|(own, start)| {
                let parts = self.parts(own, start)?;
                let restored = engine.restore(&own.scope(), own.generation, parts);
                restored.map_err(|error| error.to_string())
            })
        })?;
        Ok(state)
    }

    fn parts(&self, own: &Kept, mut at: u64) -> Result<Vec<RestoredCheckpointPart>, String> {
        let places: Vec<_> = (own.parts.iter())
            .map(|part| {
                let start = at;
                at += part.length;
                (start, part)
            })
            .collect();
        let read = |(start, part): (u64, &Part)| {
            let mut bytes = vec![0; part.length as usize];
            read_at(&self.file, &self.path, start, &mut bytes)
                .map_err(|error| error.to_string())?;
            if xxh3_128(&bytes) != part.checksum {
                return Err("it is not what its checksum is of".to_owned());
            }
            postcard::from_bytes(&bytes).map_err(|error| error.to_string())
        };
        places.into_par_iter().map(read).collect()
    }
}

impl Kept {
    fn scope(&self) -> Scope {
        Scope::new(&self.account, &self.stream)
    }
}

fn read_table(file: &File, path: &Path) -> Result<Table, String> {
    let told = |error: io::Error| error.to_string();
    let all = file.metadata().map_err(told)?.len();
    let end = all.checked_sub(FOOTER).ok_or("it is too short")?;
    let mut footer = [0; FOOTER as usize];
    read_at(file, path, end, &mut footer).map_err(told)?;
    let (length, rest) = footer.split_first_chunk::<8>().ok_or("it is too short")?;
    let (checksum, rest) = rest.split_first_chunk::<16>().ok_or("it is too short")?;
    let forms = [FORM, Engine::CHECKPOINT_FORM].map(u32::to_le_bytes).concat();
    if rest != [&forms[..], &MAGIC].concat() {
        return Err("another version wrote it, or it was cut".to_owned());
    }
    let length = u64::from_le_bytes(*length);
    let start = end.checked_sub(length).ok_or("it is cut")?;
    let mut bytes = vec![0; length as usize];
    read_at(file, path, start, &mut bytes).map_err(told)?;
    if xxh3_128(&bytes) != u128::from_le_bytes(*checksum) {
        return Err("its table is not what was written".to_owned());
    }
    let table: Table = postcard::from_bytes(&bytes).map_err(|error| error.to_string())?;
    if table.version != version() {
        return Err(format!("version {} wrote it", table.version));
    }
    let lengths = table.scopes.iter().flat_map(|own| &own.parts).map(|part| part.length);
    let parts = lengths.fold(0_u64, u64::saturating_add);
    if parts != start {
        return Err(format!("its parts have {start} bytes, and {parts} were written"));
    }
    Ok(table)
}

/// Reads from a place on; several threads may at once.
#[cfg(unix)]
fn read_at(file: &File, _: &Path, start: u64, into: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, start)
}

/// As above, by an opening of its own.
#[cfg(not(unix))]
fn read_at(_: &File, path: &Path, start: u64, into: &mut [u8]) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(into)
}
