//! How many bytes the scopes of an engine take together, and whether a batch fits.
//!
//! Useful for a host that would rather have writes refused than grow. Not for an exact bound of the
//! process: what allocators add, old snapshots and batches under way is not counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::entering::ScopeChanges;
use super::write::WriteError;

/// What all scopes may take, and take now.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    limit: u64,
    /// What the scopes take, as each was counted last, and what is reserved.
    used: AtomicU64,
}

impl MemoryLimit {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, used: AtomicU64::new(0) }
    }

    /// Whether so many bytes alone are too many.
    pub(super) fn check(&self, more: u64) -> Option<WriteError> {
        let used = self.used.load(Ordering::Relaxed);
        (more > self.limit).then_some(WriteError::Memory { used, more, limit: self.limit })
    }

    /// Reserves room for a batch until it is counted. What only takes cases out, or leaves less
    /// than there was, always has room. Cost: a look-up a change, where it is not plain that the
    /// batch fits.
    ///
    /// # Errors
    /// [`WriteError::Memory`].
    pub(super) fn reserve(&self, parts: &[ScopeChanges]) -> Result<Room<'_>, WriteError> {
        let mut more = 0;
        for ScopeChanges { cell, is_new, entered, .. } in parts {
            let held = cell.load();
            let index = held.index();
            let old = |id: &str| {
                let address = index.find(id)?;
                Some(index.segment(address).encoded(address.slot()).len())
            };
            match entered.growth(old) {
                Some(growth) => more += growth,
                None => continue,
            }
            if *is_new {
                more += index.bytes().total() as i64;
            } else {
                // Values that were entered are there.
                cell.recount();
            }
        }
        let Ok(more) = u64::try_from(more) else { return Ok(Room { all: self, reserved: 0 }) };
        let used = self.used.fetch_add(more, Ordering::Relaxed);
        let room = Room { all: self, reserved: more };
        if more > 0 && used.saturating_add(more) > self.limit {
            return Err(WriteError::Memory { used, more, limit: self.limit });
        }
        Ok(room)
    }
}

/// What a batch has reserved.
#[derive(Debug)]
pub(super) struct Room<'m> {
    all: &'m MemoryLimit,
    reserved: u64,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.all.used.fetch_sub(self.reserved, Ordering::Relaxed);
    }
}

/// What one scope takes of it.
#[derive(Debug)]
pub(super) struct Share {
    all: Arc<MemoryLimit>,
    /// As it was counted last; nothing once the scope was dropped.
    own: Mutex<Option<u64>>,
}

impl Share {
    pub(super) fn new(all: &Arc<MemoryLimit>) -> Self {
        Self { all: Arc::clone(all), own: Mutex::new(Some(0)) }
    }

    /// Counts what the scope takes now.
    pub(super) fn count(&self, now: impl FnOnce() -> u64) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = &mut *own else { return };
        let now = now();
        self.all.used.fetch_add(now, Ordering::Relaxed);
        self.all.used.fetch_sub(std::mem::replace(own, now), Ordering::Relaxed);
    }

    /// Counts no more: the scope was dropped.
    pub(super) fn close(&self) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        self.all.used.fetch_sub(own.take().unwrap_or(0), Ordering::Relaxed);
    }
}
