//! Pages in an order whose keys after the first are not those by which kept orders break ties.
//!
//! Matches that the first key finds equal make up a group. A small one is listed and sorted by all
//! keys. A large one is not listed: it is a range of each segment's order, so its matches are
//! counted there, and a page of it is one in the order of the other keys.

use std::cmp::Ordering;

use crate::index::{Place, Position, Segment, sized};

use super::super::docset::{DocSet, MatchesRef, SegmentMatches};
use super::super::execute::Matched;
use super::super::interval::{Interval, count_between};
use super::super::select::ranks;
use super::super::signature_docs::counted;
use super::walk::{Backward, bounds};
use super::{Merge, Ranking, Way};

/// From how many listed matches of a group on it is asked how large the group is, and how many
/// times as many slots make it a large one.
const LISTED: usize = sized(256, 4);
const LARGE: usize = 8;

impl<'a> Merge<'a> {
    /// Puts matches after others, up to so many places. Cost: a step for each match of a small
    /// group; a few searches in each segment for a large one, and what a page by the other keys
    /// costs.
    pub(super) fn fill_by_groups(&mut self, places: &mut Vec<Place>, end: usize) {
        let mut group: Vec<Place> = Vec::new();
        while places.len() < end {
            let next = self.next();
            let is_same =
                next.is_some_and(|next| group.first().is_none_or(|own| self.tie(*own, next)));
            if !is_same {
                self.put_listed(&mut group, places, end);
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
                self.put_large(first, &ranges, places, end);
            }
        }
    }

    /// Whether the first key finds two matches equal.
    fn tie(&self, a: Place, b: Place) -> bool {
        self.compare.first(self.compare.spot(a), self.compare.spot(b)).is_eq()
    }

    /// Puts what the page has of a whole group after others. Only that is sorted.
    fn put_listed(&mut self, group: &mut Vec<Place>, places: &mut Vec<Place>, end: usize) {
        let skipped = self.skip.min(group.len());
        let window = self.skip..self.skip + (end - places.len());
        self.skip -= skipped;
        places.extend_from_slice(ranks(group, window, |a, b| self.compare.all(*a, *b)));
        group.clear();
    }

    /// Puts what the page has of a large group after others, and goes on behind it.
    fn put_large(
        &mut self,
        first: Place,
        ranges: &[(Position, Position)],
        places: &mut Vec<Place>,
        end: usize,
    ) {
        let Self { compare, signatures, .. } = *self;
        let restricted = self.restricted(ranges);
        // Where all matches tie there is nothing to leave out.
        let matched = restricted.as_ref().unwrap_or(self.matched);
        let count = restricted.as_ref().map_or_else(|| self.total(), |own| own.total as usize);
        let part = self.skip.min(count)..count.min(self.skip + (end - places.len()));
        self.skip -= part.start;
        if !part.is_empty() {
            let keys = &compare.keys[1..];
            let ranking = Ranking { plan: compare.plan, matched, signatures, keys };
            (self.by_rest)(&ranking, &part, places);
        }
        if places.len() < end {
            self.leave(first);
        }
    }

    /// How many matches there are.
    fn total(&self) -> usize {
        let Self { matched, signatures, compare, .. } = self;
        if std::ptr::eq(*signatures, &compare.plan.signatures) {
            return matched.total as usize;
        }
        matched.parts(compare.plan).map(|part| self.count_of(&part)).sum::<u64>() as usize
    }

    /// Where the slots of a match's group stand in each segment; nothing where they are few. Cost:
    /// a few looks at each segment.
    fn large(&self, first: Place) -> Option<Vec<(Position, Position)>> {
        let field = self.compare.field;
        let mut count = 0;
        let mut ranges = Vec::new();
        for MatchesRef { segment, .. } in self.matched.parts(self.compare.plan) {
            let (from, to) = self.range(segment, first);
            count += segment.order(field).distance(from, to);
            ranges.push((from, to));
        }
        (count >= LARGE * LISTED).then_some(ranges)
    }

    /// The slots of a segment that the first key finds equal to a match: a range of its order.
    fn range(&self, segment: &Segment, first: Place) -> (Position, Position) {
        let (catalog, field) = (self.compare.catalog(), self.compare.field);
        let (order, own) = (segment.order(field), self.compare.spot(first));
        let ends = segment.ends(field);
        let key = field.key(catalog, own);
        if key != u64::MAX && (key < ends.first || ends.last < key)
            || key == u64::MAX && !ends.has_missing
        {
            return (order.end(), order.end());
        }
        let compare = |slot: u16| field.compare(catalog, segment.spot(slot), own);
        let from = order.lower(compare);
        let to = order.lower_between(from, order.end(), |slot| compare(slot).then(Ordering::Less));
        (from, to)
    }

    /// The matches of a group that stands at these ranges; nothing where they are all matches.
    fn restricted(&self, ranges: &[(Position, Position)]) -> Option<Matched<'a>> {
        let (plan, field) = (self.compare.plan, self.compare.field);
        let pairs = || self.matched.parts(plan).zip(ranges);
        let is_whole = |(part, range): (MatchesRef<'_>, &(Position, Position))| {
            let order = part.segment.order(field);
            *range == (order.start(), order.end())
        };
        if pairs().all(is_whole) {
            return None;
        }
        let is_by_text = self.matched.is_everywhere && plan.text.is_some();
        let found = pairs().filter(|(_, (from, to))| from < to).filter_map(|(part, range)| {
            let own = if is_by_text { self.matched.find(plan, part.segment)? } else { part };
            self.restrict(own, *range)
        });
        Some(Matched::of(found.collect()))
    }

    /// A segment's matches within a range of its order; nothing where it has none. Cost: where
    /// matches are listed already, these.
    fn restrict<'b>(
        &self,
        part: MatchesRef<'b>,
        range: (Position, Position),
    ) -> Option<SegmentMatches<'b>> {
        let MatchesRef { segment, .. } = part;
        let (plan, field) = (self.compare.plan, self.compare.field);
        let order = segment.order(field);
        let interval = Interval::new(segment, field, range)?;
        let matches = match part.matches {
            whole if range == (order.start(), order.end()) => whole.clone(),
            DocSet::Signatures => DocSet::Range(interval),
            DocSet::Range(own) if own.field == field => {
                let within = (interval.from.max(own.from), interval.to.min(own.to));
                DocSet::Range(Interval::new(segment, field, within)?)
            }
            _ => {
                let mut slots = Vec::new();
                part.each(plan, self.signatures, |slot| {
                    if interval.has(plan.index.catalog(), segment, slot) {
                        slots.push(slot);
                    }
                });
                DocSet::Slots(slots)
            }
        };
        let count = self.count_of(&MatchesRef { segment, matches: &matches, count: u64::MAX });
        (count > 0).then_some(SegmentMatches { segment, matches, count })
    }

    /// How many matches of a segment have the signatures.
    fn count_of(&self, part: &MatchesRef<'_>) -> u64 {
        let (plan, signatures) = (self.compare.plan, self.signatures);
        match part.matches {
            DocSet::Signatures => counted(part.segment, signatures),
            DocSet::Range(own) => count_between(plan, part.segment, signatures, own),
            _ => {
                let mut count = 0;
                part.each(plan, signatures, |_| count += 1);
                count
            }
        }
    }

    /// Goes on behind a match's group. Matches at hand that are not of it come after it, and so
    /// does all that their cursors still have.
    fn leave(&mut self, first: Place) {
        let key = self.compare.key(self.compare.spot(first));
        while self.take_waiting(Some(key)).is_some() {}
        self.current = None;
        let mut heads = std::mem::take(&mut self.heap).into_vec();
        heads.retain(|head| head.place.is_some_and(|place| !self.tie(place, first)));
        for at in self.without(&heads) {
            self.leave_in(at, first);
        }
        self.line_up(heads);
    }

    fn leave_in(&mut self, at: usize, first: Place) {
        let segment = self.cursors[at].found.segment;
        let (from, to) = self.range(segment, first);
        if from == to {
            return;
        }
        if matches!(self.cursors[at].way, Way::Unopened) {
            self.open(at);
        }
        let compare = self.compare;
        let own = compare.spot(first);
        if let Way::Gathered(list) = &mut self.cursors[at].way {
            let comes_after = |slot: u16| compare.first(segment.spot(slot), own).is_gt();
            while list.pop_if(|(_, slot)| !comes_after(*slot)).is_some() {}
            return;
        }
        let found = self.cursors[at].found;
        let (start, end) = bounds(&found, compare.field);
        let (from, to) = (from.max(start).min(end), to.max(start).min(end));
        let missing = self.missing(&found);
        self.cursors[at].way = if !compare.is_reversed {
            Way::Forward(to)
        } else if from >= missing {
            // Those without a value come last.
            Way::Gathered(Vec::new())
        } else {
            let first = start;
            Way::Backward(Backward { at: to, group_end: to, next_end: from, first, missing })
        };
    }
}
