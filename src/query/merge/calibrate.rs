//! Scans for whoever measures what their steps cost.

use std::hint::black_box;

use super::scan::{Budget, Scan, Step};
use super::{Compare, DocSet, Plan, SortedRun};
use crate::contract::{Direction, SortField};

/// Walks along a whole order, or against it; gives how many slots that were.
pub(in crate::query) fn walked(
    plan: &Plan<'_>,
    docs: DocSet<'_>,
    key: (SortField, Direction),
) -> usize {
    let keys = [key];
    let compare = Compare::new(plan, &keys).unwrap();
    let mut scan = Scan::walk(&compare, docs, None, docs.segment.live().into());
    let mut budget = Budget::new(u64::MAX, 0);
    while !matches!(black_box(scan.next(None, &mut budget)), Step::End) {}
    budget.examined()
}

/// Gathers matches and sorts them; gives how many.
pub(in crate::query) fn gathered(
    plan: &Plan<'_>,
    docs: DocSet<'_>,
    key: (SortField, Direction),
) -> usize {
    let keys = [key];
    let compare = Compare::new(plan, &keys).unwrap();
    black_box(SortedRun::gather(&compare, &docs, usize::MAX, None));
    docs.count() as usize
}
