//! Upkeep: scopes whose catalog has grown old, or whose cases came in no order, are built anew, a
//! little at a time.

use std::collections::HashMap;

use super::scope::Scope;
use crate::index::{Index, Rebuild};

/// How many slots a writer goes on for each change it writes, while a rebuild is under way: faster
/// than garbage can grow.
const SLOTS_A_CHANGE: usize = 8;

/// What upkeep did, and has left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintained {
    /// How many scopes are built anew and published.
    pub rebuilt: u64,
    /// How many slots of cases are still to be gone through; 0 where there is nothing to do.
    pub left: u64,
}

/// The rebuilds under way.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    rebuilds: HashMap<Scope, Rebuild>,
}

impl Upkeep {
    /// Follows a write, and goes on a bounded while; gives the index to publish in the place of the
    /// written one, if a rebuild is whole.
    pub(super) fn after_write(
        &mut self,
        scope: &Scope,
        index: &Index,
        ids: &[Box<str>],
        changes: usize,
    ) -> Option<Index> {
        if let Some(rebuild) = self.rebuilds.get_mut(scope) {
            rebuild.follow(index, ids.iter().map(|id| &**id));
        } else {
            self.rebuilds.insert(scope.clone(), Rebuild::of_wasteful(index)?);
        }
        // What only hosts begin, only they go on with.
        self.rebuilds.get(scope).filter(|rebuild| rebuild.goes_by_place())?;
        self.go_on(scope, index, &mut changes.saturating_mul(SLOTS_A_CHANGE))
    }

    /// Whether a write must tell which cases it changed.
    pub(super) fn follows(&self, scope: &Scope) -> bool {
        self.rebuilds.contains_key(scope)
    }

    /// Goes on with a scope's rebuild, or begins it, for a number of slots.
    pub(super) fn go_on(
        &mut self,
        scope: &Scope,
        index: &Index,
        budget: &mut usize,
    ) -> Option<Index> {
        if !self.rebuilds.contains_key(scope) {
            self.rebuilds.insert(scope.clone(), Rebuild::of(index)?);
        }
        let rebuild = self.rebuilds.get_mut(scope)?;
        let before = rebuild.left(index);
        let whole = rebuild.step(index, *budget);
        let after = if whole.is_some() { 0 } else { rebuild.left(index) };
        *budget = budget.saturating_sub(before - after);
        if whole.is_some() {
            self.rebuilds.remove(scope);
        }
        whole
    }

    pub(super) fn left(&self, scope: &Scope, index: &Index) -> usize {
        self.rebuilds.get(scope).map_or(0, |rebuild| rebuild.left(index))
    }

    pub(super) fn forget(&mut self, scope: &Scope) {
        self.rebuilds.remove(scope);
    }
}
