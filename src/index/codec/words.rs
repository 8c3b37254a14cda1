//! Texts as words of a dictionary.
//!
//! A text is words and what stands between them: runs of letters, digits and whatever is not
//! ASCII; and runs of all else. A lone space between two words goes without saying.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::bytes::{Reader, put, put_text};
use super::doorkeeper::Doorkeeper;
use crate::index::collections::{HashIndex, Numbers, Ordinal};

/// How long a piece is that is written as a whole of fixed length.
const SHORT: usize = 16;

/// How long a word may be that gets an entry: its length is kept in its last byte.
const LONGEST: usize = SHORT - 1;

/// The words of a scope's documents, as far as they are short.
#[derive(Debug, Default)]
pub(super) struct Words {
    words: Numbers<2>,
    known: HashIndex,
    hasher: RandomState,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Where a run ends that starts a text. Escapes stay in one piece: their letters are no words.
fn run(text: &[u8]) -> usize {
    if text.first().is_some_and(|byte| is_word(*byte)) {
        return text.iter().position(|byte| !is_word(*byte)).unwrap_or(text.len());
    }
    let mut at = 0;
    while let Some(byte) = text.get(at).filter(|byte| !is_word(**byte)) {
        at += match (byte, text.get(at + 1)) {
            (b'\\', Some(b'u')) => 6,
            (b'\\', _) => 2,
            _ => 1,
        };
    }
    at.min(text.len())
}

/// A short word in one piece, its length behind it.
fn padded(word: &[u8]) -> [u8; SHORT] {
    let mut bytes = [0; SHORT];
    bytes[..word.len()].copy_from_slice(word);
    bytes[LONGEST] = word.len() as u8;
    bytes
}

fn halves(bytes: [u8; SHORT]) -> [u64; 2] {
    let both = u128::from_le_bytes(bytes);
    [both as u64, (both >> 64) as u64]
}

/// Appends the first bytes of a piece: one store where there is room, and no copy of a length that
/// only the data tell.
#[inline]
fn extend_short(out: &mut Vec<u8>, piece: &[u8; SHORT], length: usize) {
    let end = out.len() + length.min(SHORT);
    if out.capacity() - out.len() >= SHORT {
        out.extend_from_slice(piece);
        out.truncate(end);
    } else {
        out.extend_from_slice(&piece[..length.min(SHORT)]);
    }
}

impl Words {
    /// Appends a text. New words are noted, and get an entry when they come again.
    pub(super) fn put(&self, text: &[u8], seen: &Doorkeeper, into: &mut Vec<u8>) {
        let (mut rest, mut count, mut after_word) = (text, 0, false);
        let start = into.len();
        while !rest.is_empty() {
            if after_word && rest[0] == b' ' && rest.get(1).is_some_and(|byte| is_word(*byte)) {
                rest = &rest[1..];
            }
            let (own, after) = rest.split_at(run(rest));
            match self.ordinal(own, seen) {
                Some(ordinal) => put(into, u64::from(ordinal) + 1),
                None => {
                    into.push(0);
                    put_text(into, own);
                }
            }
            after_word = is_word(own[0]);
            rest = after;
            count += 1;
        }
        let mut head = Vec::with_capacity(4);
        put(&mut head, count);
        into.splice(start..start, head);
    }

    /// The entry of a word, given now if it comes again.
    fn ordinal(&self, word: &[u8], seen: &Doorkeeper) -> Option<Ordinal> {
        if word.len() > LONGEST {
            return None;
        }
        let word = halves(padded(word));
        let hash = self.hasher.hash_one(word);
        let is_it = |word: &[u64; 2], own: Ordinal| self.words.get(own as usize) == *word;
        self.known.find(hash, |own| is_it(&word, own)).or_else(|| {
            let add = |word| self.words.push(word) as Ordinal;
            let is_worth_it = seen.again(hash.rotate_left(17)) && !self.words.has_enough();
            is_worth_it.then(|| self.known.find_or_add(hash, word, is_it, add).0)
        })
    }

    /// Writes what `put` has put.
    pub(super) fn write(&self, encoded: &mut Reader<'_>, out: &mut Vec<u8>) {
        let mut after_word = false;
        for _ in 0..encoded.number() {
            let ordinal = encoded.number();
            if ordinal == 0 {
                let own = encoded.text();
                let word = own.first().is_some_and(|byte| is_word(*byte));
                if word && after_word {
                    out.push(b' ');
                }
                out.extend_from_slice(own);
                after_word = word;
                continue;
            }
            let [low, high] = self.words.get(ordinal as usize - 1);
            let own = (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
            let word = is_word(own[0]);
            if word && after_word {
                out.push(b' ');
            }
            extend_short(out, &own, own[LONGEST].into());
            after_word = word;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// About how many bytes the words take, and what finds them. Cost: none that grows.
    pub(super) fn weight(&self) -> usize {
        self.len() * (SHORT + HashIndex::ENTRY)
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.bytes() + self.known.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let (words, seen) = (Words::default(), Doorkeeper::old());
        let long = "x".repeat(500);
        for text in [
            "",
            "one",
            " one  two three , four. one ",
            r#""a\nb \u00e9x \\n\" end\"#,
            r"\u12",
            "日本語 と 한국어 і ще",
            "a,b c ,d",
            "fifteen_letters sixteen__letters",
            &long,
            "   ",
        ] {
            // The third time, all its short words have entries.
            for _ in 0..3 {
                let mut packed = Vec::new();
                words.put(text.as_bytes(), &seen, &mut packed);
                let mut written = Vec::with_capacity(text.len());
                words.write(&mut Reader::new(&packed), &mut written);
                assert_eq!(written.capacity(), text.len());
                assert_eq!(String::from_utf8(written).unwrap(), text);
            }
        }
        assert!(words.len() > 10);
        let mut packed = Vec::new();
        words.put(b"one two three four one", &seen, &mut packed);
        assert_eq!(packed.len(), 6);
    }
}
