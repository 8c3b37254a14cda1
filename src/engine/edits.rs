//! Edits: changes of cases that depend on what is there.
//!
//! An edit is judged against a snapshot, and becomes a plain change of a batch with what it was
//! judged by: a batch is written only if that still holds under the writers' lock. Where somebody
//! was faster, all is judged anew; so no update is lost, and nobody waits for anybody.

use std::collections::HashMap;

use super::batch::Batch;
use super::snapshot::Snapshot;
use crate::case::{Case, Version};
use crate::refusal::Refusal;

/// What must be there for a change to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No case with the `_id`.
    Absent,
    /// Any case with it.
    Present,
    /// A case of this version.
    Version(Version),
}

impl Expected {
    /// Whether it holds where this is there.
    pub(super) fn holds(self, there: Option<Version>) -> bool {
        match self {
            Self::Absent => there.is_none(),
            Self::Present => there.is_some(),
            Self::Version(version) => there == Some(version),
        }
    }
}

/// A change that depends on what is there; [`Engine::edit`](crate::Engine::edit) makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Stores a document where what is expected is there.
    Upsert(Expected, Vec<u8>),
    /// Stores a document where no case with its `_id` is there, or an older one: its `updatedAt` is
    /// earlier than the document's, or it has none and the document does.
    UpsertIfNewer(Vec<u8>),
    /// Changes the case with an `_id` by a merge patch (RFC 7396) where what is expected is there.
    /// What the patch does not name keeps its place and its spelling; the whole is judged as any
    /// document, and keeps its `_id`.
    Patch(Expected, String, Vec<u8>),
    /// Takes out the case with an `_id` where what is expected is there.
    Delete(Expected, String),
}

/// What became of an [`Edit`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub enum Edited {
    /// It was stored, and is this version now.
    Stored(Version),
    /// It was taken out, or was not there.
    Deleted,
    /// Something else is there than was expected: this version, or nothing.
    Unmet(Option<Version>),
    /// What is there is as new or newer.
    NotNewer(Version),
    /// The document is refused, or the patch, or what would become of the case.
    Refused(Refusal),
}

/// What edits make of a snapshot's cases.
struct Stage<'s> {
    snapshot: &'s Snapshot,
    batch: Batch<'static>,
    /// The cases that were changed, as they are by now.
    cases: HashMap<String, Option<Case>>,
}

/// A batch that does what edits do to a snapshot's cases, one after the other, and what becomes of
/// each once the batch is written.
pub(super) fn stage(snapshot: &Snapshot, edits: &[Edit]) -> (Batch<'static>, Vec<Edited>) {
    let mut stage = Stage { snapshot, batch: Batch::new(), cases: HashMap::new() };
    let edited = edits.iter().map(|edit| stage.edit(edit).unwrap_or_else(Edited::Refused));
    let edited = edited.collect();
    (stage.batch, edited)
}

impl Stage<'_> {
    fn edit(&mut self, edit: &Edit) -> Result<Edited, Refusal> {
        match edit {
            Edit::Upsert(expected, document) => {
                let case = Case::from_json(document)?;
                match self.unmet(*expected, case.id()) {
                    Some(unmet) => Ok(unmet),
                    None => self.store(case),
                }
            }
            Edit::UpsertIfNewer(document) => {
                let case = Case::from_json(document)?;
                match self.there(case.id()) {
                    Some(there) if !case.is_newer_than(there) => {
                        Ok(Edited::NotNewer(there.version()))
                    }
                    _ => self.store(case),
                }
            }
            Edit::Patch(expected, id, patch) => {
                if let Some(unmet) = self.unmet(*expected, id) {
                    return Ok(unmet);
                }
                match self.there(id) {
                    Some(there) => {
                        let case = there.patched(patch)?;
                        self.store(case)
                    }
                    None => Ok(Edited::Unmet(None)),
                }
            }
            Edit::Delete(expected, id) => {
                if let Some(unmet) = self.unmet(*expected, id) {
                    return Ok(unmet);
                }
                self.guard(id);
                self.batch.delete(self.snapshot.scope(), id);
                self.cases.insert(id.clone(), None);
                Ok(Edited::Deleted)
            }
        }
    }

    fn there(&mut self, id: &str) -> Option<&Case> {
        if !self.cases.contains_key(id) {
            let document = self.snapshot.get(id);
            let case = document.and_then(|own| Case::from_json(own.json().as_bytes()).ok());
            self.cases.insert(id.to_owned(), case);
        }
        self.cases.get(id)?.as_ref()
    }

    /// Why an edit is not made that expects something.
    fn unmet(&mut self, expected: Expected, id: &str) -> Option<Edited> {
        let there = self.there(id).map(Case::version);
        (!expected.holds(there)).then_some(Edited::Unmet(there))
    }

    fn store(&mut self, case: Case) -> Result<Edited, Refusal> {
        let scope = self.snapshot.scope();
        case.belongs_to(scope.account(), scope.stream())?;
        let (id, version) = (case.id().to_owned(), case.version());
        self.guard(&id);
        self.batch.upsert_case(scope, case.clone())?;
        self.cases.insert(id, Some(case));
        Ok(Edited::Stored(version))
    }

    /// Has the batch written only if the snapshot's case is still there.
    fn guard(&mut self, id: &str) {
        let there = self.snapshot.version(id);
        let expected = there.map_or(Expected::Absent, Expected::Version);
        self.batch.expect(self.snapshot.scope(), id, expected);
    }
}
