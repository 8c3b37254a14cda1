//! Where a far page begins, in any order: a search for a slot that almost so many matches come
//! before as are to be skipped.
//!
//! Where runs count the matches, those that begin before the page are skipped whole. What is left
//! is searched: a pivot is guessed, found in each segment, and the matches before it are counted;
//! the next guess is between the nearest ones on both sides. Among texts, whose rows are far, the
//! first guesses are keys of fences, and the last one is made by the keys of the few that are left.
//! Useful where many matches come before the page. Not for few of them, nor for texts that are
//! tested as their turn comes.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use smallvec::SmallVec;

use super::super::cost::{COUNTED_SLOT, GATHER, HANDED_ON, SEARCH};
use super::super::docset::{DocSet, RangeCounts};
use super::Merge;
use super::compare::Compare;
use crate::index::{DocAddress, DocRef, Order, Position, Seek, SeekKey, Segment, sized};

/// How many matches before the page are left to be passed one by one.
const NEAR: usize = sized(32, 1);

/// How many guesses there are at most, how many are expected, and how many in a row may tell
/// nothing.
const GUESSES: usize = 48;
const EXPECTED: usize = 8;
const IDLE: usize = 3;

/// Up to how many slots are gathered, rather than guessed among.
const GATHERED: usize = sized(512, 16);

/// At how many positions a wide span is sampled for a pivot.
const SAMPLES: usize = 8;

impl<'a> Merge<'a> {
    /// Goes on to where almost as many matches were passed as are to be skipped, where that costs
    /// less than handing these on.
    pub(super) fn seek(&mut self) {
        let field = self.compare.field;
        if self.ranking.plan.text.is_some() && self.ranking.matched.is_everywhere {
            return;
        }
        let is_by_run = !self.compare.is_reversed
            && field.is_counted()
            && self.ranking.signatures().run_mask().is_some()
            && self.cursors.iter().all(|cursor| cursor.docs.run_mask(field).is_some());
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
        let mut search = RankSeek { compare: self.compare, spans };
        // What is alone is passed by its codes.
        let is_alone =
            is_by_run && search.spans.iter().filter(|span| span.low < span.high).count() < 2;
        self.skip -= if is_alone { 0 } else { search.seek(self.skip, total) };
        let ahead = self.skip + self.limit;
        for (cursor, span) in self.cursors.iter_mut().zip(search.spans) {
            cursor.walk_from(self.compare, span.low, ahead);
        }
    }

    /// Whether a search that counts slot by slot costs less than handing on what comes before the
    /// page, of so many matches.
    fn is_worth_seeking(&self, total: u64) -> bool {
        let skip = self.skip as u64;
        let index = self.ranking.plan.index;
        let share = u128::from(index.len()) * u128::from(skip) / u128::from(total.max(1));
        // What is counted before it is known to be past the rank is counted again.
        let counted = 2 * share.min(index.len().into()) as u64 * COUNTED_SLOT;
        let searches = (index.segments().len() * EXPECTED) as u64 * SEARCH;
        counted + searches < total * GATHER + skip * HANDED_ON
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

/// What a guess is made of.
#[derive(Clone, Copy)]
enum Pivots {
    /// Keys of fences: no row is looked at, and each segment is cut within two fences.
    Fences,
    Slots,
}

enum Pivot {
    /// A key of the kept order.
    Key(SeekKey),
    Slot(DocAddress),
}

/// Where a pivot cuts a span: between two positions, the first of which has the fewer matches
/// before it.
struct Bracket {
    first: Position,
    last: Position,
    /// How many matches stand before each.
    least: usize,
    most: usize,
}

/// How far a search has come.
struct Progress {
    /// How many matches stand before all spans.
    before: usize,
    /// How many the spans have, about.
    ahead: usize,
    /// How many guesses in a row lay before the rank, or as a negative number past it.
    same_side: i32,
    /// How many guesses in a row told nothing.
    idle: usize,
}

impl Progress {
    /// Which share of the spans is guessed to stand before so many matches. These may stand
    /// unevenly: what fell short is doubled, and what went past is halved.
    fn share(&self, wanted: usize) -> f64 {
        let share = wanted as f64 / self.ahead.max(1) as f64;
        (share * 2_f64.powi(self.same_side - self.same_side.signum())).min(1.0)
    }

    /// Takes up that so many matches stand before the spans' new beginning, or before their end.
    fn go_on(&mut self, is_before: bool, count: usize) {
        if is_before {
            self.before += count;
            self.ahead = self.ahead.saturating_sub(count);
            self.same_side = self.same_side.max(0) + 1;
        } else {
            self.ahead = count;
            self.same_side = self.same_side.min(0) - 1;
        }
    }
}

/// A search for a rank among the matches of some segments.
struct RankSeek<'a> {
    compare: &'a Compare<'a>,
    spans: Vec<Span<'a>>,
}

/// The slots of a segment among which the rank is. All before `low`, as the order is asked, come
/// before it; none from `high` on does. Against a kept order `low` is the greater position.
struct Span<'a> {
    docs: DocSet<'a>,
    counts: RangeCounts<'a>,
    order: &'a Order,
    low: Position,
    high: Position,
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

    /// The first position with a key of the kept order or a greater one.
    fn at_key(&self, compare: &Compare<'_>, key: u64) -> Position {
        let own = |slot: u16| compare.field.key(compare.catalog(), self.docs.segment.doc(slot));
        self.order.at_key(key, own)
    }

    fn bounds(&self) -> (Position, Position) {
        (self.low.min(self.high), self.low.max(self.high))
    }

    fn width(&self) -> usize {
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

    fn key_at(&self, compare: &Compare<'_>, at: Position) -> Option<u64> {
        let doc = self.docs.segment.doc(self.order.get(at)?);
        Some(compare.field.key(compare.catalog(), doc))
    }

    fn address(&self, at: Position) -> Option<DocAddress> {
        self.order.get(at).map(|slot| self.docs.segment.address(slot))
    }

    /// How many matches stand between two positions.
    fn count_between(&self, a: Position, b: Position) -> usize {
        self.counts.between(a.min(b), a.max(b))
    }

    /// How many matches stand between `low` and a position.
    fn count_to(&self, at: Position) -> usize {
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
    fn seek(&mut self, rank: usize, ahead: usize) -> usize {
        let mut progress = Progress { before: 0, ahead, same_side: 0, idle: 0 };
        // A search for a text looks at rows that are far, and fences are at hand.
        if !self.compare.field.is_counted() {
            self.narrow_by_fences(rank, &mut progress);
            self.narrow_by_keys(rank, &mut progress);
            (progress.same_side, progress.idle) = (0, 0);
        }
        self.narrow(rank, &mut progress, Pivots::Slots);
        progress.before
    }

    /// Leaves of each span what lies between two fences or three.
    fn narrow_by_fences(&mut self, rank: usize, progress: &mut Progress) {
        let Some(margin) = self.narrow(rank, progress, Pivots::Fences) else { return };
        // What is a little before the rank, or past it, fences do tell.
        for is_past in [false, true] {
            let wanted = rank - progress.before;
            let aim = if is_past { wanted + margin } else { wanted.saturating_sub(margin) };
            let share = aim as f64 / progress.ahead.max(1) as f64;
            if aim > 0
                && share < 1.0
                && let Some(pivot) = self.pivot(share, Pivots::Fences, false)
            {
                self.cut(rank, progress, &pivot);
            }
        }
    }

    /// Cuts the spans at the rank by the keys of all their matches, if these are few: rows that are
    /// looked at all at once are waited for together.
    fn narrow_by_keys(&mut self, rank: usize, progress: &mut Progress) {
        let wanted = rank - progress.before;
        let width: usize = self.spans.iter().map(Span::width).sum();
        if wanted <= NEAR || width > GATHERED {
            return;
        }
        let mut keys = Vec::with_capacity(width);
        for span in &self.spans {
            let (segment, (from, to)) = (span.docs.segment, span.bounds());
            span.counts.for_each(from, to, |slot| {
                let key = self.compare.field.long_key(self.compare.catalog(), segment.doc(slot));
                keys.push((self.directed(key), segment.address(slot)));
            });
        }
        if wanted < keys.len() {
            let (_, (_, pivot), _) = keys.select_nth_unstable(wanted);
            let pivot = Pivot::Slot(*pivot);
            self.cut(rank, progress, &pivot);
        }
    }

    /// Guesses until the rank is near, or guesses tell nothing more. Where a pivot is so near that
    /// its fences do not tell on which side it lies, gives how many matches stand between these.
    fn narrow(&mut self, rank: usize, progress: &mut Progress, pivots: Pivots) -> Option<usize> {
        for _ in 0..GUESSES {
            let wanted = rank - progress.before;
            if wanted <= NEAR || progress.idle == IDLE {
                break;
            }
            let is_apart = progress.same_side.abs() > 1;
            let pivot = self.pivot(progress.share(wanted), pivots, is_apart)?;
            if let Some(margin) = self.cut(rank, progress, &pivot) {
                return Some(margin);
            }
        }
        None
    }

    /// Leaves of the spans what a pivot has on the side of the rank. Where it is not clear which
    /// side that is, leaves them as they are, and gives how many matches the pivot may stand among.
    fn cut(&mut self, rank: usize, progress: &mut Progress, pivot: &Pivot) -> Option<usize> {
        let found: Vec<Bracket> = self.spans.iter().map(|span| self.bracket(span, pivot)).collect();
        let sum = |count: fn(&Bracket) -> usize| found.iter().map(count).sum::<usize>();
        let (least, most) = (sum(|own| own.least), sum(|own| own.most));
        let is_before = progress.before + most <= rank;
        if !is_before && progress.before + least <= rank {
            return Some(most - least);
        }
        let mut is_new = false;
        for (span, own) in self.spans.iter_mut().zip(found) {
            is_new |= if is_before { own.first != span.low } else { own.last != span.high };
            match is_before {
                true => span.follow(own.first, own.least),
                false => span.precede(own.last, own.most),
            }
        }
        progress.go_on(is_before, if is_before { least } else { most });
        progress.idle = if is_new { 0 } else { progress.idle + 1 };
        None
    }

    /// A slot with about such a share of all spans before it, or a key. Of each span a few
    /// positions are sampled, one of them with that share of it; the pivot is the sample up to
    /// which all spans have that share together. Nothing where no span has a slot between its ends.
    /// Cost: of fences, and of wide spans, no look at a slot; of each other span one look at a row
    /// or, where spans seem to lie one behind the other, three.
    fn pivot(&self, share: f64, pivots: Pivots, is_apart: bool) -> Option<Pivot> {
        let (mut samples, mut all) = (Vec::with_capacity(self.spans.len()), 0);
        for (number, span) in self.spans.iter().enumerate() {
            let width = span.width();
            all += width;
            if width < 2 {
                continue;
            }
            // The last key of a run is at hand; of a span of few runs it tells too little.
            let is_wide = span.low.run.abs_diff(span.high.run) > 2 * SAMPLES;
            let mut shares = SmallVec::<[f64; SAMPLES + 1]>::from_slice(&[share]);
            if is_wide {
                shares.extend((1..SAMPLES).map(|at| at as f64 / SAMPLES as f64));
                shares.sort_unstable_by(f64::total_cmp);
            } else if is_apart {
                shares = SmallVec::from_slice(&[share / 2.0, share, f64::midpoint(share, 1.0)]);
            }
            let whole = |key: u64| SeekKey::from(key) << 64;
            let mut before = 0.0;
            for share in shares {
                let at = span.at_share(share, width);
                let near = match pivots {
                    Pivots::Fences => Some(span.order.fence_at(at).unwrap_or(0)),
                    Pivots::Slots => span.order.last_key(at.run).filter(|_| is_wide).map(whole),
                };
                let key = match near {
                    Some(key) => self.directed(key),
                    None => self.directed(whole(span.key_at(self.compare, at)?)),
                };
                let slots = width as f64 * (share - std::mem::replace(&mut before, share));
                samples.push((key, slots, number, at));
            }
        }
        samples.sort_unstable_by_key(|(key, ..)| *key);
        let (mut passed, wanted) = (0.0, all as f64 * share);
        let mut is_before = |slots: f64| {
            passed += slots;
            passed < wanted
        };
        let chosen = samples.iter().find(|(_, slots, ..)| !is_before(*slots)).or(samples.last());
        let (key, _, number, at) = chosen?;
        match pivots {
            // A key that is turned over twice is as it was.
            Pivots::Fences => Some(Pivot::Key(self.directed(*key))),
            Pivots::Slots => self.spans[*number].address(*at).map(Pivot::Slot),
        }
    }

    /// A key of the kept order as one of the asked direction: of spans against the order, none is
    /// that of a missing value.
    fn directed(&self, key: SeekKey) -> SeekKey {
        if self.compare.is_reversed { !key } else { key }
    }

    /// Where a span is cut by a pivot, and the matches before.
    fn bracket(&self, span: &Span<'_>, pivot: &Pivot) -> Bracket {
        let (first, last) = match pivot {
            Pivot::Slot(pivot) => {
                let at = self.locate(span, *pivot);
                (at, at)
            }
            Pivot::Key(key) => self.around(span, *key),
        };
        let least = span.count_to(first);
        let between = if first == last { 0 } else { span.count_between(first, last) };
        Bracket { first, last, least, most: least + between }
    }

    /// Within a span, two positions between which the first slot is that does not come before a key
    /// of the kept order; against that order, the first one after those of the key.
    fn around(&self, span: &Span<'_>, key: SeekKey) -> (Position, Position) {
        let (from, to) = span.bounds();
        let within = |at: Position| at.clamp(from, to);
        if !self.compare.is_reversed {
            let (first, last) = span.order.around_key(key);
            return (within(first), within(last));
        }
        let next = key.checked_add(1).map(|next| span.order.around_key(next));
        let (first, last) = next.unwrap_or((to, to));
        (within(last), within(first))
    }

    /// Within a span, the first slot that does not come before a pivot. Slots of equal values stay
    /// together where other keys break their ties; so do they against the kept order, where the
    /// place is that of the greater ones.
    fn locate(&self, span: &Span<'_>, pivot: DocAddress) -> Position {
        let (from, to) = span.bounds();
        if from == to {
            return from;
        }
        let (compare, pivot) = (self.compare, self.compare.doc(pivot));
        let seek = PivotSeek { compare, segment: span.docs.segment, pivot };
        span.order.seek(&seek).clamp(from, to)
    }
}

/// A pivot that is looked for in a segment.
struct PivotSeek<'a> {
    compare: &'a Compare<'a>,
    segment: &'a Segment,
    pivot: DocRef<'a>,
}

impl Seek for PivotSeek<'_> {
    fn key(&self, slot: u16) -> SeekKey {
        self.compare.field.long_key(self.compare.catalog(), self.segment.doc(slot))
    }

    /// Texts that are equal have equal keys. Of dates the lower half of a key breaks ties as kept
    /// orders do, where these are not to be broken it comes before all of the date, or after.
    fn wanted(&self) -> SeekKey {
        let Compare { field, is_reversed, has_kept_tail, .. } = *self.compare;
        let key = field.long_key(self.compare.catalog(), self.pivot);
        let lower = SeekKey::from(u64::MAX);
        match is_reversed {
            _ if field.is_text() => key,
            true => key | lower,
            false if has_kept_tail => key,
            false => key & !lower,
        }
    }

    fn compare(&self, slot: u16) -> Ordering {
        let Compare { field, is_reversed, has_kept_tail, .. } = *self.compare;
        let own = self.segment.doc(slot);
        if !is_reversed && has_kept_tail {
            return self.compare.as_kept(own, self.pivot);
        }
        let by_value = field.compare(self.compare.catalog(), own, self.pivot);
        // Against the order, equal ones are before what is looked for.
        if is_reversed { by_value.then(Ordering::Less) } else { by_value }
    }
}
