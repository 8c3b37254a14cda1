//! The matches of all segments in the order of one field: a merge of the segments' kept orders.
//!
//! A segment is opened when its best key comes up, and walked until that has cost as much as
//! gathering its matches and sorting them would. Far pages skip whole runs by their counts, or are
//! looked for (`far`). How matches compare, `compare` knows.

mod compare;
mod far;
mod groups;
mod walk;

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::index::{BitSet, Field, Place, Position, Run, Segment, Zone, sized};

pub(super) use compare::{Compare, Keys};

use super::docset::{DocSet, MatchesRef, SegmentMatches};
use super::execute::Matched;
use super::plan::Plan;
use super::select::ranks;
use super::signature_docs::counted;
use super::signatures::Signatures;
use walk::{Backward, ROW, STRIDE, Step, Walk, bounds, is_by_code};

/// From how many results before the page on runs are skipped.
const FAR: usize = sized(256, 4);

/// What it costs to gather and sort some matches, in steps of a walk that tests codes; of one that
/// looks at each slot; and of one against the kept order, which looks for equal values at each, and
/// for equal texts of cases that are far.
const MATCHES: u64 = 8;
const GATHER_CODED: u64 = 128;
const GATHER: u64 = 32;
const GATHER_REVERSED: u64 = 8;
const GATHER_TEXTS_REVERSED: u64 = 1;

/// How many slots of an interval are passed, half as many with an insertion into a bit set, at what
/// a step of a walk costs.
const PASSED: u64 = 8;

/// Up to which cost of gathering matches are not walked to, where several segments have some.
const FEW: u64 = sized(512, 8) as u64;

/// Up to how many matches of all segments are sorted at once; and up to how many of each, about:
/// more of them cost more than what a merge does besides, and it may need those of one segment
/// only.
const SORTED: u64 = sized(256, 8) as u64;
const SORTED_OF_EACH: u64 = sized(16, 4) as u64;

/// Where a segment's next match may be.
struct Head<'a> {
    /// Of the match, or a key that none of the segment's other matches comes before.
    key: u64,
    /// The match, where one is found already.
    place: Option<Place>,
    cursor: usize,
    compare: &'a Compare<'a>,
}

impl Ord for Head<'_> {
    /// The greatest comes first out of a heap: the one whose turn it is.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then_with(|| match (self.place, other.place) {
            (Some(a), Some(b)) => self.compare.merged(self.compare.spot(b), self.compare.spot(a)),
            // Where it is not known what comes, that is found out first.
            (a, b) => b.is_some().cmp(&a.is_some()),
        })
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head<'_> {}

/// How far a segment's matches have been handed on.
enum Way {
    Unopened,
    /// Along the kept order.
    Forward(Position),
    /// Against it: equal values stand in their kept order also where the values run backwards.
    Backward(Backward),
    /// Sorted, the next at the end.
    Gathered(Vec<(u64, u16)>),
}

/// A segment's matches and how far they have been handed on.
struct Cursor<'a> {
    found: MatchesRef<'a>,
    way: Way,
    /// The matches as a set, where slots are walked.
    set: Option<BitSet>,
    /// Of a walk along the order: up to where every slot comes before all other segments'.
    alone_until: Position,
    /// How much a walk may still cost until the rest is gathered: in steps; where texts are
    /// tested, in nanoseconds, until matches are found by terms.
    steps: u64,
}

impl<'a> Cursor<'a> {
    fn new(found: MatchesRef<'a>) -> Self {
        let alone_until = Position { run: 0, index: 0 };
        Self { found, way: Way::Unopened, set: None, alone_until, steps: u64::MAX }
    }
}

/// The matches of all segments, one after the other.
pub(super) struct Merge<'a> {
    compare: &'a Compare<'a>,
    signatures: &'a Signatures,
    matched: &'a Matched<'a>,
    /// Finds a page by the other keys.
    by_rest: FindPage,
    cursors: Vec<Cursor<'a>>,
    /// Segments without a cursor yet, the best key first; none of them comes before the heap's
    /// first.
    waiting: &'a [Zone],
    heap: BinaryHeap<Head<'a>>,
    /// The cursor whose match was handed on last.
    current: Option<usize>,
    /// How many matches are still to be skipped.
    skip: usize,
    /// How many are wanted after these.
    wanted: usize,
    /// How many slots were looked at.
    examined: usize,
}

/// Matches that have some signatures, and the keys that rank them.
#[derive(Clone, Copy)]
pub(super) struct Ranking<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) matched: &'a Matched<'a>,
    pub(super) signatures: &'a Signatures,
    pub(super) keys: Keys<'a>,
}

/// Puts the places of a window of ranks after others.
pub(super) type FindPage = fn(&Ranking<'_>, &Range<usize>, &mut Vec<Place>);

/// A page in the order of keys of which the first has a kept order. Matches that it finds equal,
/// where they are many, `by_rest` orders by the others.
pub(super) fn page(
    ranking: &Ranking<'_>,
    window: &Range<usize>,
    places: &mut Vec<Place>,
    by_rest: FindPage,
) {
    let Some(compare) = Compare::new(ranking.plan, ranking.keys) else { return };
    if !ranking.matched.is_everywhere && is_sooner_sorted(ranking.matched) {
        return sort_all(ranking, &compare, window, places);
    }
    Merge::new(ranking, &compare, window, by_rest).page(places);
}

/// Whether the matches of all segments are so few that they are sooner sorted than merged.
fn is_sooner_sorted(matched: &Matched<'_>) -> bool {
    let of_each = matched.found.len() as u64 * SORTED_OF_EACH;
    let mut left = if matched.found.len() == 1 { SORTED } else { SORTED.min(of_each) };
    matched.found.iter().all(|SegmentMatches { segment, matches, count }| {
        let cost = match matches {
            DocSet::Range(own) => own.len(segment),
            _ => *count,
        };
        let is_within = cost <= left;
        left = left.saturating_sub(cost);
        is_within
    })
}

/// Puts the places of a window of ranks after others. Cost: all matches.
fn sort_all(
    ranking: &Ranking<'_>,
    compare: &Compare<'_>,
    window: &Range<usize>,
    places: &mut Vec<Place>,
) {
    let Ranking { plan, matched, signatures, .. } = *ranking;
    let mut list: Vec<(u64, Place)> = Vec::with_capacity(matched.total as usize);
    for part in matched.parts(plan) {
        part.each(plan, signatures, |slot| {
            let spot = part.segment.spot(slot);
            list.push((compare.key(spot), spot.place));
        });
    }
    let order =
        |a: &(u64, Place), b: &(u64, Place)| a.0.cmp(&b.0).then_with(|| compare.all(a.1, b.1));
    places.extend(ranks(&mut list, window.clone(), order).iter().map(|(_, place)| *place));
}

impl<'a> Merge<'a> {
    fn new(
        ranking: &Ranking<'a>,
        compare: &'a Compare<'a>,
        window: &Range<usize>,
        by_rest: FindPage,
    ) -> Self {
        let Ranking { matched, signatures, .. } = *ranking;
        let waiting = match matched.is_everywhere {
            true => compare.plan.index.zone_map().by(compare.field, compare.is_reversed),
            false => &[],
        };
        let mut merge = Self {
            compare,
            signatures,
            matched,
            by_rest,
            cursors: matched.found.iter().map(|found| Cursor::new(found.into())).collect(),
            waiting,
            heap: BinaryHeap::new(),
            current: None,
            skip: window.start,
            wanted: window.len(),
            examined: 0,
        };
        if merge.skip >= FAR {
            if merge.can_skip_runs() {
                merge.skip_runs();
            } else if merge.can_seek() {
                merge.seek();
            }
        }
        merge.line_up(Vec::new());
        merge
    }

    /// Puts every cursor into the heap: those with a match at hand as they are, the others by the
    /// best key that they may have.
    fn line_up(&mut self, mut heads: Vec<Head<'a>>) {
        let others = self.without(&heads).into_iter().filter_map(|at| {
            let key = self.best_key(&self.cursors[at])?;
            Some(Head { key, place: None, cursor: at, compare: self.compare })
        });
        heads.extend(others);
        self.heap = BinaryHeap::from(heads);
        self.admit();
    }

    /// The cursors that some heads are not of.
    fn without(&self, heads: &[Head<'_>]) -> Vec<usize> {
        let mut is_in = vec![false; self.cursors.len()];
        heads.iter().for_each(|head| is_in[head.cursor] = true);
        (0..is_in.len()).filter(|at| !is_in[*at]).collect()
    }

    /// Gives a cursor to the next waiting segment, if its best key does not come after one; says
    /// the key.
    fn take_waiting(&mut self, best: Option<u64>) -> Option<u64> {
        let plan = self.compare.plan;
        loop {
            let (zone, waiting) = self.waiting.split_first()?;
            if best.is_some_and(|best| best < zone.key) {
                return None;
            }
            self.waiting = waiting;
            let segment = plan.index.at(zone)?;
            let wanted = (self.skip + self.wanted) as u64;
            // Most segments hold cases of one time; by any other order each gives its share.
            let wanted = match self.compare.field {
                Field::Created => wanted,
                _ => wanted / plan.index.segments().len().max(1) as u64 + 1,
            };
            if let Some(part) = self.matched.open(plan, segment, wanted) {
                self.cursors.push(Cursor::new(part));
                return Some(zone.key);
            }
        }
    }

    /// Puts those into the heap whose turn may be next.
    fn admit(&mut self) {
        while let Some(key) = self.take_waiting(self.heap.peek().map(|top| top.key)) {
            let cursor = self.cursors.len() - 1;
            self.heap.push(Head { key, place: None, cursor, compare: self.compare });
        }
    }

    /// A key that no match left in a segment comes before.
    fn best_key(&self, cursor: &Cursor<'_>) -> Option<u64> {
        let Compare { field, is_reversed, .. } = *self.compare;
        let segment = cursor.found.segment;
        if let Way::Forward(at) = cursor.way {
            let slot = segment.order(field).get(at)?;
            return Some(self.compare.key(segment.spot(slot)));
        }
        Some(segment.ends(field).best(is_reversed))
    }

    /// Puts the wanted places after others.
    fn page(mut self, places: &mut Vec<Place>) {
        self.fill(places);
        self.compare.plan.meter.examine(self.examined);
    }

    fn fill(&mut self, places: &mut Vec<Place>) {
        let end = places.len() + self.wanted;
        if self.compare.has_kept_tail {
            while self.skip > 0 && self.next().is_some() {
                self.skip -= 1;
                self.pass();
            }
            while places.len() < end
                && let Some(place) = self.next()
            {
                places.push(place);
                self.take_on(places, end);
            }
            return;
        }
        self.fill_by_groups(places, end);
    }

    /// Where the segment goes on whose match was handed on last, its run there and how far, where
    /// all that follows comes before every other segment's, and codes tell.
    fn alone(&mut self) -> Option<(&'a Segment, &mut Position, &'a Run, usize)> {
        let cursor = self.current.map(|at| &mut self.cursors[at])?;
        let (field, found) = (self.compare.field, cursor.found);
        let Way::Forward(next) = &mut cursor.way else { return None };
        let order = found.segment.order(field);
        let run = order.run(next.run)?;
        let is_alone = *next < cursor.alone_until;
        if !is_alone || !is_by_code(&found, field, order, self.signatures) {
            return None;
        }
        let (_, to) = bounds(&found, field);
        let end = if to.run == next.run { to.index } else { run.slots().len() };
        Some((found.segment, next, run, end))
    }

    /// Skips on as far as matches are alone.
    fn pass(&mut self) {
        let (mut skip, signatures) = (self.skip, self.signatures);
        let Some((_, next, run, end)) = self.alone() else { return };
        let left_codes = signatures.codes();
        for some in run.codes().get(next.index..end).unwrap_or_default().chunks(STRIDE) {
            let left = some.iter().filter(|code| left_codes.has(**code)).count();
            if left <= skip {
                (skip, next.index) = (skip - left, next.index + some.len());
                continue;
            }
            for code in some {
                if skip == 0 {
                    break;
                }
                skip -= usize::from(left_codes.has(*code));
                next.index += 1;
            }
            break;
        }
        *next = next.within(run);
        self.skip = skip;
    }

    /// Puts matches after others as far as they come before all other segments', up to so many
    /// places.
    fn take_on(&mut self, places: &mut Vec<Place>, end: usize) {
        let best = self.heap.peek().map(|top| top.key);
        let Some(cursor) = self.current.map(|at| &mut self.cursors[at]) else { return };
        let Way::Gathered(list) = &mut cursor.way else {
            return self.take(places, end);
        };
        // Their keys are at hand.
        let segment = cursor.found.segment;
        while places.len() < end
            && let Some((_, slot)) = list.pop_if(|(key, _)| best.is_none_or(|best| *key < best))
        {
            places.push(segment.place(slot));
        }
    }

    /// The same for a walk whose matches codes tell.
    fn take(&mut self, places: &mut Vec<Place>, end: usize) {
        let signatures = self.signatures;
        let Some((segment, next, run, until)) = self.alone() else { return };
        let left_codes = signatures.codes();
        let from = next.index;
        let mut left = [0; STRIDE];
        for (slots, codes) in
            run.slots()[from..until].chunks(STRIDE).zip(run.codes()[from..until].chunks(STRIDE))
        {
            let mut count = 0;
            for (slot, code) in slots.iter().zip(codes) {
                left[count] = *slot;
                count += usize::from(left_codes.has(*code));
            }
            next.index += slots.len();
            let some = left[..count].iter().take(end - places.len());
            places.extend(some.map(|slot| segment.place(*slot)));
            if places.len() == end {
                break;
            }
        }
        let examined = next.index - from;
        *next = next.within(run);
        self.examined += examined;
    }

    /// The next match, in the asked order of the first key, ties as they are kept.
    fn next(&mut self) -> Option<Place> {
        loop {
            let Some(at) = self.current else {
                let head = self.heap.pop()?;
                self.admit();
                self.current = Some(head.cursor);
                if head.place.is_some() {
                    return head.place;
                }
                continue;
            };
            let step = self.step(at);
            let cursor = &self.cursors[at];
            let segment = cursor.found.segment;
            let (slot, is_match) = match step {
                Step::End => {
                    self.current = None;
                    continue;
                }
                Step::Match(slot) => (slot, true),
                Step::Paused(slot) => (slot, false),
            };
            let is_alone = match cursor.way {
                Way::Forward(next) => next <= cursor.alone_until,
                _ => false,
            };
            if is_match && (is_alone || self.heap.is_empty()) {
                return Some(segment.place(slot));
            }
            let place = is_match.then(|| segment.place(slot));
            let key = self.compare.key(segment.spot(slot));
            let head = Head { key, place, cursor: at, compare: self.compare };
            if self.heap.peek().is_none_or(|top| head >= *top) {
                if is_match {
                    return place;
                }
                continue;
            }
            self.current = None;
            self.heap.push(head);
        }
    }

    /// Goes on to a segment's next match, or for a stride of slots that are none.
    fn step(&mut self, at: usize) -> Step {
        if matches!(self.cursors[at].way, Way::Unopened) {
            self.open(at);
        }
        if self.cursors[at].steps == 0 {
            match self.cursors[at].found.matches {
                DocSet::TwoPhase { .. } => self.stop_testing(at),
                _ => self.gather_rest(at),
            }
        }
        let top = self.heap.peek().map(|top| top.key);
        let Self { compare, signatures, cursors, examined: all, .. } = self;
        let Cursor { found, way, set, alone_until, steps } = &mut cursors[at];
        let walk = Walk::new(compare, signatures, *found, set.as_ref());
        let (step, examined) = match way {
            Way::Unopened => return Step::End,
            Way::Gathered(list) => return list.pop().map_or(Step::End, |own| Step::Match(own.1)),
            Way::Forward(next) => walk.forward(next, alone_until, top, *steps),
            Way::Backward(back) => walk.backward(back),
        };
        *all += examined;
        *steps = steps.saturating_sub(walk.cost(examined));
        step
    }

    /// Decides how a segment's matches are gone through.
    fn open(&mut self, at: usize) {
        let (compare, signatures) = (self.compare, self.signatures);
        let Compare { field, is_reversed, .. } = *compare;
        let found = self.cursors[at].found;
        let segment = found.segment;
        let order = segment.order(field);
        let count = match found.count {
            u64::MAX => counted(segment, signatures),
            count => count,
        };
        let wanted = (self.skip + self.wanted) as u64;
        let (length, coded) = match *found.matches {
            DocSet::Signatures => (u64::from(segment.live()), order.is_counted() && !is_reversed),
            DocSet::Range(own) if field == own.field => {
                (own.len(segment), order.is_counted() && !is_reversed)
            }
            _ => (u64::from(segment.live()), false),
        };
        let cost = match (coded, is_reversed) {
            (true, _) => GATHER_CODED,
            (false, false) => GATHER,
            (false, true) if field.is_counted() => GATHER_REVERSED,
            (false, true) => GATHER_TEXTS_REVERSED,
        };
        let gather = count * cost / MATCHES;
        let walk = (length * wanted.min(count)).checked_div(count).unwrap_or(0);
        let most_tested = match *found.matches {
            DocSet::TwoPhase { most } => Some(most),
            _ => None,
        };
        let is_alone = self.comes_before_others(segment);
        let is_few = gather <= if is_alone { walk } else { walk.min(FEW) };
        self.cursors[at].steps = most_tested.unwrap_or(gather);
        let way = if is_few && most_tested.is_none() {
            Way::Gathered(self.gather(&found, wanted as usize, None))
        } else {
            self.way(&found, None)
        };
        let cursor = &mut self.cursors[at];
        if matches!(way, Way::Forward(_) | Way::Backward(_)) {
            cursor.set = match found.matches {
                // Either all are listed, or the rows of those that are walked are looked at.
                DocSet::Range(own)
                    if field != own.field
                        && (own.len(segment) + 2 * count) / PASSED < walk * ROW =>
                {
                    let mut set = BitSet::default();
                    found.each(compare.plan, signatures, |slot| set.insert(slot));
                    Some(set)
                }
                matches => set_of(matches),
            };
        }
        cursor.way = way;
    }

    /// Whether all of a segment comes before whatever the others still have.
    fn comes_before_others(&self, segment: &Segment) -> bool {
        let Compare { field, is_reversed, .. } = *self.compare;
        let waiting = self.waiting.first().map(|zone| zone.key);
        let others = self.heap.peek().map(|top| top.key).into_iter().chain(waiting);
        let last = segment.ends(field).worst(is_reversed);
        others.min().is_none_or(|other| last < other)
    }

    /// Goes on along a segment's order with what the text's terms find: testing texts has cost as
    /// much by now, so all in all it costs at most twice of what was best.
    fn stop_testing(&mut self, at: usize) {
        self.matched.misjudged();
        let segment = self.cursors[at].found.segment;
        let cursor = &mut self.cursors[at];
        let Some(found) = self.matched.find(self.compare.plan, segment) else {
            cursor.way = Way::Gathered(Vec::new());
            return;
        };
        (cursor.found, cursor.set) = (found, set_of(found.matches));
        cursor.steps = found.count;
    }

    /// A walk along a segment's order as it is asked, from a position or from its beginning.
    fn way(&self, found: &MatchesRef<'_>, at: Option<Position>) -> Way {
        let (first, end) = bounds(found, self.compare.field);
        if !self.compare.is_reversed {
            return Way::Forward(at.unwrap_or(first));
        }
        let missing = self.missing(found);
        let at = at.unwrap_or(end.min(missing));
        Way::Backward(Backward { at, group_end: at, next_end: at, first, missing })
    }

    /// Where matches without a value begin in a segment's order.
    fn missing(&self, found: &MatchesRef<'_>) -> Position {
        let Compare { field, .. } = *self.compare;
        match *found.matches {
            // All between two positions have one.
            DocSet::Range(own) if field == own.field => found.segment.order(field).end(),
            _ => found.segment.present_end(self.compare.catalog(), field),
        }
    }

    /// Gathers what a walk has not come to: it has cost as much by now as gathering all, so all in
    /// all it costs at most twice of what was best, whatever the matches are like.
    fn gather_rest(&mut self, at: usize) {
        self.cursors[at].steps = u64::MAX;
        let cursor = &self.cursors[at];
        let found = cursor.found;
        let order = found.segment.order(self.compare.field);
        // The slot that was looked at last.
        let last = match &cursor.way {
            Way::Forward(next) => order.before(*next).map(|(_, slot)| slot),
            Way::Backward(back) => order.before(back.at).map(|(_, slot)| slot),
            _ => return,
        };
        let list = self.gather(&found, self.skip + self.wanted, last);
        self.cursors[at].way = Way::Gathered(list);
    }

    /// A segment's matches sorted, the best at the end; no more than are wanted, and those that
    /// equal the last of them where other keys break ties. Only those that come after a slot, where
    /// one is given.
    fn gather(&self, found: &MatchesRef<'_>, wanted: usize, after: Option<u16>) -> Vec<(u64, u16)> {
        let (compare, segment) = (self.compare, found.segment);
        // Where nobody counted, it grows.
        let mut list =
            Vec::with_capacity(if found.count == u64::MAX { 0 } else { found.count as usize });
        let after = after.map(|slot| segment.spot(slot));
        let least = after.map_or(0, |after| compare.key(after));
        found.each(compare.plan, self.signatures, |slot| {
            let key = compare.key(segment.spot(slot));
            if key >= least {
                list.push((key, slot));
            }
        });
        if let Some(after) = after {
            let follows = |slot| compare.as_kept(segment.spot(slot), after).is_gt();
            list.retain(|(key, slot)| *key > least || follows(*slot));
        }
        let order = |a: &(u64, u16), b: &(u64, u16)| {
            a.0.cmp(&b.0).then_with(|| compare.merged_slots(segment, a.1, b.1))
        };
        if wanted > 0 && wanted < list.len() {
            let last = *list.select_nth_unstable_by(wanted - 1, order).1;
            if compare.has_kept_tail {
                list.truncate(wanted);
            } else {
                // Other keys may choose among all that are equal.
                list.retain(|own| order(own, &last).is_le());
            }
        }
        list.sort_unstable_by(|a, b| order(b, a));
        list
    }

    /// Whether counts of runs tell how many matches they hold.
    fn can_skip_runs(&self) -> bool {
        let Compare { field, is_reversed, .. } = *self.compare;
        let by_counts = |cursor: &Cursor<'_>| match cursor.found.matches {
            DocSet::Signatures => true,
            DocSet::Range(own) => field == own.field,
            _ => false,
        };
        field.is_counted()
            && !is_reversed
            && self.signatures.are_counted()
            && self.compare.plan.text.is_none()
            && self.cursors.iter().all(by_counts)
    }

    /// Skips runs that lie before the page, the ones with the best keys first: no key of a run is
    /// better than the last one of the run before, which is at hand. Goes back in them to the first
    /// slot that does not come before what is left elsewhere; and searches on from there, where
    /// several segments may have what comes next.
    fn skip_runs(&mut self) {
        let compare = self.compare;
        let mut at: Vec<Position> = Vec::with_capacity(self.cursors.len());
        let mut heap = BinaryHeap::with_capacity(self.cursors.len());
        for (number, cursor) in self.cursors.iter().enumerate() {
            let (from, to) = bounds(&cursor.found, compare.field);
            at.push(from);
            let order = cursor.found.segment.order(compare.field);
            if from < to
                && let Some(slot) = order.get(from)
            {
                heap.push(Reverse((compare.key(cursor.found.segment.spot(slot)), number)));
            }
        }
        let mut skipped = 0;
        let mut pivot = u64::MAX;
        'segments: loop {
            while let Some(key) = self.take_waiting(heap.peek().map(|Reverse((key, _))| *key)) {
                heap.push(Reverse((key, at.len())));
                at.push(Position { run: 0, index: 0 });
            }
            let Some(Reverse((mut best, number))) = heap.pop() else { break };
            let segment = self.cursors[number].found.segment;
            let order = segment.order(compare.field);
            let (_, to) = bounds(&self.cursors[number].found, compare.field);
            // One run after the other, for as long as no other segment's comes before.
            loop {
                let next = to.min(Position { run: at[number].run + 1, index: 0 });
                let count = self.count_between(segment, at[number], next);
                if skipped + count > self.skip {
                    pivot = best;
                    break 'segments;
                }
                skipped += count;
                at[number] = next;
                if next >= to {
                    break;
                }
                // A run was gone through, so `next` is not in the first one.
                let Some(last) = order.last_key(next.run - 1) else { break };
                best = last;
                let waiting = self.waiting.first().map(|zone| zone.key);
                let others = heap.peek().map(|Reverse((key, _))| *key).into_iter().chain(waiting);
                if others.min().is_some_and(|other| other < best) {
                    heap.push(Reverse((best, number)));
                    break;
                }
            }
        }
        for (number, reached) in at.into_iter().enumerate() {
            let found = self.cursors[number].found;
            let (from, _) = bounds(&found, compare.field);
            if reached == from {
                continue;
            }
            let order = found.segment.order(compare.field);
            let back = order.at_key(pivot, |slot| compare.key(found.segment.spot(slot)));
            let back = back.max(from).min(reached);
            skipped -= self.count_between(found.segment, back, reached);
            self.cursors[number].way = Way::Forward(back);
        }
        self.skip -= skipped;
        self.seek_on();
    }

    /// How many slots between two positions are of the signatures, by codes: mostly of one run, so
    /// it is not worth asking which part of the order is nearer.
    fn count_between(&self, segment: &Segment, from: Position, to: Position) -> usize {
        let parts = segment.order(self.compare.field).parts(from, to);
        let count = parts.map(|part| {
            let (count, examined) = self.signatures.count_part(&part);
            self.compare.plan.meter.examine(examined);
            count
        });
        count.sum()
    }
}

/// Listed matches as a set; nothing where they are one, or are tested as their turn comes.
fn set_of(matches: &DocSet<'_>) -> Option<BitSet> {
    match matches {
        DocSet::Slots(slots) => Some(slots.iter().copied().collect()),
        DocSet::Postings(list) => {
            let mut set = BitSet::default();
            list.each(|slot| set.insert(slot));
            Some(set)
        }
        _ => None,
    }
}
