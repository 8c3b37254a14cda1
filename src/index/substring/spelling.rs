//! Terms as the trie enters them: their symbols, and where their suffixes begin.
//!
//! Words have a mark before and after them, so a needle with a mark says where in a word it stands:
//! suffixes begin with the first mark or with a character. Boundary grams have no
//! marks and a root of their own, and suffixes only from beginnings before their white space: a
//! needle in the rest is in a word.

use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::index::catalog::{Anchor, gap_of};
use crate::index::collections::sized;

/// The node that all words hang under, and the one of boundary grams.
pub(super) const WORD_ROOT: u32 = 0;
pub(super) const BOUNDARY_ROOT: u32 = 1;

/// How many bytes a term in the trie has at most: splitting a list takes the bytes of its terms.
pub(super) const TRIE_TERM_BYTES: usize = sized(4096, 40);

/// Anchor before and after each word: no UTF-8 has this byte.
pub(super) const MARK: u8 = 0xff;

/// What follows the last symbol, in a key: no UTF-8 has this byte either.
const END: u8 = 0xfe;

/// How many bytes of a suffix a key has.
pub(super) const KEY: usize = 8;

/// How long a boundary gram is at most: longer terms are words.
const GRAM_BYTES: usize = 32;

/// A term's symbols. A copy costs nothing, nor does one of a long term.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelling<'t> {
    text: &'t [u8],
    /// Suffixes begin before this place.
    end: u32,
    pub(super) root: u32,
}

impl<'t> Spelling<'t> {
    pub(super) fn of(term: &'t str) -> Self {
        let is_short = term.len() <= GRAM_BYTES;
        let is_gram = is_short && gap_of(term).is_some();
        Self::under(term, if is_gram { BOUNDARY_ROOT } else { WORD_ROOT })
    }

    /// A term whose root is known.
    pub(super) fn under(term: &'t str, root: u32) -> Self {
        // Longer texts than a document may have cannot be.
        let end = match Some(term).filter(|_| root == BOUNDARY_ROOT).and_then(gap_of) {
            Some(gap) => gap as u32,
            None => term.len() as u32 + 1,
        };
        Self { text: term.as_bytes(), end, root }
    }

    /// What begins at a place, as a number: in the order of these stand the symbols, but for the
    /// last mark and the end, which come after all others.
    #[inline]
    pub(super) fn key(&self, at: usize) -> u64 {
        let text = at.checked_sub(self.marks()).and_then(|at| self.text.get(at..));
        if let Some(bytes) = text.and_then(|text| text.first_chunk::<KEY>()) {
            return u64::from_be_bytes(*bytes);
        }
        (at..at + KEY).fold(0, |key, at| key << 8 | u64::from(self.byte(at)))
    }

    /// The byte at a place, marks and the end included.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        match at.checked_sub(self.marks()) {
            None => MARK,
            Some(at) if at == self.text.len() && self.root != BOUNDARY_ROOT => MARK,
            Some(at) => self.text.get(at).copied().unwrap_or(END),
        }
    }

    /// The symbol at a place, and how many places it takes; nothing at the end.
    #[inline]
    pub(super) fn symbol(&self, at: usize) -> Option<(u32, usize)> {
        let mark = Some((MARK.into(), 1));
        let at = match (self.root, at.checked_sub(1)) {
            (BOUNDARY_ROOT, _) => at,
            (_, None) => return mark,
            (_, Some(at)) if at == self.text.len() => return mark,
            (_, Some(at)) => at,
        };
        symbol(self.text.get(at..)?)
    }

    /// Where suffixes begin.
    pub(super) fn starts(self) -> impl Iterator<Item = usize> {
        let marks = self.marks();
        (0..self.end as usize)
            .filter(move |at| at.checked_sub(marks).is_none_or(|at| self.text[at] & 0xc0 != 0x80))
    }

    /// How many marks stand before the text.
    fn marks(&self) -> usize {
        usize::from(self.root != BOUNDARY_ROOT)
    }

    /// Symbols from a place on, so many bytes of them.
    pub(super) fn gram(&self, at: usize, length: usize) -> Vec<u8> {
        (at..at + length).map(|at| self.byte(at)).collect()
    }

    /// Where a gram begins that something may follow: none that ends with a word's last mark.
    /// `finder` looks for it.
    pub(super) fn find(self, gram: &[u8], finder: &Finder<'_>, mut each: impl FnMut(usize)) {
        match gram {
            [] => self.starts().for_each(each),
            [MARK, rest @ ..] if self.root != BOUNDARY_ROOT => {
                if self.text.starts_with(rest) {
                    each(0);
                }
            }
            _ => {
                let mut from = 0;
                while let Some(at) = self.text.get(from..).and_then(|rest| finder.find(rest)) {
                    let at = from + at;
                    if at + self.marks() >= self.end as usize {
                        return;
                    }
                    each(at + self.marks());
                    from = at + symbol(&self.text[at..]).map_or(1, |(_, width)| width);
                }
            }
        }
    }
}

/// A needle's bytes, with the marks that say where in a word it must stand.
pub(super) fn marked(pattern: &str, anchor: Anchor) -> SmallVec<[u8; 64]> {
    let mut bytes = SmallVec::new();
    if matches!(anchor, Anchor::Prefix | Anchor::Exact) {
        bytes.push(MARK);
    }
    bytes.extend_from_slice(pattern.as_bytes());
    if matches!(anchor, Anchor::Suffix | Anchor::Exact) {
        bytes.push(MARK);
    }
    bytes
}

/// The mark or character that a text begins with, its bytes as a number, and how many they are.
#[inline]
pub(super) fn symbol(text: &[u8]) -> Option<(u32, usize)> {
    let width = width_from(*text.first()?);
    let bytes = text.get(..width)?;
    Some((bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)), width))
}

/// The symbol that begins some bytes after the beginning of a key, which has all of it.
#[inline]
pub(super) fn symbol_of_key(key: u64, after: usize) -> Option<u32> {
    let rest = key << (after * 8);
    let first = rest.to_be_bytes()[0];
    (first != END).then(|| (rest >> (64 - width_from(first) * 8)) as u32)
}

/// How many bytes a mark or character has, by the first of them.
#[inline]
fn width_from(first: u8) -> usize {
    match first {
        0..0x80 | MARK => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// How many bytes a symbol has.
pub(super) fn width(symbol: u32) -> usize {
    4 - (symbol.leading_zeros() as usize / 8).min(3)
}

/// A gram with one more symbol.
pub(super) fn longer(gram: &[u8], symbol: u32) -> Vec<u8> {
    [gram, &symbol.to_be_bytes()[4 - width(symbol)..]].concat()
}

/// How many symbols a gram has.
pub(super) fn depth(gram: &[u8]) -> usize {
    gram.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}
