//! Scopes in parts that a host keeps, so that they are back at once.

use serde::{Deserialize, Serialize};

use super::{Engine, Scope, Snapshot};
use crate::index::{Index, Part, RestoredPart};

/// A part of a snapshot, to be written by any format of serde that tells no names, such as
/// postcard. Together the parts are some hundreds of bytes a case.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct CheckpointPart<'s>(Part<'s>);

/// A part that was read. What it says is trusted: read nothing but what [`Snapshot::checkpoint`]
/// gave in this version of the library, held against a checksum. What is wrong panics later, or
/// answers wrongly.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct RestoredCheckpointPart(RestoredPart);

/// Why parts are no scope.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// Something was written into the scope.
    #[error("the scope is there already")]
    Exists,
    /// The parts are not those of one snapshot.
    #[error("the parts are not one checkpoint: {0}")]
    Parts(String),
}

impl Snapshot {
    /// Everything that the snapshot is made of, in parts: one for each 65,536
    /// cases, and two more. Parts of one snapshot may be written and read in any order, also by
    /// several threads. Cost: nothing before a part is written; then what it holds.
    pub fn checkpoint(&self) -> impl Iterator<Item = CheckpointPart<'_>> {
        self.index().parts().map(CheckpointPart)
    }
}

impl Engine {
    /// The form of checkpoints: one that was written under another number is not to be read.
    pub const CHECKPOINT_FORM: u32 = 1;

    /// Makes a scope of the parts of a checkpoint, at the generation that its snapshot had. Upkeep
    /// goes on where it was; [`Snapshot::changes_since`] knows nothing before. Cost: what finds
    /// values is made anew, some hundred nanoseconds a case.
    ///
    /// # Errors
    /// Where something was written into the scope, or the parts are not those of one snapshot.
    pub fn restore(
        &self,
        scope: &Scope,
        generation: u64,
        parts: Vec<RestoredCheckpointPart>,
    ) -> Result<(), RestoreError> {
        let parts = parts.into_iter().map(|part| part.0).collect();
        let index = Index::of_parts(parts, self.limits).map_err(RestoreError::Parts)?;
        let cell = self.add_cell(scope, &self.new_cell().into());
        let writer = cell.writer();
        if !cell.load().index().is_untouched() {
            return Err(RestoreError::Exists);
        }
        cell.restore(&writer, index, generation);
        drop(writer);
        cell.recount();
        Ok(())
    }
}
