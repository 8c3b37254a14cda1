//! The matches of all segments in the order of one field: a merge of the segments' kept orders.
//!
//! A segment is opened when its best key comes up (`cursor`), and walked until that has cost as
//! much as gathering its matches and sorting them would (`scan`, `sorted`). Where a far page begins
//! is looked for by counts (`rank_seek`, against an order `reverse_seek`), unless all matches are
//! sooner gathered. How matches compare, `compare` knows.

#[cfg(test)]
pub(super) mod calibrate;
mod compare;
mod cursor;
mod groups;
mod pivot;
mod rank_seek;
mod reverse_seek;
mod scan;
mod sorted;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::index::{DocAddress, Field, Segment, Zone, sized};

pub(super) use compare::{Compare, Keys, kept};

use super::after::After;
use super::cost::{HANDED_ON, SLOT_BY_TEST};
use super::docset::DocSet;
use super::execute::{Matched, in_segments};
use super::plan::Plan;
use super::select::ranks;
use super::signatures::Signatures;
use cursor::Cursor;
use scan::{Scan, Step};
use sorted::SortedRun;

/// From how many results before the page on its first one is looked for.
const FAR: usize = sized(256, 4);

/// Up to how many matches of all segments are sorted at once; and up to how many of each, about:
/// more of them cost more than what a merge does besides, and it may need those of one segment
/// only.
const SORTED: u64 = sized(256, 8) as u64;
const SORTED_OF_EACH: u64 = sized(16, 4) as u64;

/// How many matches of a far page's first and last keys are compared at most, besides the page.
const TIES: usize = sized(1024, 8);

/// Matches, those of a group of signatures if one is given, and the keys that rank them: behind a
/// case, if one is given.
#[derive(Clone, Copy)]
pub(super) struct Ranking<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) matched: &'a Matched<'a>,
    /// Some of the signatures that the plan leaves.
    pub(super) group: Option<&'a Signatures>,
    pub(super) keys: Keys<'a>,
    /// Compares by the same keys.
    pub(super) after: Option<After<'a>>,
}

impl<'a> Ranking<'a> {
    /// The matches, segment by segment.
    pub(super) fn docs(&self) -> impl Iterator<Item = DocSet<'a>> {
        let Self { plan, matched, group, .. } = *self;
        matched.docs(plan).map(move |docs| docs.of_group(group))
    }

    /// Whether each match is tested for a text as its turn comes.
    pub(super) fn is_tested(&self) -> bool {
        self.matched.is_everywhere && self.plan.text.is_some()
    }

    pub(super) fn signatures(&self) -> &'a Signatures {
        self.group.unwrap_or(&self.plan.signatures)
    }
}

/// Puts the addresses of a window of ranks after others.
pub(super) type FindPage = fn(&Ranking<'_>, &Range<usize>, &mut Vec<DocAddress>);

/// A page in the order of keys of which the first has a kept order. Matches that it finds equal,
/// where they are many, `by_rest` orders by the others.
pub(super) fn page(
    ranking: &Ranking<'_>,
    window: &Range<usize>,
    addresses: &mut Vec<DocAddress>,
    by_rest: FindPage,
) {
    let Some(compare) = Compare::new(ranking.plan, ranking.keys) else { return };
    let compare = compare.behind(ranking.after);
    let found = is_sooner_found(ranking, &compare, window.start).then(|| in_segments(ranking.plan));
    let ranking = match &found {
        Some(matched) => &Ranking { matched, ..*ranking },
        None => ranking,
    };
    if !ranking.matched.is_everywhere && is_sooner_sorted(ranking) {
        return sort_all(ranking, &compare, window, addresses);
    }
    let mut merge = Merge::new(ranking, &compare, window, by_rest);
    if merge.skip >= FAR {
        if merge.is_sooner_sorted() && sort_far(ranking, &compare, window, addresses) {
            return;
        }
        merge.seek();
    }
    if !compare.has_kept_tail {
        merge.go_on_in_group(addresses);
    }
    merge.line_up(Vec::new());
    merge.page(addresses);
}

/// Whether all matches of a text that is asked everywhere are found sooner than those before a far
/// page are handed on: then these are counted. By the date of creation most of these come before
/// those of other segments, and are passed without a look at these.
fn is_sooner_found(ranking: &Ranking<'_>, compare: &Compare<'_>, skip: usize) -> bool {
    let Some(text) = &ranking.plan.text else { return false };
    if skip < FAR || !ranking.is_tested() {
        return false;
    }
    let passed = if compare.field == Field::Created { SLOT_BY_TEST } else { HANDED_ON };
    let index = ranking.plan.index;
    let by_terms: u64 = index.segments().iter().map(|segment| text.terms_cost(segment)).sum();
    by_terms.min(text.test_cost(index.len())) < skip as u64 * passed
}

/// Whether the matches of all segments are so few that they are sooner sorted than merged.
fn is_sooner_sorted(ranking: &Ranking<'_>) -> bool {
    let segments = ranking.matched.found.len();
    let of_each = segments as u64 * SORTED_OF_EACH;
    let mut left = if segments == 1 { SORTED } else { SORTED.min(of_each) };
    ranking.docs().all(|docs| {
        let cost = docs.looked_at();
        let is_within = cost <= left;
        left = left.saturating_sub(cost);
        is_within
    })
}

/// Puts the addresses of a window of ranks after others. Cost: all matches.
fn sort_all(
    ranking: &Ranking<'_>,
    compare: &Compare<'_>,
    window: &Range<usize>,
    addresses: &mut Vec<DocAddress>,
) {
    let mut list = keyed(ranking, compare);
    let window = ranks(&mut list, window.clone(), |a, b| compare.keyed(*a, *b));
    addresses.extend(window.iter().map(|(_, address)| *address));
}

/// The same of many matches: keys alone tell which of them the window may take. Does nothing where
/// these are too many, and says so. Cost: a few looks at all keys.
fn sort_far(
    ranking: &Ranking<'_>,
    compare: &Compare<'_>,
    window: &Range<usize>,
    addresses: &mut Vec<DocAddress>,
) -> bool {
    let mut list = keyed(ranking, compare);
    let end = window.end.min(list.len());
    let Some(length) = end.checked_sub(window.start).filter(|length| *length > 0) else {
        return true;
    };
    let by_key = |own: &(u64, DocAddress)| own.0;
    let least = list.select_nth_unstable_by_key(window.start, by_key).1.0;
    let most = list[window.start..].select_nth_unstable_by_key(length - 1, by_key).1.0;
    let before = list.iter().filter(|(key, _)| *key < least).count();
    list.retain(|(key, _)| (least..=most).contains(key));
    if list.len() > length + TIES {
        return false;
    }
    let from = window.start - before;
    let window = ranks(&mut list, from..from + length, |a, b| compare.keyed(*a, *b));
    addresses.extend(window.iter().map(|(_, address)| *address));
    true
}

/// All matches with their keys.
fn keyed(ranking: &Ranking<'_>, compare: &Compare<'_>) -> Vec<(u64, DocAddress)> {
    let mut list = Vec::with_capacity(ranking.matched.total as usize);
    for docs in ranking.docs() {
        docs.for_each(|slot| {
            let doc = docs.segment.doc(slot);
            if ranking.after.is_none_or(|after| after.compare(doc).is_gt()) {
                list.push((compare.key(doc), doc.address));
            }
        });
    }
    list
}

/// Where a segment's next match may be.
struct Entry<'a> {
    /// Of the match, or a key that none of the segment's other matches comes before.
    key: u64,
    /// The match, where one is found already.
    address: Option<DocAddress>,
    cursor: usize,
    compare: &'a Compare<'a>,
}

impl Ord for Entry<'_> {
    /// The greatest comes first out of a heap: the one whose turn it is.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then_with(|| match (self.address, other.address) {
            (Some(a), Some(b)) => self.compare.merged(self.compare.doc(b), self.compare.doc(a)),
            // Where it is not known what comes, that is found out first.
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
    }
}

impl PartialOrd for Entry<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry<'_> {}

/// The matches of all segments, one after the other.
///
/// Invariant: no match that was not handed on yet comes before the first entry of the heap, but for
/// those of `current`, which has none; no match of an unopened segment comes before it either.
struct Merge<'a> {
    ranking: Ranking<'a>,
    compare: &'a Compare<'a>,
    /// Finds a page by the other keys.
    by_rest: FindPage,
    cursors: Vec<Cursor<'a>>,
    /// Segments without a cursor yet, the best key first.
    unopened: &'a [Zone],
    heap: BinaryHeap<Entry<'a>>,
    /// The cursor whose match was handed on last.
    current: Option<usize>,
    /// How many matches are still to be skipped.
    skip: usize,
    /// How many the page takes after these.
    limit: usize,
}

impl<'a> Merge<'a> {
    fn new(
        ranking: &Ranking<'a>,
        compare: &'a Compare<'a>,
        window: &Range<usize>,
        by_rest: FindPage,
    ) -> Self {
        let matched = ranking.matched;
        let unopened = match matched.is_everywhere {
            true => ranking.plan.index.zone_map().by(compare.field, compare.is_reversed),
            false => &[],
        };
        let found = matched.found.iter();
        let found = found.map(|found| DocSet::of(ranking.plan, found).of_group(ranking.group));
        Self {
            ranking: *ranking,
            compare,
            by_rest,
            cursors: found.map(Cursor::new).collect(),
            unopened,
            heap: BinaryHeap::new(),
            current: None,
            skip: window.start,
            limit: window.len(),
        }
    }

    /// Puts every cursor into the heap: those with a match at hand as they are, the others by the
    /// best key that they may have.
    fn line_up(&mut self, mut entries: Vec<Entry<'a>>) {
        let others = self.without(&entries).into_iter().filter_map(|at| {
            let key = self.best_key(&self.cursors[at])?;
            Some(Entry { key, address: None, cursor: at, compare: self.compare })
        });
        entries.extend(others);
        self.heap = BinaryHeap::from(entries);
        self.open_segments();
    }

    /// The cursors that some entries are not of.
    fn without(&self, entries: &[Entry<'_>]) -> Vec<usize> {
        let mut is_in = vec![false; self.cursors.len()];
        entries.iter().for_each(|entry| is_in[entry.cursor] = true);
        (0..is_in.len()).filter(|at| !is_in[*at]).collect()
    }

    /// Gives a cursor to the next unopened segment, if its best key does not come after one; says
    /// the key.
    fn open_segment(&mut self, best: Option<u64>) -> Option<u64> {
        let Ranking { plan, matched, group, .. } = self.ranking;
        loop {
            let (zone, unopened) = self.unopened.split_first()?;
            let key = self.compare.best_ahead(zone.key);
            if best.is_some_and(|best| best < key) {
                return None;
            }
            self.unopened = unopened;
            let segment = plan.index.at(zone)?;
            let last = segment.ends(self.compare.field).worst(self.compare.is_reversed);
            if self.compare.start.as_ref().is_some_and(|start| last < start.key) {
                continue;
            }
            let wanted = (self.skip + self.limit) as u64;
            // Most segments hold cases of one time; by any other order each gives its share.
            let wanted = match self.compare.field {
                Field::Created => wanted,
                _ => wanted / plan.index.segments().len().max(1) as u64 + 1,
            };
            if let Some(docs) = matched.open(plan, segment, wanted) {
                self.cursors.push(Cursor::new(docs.of_group(group)));
                return Some(key);
            }
        }
    }

    /// Puts the segments into the heap whose turn may be next.
    fn open_segments(&mut self) {
        while let Some(key) = self.open_segment(self.best_of_heap()) {
            let cursor = self.cursors.len() - 1;
            self.heap.push(Entry { key, address: None, cursor, compare: self.compare });
        }
    }

    fn best_of_heap(&self) -> Option<u64> {
        self.heap.peek().map(|first| first.key)
    }

    /// A key that no match left in a segment comes before.
    fn best_key(&self, cursor: &Cursor<'_>) -> Option<u64> {
        let segment = cursor.docs.segment;
        match &cursor.scan {
            Some(Scan::Forward(scan)) => {
                scan.ahead().map(|slot| self.compare.key(segment.doc(slot)))
            }
            _ => {
                let key = segment.ends(self.compare.field).best(self.compare.is_reversed);
                Some(self.compare.best_ahead(key))
            }
        }
    }

    /// Puts the addresses of the page after others.
    fn page(mut self, addresses: &mut Vec<DocAddress>) {
        let end = addresses.len() + self.limit;
        match self.compare.has_kept_tail {
            true => self.fill(addresses, end),
            false => self.fill_by_groups(addresses, end),
        }
        let examined = self.cursors.iter().map(Cursor::examined).sum();
        self.ranking.plan.meter.examine(examined);
    }

    /// Puts matches after others, up to so many addresses; ties stand as they are kept.
    fn fill(&mut self, addresses: &mut Vec<DocAddress>, end: usize) {
        while self.skip > 0 && self.next().is_some() {
            self.skip -= 1;
            if let Some(current) = self.current {
                self.skip -= self.cursors[current].bulk_skip(self.skip);
            }
        }
        while addresses.len() < end
            && let Some(address) = self.next()
        {
            addresses.push(address);
            let bound = self.best_of_heap();
            if let Some(current) = self.current {
                self.cursors[current].bulk_take(bound, addresses, end);
            }
        }
    }

    /// The next match, in the asked order of the first key, ties as they are kept.
    fn next(&mut self) -> Option<DocAddress> {
        loop {
            let Some(at) = self.current else {
                if self.ranking.plan.meter.is_over_by_now() {
                    return None;
                }
                let entry = self.heap.pop()?;
                self.open_segments();
                self.current = Some(entry.cursor);
                if entry.address.is_some() {
                    return entry.address;
                }
                continue;
            };
            let step = self.step(at);
            let cursor = &self.cursors[at];
            let segment = cursor.docs.segment;
            let (slot, is_match) = match step {
                Step::End => {
                    self.current = None;
                    continue;
                }
                Step::Match(slot) => (slot, true),
                Step::Paused(_) if self.ranking.plan.meter.is_over_by_now() => return None,
                Step::Paused(slot) => (slot, false),
            };
            let is_exclusive = cursor.scan.as_ref().is_some_and(Scan::is_exclusive);
            if is_match && (is_exclusive || self.heap.is_empty()) {
                return Some(segment.address(slot));
            }
            let address = is_match.then(|| segment.address(slot));
            let key = self.compare.key(segment.doc(slot));
            let entry = Entry { key, address, cursor: at, compare: self.compare };
            if self.heap.peek().is_none_or(|first| entry >= *first) {
                if is_match {
                    return address;
                }
                continue;
            }
            self.current = None;
            self.heap.push(entry);
        }
    }

    /// Goes on to a segment's next match, or for a stride of slots that are none.
    fn step(&mut self, at: usize) -> Step {
        self.ensure_open(at);
        if self.cursors[at].is_spent() {
            self.change_scan(at);
        }
        let bound = self.best_of_heap();
        self.cursors[at].next(bound)
    }

    /// Decides how a segment's matches are gone through, if that is not decided yet.
    fn ensure_open(&mut self, at: usize) {
        if self.cursors[at].scan.is_none() {
            let is_first = self.precedes_others(self.cursors[at].docs.segment);
            self.cursors[at].open(self.compare, self.skip + self.limit, is_first);
        }
    }

    /// Whether all of a segment comes before whatever the others still have.
    fn precedes_others(&self, segment: &Segment) -> bool {
        let Compare { field, is_reversed, .. } = *self.compare;
        let unopened = self.unopened.first().map(|zone| zone.key);
        let others = self.best_of_heap().into_iter().chain(unopened);
        let last = segment.ends(field).worst(is_reversed);
        others.min().is_none_or(|other| last < other)
    }

    /// Goes on another way where a walk has cost as much as that: all in all it costs at most twice
    /// of what was best.
    fn change_scan(&mut self, at: usize) {
        let Ranking { plan, matched, group, .. } = self.ranking;
        let cursor = &mut self.cursors[at];
        if cursor.docs.most_tested().is_none() {
            return cursor.gather_rest(self.compare, self.skip + self.limit);
        }
        matched.misjudged();
        match matched.find(plan, cursor.docs.segment) {
            Some(docs) => cursor.go_on_over(docs.of_group(group)),
            None => cursor.scan = Some(Scan::Sorted(SortedRun::EMPTY)),
        }
    }
}
