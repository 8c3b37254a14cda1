//! A walk along a segment's kept order, or against it: from match to match, some slots at a time.

use super::super::cost::STEP;
use super::super::docset::{DocSet, MatchesRef};
use super::super::signatures::Signatures;
use super::super::text::Text;
use super::compare::Compare;
use crate::index::{BitSet, Field, Order, Position, Run, Segment, sized};

/// How many slots are walked before another segment may have its turn.
pub(super) const STRIDE: usize = sized(64, 4);

/// What it costs to look at a slot's row, in steps of a walk.
pub(super) const ROW: u64 = 4;

/// What a step along a segment's matches gave.
pub(super) enum Step {
    Match(u16),
    /// The next slot, not yet looked at.
    Paused(u16),
    End,
}

/// A walk against a kept order.
pub(super) struct Backward {
    /// The next slot.
    pub(super) at: Position,
    /// Where the slots of the same value end.
    pub(super) group_end: Position,
    /// Where the next group of values ends.
    pub(super) next_end: Position,
    /// Where the first slot with a value is.
    pub(super) first: Position,
    /// Where the slots without a value begin; they come last, as they are kept.
    pub(super) missing: Position,
}

/// What a walk knows of a segment's matches.
pub(super) struct Walk<'a> {
    compare: &'a Compare<'a>,
    signatures: &'a Signatures,
    found: MatchesRef<'a>,
    /// The matches as a set, where there is one.
    set: Option<&'a BitSet>,
    /// What a step costs.
    step: u64,
    /// Where texts are tested as their turn comes, what is searched, and how many were before.
    text: Option<(&'a Text<'a>, u64)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        compare: &'a Compare<'a>,
        signatures: &'a Signatures,
        found: MatchesRef<'a>,
        set: Option<&'a BitSet>,
    ) -> Self {
        let set = match found.matches {
            DocSet::Bitmap(own) => Some(own),
            _ => set,
        };
        let step = match found.matches {
            DocSet::Range(own) if compare.field != own.field && set.is_none() => ROW,
            _ => 1,
        };
        let is_tested = matches!(found.matches, DocSet::TwoPhase { .. });
        let text = compare.plan.text.as_ref().filter(|_| is_tested);
        let text = text.map(|text| (text, text.tested()));
        Self { compare, signatures, found, set, step, text }
    }

    /// What it has cost to look at so many slots since the walk was made: in steps; where texts
    /// are tested, in nanoseconds.
    pub(super) fn cost(&self, examined: usize) -> u64 {
        match self.text {
            None => examined as u64 * self.step,
            Some((text, before)) => examined as u64 * STEP + text.test_cost(text.tested() - before),
        }
    }

    /// Goes on along the order to the next match, or for a stride of slots that are none; up to
    /// what may cost so many steps. Tells how many slots were looked at. `top` is the best key that
    /// other segments have; `alone_until` hears up to where all comes before it.
    pub(super) fn forward(
        &self,
        next: &mut Position,
        alone_until: &mut Position,
        top: Option<u64>,
        steps: u64,
    ) -> (Step, usize) {
        let Compare { field, .. } = *self.compare;
        let order = self.found.segment.order(field);
        let (_, end) = bounds(&self.found, field);
        let by_code = is_by_code(&self.found, field, order, self.signatures);
        let mut examined = 0;
        while *next < end
            && let Some(run) = order.run(next.run)
        {
            let until = if next.run == end.run { end.index } else { run.slots().len() };
            // Once a run: does all of it come before what other segments have?
            if (next.index == 0 || alone_until.run != next.run + 1)
                && self.comes_before(top, run, until)
            {
                *alone_until = Position { run: next.run + 1, index: 0 };
            }
            let is_alone = alone_until.run > next.run && self.text.is_none();
            let stop = if is_alone { until } else { until.min(next.index + STRIDE) };
            let from = next.index;
            let hit = self.first_match(run, from, stop, by_code);
            let index = hit.map_or(stop, |hit| from + hit + 1);
            examined += index - from;
            *next = Position { index, ..*next }.within(run);
            if let Some(hit) = hit {
                return (Step::Match(run.slots()[from + hit]), examined);
            }
            if stop < until || self.cost(examined) > steps {
                let ahead = order.get(*next).filter(|_| *next < end);
                return (ahead.map_or(Step::End, Step::Paused), examined);
            }
        }
        (Step::End, examined)
    }

    /// Whether a run up to a slot comes before a key.
    fn comes_before(&self, key: Option<u64>, run: &Run, until: usize) -> bool {
        let last = run.slots().get(until - 1).map(|slot| self.found.segment.spot(*slot));
        let last = last.map_or(u64::MAX, |last| self.compare.key(last));
        key.is_none_or(|key| last < key)
    }

    /// How far it is to the first match of a part of a run.
    #[inline]
    fn first_match(&self, run: &Run, from: usize, stop: usize, by_code: bool) -> Option<usize> {
        let slots = &run.slots()[from..stop];
        match self.set {
            _ if by_code => {
                let (left, codes) = (self.signatures.codes(), &run.codes()[from..stop]);
                codes.iter().position(|code| left.has(*code))
            }
            // Most slots are not in it: they cost one look.
            Some(set) => slots.iter().position(|slot| set.has(*slot) && self.has(*slot)),
            None => slots.iter().position(|slot| self.has(*slot)),
        }
    }

    /// The same against the order.
    pub(super) fn backward(&self, back: &mut Backward) -> (Step, usize) {
        let mut examined = 0;
        while let Some(slot) = back.next(self.compare, self.found.segment) {
            examined += 1;
            if self.has(slot) {
                return (Step::Match(slot), examined);
            }
            if examined >= STRIDE {
                // A slot passed is as good a bound as the next one.
                return (Step::Paused(slot), examined);
            }
        }
        (Step::End, examined)
    }

    /// Whether a live slot is a match.
    #[inline]
    pub(super) fn has(&self, slot: u16) -> bool {
        let Self { compare, found, set, .. } = self;
        let is_left = self.signatures.has(found.segment.signature(slot));
        if set.is_some_and(|set| !set.has(slot)) || !is_left {
            return false;
        }
        match found.matches {
            // Where they are a set, that has said it; along their own order a walk meets no others.
            DocSet::Range(own) if set.is_none() && own.field != compare.field => {
                own.has(compare.catalog(), found.segment, slot)
            }
            DocSet::TwoPhase { .. } => {
                compare.plan.text.as_ref().is_none_or(|text| text.is_in(found.segment.row(slot)))
            }
            _ => true,
        }
    }
}

impl Backward {
    fn next(&mut self, compare: &Compare<'_>, segment: &Segment) -> Option<u16> {
        let order = segment.order(compare.field);
        if self.at == self.group_end {
            if self.group_end == order.end() && self.next_end <= self.first {
                // The slots without a value were the last, or there are none.
                return None;
            }
            self.turn(compare, segment);
        }
        let slot = order.get(self.at)?;
        self.at = order.after(self.at);
        Some(slot)
    }

    /// Goes on to the group before, or at the start to the slots without a value.
    fn turn(&mut self, compare: &Compare<'_>, segment: &Segment) {
        let order = segment.order(compare.field);
        let before = order.before(self.next_end).filter(|(before, _)| *before >= self.first);
        let Some((position, last)) = before else {
            (self.at, self.group_end) = (self.missing, order.end());
            return;
        };
        let last = segment.spot(last);
        let is_equal =
            |slot: u16| compare.field.compare(compare.catalog(), segment.spot(slot), last).is_eq();
        // Most values are alone: one look, and no search.
        let start = match order.before(position) {
            Some((_, other)) if is_equal(other) => order
                .lower(|slot| compare.field.compare(compare.catalog(), segment.spot(slot), last)),
            _ => position,
        };
        (self.at, self.group_end, self.next_end) = (start, self.next_end, start);
    }
}

/// The positions of an order between which a segment's matches stand.
pub(super) fn bounds(found: &MatchesRef<'_>, field: Field) -> (Position, Position) {
    match *found.matches {
        DocSet::Range(own) if field == own.field => (own.from, own.to),
        _ => (found.segment.order(field).start(), found.segment.order(field).end()),
    }
}

/// Whether the codes of an order tell which of its slots are matches.
pub(super) fn is_by_code(
    found: &MatchesRef<'_>,
    field: Field,
    order: &Order,
    signatures: &Signatures,
) -> bool {
    let by_signature = match found.matches {
        DocSet::Signatures => true,
        DocSet::Range(own) => field == own.field,
        _ => false,
    };
    by_signature && order.is_counted() && signatures.are_counted()
}
