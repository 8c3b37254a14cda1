//! The slots of a segment in the order of one field, in runs.
//!
//! Useful for a page: walk from the front until there are enough hits; and for a far page: a run
//! that counts its signatures is skipped whole. A change copies one run. Not for finding a slot's
//! rank without its key.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::run::{Fence, Key, RUN, Run, RunPart, upper};
use super::runs::Runs;

/// All live slots of a segment, ordered.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Order {
    runs: Runs,
    /// Whether runs count signatures.
    counted: bool,
    /// What the runs have allocated.
    allocated: usize,
}

/// A slot that is looked for, and the keys by which it is found.
pub(crate) trait Seek {
    /// The key of a slot: it orders as the slots do, but may be equal for some.
    fn key(&self, slot: u16) -> Key;
    /// The key of what is looked for.
    fn wanted(&self) -> Key;
    /// How a slot stands to what is looked for.
    fn compare(&self, slot: u16) -> Ordering;
}

/// Where a slot stands: its run, and its index there. At the end, and only there, the index is 0 in
/// a run past the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) run: usize,
    pub(crate) index: usize,
}

impl Position {
    /// This position; past the last slot of its run, the one where the next run begins.
    #[inline]
    pub(crate) fn within(self, run: &Run) -> Self {
        if self.index < run.len() { self } else { Self { run: self.run + 1, index: 0 } }
    }
}

impl Order {
    pub(crate) fn new(counted: bool) -> Self {
        Self { runs: Runs::None, counted, allocated: 0 }
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.counted
    }

    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        self.runs.references()
    }

    #[inline]
    pub(crate) fn run(&self, at: usize) -> Option<&Run> {
        self.runs.get(at).map(|run| &**run)
    }

    pub(crate) fn start(&self) -> Position {
        Position { run: 0, index: 0 }
    }

    pub(crate) fn end(&self) -> Position {
        Position { run: self.runs.len(), index: 0 }
    }

    #[inline]
    pub(crate) fn get(&self, at: Position) -> Option<u16> {
        self.runs.get(at.run)?.slots().get(at.index).copied()
    }

    /// The position after one that has a slot.
    #[inline]
    pub(crate) fn after(&self, at: Position) -> Position {
        match self.runs.get(at.run) {
            Some(run) => Position { index: at.index + 1, ..at }.within(run),
            None => Position { run: at.run + 1, index: 0 },
        }
    }

    /// The position so many slots on, or the end.
    pub(crate) fn on(&self, mut at: Position, mut slots: usize) -> Position {
        while let Some(run) = self.runs.get(at.run) {
            let ahead = run.slots().len() - at.index;
            if slots < ahead {
                return Position { index: at.index + slots, ..at };
            }
            (slots, at) = (slots - ahead, Position { run: at.run + 1, index: 0 });
        }
        self.end()
    }

    /// The position so many slots back, or the start.
    pub(crate) fn back(&self, mut at: Position, mut slots: usize) -> Position {
        while slots > at.index {
            slots -= at.index;
            let Some(run) = at.run.checked_sub(1) else { return self.start() };
            at = Position { run, index: self.runs.get(run).map_or(0, |run| run.slots().len()) };
        }
        Position { index: at.index - slots, ..at }
    }

    /// The position before another and its slot, or nothing at the start.
    pub(crate) fn before(&self, at: Position) -> Option<(Position, u16)> {
        let at = match at.index.checked_sub(1) {
            Some(index) => Position { index, ..at },
            None => {
                let run = at.run.checked_sub(1)?;
                Position { run, index: self.runs.get(run)?.slots().len() - 1 }
            }
        };
        Some((at, self.get(at)?))
    }

    /// The first position whose slot does not come before what `compare` looks for.
    pub(crate) fn lower(&self, mut compare: impl FnMut(u16) -> Ordering) -> Position {
        let run = self.runs.partition_point(0..self.runs.len(), |run| {
            run.slots().last().is_some_and(|last| compare(*last) == Ordering::Less)
        });
        let Some(own) = self.run(run) else { return self.end() };
        let index = own.slots().partition_point(|slot| compare(*slot) == Ordering::Less);
        Position { run, index }
    }

    /// The first position between two whose slot does not come before what `compare` looks for; the
    /// second of them where all slots between come before it.
    pub(crate) fn lower_between(
        &self,
        from: Position,
        to: Position,
        mut compare: impl FnMut(u16) -> Ordering,
    ) -> Position {
        let run = self.runs.partition_point(from.run..to.run, |run| {
            run.slots().last().is_some_and(|last| compare(*last) == Ordering::Less)
        });
        let Some(own) = self.run(run) else { return to };
        let start = if run == from.run { from.index } else { 0 };
        let end = if run == to.run { to.index } else { own.slots().len() };
        let slots = own.slots().get(start..end).unwrap_or_default();
        let index = start + slots.partition_point(|slot| compare(*slot) == Ordering::Less);
        Position { run, index }
    }

    /// The first position whose slot has this upper half of a key or a greater one.
    pub(crate) fn at_key(&self, wanted: u64, key: impl Fn(u16) -> u64) -> Position {
        let run = self.runs.last_keys().partition_point(|last| *last < wanted);
        let Some(own) = self.run(run) else { return self.end() };
        let within = own.between_fences(wanted, upper);
        let slots = &own.slots()[within.clone()];
        Position { run, index: within.start + slots.partition_point(|slot| key(*slot) < wanted) }
    }

    /// Where a slot of the order stands. Keys tell about where, and then the slot itself: that
    /// touches no rows.
    fn find(&self, slot: u16, seek: &impl Seek) -> Option<Position> {
        let run = self.run_of(seek);
        let own = self.run(run)?;
        let within = own.between_fences(seek.wanted(), |key| key);
        let offset = own.slots()[within.clone()].iter().position(|other| *other == slot)?;
        Some(Position { run, index: within.start + offset })
    }

    fn seek(&self, seek: &impl Seek) -> Position {
        let run = self.run_of(seek);
        let Some(own) = self.run(run) else { return self.end() };
        let within = own.between_fences(seek.wanted(), |key| key);
        let slots = &own.slots()[within.clone()];
        let before = slots.partition_point(|slot| seek.compare(*slot) == Ordering::Less);
        Position { run, index: within.start + before }
    }

    /// The run in which what is looked for stands, or would.
    fn run_of(&self, seek: &impl Seek) -> usize {
        let wanted = upper(seek.wanted());
        let first = self.runs.last_keys().partition_point(|last| *last < wanted);
        let end = self.runs.last_keys().partition_point(|last| *last <= wanted);
        // Keys that are equal leave it to the slots themselves.
        let is_less = |slot: u16| seek.compare(slot) == Ordering::Less;
        let is_before = |run: &Run| run.slots().last().is_some_and(|last| is_less(*last));
        self.runs.partition_point(first..end, is_before)
    }

    /// The key of a run's last slot: no slot of the next run has a lesser one.
    #[inline]
    pub(crate) fn last_key(&self, run: usize) -> Option<u64> {
        self.runs.last_keys().get(run).copied()
    }

    /// The parts of runs between two positions, in order; none of them is empty.
    pub(crate) fn parts(&self, from: Position, to: Position) -> impl Iterator<Item = RunPart<'_>> {
        let last = if to.index > 0 { to.run + 1 } else { to.run };
        (from.run..last).map_while(move |at| {
            let run = self.run(at)?;
            let start = if at == from.run { from.index } else { 0 };
            let end = if at == to.run { to.index } else { run.len() };
            (start < end).then_some(RunPart { run, start, end })
        })
    }

    /// The slots between two positions, in order.
    pub(crate) fn between(&self, from: Position, to: Position) -> impl Iterator<Item = u16> {
        self.parts(from, to).flat_map(|part| part.slots().iter().copied())
    }

    /// How many slots stand between two positions. Cost: the runs between.
    pub(crate) fn distance(&self, from: Position, to: Position) -> usize {
        self.parts(from, to).map(|part| part.end - part.start).sum()
    }

    /// Puts a slot in where `seek` finds its place.
    pub(crate) fn insert(&mut self, slot: u16, code: u16, seek: &impl Seek) {
        let at = self.seek(seek);
        let code = self.counted.then_some(code);
        if self.runs.len() == 0 {
            if let Some(first) = Run::first(slot, code) {
                self.allocated += first.bytes();
                self.runs = Runs::One(first, [upper(seek.wanted())]);
                return;
            }
            let empty = Arc::<Run>::default();
            self.allocated += empty.bytes();
            self.runs = Runs::One(empty, [upper(seek.wanted())]);
        }
        // Past the end: the last run takes it.
        let last = self.runs.len() - 1;
        let is_past = at.run > last;
        let at = if is_past { Position { run: last, index: 0 } } else { at };
        let before = self.run(at.run).map_or(0, Run::bytes);
        let Some(run) = self.runs.get_mut(at.run) else { return };
        let (at, index) = (at.run, if is_past { run.len() } else { at.index });
        run.insert(index, slot, code, seek.wanted());
        let length = run.len();
        self.allocated = self.allocated + run.bytes() - before;
        if index + 1 == length {
            self.runs.set_last_key(at, upper(seek.wanted()));
        }
        if length > RUN {
            // Where slots only ever arrive at one end, full runs stay full.
            let cut = match index {
                0 => 1,
                last if last == RUN => RUN,
                _ => length / 2,
            };
            self.split(at, cut, |slot| seek.key(slot));
        }
    }

    /// Splits a run in two, the first of which has so many slots.
    fn split(&mut self, at: usize, cut: usize, key: impl Fn(u16) -> Key) {
        let Some(run) = self.runs.get(at).map(Arc::clone) else { return };
        let (first, second) = run.slots().split_at(cut);
        let (codes, more) = run.codes().split_at(if self.counted { cut } else { 0 });
        let runs = vec![Run::of(first, codes, &key), Run::of(second, more, &key)];
        self.replace(at..at + 1, runs, key);
    }

    /// Puts runs in the place of others. Cost: all runs.
    fn replace(&mut self, range: Range<usize>, runs: Vec<Arc<Run>>, key: impl Fn(u16) -> Key) {
        let old = range.clone().filter_map(|at| self.run(at)).map(Run::bytes);
        let new = runs.iter().map(|run| run.bytes());
        self.allocated = self.allocated + new.sum::<usize>() - old.sum::<usize>();
        self.runs.replace(range, runs, key);
    }

    /// Puts ordered slots in; `precedes` tells whether one slot comes before another. Cost: the
    /// runs that slots go into.
    ///
    /// Old runs are gone through once, and the new slots with them: each run takes those that come
    /// before its last slot, and the last run all that are left, so both stay in order. A run that
    /// takes none is shared as it is.
    pub(crate) fn merge(
        &mut self,
        slots: &[u16],
        key: impl Fn(u16) -> Key,
        code: impl Fn(u16) -> u16,
        precedes: impl Fn(u16, u16) -> bool,
    ) {
        let mut merged = Vec::with_capacity(self.runs.len() + slots.len() / RUN + 1);
        let mut rest = slots;
        for (at, run) in self.runs.iter().enumerate() {
            let taken = match run.slots().last() {
                Some(last) if at + 1 < self.runs.len() => {
                    rest.partition_point(|slot| precedes(*slot, *last))
                }
                _ => rest.len(),
            };
            if taken == 0 {
                merged.push(Arc::clone(run));
                continue;
            }
            let (new, after) = rest.split_at(taken);
            rest = after;
            self.cut(&merge_slots(run.slots(), new, &precedes), &key, &code, &mut merged);
        }
        // Nothing is left where there was a run.
        self.cut(rest, &key, &code, &mut merged);
        self.allocated = merged.iter().map(|run| run.bytes()).sum();
        self.runs = Runs::None;
        self.runs.replace(0..0, merged, key);
    }

    /// Cuts slots into runs of about the same length, so that none of a few slots is left over.
    fn cut(
        &self,
        slots: &[u16],
        key: impl Fn(u16) -> Key,
        code: impl Fn(u16) -> u16,
        into: &mut Vec<Arc<Run>>,
    ) {
        let pieces = slots.len().div_ceil(RUN).max(1);
        for slots in slots.chunks(slots.len().div_ceil(pieces).max(1)) {
            let codes: Vec<_> = slots.iter().map(|slot| code(*slot)).collect();
            let codes = if self.counted { &codes[..] } else { &[] };
            into.push(Run::of(slots, codes, &key));
        }
    }

    /// Takes the slot out that `seek` finds.
    pub(crate) fn remove(&mut self, slot: u16, seek: &impl Seek) {
        let found = self.find(slot, seek);
        debug_assert!(found.is_some(), "slot {slot} is in the order");
        let Some(Position { run: at, index }) = found else { return };
        let key = |slot: u16| seek.key(slot);
        let before = self.run(at).map_or(0, Run::bytes);
        let Some(run) = self.runs.get_mut(at) else { return };
        run.remove(index);
        let (length, last) = (run.len(), run.slots().last().copied());
        self.allocated = self.allocated + run.bytes() - before;
        let Some(last) = last else {
            self.replace(at..at + 1, Vec::new(), key);
            return;
        };
        if index == length {
            self.runs.set_last_key(at, upper(key(last)));
        }
        // Few runs are left where many slots are gone.
        for first in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            if let (Some(one), Some(other)) = (self.run(first), self.run(first + 1))
                && one.len() + other.len() < RUN / 2
            {
                let slots = [one.slots(), other.slots()].concat();
                let codes = [one.codes(), other.codes()].concat();
                self.replace(first..first + 2, vec![Run::of(&slots, &codes, key)], key);
                return;
            }
        }
    }

    /// Counts the slot that `seek` finds under another code; it keeps its position.
    pub(super) fn recode(&mut self, slot: u16, code: u16, seek: &impl Seek) {
        let found = self.find(slot, seek);
        debug_assert!(found.is_some(), "slot {slot} is in the order");
        let Some(Position { run, index }) = found else { return };
        let before = self.run(run).map_or(0, Run::bytes);
        if let Some(run) = self.runs.get_mut(run) {
            run.recode(index, code);
            self.allocated = self.allocated + run.bytes() - before;
        }
    }

    /// Bytes that are allocated. Cost: none that grows.
    /// Counts what runs have allocated that were read from a checkpoint.
    #[cfg(feature = "checkpoint")]
    pub(super) fn recount(&mut self) {
        self.allocated = self.runs.iter().map(|run| run.bytes()).sum();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.allocated + self.runs.bytes()
    }

    /// Checks runs, their last keys, their fences and their counts; `code` tells a slot's right
    /// one.
    pub(crate) fn validate(
        &self,
        key: impl Fn(u16) -> Key,
        code: impl Fn(u16) -> u16,
    ) -> Result<(), String> {
        let lasts = self.runs.iter().filter_map(|run| run.slots().last());
        if !lasts.map(|last| upper(key(*last))).eq(self.runs.last_keys().iter().copied()) {
            return Err("the last keys".to_owned());
        }
        if self.runs.iter().map(|run| run.bytes()).sum::<usize>() != self.allocated {
            return Err("the bytes of runs".to_owned());
        }
        for (at, run) in self.runs.iter().enumerate() {
            if run.len() == 0 || run.len() > RUN {
                return Err(format!("run {at} has {} slots", run.len()));
            }
            let keys: Vec<Key> = run.slots().iter().map(|slot| key(*slot)).collect();
            let splits = |fence: &Fence| {
                let (before, after) = keys.split_at(fence.index.into());
                before.last().is_none_or(|last| *last <= fence.key)
                    && after.first().is_none_or(|first| fence.key <= *first)
            };
            if !run.fences.iter().all(splits) {
                return Err(format!("the fences of run {at}"));
            }
            if !self.counted {
                continue;
            }
            if run.codes() != run.slots().iter().map(|slot| code(*slot)).collect::<Vec<_>>() {
                return Err(format!("run {at} has wrong codes"));
            }
            let mut right = vec![0; run.counts().len()];
            run.codes().iter().for_each(|code| right[usize::from(*code)] += 1);
            if run.counts() != right {
                return Err(format!("run {at} counts wrongly"));
            }
        }
        Ok(())
    }
}

/// Ordered slots and new ordered ones in one order.
fn merge_slots(old: &[u16], new: &[u16], precedes: impl Fn(u16, u16) -> bool) -> Vec<u16> {
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut rest = old;
    for slot in new {
        let (before, after) = rest.split_at(rest.partition_point(|own| precedes(*own, *slot)));
        merged.extend_from_slice(before);
        merged.push(*slot);
        rest = after;
    }
    merged.extend_from_slice(rest);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots that are their own keys, a few of them equal.
    struct Number(u16);

    fn key(slot: u16) -> Key {
        Key::from(slot / 40) << 64
    }

    impl Seek for Number {
        fn key(&self, slot: u16) -> Key {
            key(slot)
        }

        fn wanted(&self) -> Key {
            key(self.0)
        }

        fn compare(&self, slot: u16) -> Ordering {
            slot.cmp(&self.0)
        }
    }

    fn numbers(order: &Order) -> Vec<u16> {
        order.between(order.start(), order.end()).collect()
    }

    #[test]
    fn inserts_merges_and_removals_keep_the_order() {
        let mut order = Order::new(true);
        let code = |slot: u16| slot % 7;
        for slot in (0..5000).step_by(2) {
            order.insert(slot, code(slot), &Number(slot));
        }
        let odd: Vec<u16> = (1..5000).step_by(2).collect();
        order.merge(&odd, key, code, |a, b| a < b);
        assert_eq!(numbers(&order), (0..5000).collect::<Vec<_>>());
        let kept = order.clone();
        for slot in (0..5000).filter(|slot| slot % 50 != 0) {
            order.remove(slot, &Number(slot));
        }
        assert_eq!(numbers(&order), (0..5000).step_by(50).collect::<Vec<_>>());
        assert!(order.runs.len() <= 100 / (RUN / 4) + 1 && numbers(&kept).len() == 5000);
        order.validate(key, code).unwrap();
        kept.validate(key, code).unwrap();
        order.recode(50, 9, &Number(50));
        assert!(order.validate(key, code).is_err());
    }

    #[test]
    fn full_runs_stay_full_at_the_end() {
        let mut order = Order::new(false);
        (0..10_000).for_each(|slot| order.insert(slot, 0, &Number(slot)));
        assert_eq!(order.runs.len(), 10_000usize.div_ceil(RUN));
        assert_eq!(order.distance(order.start(), order.end()), 10_000);
    }

    #[test]
    fn goes_on_and_back_by_many() {
        let mut order = Order::new(true);
        let slots: Vec<u16> = (0..5000).collect();
        order.merge(&slots, key, |_| 0, |a, b| key(a) < key(b));
        let (start, end) = (order.start(), order.end());
        for offset in [0, 1, 7, 1023, 1024, 1025, 4999] {
            let at = order.on(start, offset);
            assert_eq!(order.distance(start, at), offset);
            assert_eq!(order.back(at, offset), start);
            let at = order.back(end, 5000 - offset);
            assert_eq!(order.distance(start, at), offset);
        }
        assert_eq!((order.on(start, 5000), order.on(start, 9000)), (end, end));
        assert_eq!(order.back(end, 9000), start);
    }

    #[test]
    fn finds_and_steps() {
        let mut order = Order::new(false);
        let slots: Vec<u16> = (0..3000).map(|n| n * 2).collect();
        order.merge(&slots, key, |_| 0, |a, b| a < b);
        let at = order.lower(|other| other.cmp(&2049));
        assert_eq!(order.get(at), Some(2050));
        assert_eq!((order.seek(&Number(2049)), order.seek(&Number(2050))), (at, at));
        assert_eq!(order.get(order.at_key(51, |slot| u64::from(slot / 40))), Some(2040));
        assert_eq!(order.before(at).unwrap().1, 2048);
        assert_eq!(order.get(order.after(at)), Some(2052));
        assert_eq!(order.lower(|_| Ordering::Less), order.end());
        assert_eq!(order.before(order.end()).unwrap().1, 5998);
        assert_eq!(order.distance(at, order.end()), 3000 - 1025);
    }
}
