//! Where a far page begins, in any order: a search for a slot that almost so many matches come
//! before as are to be skipped.
//!
//! Where runs count the matches, those that begin before the page are skipped whole. What is left
//! is searched: a pivot is guessed, found in each segment, and the matches before it are counted;
//! the next guess is between the nearest ones on both sides. Useful where many matches come before
//! the page. Not for few of them, nor for texts that are tested as their turn comes.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use smallvec::SmallVec;

use super::super::cost::{COUNTED_SLOT, GATHER, HANDED_ON, SEARCH, SORTED_TEXT, TEXT_HANDED_ON};
use super::super::docset::{DocSet, RangeCounts};
use super::Merge;
use super::compare::Compare;
use super::cursor::step_cost;
use super::pivot::{Sample, Samples, share};
use super::scan::Place;
use crate::index::{DocAddress, Field, Order, Position, sized};

/// How many matches before the page are left to be passed one by one.
pub(super) const NEAR: usize = sized(32, 1);

/// How many guesses there are at most, how many are expected, and how many in a row may tell
/// nothing.
const GUESSES: usize = 48;
const EXPECTED: usize = 8;
const IDLE: usize = 3;

/// Into how many parts samples divide a wide span.
const SAMPLES: usize = 8;

impl<'a> Merge<'a> {
    /// Goes on to where almost as many matches were passed as are to be skipped, where that costs
    /// less than handing these on.
    pub(super) fn seek(&mut self) {
        if self.ranking.is_tested() {
            return;
        }
        let is_by_run = self.is_by_run();
        let (spans, total) = if is_by_run {
            let (mut spans, pivot) = self.skip_runs();
            self.go_back(&mut spans, pivot);
            self.bound(&mut spans);
            let total = spans.iter().map(|span| span.count_to(span.high)).sum();
            (spans, total)
        } else {
            let total = self.total();
            if !self.is_worth_seeking(total as u64) {
                return;
            }
            while self.open_segment(None).is_some() {}
            (self.spans(), total)
        };
        let places = if self.compare.is_reversed {
            self.seek_back(spans, total)
        } else {
            // What is alone is passed by its codes.
            let is_alone = is_by_run && spans.iter().filter(|own| own.low < own.high).count() < 2;
            let spans = if is_alone { spans } else { self.narrow(spans, total, false) };
            spans.iter().map(|span| Place::at(span.low)).collect()
        };
        let ahead = self.skip + self.limit;
        for (cursor, place) in self.cursors.iter_mut().zip(places) {
            cursor.walk_from(self.compare, place, ahead);
        }
    }

    /// Passes almost as many matches as are to be skipped, of about so many in some spans; gives
    /// what is left of these. Cost: that of a search.
    pub(super) fn narrow(
        &mut self,
        spans: Vec<Span<'a>>,
        matches: usize,
        is_reversed: bool,
    ) -> Vec<Span<'a>> {
        let mut search = RankSeek { compare: self.compare, is_reversed, spans };
        self.skip -= search.seek(self.skip, matches);
        search.spans
    }

    /// Whether counts of runs tell how many matches these have.
    fn is_by_run(&self) -> bool {
        let field = self.compare.field;
        !self.compare.is_reversed
            && field.is_counted()
            && self.ranking.signatures().run_mask().is_some()
            && self.cursors.iter().all(|cursor| cursor.docs.run_mask(field).is_some())
    }

    /// Whether all matches are sooner gathered, and the page's sorted, than those before a far page
    /// are passed in any way.
    ///
    /// Only where each segment has matches everywhere in the order: a merge of others opens but
    /// those that come before the page.
    pub(super) fn is_sooner_sorted(&self) -> bool {
        if self.ranking.is_tested() || !self.is_spread() {
            return false;
        }
        let matches: u64 = self.ranking.docs().map(|docs| docs.looked_at()).sum();
        matches * SORTED_TEXT < self.sought(matches).min(self.handed_on(matches))
    }

    /// Whether the order says nothing of time: segments hold cases of one time each.
    fn is_spread(&self) -> bool {
        matches!(self.compare.field, Field::Name | Field::Assignee)
    }

    /// Whether a search that counts slot by slot costs less than handing on what comes before the
    /// page, of so many matches.
    fn is_worth_seeking(&self, total: u64) -> bool {
        self.sought(total) < self.handed_on(total)
    }

    /// What a search costs that counts slot by slot, and the walk from where it ends, in
    /// nanoseconds.
    fn sought(&self, total: u64) -> u64 {
        let walked = self.slots_of(NEAR + self.limit, total) * step_cost(self.compare, false);
        // What is counted before it is known to be past the rank is counted again.
        let counted = 2 * self.slots_of(self.skip, total) * COUNTED_SLOT;
        let searches = (self.ranking.plan.index.segments().len() * EXPECTED) as u64 * SEARCH;
        counted + searches + walked
    }

    /// What it costs to hand on all that comes before the page, and the page, in nanoseconds.
    fn handed_on(&self, total: u64) -> u64 {
        let each = if self.is_spread() { TEXT_HANDED_ON } else { HANDED_ON };
        total * GATHER + (self.skip + self.limit) as u64 * each
    }

    /// Among how many slots some matches stand, of so many in the scope.
    fn slots_of(&self, matches: usize, total: u64) -> u64 {
        let all = self.ranking.plan.index.len();
        let slots = u128::from(all) * matches as u128 / u128::from(total.max(1));
        slots.min(all.into()) as u64
    }

    fn spans(&self) -> Vec<Span<'a>> {
        self.cursors.iter().map(|cursor| Span::new(self.compare, cursor.docs)).collect()
    }

    /// Passes the runs that begin before the page, the ones with the best keys first: no key of a
    /// run is better than the last one of the run before, which is at hand. Gives what is left of
    /// each segment, and the key of the first run that was not passed: all runs that begin before
    /// it were. Cost: the counts of the runs.
    fn skip_runs(&mut self) -> (Vec<Span<'a>>, u64) {
        let compare = self.compare;
        let mut spans = self.spans();
        let starts = spans.iter().enumerate().filter_map(|(at, span)| {
            let slot = span.order.get(span.low).filter(|_| span.low < span.high)?;
            Some(Reverse((compare.key(span.docs.segment.doc(slot)), at)))
        });
        let mut heap: BinaryHeap<_> = starts.collect();
        let best = |heap: &BinaryHeap<Reverse<(u64, usize)>>| heap.peek().map(|own| own.0.0);
        loop {
            while let Some(key) = self.open_segment(best(&heap)) {
                heap.push(Reverse((key, spans.len())));
                spans.extend(self.cursors.last().map(|own| Span::new(compare, own.docs)));
            }
            let Some(Reverse((mut key, number))) = heap.pop() else { return (spans, u64::MAX) };
            let span = &mut spans[number];
            // One run after the other, for as long as no other segment's comes before.
            loop {
                let next = span.high.min(Position { run: span.low.run + 1, index: 0 });
                let count = span.count_to(next);
                if count > self.skip {
                    return (spans, key);
                }
                (self.skip, span.low) = (self.skip - count, next);
                if next >= span.high {
                    break;
                }
                // A run was gone through, so `next` is not in the first one.
                let Some(last) = span.order.last_key(next.run - 1) else { break };
                key = last;
                let unopened = self.unopened.first().map(|zone| zone.key);
                if best(&heap).into_iter().chain(unopened).min().is_some_and(|other| other < key) {
                    heap.push(Reverse((key, number)));
                    break;
                }
            }
        }
    }

    /// Goes back in each segment to the first slot that does not come before a key, so that all
    /// that comes before it in any order is passed and nothing else.
    fn go_back(&mut self, spans: &mut [Span<'_>], key: u64) {
        for span in spans {
            let (from, _) = span.docs.bounds(self.compare.field);
            let back = span.at_key(self.compare, key).clamp(from, span.low);
            self.skip += span.count_to(back);
            span.low = back;
        }
    }

    /// Leaves of spans what comes up to a key up to which there are as many matches as are to be
    /// skipped.
    fn bound(&mut self, spans: &mut Vec<Span<'a>>) {
        let limit = self.limit(spans);
        while self.open_segment(Some(limit)).is_some() {
            spans.extend(self.cursors.last().map(|own| Span::new(self.compare, own.docs)));
        }
        for span in spans {
            let next = limit.checked_add(1);
            let until = next.map_or(span.high, |next| span.at_key(self.compare, next));
            span.high = until.clamp(span.low, span.high.max(span.low));
        }
    }

    /// A key up to which there are as many matches as are to be skipped, where a segment has them
    /// by itself; else the last one of all.
    fn limit(&self, spans: &[Span<'_>]) -> u64 {
        let (mut least, mut last) = (u64::MAX, 0);
        for Span { docs, counts, order, low, high, .. } in spans {
            let key = |at| {
                let (_, slot) = order.before(at)?;
                Some(self.compare.key(docs.segment.doc(slot)))
            };
            let mut count = 0;
            // Of the run where it stands, it is not known how much is left.
            for at in low.run + 1..high.run {
                let (from, to) =
                    (Position { run: at, index: 0 }, Position { run: at + 1, index: 0 });
                count += counts.between(from, to);
                if count > self.skip {
                    least = least.min(order.last_key(at).unwrap_or(u64::MAX));
                    break;
                }
            }
            last = last.max(key(*high).filter(|_| low < high).unwrap_or(0));
        }
        least.min(last)
    }
}

/// A search for a rank among the matches of some segments.
struct RankSeek<'a> {
    compare: &'a Compare<'a>,
    /// Whether spans run against their orders.
    is_reversed: bool,
    spans: Vec<Span<'a>>,
}

/// The slots of a segment among which the rank is. All before `low`, as the order is asked, come
/// before it; none from `high` on does. Against a kept order `low` is the greater position.
pub(super) struct Span<'a> {
    pub(super) docs: DocSet<'a>,
    counts: RangeCounts<'a>,
    pub(super) order: &'a Order,
    pub(super) low: Position,
    pub(super) high: Position,
    /// How many matches stand among them, once that is known.
    matches: Option<usize>,
}

impl<'a> Span<'a> {
    /// All that a segment may hand on; against a kept order, all that has a value.
    fn new(compare: &Compare<'_>, docs: DocSet<'a>) -> Self {
        let (from, to) = docs.bounds(compare.field);
        let (low, high) = match compare.is_reversed {
            true => (to.min(docs.missing(compare.field)), from),
            false => (from, to),
        };
        let (order, counts) = (docs.segment.order(compare.field), docs.counts_along(compare.field));
        Self { docs, counts, order, low, high, matches: None }
    }

    /// Other slots of the same segment, along its order.
    pub(super) fn between(&self, low: Position, high: Position) -> Self {
        let (docs, order, counts) = (self.docs, self.order, self.counts.clone());
        Self { docs, counts, order, low, high, matches: None }
    }

    /// The first position with a key of the kept order or a greater one.
    fn at_key(&self, compare: &Compare<'_>, key: u64) -> Position {
        let own = |slot: u16| compare.field.key(compare.catalog(), self.docs.segment.doc(slot));
        self.order.at_key(key, own)
    }

    fn bounds(&self) -> (Position, Position) {
        (self.low.min(self.high), self.low.max(self.high))
    }

    pub(super) fn width(&self) -> usize {
        let (from, to) = self.bounds();
        self.order.distance(from, to)
    }

    /// A position with about such a share of the span before it, between its ends; of so many
    /// slots, which are two at least. Cost: of runs, which are about equally long, none that grows.
    fn at_share(&self, share: f64, width: usize) -> Position {
        let part = ((width as f64 * share) as usize).clamp(1, width - 1);
        let runs = self.low.run.abs_diff(self.high.run) as f64 * share;
        let (is_forward, passed) = (self.low < self.high, runs as usize);
        let run = if is_forward { self.low.run + passed } else { self.low.run - passed };
        if let Some(own) = self.order.run(run).filter(|_| passed > 0) {
            let rest = if is_forward { runs.fract() } else { 1.0 - runs.fract() };
            let index = ((own.len() as f64 * rest) as usize).min(own.len() - 1);
            let at = Position { run, index };
            let (from, to) = self.bounds();
            if from < at && at < to {
                return at;
            }
        }
        match self.low <= self.high {
            true => self.order.on(self.low, part),
            false => self.order.back(self.low, part),
        }
    }

    fn address(&self, at: Position) -> Option<DocAddress> {
        self.order.get(at).map(|slot| self.docs.segment.address(slot))
    }

    /// How many matches stand between `low` and a position.
    pub(super) fn count_to(&self, at: Position) -> usize {
        let between = |a: Position, b: Position| (a.min(b), a.max(b));
        let (from, to) = between(self.low, at);
        if let Some(matches) = self.matches {
            // Up to `high` it may be less far.
            let (next, end) = between(at, self.high);
            if self.order.distance(next, end) < self.order.distance(from, to) {
                return matches - self.counts.between(next, end);
            }
        }
        self.counts.between(from, to)
    }

    /// Leaves what follows a position that so many matches stand before.
    fn follow(&mut self, at: Position, count: usize) {
        (self.low, self.matches) = (at, self.matches.map(|matches| matches - count));
    }

    /// Leaves what comes before a position, so many matches.
    fn precede(&mut self, at: Position, count: usize) {
        (self.high, self.matches) = (at, Some(count));
    }
}

impl<'a> RankSeek<'a> {
    /// Narrows spans until at most `rank` matches stand before them, and almost as many; gives how
    /// many. They have about `ahead` themselves. Cost: a few guesses, each of a search or two in
    /// each segment, and the counts of what lies between.
    fn seek(&mut self, rank: usize, mut ahead: usize) -> usize {
        let (mut before, mut idle) = (0, 0);
        // How many guesses in a row lay before the rank, or as a negative number past it.
        let mut same_side = 0_i32;
        for _ in 0..GUESSES {
            let wanted = rank - before;
            if wanted <= NEAR || idle == IDLE {
                break;
            }
            // Close before the rank it is done, close behind it not.
            let aimed = wanted - NEAR / 2;
            let share = share(aimed as f64, ahead.max(1) as f64, same_side);
            let Some(pivot) = self.pivot(share.min(1.0), same_side.abs() > 1) else { break };
            let found = self.spans.iter().map(|span| {
                let at = self.locate(span, pivot);
                (at, span.count_to(at))
            });
            let found: Vec<(Position, usize)> = found.collect();
            let count: usize = found.iter().map(|(_, count)| count).sum();
            let is_before = before + count <= rank;
            let mut is_new = false;
            for (span, (at, count)) in self.spans.iter_mut().zip(found) {
                is_new |= at != if is_before { span.low } else { span.high };
                match is_before {
                    true => span.follow(at, count),
                    false => span.precede(at, count),
                }
            }
            if is_before {
                (before, ahead) = (before + count, ahead.saturating_sub(count));
                same_side = same_side.max(0) + 1;
            } else {
                ahead = count;
                same_side = same_side.min(0) - 1;
            }
            idle = if is_new { 0 } else { idle + 1 };
        }
        before
    }

    /// A slot with about such a share of all spans before it: of each span a few positions are
    /// sampled, one of them with that share of it, and the pivot is one of the samples. Nothing
    /// where no span has a slot between its ends. Cost: of wide spans a look at rows of their ends,
    /// of each other one at a row or, where spans seem to lie one behind the other, at five.
    fn pivot(&self, share: f64, is_apart: bool) -> Option<DocAddress> {
        let mut samples = Samples::default();
        for (number, span) in self.spans.iter().enumerate() {
            let width = span.width();
            samples.slots += width;
            if width < 2 {
                continue;
            }
            // The last key of a run is at hand; of a span of few runs it tells too little.
            let is_wide = span.low.run.abs_diff(span.high.run) > 2 * SAMPLES;
            let mut shares = SmallVec::<[f64; SAMPLES + 2]>::from_slice(&[share]);
            if is_wide {
                shares.extend((0..=SAMPLES).map(|at| at as f64 / SAMPLES as f64));
                shares.sort_unstable_by(f64::total_cmp);
            } else if is_apart {
                shares = SmallVec::from_slice(&[
                    0.0,
                    share / 2.0,
                    share,
                    f64::midpoint(share, 1.0),
                    1.0,
                ]);
            }
            let (mut before, mut ends) = (0.0, shares.iter().skip(1).chain(&[1.0]));
            for share in &shares {
                let at = span.at_share(*share, width);
                // A run that the span ends in may have a last key beyond it, or none.
                let is_whole = at.run != span.low.run && at.run != span.high.run;
                let near = span.order.last_key(at.run).filter(|_| is_wide && is_whole);
                let key = match near {
                    Some(key) => self.compare.directed(key),
                    None => self.compare.key(self.compare.doc(span.address(at)?)),
                };
                let slots = |part: f64| width as f64 * part;
                let behind = slots(ends.next().map_or(0.0, |end| end - share));
                let before = slots(share - std::mem::replace(&mut before, *share));
                samples.add(Sample { key, before, behind, span: number, at });
            }
        }
        let Sample { span, at, .. } = samples.middle(share)?;
        self.spans[span].address(at)
    }

    /// Within a span, the first slot that does not come before a pivot. Slots of equal values stay
    /// together where other keys break their ties; so do they against the kept order, where the
    /// place is that of the greater ones.
    fn locate(&self, span: &Span<'_>, pivot: DocAddress) -> Position {
        let (field, is_reversed) = (self.compare.field, self.is_reversed);
        let (catalog, segment, order) = (self.compare.catalog(), span.docs.segment, span.order);
        let (from, to) = span.bounds();
        if from == to {
            return from;
        }
        let pivot = self.compare.doc(pivot);
        let key = field.key(catalog, pivot);
        let first = span.at_key(self.compare, key).clamp(from, to);
        if order.get(first).is_none_or(|slot| field.key(catalog, segment.doc(slot)) != key) {
            return first;
        }
        let next = key.checked_add(1).map_or(to, |next| span.at_key(self.compare, next));
        let end = next.clamp(first, to);
        order.lower_between(first, end, |slot| {
            let own = segment.doc(slot);
            if !is_reversed && self.compare.has_kept_tail {
                return self.compare.as_kept(own, pivot);
            }
            let by_value = field.compare(catalog, own, pivot);
            // Against the order, equal ones are before what is looked for.
            if is_reversed { by_value.then(Ordering::Less) } else { by_value }
        })
    }
}
