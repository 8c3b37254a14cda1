//! What becomes of a batch: how much it did, or why nothing.

use std::convert::Infallible;

use super::edits::Edited;
use super::scope::Scope;
use crate::case::Version;
use crate::index::{Changed, Full, Resource};
use crate::refusal::{Code, Problem, Refusal};

/// Why a batch was not written. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError<E = Infallible> {
    /// What staging it returned.
    #[error(transparent)]
    Stage(E),
    /// A scope may not have room for it: what there is and what the batch can bring at most are
    /// more than the limit. Of each 4,096 changes all values count as if they were new.
    #[error(
        "scope {scope} has no room for the batch: {used} {what} are there or reserved, \
         up to {more} may come, and at most {limit} may be there"
    )]
    Full {
        /// The first scope that was found to have no room.
        scope: Scope,
        /// What there would be too much of.
        what: Resource,
        /// How much of it is there, or is reserved for what is being written.
        used: u64,
        /// How much of it the part of the batch can bring that was found to have no room, at most.
        more: u64,
        /// How much of it there may be.
        limit: u64,
    },
    /// The engine's scopes would take more memory than
    /// [`EngineBuilder::memory_limit`](crate::EngineBuilder::memory_limit) allows.
    #[error(
        "the engine has no room for the batch: its scopes take {used} bytes, the batch would bring \
         about {more}, and at most {limit} may be taken"
    )]
    Memory {
        /// How many bytes the scopes take, and batches that are being written.
        used: u64,
        /// About how many the batch would bring.
        more: u64,
        /// How many may be taken.
        limit: u64,
    },
    /// What [`Batch::expect`](crate::Batch::expect) asks for is not there.
    #[error("case {id} of scope {scope} is not as the batch expects it")]
    Unmet {
        /// Where the case is.
        scope: Scope,
        /// Its `_id`.
        id: String,
        /// Which version is there, if any.
        there: Option<Version>,
    },
}

impl<E> WriteError<E> {
    /// The contract's code of a batch that there is no room for; nothing where staging it failed,
    /// which has its own.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Stage(_) => None,
            Self::Full { .. } => Some(Code::ScopeFull),
            Self::Memory { .. } => Some(Code::MemoryLimit),
            Self::Unmet { .. } => Some(Code::VersionConflict),
        }
    }

    /// The status that a host answers over HTTP, where there is such a code.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.code().map(Code::http_status)
    }
}

/// Why the batch was refused, in the contract's form: what staging it was refused for, or that
/// there is no room, at `$`.
impl From<WriteError<Refusal>> for Refusal {
    fn from(error: WriteError<Refusal>) -> Self {
        let msg = error.to_string();
        let (code, accepted) = match error {
            WriteError::Stage(refusal) => return refusal,
            WriteError::Full { .. } => (Code::ScopeFull, "a smaller batch, once cases are deleted"),
            WriteError::Memory { .. } => (Code::MemoryLimit, "a smaller batch, or the same later"),
            WriteError::Unmet { .. } => (Code::VersionConflict, "a change of what is there now"),
        };
        Problem::new(code, "$", msg).accepts(accepted).into()
    }
}

/// That there is no room, in the contract's form.
impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        error.of_any::<Self>().into()
    }
}

impl WriteError {
    /// The same, wherever the changes came from.
    pub(super) fn of_any<E>(self) -> WriteError<E> {
        match self {
            Self::Stage(never) => match never {},
            Self::Full { scope, what, used, more, limit } => {
                WriteError::Full { scope, what, used, more, limit }
            }
            Self::Memory { used, more, limit } => WriteError::Memory { used, more, limit },
            Self::Unmet { scope, id, there } => WriteError::Unmet { scope, id, there },
        }
    }
}

impl<E> WriteError<E> {
    pub(super) fn full(scope: &Scope, Full { what, used, more, limit }: Full) -> Self {
        Self::Full { scope: scope.clone(), what, used, more, limit }
    }
}

/// What a batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Written {
    /// How many cases are new.
    pub inserted: u64,
    /// How many took the place of an earlier one, those of the same batch included.
    pub replaced: u64,
    /// How many were taken out.
    pub deleted: u64,
    /// Each scope of the batch, sorted, with the [`Snapshot::generation`](crate::Snapshot) from
    /// which on the batch is seen there.
    pub generations: Vec<(Scope, u64)>,
    /// Of [`Engine::edit`](crate::Engine::edit), what became of each edit, in their order.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub edits: Vec<Edited>,
}

impl Written {
    /// The generation of one scope from which on the batch is seen there; nothing where the batch
    /// had no change of it.
    #[must_use]
    pub fn generation(&self, scope: &Scope) -> Option<u64> {
        let at = self.generations.binary_search_by(|(own, _)| own.cmp(scope)).ok()?;
        self.generations.get(at).map(|(_, generation)| *generation)
    }

    /// What several batches did together, as spans tell it.
    pub(super) fn figures<'w>(all: impl Iterator<Item = &'w Self>) -> [(&'static str, u64); 3] {
        let mut sum = Self::default();
        for own in all {
            sum.inserted += own.inserted;
            sum.replaced += own.replaced;
            sum.deleted += own.deleted;
        }
        [("inserted", sum.inserted), ("replaced", sum.replaced), ("deleted", sum.deleted)]
    }

    /// Counts what was changed in a scope; scopes come in their order.
    pub(super) fn add(&mut self, scope: Scope, changed: Changed, generation: u64) {
        self.inserted += changed.inserted;
        self.replaced += changed.replaced;
        self.deleted += changed.deleted;
        self.generations.push((scope, generation));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    #[test]
    fn a_batch_without_room_has_a_code_and_a_status() {
        let desk = Scope::new("account", "stream");
        let engine = Engine::builder().memory_limit(1).build();
        let error = engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1"}"#)).unwrap_err();
        assert_eq!((error.code(), error.http_status()), (Some(Code::MemoryLimit), Some(503)));
        let refusal = Refusal::from(error);
        assert_eq!((refusal.problems()[0].path(), refusal.http_status()), ("$", 503));
        let json = String::from_utf8(refusal.to_json()).unwrap();
        assert!(json.starts_with(r#"{"errors":[{"code":"memory_limit","msg":"the engine has"#));

        let full: WriteError =
            WriteError::full(&desk, Full { what: Resource::Cases, used: 1, more: 1, limit: 1 });
        assert_eq!((full.code(), full.http_status()), (Some(Code::ScopeFull), Some(507)));
        assert_eq!(Refusal::from(full).http_status(), 507);

        // What staging was refused for is told as it is.
        let engine = Engine::new();
        let error = engine.write(|batch| batch.upsert(&desk, "[]")).unwrap_err();
        assert_eq!((error.code(), error.http_status()), (None, None));
        assert_eq!(Refusal::from(error).problems()[0].code(), Code::NotAnObject);
    }
}
