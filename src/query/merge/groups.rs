//! Pages in an order whose keys after the first are not those by which kept orders break ties.
//!
//! Matches that the first key finds equal make up a group. A small one is listed and sorted by all
//! keys. A large one is not listed: it is a range of each segment's order, so its matches are
//! counted there, and a page of it is one in the order of the other keys.

use std::cmp::Ordering;

use crate::index::{DocAddress, Field, Position, Segment, sized};

use super::super::docset::DocSet;
use super::super::execute::Matched;
use super::super::interval::Interval;
use super::super::select::ranks;
use super::compare::Start;
use super::{Merge, Ranking};

/// From how many listed matches of a group on it is asked how large the group is, and how many
/// times as many slots make it a large one.
const LISTED: usize = sized(256, 4);
const LARGE: usize = 8;

impl<'a> Merge<'a> {
    /// Puts matches after others, up to so many addresses. Cost: a step for each match of a small
    /// group; a few searches in each segment for a large one, and what a page by the other keys
    /// costs.
    pub(super) fn fill_by_groups(&mut self, addresses: &mut Vec<DocAddress>, end: usize) {
        let mut group: Vec<DocAddress> = Vec::new();
        while addresses.len() < end {
            let next = self.next();
            let is_same =
                next.is_some_and(|next| group.first().is_none_or(|own| self.tie(*own, next)));
            if !is_same {
                self.put_listed(&mut group, addresses, end);
                if next.is_none() {
                    return;
                }
            }
            group.extend(next);
            if group.len() == LISTED
                && let Some(first) = group.first().copied()
                && let Some(ranges) = self.large(first)
            {
                group.clear();
                self.put_large(first, &ranges, addresses, end);
            }
        }
    }

    /// Of a merge that begins behind a case, puts the matches after others that follow it in its
    /// own group, as far as the page takes them. Cost: as the next.
    pub(super) fn go_on_in_group(&mut self, addresses: &mut Vec<DocAddress>) {
        let Some(Start { after, .. }) = self.compare.start else { return };
        let (field, before) = (self.compare.field, addresses.len());
        let range = |segment: &Segment| {
            let by = |slot: u16| after.first_as_kept(field, segment.doc(slot));
            range(segment, field, after.key(field), by)
        };
        let ranges: Vec<_> = self.ranking.docs().map(|docs| range(docs.segment)).collect();
        let pairs = self.ranking.docs().zip(&ranges);
        let slots = pairs.map(|(docs, own)| docs.segment.order(field).distance(own.0, own.1));
        let (slots, page) = (slots.sum::<usize>(), 0..self.limit);
        if slots < LARGE * LISTED {
            let mut group = self.listed(&ranges);
            group.retain(|address| after.compare(self.compare.doc(*address)).is_gt());
            let order = |a: &DocAddress, b: &DocAddress| self.compare.all(*a, *b);
            addresses.extend_from_slice(ranks(&mut group, page, order));
        } else {
            let restricted = self.restricted(&ranges);
            let matched = restricted.as_ref().unwrap_or(self.ranking.matched);
            let (keys, after) = (&self.compare.keys[1..], Some(after.rest()));
            (self.by_rest)(&Ranking { matched, keys, after, ..self.ranking }, &page, addresses);
        }
        self.limit -= addresses.len() - before;
    }

    /// The matches that stand at some ranges of the segments' orders, which are few.
    fn listed(&self, ranges: &[(Position, Position)]) -> Vec<DocAddress> {
        let (Ranking { plan, matched, .. }, field) = (self.ranking, self.compare.field);
        let mut listed = Vec::new();
        for (docs, (from, to)) in self.ranking.docs().zip(ranges) {
            let ((start, end), order) = (docs.bounds(field), docs.segment.order(field));
            let (from, to) = (start.max(*from), end.min(*to));
            if from >= to {
                continue;
            }
            let slots = order.distance(from, to);
            plan.meter.examine(slots);
            let test = docs.test_along(field, slots as u64);
            let is_match =
                |slot: &u16| test.has(*slot) && (!matched.is_everywhere || docs.has_text(*slot));
            let slots = order.parts(from, to).flat_map(|part| part.slots().iter().copied());
            listed.extend(slots.filter(is_match).map(|slot| docs.segment.address(slot)));
        }
        listed
    }

    /// Whether the first key finds two matches equal.
    fn tie(&self, a: DocAddress, b: DocAddress) -> bool {
        self.compare.first(self.compare.doc(a), self.compare.doc(b)).is_eq()
    }

    /// Puts what the page has of a whole group after others. Only that is sorted.
    fn put_listed(
        &mut self,
        group: &mut Vec<DocAddress>,
        addresses: &mut Vec<DocAddress>,
        end: usize,
    ) {
        let skipped = self.skip.min(group.len());
        let window = self.skip..self.skip + (end - addresses.len());
        self.skip -= skipped;
        addresses.extend_from_slice(ranks(group, window, |a, b| self.compare.all(*a, *b)));
        group.clear();
    }

    /// Puts what the page has of a large group after others, and goes on behind it.
    fn put_large(
        &mut self,
        first: DocAddress,
        ranges: &[(Position, Position)],
        addresses: &mut Vec<DocAddress>,
        end: usize,
    ) {
        let restricted = self.restricted(ranges);
        // Where all matches tie there is nothing to leave out.
        let matched = restricted.as_ref().unwrap_or(self.ranking.matched);
        let count = restricted.as_ref().map_or_else(|| self.total(), |own| own.total as usize);
        let part = self.skip.min(count)..count.min(self.skip + (end - addresses.len()));
        self.skip -= part.start;
        if !part.is_empty() {
            let keys = &self.compare.keys[1..];
            let ranking = Ranking { matched, keys, after: None, ..self.ranking };
            (self.by_rest)(&ranking, &part, addresses);
        }
        if addresses.len() < end {
            self.leave(first);
        }
    }

    /// How many matches there are.
    pub(super) fn total(&self) -> usize {
        match self.ranking.group {
            None => self.ranking.matched.total as usize,
            Some(_) => self.ranking.docs().map(|docs| docs.count()).sum::<u64>() as usize,
        }
    }

    /// Where the slots of a match's group stand in each segment; nothing where they are few. Cost:
    /// a few looks at each segment.
    fn large(&self, first: DocAddress) -> Option<Vec<(Position, Position)>> {
        let field = self.compare.field;
        let mut count = 0;
        let mut ranges = Vec::new();
        for DocSet { segment, .. } in self.ranking.docs() {
            let (from, to) = self.range(segment, first);
            count += segment.order(field).distance(from, to);
            ranges.push((from, to));
        }
        (count >= LARGE * LISTED).then_some(ranges)
    }

    /// The slots of a segment that the first key finds equal to a match: a range of its order.
    fn range(&self, segment: &Segment, first: DocAddress) -> (Position, Position) {
        let (catalog, field) = (self.compare.catalog(), self.compare.field);
        let own = self.compare.doc(first);
        let compare = |slot: u16| field.compare(catalog, segment.doc(slot), own);
        range(segment, field, field.key(catalog, own), compare)
    }

    /// The matches of a group that stands at these ranges; nothing where they are all matches.
    fn restricted(&self, ranges: &[(Position, Position)]) -> Option<Matched<'a>> {
        let (Ranking { plan, matched, group, .. }, field) = (self.ranking, self.compare.field);
        let pairs = || self.ranking.docs().zip(ranges);
        let is_whole = |(docs, range): (DocSet<'_>, &(Position, Position))| {
            let order = docs.segment.order(field);
            *range == (order.start(), order.end())
        };
        if pairs().all(is_whole) {
            return None;
        }
        let is_by_text = matched.is_everywhere && plan.text.is_some();
        let found = pairs().filter_map(|(docs, range)| {
            let interval = Interval::new(docs.segment, field, *range)?;
            if !is_by_text {
                return docs.within(interval);
            }
            matched.find(plan, docs.segment)?.of_group(group).within(interval)
        });
        Some(Matched::of(found.collect()))
    }

    /// Goes on behind a match's group. Matches at hand that are not of it come after it, and so
    /// does all that their cursors still have.
    fn leave(&mut self, first: DocAddress) {
        let key = self.compare.key(self.compare.doc(first));
        while self.open_segment(Some(key)).is_some() {}
        self.current = None;
        let mut entries = std::mem::take(&mut self.heap).into_vec();
        entries.retain(|entry| entry.address.is_some_and(|address| !self.tie(address, first)));
        for at in self.without(&entries) {
            let segment = self.cursors[at].docs.segment;
            let (from, to) = self.range(segment, first);
            if from == to {
                continue;
            }
            self.ensure_open(at);
            let (compare, own) = (self.compare, self.compare.doc(first));
            let is_left = |slot: u16| compare.first(segment.doc(slot), own).is_gt();
            if let Some(scan) = &mut self.cursors[at].scan {
                scan.leave(from, to, is_left);
            }
        }
        self.line_up(entries);
    }
}

/// The slots of a segment that have a value of a key: a range of the order that is compared.
fn range(
    segment: &Segment,
    field: Field,
    key: u64,
    compare: impl Fn(u16) -> Ordering,
) -> (Position, Position) {
    let (order, ends) = (segment.order(field), segment.ends(field));
    if key != u64::MAX && (key < ends.first || ends.last < key)
        || key == u64::MAX && !ends.has_missing
    {
        return (order.end(), order.end());
    }
    let from = order.lower(&compare);
    let to = order.lower_between(from, order.end(), |slot| compare(slot).then(Ordering::Less));
    (from, to)
}
