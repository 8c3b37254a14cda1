//! Writing batches: entered into the engine by who brings them, and written and published by
//! whoever leads their group.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use getcases::{Batch, Engine, EnteredBatch, Scope, Snapshot, Written};
use rusqlite::wal::CheckpointMode;

use crate::applier::Applier;
use crate::disk::{Account, Disk, Records};
use crate::error::StoreError;
use crate::options::Options;
use crate::queue::{Queue, Tickets};

/// What only one writer does at a time, and who waits for it.
pub(crate) struct Writer {
    queue: Queue<Waiting, Result<Written, StoreError>>,
    /// Why writes have stopped.
    broken: Mutex<Option<StoreError>>,
    disk: Mutex<Option<Disk>>,
    /// From the first write on.
    applier: Mutex<Option<Applier>>,
    /// Held by batches from before they are entered until they are written: a scope is dropped
    /// between them.
    entering: RwLock<()>,
    group_changes: usize,
    /// Whether everything was held against what was written: nothing is written before.
    is_proved: Mutex<bool>,
    proved: Condvar,
}

/// A batch that waits.
struct Waiting {
    entered: EnteredBatch,
    records: Records,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub(crate) fn new(disk: Disk, options: &Options, is_proved: bool) -> Self {
        Self {
            queue: Queue::default(),
            broken: Mutex::default(),
            disk: Mutex::new(Some(disk)),
            applier: Mutex::default(),
            entering: RwLock::default(),
            group_changes: options.group_changes,
            is_proved: Mutex::new(is_proved),
            proved: Condvar::new(),
        }
    }

    /// Whether the store was proved to be whole, or is still being held against what was written.
    pub(crate) fn is_proved(&self) -> bool {
        *locked(&self.is_proved)
    }

    /// Tells what came of that: writes begin, or never do.
    pub(crate) fn tell_proved(&self, proved: Result<(), StoreError>) {
        if let Err(error) = proved {
            locked(&self.broken).get_or_insert(error);
        }
        *locked(&self.is_proved) = true;
        self.proved.notify_all();
    }

    /// Waits until the store was held against what was written, and says whether writes go on.
    pub(crate) fn wait_until_proved(&self) -> Result<(), StoreError> {
        let mut is_proved = locked(&self.is_proved);
        while !*is_proved {
            is_proved = self.proved.wait(is_proved).unwrap_or_else(PoisonError::into_inner);
        }
        drop(is_proved);
        self.check()
    }

    /// Writes a batch, and returns once it is on the disk and published.
    pub(crate) fn write(
        &self,
        engine: &Engine,
        batch: Batch<'static>,
    ) -> Result<Written, StoreError> {
        self.wait_until_proved()?;
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let _entering = self.entering.read().unwrap_or_else(PoisonError::into_inner);
        let records = Records::of(&batch);
        let entered = engine.enter(batch)?;
        self.queue.pass(Waiting { entered, records }, || self.lead(engine))
    }

    /// Whether writes go on.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &*locked(&self.broken) {
            Some(broken) => Err(broken.clone()),
            None => Ok(()),
        }
    }

    /// Stops writes, where the disk is why something was not done.
    fn note(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::Broken(_)) {
            locked(&self.broken).get_or_insert_with(|| error.clone());
        }
        error
    }

    /// Writes the batches that wait, as many as a group may have.
    fn lead(&self, engine: &Engine) {
        let mut changes = 0;
        let (group, tickets) = self.queue.take(|own| {
            changes += own.records.changes;
            changes <= self.group_changes
        });
        let own = group.into_iter().map(|own| (own.entered, own.records));
        let (entered, records): (Vec<_>, Vec<_>) = own.unzip();
        // Whoever waits is told, even where a leader panics.
        let mut group = Group { writer: self, tickets };
        let mut disk = locked(&self.disk);
        let done = self.check().and_then(|()| match disk.as_mut() {
            Some(disk) => self.commit(engine, disk, entered, &records),
            None => Err(StoreError::ReadOnly),
        });
        let is_full = matches!(done, Err(StoreError::DiskFull(_)));
        match done {
            Ok(written) => {
                let results = written.into_iter().map(|own| own.map_err(StoreError::from));
                group.tickets.tell(results);
            }
            Err(error) => {
                let error = self.note(error);
                group.tickets.tell(std::iter::repeat_with(|| Err(error.clone())));
            }
        }
        // Behind what was told: only those who come next wait for it. What the log takes may be all
        // the room that a full disk has.
        let copy = |disk: &mut Disk| match is_full {
            true => disk.checkpoint(CheckpointMode::TRUNCATE),
            false => disk.checkpoint_if_long(),
        };
        if self.check().is_ok()
            && let Some(Err(error)) = disk.as_mut().map(copy)
        {
            self.note(error);
        }
    }

    /// Writes batches to the disk and publishes them: all that have room, in their order, or none.
    /// They are applied while the disk is waited for.
    fn commit(
        &self,
        engine: &Engine,
        disk: &mut Disk,
        entered: Vec<EnteredBatch>,
        records: &[Records],
    ) -> Result<Vec<Result<Written, getcases::WriteError>>, StoreError> {
        engine.commit_after(entered, |prepared| {
            let each = records.iter().zip(prepared.refused());
            let fitting = each.filter_map(|(own, refused)| refused.is_none().then_some(own));
            let fitting: Vec<_> = fitting.collect();
            if fitting.is_empty() {
                return Ok(prepared.apply());
            }
            let mut applier = locked(&self.applier);
            let applier = applier.get_or_insert_with(Applier::new);
            applier.beside(prepared, || disk.write(fitting))
        })
    }

    /// Does something with the database while nobody writes.
    pub(crate) fn alone<T>(
        &self,
        work: impl FnOnce(&mut Disk) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.wait_until_proved()?;
        let _entering = self.entering.write().unwrap_or_else(PoisonError::into_inner);
        self.check()?;
        match locked(&self.disk).as_mut() {
            Some(disk) => work(disk).map_err(|error| self.note(error)),
            None => Err(StoreError::ReadOnly),
        }
    }

    /// What all scopes hold at one moment, each with its account.
    pub(crate) fn snapshots(
        &self,
        engine: &Engine,
    ) -> Result<Vec<(Snapshot, Account)>, StoreError> {
        self.alone(|disk| {
            let own = disk.accounts().iter();
            let snapshots = own.map(|(scope, own)| (engine.snapshot(scope), *own));
            // A batch that failed on the disk may have left a generation that no batch has.
            let is_kept = |(snapshot, own): &(Snapshot, Account)| {
                (snapshot.generation(), snapshot.len() as u64) == (own.generation, own.cases)
            };
            Ok(snapshots.filter(is_kept).collect())
        })
    }

    /// Drops a scope on the disk, and then in the engine.
    pub(crate) fn drop_scope(&self, engine: &Engine, scope: &Scope) -> Result<bool, StoreError> {
        self.alone(|disk| {
            let was_there = disk.drop_scope(scope)?;
            engine.drop_scope(scope);
            Ok(was_there)
        })
    }

    /// Copies the log into the database, and lets it go. Where writes have stopped nothing more
    /// is written.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        let _entering = self.entering.write().unwrap_or_else(PoisonError::into_inner);
        let Some(mut disk) = locked(&self.disk).take() else { return Ok(()) };
        self.check()?;
        disk.checkpoint(CheckpointMode::FULL)?;
        disk.close()
    }
}

/// The tickets of a group until each was told.
struct Group<'w> {
    writer: &'w Writer,
    tickets: Tickets<Result<Written, StoreError>>,
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        if self.tickets.is_empty() {
            return;
        }
        let error = StoreError::Broken("the thread that wrote the batch panicked".into());
        let error = self.writer.note(error);
        self.tickets.tell(std::iter::repeat_with(|| Err(error.clone())));
    }
}
