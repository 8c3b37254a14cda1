//! Counting cases at the nodes of a trie, by their titles' terms.
//!
//! A case is counted once at each node whose gram a term of its title has, once at each of its
//! terms, and once at its title. Nodes that came after cases with their gram are counted anew
//! from the titles, a few at a time (`Recount`); until then their counts are not asked.

use std::sync::Arc;

use super::super::catalog::Catalog;
use super::super::dictionary::Ordinal;
use super::super::paged::Paged;
use super::super::sized::sized;
use super::LONGEST;
use super::buffer::Noted;
use super::trie::{Cases, Spelling, Stamps, Trie};
use crate::threads::Threads;

/// From how many changes on they are counted on several cores, and how many of them it takes there
/// for each node, whose counts are one more each.
const PARALLEL: usize = sized(1 << 12, 50);
const A_NODE: usize = 8;

/// How many changes must have a term for its nodes to be looked up once and kept.
const OFTEN: u32 = 4;

/// A count of each of some ordinals.
pub(super) type Column = Paged<Cases, 64>;

/// Counts one case more or less.
pub(super) fn count(column: &mut Column, ordinal: Ordinal, own: &Noted) {
    column.grow(ordinal as usize + 1, &[0; 2]);
    if let Some(cases) = column.get_mut(ordinal as usize) {
        cases[own.half()] = cases[own.half()].wrapping_add_signed(own.sign);
    }
}

/// The terms of a title that are short enough for the trie.
fn short_terms(catalog: &Catalog, title: Ordinal) -> impl Iterator<Item = Ordinal> {
    let terms = catalog.titles.get(title).terms();
    terms.filter(|term| catalog.vocabulary.get(*term).len() <= LONGEST)
}

/// A count of each node anew, for nodes that were not counted.
#[derive(Clone, Debug)]
pub(super) struct Recount {
    /// Titles below this are counted.
    title: Ordinal,
    /// Ascending.
    nodes: Arc<Vec<u32>>,
    /// By ordinal, a bit: the terms with a gram of one of the nodes, and some others.
    terms: Arc<Vec<u64>>,
}

impl Recount {
    /// Begins. Cost: the terms under the nodes.
    pub(super) fn new(mut nodes: Vec<u32>, trie: &Trie) -> Self {
        nodes.sort_unstable();
        let mut own = Self { title: 0, nodes: Arc::default(), terms: Arc::default() };
        for node in &nodes {
            trie.each_term(*node, |term| own.heed(term));
        }
        own.nodes = Arc::new(nodes);
        own
    }

    /// A term came that may have a gram of one of the nodes.
    pub(super) fn heed(&mut self, term: Ordinal) {
        let (word, bit) = (term as usize / 64, 1 << (term % 64));
        if self.terms.get(word).is_none_or(|own| own & bit == 0) {
            let terms = Arc::make_mut(&mut self.terms);
            terms.resize(terms.len().max(word + 1), 0);
            terms[word] |= bit;
        }
    }

    /// Begins once more, from the first title.
    pub(super) fn restart(&mut self, trie: &mut Trie) {
        self.title = 0;
        for node in &*self.nodes {
            if let Some(record) = trie.record_mut(*node) {
                record.cases = [0; 2];
            }
        }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().copied()
    }

    pub(super) fn left(&self, titles: &Column) -> usize {
        titles.len().saturating_sub(self.title as usize) + 1
    }

    /// Whether a change of a title counts at a node that is not counted yet.
    fn includes(&self, node: u32, title: Ordinal) -> bool {
        title < self.title && self.nodes.binary_search(&node).is_ok()
    }

    /// Goes on for a number of titles; says how many of them are left over at the end.
    pub(super) fn step(
        &mut self,
        trie: &mut Trie,
        titles: &Column,
        catalog: &Catalog,
        steps: usize,
    ) -> usize {
        let mut stamps = Stamps::default();
        let mut passed = Vec::new();
        for left in (1..=steps).rev() {
            let Some(cases) = titles.get(self.title as usize) else {
                for node in &*self.nodes {
                    if let Some(record) = trie.record_mut(*node) {
                        record.is_counted = true;
                    }
                }
                return left;
            };
            let title = self.title;
            self.title += 1;
            if *cases == [0; 2] {
                continue;
            }
            stamps.next_round();
            for term in short_terms(catalog, title).filter(|term| self.has(*term)) {
                let spelling = Spelling::of(catalog.vocabulary.get(term));
                trie.each_node(&spelling, &mut stamps, |node, _| passed.push(node));
            }
            for node in passed.drain(..).filter(|node| self.nodes.binary_search(node).is_ok()) {
                if let Some(record) = trie.record_mut(node) {
                    record.cases = [0, 1].map(|half| record.cases[half] + cases[half]);
                }
            }
        }
        0
    }

    fn has(&self, term: Ordinal) -> bool {
        let word = self.terms.get(term as usize / 64).copied().unwrap_or(0);
        word >> (term % 64) & 1 == 1
    }
}

/// Counts a few changes at the nodes, one by one. Hands on nodes and grams that are due to be
/// split.
pub(super) fn count_few(
    trie: &mut Trie,
    changes: &[Noted],
    catalog: &Catalog,
    recount: Option<&Recount>,
    stamps: &mut Stamps,
    mut due: impl FnMut(u32, Vec<u8>),
) {
    let mut passed: Vec<(u32, usize, usize)> = Vec::new();
    for own in changes {
        stamps.next_round();
        for term in short_terms(catalog, own.title) {
            let spelling = Spelling::of(catalog.vocabulary.get(term));
            for (start, suffix) in spelling.suffixes() {
                trie.walk(spelling.root, suffix, |node, length| {
                    if stamps.is_new(node) {
                        passed.push((node, start, length));
                    }
                });
            }
            for (node, start, length) in passed.drain(..) {
                let Some(record) = trie.record_mut(node) else { continue };
                let is_recounted = || recount.is_some_and(|all| all.includes(node, own.title));
                if !record.is_counted && !is_recounted() {
                    continue;
                }
                let cases = &mut record.cases[own.half()];
                *cases = cases.wrapping_add_signed(own.sign);
                if own.sign > 0 && Trie::is_due(record.cases) {
                    due(node, spelling.gram(start, length).to_vec());
                }
            }
        }
    }
}

/// The nodes of terms that many changes have.
#[derive(Debug, Default)]
struct Paths {
    /// By ordinal: how many changes have the term, and from `OFTEN` on, which of `nodes` are its.
    ranges: Vec<(u32, u32, u32)>,
    nodes: Vec<u32>,
}

impl Paths {
    fn of(trie: &Trie, changes: &[Noted], catalog: &Catalog) -> Self {
        let mut own = Self::default();
        own.ranges.resize(catalog.vocabulary.len(), (0, 0, 0));
        for change in changes {
            for term in catalog.titles.get(change.title).terms() {
                if let Some((often, ..)) = own.ranges.get_mut(term as usize) {
                    *often += 1;
                }
            }
        }
        let mut stamps = Stamps::default();
        for (term, (often, start, end)) in own.ranges.iter_mut().enumerate() {
            let text = catalog.vocabulary.get(term as Ordinal);
            if *often < OFTEN || text.len() > LONGEST || own.nodes.len() > MOST_KEPT {
                *often = 0;
                continue;
            }
            *start = own.nodes.len() as u32;
            stamps.next_round();
            trie.each_node(&Spelling::of(text), &mut stamps, |node, _| own.nodes.push(node));
            *end = own.nodes.len() as u32;
        }
        own
    }

    fn get(&self, term: Ordinal) -> Option<&[u32]> {
        let (often, start, end) = *self.ranges.get(term as usize)?;
        (often > 0).then(|| &self.nodes[start as usize..end as usize])
    }
}

/// How many nodes of terms are kept at most, about.
const MOST_KEPT: usize = 1 << 24;

/// Counts many changes at the nodes that are counted, on several cores where it is worth it. A
/// recount under way must be restarted.
pub(super) fn count_many(trie: &mut Trie, changes: &[Noted], catalog: &Catalog, threads: &Threads) {
    let paths = Paths::of(trie, changes, catalog);
    let is_worth_it = changes.len() >= PARALLEL && changes.len() * A_NODE >= trie.len();
    let cores = if is_worth_it { threads.count() } else { 1 };
    let size = changes.len().div_ceil(cores).max(1);
    let counted = threads
        .map(changes.chunks(size).collect(), |changes| count_nodes(trie, &paths, changes, catalog));
    for node in 0..trie.len() as u32 {
        let sum = |half: usize| counted.iter().map(|own| own[node as usize][half]).sum::<i32>();
        let (open, done) = (sum(0), sum(1));
        if (open, done) == (0, 0) || !trie.record(node).is_counted {
            continue;
        }
        if let Some(record) = trie.record_mut(node) {
            record.cases[0] = record.cases[0].wrapping_add_signed(open);
            record.cases[1] = record.cases[1].wrapping_add_signed(done);
        }
    }
}

fn count_nodes(trie: &Trie, paths: &Paths, changes: &[Noted], catalog: &Catalog) -> Vec<[i32; 2]> {
    let mut counts = vec![[0; 2]; trie.len()];
    let mut stamps = Stamps::default();
    for own in changes {
        stamps.next_round();
        let mut add = |node: u32| counts[node as usize][own.half()] += own.sign;
        for term in catalog.titles.get(own.title).terms() {
            if let Some(nodes) = paths.get(term) {
                nodes.iter().filter(|node| stamps.is_new(**node)).for_each(|node| add(*node));
                continue;
            }
            let text = catalog.vocabulary.get(term);
            if text.len() <= LONGEST {
                trie.each_node(&Spelling::of(text), &mut stamps, |node, _| add(node));
            }
        }
    }
    counts
}
