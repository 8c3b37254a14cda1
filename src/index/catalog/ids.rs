//! `_id` ⇄ address. An address is given once and stays its `_id`'s for ever, deleted or not.
//!
//! Useful for finding a case by its `_id`, and for comparing ids by address. Whether the case is
//! there now, a segment knows.

use super::row::DocAddress;
use crate::index::collections::Interner;

/// The ids of a scope; it only grows.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    by_place: Interner,
}

#[cfg(feature = "checkpoint")]
impl From<Interner> for Ids {
    fn from(by_place: Interner) -> Self {
        Self { by_place }
    }
}

impl Ids {
    /// # Panics
    /// Where the address was not given.
    #[inline]
    pub(crate) fn id(&self, address: DocAddress) -> &str {
        self.by_place.get(address.0)
    }

    pub(crate) fn find(&self, id: &str) -> Option<DocAddress> {
        self.by_place.find(id).map(DocAddress)
    }

    /// The address of an id, given now if it has none; and whether it is new.
    pub(crate) fn address(&self, id: &str) -> (DocAddress, bool) {
        let (address, new) = self.by_place.intern(id);
        (DocAddress(address), new)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// By address.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.by_place.iter().map(|(_, id)| id)
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
        match ids.find(|(address, id)| self.find(id) != Some(DocAddress(*address))) {
            Some((address, id)) => Err(format!("{id:?} is not found at address {address}")),
            None => Ok(()),
        }
    }
}
