//! Counting cases at the nodes of a trie, by their titles' terms.
//!
//! A case is counted once at each node whose gram a term of its title has, once at each of its
//! terms, and once at its title. Nodes that came after cases with their gram are counted anew
//! from the titles, a few at a time (`Recount`); until then their counts are not asked.
//!
//! A counted node's record has every case with its gram that is no longer buffered; that of a node
//! that is being counted anew has those of them whose titles the recount has passed. So a delta
//! counts at a counted node always, at a recounted one if its title is passed, and at any other
//! node never.

use std::sync::Arc;

use super::buffer::Delta;
use super::case_counts::CaseCounts;
use super::spelling::{BOUNDARY_ROOT, WORD_ROOT};
use super::spelling::{Spelling, TRIE_TERM_BYTES};
use super::trie::{Cases, Stamps, Trie};
use crate::index::catalog::Catalog;
use crate::index::collections::{Ordinal, sized};
use crate::threads::Threads;

/// From how many changes on they are counted on several cores.
const PARALLEL_DELTAS: usize = sized(1 << 12, 50);

/// How many nodes a byte of a changed text leads to, about.
const DEPTH: usize = 4;

/// How many changes are counted together: what is kept of them meanwhile stays near.
const GATHERED_DELTAS: usize = sized(1 << 15, 30);

/// The terms of a title that are short enough for the trie.
fn short_terms(catalog: &Catalog, title: Ordinal) -> impl Iterator<Item = Ordinal> {
    let terms = catalog.titles.get(title).terms();
    terms.filter(|term| catalog.vocabulary.get(*term).len() <= TRIE_TERM_BYTES)
}

/// How many steps it takes to count changes one by one, about.
pub(super) fn steps(changes: &[Delta], catalog: &Catalog) -> usize {
    let texts = changes.iter().flat_map(|own| catalog.titles.get(own.title).texts());
    texts.map(|text| text.len() * DEPTH).sum()
}

/// Nodes whose counts are not asked yet. Readers know nothing of it; the next writer goes on with
/// it.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Debt {
    /// Nodes that nobody counts yet.
    pub(super) uncounted: Arc<[u32]>,
    /// Those that are being counted.
    pub(super) recount: Option<Recount>,
    /// How many titles were gone through to count nodes anew.
    #[cfg(test)]
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    pub(super) recounted: usize,
}

impl Debt {
    pub(super) fn add(&mut self, nodes: &[u32]) {
        if !nodes.is_empty() {
            self.uncounted = [&self.uncounted, nodes].concat().into();
        }
    }
}

/// A count of some nodes anew, title by title.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Recount {
    /// Titles below this are counted.
    title: Ordinal,
    /// The nodes that are counted, ascending.
    nodes: Arc<Vec<u32>>,
    /// By term, ascending: which of the nodes has it.
    under: Arc<Vec<(Ordinal, u32)>>,
    /// By ordinal, a bit: the terms with a gram of one of the nodes, and those that came later,
    /// which are led down the trie.
    terms: Arc<Vec<u64>>,
}

impl Recount {
    /// Begins, with some of the nodes that are to be counted: as many as have so many terms, or
    /// one. Cost: these terms.
    pub(super) fn new(uncounted: &mut Vec<u32>, trie: &Trie, most: usize) -> Self {
        let (mut nodes, mut under) = (Vec::new(), Vec::new());
        while (under.is_empty() || under.len() < most)
            && let Some(node) = uncounted.pop()
        {
            trie.each_term(node, |term| under.push((term, node)));
            nodes.push(node);
        }
        nodes.sort_unstable();
        under.sort_unstable();
        under.dedup();
        let place = |node: u32| nodes.partition_point(|own| *own < node) as u32;
        under.iter_mut().for_each(|(_, node)| *node = place(*node));
        under.shrink_to_fit();
        let mut own =
            Self { title: 0, terms: Arc::default(), nodes: Arc::new(nodes), under: Arc::default() };
        under.iter().for_each(|(term, _)| own.add_term(*term));
        own.under = Arc::new(under);
        own
    }

    /// A term came that may have a gram of one of the nodes.
    pub(super) fn add_term(&mut self, term: Ordinal) {
        let (word, bit) = (term as usize / 64, 1 << (term % 64));
        if self.terms.get(word).is_none_or(|own| own & bit == 0) {
            let terms = Arc::make_mut(&mut self.terms);
            terms.resize(terms.len().max(word + 1), 0);
            terms[word] |= bit;
        }
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().copied()
    }

    pub(super) fn remaining(&self, titles: &CaseCounts) -> usize {
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
        titles: &CaseCounts,
        catalog: &Catalog,
        steps: usize,
    ) -> usize {
        let start = self.title;
        let end = titles.len().min((start as usize).saturating_add(steps)) as Ordinal;
        let (mut stamps, mut counts) = (Stamps::default(), vec![[0; 2]; self.nodes.len()]);
        for title in start..end {
            let cases = titles.get(title);
            if cases == [0; 2] {
                continue;
            }
            stamps.next_round();
            for term in catalog.titles.get(title).terms().filter(|term| self.has(*term)) {
                self.each_node(term, trie, catalog, |place| {
                    if stamps.is_new(place) {
                        let count: &mut Cases = &mut counts[place as usize];
                        *count = [0, 1].map(|half| count[half] + cases[half]);
                    }
                });
            }
        }
        self.title = end;
        let remaining = steps - (end - start) as usize;
        for (node, counts) in self.nodes.iter().zip(counts) {
            let is_counted = remaining > 0;
            if let Some(record) = trie.record_mut(*node).filter(|_| is_counted || counts != [0; 2])
            {
                record.cases = [0, 1].map(|half| record.cases[half] + counts[half]);
                record.is_counted = is_counted;
            }
        }
        remaining
    }

    /// Hands on the places of the nodes that have a term, some more than once.
    fn each_node(&self, term: Ordinal, trie: &Trie, catalog: &Catalog, mut each: impl FnMut(u32)) {
        let known = &self.under[self.under.partition_point(|(own, _)| *own < term)..];
        let mut known = known.iter().take_while(|(own, _)| *own == term).peekable();
        if known.peek().is_some() {
            return known.for_each(|(_, place)| each(*place));
        }
        let text = catalog.vocabulary.get(term);
        if text.len() > TRIE_TERM_BYTES {
            return;
        }
        let spelling = Spelling::of(text);
        for start in spelling.starts() {
            let symbol = |at| spelling.symbol(start + at);
            trie.walk(spelling.root, symbol, |node, _| {
                if let Ok(place) = self.nodes.binary_search(&node) {
                    each(place as u32);
                }
            });
        }
    }

    fn has(&self, term: Ordinal) -> bool {
        let word = self.terms.get(term as usize / 64).copied().unwrap_or(0);
        word >> (term % 64) & 1 == 1
    }
}

/// Counts a few changes at the nodes, one by one. Hands on nodes and grams that are due to be
/// split: these are split later, so that all changes of a batch are counted at the same nodes.
pub(super) fn count_singly(
    trie: &mut Trie,
    changes: &[Delta],
    catalog: &Catalog,
    recount: Option<&Recount>,
    mut due: impl FnMut(u32, Vec<u8>),
) {
    let mut stamps = Stamps::default();
    let mut passed: Vec<(u32, usize, usize)> = Vec::new();
    for own in changes {
        stamps.next_round();
        for term in short_terms(catalog, own.title) {
            let spelling = Spelling::of(catalog.vocabulary.get(term));
            trie.each_node(spelling, &mut stamps, |node, start, length| {
                passed.push((node, start, length));
            });
            for (node, start, length) in passed.drain(..) {
                let Some(record) = trie.record_mut(node) else { continue };
                let is_recounted = || recount.is_some_and(|all| all.includes(node, own.title));
                if !record.is_counted && !is_recounted() {
                    continue;
                }
                let cases = &mut record.cases[own.half()];
                *cases = cases.wrapping_add_signed(own.sign);
                if own.sign > 0 && Trie::is_due(record.cases) {
                    due(node, spelling.gram(start, length));
                }
            }
        }
    }
}

/// Counts many changes at the nodes. Cost: the lists of all nodes, or sixteen steps for each
/// change if that is more; and a step for each change at each node that it has.
pub(super) fn count_together(
    trie: &mut Trie,
    changes: &[Delta],
    catalog: &Catalog,
    recount: Option<&Recount>,
    threads: &Threads,
) {
    // Those at titles that the recount has passed count at recounted nodes as well.
    let is_past = |own: &Delta| recount.is_some_and(|all| own.title < all.title);
    let (past, ahead): (Vec<_>, Vec<_>) = changes.iter().copied().partition(is_past);
    let counts = |changes| count_all(trie, changes, catalog, threads);
    let (past, ahead) = (counts(&past), counts(&ahead));
    for node in 0..trie.len() as u32 {
        let at = node as usize;
        let ahead = if trie.record(node).is_counted { ahead[at] } else { [0; 2] };
        if past[at] == [0; 2] && ahead == [0; 2] {
            continue;
        }
        let is_recounted = || recount.is_some_and(|all| all.nodes.binary_search(&node).is_ok());
        if !trie.record(node).is_counted && !is_recounted() {
            continue;
        }
        if let Some(record) = trie.record_mut(node) {
            for half in [0, 1] {
                let sign = past[at][half] + ahead[half];
                record.cases[half] = record.cases[half].wrapping_add_signed(sign);
            }
        }
    }
}

/// How many more cases each node has, over several cores where it is worth it.
fn count_all(
    trie: &Trie,
    changes: &[Delta],
    catalog: &Catalog,
    threads: &Threads,
) -> Vec<[i32; 2]> {
    let cores = if changes.len() >= PARALLEL_DELTAS { threads.count() } else { 1 };
    let size = changes.len().div_ceil(cores).max(1);
    let together = GATHERED_DELTAS.max(trie.steps() / 16);
    let counted = threads.map(changes.chunks(size).collect(), |changes: &[Delta]| {
        let mut counts = vec![[0; 2]; trie.len()];
        for changes in changes.chunks(together) {
            let mut gathered = Gathered::new(trie, changes, catalog);
            [WORD_ROOT, BOUNDARY_ROOT]
                .into_iter()
                .for_each(|root| gathered.count(root, &mut counts));
        }
        counts
    });
    let mut all = vec![[0; 2]; trie.len()];
    for own in counted {
        for (sum, own) in all.iter_mut().zip(own) {
            *sum = [0, 1].map(|half| sum[half] + own[half]);
        }
    }
    all
}

/// Changes by their terms, and those under the nodes that are being counted: what is under a node
/// is what is under its children and what its own terms have, each change once.
#[derive(Debug)]
struct Gathered<'t> {
    trie: &'t Trie,
    /// By ordinal, where the changes of each term end in `of_terms`; as many more before the first.
    ends: Vec<u32>,
    of_terms: Vec<PackedDelta>,
    /// Of the nodes on the way to the one that is counted, one after the other.
    under: Vec<PackedDelta>,
    /// By place, a bit: which changes the node has that is being counted. So small that it stays
    /// near.
    seen: Vec<u64>,
}

/// All that counting asks of a change: its place among those that are gathered, which half it
/// counts in, and its sign.
#[derive(Clone, Copy, Debug)]
struct PackedDelta(u32);

impl PackedDelta {
    fn of(place: u32, change: &Delta) -> Self {
        Self(place << 2 | (change.half() as u32) << 1 | u32::from(change.sign < 0))
    }

    fn place(self) -> usize {
        self.0 as usize >> 2
    }

    /// Which of four sums it is counted in: two halves, each of what came and of what went.
    fn sum(self) -> usize {
        self.0 as usize & 3
    }
}

impl<'t> Gathered<'t> {
    fn new(trie: &'t Trie, changes: &[Delta], catalog: &Catalog) -> Self {
        let terms = || {
            let of = |own: &Delta| catalog.titles.get(own.title).terms();
            let changes = (0..).zip(changes);
            changes.flat_map(move |(at, own)| {
                of(own).map(move |term| (term, PackedDelta::of(at, own)))
            })
        };
        let mut ends = vec![0; catalog.vocabulary.len() + 1];
        terms().for_each(|(term, _)| ends[term as usize + 1] += 1);
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut of_terms = vec![PackedDelta(0); ends.last().map_or(0, |all| *all as usize)];
        let mut next = ends.clone();
        for (term, change) in terms() {
            let place = &mut next[term as usize];
            of_terms[*place as usize] = change;
            *place += 1;
        }
        let seen = vec![0; changes.len().div_ceil(64)];
        Self { trie, ends, of_terms, under: Vec::new(), seen }
    }

    /// Counts the changes under a node and those below it, and leaves them at the end of `under`,
    /// each once: a parent finds those of its children there, one child's after the other's, and
    /// keeps the first of each.
    fn count(&mut self, node: u32, counts: &mut [[i32; 2]]) {
        let start = self.under.len();
        let own = self.trie.node(node);
        // Children share most changes: no more than a few times all of them are kept.
        let most = start + 2 * 64 * self.seen.len();
        for (_, child) in own.children.iter() {
            self.count(*child, counts);
            if self.under.len() > most {
                self.keep_first(start);
            }
        }
        for term in own.list.iter().map(|term| term as usize) {
            let range = self.ends[term] as usize..self.ends[term + 1] as usize;
            self.under.extend_from_slice(&self.of_terms[range]);
            if self.under.len() > most {
                self.keep_first(start);
            }
        }
        let [came, went, other_came, other_went] = self.keep_first(start);
        let sum = &mut counts[node as usize];
        *sum = [sum[0] + came - went, sum[1] + other_came - other_went];
    }

    /// Keeps the first of each change of `under` from a place on; gives how many, by their sums.
    fn keep_first(&mut self, start: usize) -> [i32; 4] {
        let Self { under, seen, .. } = self;
        let (mut end, mut sums) = (start, [0; 4]);
        for at in start..under.len() {
            let change = under[at];
            let (word, bit) = (&mut seen[change.place() / 64], change.place() % 64);
            let is_new = *word >> bit & 1 == 0;
            *word |= 1 << bit;
            // Without a branch: which are new is as good as random.
            under[end] = change;
            end += usize::from(is_new);
            sums[change.sum()] += i32::from(is_new);
        }
        under.truncate(end);
        under[start..].iter().for_each(|change| seen[change.place() / 64] = 0);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fixture;
    use super::*;

    /// Every child of a node may have all of its changes.
    #[test]
    fn what_is_under_a_node_is_kept_a_few_times_at_most() {
        let mut texts = Fixture::default();
        let letters = String::from_iter('a'..='z');
        (0..500).for_each(|at| texts.put(&format!("{letters}{at}"), at % 5 == 0));
        assert_eq!(texts.check(&["a", "xyz"]), 2);
        let of = |(title, unresolved, _): &(Ordinal, bool, String)| Delta {
            title: *title,
            unresolved: *unresolved,
            sign: 1,
        };
        let changes: Vec<Delta> = texts.live.iter().map(of).collect();
        let trie = &texts.substrings.trie;
        let mut counts = vec![[0; 2]; trie.len()];
        let mut gathered = Gathered::new(trie, &changes, &texts.catalog);
        gathered.count(WORD_ROOT, &mut counts);
        assert_eq!(counts[WORD_ROOT as usize], [100, 400]);
        assert!(trie.node(WORD_ROOT).children.len() > 20);
        let kept = gathered.under.capacity();
        assert!(kept <= 8 * changes.len(), "{kept} changes are kept of {}", changes.len());
    }
}
