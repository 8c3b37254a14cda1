//! Changing which cases have which terms: deltas go into a buffer, and from there into the counts.
//!
//! A few deltas wait in the buffer, where a query searches their texts as they are; when they are
//! too many, the oldest are counted, all at once. What that leaves to be done is debt: nodes that
//! came after cases with their gram are counted anew from the titles, a slice at a time, with each
//! batch or by upkeep. So an index is right whenever a writer lets go of it, however much debt it
//! has.
//!
//! Useful for whoever changes a scope. Not for queries: they read the index.

use super::SubstringIndex;
use super::buffer::Delta;
use super::counts::{Recount, count_singly, count_together, steps};
use super::grow::Splitting;
use super::spelling::TRIE_TERM_BYTES;
use crate::index::catalog::Catalog;
use crate::index::collections::{Ordinal, sized};
use crate::threads::Threads;

/// How many deltas the buffer holds at most, and how many it keeps when the oldest are counted.
const BUFFERED: usize = sized(512, 9);
const KEPT: usize = sized(384, 6);

/// How many bytes of text the buffered deltas have at most.
const BUFFERED_TEXT: usize = sized(1 << 16, 600);

/// From how many nodes on they are counted anew along with changes, and how many titles are gone
/// through then: so many, or if that is more, so many for each change. The titles are then gone
/// through a few times in a load, however many batches it comes in.
const UNCOUNTED: usize = sized(32, 2);
pub(super) const SLICE: usize = sized(256, 8);
pub(super) const STEPS_A_CHANGE: usize = sized(8, 2);

/// How many steps through the whole trie, node after node, take as long as one of a change that is
/// counted by itself: that one leads anywhere, and waits for memory.
const STEPS_OF_ALL: usize = sized(8, 2);

/// How many terms are gathered at once of nodes that are to be counted where somebody waits for it,
/// or if that is more, as many as titles are gone through: a millisecond's.
const GATHERED: usize = sized(1 << 14, 20);

/// What a batch changes of titles and halves, in order.
#[derive(Debug, Default)]
pub(crate) struct Deltas(Vec<Delta>);

impl Deltas {
    /// Adds that a case has another title, or is of the other half; or that it came, or went.
    #[inline]
    pub(crate) fn push(&mut self, old: Option<(Ordinal, bool)>, new: Option<(Ordinal, bool)>) {
        if old == new {
            return;
        }
        let delta = |(title, unresolved), sign| Delta { title, unresolved, sign };
        self.0.extend(old.map(|old| delta(old, -1)));
        self.0.extend(new.map(|new| delta(new, 1)));
    }
}

/// Changes the index of a scope's substrings.
pub(crate) struct SubstringWriter<'i> {
    index: &'i mut SubstringIndex,
    catalog: &'i Catalog,
}

impl<'i> SubstringWriter<'i> {
    pub(crate) fn new(index: &'i mut SubstringIndex, catalog: &'i Catalog) -> Self {
        Self { index, catalog }
    }

    /// Takes up the deltas of a batch. Cost: these, and those of a hundred others now and then; and
    /// a slice of a recount, if one is due.
    pub(crate) fn flush(&mut self, Deltas(deltas): Deltas, threads: &Threads) {
        let changes = deltas.len();
        if changes > KEPT {
            let mut all = self.index.buffer.take_oldest(0, 0);
            all.extend(deltas);
            self.count(&all, threads);
        } else if changes > 0 {
            self.buffer(&deltas);
            let buffer = &mut self.index.buffer;
            if buffer.len() > BUFFERED || buffer.text() > BUFFERED_TEXT {
                let oldest = buffer.take_oldest(KEPT, BUFFERED_TEXT / 2);
                self.count(&oldest, threads);
            }
        }
        let debt = &self.index.debt;
        if debt.recount.is_some() || debt.uncounted.len() >= UNCOUNTED {
            self.merge(SLICE.max(changes * STEPS_A_CHANGE));
        }
    }

    /// Puts deltas into the buffer. The terms that come with them are known to queries from now on.
    fn buffer(&mut self, deltas: &[Delta]) {
        let mut fresh: Vec<Ordinal> = Vec::new();
        for delta in deltas {
            let title = self.catalog.titles.get(delta.title);
            self.index.buffer.push(*delta, title.texts());
            if delta.sign > 0 {
                fresh.extend(title.terms().filter(|term| !self.index.is_entered(*term)));
            }
        }
        if !fresh.is_empty() {
            fresh.extend_from_slice(&self.index.fresh);
            fresh.sort_unstable();
            fresh.dedup();
            self.index.fresh = fresh.into();
        }
    }

    /// Enters the terms of deltas into the trie, and counts these at titles, terms and nodes.
    ///
    /// A new node's count is made of counts of terms, which must say what the nodes over it say:
    /// those before the deltas until these are counted at nodes, and those after them from then on.
    fn count(&mut self, deltas: &[Delta], threads: &Threads) {
        let catalog = self.catalog;
        let before = self.index.terms.clone();
        for delta in deltas {
            self.index.titles.count(delta.title, delta);
            let terms = catalog.titles.get(delta.title).terms();
            terms.for_each(|term| self.index.terms.count(term, delta));
        }
        let new = self.enter(deltas);
        let SubstringIndex { trie, terms, debt, .. } = &mut *self.index;
        let vocabulary = &catalog.vocabulary;
        let mut splitting =
            Splitting { vocabulary, counted: &before, coming: terms, uncounted: Vec::new() };
        trie.enter(&new, &mut splitting);
        let recount = debt.recount.as_ref();
        if steps(deltas, catalog) * STEPS_OF_ALL >= trie.steps() {
            trie.split_all(&mut splitting);
            debt.add(&splitting.uncounted);
            count_together(trie, deltas, catalog, debt.recount.as_ref(), threads);
        } else {
            let mut due = Vec::new();
            count_singly(trie, deltas, catalog, recount, |node, gram| due.push((node, gram)));
            splitting.counted = terms;
            for (node, gram) in due {
                trie.split(node, &gram, &mut splitting);
            }
            debt.add(&splitting.uncounted);
        }
        let index = &mut *self.index;
        if index.fresh.iter().any(|term| index.is_entered(*term)) {
            let fresh = index.fresh.iter().copied().filter(|term| !index.is_entered(*term));
            index.fresh = fresh.collect();
        }
    }

    /// Marks the terms of deltas as entered; gives those that were not, and are short enough for
    /// the trie; ascending.
    fn enter(&mut self, deltas: &[Delta]) -> Vec<Ordinal> {
        let SubstringIndex { entered, long, debt, .. } = &mut *self.index;
        let (mut new, mut new_long) = (Vec::new(), Vec::new());
        for delta in deltas.iter().filter(|delta| delta.sign > 0) {
            for term in self.catalog.titles.get(delta.title).terms() {
                let (word, bit) = (term as usize / 64, 1 << (term % 64));
                if entered.get(word).is_some_and(|own| own & bit > 0) {
                    continue;
                }
                entered.grow(word + 1, &0);
                if let Some(word) = entered.get_mut(word) {
                    *word |= bit;
                }
                if self.catalog.vocabulary.get(term).len() > TRIE_TERM_BYTES {
                    new_long.push(term);
                    continue;
                }
                new.push(term);
                if let Some(recount) = &mut debt.recount {
                    recount.add_term(term);
                }
            }
        }
        if !new_long.is_empty() {
            *long = [&**long, &*new_long].concat().into();
        }
        new.sort_unstable();
        new
    }

    /// Counts nodes for a number of titles; gives how many steps are left over. Cost: the steps;
    /// and as many terms, or some thousands, where nodes are begun to be counted.
    pub(crate) fn merge(&mut self, steps: usize) -> usize {
        self.recount(steps, steps.max(GATHERED))
    }

    /// Counts nodes where nobody waits: each time that titles are gone through, as many terms as
    /// there are titles are gathered first, so that this is done a few times, however few the steps
    /// are.
    pub(crate) fn merge_aside(&mut self, steps: usize) -> usize {
        self.recount(steps, self.index.titles.len().max(GATHERED))
    }

    fn recount(&mut self, steps: usize, gathered: usize) -> usize {
        let SubstringIndex { trie, titles, debt, .. } = &mut *self.index;
        let mut remaining = steps;
        while remaining > 0 {
            if debt.recount.is_none() && debt.uncounted.is_empty() {
                return remaining;
            }
            let recount = debt.recount.get_or_insert_with(|| {
                let mut uncounted = debt.uncounted.to_vec();
                let recount = Recount::new(&mut uncounted, trie, gathered);
                debt.uncounted = uncounted.into();
                recount
            });
            #[cfg(test)]
            let before = remaining;
            remaining = recount.step(trie, titles, self.catalog, remaining);
            #[cfg(test)]
            {
                debt.recounted += before - remaining;
            }
            if remaining > 0 {
                debt.recount = None;
            }
        }
        0
    }
}
