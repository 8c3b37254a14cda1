//! The distinct terms of a scope's names and titles: their words, and their boundary grams.
//!
//! A word is what stands between white space, so a needle without white space occurs in a text
//! exactly where it occurs in one of its words. A boundary gram is the white space between two
//! words, with a few characters of each: a needle with white space must have its own boundary grams
//! in the text. Useful for "which terms does this text have". Not for which terms hold a needle:
//! `substring` knows that; nor for which cases have a term: segments know that.

use smallvec::SmallVec;

use crate::index::collections::{Interner, Ordinal, sized};

/// How many characters of either word a boundary gram has.
const REACH: usize = 2;

/// How many bytes of white space a boundary gram has at most; longer gaps have none.
const GAP: usize = sized(16, 3);

/// Where in a term a sub-pattern of a needle must be found: anywhere, at its start, at its end, or
/// as all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Infix,
    Prefix,
    Suffix,
    Exact,
}

/// A part of a needle, and where in a term it is found: each text that has the needle has a term
/// that has the sub-pattern there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubPattern {
    pub(crate) text: String,
    pub(crate) anchor: Anchor,
}

impl SubPattern {
    pub(crate) fn is_infix(&self) -> bool {
        self.anchor == Anchor::Infix
    }
}

/// A searched text as sub-patterns, of which terms can tell.
#[derive(Debug)]
pub(crate) struct Needle {
    pub(crate) sub_patterns: Vec<SubPattern>,
    /// Whether a case that has a term for each sub-pattern has the needle.
    pub(crate) is_exact: bool,
    /// Of a needle of two words, whose boundary gram is the only sub-pattern that may stand
    /// anywhere: a case that has the boundary gram has the needle, unless a term of it has the
    /// first of a pair and not the second.
    pub(crate) ambiguous: Vec<[SubPattern; 2]>,
}

impl Needle {
    /// Takes a folded needle apart that is trimmed and not empty.
    pub(crate) fn of(needle: &str) -> Self {
        let pattern = |text: &str, anchor| SubPattern { text: text.to_owned(), anchor };
        let words: Vec<&str> = needle.split_whitespace().collect();
        let is_short = |word: &str| word.chars().count() <= REACH;
        let (first, last) = match *words {
            [first, .., last] => (first, last),
            _ => return Self::exact(needle),
        };
        let grams: Vec<_> = boundary_grams(needle).collect();
        let has_all = grams.len() + 1 == words.len();
        if words.len() == 2 && has_all && is_short(first) && is_short(last) {
            return Self::exact(needle);
        }
        let mut ambiguous = Vec::new();
        if let ([gram], [_, _]) = (&*grams, &*words) {
            let ends = [
                (gram.split_whitespace().next(), first, Anchor::Suffix),
                (gram.split_whitespace().last(), last, Anchor::Prefix),
            ];
            let longer = ends.into_iter().filter(|(_, word, _)| !is_short(word));
            ambiguous.extend(longer.filter_map(|(end, word, anchor)| {
                Some([pattern(end?, anchor), pattern(word, anchor)])
            }));
        }
        let mut sub_patterns: Vec<_> =
            grams.iter().map(|gram| pattern(gram, Anchor::Infix)).collect();
        if !is_short(first) || !has_all {
            sub_patterns.push(pattern(first, Anchor::Suffix));
        }
        if !is_short(last) || !has_all {
            sub_patterns.push(pattern(last, Anchor::Prefix));
        }
        sub_patterns
            .extend(words[1..words.len() - 1].iter().map(|word| pattern(word, Anchor::Exact)));
        Self { sub_patterns, is_exact: false, ambiguous }
    }

    fn exact(needle: &str) -> Self {
        let pattern = SubPattern { text: needle.to_owned(), anchor: Anchor::Infix };
        Self { sub_patterns: vec![pattern], is_exact: true, ambiguous: Vec::new() }
    }
}

/// The boundary grams of a text.
fn boundary_grams(text: &str) -> impl Iterator<Item = &str> {
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let mut before: Option<&str> = None;
    let pairs =
        text.split_whitespace().filter_map(move |word| before.replace(word).zip(Some(word)));
    pairs.filter_map(move |(left, right)| {
        let (end, start) = (offset(left) + left.len(), offset(right));
        if start - end > GAP {
            return None;
        }
        let tail = left.char_indices().rev().take(REACH).last().map_or(0, |(at, _)| at);
        let head = right.char_indices().nth(REACH).map_or(right.len(), |(at, _)| at);
        text.get(offset(left) + tail..start + head)
    })
}

/// How many bytes of a boundary gram come before its white space; nothing of a word.
pub(crate) fn gap_of(term: &str) -> Option<usize> {
    term.find(char::is_whitespace)
}

/// Distinct terms; it only grows.
#[derive(Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Vocabulary {
    /// They are short: going past a few of them costs less than where each starts would take.
    terms: Interner<4>,
}

impl Vocabulary {
    /// The terms of some texts, new ones added.
    pub(crate) fn intern<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<Ordinal> {
        let terms = texts.flat_map(|text| text.split_whitespace().chain(boundary_grams(text)));
        let terms: SmallVec<[&str; 32]> = terms.collect();
        self.terms.expect(terms.iter().copied());
        self.terms.intern_all(&terms)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    /// How many bytes they are, their lengths included.
    pub(crate) fn text_bytes(&self) -> usize {
        self.terms.text_bytes()
    }

    pub(crate) fn get(&self, term: Ordinal) -> &str {
        self.terms.get(term)
    }

    /// The term that a text is.
    pub(crate) fn find(&self, text: &str) -> Option<Ordinal> {
        self.terms.find(text)
    }

    /// About how many bytes the terms take, and what finds them. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.terms.value_bytes()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.terms.bytes()
    }

    /// Checks that the terms are distinct, and that each is a word or a boundary gram.
    pub(crate) fn validate(&self) -> Result<(), String> {
        for (ordinal, term) in self.terms.iter() {
            let is_one = match gap_of(term) {
                None => !term.is_empty(),
                Some(_) => boundary_grams(term).eq([term]),
            };
            if !is_one || self.terms.find(term) != Some(ordinal) {
                return Err(format!("term {ordinal} {term:?}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_its_words_and_boundary_grams() {
        let vocabulary = Vocabulary::default();
        let terms = |text: &str| -> Vec<String> {
            let terms = vocabulary.intern([text].into_iter()).into_iter();
            terms.map(|term| vocabulary.get(term).to_owned()).collect()
        };
        assert_eq!(terms("one"), ["one"]);
        assert_eq!(
            terms(" late  refund\u{3000}é x "),
            ["late", "refund", "é", "x", "te  re", "nd\u{3000}é", "é x"]
        );
        let far = format!("a{}b", " ".repeat(GAP + 1));
        assert_eq!(terms(&far), ["a", "b"]);
        vocabulary.validate().unwrap();
    }

    #[test]
    fn a_needle_is_taken_apart() {
        let sub_patterns = |needle: &str| {
            let Needle { sub_patterns, is_exact, .. } = Needle::of(needle);
            let sub_patterns =
                sub_patterns.into_iter().map(|pattern| (pattern.text, pattern.anchor));
            (sub_patterns.collect::<Vec<_>>(), is_exact)
        };
        let pattern = |text: &str, anchor| (text.to_owned(), anchor);
        use Anchor::{Exact, Infix, Prefix, Suffix};
        assert_eq!(sub_patterns("refund"), (vec![pattern("refund", Infix)], true));
        assert_eq!(sub_patterns("ab c"), (vec![pattern("ab c", Infix)], true));
        assert_eq!(
            sub_patterns("abc de"),
            (vec![pattern("bc de", Infix), pattern("abc", Suffix)], false)
        );
        assert_eq!(
            sub_patterns("a bc def"),
            (
                vec![
                    pattern("a bc", Infix),
                    pattern("bc de", Infix),
                    pattern("def", Prefix),
                    pattern("bc", Exact)
                ],
                false
            )
        );
        let ambiguous = Needle::of("late re").ambiguous;
        let texts = ambiguous.iter().map(|pair| pair.each_ref().map(|pattern| &*pattern.text));
        assert_eq!(texts.collect::<Vec<_>>(), [["te", "late"]]);
        assert!(Needle::of("late re fund").ambiguous.is_empty());
        let far = format!("a{}b", " ".repeat(GAP + 1));
        assert_eq!(sub_patterns(&far), (vec![pattern("a", Suffix), pattern("b", Prefix)], false));
    }
}
