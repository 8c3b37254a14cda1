//! The distinct words of a scope's names and titles, and the search through them.
//!
//! A word is what stands between white space, so a needle without white space occurs in a text
//! exactly where it occurs in one of its words. Useful for "which words contain this". Not for
//! which cases have a word: segments know that.

use std::sync::Mutex;
use std::sync::PoisonError;

use memchr::memmem::Finder;

use super::dictionary::{Dictionary, Ordinal};
use super::sized::sized;

/// How many words are searched as one text.
const CHUNK: usize = sized(1024, 16);

/// Where a needle's piece must stand in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Anywhere,
    AtStart,
    AtEnd,
    Whole,
}

/// Words one after the other, each closed by a line feed, which no word holds.
#[derive(Debug)]
struct Chunk {
    text: String,
    /// Where each word ends.
    ends: Vec<u32>,
}

/// Distinct words; it only grows.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    words: Dictionary<Box<str>>,
    /// All words but the newest, fewer than `CHUNK`.
    chunks: boxcar::Vec<Chunk>,
    /// Held while a chunk is added.
    adding: Mutex<()>,
}

impl Vocabulary {
    /// The words of a text, new ones added.
    pub(super) fn intern<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Ordinal> + 't {
        text.split_whitespace().map(|word| {
            let (ordinal, new) = self.words.intern(word.into());
            if new {
                self.seal();
            }
            ordinal
        })
    }

    fn seal(&self) {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.chunks.count() * CHUNK;
        if self.words.len() < first + CHUNK {
            return;
        }
        let mut chunk = Chunk { text: String::new(), ends: Vec::with_capacity(CHUNK) };
        for ordinal in first..first + CHUNK {
            chunk.text.push_str(self.words.get(ordinal as Ordinal));
            chunk.ends.push(chunk.text.len() as u32);
            chunk.text.push('\n');
        }
        chunk.text.shrink_to_fit();
        self.chunks.push(chunk);
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The words that have a piece, by ordinal. Cost grows with the vocabulary.
    pub(crate) fn find(&self, piece: &str, stands: Stands) -> Vec<Ordinal> {
        let finder = Finder::new(piece);
        let fits = |word: &str| match stands {
            Stands::Anywhere => finder.find(word.as_bytes()).is_some(),
            Stands::AtStart => word.starts_with(piece),
            Stands::AtEnd => word.ends_with(piece),
            Stands::Whole => word == piece,
        };
        if stands == Stands::Whole {
            return self.words.find(piece).into_iter().collect();
        }
        let mut found = Vec::new();
        let mut sealed = 0;
        for (number, chunk) in self.chunks.iter() {
            chunk.find(&finder, |word| {
                let ordinal = (number * CHUNK + word) as Ordinal;
                if stands == Stands::Anywhere || fits(self.words.get(ordinal)) {
                    found.push(ordinal);
                }
            });
            sealed = (number + 1) * CHUNK;
        }
        let rest = (sealed..self.len()).map(|ordinal| ordinal as Ordinal);
        found.extend(rest.filter(|ordinal| fits(self.words.get(*ordinal))));
        found
    }

    pub(crate) fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|(_, chunk)| chunk.text.len() + chunk.ends.len() * 4);
        self.words.bytes(|word| word.len()) + chunks.sum::<usize>()
    }

    /// Checks that the words are distinct, hold no white space, and are all found.
    pub(super) fn validate(&self) -> Result<(), String> {
        for (ordinal, word) in self.words.iter() {
            if word.contains(char::is_whitespace) || self.words.find(word) != Some(ordinal) {
                return Err(format!("word {ordinal} {word:?}"));
            }
            let chunk = self.chunks.get(ordinal as usize / CHUNK);
            if chunk.is_some_and(|chunk| chunk.word(ordinal as usize % CHUNK) != &**word) {
                return Err(format!("word {ordinal} {word:?} stands wrongly in its chunk"));
            }
        }
        Ok(())
    }
}

impl Chunk {
    fn start(&self, word: usize) -> usize {
        word.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1)
    }

    fn word(&self, word: usize) -> &str {
        &self.text[self.start(word)..self.ends[word] as usize]
    }

    /// Hands on each word that contains the needle, once.
    fn find(&self, finder: &Finder<'_>, mut each: impl FnMut(usize)) {
        let (mut from, mut word) = (0, 0);
        while let Some(offset) = finder.find(&self.text.as_bytes()[from..]) {
            let at = from + offset;
            // Hits are often close: a few steps, then a search.
            let near = self.ends[word..].iter().take(8).position(|end| *end as usize >= at);
            word = match near {
                Some(steps) => word + steps,
                None => self.ends.partition_point(|end| (*end as usize) < at),
            };
            each(word);
            from = self.ends[word] as usize + 1;
            word += 1;
            if word == self.ends.len() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let vocabulary = Vocabulary::default();
        let words: Vec<String> = (0..3000).map(|n| format!("w{n}x{}é", n % 13)).collect();
        let ordinals: Vec<_> = words.iter().flat_map(|word| vocabulary.intern(word)).collect();
        assert_eq!(ordinals, (0..3000).collect::<Vec<_>>());
        assert_eq!(vocabulary.intern("w7x7é \u{3000}w0x0é\n").collect::<Vec<_>>(), [7, 0]);
        vocabulary.validate().unwrap();
        for piece in ["w", "1", "99", "x1", "é", "w12", "2x2é", "none", "w2999x9é", "é\u{301}"]
        {
            let all = |fits: &dyn Fn(&str) -> bool| -> Vec<u32> {
                let words = words.iter().enumerate().filter(|(_, word)| fits(word));
                words.map(|(at, _)| at as u32).collect()
            };
            assert_eq!(vocabulary.find(piece, Stands::Anywhere), all(&|word| word.contains(piece)));
            assert_eq!(
                vocabulary.find(piece, Stands::AtStart),
                all(&|word| word.starts_with(piece))
            );
            assert_eq!(vocabulary.find(piece, Stands::AtEnd), all(&|word| word.ends_with(piece)));
            assert_eq!(vocabulary.find(piece, Stands::Whole), all(&|word| word == piece));
        }
    }
}
