//! What is left to be tested of candidates once a path and a set have told what they can.

use super::access_path::PredicateSet;
use super::plan::Plan;
use crate::index::{BitSet, Ordinal, Row, SIGNATURES, Segment, code};

/// How many slots are tested together.
pub(super) const TOGETHER: usize = 128;

/// What is left to be tested of candidates.
pub(super) struct Residual<'a, 'i> {
    pub(super) plan: &'a Plan<'i>,
    pub(super) segment: &'a Segment,
    pub(super) left: PredicateSet,
    /// The column of signatures by its pages, where many slots are tested: a test is then a look
    /// at one place.
    pub(super) pages: Vec<&'a [Ordinal]>,
    /// What was united, where candidates come from elsewhere.
    pub(super) set: Option<&'a BitSet>,
}

impl Residual<'_, '_> {
    #[inline]
    fn signature(&self, slot: u16) -> Ordinal {
        match self.pages.get(usize::from(slot) / SIGNATURES) {
            Some(page) => page[usize::from(slot) % SIGNATURES],
            None => self.segment.signature(slot),
        }
    }

    /// Puts those of some live slots that pass after others; the cheap tests first. Of most
    /// questions some pass and some do not, and nobody can guess which: tests are made without a
    /// branch.
    pub(super) fn filter(&self, some: &mut [u16], passed: &mut Vec<u16>) {
        let Self { plan, segment, left, .. } = self;
        let mut count = some.len();
        if let Some(set) = self.set {
            count = keep(&mut some[..count], |slot| set.has(slot));
        }
        if left.signatures {
            count = match plan.signatures.run_mask() {
                Some(mask) => {
                    let codes = mask.codes();
                    keep(&mut some[..count], |slot| codes.has(code(self.signature(slot))))
                }
                None => keep(&mut some[..count], |slot| plan.signatures.has(self.signature(slot))),
            };
        }
        if left.asks_row() {
            count = keep(&mut some[..count], |slot| self.admits(segment.row(slot)));
        }
        if let Some(rest) = plan.rest.as_ref().filter(|_| left.rest) {
            let context = plan.context(segment);
            count = keep(&mut some[..count], |slot| rest.has(context, slot));
        }
        passed.extend_from_slice(&some[..count]);
    }

    /// Whether a row is as asked.
    #[inline]
    fn admits(&self, row: &Row) -> bool {
        let Self { plan, left, .. } = self;
        let within = |at: i64, range: Option<(i64, i64)>| {
            range.is_none_or(|(first, last)| first <= at && at <= last)
        };
        let among = |own: u32, list: &Option<Vec<u32>>| {
            list.as_ref().is_none_or(|list| list.binary_search(&own).is_ok())
        };
        (!left.created || within(row.created, plan.created))
            && (!left.due || within(row.due, plan.due))
            && (!left.assignees || among(row.assignee, &plan.assignees))
            && (!left.queues || {
                let own = plan.index.catalog().queue_sets.get(row.queues);
                own.iter().any(|queue| among(*queue, &plan.queues))
            })
            && (!left.text || plan.text.as_ref().is_none_or(|text| text.is_in(row)))
    }
}

/// Moves slots that are as asked to the front; gives how many they are.
#[inline]
fn keep(slots: &mut [u16], is: impl Fn(u16) -> bool) -> usize {
    let mut count = 0;
    for at in 0..slots.len() {
        let slot = slots[at];
        slots[count] = slot;
        count += usize::from(is(slot));
    }
    count
}

/// Tests slots for some clauses, as a scan does, and gives how many slots these are.
#[cfg(test)]
pub(super) fn tested(
    plan: &Plan<'_>,
    segment: &Segment,
    left: PredicateSet,
    slots: &[u16],
) -> usize {
    let residual = Residual { plan, segment, left, pages: Vec::new(), set: None };
    let mut passed = Vec::with_capacity(slots.len());
    for some in slots.chunks(TOGETHER) {
        residual.filter(&mut some.to_vec(), &mut passed);
    }
    std::hint::black_box(passed);
    slots.len()
}
