//! The values of a column of signatures, in the order of what they sort by.
//!
//! Useful for a page in the order of status or priority: walk the groups of equal values from the
//! front, however many there are. Not for which signatures have a value.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::index::collections::{NONE, Ordinal, PageValue, Paged, sized};

/// How many groups a run has at most; it is then cut in two.
const RUN: usize = sized(512, 4);

/// From which share of all on new values are sorted together with those that are there.
const SORT_SHARE: usize = 16;

/// A value's group, which is the first value that sorts as it does, and the next one of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct GroupMember {
    group: Ordinal,
    next: Ordinal,
}

impl PageValue for GroupMember {}

/// Groups of values that sort equally, ascending. Clones share runs and pages.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueOrder {
    runs: Paged<Arc<Vec<Ordinal>>, 8>,
    /// How many groups are in runs.
    groups: usize,
    /// The group of values that sort last in both directions.
    missing: Option<Ordinal>,
    /// How many values there are.
    length: usize,
    /// By value; shorter where the last values are groups of their own.
    members: Paged<GroupMember, 64>,
}

impl ValueOrder {
    /// Adds values that are not there yet, up to so many; `key` gives what one sorts by, nothing
    /// where it comes last. Cost: a search for each, or where they are many a sort.
    pub(super) fn add_up_to<K: Ord>(&mut self, length: usize, key: impl Fn(Ordinal) -> Option<K>) {
        let known = self.length;
        if known == length {
            return;
        }
        let new = known as Ordinal..length as Ordinal;
        self.length = length;
        let (with_key, without): (Vec<_>, Vec<_>) = new.partition(|value| key(*value).is_some());
        for value in without {
            match self.missing {
                Some(group) => self.join(value, group),
                None => self.missing = Some(value),
            }
        }
        if with_key.len() > RUN && with_key.len() * SORT_SHARE > self.groups {
            self.sort_in(with_key, key);
        } else {
            with_key.into_iter().for_each(|value| self.insert(value, &key));
        }
    }

    fn join(&mut self, value: Ordinal, group: Ordinal) {
        for value in self.members.len()..=value.max(group) as usize {
            self.members.push(GroupMember { group: value as Ordinal, next: NONE });
        }
        let Some(first) = self.members.get_mut(group as usize) else { return };
        let next = std::mem::replace(&mut first.next, value);
        if let Some(own) = self.members.get_mut(value as usize) {
            *own = GroupMember { group, next };
        }
    }

    fn insert<K: Ord>(&mut self, value: Ordinal, key: impl Fn(Ordinal) -> Option<K>) {
        let own = key(value);
        let is_before = |group: Option<&Ordinal>| group.is_some_and(|group| key(*group) < own);
        let end = self.runs.len();
        let at = self.runs.partition_point(0..end, |run| is_before(run.last()));
        // Past the end: the last run takes it.
        let at = at.min(end.saturating_sub(1));
        let Some(run) = self.runs.get_mut(at) else {
            self.runs.push(Arc::new(vec![value]));
            self.groups += 1;
            return;
        };
        match run.binary_search_by(|group| key(*group).cmp(&own)) {
            Ok(index) => {
                let group = run[index];
                self.join(value, group);
            }
            Err(index) => {
                self.groups += 1;
                let run = Arc::make_mut(run);
                run.insert(index, value);
                if run.len() > RUN {
                    // Where values only ever arrive at the end, full runs stay full.
                    let cut = if index == RUN { RUN } else { RUN / 2 };
                    let more = Arc::new(run.split_off(cut));
                    let mut runs: Vec<_> = self.runs.iter().cloned().collect();
                    runs.insert(at + 1, more);
                    self.runs = runs.into_iter().collect();
                }
            }
        }
    }

    fn sort_in<K: Ord>(&mut self, values: Vec<Ordinal>, key: impl Fn(Ordinal) -> Option<K>) {
        let mut all: Vec<Ordinal> = self.ascending().collect();
        all.extend(values);
        // Stable: of equal ones the group that is there already stays first.
        all.sort_by_key(|value| key(*value));
        let mut groups: Vec<Ordinal> = Vec::with_capacity(all.len());
        for value in all {
            match groups.last() {
                Some(group) if key(*group) == key(value) => self.join(value, *group),
                _ => groups.push(value),
            }
        }
        self.groups = groups.len();
        self.runs = groups.chunks(RUN).map(|run| Arc::new(run.to_vec())).collect();
    }

    fn ascending(&self) -> impl Iterator<Item = Ordinal> {
        self.runs.iter().flat_map(|run| run.iter().copied())
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.groups + usize::from(self.missing.is_some())
    }

    /// The groups in order, those that sort last at the end.
    pub(crate) fn groups(&self, is_descending: bool) -> impl Iterator<Item = Ordinal> {
        self.groups_behind(is_descending, |_| true)
    }

    /// The same from the first one on that is behind something, as all after it are. Cost: a
    /// search, and the groups that are taken.
    pub(crate) fn groups_behind(
        &self,
        is_descending: bool,
        is_behind: impl Fn(Ordinal) -> bool,
    ) -> impl Iterator<Item = Ordinal> {
        // Of ascending groups those that are behind are the last ones, of descending the first.
        let is_low = |group: Ordinal| is_behind(group) == is_descending;
        let is_all_low = |run: &[Ordinal]| run.last().is_some_and(|group| is_low(*group));
        let middle = self.runs.partition_point(0..self.runs.len(), |run| is_all_low(run));
        let run = move |at: usize| self.runs.get(at).map_or(&[][..], |run| run);
        let cut = run(middle).partition_point(|group| is_low(*group));
        let ahead = if is_descending { middle + 1 } else { self.runs.len() - middle };
        let runs = (0..ahead).flat_map(move |at| {
            let at = if is_descending { middle - at } else { middle + at };
            let run = match (run(at), at == middle) {
                (run, true) if is_descending => &run[..cut],
                (run, true) => &run[cut..],
                (run, false) => run,
            };
            (0..run.len()).map(move |at| run[if is_descending { run.len() - 1 - at } else { at }])
        });
        runs.chain(self.missing.filter(|group| is_behind(*group)))
    }

    /// The values that sort last in both directions.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Ordinal> {
        self.missing.into_iter().flat_map(|group| self.members(group))
    }

    /// The values whose keys lie within bounds, both included; in no order. Cost: a search, and
    /// those values.
    pub(crate) fn between<K: Ord>(
        &self,
        first: &K,
        last: &K,
        key: impl Fn(Ordinal) -> Option<K>,
    ) -> impl Iterator<Item = Ordinal> {
        let is_before = |group: Ordinal| key(group).is_some_and(|own| own < *first);
        let start = self.runs.partition_point(0..self.runs.len(), |run| {
            run.last().is_some_and(|group| is_before(*group))
        });
        let mut groups = Vec::new();
        for run in (start..self.runs.len()).map_while(|at| self.runs.get(at)) {
            let from = run.partition_point(|group| is_before(*group));
            let is_within = |group: &&Ordinal| key(**group).is_some_and(|own| own <= *last);
            let within = run[from..].iter().take_while(is_within);
            let before = groups.len();
            groups.extend(within);
            if groups.len() - before < run.len() - from {
                break;
            }
        }
        groups.into_iter().flat_map(|group| self.members(group))
    }

    /// The group of a value.
    #[inline]
    pub(crate) fn group(&self, value: Ordinal) -> Ordinal {
        self.members.get(value as usize).map_or(value, |own| own.group)
    }

    /// The values of a group.
    pub(crate) fn members(&self, group: Ordinal) -> impl Iterator<Item = Ordinal> {
        let next = |own: &Ordinal| self.members.get(*own as usize).map(|own| own.next);
        std::iter::successors(Some(group), move |own| next(own).filter(|next| *next != NONE))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.groups * size_of::<Ordinal>() + self.members.bytes() + self.runs.bytes()
    }

    /// Checks the order, the groups and their members.
    pub(crate) fn validate<K: Ord>(
        &self,
        key: impl Fn(Ordinal) -> Option<K>,
    ) -> Result<(), String> {
        let groups: Vec<_> = self.ascending().collect();
        let is_sorted = groups.is_sorted_by(|a, b| key(*a).cmp(&key(*b)) == Ordering::Less)
            && groups.iter().all(|group| key(*group).is_some())
            && self.missing.is_none_or(|group| key(group).is_none());
        let fits = self.runs.iter().all(|run| (1..=RUN).contains(&run.len()));
        let mut seen = vec![false; self.length];
        let mut is_right = is_sorted && fits && groups.len() == self.groups;
        for group in self.groups(false) {
            for value in self.members(group) {
                is_right &= self.group(value) == group && key(value) == key(group);
                is_right &=
                    seen.get_mut(value as usize).is_some_and(|s| !std::mem::replace(s, true));
            }
        }
        is_right &= seen.into_iter().all(|seen| seen);
        if is_right { Ok(()) } else { Err("the order of values".into()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_are_the_sorted_values(
            keys in prop::collection::vec(prop::option::of(0..60u32), 0..400),
            cuts in prop::collection::vec(0..400usize, 0..6),
        ) {
            let key = |value: Ordinal| keys[value as usize];
            let mut order = ValueOrder::default();
            let mut lengths: Vec<_> = cuts.into_iter().map(|cut| cut.min(keys.len())).collect();
            lengths.push(keys.len());
            lengths.sort_unstable();
            for length in lengths {
                let kept = order.clone();
                order.add_up_to(length, key);
                order.validate(key).unwrap();
                kept.validate(key).unwrap();
            }
            let mut right = keys.clone();
            right.sort_unstable_by_key(|key| (key.is_none(), *key));
            right.dedup();
            prop_assert_eq!(order.groups(false).map(key).collect::<Vec<_>>(), &right[..]);
            prop_assert_eq!(order.len(), right.len());
            for (first, last) in [(0, 59), (20, 40), (31, 30), (7, 7)] {
                let mut between: Vec<_> = order.between(&first, &last, key).collect();
                between.sort_unstable();
                let is_within = |own: &Ordinal| key(*own).is_some_and(|k| first <= k && k <= last);
                let all = 0..keys.len() as Ordinal;
                prop_assert_eq!(between, all.filter(is_within).collect::<Vec<_>>());
            }
            for behind in [0, 17, 30, 60] {
                let is_behind = |own: Ordinal| key(own).is_none_or(|own| own > behind);
                let from = order.groups_behind(false, is_behind).map(key);
                let all = right.iter().copied();
                prop_assert!(from.eq(all.filter(|own| own.is_none_or(|own| own > behind))));
                let is_behind = |own: Ordinal| key(own).is_none_or(|own| own < behind);
                let from = order.groups_behind(true, is_behind).map(key);
                let values = right.iter().rev().copied().filter(|own| own.is_some());
                let values = values.chain(right.iter().copied().filter(Option::is_none));
                prop_assert!(from.eq(values.filter(|own| own.is_none_or(|own| own < behind))));
            }
            let mut missing: Vec<_> = order.missing().collect();
            missing.sort_unstable();
            let all = 0..keys.len() as Ordinal;
            prop_assert!(all.filter(|own| key(*own).is_none()).eq(missing));
            let with_key = right.iter().filter(|key| key.is_some()).count();
            right[..with_key].reverse();
            prop_assert_eq!(order.groups(true).map(key).collect::<Vec<_>>(), right);
        }
    }
}
