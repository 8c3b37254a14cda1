//! Batches: changes that are seen together.

use std::fmt;

use super::Engine;
use super::edits::Expected;
use super::entering::Entering;
use super::scope::Scope;
use crate::case::Case;
use crate::index::Change;
use crate::refusal::Refusal;

/// Upserts and deletes, in the order they are to be applied; later ones win.
///
/// There are two kinds. That of [`Engine::write`] enters its changes into the engine while it is
/// filled: it takes about what its cases will take. One that [`Batch::new`] makes belongs to no
/// engine, and may be kept, sent and filled over awaits until [`Engine::commit`] enters it; until
/// then it keeps every document as it was read, which is its text and some 300 bytes. What is
/// written is the same.
///
/// ```
/// use getcases::{Batch, Engine, Scope};
///
/// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
/// let mut batch = Batch::new();
/// batch.upsert(&desk, r#"{"_id":"1","status":"open"}"#)?;
/// batch.upsert(&desk, r#"{"_id":"2","status":"open"}"#)?;
/// batch.delete(&desk, "2");
/// assert_eq!(batch.len(), 3);
/// assert!(engine.snapshot(&desk).is_empty());
/// engine.commit(batch)?;
/// assert_eq!(engine.snapshot(&desk).len(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// What was entered for one engine never gets into another one: it lives no longer than the
/// closure that fills it.
///
/// ```compile_fail
/// # use getcases::{Batch, Engine};
/// # let (engine, other) = (Engine::new(), Engine::new());
/// engine.write(|batch| {
///     let entered = std::mem::replace(batch, Batch::new());
///     other.commit(entered).map(drop)
/// });
/// ```
pub struct Batch<'e> {
    changes: Changes<'e>,
    /// What must be there for it to be written.
    guards: Vec<Guard>,
    /// How many changes there are, and how many documents were refused.
    length: usize,
    refused: usize,
}

/// What must be there when a batch is written, whatever the batch itself does.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) scope: Scope,
    pub(super) id: Box<str>,
    pub(super) expected: Expected,
}

enum Changes<'e> {
    /// As they came.
    Kept(Vec<(Scope, Change)>),
    Entering(Box<Entering<'e>>),
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Default for Batch<'static> {
    fn default() -> Self {
        Self::new()
    }
}

impl Batch<'static> {
    /// A batch that belongs to no engine; [`Engine::commit`] writes it.
    #[must_use]
    pub fn new() -> Self {
        let changes = Changes::Kept(Vec::new());
        Self { changes, guards: Vec::new(), length: 0, refused: 0 }
    }

    /// Its changes in order: the scope, the `_id`, and the document, or nothing where the case is
    /// taken out. For a host that keeps them on a disk too.
    ///
    /// ```
    /// use getcases::{Batch, Scope};
    ///
    /// let (desk, mut batch) = (Scope::new("account", "stream"), Batch::new());
    /// batch.upsert(&desk, r#"{ "_id": "1" }"#)?;
    /// batch.delete(&desk, "2");
    /// let changes: Vec<_> = batch.changes().collect();
    /// assert_eq!(changes, [(&desk, "1", Some(r#"{"_id":"1"}"#)), (&desk, "2", None)]);
    /// # Ok::<_, getcases::Refusal>(())
    /// ```
    pub fn changes(&self) -> impl Iterator<Item = (&Scope, &str, Option<&str>)> {
        let kept = match &self.changes {
            Changes::Kept(changes) => changes.as_slice(),
            Changes::Entering(_) => &[],
        };
        kept.iter().map(|(scope, change)| match change {
            Change::Upsert(case) => (scope, case.id(), Some(case.document())),
            Change::Delete(id) => (scope, &**id, None),
        })
    }
}

impl<'e> Batch<'e> {
    /// One that enters its changes into an engine while it is filled.
    pub(super) fn of(engine: &'e Engine) -> Self {
        let changes = Changes::Entering(Box::new(Entering::new(engine)));
        Self { changes, guards: Vec::new(), length: 0, refused: 0 }
    }

    /// Stores a document, in place of the one with its `_id` if there is one. Cost grows with its
    /// length.
    ///
    /// # Errors
    /// Every reason for which the document is refused, its [`Refusal::position`] and
    /// [`Refusal::id`]; the batch is then as before.
    pub fn upsert(&mut self, scope: &Scope, document: impl AsRef<[u8]>) -> Result<(), Refusal> {
        match Case::from_json(document.as_ref()) {
            Ok(case) => self.upsert_case(scope, case),
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    /// Stores a case that was read before, so that reading can be spread over threads.
    ///
    /// # Errors
    /// `foreign_scope` where the case names another account or stream.
    pub fn upsert_case(&mut self, scope: &Scope, case: Case) -> Result<(), Refusal> {
        if let Err(refusal) = case.belongs_to(scope.account(), scope.stream()) {
            return Err(self.refuse(refusal));
        }
        self.push(scope, Change::Upsert(Box::new(case)));
        Ok(())
    }

    /// Takes a case out, if it is there.
    pub fn delete(&mut self, scope: &Scope, id: &str) {
        self.push(scope, Change::Delete(id.into()));
    }

    /// Has the batch written only if this is there, before any of it is applied and while nobody
    /// else writes: else all of it is refused ([`WriteError::Unmet`](crate::WriteError::Unmet)).
    ///
    /// ```
    /// use getcases::{Batch, Engine, Expected, Scope, WriteError};
    ///
    /// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// let once = || {
    ///     let mut batch = Batch::new();
    ///     batch.expect(&desk, "1", Expected::Absent);
    ///     batch.upsert(&desk, r#"{"_id":"1"}"#).map(|()| batch)
    /// };
    /// assert_eq!(engine.commit(once()?)?.inserted, 1);
    /// assert!(matches!(engine.commit(once()?), Err(WriteError::Unmet { .. })));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn expect(&mut self, scope: &Scope, id: &str, expected: Expected) {
        self.guards.push(Guard { scope: scope.clone(), id: id.into(), expected });
    }

    fn refuse(&mut self, refusal: Refusal) -> Refusal {
        self.refused += 1;
        refusal.at_position(self.length + self.refused - 1)
    }

    fn push(&mut self, scope: &Scope, change: Change) {
        self.length += 1;
        match &mut self.changes {
            Changes::Kept(changes) => changes.push((scope.clone(), change)),
            Changes::Entering(entering) => entering.push(scope, change),
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

    /// Lets go of all changes.
    pub(super) fn give_up(self) {
        if let Changes::Entering(mut entering) = self.changes {
            entering.give_up();
        }
    }

    /// Its changes on their way into an engine, which are those of the engine that it was made for.
    pub(super) fn entering(self, engine: &'e Engine) -> Entering<'e> {
        let mut entering = match self.changes {
            Changes::Entering(entering) => *entering,
            Changes::Kept(changes) => {
                let mut entering = Entering::new(engine);
                changes.into_iter().for_each(|(scope, change)| entering.push(&scope, change));
                entering
            }
        };
        self.guards.into_iter().for_each(|guard| entering.guard(guard));
        entering
    }
}
