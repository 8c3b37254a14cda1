//! Which cases changed lately: what a copy needs that is some generations old.
//!
//! Useful for whoever keeps something of a scope beside it, and asks now and then what is new. Not
//! for what a case was before: nobody keeps that.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::index::Index;

/// What changed in a scope between two of its generations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Changes {
    /// The generation up to which they are told: that of the snapshot.
    pub generation: u64,
    /// The `_id`s of cases that were written and are there, the latest last.
    pub upserted: Vec<String>,
    /// Those of cases that are not there any more, the latest last.
    pub deleted: Vec<String>,
}

/// Why it is not told what changed since a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangesError {
    /// So much changed since, or so long ago, that it is not kept any more; or the scope was
    /// dropped. All cases are to be read anew.
    #[error("what changed is known since generation {oldest}")]
    TooOld {
        /// The oldest generation since which it is told.
        oldest: u64,
    },
    /// The snapshot is older than that.
    #[error("the snapshot is of generation {generation}")]
    NotYet {
        /// The generation of the snapshot.
        generation: u64,
    },
}

/// What a batch takes beside its ids, in bytes, about.
const BATCH: usize = 48;

/// How many bytes the length of an id takes before it.
const LENGTH: usize = size_of::<u16>();

/// The changes of a scope, batch by batch.
#[derive(Debug, Default)]
pub(super) struct Journal {
    batches: Mutex<Batches>,
}

#[derive(Debug, Default)]
struct Batches {
    /// The oldest first.
    list: VecDeque<Changed>,
    bytes: usize,
    /// All that changed after this generation is in the list.
    since: u64,
}

#[derive(Debug)]
struct Changed {
    /// From which on it is seen.
    generation: u64,
    /// Ids, each behind its length in two bytes.
    ids: Box<[u8]>,
}

impl Changed {
    fn bytes(&self) -> usize {
        BATCH + self.ids.len()
    }
}

/// The ids of a batch's changes while it is applied.
#[derive(Debug)]
pub(super) struct IdList {
    /// Each behind its length in two bytes.
    bytes: Vec<u8>,
    /// Whether each was there before the batch.
    was_there: Vec<bool>,
}

/// What a batch that was applied has changed.
#[derive(Debug)]
pub(super) struct Noted {
    generation: u64,
    /// Nothing where they are too many to be kept.
    ids: Option<Box<[u8]>>,
}

impl IdList {
    /// Those of a batch that is to be applied to what is there; nothing where they are more than
    /// `most` bytes. Cost: a look-up each, of none where they are too many.
    pub(super) fn of<'i>(
        ids: impl Iterator<Item = &'i str> + Clone,
        old: &Index,
        most: usize,
    ) -> Option<Self> {
        let length: usize = ids.clone().map(|id| id.len() + LENGTH).sum();
        if BATCH + length > most {
            return None;
        }
        let mut bytes = Vec::with_capacity(length);
        ids.clone().for_each(|id| push(id, &mut bytes));
        Some(Self { bytes, was_there: ids.map(|id| old.find(id).is_some()).collect() })
    }

    /// What the batch has changed: what came and went within it, or was not there, did not change.
    /// Cost: a look-up each.
    fn changed(&self, new: &Index) -> Box<[u8]> {
        let mut kept = Vec::with_capacity(self.bytes.len());
        let each = ids(&self.bytes).zip(&self.was_there);
        let changed = each.filter(|(id, was_there)| **was_there || new.find(id).is_some());
        changed.for_each(|(id, _)| push(id, &mut kept));
        kept.into()
    }
}

impl Noted {
    /// What a batch has changed that is seen from a generation on.
    pub(super) fn of(listed: Option<&IdList>, generation: u64, new: &Index) -> Self {
        Self { generation, ids: listed.map(|listed| listed.changed(new)) }
    }
}

/// Appends an id; no case has one that is too long for that.
fn push(id: &str, into: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(id.len()) {
        into.extend(length.to_le_bytes());
        into.extend(id.as_bytes());
    }
}

/// The ids that were appended.
fn ids(mut bytes: &[u8]) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (length, after) = bytes.split_first_chunk()?;
        let (id, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
        bytes = after;
        std::str::from_utf8(id).ok()
    })
}

impl Journal {
    /// Forgets all, of a scope that begins at a generation.
    pub(super) fn begin_at(&self, generation: u64) {
        *self.lock() = Batches { since: generation, ..Batches::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what batches have changed, in their order, before anybody sees it. It keeps no more
    /// than `most` bytes.
    ///
    /// Batches that are published together are noted one by one: who wrote one of them knows its
    /// generation, and may ask what changed since.
    pub(super) fn note(&self, noted: Vec<Noted>, most: usize) {
        if noted.is_empty() {
            return;
        }
        let mut batches = self.lock();
        for Noted { generation, ids } in noted {
            let most = if ids.is_none() { 0 } else { most };
            let changed = Changed { generation, ids: ids.unwrap_or_default() };
            batches.bytes += changed.bytes();
            // Most scopes of many are written once.
            if batches.list.is_empty() {
                batches.list.reserve_exact(1);
            }
            batches.list.push_back(changed);
            while batches.bytes > most
                && let Some(oldest) = batches.list.pop_front()
            {
                batches.bytes -= oldest.bytes();
                batches.since = oldest.generation;
            }
        }
    }

    /// What changed since a generation until another one, at which `index` is there.
    pub(super) fn changes(
        &self,
        since: u64,
        generation: u64,
        index: &Index,
    ) -> Result<Changes, ChangesError> {
        let batches = self.lock();
        if since < batches.since {
            return Err(ChangesError::TooOld { oldest: batches.since.min(generation) });
        }
        let from = batches.list.partition_point(|own| own.generation <= since);
        let to = batches.list.partition_point(|own| own.generation <= generation).max(from);
        let mut met = HashSet::new();
        let mut changed_ids = Vec::new();
        for changed in batches.list.range(from..to).rev() {
            let own: Vec<_> = ids(&changed.ids).collect();
            changed_ids
                .extend(own.into_iter().rev().filter(|id| met.insert(*id)).map(str::to_owned));
        }
        drop(met);
        drop(batches);
        changed_ids.reverse();
        let (upserted, deleted) = changed_ids.into_iter().partition(|id| index.find(id).is_some());
        Ok(Changes { generation, upserted, deleted })
    }
}
