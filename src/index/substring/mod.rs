//! Which terms of a scope hold a needle, and how many live cases have one.
//!
//! A trie of the terms' suffixes, a count of cases at each of its nodes, each term and each title;
//! and a short buffer of changes that are not counted yet, whose texts are searched as they are. A
//! needle that is a node's gram, or that one term has, has an exact count; of others an upper bound
//! is known, and that few cases have them, about. Words that are too long for the trie are
//! compared with every needle.
//!
//! Useful for totals, and for the terms to ask segments for. Not for which cases: segments know.

mod buffer;
mod case_counts;
mod counts;
mod grow;
mod spelling;
mod term_list;
mod trie;
mod writer;

use std::cell::LazyCell;
use std::sync::Arc;

use memchr::memmem::Finder;

use crate::index::catalog::{Anchor, Catalog, SubPattern, Vocabulary, gap_of};
use crate::index::collections::{Ordinal, Paged};
use buffer::{Buffer, Delta};
use case_counts::CaseCounts;
use counts::{Debt, Recount};
use spelling::{BOUNDARY_ROOT, Spelling, TRIE_TERM_BYTES, WORD_ROOT, marked, symbol};
use term_list::{sort_distinct, tag};
use trie::{Cases, LIMIT, LONG, Record, Stamps, Trie};
pub(crate) use writer::{Deltas, SubstringWriter};

/// How many cases and terms have a sub-pattern of a needle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// How many live cases have it, unresolved and done, or at most as many as have it.
    pub(crate) cases: [u64; 2],
    /// How many terms have it, at most.
    pub(crate) term_count: usize,
    /// Whether `cases` is exact.
    pub(crate) is_counted: bool,
    /// The terms of the trie that have it, where they had to be found.
    pub(crate) terms: Option<Vec<Ordinal>>,
}

/// What a needle leads to in the trie.
enum Found {
    /// It is the gram of a node.
    Node(u32),
    /// It goes on from a node's gram: some of the node's terms with a tag may have it.
    Beyond(u32, u8),
}

/// The substrings of a scope's names and titles, as queries read them. A clone costs some pointers.
/// Only a [`SubstringWriter`] changes one.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct SubstringIndex {
    trie: Trie,
    /// How many counted cases have each term and each title.
    terms: CaseCounts,
    titles: CaseCounts,
    /// By ordinal, a bit: the terms in the trie, and the long ones.
    entered: Paged<u64, 16>,
    long: Arc<[Ordinal]>,
    debt: Debt,
    /// Deltas that are not counted yet.
    buffer: Buffer,
    /// Terms of the buffer that are not entered; ascending.
    fresh: Arc<[Ordinal]>,
}

impl SubstringIndex {
    fn is_entered(&self, term: Ordinal) -> bool {
        let word = self.entered.get(term as usize / 64).copied().unwrap_or(0);
        word >> (term % 64) & 1 == 1
    }

    /// How many steps it takes to count the nodes that are to be counted, about; 0 where there are
    /// none.
    pub(crate) fn debt(&self) -> usize {
        match &self.debt.recount {
            Some(recount) => recount.remaining(&self.titles),
            None if self.debt.uncounted.is_empty() => 0,
            None => self.titles.len() + 1,
        }
    }

    fn find(&self, pattern: &SubPattern, mut each: impl FnMut(u32)) -> Found {
        let root = if gap_of(&pattern.text).is_some() { BOUNDARY_ROOT } else { WORD_ROOT };
        let needle = marked(&pattern.text, pattern.anchor);
        let next = |at| symbol(&needle[at..]);
        let (node, length) = self.trie.walk(root, next, |node, _| each(node));
        match next(length) {
            None => Found::Node(node),
            Some((next, _)) => Found::Beyond(node, tag(Some(next))),
        }
    }

    /// How many live cases have a sub-pattern of a needle, at most, and how many terms have it.
    /// Cost: a walk, a list of terms, and the buffer.
    pub(crate) fn estimate(&self, vocabulary: &Vocabulary, pattern: &SubPattern) -> Estimate {
        let matcher = Matcher::new(vocabulary, pattern);
        let mut own = self.estimate_in_trie(pattern, &matcher);
        for long in self.long.iter().filter(|long| matcher.fits(**long)) {
            let cases = self.terms.get(*long).map(u64::from);
            if cases != [0; 2] {
                // A case may have it in another term as well, and count twice.
                own.is_counted = false;
                own.cases = [0, 1].map(|half| own.cases[half] + cases[half]);
            }
            own.term_count += 1;
        }
        let is_infix = pattern.is_infix();
        let mut cases = own.cases.map(u64::cast_signed);
        self.buffer.find(&matcher.finder, |delta| {
            // Elsewhere in a buffered text the sub-pattern is found, too: it must not be taken out.
            if is_infix || delta.sign > 0 {
                cases[delta.half()] += i64::from(delta.sign);
            }
        });
        own.cases = cases.map(|cases| u64::try_from(cases).unwrap_or(0));
        own.is_counted &= is_infix;
        own.term_count += self.fresh.len();
        own
    }

    /// What the trie knows of a sub-pattern: of the counted cases and the terms that are entered.
    ///
    /// Whoever has a gram has each gram on the way to it, so the last counted node on the way has
    /// at least as many cases as the sub-pattern; and no more cases have it than have one of its
    /// terms.
    fn estimate_in_trie(&self, pattern: &SubPattern, matcher: &Matcher<'_>) -> Estimate {
        let mut bound = [0; 2];
        let found = self.find(pattern, |node| {
            let record = self.trie.record(node);
            if record.is_counted {
                bound = record.cases.map(u64::from);
            }
        });
        let mut terms = Vec::new();
        match found {
            Found::Node(node) => {
                let Record { terms: count, is_counted, .. } = self.trie.record(node);
                let (mut cases, term_count) = (bound, count as usize);
                if !is_counted && term_count <= LIMIT {
                    self.trie.each_term(node, |term| terms.push(term));
                    let length = sort_distinct(&mut terms);
                    cases = self.at_most(&terms[..length], bound);
                }
                Estimate { cases, term_count, is_counted, terms: None }
            }
            // A long list is not gone through here.
            Found::Beyond(node, _) if self.trie.listed(node).len() > LONG => {
                let term_count = self.trie.listed(node).len();
                Estimate { cases: bound, term_count, is_counted: false, terms: None }
            }
            Found::Beyond(node, tag) => {
                self.trie.listed(node).each_with(tag, |term| {
                    if matcher.fits(term) {
                        terms.push(term);
                    }
                });
                let (cases, term_count) = (self.at_most(&terms, bound), terms.len());
                Estimate { cases, term_count, is_counted: term_count < 2, terms: Some(terms) }
            }
        }
    }

    /// How many counted cases have one of some distinct terms, at most; exact for a single one.
    fn at_most(&self, terms: &[Ordinal], bound: [u64; 2]) -> [u64; 2] {
        let sum =
            |half: usize| terms.iter().map(|term| u64::from(self.terms.get(*term)[half])).sum();
        [bound[0].min(sum(0)), bound[1].min(sum(1))]
    }

    /// The terms that have a sub-pattern of which there may be an estimate, ascending: words, or
    /// if it has white space, boundary grams. Cost: a walk, and those terms.
    pub(crate) fn terms(
        &self,
        vocabulary: &Vocabulary,
        pattern: &SubPattern,
        estimate: Option<&Estimate>,
    ) -> Vec<Ordinal> {
        if pattern.anchor == Anchor::Exact {
            return vocabulary.find(&pattern.text).into_iter().collect();
        }
        let matcher = Matcher::new(vocabulary, pattern);
        let known = estimate.and_then(|own| own.terms.clone());
        let mut terms = known.unwrap_or_else(|| self.terms_in_trie(pattern, &matcher));
        let others = self.long.iter().chain(&*self.fresh).copied();
        terms.extend(others.filter(|term| matcher.fits(*term) && matcher.is_of_kind(*term)));
        let length = sort_distinct(&mut terms);
        terms.truncate(length);
        terms
    }

    fn terms_in_trie(&self, pattern: &SubPattern, matcher: &Matcher<'_>) -> Vec<Ordinal> {
        let mut terms = Vec::new();
        match self.find(pattern, |_| {}) {
            Found::Node(node) => self.trie.each_term(node, |term| terms.push(term)),
            Found::Beyond(node, tag) => self.trie.listed(node).each_with(tag, |term| {
                if matcher.fits(term) {
                    terms.push(term);
                }
            }),
        }
        terms
    }

    /// How many bytes it takes, about. Cost: none to speak of.
    pub(super) fn bytes(&self) -> usize {
        let columns = self.terms.bytes() + self.titles.bytes();
        let lists = (self.long.len() + self.fresh.len() + self.debt.uncounted.len()) * 4;
        self.trie.bytes() + columns + lists + self.entered.len() * 8 + self.buffer.bytes()
    }

    /// Checks the trie, and that each case is counted once; `live` are titles and halves.
    pub(super) fn validate(
        &self,
        catalog: &Catalog,
        live: impl Iterator<Item = (Ordinal, bool)>,
    ) -> Result<(), String> {
        let vocabulary = &catalog.vocabulary;
        let all = (0..vocabulary.len() as Ordinal).filter(|term| self.is_entered(*term));
        let (short, long): (Vec<_>, Vec<_>) =
            all.partition(|term| vocabulary.get(*term).len() <= TRIE_TERM_BYTES);
        let mut own_long = self.long.to_vec();
        own_long.sort_unstable();
        if own_long != long {
            return Err("the long terms".to_owned());
        }
        self.trie.validate(short.into_iter(), vocabulary)?;
        self.validate_counts(catalog, live)?;
        let buffered = self.buffer.iter().filter(|own| own.sign > 0);
        let mut terms = buffered.flat_map(|own| catalog.titles.get(own.title).terms());
        match terms.any(|term| !self.is_entered(term) && self.fresh.binary_search(&term).is_err()) {
            true => Err("terms of the buffer".to_owned()),
            false => Ok(()),
        }
    }

    /// Checks that titles, terms and counted nodes have the cases that are there, but for those
    /// that are buffered.
    fn validate_counts(
        &self,
        catalog: &Catalog,
        live: impl Iterator<Item = (Ordinal, bool)>,
    ) -> Result<(), String> {
        let vocabulary = &catalog.vocabulary;
        let mut all: Vec<Delta> =
            live.map(|(title, unresolved)| Delta { title, unresolved, sign: 1 }).collect();
        // What is buffered is counted here with turned signs.
        all.extend(self.buffer.iter().map(|own| Delta { sign: -own.sign, ..*own }));
        let mut titles = vec![[0_u32; 2]; catalog.titles.len()];
        for own in &all {
            let cases = &mut titles[own.title as usize][own.half()];
            *cases = cases.wrapping_add_signed(own.sign);
        }
        let mut terms = vec![[0_u32; 2]; vocabulary.len()];
        let mut nodes = vec![[0_u32; 2]; self.trie.len()];
        let mut stamps = Stamps::default();
        for (title, cases) in titles.iter().enumerate().filter(|(_, cases)| **cases != [0; 2]) {
            let add = |to: &mut Cases| *to = [0, 1].map(|half| to[half] + cases[half]);
            stamps.next_round();
            for term in catalog.titles.get(title as Ordinal).terms() {
                if !self.is_entered(term) {
                    return Err(format!("term {term} is not entered"));
                }
                add(&mut terms[term as usize]);
                if vocabulary.get(term).len() <= TRIE_TERM_BYTES {
                    let spelling = Spelling::of(vocabulary.get(term));
                    self.trie.each_node(spelling, &mut stamps, |node, _, _| {
                        add(&mut nodes[node as usize]);
                    });
                }
            }
        }
        let is_same = |own: &CaseCounts, right: &[Cases]| {
            (0..).zip(right).all(|(at, right)| own.get(at) == *right)
        };
        if !is_same(&self.titles, &titles) || !is_same(&self.terms, &terms) {
            return Err("the cases of titles or terms".to_owned());
        }
        let being = self.debt.recount.iter().flat_map(Recount::nodes);
        let mut uncounted: Vec<u32> = self.debt.uncounted.iter().copied().chain(being).collect();
        uncounted.sort_unstable();
        for (node, right) in nodes.into_iter().enumerate() {
            let record = self.trie.record(node as u32);
            let waits = uncounted.binary_search(&(node as u32)).is_ok();
            if record.is_counted == waits || record.is_counted && record.cases != right {
                return Err(format!("node {node} is {record:?}, and has {right:?}"));
            }
        }
        Ok(())
    }
}

/// Tells which terms have a sub-pattern of a needle.
struct Matcher<'m> {
    vocabulary: &'m Vocabulary,
    pattern: &'m SubPattern,
    finder: LazyCell<Finder<'m>, Box<dyn FnOnce() -> Finder<'m> + 'm>>,
}

impl<'m> Matcher<'m> {
    fn new(vocabulary: &'m Vocabulary, pattern: &'m SubPattern) -> Self {
        let finder = LazyCell::new(Box::new(|| Finder::new(&pattern.text)) as Box<_>);
        Self { vocabulary, pattern, finder }
    }

    fn fits(&self, term: Ordinal) -> bool {
        let text = self.vocabulary.get(term);
        match self.pattern.anchor {
            Anchor::Infix => self.finder.find(text.as_bytes()).is_some(),
            Anchor::Prefix => text.starts_with(&self.pattern.text),
            Anchor::Suffix => text.ends_with(&self.pattern.text),
            Anchor::Exact => text == self.pattern.text,
        }
    }

    /// Whether a term has white space where the sub-pattern has.
    fn is_of_kind(&self, term: Ordinal) -> bool {
        gap_of(self.vocabulary.get(term)).is_some() == gap_of(&self.pattern.text).is_some()
    }
}

#[cfg(test)]
mod tests;
