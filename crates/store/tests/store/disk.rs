//! A disk in memory that fails when it is told to, and keeps after a power cut whatever a real one
//! may: what was synced, and of the rest any part.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::model::below;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Io,
    Sync,
    Full,
}

/// What goes wrong at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power is cut: this call and all after it fail.
    Cut,
    /// The call fails, once.
    Io,
    /// The next sync fails; what it was to sync may be lost, and the next sync says nothing of it.
    Sync,
    /// No write finds room, from this call on.
    Full,
    /// Half of a write is done.
    Short,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What a reader sees.
    seen: Vec<u8>,
    /// What a power cut leaves at least; nothing of a file that was never synced.
    kept: Option<Vec<u8>>,
    /// What was changed since.
    pending: Vec<Change>,
}

struct State {
    files: BTreeMap<String, File>,
    /// Files that were deleted, and may come back.
    deleted: BTreeMap<String, File>,
    calls: u64,
    /// At which call what goes wrong.
    fault: Option<(u64, Fault)>,
    is_cut: bool,
    is_full: bool,
    fails_sync: bool,
    /// Whether something went wrong.
    has_failed: bool,
    random: ChaCha8Rng,
    /// At which calls what is on it is kept, and what was, in their order.
    recorded: Range<u64>,
    images: Vec<Image>,
    /// What an image tells besides.
    acknowledged: u64,
}

/// The disk.
pub(crate) struct Disk(Mutex<State>);

impl Disk {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            files: BTreeMap::new(),
            deleted: BTreeMap::new(),
            calls: 0,
            fault: None,
            is_cut: false,
            is_full: false,
            fails_sync: false,
            has_failed: false,
            random: ChaCha8Rng::seed_from_u64(0),
            recorded: 0..0,
            images: Vec::new(),
            acknowledged: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins anew with nothing on it.
    pub(crate) fn clear(&self, seed: u64) {
        let mut state = self.state();
        state.files.clear();
        state.deleted.clear();
        state.random = ChaCha8Rng::seed_from_u64(seed);
        drop(state);
        self.arm(None);
    }

    /// Counts calls anew, and has one of them go wrong.
    pub(crate) fn arm(&self, fault: Option<(u64, Fault)>) {
        let mut state = self.state();
        (state.calls, state.fault) = (0, fault);
        (state.is_cut, state.is_full, state.fails_sync) = (false, false, false);
        state.has_failed = false;
    }

    /// How many calls there were, and whether one has gone wrong.
    pub(crate) fn calls(&self) -> (u64, bool) {
        let state = self.state();
        (state.calls, state.has_failed)
    }

    /// Everything that is on it.
    pub(crate) fn image(&self) -> Image {
        self.state().image()
    }

    pub(crate) fn restore(&self, image: &Image) {
        let mut state = self.state();
        (state.files, state.deleted) = (image.files.clone(), image.deleted.clone());
    }

    /// Keeps what is on it before each of some calls: what a cut at that call leaves, whatever
    /// becomes of the calls behind it.
    pub(crate) fn record(&self, calls: Range<u64>) {
        let mut state = self.state();
        (state.recorded, state.acknowledged) = (calls, 0);
    }

    /// What was kept, in the order of the calls.
    pub(crate) fn recorded(&self) -> Vec<Image> {
        let mut state = self.state();
        state.recorded = 0..0;
        std::mem::take(&mut state.images)
    }

    /// Hears how many batches were acknowledged by now.
    pub(crate) fn acknowledge(&self, batches: u64) {
        self.state().acknowledged = batches;
    }

    /// What the power leaves: of each change since the last sync all, nothing or some sectors.
    pub(crate) fn cut(&self, seed: u64) {
        let mut state = self.state();
        let random = &mut ChaCha8Rng::seed_from_u64(seed);
        let sector = [512, 4096][below(random, 2) as usize];
        let deleted = std::mem::take(&mut state.deleted);
        for (name, file) in deleted {
            if below(random, 2) == 0 {
                state.files.entry(name).or_insert(file);
            }
        }
        let files = std::mem::take(&mut state.files);
        for (name, file) in files {
            let is_known = file.kept.is_some() || below(random, 2) == 0;
            if !is_known {
                continue;
            }
            let mut bytes = file.kept.unwrap_or_default();
            // Whether all goes the same way, as it mostly does, or each change its own.
            let way = below(random, 4);
            for change in file.pending {
                apply_some(&mut bytes, &change, sector, way, random);
            }
            let kept = Some(bytes.clone());
            state.files.insert(name, File { seen: bytes, kept, pending: Vec::new() });
        }
    }

    pub(crate) fn passing_name(&self) -> String {
        format!("passing {}", self.state().random.next_u64())
    }

    pub(crate) fn random(&self, out: &mut [u8]) {
        self.state().random.fill_bytes(out);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.state().files.contains_key(name)
    }

    pub(crate) fn size(&self, name: &str) -> usize {
        self.state().files.get(name).map_or(0, |file| file.seen.len())
    }

    pub(crate) fn open(&self, name: &str, creates: bool) -> Result<(), Failure> {
        let mut state = self.state();
        if state.files.contains_key(name) {
            return Ok(());
        }
        state.call()?;
        if !creates {
            return Err(Failure::Io);
        }
        state.files.insert(name.to_owned(), File::default());
        Ok(())
    }

    pub(crate) fn delete(&self, name: &str, is_synced: bool) -> Result<bool, Failure> {
        let mut state = self.state();
        state.call()?;
        let Some(file) = state.files.remove(name) else { return Ok(false) };
        if !is_synced {
            state.deleted.insert(name.to_owned(), file);
        }
        Ok(true)
    }

    /// Reads; says whether there was as much.
    pub(crate) fn read(&self, name: &str, at: usize, to: &mut [u8]) -> Result<bool, Failure> {
        let state = self.state();
        let file = state.files.get(name).ok_or(Failure::Io)?;
        if state.is_cut {
            return Err(Failure::Io);
        }
        to.fill(0);
        let there = file.seen.get(at..).unwrap_or_default();
        let count = there.len().min(to.len());
        to[..count].copy_from_slice(&there[..count]);
        Ok(count == to.len())
    }

    pub(crate) fn write(&self, name: &str, at: usize, from: &[u8]) -> Result<(), Failure> {
        let mut state = self.state();
        let called = state.call();
        if state.is_full {
            return Err(Failure::Full);
        }
        let count = match called {
            Ok(Some(Fault::Short)) => from.len() / 2,
            Ok(_) => from.len(),
            Err(failure) => return Err(failure),
        };
        let file = state.files.get_mut(name).ok_or(Failure::Io)?;
        file.change(Change::Write(at, from[..count].to_vec()));
        if count < from.len() { Err(Failure::Full) } else { Ok(()) }
    }

    pub(crate) fn truncate(&self, name: &str, size: usize) -> Result<(), Failure> {
        let mut state = self.state();
        state.call()?;
        let file = state.files.get_mut(name).ok_or(Failure::Io)?;
        file.change(Change::Truncate(size));
        Ok(())
    }

    pub(crate) fn sync(&self, name: &str) -> Result<(), Failure> {
        let mut state = self.state();
        state.call()?;
        let fails = std::mem::take(&mut state.fails_sync);
        let State { files, random, deleted, .. } = &mut *state;
        let file = files.get_mut(name).ok_or(Failure::Io)?;
        if file.kept.is_none() && (name.ends_with("-wal") || name.ends_with("-journal")) {
            // SQLite's layer over Unix syncs the folder of a new log or journal with it.
            deleted.clear();
        }
        let mut kept = file.kept.take().unwrap_or_default();
        for change in std::mem::take(&mut file.pending) {
            match fails {
                false => apply(&mut kept, &change),
                true => apply_some(&mut kept, &change, 4096, 3, random),
            }
        }
        file.kept = Some(kept);
        if fails { Err(Failure::Sync) } else { Ok(()) }
    }
}

/// What was on a disk.
pub(crate) struct Image {
    files: BTreeMap<String, File>,
    deleted: BTreeMap<String, File>,
    /// How many batches were acknowledged by then.
    pub(crate) acknowledged: u64,
}

impl State {
    fn image(&self) -> Image {
        let (files, deleted) = (self.files.clone(), self.deleted.clone());
        Image { files, deleted, acknowledged: self.acknowledged }
    }

    /// Counts a call that changes something; gives what goes wrong with it, where it goes on.
    fn call(&mut self) -> Result<Option<Fault>, Failure> {
        self.calls += 1;
        if self.recorded.contains(&self.calls) {
            self.images.push(self.image());
        }
        if self.is_cut {
            return Err(Failure::Io);
        }
        let fault = self.fault.filter(|(at, _)| *at == self.calls).map(|(_, fault)| fault);
        self.has_failed |= fault.is_some();
        match fault {
            Some(Fault::Cut) => {
                self.is_cut = true;
                Err(Failure::Io)
            }
            Some(Fault::Io) => Err(Failure::Io),
            Some(Fault::Full) => {
                self.is_full = true;
                Ok(fault)
            }
            Some(Fault::Sync) => {
                self.fails_sync = true;
                Ok(fault)
            }
            fault => Ok(fault),
        }
    }
}

impl File {
    fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.pending.push(change);
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Truncate(size) => bytes.resize(*size, 0),
        Change::Write(at, from) => {
            let end = at + from.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(from);
        }
    }
}

/// Applies a change wholly, not at all, or some of its sectors.
fn apply_some(
    bytes: &mut Vec<u8>,
    change: &Change,
    sector: usize,
    way: u64,
    random: &mut ChaCha8Rng,
) {
    let is_torn = match (way, below(random, 3)) {
        (0, _) => return,
        (1, _) | (_, 0) => return apply(bytes, change),
        (_, 1) => return,
        _ => true,
    };
    let Change::Write(at, from) = change else { return };
    debug_assert!(is_torn);
    let mut start = 0;
    while start < from.len() {
        // Sectors are those of the disk, wherever a write begins.
        let end = (start + sector - (at + start) % sector).min(from.len());
        if below(random, 2) == 0 {
            apply(bytes, &Change::Write(at + start, from[start..end].to_vec()));
        }
        start = end;
    }
}
