//! A segment's matches, and how far they have been handed on.

use super::super::cost::{
    GATHER, ROWS_REVERSED, SLOT_BY_CODE, SLOT_BY_TEST, STEP, TEXTS_REVERSED, WALKED_ROW,
};
use super::super::docset::DocSet;
use super::compare::Compare;
use super::scan::{Budget, Place, Scan, Step};
use super::sorted::SortedRun;
use crate::index::{DocAddress, sized};

/// Up to how many steps of a walk matches are sooner gathered than walked to, where several
/// segments have some.
const GATHERED_STEPS: u64 = sized(512, 8) as u64;

/// A segment's matches, and how far they have been handed on.
pub(super) struct Cursor<'a> {
    pub(super) docs: DocSet<'a>,
    /// Nothing where none was asked for yet.
    pub(super) scan: Option<Scan<'a>>,
    budget: Budget,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(docs: DocSet<'a>) -> Self {
        Self { docs, scan: None, budget: Budget::UNLIMITED }
    }

    /// Decides how the matches are gone through, of which so many are wanted at most: those of a
    /// walk are expected to stand evenly among the slots. `is_first` tells whether all of them come
    /// before what other segments have.
    pub(super) fn open(&mut self, compare: &'a Compare<'a>, wanted: usize, is_first: bool) {
        let docs = self.docs;
        let (count, wanted) = (docs.at_most(), wanted as u64);
        let slots = (docs.width(compare.field) * wanted.min(count)).checked_div(count).unwrap_or(0);
        if let Some(most) = docs.most_tested() {
            self.budget = Budget::new(most, STEP);
            self.scan = Some(Scan::walk_behind(compare, docs, slots));
            return;
        }
        let step = step_cost(compare, docs.run_mask(compare.field).is_some());
        let (gather, most) =
            (count * GATHER, if is_first { slots } else { slots.min(GATHERED_STEPS) });
        if gather <= most * step {
            self.scan =
                Some(Scan::Sorted(SortedRun::gather(compare, &docs, wanted as usize, None)));
            return;
        }
        let scan = Scan::walk_behind(compare, docs, slots);
        let step = if scan.asks_row() { step.max(WALKED_ROW) } else { step };
        (self.scan, self.budget) = (Some(scan), Budget::new(gather, step));
    }

    /// Goes on by a walk from a place, whatever that costs; of about so many slots.
    pub(super) fn walk_from(&mut self, compare: &'a Compare<'a>, from: Place, slots: usize) {
        self.scan = Some(Scan::walk(compare, self.docs, Some(from), slots as u64));
        self.budget.renew(u64::MAX, 0);
    }

    /// Goes on to the next match, or for a stride of slots that are none. `bound` is the best key
    /// that other segments have.
    pub(super) fn next(&mut self, bound: Option<u64>) -> Step {
        let Self { scan, budget, .. } = self;
        scan.as_mut().map_or(Step::End, |scan| scan.next(bound, budget))
    }

    /// Passes at most so many matches that come before all of other segments; gives how many. Less
    /// than there are where these are not at hand.
    pub(super) fn bulk_skip(&mut self, limit: usize) -> usize {
        let Self { scan, budget, .. } = self;
        match scan {
            Some(Scan::Forward(scan)) => scan.bulk_skip(limit, budget),
            _ => 0,
        }
    }

    /// Puts matches after others that come before all of other segments, up to so many addresses.
    pub(super) fn bulk_take(
        &mut self,
        bound: Option<u64>,
        addresses: &mut Vec<DocAddress>,
        end: usize,
    ) {
        let Self { docs, scan, budget } = self;
        match scan {
            Some(Scan::Forward(scan)) => scan.bulk_take(addresses, end, budget),
            Some(Scan::Sorted(run)) => run.bulk_take(docs, bound, addresses, end),
            _ => {}
        }
    }

    pub(super) fn examined(&self) -> usize {
        self.budget.examined()
    }

    /// Goes on with the same walk over matches that were found in another form.
    pub(super) fn go_on_over(&mut self, docs: DocSet<'a>) {
        let slots = docs.segment.live().into();
        self.docs = docs;
        self.scan = self.scan.take().map(|scan| scan.over(docs, slots));
        self.budget.renew(docs.at_most() * GATHER, SLOT_BY_TEST);
    }

    /// Lets the walk cost no more than that, in nanoseconds.
    #[cfg(test)]
    pub(super) fn limit_to(&mut self, left: u64) {
        self.budget.renew(left, SLOT_BY_TEST);
    }

    /// Whether the walk has cost as much as another way would have.
    pub(super) fn is_spent(&self) -> bool {
        self.budget.is_spent()
    }

    /// Gathers what the walk has not come to: it has cost as much by now as gathering all, so all
    /// in all it costs at most twice of what was best, whatever the matches are like.
    pub(super) fn gather_rest(&mut self, compare: &Compare<'_>, wanted: usize) {
        self.budget.renew(u64::MAX, 0);
        let Some(last) = self.scan.as_ref().and_then(Scan::last) else { return };
        let run = SortedRun::gather(compare, &self.docs, wanted, Some(last));
        self.scan = Some(Scan::Sorted(run));
    }
}

/// What a slot of a walk costs, whose code tells whether it is a match or does not.
pub(super) fn step_cost(compare: &Compare<'_>, is_by_code: bool) -> u64 {
    match compare.is_reversed {
        false if is_by_code => SLOT_BY_CODE,
        false => SLOT_BY_TEST,
        true if compare.field.is_counted() => ROWS_REVERSED,
        true => TEXTS_REVERSED,
    }
}
