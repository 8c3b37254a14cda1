//! Batches: changes that are seen together.

use std::collections::HashMap;
use std::sync::Arc;

use super::scope::Scope;
use crate::case::Case;
use crate::index::Cases;
use crate::refusal::Refusal;

/// Upserts and deletes, in the order they are to be applied; later ones win.
#[derive(Debug, Default)]
pub struct Batch {
    changes: Vec<(Scope, Change)>,
}

/// One change of a scope.
#[derive(Debug)]
pub(super) enum Change {
    Upsert(Arc<Case>),
    Delete(Box<str>),
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
        self.changes.push((scope.clone(), Change::Upsert(Arc::new(case))));
        Ok(())
    }

    /// Takes a case out, if it is there.
    pub fn delete(&mut self, scope: &Scope, id: &str) {
        self.changes.push((scope.clone(), Change::Delete(id.into())));
    }

    /// How many changes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes of each scope, in order.
    pub(super) fn into_scopes(self) -> HashMap<Scope, Vec<Change>> {
        let mut scopes: HashMap<Scope, Vec<Change>> = HashMap::new();
        for (scope, change) in self.changes {
            scopes.entry(scope).or_default().push(change);
        }
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
    pub(super) fn apply(&mut self, changes: Vec<Change>, cases: &mut Cases) {
        for change in changes {
            match change {
                Change::Upsert(case) => {
                    let replaced = cases.upsert(case);
                    self.replaced += u64::from(replaced);
                    self.inserted += u64::from(!replaced);
                }
                Change::Delete(id) => self.deleted += u64::from(cases.delete(&id)),
            }
        }
    }
}
