//! Texts that came more than once, and how a leaf says that it is one.

use super::doorkeeper::Doorkeeper;
use super::words::Words;
use crate::index::collections::{Interner, Ordinal};

/// How long a value may be that gets an entry.
const LONGEST: usize = 1024;

/// How a leaf is encoded; from `ENTRY` on it is an entry of the dictionary.
pub(super) mod tag {
    pub(in super::super) const PLAIN: u64 = 0;
    pub(in super::super) const WORDS: u64 = 1;
    pub(in super::super) const PATTERN: u64 = 2;
    pub(in super::super) const DATE: u64 = 3;
    pub(in super::super) const WHOLE: u64 = 4;
    pub(in super::super) const MILLIS: u64 = 5;
    pub(in super::super) const AGAIN: u64 = 6;
    pub(in super::super) const ID: u64 = 7;
    pub(in super::super) const LOWER: u64 = 8;
    pub(in super::super) const ENTRY: u64 = 9;
}

/// Texts that came more than once.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    /// Values, objects and patterns.
    pub(super) values: Interner,
    pub(super) words: Words,
    pub(super) seen: Doorkeeper,
}

impl Dictionaries {
    /// The entry of a value, given now if it comes again.
    pub(super) fn entry(&self, value: &[u8]) -> Option<Ordinal> {
        if value.len() > LONGEST {
            return None;
        }
        let is_worth_it = |hash| self.seen.again(hash) && !self.values.has_enough();
        // A part of a document between two ASCII characters is a text.
        let value = std::str::from_utf8(value).ok()?;
        let hash = self.values.hash(value);
        self.values
            .find_hashed(value, hash)
            .or_else(|| is_worth_it(hash).then(|| self.values.intern(value).0))
    }
}
