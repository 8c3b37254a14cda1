//! Values that came more than once: a leaf or an object that is one of them is named by its number.

use super::doorkeeper::Doorkeeper;
use crate::index::collections::{Interner, Ordinal};

/// How long a value may be that gets an entry.
const ENTRY_BYTES: usize = 1024;

/// Values that came more than once, and what was seen once.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    /// Values, objects and patterns.
    pub(super) values: Interner,
    pub(super) seen: Doorkeeper,
}

impl Dictionaries {
    /// The entry of a value, given now if it comes again.
    pub(super) fn entry(&self, value: &[u8]) -> Option<Ordinal> {
        self.entry_if(value, || true)
    }

    /// The entry of a value, given now if it comes again and is worth one.
    pub(super) fn entry_if(
        &self,
        value: &[u8],
        is_worth_one: impl FnOnce() -> bool,
    ) -> Option<Ordinal> {
        if value.len() > ENTRY_BYTES {
            return None;
        }
        // A part of a document between two ASCII characters is a text.
        let value = std::str::from_utf8(value).ok()?;
        let hash = self.values.hash(value);
        let comes_again = || is_worth_one() && self.seen.again(hash) && !self.values.has_enough();
        self.values
            .find_hashed(value, hash)
            .or_else(|| comes_again().then(|| self.values.intern(value).0))
    }
}
