//! What becomes of a batch: how much it did, or why nothing.

use std::convert::Infallible;

use super::scope::Scope;
use crate::index::{Changed, Full, Resource};

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
}

impl Written {
    /// The generation of one scope from which on the batch is seen there; nothing where the batch
    /// had no change of it.
    #[must_use]
    pub fn generation(&self, scope: &Scope) -> Option<u64> {
        let at = self.generations.binary_search_by(|(own, _)| own.cmp(scope)).ok()?;
        self.generations.get(at).map(|(_, generation)| *generation)
    }

    /// Counts what was changed in a scope; scopes come in their order.
    pub(super) fn add(&mut self, scope: Scope, changed: Changed, generation: u64) {
        self.inserted += changed.inserted;
        self.replaced += changed.replaced;
        self.deleted += changed.deleted;
        self.generations.push((scope, generation));
    }
}
