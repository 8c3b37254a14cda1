//! The slots of a segment in the order of one field, in runs.
//!
//! Useful for a page: walk from the front until there are enough hits; and for a far page: a run
//! that counts its signatures is skipped whole. A change copies one run. Not for finding a slot's
//! rank without its key.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::run::{Fence, Key, RUN, Run, RunPart, upper};
use crate::index::collections::{ARC, Paged};

/// All live slots of a segment, ordered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    runs: Runs,
    /// Whether runs count signatures.
    counted: bool,
    /// What the runs have allocated.
    allocated: usize,
}

/// Runs, none of them empty, and the key of the last slot of each: a search among them looks at no
/// slot. A clone costs one pointer.
#[derive(Clone, Debug, Default)]
enum Runs {
    #[default]
    None,
    /// In few cases, the run alone.
    One(Arc<Run>, [u64; 1]),
    Many(Arc<Many>),
}

/// Two runs or more.
#[derive(Clone, Debug)]
struct Many {
    lasts: Vec<u64>,
    list: Paged<Arc<Run>, 8>,
}

impl Runs {
    fn of(lasts: Vec<u64>, mut runs: Vec<Arc<Run>>) -> Self {
        match (&*lasts, runs.len()) {
            ([last], 1) => runs.pop().map_or(Self::None, |run| Self::One(run, [*last])),
            ([], _) => Self::None,
            _ => Self::Many(Arc::new(Many { lasts, list: runs.into_iter().collect() })),
        }
    }

    fn len(&self) -> usize {
        self.lasts().len()
    }

    #[inline]
    fn lasts(&self) -> &[u64] {
        match self {
            Self::None => &[],
            Self::One(_, last) => last,
            Self::Many(many) => &many.lasts,
        }
    }

    #[inline]
    fn get(&self, at: usize) -> Option<&Arc<Run>> {
        match self {
            Self::Many(many) => many.list.get(at),
            Self::One(run, _) if at == 0 => Some(run),
            _ => None,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<Run>> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(run, _) => (Some(run), None),
            Self::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|many| many.list.iter()))
    }

    /// The first run of a range that is not as asked, where those that are come first.
    fn partition_point(&self, range: Range<usize>, mut is: impl FnMut(&Run) -> bool) -> usize {
        match self {
            Self::Many(many) => many.list.partition_point(range, |run| is(run)),
            _ => range.start + usize::from(!range.is_empty() && self.get(0).is_some_and(|r| is(r))),
        }
    }

    /// The run to change, a clone where it is shared.
    fn get_mut(&mut self, at: usize) -> Option<&mut Run> {
        let run = match self {
            Self::Many(many) => Arc::make_mut(many).list.get_mut(at)?,
            Self::One(run, _) if at == 0 => run,
            _ => return None,
        };
        Some(Arc::make_mut(run))
    }

    /// Notes the key of a run's last slot.
    fn set_last(&mut self, at: usize, key: u64) {
        let lasts = match self {
            Self::None => return,
            Self::One(_, last) => &mut last[..],
            Self::Many(many) => &mut Arc::make_mut(many).lasts,
        };
        lasts[at] = key;
    }

    /// Puts runs in the place of others. Cost: all runs.
    fn replace(&mut self, range: Range<usize>, runs: Vec<Arc<Run>>, key: impl Fn(u16) -> Key) {
        let mut lasts = self.lasts().to_vec();
        let new = runs.iter().filter_map(|run| run.slots().last()).map(|last| upper(key(*last)));
        lasts.splice(range.clone(), new.collect::<Vec<_>>());
        let mut all: Vec<_> = self.iter().cloned().collect();
        all.splice(range, runs);
        *self = Self::of(lasts, all);
    }

    fn references(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(run, _) => Arc::strong_count(run),
            Self::Many(many) => Arc::strong_count(many),
        }
    }

    /// Bytes that are allocated beside the runs. Cost: none that grows.
    fn bytes(&self) -> usize {
        match self {
            Self::Many(many) => {
                let lasts = many.lasts.capacity() * size_of::<u64>();
                ARC + size_of::<Many>() + lasts + many.list.bytes()
            }
            _ => 0,
        }
    }
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
            let left = run.slots().len() - at.index;
            if slots < left {
                return Position { index: at.index + slots, ..at };
            }
            (slots, at) = (slots - left, Position { run: at.run + 1, index: 0 });
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
        let run = self.runs.lasts().partition_point(|last| *last < wanted);
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
        let first = self.runs.lasts().partition_point(|last| *last < wanted);
        let end = self.runs.lasts().partition_point(|last| *last <= wanted);
        // Keys that are equal leave it to the slots themselves.
        let is_less = |slot: u16| seek.compare(slot) == Ordering::Less;
        let is_before = |run: &Run| run.slots().last().is_some_and(|last| is_less(*last));
        self.runs.partition_point(first..end, is_before)
    }

    /// The key of a run's last slot: no slot of the next run has a lesser one.
    #[inline]
    pub(crate) fn last_key(&self, run: usize) -> Option<u64> {
        self.runs.lasts().get(run).copied()
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
            self.runs.set_last(at, upper(seek.wanted()));
        }
        if length > RUN {
            // Where slots only ever arrive at one end, full runs stay full.
            let cut = match index {
                0 => 1,
                last if last == RUN => RUN,
                _ => length / 2,
            };
            let Some(run) = self.runs.get(at).map(Arc::clone) else { return };
            let (left, right) = run.slots().split_at(cut);
            let (codes, more) = run.codes().split_at(if self.counted { cut } else { 0 });
            let key = |slot: u16| seek.key(slot);
            self.replace(
                at..at + 1,
                vec![Run::of(left, codes, key), Run::of(right, more, key)],
                key,
            );
        }
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
    pub(crate) fn merge(
        &mut self,
        slots: &[u16],
        key: impl Fn(u16) -> Key,
        code: impl Fn(u16) -> u16,
        precedes: impl Fn(u16, u16) -> bool,
    ) {
        let mut merged = Vec::with_capacity(self.runs.len() + slots.len() / RUN + 1);
        let mut rest = slots;
        let cut = |slots: &[u16], merged: &mut Vec<Arc<Run>>| {
            // Even pieces: no run of a few slots is left over.
            let pieces = slots.len().div_ceil(RUN).max(1);
            for slots in slots.chunks(slots.len().div_ceil(pieces).max(1)) {
                let codes: Vec<_> = slots.iter().map(|slot| code(*slot)).collect();
                let codes = if self.counted { &codes[..] } else { &[] };
                merged.push(Run::of(slots, codes, &key));
            }
        };
        for (at, run) in self.runs.iter().enumerate() {
            let own = match run.slots().last() {
                Some(last) if at + 1 < self.runs.len() => {
                    rest.partition_point(|slot| precedes(*slot, *last))
                }
                _ => rest.len(),
            };
            if own == 0 {
                merged.push(Arc::clone(run));
                continue;
            }
            let (new, after) = rest.split_at(own);
            rest = after;
            let mut both = Vec::with_capacity(run.len() + new.len());
            let mut old = run.slots();
            for slot in new {
                let before = old.partition_point(|other| precedes(*other, *slot));
                let (first, others) = old.split_at(before);
                both.extend_from_slice(first);
                both.push(*slot);
                old = others;
            }
            both.extend_from_slice(old);
            cut(&both, &mut merged);
        }
        cut(rest, &mut merged);
        self.allocated = merged.iter().map(|run| run.bytes()).sum();
        self.runs = Runs::None;
        self.runs.replace(0..0, merged, key);
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
            self.runs.set_last(at, upper(key(last)));
        }
        // Few runs are left where many slots are gone.
        for left in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            if let (Some(one), Some(other)) = (self.run(left), self.run(left + 1))
                && one.len() + other.len() < RUN / 2
            {
                let slots = [one.slots(), other.slots()].concat();
                let codes = [one.codes(), other.codes()].concat();
                self.replace(left..left + 2, vec![Run::of(&slots, &codes, key)], key);
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
        if !lasts.map(|last| upper(key(*last))).eq(self.runs.lasts().iter().copied()) {
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
