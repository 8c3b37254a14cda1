//! How a segment's matches are handed on in the order of a field: along the kept order, against
//! it, or gathered and sorted. Each scan goes on to the next match, some slots at a time, and keeps
//! account of what that costs.

use std::cmp::Ordering;

use super::super::docset::{DocSet, SlotTest};
use super::super::signatures::RunMask;
use super::compare::{Compare, Start};
use super::sorted::SortedRun;
use crate::index::{DocAddress, Order, Position, Run, RunPart, sized};

/// How many slots are walked before another segment may have its turn.
const STRIDE: usize = sized(64, 4);

/// What a step of a scan gave.
pub(super) enum Step {
    Match(u16),
    /// The next slot, not yet looked at, or one that was passed: no match left comes before it.
    Paused(u16),
    End,
}

/// What a scan may still cost.
#[derive(Debug)]
pub(super) struct Budget {
    /// In nanoseconds.
    left: u64,
    /// What a slot costs.
    step: u64,
    /// How many slots were looked at.
    examined: usize,
}

impl Budget {
    pub(super) const UNLIMITED: Self = Self { left: u64::MAX, step: 0, examined: 0 };

    pub(super) fn new(left: u64, step: u64) -> Self {
        Self { left, step, examined: 0 }
    }

    fn examine(&mut self, slots: usize) {
        self.examined += slots;
        self.spend(self.step * slots as u64);
    }

    fn spend(&mut self, nanoseconds: u64) {
        self.left = self.left.saturating_sub(nanoseconds);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Goes on with the same account up to another limit.
    pub(super) fn renew(&mut self, left: u64, step: u64) {
        (self.left, self.step) = (left, step);
    }

    pub(super) fn examined(&self) -> usize {
        self.examined
    }
}

/// Where a walk stands, and against an order in which group of equal values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The next slot.
    pub(super) at: Position,
    /// Where the group ends.
    pub(super) group_end: Position,
    /// Where the next group ends.
    pub(super) next_end: Position,
}

impl Place {
    /// Between two groups, or along the order.
    pub(super) fn at(at: Position) -> Self {
        Self { at, group_end: at, next_end: at }
    }
}

/// A way through a segment's matches.
pub(super) enum Scan<'a> {
    Forward(ForwardScan<'a>),
    Reverse(ReverseScan<'a>),
    Sorted(SortedRun),
}

impl<'a> Scan<'a> {
    /// A walk along a segment's order as it is asked, from a place or from its beginning; of about
    /// so many slots.
    pub(super) fn walk(
        compare: &'a Compare<'a>,
        docs: DocSet<'a>,
        from: Option<Place>,
        slots: u64,
    ) -> Self {
        let field = compare.field;
        let (start, end) = docs.bounds(field);
        let test = docs.test_along(field, slots);
        if !compare.is_reversed {
            let at = from.map_or(start, |from| from.at);
            let exclusive_until = Position { run: 0, index: 0 };
            return Self::Forward(ForwardScan { compare, docs, test, at, end, exclusive_until });
        }
        let missing = docs.missing(field);
        let place = from.unwrap_or(Place::at(end.min(missing)));
        Self::Reverse(ReverseScan { compare, docs, test, place, start, missing })
    }

    /// A walk from where the merge begins.
    pub(super) fn walk_behind(compare: &'a Compare<'a>, docs: DocSet<'a>, slots: u64) -> Self {
        let mut walk = Self::walk(compare, docs, None, slots);
        if let Some(start) = &compare.start {
            match &mut walk {
                Self::Forward(scan) => scan.go_to(start),
                Self::Reverse(scan) => scan.go_to(start),
                Self::Sorted(_) => {}
            }
        }
        walk
    }

    /// Goes on to the next match, or for a stride of slots that are none. `bound` is the best key
    /// that other segments have.
    pub(super) fn next(&mut self, bound: Option<u64>, budget: &mut Budget) -> Step {
        match self {
            Self::Forward(scan) => scan.next(bound, budget),
            Self::Reverse(scan) => scan.next(budget),
            Self::Sorted(run) => run.next(),
        }
    }

    /// Goes on with a walk over matches that were found in another form.
    pub(super) fn over(self, docs: DocSet<'a>, slots: u64) -> Self {
        let test = |compare: &Compare<'_>| docs.test_along(compare.field, slots);
        match self {
            Self::Forward(scan) => {
                Self::Forward(ForwardScan { docs, test: test(scan.compare), ..scan })
            }
            Self::Reverse(scan) => {
                Self::Reverse(ReverseScan { docs, test: test(scan.compare), ..scan })
            }
            sorted => sorted,
        }
    }

    /// Goes on behind a group of equal values that stands between two positions of the order, and
    /// after which all comes that is left.
    pub(super) fn leave(&mut self, from: Position, to: Position, is_left: impl Fn(u16) -> bool) {
        match self {
            Self::Forward(scan) => scan.at = to.clamp(scan.at, scan.end.max(scan.at)),
            Self::Reverse(scan) => {
                let (start, end) = scan.docs.bounds(scan.compare.field);
                let (from, to) = (from.clamp(start, end), to.clamp(start, end));
                if from >= scan.missing {
                    // Those without a value come last.
                    *self = Self::Sorted(SortedRun::EMPTY);
                } else {
                    scan.place = Place { at: to, group_end: to, next_end: from };
                }
            }
            Self::Sorted(run) => run.skip_while(|slot| !is_left(slot)),
        }
    }

    /// Which slots a walk has passed: all between two positions, and between two others.
    #[cfg(test)]
    pub(super) fn passed(&self) -> [(Position, Position); 2] {
        match self {
            Self::Forward(scan) => [(scan.order().start(), scan.at), (scan.at, scan.at)],
            Self::Reverse(ReverseScan { place, missing, .. }) => {
                [(place.next_end, place.at), (place.group_end, *missing)]
            }
            Self::Sorted(_) => panic!("no walk"),
        }
    }

    /// Whether rows of slots are looked at only to tell matches.
    pub(super) fn asks_row(&self) -> bool {
        match self {
            Self::Forward(ForwardScan { test, .. }) | Self::Reverse(ReverseScan { test, .. }) => {
                test.asks_row()
            }
            Self::Sorted(_) => false,
        }
    }

    /// Whether the match that was handed on last comes before all of other segments.
    pub(super) fn is_exclusive(&self) -> bool {
        matches!(self, Self::Forward(scan) if scan.at <= scan.exclusive_until)
    }

    /// The slot that was looked at last, of a walk.
    pub(super) fn last(&self) -> Option<u16> {
        let (order, at) = match self {
            Self::Forward(scan) => (scan.order(), scan.at),
            Self::Reverse(scan) => (scan.order(), scan.place.at),
            Self::Sorted(_) => return None,
        };
        order.before(at).map(|(_, slot)| slot)
    }
}

/// How a slot stands to the first one that is still to come.
fn ahead(is_ahead: bool) -> Ordering {
    if is_ahead { Ordering::Greater } else { Ordering::Less }
}

/// A walk along a kept order.
///
/// While a run's last slot precedes every other segment's next key, its slots are handed on without
/// a look at the others: up to `exclusive_until`.
pub(super) struct ForwardScan<'a> {
    compare: &'a Compare<'a>,
    docs: DocSet<'a>,
    test: SlotTest<'a>,
    at: Position,
    end: Position,
    exclusive_until: Position,
}

impl<'a> ForwardScan<'a> {
    fn order(&self) -> &'a Order {
        self.docs.segment.order(self.compare.field)
    }

    /// Goes to the first slot that is still to come.
    fn go_to(&mut self, start: &Start<'_>) {
        let segment = self.docs.segment;
        let at = self.order().lower(|slot| ahead(start.is_ahead(segment.doc(slot))));
        self.at = at.clamp(self.at, self.end.max(self.at));
    }

    /// The next slot, whether a match or not, if there is any.
    pub(super) fn ahead(&self) -> Option<u16> {
        self.order().get(self.at)
    }

    fn next(&mut self, bound: Option<u64>, budget: &mut Budget) -> Step {
        let mut texts = self.test.text_cost();
        while self.at < self.end
            && let Some(run) = self.order().run(self.at.run)
        {
            let until = self.run_end(run);
            // Once a run: does all of it come before what other segments have?
            if (self.at.index == 0 || self.exclusive_until.run != self.at.run + 1)
                && self.precedes(run, until, bound)
            {
                self.exclusive_until = Position { run: self.at.run + 1, index: 0 };
            }
            let is_exclusive = self.exclusive_until.run > self.at.run && !self.test.asks_text();
            let stop = if is_exclusive { until } else { until.min(self.at.index + STRIDE) };
            let from = self.at.index;
            let hit = self.test.position(&RunPart { run, start: from, end: stop });
            let index = hit.map_or(stop, |hit| from + hit + 1);
            budget.examine(index - from);
            let spent = self.test.text_cost();
            budget.spend(spent - std::mem::replace(&mut texts, spent));
            self.at = Position { index, ..self.at }.within(run);
            if let Some(hit) = hit {
                return Step::Match(run.slots()[from + hit]);
            }
            if stop < until || budget.is_spent() {
                let ahead = self.order().get(self.at).filter(|_| self.at < self.end);
                return ahead.map_or(Step::End, Step::Paused);
            }
        }
        Step::End
    }

    /// Where the walk ends in its run.
    fn run_end(&self, run: &Run) -> usize {
        if self.at.run == self.end.run { self.end.index } else { run.slots().len() }
    }

    /// Whether a run up to a slot comes before a key.
    fn precedes(&self, run: &Run, until: usize, bound: Option<u64>) -> bool {
        let last = run.slots().get(until - 1).map(|slot| self.docs.segment.doc(*slot));
        let last = last.map_or(u64::MAX, |last| self.compare.key(last));
        bound.is_none_or(|bound| last < bound)
    }

    /// The run where the walk stands and where its exclusive range ends there, if codes tell its
    /// matches.
    fn exclusive(&self) -> Option<(&'a Run, usize, RunMask<'a>)> {
        let run = self.order().run(self.at.run)?;
        let mask = self.test.mask().filter(|_| self.at < self.exclusive_until)?;
        Some((run, self.run_end(run), mask))
    }

    /// Passes at most so many matches of the exclusive range, if no text has to be tested for them;
    /// gives how many.
    pub(super) fn bulk_skip(&mut self, limit: usize, budget: &mut Budget) -> usize {
        let is_exclusive = self.at < self.exclusive_until && !self.test.asks_text();
        let Some(run) = self.order().run(self.at.run).filter(|_| is_exclusive) else { return 0 };
        let (from, end) = (self.at.index, self.run_end(run));
        let part = |start: usize| RunPart { run, start, end: end.min(start + STRIDE) };
        let mut skipped = 0;
        while skipped < limit && self.at.index < end {
            let some = part(self.at.index);
            let matches = self.test.count_part(&some);
            if skipped + matches <= limit {
                (skipped, self.at.index) = (skipped + matches, some.end);
            } else if let Some(hit) = self.test.position(&some) {
                (skipped, self.at.index) = (skipped + 1, some.start + hit + 1);
            }
        }
        budget.examine(self.at.index - from);
        self.at = self.at.within(run);
        skipped
    }

    /// Puts matches of the exclusive range after others, up to so many addresses.
    pub(super) fn bulk_take(
        &mut self,
        addresses: &mut Vec<DocAddress>,
        end: usize,
        budget: &mut Budget,
    ) {
        let Some((run, until, mask)) = self.exclusive() else { return };
        let (codes, from) = (mask.codes(), self.at.index);
        let mut left = [0; STRIDE];
        let slots = run.slots()[from..until].chunks(STRIDE);
        for (slots, own) in slots.zip(run.codes()[from..until].chunks(STRIDE)) {
            let mut count = 0;
            for (slot, code) in slots.iter().zip(own) {
                left[count] = *slot;
                count += usize::from(codes.has(*code));
            }
            self.at.index += slots.len();
            let some = left[..count].iter().take(end - addresses.len());
            addresses.extend(some.map(|slot| self.docs.segment.address(*slot)));
            if addresses.len() == end {
                break;
            }
        }
        budget.examine(self.at.index - from);
        self.at = self.at.within(run);
    }
}

/// A walk against a kept order, group by group of equal values: these stand in their kept order
/// also where the values run backwards, and slots without a value come last, as they are kept.
pub(super) struct ReverseScan<'a> {
    compare: &'a Compare<'a>,
    docs: DocSet<'a>,
    test: SlotTest<'a>,
    place: Place,
    /// Where the first slot with a value is.
    start: Position,
    /// Where the slots without a value begin.
    missing: Position,
}

impl<'a> ReverseScan<'a> {
    fn order(&self) -> &'a Order {
        self.docs.segment.order(self.compare.field)
    }

    /// Goes to the first slot that is still to come: within its group of equal values where it is
    /// not the first one there.
    fn go_to(&mut self, start: &Start<'_>) {
        let (order, segment, field) = (self.order(), self.docs.segment, self.compare.field);
        let is_ahead = |slot: u16| ahead(start.is_ahead(segment.doc(slot)));
        if start.after.is_missing() {
            return self.go_to_missing(order.lower_between(self.missing, order.end(), is_ahead));
        }
        let by_value = |slot: u16| start.after.first_as_kept(field, segment.doc(slot));
        let within = |at: Position| at.clamp(self.start, self.place.at.max(self.start));
        let low = within(order.lower(by_value));
        let high = within(order.lower(|slot| by_value(slot).then(Ordering::Less)));
        let at = order.lower_between(low, high, is_ahead);
        self.place = match at {
            at if at == low => Place::at(high),
            at if at == high => Place::at(low),
            at => Place { at, group_end: high, next_end: low },
        };
    }

    /// Goes to a slot without a value: these come last.
    pub(super) fn go_to_missing(&mut self, at: Position) {
        self.place = Place { at, group_end: self.order().end(), next_end: self.start };
    }

    fn next(&mut self, budget: &mut Budget) -> Step {
        let texts = self.test.text_cost();
        let mut passed = None;
        for _ in 0..STRIDE {
            let Some(slot) = self.step() else { return Step::End };
            budget.examine(1);
            if self.test.has(slot) {
                passed = Some(Step::Match(slot));
                break;
            }
            // A slot passed is as good a bound as the next one.
            passed = Some(Step::Paused(slot));
        }
        budget.spend(self.test.text_cost() - texts);
        passed.unwrap_or(Step::End)
    }

    /// The next slot, whether a match or not.
    fn step(&mut self) -> Option<u16> {
        let order = self.order();
        let Place { at, group_end, next_end } = self.place;
        if at == group_end {
            if group_end == order.end() && next_end <= self.start {
                // The slots without a value were the last, or there are none.
                return None;
            }
            self.turn();
        }
        let slot = order.get(self.place.at)?;
        self.place.at = order.after(self.place.at);
        Some(slot)
    }

    /// Goes on to the group before, or at the start to the slots without a value.
    fn turn(&mut self) {
        let (order, segment, compare) = (self.order(), self.docs.segment, self.compare);
        let end = self.place.next_end;
        let before = order.before(end).filter(|(before, _)| *before >= self.start);
        let Some((position, last)) = before else {
            return self.go_to_missing(self.missing);
        };
        let last = segment.doc(last);
        let compared =
            |slot: u16| compare.field.compare(compare.catalog(), segment.doc(slot), last);
        // Most values are alone: one look, and no search.
        let start = match order.before(position) {
            Some((_, other)) if compared(other).is_eq() => order.lower(compared),
            _ => position,
        };
        self.place = Place { at: start, group_end: end, next_end: start };
    }
}
