//! The numbers of the format: how a document, its texts and its leaves say what they are.
//!
//! docs/documents.md has them as tables. Useful for encoder and decoder alike: each number is
//! written and read here. What follows a number, they know.

use super::bytes::{ByteReader, put};
use crate::index::collections::Ordinal;

/// How a document is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentHead {
    /// As it is.
    Plain,
    /// As a text.
    Text,
    /// By this template.
    Template(u32),
}

impl DocumentHead {
    const TEMPLATE: u64 = 2;

    pub(super) fn put(self, into: &mut Vec<u8>) {
        let number = match self {
            Self::Plain => 0,
            Self::Text => 1,
            Self::Template(template) => Self::TEMPLATE + u64::from(template),
        };
        put(into, number);
    }

    pub(super) fn read(encoded: &mut ByteReader<'_>) -> Self {
        match encoded.number() {
            0 => Self::Plain,
            1 => Self::Text,
            number => Self::Template((number - Self::TEMPLATE) as u32),
        }
    }
}

/// How the texts of a document are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// As they are.
    None = 0,
    /// With the first dictionary.
    First = 1,
    /// With the prepared one.
    Prepared = 2,
}

impl Compression {
    const BITS: u32 = 2;

    /// Appends how many bytes the texts have as they are kept, and how they are.
    pub(super) fn put(self, length: usize, into: &mut Vec<u8>) {
        put(into, (length << Self::BITS | self as usize) as u64);
    }

    /// What was put.
    pub(super) fn read(encoded: &mut ByteReader<'_>) -> (Self, usize) {
        let head = encoded.length();
        let own = match head & ((1 << Self::BITS) - 1) {
            0 => Self::None,
            1 => Self::First,
            _ => Self::Prepared,
        };
        (own, head >> Self::BITS)
    }
}

/// How a leaf is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// One of the texts.
    Text,
    /// An entry with its digits left out, and these.
    Pattern,
    /// A text that is a date.
    Date,
    /// A whole number.
    Whole,
    /// A whole number that looks like a date.
    Millis,
    /// A value of the window.
    Repeat,
    /// The document's `_id`.
    Id,
    /// A value of the window in small ASCII letters.
    Lowercase,
    /// An entry of the dictionary.
    Entry(Ordinal),
}

impl Tag {
    const ENTRY: u64 = 8;

    #[inline]
    pub(super) fn put(self, into: &mut Vec<u8>) {
        let number = match self {
            Self::Text => 0,
            Self::Pattern => 1,
            Self::Date => 2,
            Self::Whole => 3,
            Self::Millis => 4,
            Self::Repeat => 5,
            Self::Id => 6,
            Self::Lowercase => 7,
            Self::Entry(entry) => Self::ENTRY + u64::from(entry),
        };
        put(into, number);
    }

    #[inline]
    pub(super) fn read(encoded: &mut ByteReader<'_>) -> Self {
        match encoded.number() {
            0 => Self::Text,
            1 => Self::Pattern,
            2 => Self::Date,
            3 => Self::Whole,
            4 => Self::Millis,
            5 => Self::Repeat,
            6 => Self::Id,
            7 => Self::Lowercase,
            number => Self::Entry((number - Self::ENTRY) as Ordinal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_read() {
        let mut encoded = Vec::new();
        let heads = [
            DocumentHead::Plain,
            DocumentHead::Text,
            DocumentHead::Template(0),
            DocumentHead::Template(u32::MAX),
        ];
        heads.iter().for_each(|head| head.put(&mut encoded));
        let kept = [Compression::None, Compression::First, Compression::Prepared];
        kept.iter().for_each(|own| own.put(1 << 20, &mut encoded));
        let tags = (0..10).map(|number| {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            (Tag::read(&mut ByteReader::new(&bytes)), bytes)
        });
        for (tag, right) in tags {
            let mut bytes = Vec::new();
            tag.put(&mut bytes);
            assert_eq!(bytes, right, "{tag:?}");
        }
        let mut reader = ByteReader::new(&encoded);
        assert_eq!(heads.map(|_| DocumentHead::read(&mut reader)), heads);
        assert_eq!(kept.map(|_| Compression::read(&mut reader)), kept.map(|own| (own, 1 << 20)));
    }
}
