//! The places of one page, in total order.

use std::cmp::Ordering;
use std::ops::Range;

use crate::case::Case;
use crate::contract::{Direction, Order, SortField};
use crate::index::{Cases, Place};

/// The places of the wanted ranks. Cost grows with the matches; only those up to the last wanted
/// rank are sorted.
pub(super) fn places(
    mut matches: Vec<Place>,
    order: &Order,
    window: Range<u128>,
    cases: &Cases,
) -> Vec<Place> {
    let rank =
        |rank: u128| usize::try_from(rank).map_or(matches.len(), |rank| rank.min(matches.len()));
    let Range { start, end } = rank(window.start)..rank(window.end);
    if start == end {
        return Vec::new();
    }
    let by_order = |a: &Place, b: &Place| compare(order, cases.case(*a), cases.case(*b));
    if end < matches.len() {
        matches.select_nth_unstable_by(end, by_order);
        matches.truncate(end);
    }
    matches.sort_unstable_by(by_order);
    matches.split_off(start)
}

fn compare(order: &Order, a: &Case, b: &Case) -> Ordering {
    let mut ordering = Ordering::Equal;
    for (field, direction) in order.keys() {
        ordering = ordering.then_with(|| compare_by(*field, *direction, a, b));
    }
    ordering
}

fn compare_by(field: SortField, direction: Direction, a: &Case, b: &Case) -> Ordering {
    let texts = |a: &Option<Box<str>>, b: &Option<Box<str>>| {
        present(direction, a.as_deref(), b.as_deref(), Ord::cmp)
    };
    match field {
        SortField::Created => present(direction, a.created, b.created, Ord::cmp),
        SortField::Updated => present(direction, a.updated, b.updated, Ord::cmp),
        SortField::Due => present(direction, a.due, b.due, Ord::cmp),
        SortField::Priority => present(direction, a.score, b.score, f64::total_cmp),
        SortField::Status => present(direction, a.status.as_ref(), b.status.as_ref(), Ord::cmp),
        SortField::Name => texts(&a.name, &b.name),
        SortField::RefId => texts(&a.ref_id, &b.ref_id),
        SortField::Assignee => texts(&a.assignee, &b.assignee),
        SortField::Id => directed(direction, a.id.cmp(&b.id)),
    }
}

/// Compares two values, of which a missing one comes last in both directions.
fn present<T>(
    direction: Direction,
    a: Option<T>,
    b: Option<T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => directed(direction, compare(&a, &b)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn directed(direction: Direction, ordering: Ordering) -> Ordering {
    match direction {
        Direction::Asc => ordering,
        Direction::Desc => ordering.reverse(),
    }
}
