//! A part of an order: some slots of a segment in one piece of memory.
//!
//! Useful for what is skipped or walked as a whole; it counts its signatures where far pages are
//! asked. Not for more slots than `RUN`.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use crate::index::collections::{ARC, sized};

/// How long a run may grow; it is then cut in two.
pub(crate) const RUN: usize = sized(1024, 8);

/// How many slots stand between two fences, at first; up to so many need none.
const FENCE: usize = sized(64, 2);

/// What slots stand in an order by: its upper half is what queries compare, its lower half tells
/// more of them apart. Equal keys leave it to the slots themselves.
pub(super) type Key = u128;

pub(crate) fn upper(key: Key) -> u64 {
    (key >> 64) as u64
}

/// How many numbers fit into a clone of a run besides its own.
const SPARE: usize = 16;

/// A key that comes before none of the slots from an index on, and after none before it: a search
/// between fences looks at few slots, each of which costs a row that is not at hand.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Fence {
    pub(crate) key: Key,
    pub(crate) index: u16,
}

/// Some slots of a run that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunPart<'a> {
    pub(crate) run: &'a Run,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl<'a> RunPart<'a> {
    /// Whether it is the run.
    pub(crate) fn is_whole(&self) -> bool {
        self.end - self.start == self.run.length
    }

    pub(crate) fn slots(&self) -> &'a [u16] {
        self.run.slots().get(self.start..self.end).unwrap_or_default()
    }

    /// Empty where the order does not count signatures.
    pub(crate) fn codes(&self) -> &'a [u16] {
        self.run.codes().get(self.start..self.end).unwrap_or_default()
    }
}

/// A part of an order, in one piece of memory.
#[derive(Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Run {
    /// The slots; then, where the order counts signatures, the code of each slot's signature, and
    /// how many slots have each code.
    numbers: Vec<u16>,
    length: usize,
    pub(super) fences: Vec<Fence>,
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
    /// The run of a scope's first case, which all scopes share until they get another one: a scope
    /// of one case has many orders.
    pub(crate) fn first(slot: u16, code: Option<u16>) -> Option<Arc<Self>> {
        static FIRST_RUNS: LazyLock<[Arc<Run>; 2]> =
            LazyLock::new(|| [&[][..], &[0]].map(|codes| Run::of(&[0], codes, |_| 0)));
        let at = match (slot, code) {
            (0, None) => 0,
            (0, Some(0)) => 1,
            _ => return None,
        };
        Some(Arc::clone(&FIRST_RUNS[at]))
    }

    pub(crate) fn of(slots: &[u16], codes: &[u16], key: impl Fn(u16) -> Key) -> Arc<Self> {
        let fences = slots.iter().zip(0..).step_by(FENCE).filter(|_| slots.len() > FENCE);
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
    pub(crate) fn insert(&mut self, index: usize, slot: u16, code: Option<u16>, key: Key) {
        for fence in &mut self.fences {
            // At its index stands the slot, unless it comes before the key.
            let at = usize::from(fence.index);
            fence.index += u16::from(index < at || index == at && key < fence.key);
        }
        // The first fence stands before all slots: where cases come first again and again, their
        // place is found by it alone.
        match self.fences.first_mut() {
            Some(first) if index == 0 => *first = Fence { key, index: 0 },
            // Any slot's own key divides the others.
            None if self.length >= FENCE => {
                self.fences.push(Fence { key, index: index as u16 });
            }
            _ => {}
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

    pub(crate) fn remove(&mut self, index: usize) {
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
    pub(super) fn recode(&mut self, index: usize, code: u16) {
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
    pub(super) fn between_fences<K: Ord + Copy>(
        &self,
        key: K,
        half: impl Fn(Key) -> K,
    ) -> Range<usize> {
        let first = self.fences.partition_point(|fence| half(fence.key) < key);
        let end = first + self.fences[first..].partition_point(|fence| half(fence.key) <= key);
        let start = first.checked_sub(1).map_or(0, |before| self.fences[before].index);
        let end = self.fences.get(end).map_or(self.length, |fence| fence.index.into());
        start.into()..end
    }

    /// Bytes that are allocated, with itself.
    pub(crate) fn bytes(&self) -> usize {
        let fences = self.fences.capacity() * size_of::<Fence>();
        ARC + size_of::<Self>() + self.numbers.capacity() * size_of::<u16>() + fences
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(crate) fn slots(&self) -> &[u16] {
        &self.numbers[..self.length]
    }

    /// The code of each slot's signature; empty where the order does not count signatures.
    #[inline]
    pub(crate) fn codes(&self) -> &[u16] {
        self.numbers.get(self.length..self.length * 2).unwrap_or_default()
    }

    /// How many slots have each code; empty where the order does not count signatures.
    #[inline]
    pub(crate) fn counts(&self) -> &[u16] {
        self.numbers.get(self.length * 2..).unwrap_or_default()
    }
}
