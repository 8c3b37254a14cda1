//! Batches: changes that are seen together.

use std::collections::HashMap;

use super::scope::Scope;
use crate::case::Case;
use crate::index::{Change, Changed};
use crate::refusal::Refusal;

/// Upserts and deletes, in the order they are to be applied; later ones win.
#[derive(Debug, Default)]
pub struct Batch {
    scopes: HashMap<Scope, Vec<Change>>,
    length: usize,
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
        match self.scopes.get_mut(scope) {
            Some(changes) => changes.push(change),
            None => _ = self.scopes.insert(scope.clone(), vec![change]),
        }
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
    pub(super) fn into_scopes(self) -> Vec<(Scope, Vec<Change>)> {
        let mut scopes: Vec<_> = self.scopes.into_iter().collect();
        scopes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        scopes
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
