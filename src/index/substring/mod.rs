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
mod column;
mod counts;
mod grow;
mod spelling;
mod term_list;
mod trie;

use std::cell::LazyCell;
use std::sync::Arc;

use memchr::memmem::Finder;

use crate::index::catalog::{Catalog, Piece, Stands, Vocabulary, gap_of};
use crate::index::collections::{Ordinal, Paged, sized};
use crate::threads::Threads;
use buffer::{Buffer, Noted};
use column::Column;
use counts::{Recount, count_few, count_many, steps};
use grow::Splitting;
use spelling::{LONGEST, SEAMS, Spelling, WORDS, marked, symbol};
use term_list::{sort_distinct, tag};
use trie::{Cases, LIMIT, LONG, Stamps, Trie};

/// How many changes wait uncounted, and how many are left when that are too many.
const WAITING: usize = sized(512, 9);
const LEFT: usize = sized(384, 6);

/// How many bytes of text the changes that wait have at most.
const WAITING_TEXT: usize = sized(1 << 16, 600);

/// From how many nodes on they are counted anew along with changes, and how many titles are gone
/// through then: so many, or if that is more, so many for each change. The titles are then gone
/// through a few times in a load, however many batches it comes in.
const UNCOUNTED: usize = sized(32, 2);
const SLICE: usize = sized(256, 8);
const STEPS_A_CHANGE: usize = sized(8, 2);

/// How many terms are gathered at once of nodes that are to be counted where somebody waits for it,
/// or if that is more, as many as titles are gone through: a millisecond's.
const GATHERED: usize = sized(1 << 14, 20);

/// What a piece of a needle was found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// How many live cases have it, unresolved and done, or at most as many as have it.
    pub(crate) cases: [u64; 2],
    /// How many terms have it, at most.
    pub(crate) spread: usize,
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

/// The substrings of a scope's names and titles. A clone costs some pointers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Substrings {
    trie: Trie,
    /// How many counted cases have each term and each title.
    terms: Column,
    titles: Column,
    /// By ordinal, a bit: the terms in the trie, and the long ones.
    entered: Paged<u64, 16>,
    long: Arc<Vec<Ordinal>>,
    /// Nodes that nobody counts yet, and those that are being counted.
    uncounted: Arc<Vec<u32>>,
    recount: Option<Recount>,
    buffer: Buffer,
    /// Terms of the buffer that are not entered; ascending.
    fresh: Arc<Vec<Ordinal>>,
    /// What the batch under way changed.
    noted: Vec<Noted>,
    /// How many titles were gone through to count nodes anew.
    #[cfg(test)]
    recounted: usize,
}

impl Substrings {
    /// Notes that a case has another title, or is of the other half; `settle` follows.
    #[inline]
    pub(super) fn note(&mut self, old: Option<(Ordinal, bool)>, new: Option<(Ordinal, bool)>) {
        if old == new {
            return;
        }
        let noted = |(title, unresolved), sign| Noted { title, unresolved, sign };
        self.noted.extend(old.map(|old| noted(old, -1)));
        self.noted.extend(new.map(|new| noted(new, 1)));
    }

    /// Closes a batch. Cost: its changes, and those of a hundred others now and then; and a slice
    /// of a recount, if one is due.
    pub(super) fn settle(&mut self, catalog: &Catalog, threads: &Threads) {
        let noted = std::mem::take(&mut self.noted);
        let changes = noted.len();
        if changes > LEFT {
            let mut all = self.buffer.take_over(0, 0);
            all.extend(noted);
            self.count(&all, catalog, threads);
        } else if changes > 0 {
            self.wait(&noted, catalog);
            if self.buffer.len() > WAITING || self.buffer.text() > WAITING_TEXT {
                let oldest = self.buffer.take_over(LEFT, WAITING_TEXT / 2);
                self.count(&oldest, catalog, threads);
            }
        }
        if self.recount.is_some() || self.uncounted.len() >= UNCOUNTED {
            self.merge(catalog, SLICE.max(changes * STEPS_A_CHANGE));
        }
    }

    fn is_entered(&self, term: Ordinal) -> bool {
        let word = self.entered.get(term as usize / 64).copied().unwrap_or(0);
        word >> (term % 64) & 1 == 1
    }

    /// Puts changes into the buffer.
    fn wait(&mut self, noted: &[Noted], catalog: &Catalog) {
        let mut fresh: Vec<Ordinal> = Vec::new();
        for own in noted {
            let title = catalog.titles.get(own.title);
            self.buffer.push(*own, title.texts());
            if own.sign > 0 {
                fresh.extend(title.terms().filter(|term| !self.is_entered(*term)));
            }
        }
        if !fresh.is_empty() {
            let all = Arc::make_mut(&mut self.fresh);
            all.extend(fresh);
            all.sort_unstable();
            all.dedup();
        }
    }

    /// Enters the terms of changes and counts these.
    fn count(&mut self, changes: &[Noted], catalog: &Catalog, threads: &Threads) {
        let counted = self.terms.clone();
        for own in changes {
            self.titles.count(own.title, own);
            let terms = catalog.titles.get(own.title).terms();
            terms.for_each(|term| self.terms.count(term, own));
        }
        let new = self.new_terms(changes, catalog);
        let mut splitting = splitting(catalog, &counted, &self.terms);
        self.trie.enter(&new, &mut splitting);
        let recount = self.recount.as_ref();
        if steps(changes, catalog) >= self.trie.steps() {
            self.trie.split_all(&mut splitting);
            add_to(&mut self.uncounted, splitting.uncounted);
            count_many(&mut self.trie, changes, catalog, recount, threads);
        } else {
            let mut due = Vec::new();
            count_few(&mut self.trie, changes, catalog, recount, |node, gram| {
                due.push((node, gram));
            });
            // What was counted is so now at the nodes, too.
            splitting.counted = &self.terms;
            for (node, gram) in due {
                self.trie.split(node, &gram, &mut splitting);
            }
            add_to(&mut self.uncounted, splitting.uncounted);
        }
        if self.fresh.iter().any(|term| self.is_entered(*term)) {
            let left = self.fresh.iter().copied().filter(|term| !self.is_entered(*term));
            self.fresh = Arc::new(left.collect());
        }
    }

    /// The terms of changes that are not entered yet, and are short enough for the trie; ascending.
    /// They are from now on.
    fn new_terms(&mut self, changes: &[Noted], catalog: &Catalog) -> Vec<Ordinal> {
        let mut new = Vec::new();
        for own in changes.iter().filter(|own| own.sign > 0) {
            for term in catalog.titles.get(own.title).terms() {
                let (word, bit) = (term as usize / 64, 1 << (term % 64));
                if self.entered.get(word).is_some_and(|own| own & bit > 0) {
                    continue;
                }
                self.entered.grow(word + 1, &0);
                if let Some(word) = self.entered.get_mut(word) {
                    *word |= bit;
                }
                if catalog.vocabulary.get(term).len() > LONGEST {
                    Arc::make_mut(&mut self.long).push(term);
                    continue;
                }
                new.push(term);
                if let Some(recount) = &mut self.recount {
                    recount.heed(term);
                }
            }
        }
        new.sort_unstable();
        new
    }

    /// Whether there are nodes to be counted, and how many steps of it are left, about.
    pub(crate) fn left(&self) -> usize {
        match &self.recount {
            Some(recount) => recount.left(&self.titles),
            None if self.uncounted.is_empty() => 0,
            None => self.titles.len() + 1,
        }
    }

    /// Counts nodes for a number of titles; gives how many steps are left over. Cost: the steps;
    /// and as many terms, or some thousands, where nodes are begun to be counted.
    pub(crate) fn merge(&mut self, catalog: &Catalog, steps: usize) -> usize {
        self.merge_many(catalog, steps, steps.max(GATHERED))
    }

    /// The same where nobody waits: each time that titles are gone through, as many terms as there
    /// are titles are gathered first, so that this is done a few times, however few the steps are.
    pub(crate) fn merge_aside(&mut self, catalog: &Catalog, steps: usize) -> usize {
        self.merge_many(catalog, steps, self.titles.len().max(GATHERED))
    }

    fn merge_many(&mut self, catalog: &Catalog, steps: usize, gathered: usize) -> usize {
        let mut left = steps;
        while left > 0 {
            if self.recount.is_none() && self.uncounted.is_empty() {
                return left;
            }
            let uncounted = &mut self.uncounted;
            let recount = self.recount.get_or_insert_with(|| {
                Recount::new(Arc::make_mut(uncounted), &self.trie, gathered)
            });
            #[cfg(test)]
            let before = left;
            left = recount.step(&mut self.trie, &self.titles, catalog, left);
            #[cfg(test)]
            {
                self.recounted += before - left;
            }
            if left > 0 {
                self.recount = None;
            }
        }
        0
    }

    fn find(&self, piece: &Piece, mut each: impl FnMut(u32)) -> Found {
        let root = if gap_of(&piece.text).is_some() { SEAMS } else { WORDS };
        let needle = marked(&piece.text, piece.stands);
        let next = |at| symbol(&needle[at..]);
        let (node, length) = self.trie.walk(root, next, |node, _| each(node));
        match next(length) {
            None => Found::Node(node),
            Some((next, _)) => Found::Beyond(node, tag(Some(next))),
        }
    }

    /// How many live cases have a piece of a needle, at most, and how many terms have it. Cost: a
    /// walk, a list of terms, and the buffer.
    pub(crate) fn weigh(&self, vocabulary: &Vocabulary, piece: &Piece) -> Weight {
        let mut bound = [0; 2];
        let found = self.find(piece, |node| {
            let record = self.trie.record(node);
            if record.is_counted {
                bound = record.cases.map(u64::from);
            }
        });
        let matcher = Matcher::new(vocabulary, piece);
        let (mut some, mut has_all) = (Vec::new(), false);
        let (mut cases, mut spread, mut is_counted) = match found {
            Found::Node(node) if self.trie.record(node).is_counted => {
                (bound, self.trie.record(node).terms as usize, true)
            }
            Found::Node(node) => {
                let spread = self.trie.record(node).terms as usize;
                if spread <= LIMIT {
                    self.trie.each_term(node, |term| some.push(term));
                    let length = sort_distinct(&mut some);
                    some.truncate(length);
                    (self.at_most(&some, bound), spread, false)
                } else {
                    (bound, spread, false)
                }
            }
            // A long list is not gone through here.
            Found::Beyond(node, _) if self.trie.listed(node).len() > LONG => {
                (bound, self.trie.listed(node).len(), false)
            }
            Found::Beyond(node, tag) => {
                self.trie.listed(node).each_with(tag, |term| {
                    if matcher.fits(term) {
                        some.push(term);
                    }
                });
                has_all = true;
                (self.at_most(&some, bound), some.len(), some.len() < 2)
            }
        };
        for long in self.long.iter().filter(|long| matcher.fits(**long)) {
            let own = self.terms.get(*long).map(u64::from);
            if own != [0; 2] {
                is_counted = false;
                cases = [cases[0] + own[0], cases[1] + own[1]];
            }
            spread += 1;
        }
        let is_anywhere = piece.is_anywhere();
        let mut cases = cases.map(u64::cast_signed);
        self.buffer.find(&matcher.finder, |noted| {
            // What stands elsewhere in a waiting text is found, too: it must not be taken out.
            if is_anywhere || noted.sign > 0 {
                cases[noted.half()] += i64::from(noted.sign);
            }
        });
        spread += self.fresh.len();
        let cases = cases.map(|cases| u64::try_from(cases).unwrap_or(0));
        let terms = has_all.then_some(some);
        Weight { cases, spread, is_counted: is_counted && is_anywhere, terms }
    }

    /// How many counted cases have one of some distinct terms, at most; exact for a single one.
    fn at_most(&self, terms: &[Ordinal], bound: [u64; 2]) -> [u64; 2] {
        let sum =
            |half: usize| terms.iter().map(|term| u64::from(self.terms.get(*term)[half])).sum();
        [bound[0].min(sum(0)), bound[1].min(sum(1))]
    }

    /// The terms that have a piece that was weighed, ascending: words, or if it has white space,
    /// token-boundary grams. Cost: a walk, and those terms.
    pub(crate) fn terms(
        &self,
        vocabulary: &Vocabulary,
        piece: &Piece,
        weight: Option<&Weight>,
    ) -> Vec<Ordinal> {
        if piece.stands == Stands::Whole {
            return vocabulary.find(&piece.text).into_iter().collect();
        }
        let matcher = Matcher::new(vocabulary, piece);
        let known = weight.and_then(|weight| weight.terms.clone());
        let mut terms = known.unwrap_or_else(|| self.terms_in_trie(piece, &matcher));
        let others = self.long.iter().chain(&*self.fresh).copied();
        terms.extend(others.filter(|term| matcher.fits(*term) && matcher.is_of_kind(*term)));
        let length = sort_distinct(&mut terms);
        terms.truncate(length);
        terms
    }

    fn terms_in_trie(&self, piece: &Piece, matcher: &Matcher<'_>) -> Vec<Ordinal> {
        let mut terms = Vec::new();
        match self.find(piece, |_| {}) {
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
        let lists = (self.long.len() + self.fresh.len() + self.uncounted.len()) * 4;
        self.trie.bytes() + columns + lists + self.entered.len() * 8 + self.buffer.bytes()
    }

    /// Checks the trie, and that each case is counted once; `live` are titles and halves.
    pub(super) fn validate(
        &self,
        catalog: &Catalog,
        live: impl Iterator<Item = (Ordinal, bool)>,
    ) -> Result<(), String> {
        if !self.noted.is_empty() {
            return Err("changes that are not settled".to_owned());
        }
        let vocabulary = &catalog.vocabulary;
        let all = (0..vocabulary.len() as Ordinal).filter(|term| self.is_entered(*term));
        let (short, long): (Vec<_>, Vec<_>) =
            all.partition(|term| vocabulary.get(*term).len() <= LONGEST);
        let mut own_long = self.long.to_vec();
        own_long.sort_unstable();
        if own_long != long {
            return Err("the long terms".to_owned());
        }
        self.trie.validate(short.into_iter(), vocabulary)?;
        let mut all: Vec<Noted> =
            live.map(|(title, unresolved)| Noted { title, unresolved, sign: 1 }).collect();
        // Changes that wait are counted here with turned signs.
        all.extend(self.buffer.iter().map(|own| Noted { sign: -own.sign, ..*own }));
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
                if vocabulary.get(term).len() <= LONGEST {
                    let spelling = Spelling::of(vocabulary.get(term));
                    self.trie.each_node(spelling, &mut stamps, |node, _, _| {
                        add(&mut nodes[node as usize]);
                    });
                }
            }
        }
        let is_same = |own: &Column, right: &[Cases]| {
            (0..).zip(right).all(|(at, right)| own.get(at) == *right)
        };
        if !is_same(&self.titles, &titles) || !is_same(&self.terms, &terms) {
            return Err("the cases of titles or terms".to_owned());
        }
        let being = self.recount.iter().flat_map(Recount::nodes);
        let mut uncounted: Vec<u32> = self.uncounted.iter().copied().chain(being).collect();
        uncounted.sort_unstable();
        for (node, right) in nodes.into_iter().enumerate() {
            let record = self.trie.record(node as u32);
            let waits = uncounted.binary_search(&(node as u32)).is_ok();
            if record.is_counted == waits || record.is_counted && record.cases != right {
                return Err(format!("node {node} is {record:?}, and has {right:?}"));
            }
        }
        let waiting = self.buffer.iter().filter(|own| own.sign > 0);
        let mut waiting = waiting.flat_map(|own| catalog.titles.get(own.title).terms());
        match waiting.any(|term| !self.is_entered(term) && self.fresh.binary_search(&term).is_err())
        {
            true => Err("terms of the buffer".to_owned()),
            false => Ok(()),
        }
    }
}

fn splitting<'s>(catalog: &'s Catalog, counted: &'s Column, coming: &'s Column) -> Splitting<'s> {
    Splitting { vocabulary: &catalog.vocabulary, counted, coming, uncounted: Vec::new() }
}

fn add_to(all: &mut Arc<Vec<u32>>, some: Vec<u32>) {
    if !some.is_empty() {
        Arc::make_mut(all).extend(some);
    }
}

/// Tells which terms have a piece of a needle.
struct Matcher<'m> {
    vocabulary: &'m Vocabulary,
    piece: &'m Piece,
    finder: LazyCell<Finder<'m>, Box<dyn FnOnce() -> Finder<'m> + 'm>>,
}

impl<'m> Matcher<'m> {
    fn new(vocabulary: &'m Vocabulary, piece: &'m Piece) -> Self {
        let finder = LazyCell::new(Box::new(|| Finder::new(&piece.text)) as Box<_>);
        Self { vocabulary, piece, finder }
    }

    fn fits(&self, term: Ordinal) -> bool {
        let text = self.vocabulary.get(term);
        match self.piece.stands {
            Stands::Anywhere => self.finder.find(text.as_bytes()).is_some(),
            Stands::AtStart => text.starts_with(&self.piece.text),
            Stands::AtEnd => text.ends_with(&self.piece.text),
            Stands::Whole => text == self.piece.text,
        }
    }

    /// Whether a term has white space where the piece has.
    fn is_of_kind(&self, term: Ordinal) -> bool {
        gap_of(self.vocabulary.get(term)).is_some() == gap_of(&self.piece.text).is_some()
    }
}

#[cfg(test)]
mod tests;
