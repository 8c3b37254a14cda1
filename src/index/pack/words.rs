//! Texts as words of a dictionary.
//!
//! A text is words and what stands between them: runs of letters, digits and whatever is not
//! ASCII; and runs of all else. A lone space between two words goes without saying.

use super::bytes::{Reader, put, put_text};
use super::seen::Seen;
use crate::index::dictionary::Dictionary;

/// How long a word may be that gets an entry.
const LONGEST: usize = 64;

/// The words of a scope's documents.
#[derive(Debug, Default)]
pub(super) struct Words {
    words: Dictionary<Box<[u8]>>,
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

impl Words {
    /// Appends a text. New words are noted, and get an entry when they come again.
    pub(super) fn put(&self, text: &[u8], seen: &Seen, into: &mut Vec<u8>) {
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

    fn ordinal(&self, word: &[u8], seen: &Seen) -> Option<u32> {
        if word.len() > LONGEST {
            return None;
        }
        let hash = self.words.hash(word);
        self.words
            .find_hashed(word, hash)
            .or_else(|| seen.again(hash.rotate_left(17)).then(|| self.words.intern(word.into()).0))
    }

    /// Writes what `put` has put.
    pub(super) fn write(&self, packed: &mut Reader<'_>, into: &mut Vec<u8>) {
        let mut after_word = false;
        for _ in 0..packed.number() {
            let own = match packed.number() {
                0 => packed.text(),
                ordinal => self.words.get(ordinal as u32 - 1),
            };
            let word = own.first().is_some_and(|byte| is_word(*byte));
            if word && after_word {
                into.push(b' ');
            }
            into.extend_from_slice(own);
            after_word = word;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.bytes(|word| word.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let (words, seen) = (Words::default(), Seen::default());
        let long = "x".repeat(500);
        for text in [
            "",
            "one",
            " one  two three , four. one ",
            r#""a\nb \u00e9x \\n\" end\"#,
            r"\u12",
            "日本語 と 한국어 і ще",
            "a,b c ,d",
            &long,
            "   ",
        ] {
            // The third time, all its words have entries.
            for _ in 0..3 {
                let mut packed = Vec::new();
                words.put(text.as_bytes(), &seen, &mut packed);
                let (mut written, mut reader) = (Vec::new(), Reader::new(&packed));
                words.write(&mut reader, &mut written);
                assert_eq!(String::from_utf8(written).unwrap(), text);
            }
        }
        assert!(words.len() > 10);
        let mut packed = Vec::new();
        words.put(b"one two three four one", &seen, &mut packed);
        assert_eq!(packed.len(), 6);
    }
}
