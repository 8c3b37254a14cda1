//! Upkeep: scopes whose catalog has grown old, or whose cases came in no order, are built anew
//! beside what is published, a little at a time.
//!
//! Who builds has the lock of upkeep, and walks what is published. Writers put the ids of what they
//! changed into a journal, after it is published; it is taken before the index is that the new one
//! catches up with, so that nothing is missed, and what comes twice does not matter. Only the last
//! few changes are caught up with, and the new index is put in the place of the old one, while
//! writers wait.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::cell::{Cell, Held, Upkeep};
use crate::index::{Index, IndexWriter, Rebuild, sized};
use crate::threads::Threads;

/// How many slots a writer goes on for each change it writes, while a rebuild is under way: faster
/// than garbage can grow.
const SLOTS_A_CHANGE: usize = 8;

/// Up to how many changes are caught up with while writers wait: less than a few milliseconds of
/// them.
const LAST: usize = 32;

/// How many changes of the journal a writer catches up with for each change it writes, at most:
/// faster than it grows.
const CAUGHT_UP_A_CHANGE: usize = 8;

/// How many slots are gone through between two looks at the clock: some tens of milliseconds.
pub(super) const SLICE: usize = sized(2048, 40);

/// How many times it is tried to leave so few changes, before they are left to the next call.
const TRIES: usize = 64;

/// How many slots' worth of merging is done while writers wait: about a millisecond of it.
const STEPS: usize = 128;

/// How long writers are left alone that waited for upkeep.
const PAUSE: Duration = Duration::from_micros(500);

/// What upkeep did, and has left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Maintained {
    /// How many scopes are built anew and published.
    pub rebuilt: u64,
    /// How many slots of cases are still to be gone through; 0 where there is nothing to do.
    pub left: u64,
}

/// Goes on a bounded while after a write; does nothing where another one does upkeep.
pub(super) fn after_write(cell: &Cell, changes: usize) {
    let Some(mut upkeep) = cell.try_upkeep() else { return };
    if upkeep.is_none() {
        begin(cell, &mut upkeep, Rebuild::of_wasteful);
    }
    let Some(rebuild) = &mut *upkeep else { return };
    let most = changes.saturating_mul(CAUGHT_UP_A_CHANGE);
    let source = catch_up(cell, rebuild, most, &Threads::NONE);
    // What only hosts begin, only they go on with.
    let slots = changes.saturating_mul(SLOTS_A_CHANGE);
    if rebuild.goes_by_place() && rebuild.step(source.index(), slots, &Threads::NONE).is_some() {
        finish(cell, &mut upkeep, &Threads::NONE);
    }
}

/// Goes on for a number of slots, or begins; what is left over of them is left there.
pub(super) fn maintain(cell: &Cell, budget: &mut usize, threads: &Threads) -> Maintained {
    let mut maintained = Maintained::default();
    let mut upkeep = cell.upkeep();
    if *budget > 0 && upkeep.is_none() {
        begin(cell, &mut upkeep, Rebuild::of);
    }
    if *budget > 0
        && let Some(rebuild) = &mut *upkeep
    {
        let source = catch_up(cell, rebuild, usize::MAX, threads);
        let left_over = rebuild.step(source.index(), *budget, threads);
        *budget = left_over.map_or(0, NonZeroUsize::get);
        let is_whole = left_over.is_some();
        maintained.rebuilt += u64::from(is_whole && finish(cell, &mut upkeep, threads));
    }
    merge(cell, budget);
    let held = cell.load();
    let index = held.index();
    let rebuilding = |own: &Rebuild| own.remaining(index).max(1);
    let left = match &*upkeep {
        Some(rebuild) => rebuilding(rebuild),
        // It was not looked whether one is worth it.
        None if *budget == 0 => {
            Rebuild::of(index).map_or(index.merge_debt(), |own| rebuilding(&own))
        }
        None => index.merge_debt(),
    };
    maintained.left = left as u64;
    maintained
}

/// Begins a rebuild, if one is worth it; from then on writers keep a journal.
fn begin(cell: &Cell, upkeep: &mut Upkeep, of: impl Fn(&Index) -> Option<Rebuild>) {
    *upkeep = of(cell.load().index()).map(Box::new);
    if upkeep.is_some() {
        cell.writer().journal = Some(Vec::new());
    }
}

/// Brings a rebuild up to what was published, but for changes past so many; gives the index that it
/// is up to.
fn catch_up(cell: &Cell, rebuild: &mut Rebuild, most: usize, threads: &Threads) -> Arc<Held> {
    let mut writer = cell.writer();
    let ids: Vec<_> = match &mut writer.journal {
        // The rest stays: what is caught up with late is as it is then.
        Some(journal) if journal.len() > most => journal.drain(..most).collect(),
        Some(journal) => std::mem::take(journal),
        None => Vec::new(),
    };
    drop(writer);
    let source = cell.load();
    rebuild.catch_up(source.index(), ids.iter().map(|id| &**id), threads);
    source
}

/// Publishes what was built, once it has caught up with all but a few changes; says whether it
/// could.
fn finish(cell: &Cell, upkeep: &mut Upkeep, threads: &Threads) -> bool {
    for _ in 0..TRIES {
        let Some(rebuild) = upkeep.as_mut() else { return false };
        drop(catch_up(cell, rebuild, usize::MAX, threads));
        let mut writer = cell.writer();
        if writer.journal.as_ref().is_some_and(|journal| journal.len() > LAST) {
            continue;
        }
        let ids = writer.journal.take().unwrap_or_default();
        let source = cell.load();
        rebuild.catch_up(source.index(), ids.iter().map(|id| &**id), &Threads::NONE);
        let whole = upkeep.take().map(|rebuild| rebuild.finish()).unwrap_or_default();
        let old = cell.replace(&writer, whole);
        drop((writer, source));
        drop(old);
        return true;
    }
    false
}

/// Merges what makes texts quick to search, some steps at a time; writers come between.
fn merge(cell: &Cell, budget: &mut usize) {
    while *budget > 0 && cell.load().index().merge_debt() > 0 {
        if cell.has_waiting_writers() {
            thread::sleep(PAUSE);
        }
        let writer = cell.writer();
        let held = cell.load();
        let mut merging = IndexWriter::new(Index::clone(held.index()));
        let steps = STEPS.min(*budget);
        *budget -= steps - merging.merge(steps);
        let old = cell.publish(&writer, merging.finish().0, Default::default(), held.generation());
        drop(writer);
        drop((old, held));
    }
}
