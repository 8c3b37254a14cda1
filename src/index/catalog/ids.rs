//! `_id` ⇄ place. A place is given once and stays its `_id`'s for ever, deleted or not.
//!
//! Useful for finding a case by its `_id`, and for comparing ids by place. Whether the case is
//! there now, a segment knows.

use super::row::Place;
use crate::index::collections::Interner;

/// The ids of a scope; it only grows.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    by_place: Interner,
}

impl Ids {
    /// # Panics
    /// Where the place was not given.
    #[inline]
    pub(crate) fn id(&self, place: Place) -> &str {
        self.by_place.get(place.0)
    }

    pub(crate) fn find(&self, id: &str) -> Option<Place> {
        self.by_place.find(id).map(Place)
    }

    /// The place of an id, given now if it has none; and whether it is new.
    pub(crate) fn place(&self, id: &str) -> (Place, bool) {
        let (place, new) = self.by_place.intern(id);
        (Place(place), new)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// About how many bytes the ids take, and what finds them. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.by_place.value_bytes()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.by_place.bytes()
    }

    pub(crate) fn validate(&self) -> Result<(), String> {
        let mut ids = self.by_place.iter();
        match ids.find(|(place, id)| self.find(id) != Some(Place(*place))) {
            Some((place, id)) => Err(format!("{id:?} is not found at place {place}")),
            None => Ok(()),
        }
    }
}
