//! Texts that came more than once, and how a leaf says that it is one.

use super::doorkeeper::Doorkeeper;
use crate::index::collections::{Interner, Ordinal};

/// How long a value may be that gets an entry.
const LONGEST: usize = 1024;

/// How a leaf is encoded; from `ENTRY` on it is an entry of the dictionary.
pub(super) mod tag {
    pub(in super::super) const TEXT: u64 = 0;
    pub(in super::super) const PATTERN: u64 = 1;
    pub(in super::super) const DATE: u64 = 2;
    pub(in super::super) const WHOLE: u64 = 3;
    pub(in super::super) const MILLIS: u64 = 4;
    pub(in super::super) const AGAIN: u64 = 5;
    pub(in super::super) const ID: u64 = 6;
    pub(in super::super) const LOWER: u64 = 7;
    pub(in super::super) const ENTRY: u64 = 8;
}

/// Texts that came more than once.
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

    /// The same, where it is worth one.
    pub(super) fn entry_if(
        &self,
        value: &[u8],
        is_worth_one: impl FnOnce() -> bool,
    ) -> Option<Ordinal> {
        if value.len() > LONGEST {
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
