//! Batches that were entered: applied to clones of what is published, and published together once
//! their host says that they are kept.

use std::fmt;
use std::sync::{Arc, MutexGuard};

use super::batch::Guard;
use super::cell::{Cell, WriterState};
use super::entering::ScopeChanges;
use super::journal::IdList;
use super::scope::Scope;
use super::write::{WriteError, Written};
use crate::case::Version;
use crate::index::{Entered, Index, IndexWriter};
use crate::threads::Threads;

/// Batches between entering and publishing; what [`Engine::commit_after`] lends to its host. While
/// it is there, nobody else writes into their scopes.
///
/// [`Engine::commit_after`]: super::Engine::commit_after
pub struct Prepared<'c> {
    scopes: Vec<ScopeWriter<'c>>,
    batches: Vec<Result<PreparedBatch, WriteError>>,
    threads: Threads,
}

/// A scope that is being changed, under its writers' lock.
struct ScopeWriter<'c> {
    cell: &'c Cell,
    writer: MutexGuard<'c, WriterState>,
    /// With all that was applied by now; nothing only while a batch is being applied.
    index: Option<Index>,
    generation: u64,
    changes: usize,
    /// Which cases changed, where upkeep wants to know.
    ids: Vec<Box<str>>,
    /// The same, as long as they may be kept.
    listed: IdList,
}

/// One batch that has room.
struct PreparedBatch {
    /// The place of each scope among all, and what changes there; nothing once that was applied.
    parts: Vec<(usize, Scope, Entered)>,
    written: Written,
}

impl fmt::Debug for Prepared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("batches", &self.batches.len()).finish_non_exhaustive()
    }
}

/// The parts of one batch, or why there is no room for it.
pub(super) type Roomed = Result<Vec<ScopeChanges>, WriteError>;

/// The cells of all batches in the order in which their locks are taken, each once: two writers
/// never wait for each other.
pub(super) fn cells(batches: &[Roomed]) -> Vec<Arc<Cell>> {
    let parts = batches.iter().flatten().flatten();
    let mut cells: Vec<_> = parts.map(|part| (&part.scope, &part.cell)).collect();
    cells.sort_unstable_by_key(|(scope, cell)| (*scope, Arc::as_ptr(cell)));
    cells.dedup_by_key(|(_, cell)| Arc::as_ptr(cell));
    cells.into_iter().map(|(_, cell)| Arc::clone(cell)).collect()
}

impl<'c> Prepared<'c> {
    /// Takes the locks of all scopes, and finds out which batches have room there.
    pub(super) fn new(cells: &'c [Arc<Cell>], batches: Vec<Roomed>, threads: Threads) -> Self {
        let writers = cells.iter().map(|cell| {
            let writer = cell.writer();
            let held = cell.load();
            ScopeWriter {
                cell,
                writer,
                index: Some(Index::clone(held.index())),
                generation: held.generation(),
                changes: 0,
                ids: Vec::new(),
                listed: IdList::default(),
            }
        });
        let scopes: Vec<_> = writers.collect();
        // Nothing is applied before it has room: a scope may have been built anew meanwhile.
        let adopt = |at: usize, scope: Scope, entered| match &scopes[at].index {
            Some(index) => match index.adopt(entered) {
                Ok(entered) => Ok((at, scope, entered)),
                Err(full) => Err(WriteError::full(&scope, full)),
            },
            None => unreachable!("nothing is being applied"),
        };
        let mut prepared: Vec<Result<PreparedBatch, WriteError>> = Vec::new();
        for batch in batches {
            let parts = batch.and_then(|parts| {
                // Both are in the order of scopes.
                let mut places = cells.iter().enumerate();
                let place = |part: ScopeChanges| {
                    let at = places.find(|(_, cell)| Arc::ptr_eq(cell, &part.cell));
                    at.map(|(at, _)| (at, part))
                };
                let parts: Vec<_> = parts.into_iter().filter_map(place).collect();
                for (at, part) in &parts {
                    let earlier = prepared.iter().flatten().flat_map(|batch| &batch.parts);
                    let earlier = earlier.filter(|(other, ..)| other == at).map(|own| &own.2);
                    check(&part.guards, scopes[*at].index.as_ref(), &earlier)?;
                }
                let parts = parts.into_iter();
                parts.map(|(at, part)| adopt(at, part.scope, part.entered)).collect()
            });
            prepared.push(parts.map(|parts| PreparedBatch { parts, written: Written::default() }));
        }
        Self { batches: prepared, scopes, threads }
    }

    /// Which of the batches, in the order they were given, have no room: nothing of these is
    /// published. All others will be.
    pub fn refused(&self) -> impl Iterator<Item = Option<&WriteError>> {
        self.batches.iter().map(|batch| batch.as_ref().err())
    }

    /// Applies all batches that have room, one after the other. A host calls it where it has
    /// something to wait for meanwhile; otherwise it is done before they are published.
    pub fn apply(&mut self) {
        let Self { scopes, batches, threads } = self;
        for batch in batches.iter_mut().flatten() {
            for (at, scope, entered) in std::mem::take(&mut batch.parts) {
                let own = &mut scopes[at];
                if own.writer.journal.is_some() {
                    own.ids.extend(entered.ids().map(Box::from));
                }
                own.changes += entered.len();
                own.cell.list(entered.ids(), &mut own.listed);
                let Some(index) = own.index.take() else { continue };
                let mut changing = IndexWriter::new(index);
                changing.apply(entered, threads);
                let (index, changed) = changing.finish();
                own.index = Some(index);
                own.generation += u64::from(changed.is_any());
                batch.written.add(scope, changed, own.generation);
            }
        }
    }

    /// Publishes every scope by a pointer swap.
    pub(super) fn publish(mut self) -> Vec<Result<Written, WriteError>> {
        self.apply();
        let mut old = Vec::with_capacity(self.scopes.len());
        for mut own in self.scopes {
            let Some(index) = own.index.filter(|_| own.changes > 0) else { continue };
            old.push(own.cell.publish(
                &own.writer,
                index,
                (own.listed, own.changes),
                own.generation,
            ));
            own.writer.journal.iter_mut().for_each(|journal| journal.append(&mut own.ids));
        }
        // Freed without the locks.
        drop(old);
        let written = |batch: Result<PreparedBatch, _>| batch.map(|batch| batch.written);
        self.batches.into_iter().map(written).collect()
    }
}

/// Whether what a batch expects is there, and no batch changes it that is written before.
fn check<'e>(
    guards: &[Guard],
    index: Option<&Index>,
    earlier: &(impl Iterator<Item = &'e Entered> + Clone),
) -> Result<(), WriteError> {
    for Guard { scope, id, expected } in guards {
        let there = index.and_then(|index| version(index, id));
        let mut earlier = earlier.clone().flat_map(Entered::ids);
        if !expected.holds(there) || earlier.any(|other| other == &**id) {
            return Err(WriteError::Unmet { scope: scope.clone(), id: id.to_string(), there });
        }
    }
    Ok(())
}

/// The version of a case that is there.
pub(super) fn version(index: &Index, id: &str) -> Option<Version> {
    let address = index.find(id)?;
    Some(Version::of(&index.segment(address).document(index.catalog(), address.slot())))
}
