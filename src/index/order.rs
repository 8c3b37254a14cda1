//! The slots of a segment in the order of one field, in runs.
//!
//! Useful for a page: walk from the front until there are enough hits; and for a far page: a run
//! that counts its signatures is skipped whole. A change copies one run. Not for finding a slot's
//! rank without its key.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::dictionary::Ordinal;
use super::paged::Paged;
use smallvec::SmallVec;

use super::sized::sized;

/// How long a run may grow; it is then cut in two.
const RUN: usize = sized(1024, 8);

/// How many signatures are counted. Ordinals past them share one count, and are looked at one by
/// one.
pub(crate) const COUNTED: usize = sized(1024, 12);

/// What stands for a signature in a run: its ordinal, or `COUNTED` for all past it.
pub(crate) fn code(signature: Ordinal) -> u16 {
    signature.min(COUNTED as Ordinal) as u16
}

/// How many slots stand between two fences, at first.
const FENCE: usize = sized(64, 2);

/// What slots stand in an order by: its upper half is what queries compare, its lower half tells
/// more of them apart. Equal keys leave it to the slots themselves.
pub(super) type Key = u128;

fn upper(key: Key) -> u64 {
    (key >> 64) as u64
}

/// How many numbers fit into a clone of a run besides its own.
const SPARE: usize = 16;

/// A key that comes before none of the slots from an index on, and after none before it: a search
/// between fences looks at few slots, each of which costs a row that is not at hand.
#[derive(Clone, Copy, Debug)]
struct Fence {
    key: Key,
    index: u16,
}

/// A part of an order, in one piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The slots; then, where the order counts signatures, the code of each slot's signature, and
    /// how many slots have each code.
    numbers: Vec<u16>,
    length: usize,
    fences: SmallVec<[Fence; RUN / FENCE]>,
}

impl Clone for Run {
    /// Runs are cloned to be changed: there is room for a slot more, and some signatures.
    fn clone(&self) -> Self {
        let mut numbers = Vec::with_capacity(self.numbers.len() + SPARE);
        numbers.extend_from_slice(&self.numbers);
        Self { numbers, length: self.length, fences: self.fences.clone() }
    }
}

impl Run {
    fn of(slots: &[u16], codes: &[u16], key: impl Fn(u16) -> Key) -> Arc<Self> {
        let fences = slots.iter().zip(0..).step_by(FENCE);
        let fences = fences.map(|(slot, index)| Fence { key: key(*slot), index }).collect();
        let width = codes.iter().max().map_or(0, |greatest| usize::from(*greatest) + 1);
        let mut numbers = Vec::with_capacity(slots.len() + codes.len() + width);
        numbers.extend_from_slice(slots);
        numbers.extend_from_slice(codes);
        numbers.resize(slots.len() + codes.len() + width, 0);
        let counts = &mut numbers[slots.len() + codes.len()..];
        codes.iter().for_each(|code| counts[usize::from(*code)] += 1);
        Arc::new(Self { numbers, length: slots.len(), fences })
    }

    /// Puts a slot in; it has a code where the order counts.
    fn insert(&mut self, index: usize, slot: u16, code: Option<u16>, key: Key) {
        for fence in &mut self.fences {
            // At its index stands the slot, unless it comes before the key.
            let at = usize::from(fence.index);
            fence.index += u16::from(index < at || index == at && key < fence.key);
        }
        // The first fence stands before all slots: where cases come first again and again, their
        // place is found by it alone.
        match self.fences.first_mut() {
            Some(first) if index == 0 => *first = Fence { key, index: 0 },
            None => self.fences.push(Fence { key, index: 0 }),
            Some(_) => {}
        }
        self.numbers.insert(index, slot);
        if let Some(code) = code {
            self.numbers.insert(self.length + 1 + index, code);
        }
        self.length += 1;
        if let Some(code) = code {
            self.count(code, 1);
        }
    }

    fn remove(&mut self, index: usize) {
        let after = self.fences.partition_point(|fence| usize::from(fence.index) <= index);
        self.fences[after..].iter_mut().for_each(|fence| fence.index -= 1);
        let code = self.codes().get(index).copied();
        self.numbers.remove(index);
        self.length -= 1;
        if let Some(code) = code {
            self.numbers.remove(self.length + index);
            self.count(code, -1);
        }
    }

    /// Gives the slot at an index another code.
    fn recode(&mut self, index: usize, code: u16) {
        let old = std::mem::replace(&mut self.numbers[self.length + index], code);
        self.count(old, -1);
        self.count(code, 1);
    }

    fn count(&mut self, code: u16, change: i16) {
        let at = self.length * 2 + usize::from(code);
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, 0);
        }
        self.numbers[at] = self.numbers[at].wrapping_add_signed(change);
    }

    /// The indexes between which the first slot stands that does not come before a key, and all
    /// that have it; `half` gives what of a fence's key is compared.
    fn between_fences<K: Ord + Copy>(&self, key: K, half: impl Fn(Key) -> K) -> Range<usize> {
        let first = self.fences.partition_point(|fence| half(fence.key) < key);
        let end = first + self.fences[first..].partition_point(|fence| half(fence.key) <= key);
        let start = first.checked_sub(1).map_or(0, |before| self.fences[before].index);
        let end = self.fences.get(end).map_or(self.length, |fence| fence.index.into());
        start.into()..end
    }

    #[inline]
    pub(crate) fn slots(&self) -> &[u16] {
        &self.numbers[..self.length]
    }

    /// Empty where the order does not count signatures; so the next.
    #[inline]
    pub(crate) fn codes(&self) -> &[u16] {
        self.numbers.get(self.length..self.length * 2).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn counts(&self) -> &[u16] {
        self.numbers.get(self.length * 2..).unwrap_or_default()
    }
}

/// All live slots of a segment, ordered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    runs: Arc<Runs>,
    /// Whether runs count signatures.
    counted: bool,
}

/// Runs, none of them empty, and the key of the last slot of each: a search among them looks at no
/// slot.
#[derive(Clone, Debug, Default)]
struct Runs {
    lasts: Vec<u64>,
    list: Paged<Arc<Run>, 8>,
}

impl Runs {
    /// Puts runs in the place of others. Cost: all runs.
    fn replace(
        &mut self,
        range: Range<usize>,
        runs: impl IntoIterator<Item = Arc<Run>>,
        key: impl Fn(u16) -> Key,
    ) {
        let runs: Vec<_> = runs.into_iter().collect();
        let lasts = runs.iter().filter_map(|run| run.slots().last()).map(|last| upper(key(*last)));
        self.lasts.splice(range.clone(), lasts.collect::<Vec<_>>());
        let mut all: Vec<_> = self.list.iter().cloned().collect();
        all.splice(range, runs);
        self.list = all.into_iter().collect();
    }
}

/// A slot that is looked for, and the keys by which it is found.
pub(super) trait Seek {
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
    /// The same; past the last slot of its run, where the next run begins.
    #[inline]
    pub(crate) fn within(self, run: &Run) -> Self {
        if self.index < run.length { self } else { Self { run: self.run + 1, index: 0 } }
    }
}

impl Order {
    pub(super) fn new(counted: bool) -> Self {
        Self { runs: Arc::default(), counted }
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.counted
    }

    /// How many references there are to what a clone shares.
    pub(super) fn references(&self) -> usize {
        Arc::strong_count(&self.runs)
    }

    #[inline]
    pub(crate) fn run(&self, at: usize) -> Option<&Run> {
        self.runs.list.get(at).map(|run| &**run)
    }

    pub(crate) fn start(&self) -> Position {
        Position { run: 0, index: 0 }
    }

    pub(crate) fn end(&self) -> Position {
        Position { run: self.runs.list.len(), index: 0 }
    }

    #[inline]
    pub(crate) fn get(&self, at: Position) -> Option<u16> {
        self.runs.list.get(at.run)?.slots().get(at.index).copied()
    }

    /// The position after one that has a slot.
    #[inline]
    pub(crate) fn after(&self, at: Position) -> Position {
        match self.runs.list.get(at.run) {
            Some(run) => Position { index: at.index + 1, ..at }.within(run),
            None => Position { run: at.run + 1, index: 0 },
        }
    }

    /// The position so many slots on, or the end.
    pub(crate) fn on(&self, mut at: Position, mut slots: usize) -> Position {
        while let Some(run) = self.runs.list.get(at.run) {
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
            at =
                Position { run, index: self.runs.list.get(run).map_or(0, |run| run.slots().len()) };
        }
        Position { index: at.index - slots, ..at }
    }

    /// The position before another and its slot, or nothing at the start.
    pub(crate) fn before(&self, at: Position) -> Option<(Position, u16)> {
        let at = match at.index.checked_sub(1) {
            Some(index) => Position { index, ..at },
            None => {
                let run = at.run.checked_sub(1)?;
                Position { run, index: self.runs.list.get(run)?.slots().len() - 1 }
            }
        };
        Some((at, self.get(at)?))
    }

    /// The first position whose slot does not come before what `compare` looks for.
    pub(crate) fn lower(&self, mut compare: impl FnMut(u16) -> Ordering) -> Position {
        let run = self.runs.list.partition_point(0..self.runs.list.len(), |run| {
            run.slots().last().is_some_and(|last| compare(*last) == Ordering::Less)
        });
        let Some(own) = self.run(run) else { return self.end() };
        let index = own.slots().partition_point(|slot| compare(*slot) == Ordering::Less);
        Position { run, index }
    }

    /// The same within bounds; the second where none of the slots between is it.
    pub(crate) fn lower_between(
        &self,
        from: Position,
        to: Position,
        mut compare: impl FnMut(u16) -> Ordering,
    ) -> Position {
        let run = self.runs.list.partition_point(from.run..to.run, |run| {
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
        let run = self.runs.lasts.partition_point(|last| *last < wanted);
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
        let first = self.runs.lasts.partition_point(|last| *last < wanted);
        let end = self.runs.lasts.partition_point(|last| *last <= wanted);
        // Keys that are equal leave it to the slots themselves.
        let is_less = |slot: u16| seek.compare(slot) == Ordering::Less;
        let is_before = |run: &Arc<Run>| run.slots().last().is_some_and(|last| is_less(*last));
        self.runs.list.partition_point(first..end, is_before)
    }

    /// The parts of runs between two positions, in order: their slots and codes.
    pub(crate) fn parts(
        &self,
        from: Position,
        to: Position,
    ) -> impl Iterator<Item = (&Run, &[u16], &[u16])> {
        let last = if to.index > 0 { to.run + 1 } else { to.run };
        (from.run..last).map_while(move |at| {
            let run = self.run(at)?;
            let start = if at == from.run { from.index } else { 0 };
            let end = if at == to.run { to.index } else { run.slots().len() };
            let slots = run.slots().get(start..end).unwrap_or_default();
            Some((run, slots, run.codes().get(start..end).unwrap_or_default()))
        })
    }

    /// The slots between two positions, in order.
    pub(crate) fn between(&self, from: Position, to: Position) -> impl Iterator<Item = u16> {
        self.parts(from, to).flat_map(|(_, slots, _)| slots.iter().copied())
    }

    /// How many slots stand between two positions. Cost: the runs between.
    pub(crate) fn distance(&self, from: Position, to: Position) -> usize {
        self.parts(from, to).map(|(_, slots, _)| slots.len()).sum()
    }

    /// Puts a slot in where `seek` finds its place.
    pub(super) fn insert(&mut self, slot: u16, code: u16, seek: &impl Seek) {
        let at = self.seek(seek);
        let code = self.counted.then_some(code);
        let runs = Arc::make_mut(&mut self.runs);
        if runs.lasts.is_empty() {
            runs.list.push(Arc::default());
            runs.lasts.push(upper(seek.wanted()));
        }
        // Past the end: the last run takes it.
        let last = runs.lasts.len() - 1;
        let is_past = at.run > last;
        let at = if is_past { Position { run: last, index: 0 } } else { at };
        let Some(shared) = runs.list.get_mut(at.run) else { return };
        let run = Arc::make_mut(shared);
        let (at, index) = (at.run, if is_past { run.length } else { at.index });
        run.insert(index, slot, code, seek.wanted());
        if index + 1 == run.length {
            runs.lasts[at] = upper(seek.wanted());
        }
        if run.length > RUN {
            // Where slots only ever arrive at one end, full runs stay full.
            let cut = match index {
                0 => 1,
                last if last == RUN => RUN,
                _ => run.length / 2,
            };
            let run = Arc::clone(shared);
            let (left, right) = run.slots().split_at(cut);
            let (codes, more) = run.codes().split_at(if self.counted { cut } else { 0 });
            let key = |slot: u16| seek.key(slot);
            runs.replace(at..at + 1, [Run::of(left, codes, key), Run::of(right, more, key)], key);
        }
    }

    /// Puts ordered slots in; `precedes` tells whether one slot comes before another. Cost: the
    /// runs that slots go into.
    pub(super) fn merge(
        &mut self,
        slots: &[u16],
        key: impl Fn(u16) -> Key,
        code: impl Fn(u16) -> u16,
        precedes: impl Fn(u16, u16) -> bool,
    ) {
        let mut merged = Vec::with_capacity(self.runs.list.len() + slots.len() / RUN + 1);
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
        for (at, run) in self.runs.list.iter().enumerate() {
            let own = match run.slots().last() {
                Some(last) if at + 1 < self.runs.list.len() => {
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
            let mut both = Vec::with_capacity(run.length + new.len());
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
        let mut runs = Runs::default();
        runs.replace(0..0, merged, key);
        self.runs = Arc::new(runs);
    }

    /// Takes the slot out that `seek` finds.
    pub(super) fn remove(&mut self, slot: u16, seek: &impl Seek) {
        let found = self.find(slot, seek);
        debug_assert!(found.is_some(), "slot {slot} is in the order");
        let Some(Position { run: at, index }) = found else { return };
        let key = |slot: u16| seek.key(slot);
        let runs = Arc::make_mut(&mut self.runs);
        let Some(run) = runs.list.get_mut(at) else { return };
        let run = Arc::make_mut(run);
        run.remove(index);
        let Some(last) = run.slots().last() else {
            runs.replace(at..at + 1, [], key);
            return;
        };
        if index == run.length {
            runs.lasts[at] = upper(key(*last));
        }
        // Few runs are left where many slots are gone.
        for left in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            if let (Some(one), Some(other)) = (runs.list.get(left), runs.list.get(left + 1))
                && one.length + other.length < RUN / 2
            {
                let slots = [one.slots(), other.slots()].concat();
                let codes = [one.codes(), other.codes()].concat();
                runs.replace(left..left + 2, [Run::of(&slots, &codes, key)], key);
                return;
            }
        }
    }

    /// Counts the slot that `seek` finds under another code; it keeps its position.
    pub(super) fn recode(&mut self, slot: u16, code: u16, seek: &impl Seek) {
        let found = self.find(slot, seek);
        debug_assert!(found.is_some(), "slot {slot} is in the order");
        let Some(Position { run, index }) = found else { return };
        if let Some(run) = Arc::make_mut(&mut self.runs).list.get_mut(run) {
            Arc::make_mut(run).recode(index, code);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let run = |run: &Run| run.numbers.capacity() * 2 + size_of::<Run>() + 64;
        self.runs.list.iter().map(|own| run(own)).sum()
    }

    /// Checks runs, their last keys, their fences and their counts; `code` tells a slot's right
    /// one.
    pub(super) fn validate(
        &self,
        key: impl Fn(u16) -> Key,
        code: impl Fn(u16) -> u16,
    ) -> Result<(), String> {
        let lasts = self.runs.list.iter().filter_map(|run| run.slots().last());
        if !lasts.map(|last| upper(key(*last))).eq(self.runs.lasts.iter().copied()) {
            return Err("the last keys".to_owned());
        }
        for (at, run) in self.runs.list.iter().enumerate() {
            if run.length == 0 || run.length > RUN {
                return Err(format!("run {at} has {} slots", run.length));
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
        assert!(order.runs.list.len() <= 100 / (RUN / 4) + 1 && numbers(&kept).len() == 5000);
        order.validate(key, code).unwrap();
        kept.validate(key, code).unwrap();
        order.recode(50, 9, &Number(50));
        assert!(order.validate(key, code).is_err());
    }

    #[test]
    fn full_runs_stay_full_at_the_end() {
        let mut order = Order::new(false);
        (0..10_000).for_each(|slot| order.insert(slot, 0, &Number(slot)));
        assert_eq!(order.runs.list.len(), 10_000usize.div_ceil(RUN));
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
