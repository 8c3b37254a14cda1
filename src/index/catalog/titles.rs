//! The distinct names and titles of a scope's cases, folded, each pair with its terms.
//!
//! A pair is one text of an arena: one more than the name's length and than the title's, 0 where
//! there is none; the name, the title; and the ordinals of its terms, ascending, each as its
//! distance from the one before. Numbers are ASCII characters, so that the whole is UTF-8, as
//! arenas have it. Useful for "what does this case's text say" and "which terms does it have", with
//! one look into memory. Not for which texts have a term: segments know.

use memchr::memmem::Finder;

use super::prefix::prefix;
use crate::index::collections::{Arena, HashIndex, NONE, Numbers, Ordinal, hash_one};

/// Numbers stand in a text as ASCII characters of so many bits each, and a bit that more follow.
const BITS: u32 = 6;
const MORE: u8 = 1 << BITS;

/// Distinct pairs of a name and a title; it only grows.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    texts: Arena,
    /// The name's first bytes: where they differ, they order as the names do.
    prefixes: Numbers<1>,
    known: HashIndex,
}

/// A name and a title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Title<'t> {
    pub(crate) name: Option<&'t str>,
    /// Nothing where it is the same as the name.
    pub(crate) title: Option<&'t str>,
    words: &'t [u8],
}

/// A text of so many bytes less one, where it is one, from a place on. No text is none, and not an
/// empty one.
#[inline]
fn part(text: &str, at: usize, length: Option<u32>) -> Option<&str> {
    text.get(at..at + length?.checked_sub(1)? as usize)
}

impl<'t> Title<'t> {
    fn read(text: &'t str) -> Self {
        let mut rest = text.as_bytes();
        let lengths = [number(&mut rest), number(&mut rest)];
        let mut at = text.len() - rest.len();
        let [name, title] = lengths.map(|length| {
            let part = part(text, at, length)?;
            at += part.len();
            Some(part)
        });
        Self { name, title, words: &text.as_bytes()[at..] }
    }

    /// What there is of both.
    pub(crate) fn texts(self) -> impl Iterator<Item = &'t str> + Clone {
        [self.name, self.title].into_iter().flatten()
    }

    /// The terms of both, words and boundary grams; ascending.
    pub(crate) fn terms(self) -> impl Iterator<Item = Ordinal> + use<'t> {
        let (mut rest, mut term) = (self.words, 0);
        std::iter::from_fn(move || {
            term += number(&mut rest)?;
            Some(term)
        })
    }

    /// Whether a folded needle is in the name or in the title.
    pub(crate) fn contains(self, finder: &Finder<'_>) -> bool {
        self.texts().any(|text| finder.find(text.as_bytes()).is_some())
    }
}

/// Appends a number.
fn put(into: &mut String, mut number: u32) {
    while number >= u32::from(MORE) {
        into.push(char::from(number as u8 & (MORE - 1) | MORE));
        number >>= BITS;
    }
    into.push(char::from(number as u8));
}

/// Takes a number from the front.
#[inline]
fn number(rest: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u32::from(byte & (MORE - 1)) << shift;
        shift += BITS;
        if byte & MORE == 0 {
            return Some(number);
        }
    }
}

/// As the texts of its arena.
#[cfg(feature = "checkpoint")]
mod by_serde {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{HashIndex, Title, Titles, hash_one, prefix};
    use crate::index::collections::{each_text, serialize_texts};

    impl Serialize for Titles {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let count = self.len();
            serialize_texts(serializer, count, (0..count).map(|own| self.texts.get(own)))
        }
    }

    impl<'de> Deserialize<'de> for Titles {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (mut own, mut hashes) = (Self::default(), Vec::new());
            each_text(deserializer, |text| {
                let Title { name, title, .. } = Title::read(text);
                hashes.push(hash_one((name, title)));
                own.prefixes.push([prefix(name)]);
                own.texts.push(text);
            })?;
            own.known = HashIndex::of(&hashes);
            Ok(own)
        }
    }
}

impl Titles {
    fn find_hashed(&self, hash: u64, name: Option<&str>, title: Option<&str>) -> Option<Ordinal> {
        self.known.find(hash, |own| self.is(own, name, title))
    }

    fn is(&self, own: Ordinal, name: Option<&str>, title: Option<&str>) -> bool {
        let own = self.get(own);
        (own.name, own.title) == (name, title)
    }

    /// The ordinal of a name and a title; `terms` gives those of both where they are new: they must
    /// be the same each time, for of two writers who bring one pair at once either one's are kept.
    /// A title that is the name is none. Cost grows with the texts.
    pub(crate) fn intern(
        &self,
        name: Option<&str>,
        title: Option<&str>,
        terms: impl FnOnce() -> Vec<Ordinal>,
    ) -> Ordinal {
        let title = title.filter(|title| Some(*title) != name);
        let hash = hash_one((name, title));
        if let Some(known) = self.find_hashed(hash, name, title) {
            return known;
        }
        let mut terms = terms();
        terms.sort_unstable();
        terms.dedup();
        let mut text = String::new();
        for part in [name, title] {
            put(&mut text, part.map_or(0, |part| part.len() as u32 + 1));
        }
        text.extend([name, title].into_iter().flatten());
        let mut before = 0;
        for term in terms {
            put(&mut text, term - before);
            before = term;
        }
        let is_it = |_: &String, own| self.is(own, name, title);
        let add = |text: String| {
            self.prefixes.push([prefix(name)]);
            self.texts.push(&text) as Ordinal
        };
        let hash_of = |own| {
            let Title { name, title, .. } = self.get(own);
            hash_one((name, title))
        };
        self.known.find_or_add(hash, text, is_it, hash_of, add).0
    }

    /// # Panics
    /// Where the ordinal was not given.
    #[inline]
    pub(crate) fn get(&self, ordinal: Ordinal) -> Title<'_> {
        Title::read(self.texts.get(ordinal as usize))
    }

    /// The name alone: cheaper than both.
    ///
    /// # Panics
    /// Where the ordinal was not given.
    #[inline]
    pub(crate) fn name(&self, ordinal: Ordinal) -> Option<&str> {
        let text = self.texts.get(ordinal as usize);
        let mut rest = text.as_bytes();
        let [name, _] = [number(&mut rest), number(&mut rest)];
        part(text, text.len() - rest.len(), name)
    }

    /// Those of some ordinals, in their order: memory that is far is waited for together.
    ///
    /// # Panics
    /// Where an ordinal was not given.
    pub(crate) fn get_all(
        &self,
        ordinals: impl Iterator<Item = Ordinal>,
    ) -> impl Iterator<Item = Title<'_>> {
        self.texts.get_all(ordinals.map(|ordinal| ordinal as usize)).map(Title::read)
    }

    /// The first bytes of a name, as a number that orders as they do.
    ///
    /// # Panics
    /// Where the ordinal was not given.
    #[inline]
    pub(crate) fn prefix(&self, ordinal: Ordinal) -> u64 {
        let [prefix] = self.prefixes.get(ordinal as usize);
        prefix
    }

    /// The ordinal of neither, if a case has it; else none.
    pub(crate) fn none(&self) -> Ordinal {
        let neither: (Option<&str>, Option<&str>) = (None, None);
        self.find_hashed(hash_one(neither), None, None).unwrap_or(NONE)
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// How many bytes a pair and its terms have, on average.
    pub(crate) fn mean_bytes(&self) -> usize {
        self.texts.text_bytes() / self.len().max(1)
    }

    /// About how many bytes the pairs take, and what finds them. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.texts.value_bytes() + self.len() * (size_of::<u64>() + HashIndex::ENTRY)
    }

    /// About how many bytes a pair takes.
    pub(crate) fn bytes_of(&self, ordinal: Ordinal) -> usize {
        let own = 2 * size_of::<u64>() + HashIndex::ENTRY;
        self.texts.get(ordinal as usize).len() + own
    }

    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes() + self.prefixes.bytes() + self.known.bytes()
    }

    /// Checks each pair's prefix, and the terms that `terms` gives for its texts.
    pub(crate) fn validate(&self, terms: impl Fn(Title<'_>) -> Vec<Ordinal>) -> Result<(), String> {
        for ordinal in 0..self.len() as Ordinal {
            let own = self.get(ordinal);
            let mut right = terms(own);
            right.sort_unstable();
            right.dedup();
            if !own.terms().eq(right) || self.prefix(ordinal) != prefix(own.name) {
                return Err(format!("title {ordinal} has wrong words or a wrong prefix"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_keeps_its_texts_and_terms() {
        let titles = Titles::default();
        let long = "é".repeat(5000);
        let pairs = [
            (None, None),
            (Some("name"), None),
            (None, Some("name")),
            (Some(""), Some("t")),
            (Some("退款 a"), Some(&*long)),
        ];
        let terms = |at: usize| vec![at as Ordinal, 64, Ordinal::MAX - 1, 63, 64, 1 << 20];
        for round in 0..2 {
            for (at, (name, title)) in pairs.into_iter().enumerate() {
                let own = titles.intern(name, title, || {
                    assert_eq!(round, 0, "known");
                    terms(at)
                });
                assert_eq!(own, at as Ordinal);
                let read = titles.get(own);
                assert_eq!((read.name, read.title, titles.name(own)), (name, title, name));
                let mut right = terms(at);
                right.sort_unstable();
                right.dedup();
                assert!(read.terms().eq(right));
                assert_eq!(titles.prefix(own), prefix(name));
            }
        }
        assert_eq!(titles.intern(Some("name"), Some("name"), Vec::new), 1);
        assert!(titles.get(4).contains(&Finder::new("款 a")));
        assert_eq!(titles.len(), 5);
    }
}
