//! The addresses of one page, in total order.
//!
//! An order by priority or status counts matches by value, and orders those of the values that the
//! page touches; every other order is a merge of the segments' kept orders (`merge`).

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;

use crate::contract::{Direction, SortField};
use crate::index::{Column, DocAddress, MAX_COUNTED, Ordinal, ValueOrder, sized};

use super::after::After;
use super::execute::{Matched, in_segments};
use super::merge::{self, Compare, Keys, Ranking};
use super::plan::Plan;
use super::select::ranks;
use super::signatures::Signatures;

/// Up to how many matches a group is ordered whole where the page takes a part of it.
const ORDERED_WHOLE: usize = sized(64, 4);

/// How many values are walked sooner than one signature is looked at by itself.
const VALUES: usize = 4;

/// The addresses of the wanted ranks; behind a case, if one is given, ranks count from there and
/// begin with the first.
pub(super) fn addresses(
    plan: &Plan<'_>,
    matched: &Matched<'_>,
    keys: Keys<'_>,
    window: Range<u128>,
    after: Option<After<'_>>,
) -> Vec<DocAddress> {
    let rank = |rank: u128| usize::try_from(rank).unwrap_or(usize::MAX).min(matched.total as usize);
    let window = rank(window.start)..rank(window.end);
    let mut addresses = Vec::new();
    if !window.is_empty() {
        addresses.reserve_exact(window.len());
        let ranking = Ranking { plan, matched, group: None, keys, after };
        page(&ranking, &window, &mut addresses);
    }
    addresses
}

fn page(ranking: &Ranking<'_>, window: &Range<usize>, addresses: &mut Vec<DocAddress>) {
    let Ranking { plan, matched, keys, after, .. } = *ranking;
    let column = match keys.first() {
        Some((SortField::Priority, _)) => Column::Priority,
        Some((SortField::Status, _)) => Column::Status,
        _ => return merge::page(ranking, window, addresses, page),
    };
    // Groups are counted before their pages are found: every match is needed.
    let all = ranking.is_tested().then(|| in_segments(plan));
    let matched = all.as_ref().unwrap_or(matched);
    let ranking = Ranking { matched, after: None, ..*ranking };
    let order = plan.index.signature_sets().order(column);
    let grouped = Grouped { ranking, column, order, after };
    let (end, mut window) = (addresses.len() + window.len(), window.clone());
    if let Some(after) = after {
        grouped.go_on_in_group(after, &window, addresses);
        window.end = end - addresses.len();
    }
    if !window.is_empty() {
        grouped.page(&window, addresses);
    }
}

/// Matches that sort equally by the first key.
#[derive(Clone, Copy)]
struct Group {
    /// The value that stands for all values of the group.
    value: Ordinal,
    /// How many matches come before it.
    before: usize,
    count: usize,
}

/// A group whose rank is not known yet.
struct Weighted<'i> {
    key: Option<(u64, &'i str)>,
    value: Ordinal,
    count: usize,
}

/// How many matches have each of the counted signatures, and how many are of each group by
/// signatures past them.
struct Counts {
    first: Vec<u32>,
    past: HashMap<Ordinal, usize, FixedState>,
}

/// Matches in groups of equal values.
struct Grouped<'a> {
    ranking: Ranking<'a>,
    column: Column,
    order: &'a ValueOrder,
    /// Only groups behind the one of a case, if one is given.
    after: Option<After<'a>>,
}

impl Grouped<'_> {
    fn key(&self, value: Ordinal) -> Option<(u64, &str)> {
        self.ranking.plan.index.catalog().sort_key(self.column, value)
    }

    fn is_behind(&self, value: Ordinal) -> bool {
        self.after.is_none_or(|after| after.ranked(self.key(value)).is_gt())
    }

    /// Puts the addresses of a window after others, of what follows a case in its own group.
    fn go_on_in_group(
        &self,
        after: After<'_>,
        window: &Range<usize>,
        addresses: &mut Vec<DocAddress>,
    ) {
        let ranked = |value: Ordinal| after.ranked(self.key(value));
        let own = |value: Ordinal| ranked(value).is_ge();
        let group = self.order.groups_behind(self.is_descending(), own).next();
        let Some(value) = group.filter(|value| ranked(*value).is_eq()) else { return };
        let signatures = self.signatures_of(&[Group { value, before: 0, count: 0 }]);
        if !signatures.is_empty() {
            let (keys, after) = (&self.ranking.keys[1..], Some(after.rest()));
            let group = Some(&signatures);
            page(&Ranking { group, keys, after, ..self.ranking }, window, addresses);
        }
    }

    /// Puts the addresses of a window after others: what the page takes of a large group is ordered
    /// by the other keys, and all that it touches besides at once.
    fn page(&self, window: &Range<usize>, addresses: &mut Vec<DocAddress>) {
        let mut whole: Vec<Group> = Vec::new();
        for group in self.touched(window) {
            let Group { before, count, .. } = group;
            let part = window.start.max(before)..window.end.min(before + count);
            if part.len() == count || count <= ORDERED_WHOLE.max(window.len()) {
                whole.push(group);
                continue;
            }
            self.order_whole(&std::mem::take(&mut whole), window, addresses);
            let signatures = self.signatures_of(&[group]);
            let part = part.start - before..part.end - before;
            let keys = &self.ranking.keys[1..];
            page(&Ranking { group: Some(&signatures), keys, ..self.ranking }, &part, addresses);
        }
        self.order_whole(&whole, window, addresses);
    }

    /// The groups that a window touches, in order. Cost: where counts of the scope tell, the
    /// values up to the window; else a pass over the matches, and a few over their values.
    fn touched(&self, window: &Range<usize>) -> Vec<Group> {
        let plan = self.ranking.plan;
        let count_of = plan.index.counts();
        let count_of = |own: Ordinal| count_of.get(own as usize).copied().unwrap_or(0) as usize;
        if self.ranking.matched.is_everywhere && plan.is_counted() {
            return match self.ranking.signatures().len() * VALUES < self.order.len() {
                true => {
                    let pairs = self.ranking.signatures().iter().map(|own| (own, count_of(own)));
                    self.select(self.weigh(pairs, HashMap::default()), window)
                }
                false => self.walk(count_of, window),
            };
        }
        let Counts { first, past } = self.count();
        let count_of = |own: Ordinal| first.get(own as usize).copied().unwrap_or(0) as usize;
        if plan.index.signatures().len() <= MAX_COUNTED {
            return self.walk(count_of, window);
        }
        let pairs =
            self.ranking.signatures().iter().take_while(|own| (*own as usize) < MAX_COUNTED);
        let pairs = pairs.map(|own| (own, count_of(own)));
        self.select(self.weigh(pairs, past), window)
    }

    fn group_of(&self, signature: Ordinal) -> Option<Ordinal> {
        let signature = self.ranking.plan.index.signatures().get(signature as usize)?;
        Some(self.order.group(signature.value(self.column)))
    }

    /// One pass over the matches.
    fn count(&self) -> Counts {
        let length = self.ranking.plan.index.signatures().len().min(MAX_COUNTED) + 1;
        let mut first = vec![0; length];
        let mut past = HashMap::default();
        for docs in self.ranking.docs() {
            docs.count_codes(&mut first, |signature| {
                if self.ranking.signatures().has(signature)
                    && let Some(group) = self.group_of(signature)
                {
                    *past.entry(group).or_insert(0) += 1;
                }
            });
        }
        Counts { first, past }
    }

    /// Walks groups from the first one on.
    fn walk(&self, count_of: impl Fn(Ordinal) -> usize, window: &Range<usize>) -> Vec<Group> {
        let sets = self.ranking.plan.index.signature_sets();
        let mut touched = Vec::new();
        let mut before = 0;
        let is_behind = |value: Ordinal| self.is_behind(value);
        for value in self.order.groups_behind(self.is_descending(), is_behind) {
            if before >= window.end {
                break;
            }
            let members = self.order.members(value);
            let signatures = members.flat_map(|value| sets.of(self.column, value));
            let is_left = |own: &Ordinal| {
                self.ranking.signatures().is_all || self.ranking.signatures().has(*own)
            };
            let count = signatures.filter(is_left).map(&count_of).sum();
            if count > 0 && before + count > window.start {
                touched.push(Group { value, before, count });
            }
            before += count;
        }
        touched
    }

    /// The groups of some signatures, with how many matches they have.
    fn weigh(
        &self,
        pairs: impl Iterator<Item = (Ordinal, usize)>,
        mut groups: HashMap<Ordinal, usize, FixedState>,
    ) -> Vec<Weighted<'_>> {
        for (signature, count) in pairs.filter(|(_, count)| *count > 0) {
            if let Some(group) = self.group_of(signature) {
                *groups.entry(group).or_insert(0) += count;
            }
        }
        let mut left = Vec::with_capacity(groups.len());
        let groups = groups.into_iter().filter(|(value, _)| self.is_behind(*value));
        let weighted = |(value, count)| Weighted { key: self.key(value), value, count };
        left.extend(groups.map(weighted));
        left
    }

    /// The groups that a window touches, found without ordering the others.
    fn select(&self, mut groups: Vec<Weighted<'_>>, window: &Range<usize>) -> Vec<Group> {
        let is_descending = self.is_descending();
        let compare = |a: &Weighted<'_>, b: &Weighted<'_>| match (a.key, b.key) {
            (Some(a), Some(b)) if is_descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let (start, mut before) = split(&mut groups, window.start, compare);
        let after = &mut groups[start..];
        let (last, _) = split(after, window.end - 1 - before, compare);
        let touched = after.len().min(last + 1);
        let touched = &mut after[..touched];
        touched.sort_unstable_by(compare);
        let ranked = touched.iter().map(|Weighted { value, count, .. }| {
            let group = Group { value: *value, before, count: *count };
            before += count;
            group
        });
        ranked.collect()
    }

    fn is_descending(&self) -> bool {
        self.ranking.keys.first().is_some_and(|(_, direction)| *direction == Direction::Desc)
    }

    /// The signatures of some groups.
    fn signatures_of(&self, groups: &[Group]) -> Signatures {
        let values = groups.iter().flat_map(|group| self.order.members(group.value));
        let index = self.ranking.plan.index;
        let mut set = index.signature_sets().any(self.column, values);
        set.intersect(self.ranking.signatures().set());
        Signatures::of(set, index.signatures().len())
    }

    /// Orders groups that follow one another by all keys, and puts what a window has of them after
    /// others.
    fn order_whole(
        &self,
        groups: &[Group],
        window: &Range<usize>,
        addresses: &mut Vec<DocAddress>,
    ) {
        let Some(Group { before, .. }) = groups.first() else { return };
        let Some(compare) = Compare::new(self.ranking.plan, self.ranking.keys) else { return };
        let signatures = self.signatures_of(groups);
        let mut own = Vec::with_capacity(groups.iter().map(|group| group.count).sum());
        for docs in (Ranking { group: Some(&signatures), ..self.ranking }).docs() {
            docs.for_each(|slot| own.push(docs.segment.address(slot)));
        }
        let window = window.start.saturating_sub(*before)..window.end - before;
        addresses.extend_from_slice(ranks(&mut own, window, |a, b| compare.all(*a, *b)));
    }
}

/// Moves groups so that those that end at a rank or before it come first; gives how many these are,
/// and how many matches they have. Cost: a few looks at each group.
fn split<'i>(
    groups: &mut [Weighted<'i>],
    rank: usize,
    compare: impl Fn(&Weighted<'i>, &Weighted<'i>) -> Ordering + Copy,
) -> (usize, usize) {
    // All before `from` come first, all from `to` on do not.
    let (mut from, mut to, mut before) = (0, groups.len(), 0);
    while from < to {
        let middle = from.midpoint(to);
        groups[from..to].select_nth_unstable_by(middle - from, compare);
        let count: usize = groups[from..=middle].iter().map(|group| group.count).sum();
        if before + count <= rank {
            (from, before) = (middle + 1, before + count);
        } else {
            to = middle;
        }
    }
    (from, before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_split_finds_what_a_sort_does(
            counts in prop::collection::vec((0..40u64, 1..9usize), 1..60),
            share in 0.0..1.1f64,
        ) {
            let mut counts: Vec<_> = counts;
            counts.sort_unstable();
            counts.dedup_by_key(|(key, _)| *key);
            let total: usize = counts.iter().map(|(_, count)| count).sum();
            let rank = (total as f64 * share) as usize;
            // Out of order, the same for the same input.
            let mut groups: Vec<_> = counts
                .iter()
                .map(|(key, count)| Weighted { key: Some((*key, "")), value: 0, count: *count })
                .collect();
            groups.sort_by_key(|group| group.key.map(|(key, _)| key * 7 % 41));
            let (from, before) = split(&mut groups, rank, |a, b| a.key.cmp(&b.key));
            let mut right = (0, 0);
            for (_, count) in counts.iter().take_while(|(_, count)| {
                let fits = right.1 + count <= rank;
                if fits {
                    right = (right.0 + 1, right.1 + count);
                }
                fits
            }) {
                prop_assert!(*count > 0);
            }
            prop_assert_eq!((from, before), right);
            let key = |group: &Weighted<'_>| group.key.map(|(key, _)| key);
            let (first, rest) = groups.split_at(from);
            let (last, next) = (first.iter().map(key).max(), rest.iter().map(key).min());
            prop_assert!(rest.is_empty() || last < next);
        }
    }
}
