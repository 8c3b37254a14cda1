//! The places of one page, in total order.
//!
//! An order by priority or status goes from one group of signatures to the next; every other order
//! is a merge of the segments' kept orders (`merge`).

use std::ops::Range;

use crate::contract::{Direction, SortField};
use crate::index::{COUNTED, Ordinal, Place};

use super::execute::{Found, Matched, Part, counted_in_scope, in_segments};
use super::merge::{self, Keys};
use super::plan::{Plan, Signatures};

/// The places of the wanted ranks.
pub(super) fn places(
    plan: &Plan<'_>,
    matched: &Matched<'_>,
    keys: Keys<'_>,
    window: Range<u128>,
) -> Vec<Place> {
    let rank = |rank: u128| usize::try_from(rank).unwrap_or(usize::MAX).min(matched.total as usize);
    let window = rank(window.start)..rank(window.end);
    let mut places = Vec::new();
    if !window.is_empty() {
        places.reserve_exact(window.len());
        page(plan, matched, &plan.signatures, keys, window, &mut places);
    }
    places
}

fn page(
    plan: &Plan<'_>,
    matched: &Matched<'_>,
    signatures: &Signatures,
    keys: Keys<'_>,
    window: Range<usize>,
    places: &mut Vec<Place>,
) {
    if let Some((SortField::Priority | SortField::Status, _)) = keys.first() {
        grouped(plan, matched, signatures, keys, window, places);
    } else {
        merge::page(plan, matched, signatures, keys, &window, places);
    }
}

/// One group of signatures of equal value after the other, each ordered by the other keys. Groups
/// before the page are skipped by their counts.
fn grouped(
    plan: &Plan<'_>,
    matched: &Matched<'_>,
    signatures: &Signatures,
    keys: Keys<'_>,
    window: Range<usize>,
    places: &mut Vec<Place>,
) {
    let mut counts = Vec::new();
    // Groups are counted before their pages are found: every match is needed.
    let all = (matched.is_everywhere && plan.text.is_some()).then(|| in_segments(plan));
    let matched = all.as_ref().unwrap_or(matched);
    if !plan.is_counted() {
        let length = plan.index.signatures().len().min(COUNTED) + 1;
        counts = matched.found.iter().map(|found| found.by_code(length)).collect();
    }
    let count = |found: &Found<'_>, counts: &Option<Vec<u32>>, group: &Signatures| match counts {
        _ if !group.are_counted() => {
            let mut count = 0;
            Part::from(found).each(plan, group, |_| count += 1);
            count
        }
        Some(counts) => group.count(std::iter::once(counts.as_slice())),
        None => group.count(found.segment.counts()),
    };
    let mut before = 0;
    for group in groups(plan, signatures, keys[0]) {
        if before >= window.end {
            return;
        }
        let group = plan.some(&group);
        let total = if plan.is_counted() {
            counted_in_scope(plan, &group)
        } else {
            matched
                .found
                .iter()
                .zip(&counts)
                .map(|(found, counts)| count(found, counts, &group))
                .sum()
        };
        let total = total as usize;
        let (start, end) = (window.start.max(before), window.end.min(before + total));
        if start < end {
            page(plan, matched, &group, &keys[1..], start - before..end - before, places);
        }
        before += total;
    }
}

/// Signatures in groups of equal value, in the asked direction, missing values last.
fn groups(
    plan: &Plan<'_>,
    signatures: &Signatures,
    (field, direction): (SortField, Direction),
) -> Vec<Vec<Ordinal>> {
    let catalog = plan.index.catalog();
    let value_of = |signature: Ordinal| {
        let of = plan.index.signatures().get(signature as usize);
        of.map_or(0, |of| if field == SortField::Priority { of.priority } else { of.status })
    };
    let key = |value: Ordinal| match field {
        SortField::Priority => catalog.priorities.get(value).score.map(|score| (score, "")),
        _ => {
            let sort = catalog.statuses.get(value).sort.as_ref();
            sort.map(|(rank, name)| (u64::from(*rank), &**name))
        }
    };
    // The values are fewer than the signatures: they are ordered, and signatures follow.
    let mut members: Vec<Vec<Ordinal>> = Vec::new();
    for signature in signatures.iter() {
        let value = value_of(signature) as usize;
        if members.len() <= value {
            members.resize_with(value + 1, Vec::new);
        }
        members[value].push(signature);
    }
    let mut values: Vec<_> = members
        .into_iter()
        .enumerate()
        .filter(|(_, members)| !members.is_empty())
        .map(|(value, members)| (key(value as Ordinal), members))
        .collect();
    values.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) if direction == Direction::Desc => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    let mut groups: Vec<Vec<Ordinal>> = Vec::new();
    let mut last = None;
    for (key, members) in values {
        match groups.last_mut() {
            Some(group) if last == Some(key) => group.extend(members),
            _ => groups.push(members),
        }
        last = Some(key);
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups
}
