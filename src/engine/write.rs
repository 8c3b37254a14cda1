//! Batches: changes that are seen together.

use std::collections::HashMap;

use super::scope::Scope;
use crate::case::Case;
use crate::index::{Change, Changed, Demand, Full, Resource};
use crate::refusal::Refusal;

/// Upserts and deletes, in the order they are to be applied; later ones win.
#[derive(Debug, Default)]
pub struct Batch {
    scopes: HashMap<Scope, Staged>,
    length: usize,
}

/// The changes of one scope.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) changes: Vec<Change>,
    /// How much they can bring, at most.
    pub(super) demand: Demand,
}

impl Batch {
    /// Stores a document, in place of the one with its `_id` if there is one. Cost grows with its
    /// length.
    ///
    /// # Errors
    /// Every reason for which the document is refused; the batch is then as before.
    pub fn upsert(&mut self, scope: &Scope, document: impl AsRef<[u8]>) -> Result<(), Refusal> {
        self.upsert_case(scope, Case::from_json(document.as_ref())?)
    }

    /// Stores a case that was read before, so that reading can be spread over threads.
    ///
    /// # Errors
    /// `foreign_scope` where the case names another account or stream.
    pub fn upsert_case(&mut self, scope: &Scope, case: Case) -> Result<(), Refusal> {
        case.belongs_to(scope.account(), scope.stream())?;
        self.push(scope, Change::Upsert(Box::new(case)));
        Ok(())
    }

    /// Takes a case out, if it is there.
    pub fn delete(&mut self, scope: &Scope, id: &str) {
        self.push(scope, Change::Delete(id.into()));
    }

    fn push(&mut self, scope: &Scope, change: Change) {
        self.length += 1;
        let demand = Demand::of(&change);
        let staged = match self.scopes.get_mut(scope) {
            Some(staged) => staged,
            None => self.scopes.entry(scope.clone()).or_default(),
        };
        staged.changes.push(change);
        staged.demand.add(demand);
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The changes of each scope, by scope, in their order.
    pub(super) fn into_scopes(self) -> Vec<(Scope, Staged)> {
        let mut scopes: Vec<_> = self.scopes.into_iter().collect();
        scopes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        scopes
    }
}

/// Why a batch was not written. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError<E> {
    /// What staging it returned.
    #[error(transparent)]
    Stage(E),
    /// A scope may not have room for it: what there is and what the batch can bring at most are
    /// more than the limit. Each change counts as if all its values were new.
    #[error("scope {scope} has no room for the batch: at most {limit} {what}")]
    Full {
        /// The first scope, in their order, that has no room.
        scope: Scope,
        /// What there would be too much of.
        what: Resource,
        /// How much of it there may be.
        limit: u64,
    },
}

impl<E> WriteError<E> {
    pub(super) fn full(scope: &Scope, Full { what, limit }: Full) -> Self {
        Self::Full { scope: scope.clone(), what, limit }
    }
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// How many cases are new.
    pub inserted: u64,
    /// How many took the place of an earlier one, those of the same batch included.
    pub replaced: u64,
    /// How many were taken out.
    pub deleted: u64,
}

impl Written {
    pub(super) fn add(&mut self, changed: Changed) {
        self.inserted += changed.inserted;
        self.replaced += changed.replaced;
        self.deleted += changed.deleted;
    }
}
