//! Batches that were entered: applied to clones of what is published, and published together once
//! their host says that they are kept.

use std::fmt;
use std::sync::{Arc, MutexGuard};

use super::batch::Guard;
use super::cell::{Cell, WriterState};
use super::entering::ScopeChanges;
use super::journal::Noted;
use super::scope::Scope;
use super::write::{WriteError, Written};
use crate::case::Version;
use crate::index::{Entered, Index, IndexWriter};
use crate::threads::Threads;

/// Batches between entering and publishing; what [`Engine::commit_after`] gives to its host. Until
/// that returns, nobody else writes into their scopes. It may go to another thread.
///
/// [`Engine::commit_after`]: super::Engine::commit_after
#[must_use = "nothing is published that is not applied"]
pub struct Prepared {
    scopes: Vec<ScopeWork>,
    batches: Vec<Result<Parts, WriteError>>,
    threads: Threads,
}

/// Batches that were applied, and are seen by nobody yet; what [`Prepared::apply`] gives.
#[must_use = "nothing is published that is not given back"]
pub struct Applied {
    scopes: Vec<ScopeWork>,
    written: Vec<Result<Written, WriteError>>,
}

/// A scope that is being changed.
struct ScopeWork {
    cell: Arc<Cell>,
    /// With all that was applied by now; nothing only while a batch is being applied.
    index: Option<Index>,
    generation: u64,
    changes: usize,
    /// Which cases changed, where upkeep wants to know.
    ids: Option<Vec<Box<str>>>,
    /// What each batch has changed, as long as that may be kept.
    noted: Vec<Noted>,
}

/// One batch that has room: the place of each scope among all, and what changes there.
type Parts = Vec<(usize, Scope, Entered)>;

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("batches", &self.batches.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applied").field("batches", &self.written.len()).finish_non_exhaustive()
    }
}

/// The parts of one batch, or why there is no room for it.
pub(super) type Roomed = Result<Vec<ScopeChanges>, WriteError>;

/// The locks of the scopes of some batches, in the order in which they are taken.
pub(super) struct Locks<'c>(Vec<(&'c Arc<Cell>, MutexGuard<'c, WriterState>)>);

/// The cells of all batches in the order in which their locks are taken, each once: two writers
/// never wait for each other.
pub(super) fn cells(batches: &[Roomed]) -> Vec<Arc<Cell>> {
    let parts = batches.iter().flatten().flatten();
    let mut cells: Vec<_> = parts.map(|part| (&part.scope, &part.cell)).collect();
    cells.sort_unstable_by_key(|(scope, cell)| (*scope, Arc::as_ptr(cell)));
    cells.dedup_by_key(|(_, cell)| Arc::as_ptr(cell));
    cells.into_iter().map(|(_, cell)| Arc::clone(cell)).collect()
}

impl<'c> Locks<'c> {
    /// Takes the locks of all scopes, one after the other.
    pub(super) fn of(cells: &'c [Arc<Cell>]) -> Self {
        Self(cells.iter().map(|cell| (cell, cell.writer())).collect())
    }

    /// Finds out which batches have room in the scopes, which are those of all batches.
    pub(super) fn prepare(&self, batches: Vec<Roomed>, threads: Threads) -> Prepared {
        let works = self.0.iter().map(|(cell, writer)| {
            let held = cell.load();
            ScopeWork {
                cell: Arc::clone(cell),
                index: Some(Index::clone(held.index())),
                generation: held.generation(),
                changes: 0,
                ids: writer.journal.as_ref().map(|_| Vec::new()),
                noted: Vec::new(),
            }
        });
        let scopes: Vec<_> = works.collect();
        // Nothing is applied before it has room: a scope may have been built anew meanwhile.
        let adopt = |at: usize, scope: Scope, entered| match &scopes[at].index {
            Some(index) => match index.adopt(entered) {
                Ok(entered) => Ok((at, scope, entered)),
                Err(full) => Err(WriteError::full(&scope, full)),
            },
            None => unreachable!("nothing is being applied"),
        };
        let mut prepared: Vec<Result<Parts, WriteError>> = Vec::new();
        for batch in batches {
            let parts = batch.and_then(|parts| {
                // Both are in the order of scopes.
                let mut places = scopes.iter().enumerate();
                let place = |part: ScopeChanges| {
                    let at = places.find(|(_, own)| Arc::ptr_eq(&own.cell, &part.cell));
                    at.map(|(at, _)| (at, part))
                };
                let parts: Vec<_> = parts.into_iter().filter_map(place).collect();
                for (at, part) in &parts {
                    let earlier = prepared.iter().flatten().flatten();
                    let earlier = earlier.filter(|(other, ..)| other == at).map(|own| &own.2);
                    check(&part.guards, scopes[*at].index.as_ref(), &earlier)?;
                }
                let parts = parts.into_iter();
                parts.map(|(at, part)| adopt(at, part.scope, part.entered)).collect()
            });
            prepared.push(parts);
        }
        Prepared { batches: prepared, scopes, threads }
    }

    /// Publishes every scope by a pointer swap.
    ///
    /// # Panics
    /// Where something was applied to other scopes.
    pub(super) fn publish(self, applied: Applied) -> Vec<Result<Written, WriteError>> {
        let cells = self.0.iter().map(|(cell, _)| Arc::as_ptr(cell));
        let is_own = applied.scopes.iter().map(|own| Arc::as_ptr(&own.cell)).eq(cells);
        assert!(is_own, "what was applied belongs to another commit");
        let mut old = Vec::with_capacity(self.0.len());
        for ((cell, mut writer), own) in self.0.into_iter().zip(applied.scopes) {
            let Some(index) = own.index.filter(|_| own.changes > 0) else { continue };
            old.push(cell.publish(&writer, index, (own.noted, own.changes), own.generation));
            if let (Some(journal), Some(mut ids)) = (&mut writer.journal, own.ids) {
                journal.append(&mut ids);
            }
        }
        // Freed without the locks.
        drop(old);
        applied.written
    }
}

impl Prepared {
    /// Which of the batches, in the order they were given, have no room: nothing of these is
    /// published. All others will be.
    pub fn refused(&self) -> impl Iterator<Item = Option<&WriteError>> {
        self.batches.iter().map(|batch| batch.as_ref().err())
    }

    /// Applies all batches that have room, one after the other. A host that has something to wait
    /// for does so meanwhile, on another thread.
    pub fn apply(self) -> Applied {
        let Self { mut scopes, batches, threads } = self;
        let mut apply = |parts: Parts| {
            let mut written = Written::default();
            for (at, scope, entered) in parts {
                let own = &mut scopes[at];
                own.ids.iter_mut().for_each(|ids| ids.extend(entered.ids().map(Box::from)));
                own.changes += entered.len();
                let Some(index) = own.index.take() else { continue };
                let listed = own.cell.list(entered.ids(), &index);
                let mut changing = IndexWriter::new(index);
                changing.apply(entered, &threads);
                let (index, changed) = changing.finish();
                if changed.is_any() {
                    own.generation += 1;
                    own.noted.push(Noted::of(listed.as_ref(), own.generation, &index));
                }
                own.index = Some(index);
                written.add(scope, changed, own.generation);
            }
            written
        };
        let written = batches.into_iter().map(|batch| batch.map(&mut apply)).collect();
        Applied { scopes, written }
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
