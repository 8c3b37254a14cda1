//! Posting lists of a segment: for each value the slots that have it.
//!
//! Useful for "the cases of this queue", few among many. Each list is split into unresolved and
//! done, for desks look at unresolved cases nearly always and those are few. Not for fields of few
//! values: signatures answer those by counts.

use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::index::collections::{Ordinal, PageValue, Sparse, prefetch};

/// How many slots a list holds in place. A longer one is two roaring bitmaps, until it is half as
/// long again.
const SHORT: usize = 6;

/// What a roaring bitmap takes besides its slots, and what two of them take that are empty.
const BITMAP: usize = 88;
const BITMAPS: usize = size_of::<Split>() + 32;

/// From how many slots on a roaring bitmap is as long as all of them would be, in bytes.
const DENSE: u64 = 4096;

/// The slots of one value.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct PostingList(Layout);

#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
enum Layout {
    /// The first are unresolved, the others done, up to a length; both ascend.
    Short {
        unresolved: u8,
        length: u8,
        slots: [u16; SHORT],
    },
    Long(Arc<Split>),
}

/// The slots of one value that are many.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
struct Split {
    unresolved: RoaringBitmap,
    done: RoaringBitmap,
}

/// The unresolved slots of a list, or the done ones; ascending.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Half<'a> {
    Short(&'a [u16]),
    Long(&'a RoaringBitmap),
}

impl<'a> Half<'a> {
    pub(crate) fn len(self) -> u64 {
        match self {
            Self::Short(slots) => slots.len() as u64,
            Self::Long(bitmap) => bitmap.len(),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u16> {
        let (slots, bitmap): (&'a [u16], _) = match self {
            Self::Short(slots) => (slots, None),
            Self::Long(bitmap) => (&[], Some(bitmap)),
        };
        slots.iter().copied().chain(bitmap.into_iter().flatten().map(|slot| slot as u16))
    }

    /// Hands on the slots, some at a time: that is several times faster than one by one.
    pub(crate) fn each(self, mut each: impl FnMut(u16)) {
        let bitmap = match self {
            Self::Short(slots) => return slots.iter().for_each(|slot| each(*slot)),
            // Many a list has one half only.
            Self::Long(bitmap) if bitmap.is_empty() => return,
            Self::Long(bitmap) => bitmap,
        };
        let (mut slots, mut buffer) = (bitmap.iter(), [0; 128]);
        loop {
            let some = slots.next_many(&mut buffer);
            if some.is_empty() {
                return;
            }
            some.iter().for_each(|slot| each(*slot as u16));
        }
    }
}

impl Half<'_> {
    /// How many slots it shares with the same half of another list. Cost: the shorter one, or the
    /// containers of both.
    fn shared_len(self, other: Half<'_>) -> u64 {
        match (self, other) {
            (Half::Long(own), Half::Long(other)) => own.intersection_len(other),
            (Half::Short(short), other) | (other, Half::Short(short)) => {
                short.iter().filter(|slot| other.has(**slot)).count() as u64
            }
        }
    }

    fn has(self, slot: u16) -> bool {
        match self {
            Self::Short(slots) => slots.binary_search(&slot).is_ok(),
            Self::Long(bitmap) => bitmap.contains(slot.into()),
        }
    }
}

impl Default for PostingList {
    fn default() -> Self {
        Self(Layout::Short { unresolved: 0, length: 0, slots: [0; SHORT] })
    }
}

impl PartialEq for PostingList {
    /// Lists of the same slots are the same, however they are kept.
    fn eq(&self, other: &Self) -> bool {
        self.unresolved().iter().eq(other.unresolved().iter())
            && self.done().iter().eq(other.done().iter())
    }
}

impl PageValue for PostingList {
    fn prefetch(values: &[Self]) {
        prefetch(values.iter().filter_map(|list| match &list.0 {
            Layout::Long(split) => Some(split),
            Layout::Short { .. } => None,
        }));
    }
}

impl PostingList {
    pub(crate) fn unresolved(&self) -> Half<'_> {
        match &self.0 {
            Layout::Short { unresolved, slots, .. } => {
                Half::Short(&slots[..usize::from(*unresolved)])
            }
            Layout::Long(split) => Half::Long(&split.unresolved),
        }
    }

    pub(crate) fn done(&self) -> Half<'_> {
        match &self.0 {
            Layout::Short { unresolved, length, slots } => {
                Half::Short(&slots[usize::from(*unresolved)..usize::from(*length)])
            }
            Layout::Long(split) => Half::Long(&split.done),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.unresolved().len() + self.done().len()
    }

    /// How many slots it shares with another list of the segment.
    pub(crate) fn shared_len(&self, other: &Self) -> u64 {
        // A slot is in the same half of each list.
        let unresolved = self.unresolved().shared_len(other.unresolved());
        unresolved + self.done().shared_len(other.done())
    }

    /// Hands on the slots of both halves, one half after the other.
    pub(crate) fn each(&self, mut each: impl FnMut(u16)) {
        self.unresolved().each(&mut each);
        self.done().each(each);
    }

    /// Bytes that it owns besides its own place.
    fn bytes(&self) -> usize {
        let bitmap = |bitmap: &RoaringBitmap| match bitmap.len() {
            0 => 0,
            slots => BITMAP + slots.min(DENSE) as usize * 2,
        };
        match &self.0 {
            Layout::Short { .. } => 0,
            Layout::Long(split) => BITMAPS + bitmap(&split.unresolved) + bitmap(&split.done),
        }
    }

    fn insert(&mut self, is_unresolved: bool, slot: u16) {
        if self.len() == SHORT as u64 && matches!(self.0, Layout::Short { .. }) {
            let bitmap = |half: Half<'_>| half.iter().map(u32::from).collect();
            let (unresolved, done) = (bitmap(self.unresolved()), bitmap(self.done()));
            self.0 = Layout::Long(Arc::new(Split { unresolved, done }));
        }
        match &mut self.0 {
            Layout::Short { unresolved, length, slots } => {
                let range = half_of(is_unresolved, *unresolved, *length);
                if let Err(at) = slots[range.clone()].binary_search(&slot) {
                    let at = range.start + at;
                    slots.copy_within(at..usize::from(*length), at + 1);
                    slots[at] = slot;
                    *length += 1;
                    *unresolved += u8::from(is_unresolved);
                }
            }
            Layout::Long(split) => {
                let split = Arc::make_mut(split);
                let half = if is_unresolved { &mut split.unresolved } else { &mut split.done };
                half.insert(slot.into());
                if half.len() == 1 {
                    // A bitmap makes room for several containers; its clone has the one it needs.
                    *half = half.clone();
                }
            }
        }
    }

    fn remove(&mut self, is_unresolved: bool, slot: u16) {
        match &mut self.0 {
            Layout::Short { unresolved, length, slots } => {
                let range = half_of(is_unresolved, *unresolved, *length);
                if let Ok(at) = slots[range.clone()].binary_search(&slot) {
                    slots.copy_within(range.start + at + 1..usize::from(*length), range.start + at);
                    *length -= 1;
                    *unresolved -= u8::from(is_unresolved);
                }
            }
            Layout::Long(split) => {
                let split = Arc::make_mut(split);
                let half = if is_unresolved { &mut split.unresolved } else { &mut split.done };
                half.remove(slot.into());
                if self.len() <= SHORT as u64 / 2 {
                    let mut short = Self::default();
                    self.unresolved().each(|slot| short.insert(true, slot));
                    self.done().each(|slot| short.insert(false, slot));
                    *self = short;
                }
            }
        }
    }
}

/// Where a half's slots stand in a short list.
fn half_of(is_unresolved: bool, unresolved: u8, length: u8) -> std::ops::Range<usize> {
    let (unresolved, length) = (unresolved.into(), length.into());
    if is_unresolved { 0..unresolved } else { unresolved..length }
}

/// The lists of one field, by ordinal; none of them is empty.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Postings {
    lists: Sparse<PostingList>,
    /// What the lists own.
    owned: usize,
}

impl Postings {
    pub(crate) fn get(&self, ordinal: Ordinal) -> Option<&PostingList> {
        self.lists.get(ordinal)
    }

    /// How many values have a list.
    pub(crate) fn len(&self) -> usize {
        self.lists.len()
    }

    pub(crate) fn insert(&mut self, ordinal: Ordinal, is_unresolved: bool, slot: u16) {
        let list = self.lists.get_or_add(ordinal);
        let before = list.bytes();
        list.insert(is_unresolved, slot);
        self.owned = self.owned + list.bytes() - before;
    }

    pub(crate) fn remove(&mut self, ordinal: Ordinal, is_unresolved: bool, slot: u16) {
        if self.lists.get(ordinal).is_none() {
            return;
        }
        let list = self.lists.get_or_add(ordinal);
        let before = list.bytes();
        list.remove(is_unresolved, slot);
        self.owned = self.owned + list.bytes() - before;
        if list.len() == 0 {
            self.lists.remove(ordinal);
        }
    }

    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        self.lists.references()
    }

    /// The lists of some values: of so many, each of which `is` one. Cost: the values or the lists,
    /// whichever are fewer.
    pub(crate) fn among(
        &self,
        count: usize,
        values: impl Iterator<Item = Ordinal>,
        is: impl Fn(Ordinal) -> bool,
    ) -> impl Iterator<Item = &PostingList> {
        let is_few = count <= self.len();
        let by_value = is_few.then(|| values.filter_map(|value| self.get(value)));
        let by_list = (!is_few).then(|| self.iter().filter(move |(own, _)| is(*own)));
        let by_list = by_list.into_iter().flatten().map(|(_, list)| list);
        by_value.into_iter().flatten().chain(by_list)
    }

    /// The values that have a list, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ordinal, &PostingList)> {
        self.lists.iter()
    }

    /// Bytes of the table and its lists. Cost: none.
    pub(crate) fn bytes(&self) -> usize {
        self.lists.bytes() + self.owned
    }

    /// Whether `bytes` is what a count of all lists gives.
    pub(super) fn is_bytes_right(&self) -> bool {
        self.owned == self.iter().map(|(_, list)| list.bytes()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::index::sized;

    type Plain = BTreeMap<u32, [BTreeSet<u16>; 2]>;

    fn is_same(own: &Postings, plain: &Plain) -> bool {
        let sets =
            |list: &PostingList| [list.unresolved().iter().collect(), list.done().iter().collect()];
        let own_lists: Plain = own.iter().map(|(value, list)| (value, sets(list))).collect();
        let each = own.iter().all(|(_, list)| {
            let mut all = Vec::new();
            list.unresolved().each(|slot| all.push(slot));
            list.done().each(|slot| all.push(slot));
            all.len() as u64 == list.len()
        });
        // However many values are asked, each that is there has its list once.
        let of = |values: &[Ordinal]| {
            let lists =
                own.among(values.len(), values.iter().copied(), |own| values.contains(&own));
            lists.map(PostingList::len).sum::<u64>()
        };
        let all: u64 = own.iter().map(|(_, list)| list.len()).sum();
        let every = Vec::from_iter(0..=plain.keys().last().copied().unwrap_or(0) + 40);
        let alone = own.iter().all(|(value, list)| of(&[value]) == list.len());
        let is_found = alone && of(&every) == all && of(&[]) == 0;
        let shared = |[one, other]: [&[BTreeSet<u16>; 2]; 2]| {
            one.iter().zip(other).map(|(one, other)| one.intersection(other).count()).sum::<usize>()
        };
        let is_shared = own.iter().zip(own.iter().skip(1).chain(own.iter().take(1))).all(
            |((value, list), (other, next))| {
                list.shared_len(next) == shared([value, other].map(|value| &plain[&value])) as u64
            },
        );
        is_found
            && is_shared
            && own_lists == *plain
            && own.len() == plain.len()
            && own.is_bytes_right()
            && each
    }

    proptest! {
        #[test]
        fn are_sets_by_value(
            steps in prop::collection::vec((0..20u32, any::<bool>(), 0..24u16, 0..5u8), 0..2000)
        ) {
            let (mut own, mut plain) = (Postings::default(), Plain::new());
            let mut kept = None;
            for (at, (value, is_unresolved, slot, step)) in steps.into_iter().enumerate() {
                // More come than go at first, then more go: lists turn long, and short again.
                let is_insert = (step < 3) == (at < 1000);
                let half = usize::from(!is_unresolved);
                if is_insert {
                    own.insert(value, is_unresolved, slot);
                    plain.entry(value).or_default()[half].insert(slot);
                } else {
                    own.remove(value, is_unresolved, slot);
                    if let Some(halves) = plain.get_mut(&value) {
                        halves[half].remove(&slot);
                    }
                    plain.retain(|_, halves| halves.iter().any(|half| !half.is_empty()));
                }
                if at % 500 == 499 {
                    kept = Some((own.clone(), plain.clone()));
                }
            }
            prop_assert!(is_same(&own, &plain));
            prop_assert!(kept.is_none_or(|(own, plain)| is_same(&own, &plain)));
        }
    }

    #[test]
    fn a_value_takes_little_where_few_slots_have_it() {
        assert_eq!(size_of::<PostingList>(), 16);
        let mut own = Postings::default();
        (0..60_000u16).for_each(|slot| own.insert(u32::from(slot) * 150, true, slot));
        assert!(own.bytes() < 60_000 * sized(40, 100), "{} bytes", own.bytes());
        (0..60_000u16).for_each(|slot| own.remove(u32::from(slot) * 150, true, slot));
        assert!(own.len() == 0 && own.bytes() < 200);
    }
}
