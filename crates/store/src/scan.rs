//! Every record read and held against its checksum, and every scope against its count and digest;
//! where an engine is given, its cases are put there. Records are read by one thread and parsed by
//! all, some ahead of what is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use getcases::{Batch, Case, Engine, Scope, Snapshot};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::disk::Account;
use crate::error::{Finding, StoreError, database, is_corrupt};
use crate::options::Options;
use crate::record::{self, Checksums, Digest};

/// How many records are handed on together, and how many bytes of them.
const BLOCK: usize = 4096;
const BLOCK_BYTES: usize = 8 << 20;
/// How many blocks may wait.
const AHEAD: usize = 2;
/// How many cases are put into the engine at a time, and how many bytes of them.
const BATCH: usize = 1 << 16;
const BATCH_BYTES: usize = 64 << 20;
/// After how many findings no more records are told of.
const MOST: usize = 1000;
/// How many errors SQLite tells of.
const CHECKED: usize = 100;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) accounts: BTreeMap<Scope, Account>,
    pub(crate) dropped: u64,
    /// The number of the write-ahead log that was begun last.
    pub(crate) log: u64,
    pub(crate) cases: u64,
    pub(crate) findings: Vec<Finding>,
}

impl Found {
    /// How many cases scopes have, as their rows tell it.
    pub(crate) fn cases_told(&self) -> u64 {
        self.accounts.values().map(|own| own.cases).sum()
    }
}

/// Records as they were read.
#[derive(Default)]
struct Block {
    /// Ids and documents one after the other.
    bytes: Vec<u8>,
    records: Vec<Raw>,
    findings: Vec<Finding>,
}

struct Raw {
    row: i64,
    scope: i64,
    version: i64,
    checksum: Option<Digest>,
    /// Where its id begins, its document, and where that ends.
    at: [usize; 3],
}

/// A record that was held against its checksum.
struct Judged {
    scope: i64,
    checksum: Digest,
    row: i64,
    /// Nothing where the engine has it.
    case: Result<Option<Box<Case>>, Finding>,
}

/// The scopes of a store by their numbers.
type Scopes = HashMap<i64, KnownScope>;

struct KnownScope {
    scope: Scope,
    generation: u64,
    /// What a checkpoint has of it.
    restored: Option<Snapshot>,
}

/// What is done with records that are whole.
#[derive(Clone, Copy)]
pub(crate) enum Into<'e> {
    /// They are only held against what was written.
    Nothing,
    /// They are put into an engine, less those that it has from a checkpoint.
    Engine(&'e Engine),
    /// The engine must have them all, from a checkpoint; given up once it is told so.
    Same(&'e Engine, &'e AtomicBool),
}

impl Into<'_> {
    fn engine(&self) -> Option<&Engine> {
        match self {
            Self::Nothing => None,
            Self::Engine(engine) | Self::Same(engine, _) => Some(engine),
        }
    }

    fn is_given_up(&self) -> bool {
        matches!(self, Self::Same(_, flag) if flag.load(Ordering::Relaxed))
    }
}

/// Asks SQLite what it thinks of its own structures.
pub(crate) fn check_database(connection: &Connection) -> Vec<Finding> {
    let ask = || {
        let text = format!("PRAGMA integrity_check({CHECKED})");
        let mut asked = connection.prepare(&text)?;
        let lines = asked.query_map((), |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    };
    let lines = match ask() {
        Ok(lines) => lines,
        Err(error) => vec![error.to_string()],
    };
    let wrong = lines.into_iter().filter(|line| line != "ok");
    wrong.map(|what| Finding::Database { what }).collect()
}

/// Reads the store's own row and those of its scopes.
pub(crate) fn read_accounts(connection: &Connection) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    let mut all = connection.prepare(
        "SELECT number, account, stream, cases, digest, generation, checksum FROM scopes",
    )?;
    let mut rows = all.query(())?;
    while let Some(row) = rows.next()? {
        let scope = Scope::new(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?);
        let [digest, sum] = [4, 6].map(|at| {
            row.get_ref(at).ok().and_then(|own| own.as_blob().ok()).and_then(record::from_bytes)
        });
        let account = Account {
            number: row.get(0)?,
            cases: row.get::<_, i64>(3)? as u64,
            digest: digest.unwrap_or(0),
            generation: row.get::<_, i64>(5)? as u64,
        };
        let Account { number, cases, digest, generation } = account;
        if sum != Some(record::scope_row(&scope, number, cases, digest, generation)) {
            let what = "its row is not what was written".to_owned();
            found.findings.push(Finding::Scope { scope: scope.clone(), what });
        }
        if found.accounts.insert(scope.clone(), account).is_some() {
            found.findings.push(Finding::Scope { scope, what: "it is there twice".to_owned() });
        }
    }
    let text = "SELECT scopes, dropped, log, checksum FROM store";
    let (own, sum) = connection.query_row(text, (), |row| {
        let sum = row.get_ref(3)?.as_blob().ok().and_then(record::from_bytes);
        let own = [row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?];
        Ok((own.map(|own| own as u64), sum))
    })?;
    let [scopes, dropped, log] = own;
    (found.dropped, found.log) = (dropped, log);
    let there = found.accounts.len() as u64;
    if sum != Some(record::store_row(scopes, dropped, log)) {
        let what = "its row is not what was written".to_owned();
        found.findings.push(Finding::Store { what });
    } else if scopes != there {
        let what = format!("{there} scopes are there, and {scopes} were written");
        found.findings.push(Finding::Store { what });
    }
    Ok(found)
}

/// Threads that share what is done with blocks of records.
pub(crate) fn pool() -> Result<ThreadPool, StoreError> {
    let pool = ThreadPoolBuilder::new().thread_name(|at| format!("getcases-store-{at}")).build();
    pool.map_err(|error| StoreError::Database {
        doing: "start threads",
        message: error.to_string().into(),
    })
}

/// Reads every record, and does with the whole ones what is asked.
pub(crate) fn scan(
    connection: &mut Connection,
    into: Into<'_>,
    options: &Options,
) -> Result<Found, StoreError> {
    let mut found = match read_accounts(connection) {
        Ok(found) => found,
        Err(error) if is_corrupt(&error) => {
            let what = error.to_string();
            return Ok(Found { findings: vec![Finding::Database { what }], ..Found::default() });
        }
        Err(error) => return Err(database("read the scopes")(error)),
    };
    let known = |(scope, own): (&Scope, &Account)| {
        let restored = into.engine().map(|engine| engine.snapshot(scope));
        let restored = restored.filter(|restored| !restored.is_empty());
        (own.number, KnownScope { scope: scope.clone(), generation: own.generation, restored })
    };
    let scopes: Scopes = found.accounts.iter().map(known).collect();
    let pool = pool()?;
    let (send_block, blocks) = sync_channel(AHEAD);
    let (send_judged, judged) = sync_channel(AHEAD);
    let sums = std::thread::scope(|threads| {
        let reading = &mut *connection;
        let reader = threads.spawn(move || read(reading, into, &send_block));
        let (pool, scopes) = (&pool, &scopes);
        threads.spawn(move || judge(pool, scopes, blocks, &send_judged));
        let sums = take(judged, scopes, into, &mut found, options);
        match reader.join() {
            Ok(read) => read.and(sums),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    if into.is_given_up() {
        return Ok(found);
    }
    compare(&mut found, &sums);
    if found.findings.is_empty() {
        take_out_others(connection, &scopes, into, &mut found)?;
    }
    Ok(found)
}

/// Takes out of the engine what a checkpoint has and the store has no more.
fn take_out_others(
    connection: &Connection,
    scopes: &Scopes,
    into: Into<'_>,
    found: &mut Found,
) -> Result<(), StoreError> {
    for (number, KnownScope { scope, .. }) in scopes {
        let Some(engine) = into.engine() else { return Ok(()) };
        let there = engine.snapshot(scope);
        let kept = found.accounts.get(scope).map_or(0, |own| own.cases);
        if there.len() as u64 == kept {
            continue;
        }
        if let Into::Same(..) = into {
            found.findings.push(Finding::Checkpoint { scope: scope.clone() });
            continue;
        }
        let ids = || -> rusqlite::Result<HashSet<String>> {
            let mut ids = connection.prepare("SELECT _id FROM cases WHERE scope = ?")?;
            ids.query_map([number], |row| row.get(0))?.collect()
        };
        let ids = ids().map_err(database("read the records"))?;
        let mut batch = Batch::new();
        let others = there.documents().filter(|own| !ids.contains(own.id()));
        others.for_each(|own| batch.delete(scope, own.id()));
        engine.commit(batch)?;
    }
    Ok(())
}

/// Reads blocks of records in the order of their rows, until nobody wants more.
fn read(
    connection: &mut Connection,
    into: Into<'_>,
    send: &SyncSender<Block>,
) -> Result<(), StoreError> {
    let mut block = Block::default();
    let mut walk = || {
        let mut all = connection.prepare(
            "SELECT rowid, scope, _id, version, checksum, document FROM cases ORDER BY rowid",
        )?;
        let mut rows = all.query(())?;
        while let Some(row) = rows.next()? {
            block.add(row)?;
            if block.records.len() >= BLOCK || block.bytes.len() >= BLOCK_BYTES {
                let full = std::mem::take(&mut block);
                if send.send(full).is_err() || into.is_given_up() {
                    return Ok(());
                }
            }
        }
        Ok(())
    };
    match walk() {
        Ok(()) => {}
        Err(error) if is_corrupt(&error) => {
            block.findings.push(Finding::Database { what: error.to_string() });
        }
        Err(error) => return Err(database("read the records")(error)),
    }
    // Where nobody takes it an error is on its way.
    let _ = send.send(block);
    Ok(())
}

impl Block {
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let number: i64 = row.get(0)?;
        let start = self.bytes.len();
        let mut text = |at| match row.get_ref(at) {
            Ok(ValueRef::Text(text)) => {
                self.bytes.extend_from_slice(text);
                Some(self.bytes.len())
            }
            _ => None,
        };
        let (middle, end) = (text(2), text(5));
        let (scope, version) = (row.get(1), row.get(3));
        match (middle, end, scope, version) {
            (Some(middle), Some(end), Ok(scope), Ok(version)) => {
                let checksum = row.get_ref(4)?.as_blob().ok().and_then(record::from_bytes);
                let at = [start, middle, end];
                self.records.push(Raw { row: number, scope, version, checksum, at });
            }
            _ => {
                let id = String::from_utf8_lossy(&self.bytes[start..middle.unwrap_or(start)]);
                let what = "its values are of other types than were written".to_owned();
                let finding =
                    Finding::Record { row: number, scope: None, id: id.into_owned(), what };
                self.bytes.truncate(start);
                self.findings.push(finding);
            }
        }
        Ok(())
    }
}

/// Holds records against their checksums, and parses those that are whole.
fn judge(
    pool: &ThreadPool,
    scopes: &Scopes,
    blocks: Receiver<Block>,
    send: &SyncSender<(Vec<Judged>, Vec<Finding>)>,
) {
    for Block { bytes, records, findings } in blocks {
        let judged = pool.install(|| {
            let chunks = records.par_chunks(256);
            let judged = chunks.flat_map_iter(|some| {
                let mut checksums: Option<(i64, Checksums)> = None;
                let judged: Vec<_> = some
                    .iter()
                    .map(|raw| {
                        if checksums.as_ref().is_none_or(|(scope, _)| *scope != raw.scope) {
                            let known = scopes.get(&raw.scope);
                            checksums = known.map(|own| (raw.scope, Checksums::of(&own.scope)));
                        }
                        let own = checksums.as_mut().map(|(_, own)| own);
                        judge_record(raw, &bytes, scopes, own)
                    })
                    .collect();
                judged
            });
            judged.collect()
        });
        if send.send((judged, findings)).is_err() {
            return;
        }
    }
}

fn judge_record(
    raw: &Raw,
    bytes: &[u8],
    scopes: &Scopes,
    checksums: Option<&mut Checksums>,
) -> Judged {
    let [start, middle, end] = raw.at;
    let (id, document) = (&bytes[start..middle], &bytes[middle..end]);
    let case = whole(raw, id, document, scopes, checksums).map_err(|what| Finding::Record {
        row: raw.row,
        scope: scopes.get(&raw.scope).map(|own| own.scope.clone()),
        id: String::from_utf8_lossy(id).into_owned(),
        what,
    });
    Judged { scope: raw.scope, checksum: raw.checksum.unwrap_or(0), row: raw.row, case }
}

/// The case of a record, where the engine has it not, or what is wrong with it.
fn whole(
    raw: &Raw,
    id: &[u8],
    document: &[u8],
    scopes: &Scopes,
    checksums: Option<&mut Checksums>,
) -> Result<Option<Box<Case>>, String> {
    let (Some(known), Some(checksums)) = (scopes.get(&raw.scope), checksums) else {
        return Err(format!("there is no scope {}", raw.scope));
    };
    let id = std::str::from_utf8(id).map_err(|_| "its _id is no UTF-8".to_owned())?;
    let text = std::str::from_utf8(document).map_err(|_| "it is no UTF-8".to_owned())?;
    let fingerprint = record::fingerprint(text);
    let sum = checksums.record(id, raw.version as u64, text.len(), fingerprint);
    if raw.checksum != Some(sum) {
        return Err("it is not what its checksum is of".to_owned());
    }
    if raw.version as u64 > known.generation {
        return Err(format!("its version {} is later than its scope's", raw.version));
    }
    let restored = known.restored.as_ref().and_then(|restored| restored.get(id));
    if restored.is_some_and(|own| own.json() == text) {
        return Ok(None);
    }
    let case = Case::from_json(document).map_err(|refusal| refusal.to_string())?;
    if case.id() != id {
        return Err("its document has another _id".to_owned());
    }
    Ok(Some(Box::new(case)))
}

/// How many records each scope has, and their sum.
type Sums = HashMap<i64, (u64, Digest)>;

/// Counts records, and puts their cases into the engine.
fn take(
    judged: Receiver<(Vec<Judged>, Vec<Finding>)>,
    scopes: &Scopes,
    into: Into<'_>,
    found: &mut Found,
    options: &Options,
) -> Result<Sums, StoreError> {
    let all = found.cases_told();
    let has_restored = scopes.values().any(|own| own.restored.is_some());
    let mut sums = Sums::new();
    let (mut batch, mut bytes) = (Batch::new(), 0);
    let put = |batch: &mut Batch<'static>, findings: &mut Vec<Finding>| {
        let full = std::mem::take(batch);
        let Into::Engine(engine) = into else { return Ok(()) };
        let written = engine.commit(full)?;
        if written.replaced > 0 && !has_restored {
            let what = format!("{} cases are there twice", written.replaced);
            findings.push(Finding::Database { what });
        }
        Ok::<_, StoreError>(())
    };
    for (records, findings) in judged {
        found.findings.extend(findings);
        for Judged { scope, checksum, row, case } in records {
            let sum = sums.entry(scope).or_default();
            *sum = (sum.0 + 1, sum.1.wrapping_add(checksum));
            found.cases += 1;
            let (case, name) = match (case, scopes.get(&scope)) {
                (Ok(Some(case)), Some(known)) => (case, &known.scope),
                (Err(finding), _) => {
                    if found.findings.len() < MOST {
                        found.findings.push(finding);
                    }
                    continue;
                }
                _ => continue,
            };
            match into {
                Into::Nothing => continue,
                Into::Engine(_) => {}
                Into::Same(..) => {
                    found.findings.push(Finding::Checkpoint { scope: name.clone() });
                    return Ok(sums);
                }
            }
            bytes += case.document().len();
            if let Err(refusal) = batch.upsert_case(name, *case) {
                let id = refusal.id().unwrap_or_default().to_owned();
                let (scope, what) = (Some(name.clone()), refusal.to_string());
                found.findings.push(Finding::Record { row, scope, id, what });
            }
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                put(&mut batch, &mut found.findings)?;
                bytes = 0;
            }
        }
        if !matches!(into, Into::Same(..)) {
            options.tell("records", found.cases, all);
        }
    }
    put(&mut batch, &mut found.findings)?;
    Ok(sums)
}

/// Holds what was found of each scope against what was written.
fn compare(found: &mut Found, sums: &Sums) {
    for (scope, own) in &found.accounts {
        let (count, digest) = sums.get(&own.number).copied().unwrap_or_default();
        let scope = || scope.clone();
        if count != own.cases {
            let (found_count, written) = (count, own.cases);
            found.findings.push(Finding::Count { scope: scope(), found: found_count, written });
        } else if digest != own.digest {
            found.findings.push(Finding::Digest { scope: scope() });
        }
    }
}
