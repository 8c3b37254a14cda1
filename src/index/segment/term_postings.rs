//! Which slots of a segment have which words in their name or title.
//!
//! Levels of word lists, each answering for slots of its own; and a short buffer of slots that
//! changed since, whose words are looked at one by one. A full buffer becomes a level and takes
//! levels of its size along, so a slot is listed anew only a few times however many come. Useful
//! for the union of the lists of many words. Not for which words contain a needle: `substring`
//! knows that. Words here are terms of the vocabulary: words, and the grams over the white space
//! between them.

use std::ops::Range;
use std::sync::Arc;

use crate::index::collections::{BitSet, Ordinal, sized};

/// How many slots the buffer holds at most.
const BUFFERED_SLOTS: usize = sized(512, 8);

/// From how many slots on a word's list is kept as a bit set: that takes no more memory than the
/// list.
const DENSE: usize = sized(4096, 24);

/// How many slots of lists are taken up in the time that a bit set is.
const BITSET: usize = sized(512, 4);

/// How many slots all lists may have together; words past that have bit sets.
const LISTED_SLOTS: usize = sized(u32::MAX as usize, 400);

/// Up to how many times as many words a list of ends may have as words with slots.
const SPARSE: usize = 4;

/// The words of a slot's name and title; nothing where its case is deleted.
pub(crate) trait SlotTerms {
    fn of(&self, slot: u16) -> impl Iterator<Item = Ordinal>;
}

/// How many ends of lists are told from the same one: none of them is farther than two bytes tell.
const GROUP: usize = 8;
const _: () = assert!(GROUP * DENSE <= u16::MAX as usize);

/// Where lists end that follow one another.
#[derive(Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
struct ListEnds {
    /// Of one in `GROUP`, where it begins.
    #[cfg_attr(
        feature = "checkpoint",
        serde(deserialize_with = "crate::index::collections::exact")
    )]
    groups: Vec<u32>,
    /// How far it is from there to each end.
    #[cfg_attr(
        feature = "checkpoint",
        serde(deserialize_with = "crate::index::collections::exact")
    )]
    ends: Vec<u16>,
}

impl ListEnds {
    /// None of the lists is longer than `DENSE`.
    fn of(ends: &[u32]) -> Self {
        let mut begin = 0;
        let mut own = Self { groups: Vec::new(), ends: Vec::with_capacity(ends.len()) };
        for group in ends.chunks(GROUP) {
            own.groups.push(begin);
            own.ends.extend(group.iter().map(|end| (end - begin) as u16));
            begin = group[group.len() - 1];
        }
        own.groups.shrink_to_fit();
        own
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// Which places a list has; nothing past the last.
    #[inline]
    fn range(&self, at: usize) -> Range<usize> {
        let Some(end) = self.ends.get(at) else { return 0..0 };
        let group = self.groups[at / GROUP] as usize;
        let start = if at.is_multiple_of(GROUP) { 0 } else { self.ends[at - 1] };
        group + usize::from(start)..group + usize::from(*end)
    }
}

/// Lists of slots by word.
#[derive(Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
struct TermLists {
    /// Sorted; empty where `ends` has every word up to the last, and needs no search.
    #[cfg_attr(
        feature = "checkpoint",
        serde(deserialize_with = "crate::index::collections::exact")
    )]
    words: Vec<Ordinal>,
    /// Where the list of each word ends in `slots`.
    ends: ListEnds,
    #[cfg_attr(
        feature = "checkpoint",
        serde(deserialize_with = "crate::index::collections::exact")
    )]
    slots: Vec<u16>,
    /// Instead of a list, where a word has many slots or all words have too many; sorted by word.
    dense: Vec<(Ordinal, BitSet)>,
}

impl TermLists {
    fn of(slots: impl Iterator<Item = u16>, words: &impl SlotTerms) -> Self {
        let mut pairs: Vec<(Ordinal, u16)> = Vec::new();
        for slot in slots {
            pairs.extend(words.of(slot).map(|word| (word, slot)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let (mut lists, mut ends) = (Self::default(), Vec::new());
        for list in pairs.chunk_by(|a, b| a.0 == b.0) {
            let word = list[0].0;
            if list.len() > DENSE || lists.slots.len() + list.len() > LISTED_SLOTS {
                let mut set = BitSet::default();
                list.iter().for_each(|(_, slot)| set.insert(*slot));
                lists.dense.push((word, set));
                continue;
            }
            lists.words.push(word);
            lists.slots.extend(list.iter().map(|(_, slot)| *slot));
            ends.push(lists.slots.len() as u32);
        }
        lists.index(&ends);
        lists
    }

    /// Keeps where the lists end; gives every word up to the last an end, where that does not take
    /// much more memory.
    fn index(&mut self, ends: &[u32]) {
        let every = self.words.last().map_or(0, |last| *last as usize + 1);
        if every <= self.words.len() * SPARSE {
            let mut all = Vec::with_capacity(every);
            for (word, end) in self.words.iter().zip(ends) {
                all.resize(*word as usize, all.last().copied().unwrap_or(0));
                all.push(*end);
            }
            (self.words, self.ends) = (Vec::new(), ListEnds::of(&all));
        } else {
            self.ends = ListEnds::of(ends);
        }
        self.words.shrink_to_fit();
        self.slots.shrink_to_fit();
    }

    /// The words that have lists.
    fn listed(&self) -> Vec<Ordinal> {
        let every =
            (0..self.ends.len() as Ordinal).filter(|word| !self.list(*word as usize).is_empty());
        if self.words.is_empty() { every.collect() } else { self.words.clone() }
    }

    fn list(&self, at: usize) -> &[u16] {
        &self.slots[self.ends.range(at)]
    }

    /// Adds the slots of any of the words, which are sorted; nothing where there are more than
    /// `most`, those of several words as often.
    fn union(&self, words: &[Ordinal], most: &mut usize, into: &mut BitSet) -> Option<()> {
        for set in self.dense(words) {
            *most = most.checked_sub(BITSET)?;
            into.unite(set);
        }
        self.each(words, most, |slot| into.insert(slot))
    }

    fn dense(&self, words: &[Ordinal]) -> impl Iterator<Item = &BitSet> {
        let dense = self.dense.iter().filter(|(word, _)| words.binary_search(word).is_ok());
        dense.map(|(_, set)| set)
    }

    /// Hands on the slots of the words' lists, which are sorted, and takes them off `most`; nothing
    /// where they are more.
    fn each(&self, words: &[Ordinal], most: &mut usize, mut each: impl FnMut(u16)) -> Option<()> {
        let mut hand_on = |list: &[u16]| {
            *most = most.checked_sub(list.len())?;
            list.iter().for_each(|slot| each(*slot));
            Some(())
        };
        if self.words.is_empty() {
            for word in words.iter().take_while(|word| (**word as usize) < self.ends.len()) {
                hand_on(self.list(*word as usize))?;
            }
            return Some(());
        }
        // Both lists are sorted: what was passed is not looked at again.
        let mut from = 0;
        for word in words {
            let Some(rest) = self.words.get(from..) else { break };
            let ahead = rest.partition_point(|own| own < word);
            let at = from + ahead;
            if self.words.get(at) == Some(word) {
                hand_on(self.list(at))?;
            }
            from = at;
        }
        Some(())
    }

    fn bytes(&self) -> usize {
        let ends = self.ends.groups.len() * 4 + self.ends.len() * 2;
        let lists = self.words.len() * 4 + ends + self.slots.len() * 2;
        lists + self.dense.len() * (size_of::<BitSet>() + 8 * 1024)
    }
}

/// Some slots and their lists.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
struct TermLevel {
    lists: Arc<TermLists>,
    /// The slots that the lists are right about; they may name others.
    own: Arc<BitSet>,
    count: usize,
}

/// The words of a segment.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct TermPostings {
    /// Their own slots are distinct.
    levels: Vec<TermLevel>,
    /// Slots that no level is right about; sorted.
    buffer: Arc<Vec<u16>>,
}

impl TermPostings {
    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        let levels = self.levels.iter();
        let levels = levels.map(|l| Arc::strong_count(&l.lists) + Arc::strong_count(&l.own));
        levels.sum::<usize>() + Arc::strong_count(&self.buffer)
    }

    /// The words of a slot have changed: its title is another one, or its case came or went.
    pub(super) fn touch(&mut self, slot: u16, words: &impl SlotTerms) {
        if let Err(at) = self.buffer.binary_search(&slot) {
            Arc::make_mut(&mut self.buffer).insert(at, slot);
        }
        if self.buffer.len() >= BUFFERED_SLOTS {
            let buffer = std::mem::take(&mut self.buffer);
            self.add(&buffer, words);
        }
    }

    /// Slots that came new, many at once.
    pub(crate) fn extend(&mut self, slots: std::ops::Range<usize>, words: &impl SlotTerms) {
        let slots: Vec<u16> = slots.map(|slot| slot as u16).collect();
        if slots.len() < BUFFERED_SLOTS {
            slots.into_iter().for_each(|slot| self.touch(slot, words));
        } else {
            self.add(&slots, words);
        }
    }

    /// Makes a level of slots that were in the buffer, or are new.
    fn add(&mut self, slots: &[u16], words: &impl SlotTerms) {
        let mut own = BitSet::default();
        slots.iter().for_each(|slot| own.insert(*slot));
        for level in &mut self.levels {
            if level.own.meets(&own) {
                level.count = Arc::make_mut(&mut level.own).subtract(&own);
            }
        }
        let mut count = slots.len();
        // Levels that are not much larger are listed anew with it.
        self.levels.sort_unstable_by_key(|level| std::cmp::Reverse(level.count));
        while let Some(last) = self.levels.pop_if(|last| last.count <= count * 2) {
            own.unite(&last.own);
            count += last.count;
        }
        // Deleted cases have no words, and need no level to say so.
        let lists = Arc::new(TermLists::of(own.iter(), words));
        self.levels.push(TermLevel { lists, own: Arc::new(own), count });
    }

    /// The slots that have any of the words, which are sorted; `has` tells of a word of the buffer.
    /// Nothing where the words' lists have more than `most` slots. Cost: the words, and the lists'
    /// lengths up to that.
    pub(super) fn union(
        &self,
        found: &[Ordinal],
        mut most: usize,
        has: impl Fn(Ordinal) -> bool,
        words: &impl SlotTerms,
    ) -> Option<BitSet> {
        let mut all = BitSet::default();
        for level in &self.levels {
            if level.count == 0 {
                continue;
            }
            let mut set = BitSet::default();
            level.lists.union(found, &mut most, &mut set)?;
            set.intersect(&level.own);
            all.unite(&set);
        }
        for slot in &*self.buffer {
            all.remove(*slot);
            if words.of(*slot).any(&has) {
                all.insert(*slot);
            }
        }
        Some(all)
    }

    /// The slots that have any of the words, ascending, for words that few slots have: no set is
    /// gone through. Nothing where the words' lists have more than `most` slots.
    pub(crate) fn list(
        &self,
        found: &[Ordinal],
        mut most: usize,
        has: impl Fn(Ordinal) -> bool,
        words: &impl SlotTerms,
    ) -> Option<Vec<u16>> {
        let mut slots = Vec::new();
        for level in self.levels.iter().filter(|level| level.count > 0) {
            let mut add = |slot: u16| {
                if level.own.has(slot) && !self.is_buffered(slot) {
                    slots.push(slot);
                }
            };
            level.lists.each(found, &mut most, &mut add)?;
            for set in level.lists.dense(found) {
                most = most.checked_sub(set.len())?;
                set.iter().for_each(&mut add);
            }
        }
        let buffered = self.buffer.iter().copied();
        slots.extend(buffered.filter(|slot| words.of(*slot).any(&has)));
        slots.sort_unstable();
        slots.dedup();
        Some(slots)
    }

    pub(crate) fn bytes(&self) -> usize {
        let level = |level: &TermLevel| level.lists.bytes() + 8 * 1024;
        self.levels.iter().map(level).sum::<usize>() + self.buffer.len() * 2
    }

    /// Checks that each slot is found by its words, and by no other of its level.
    pub(crate) fn validate(&self, slots: usize, words: &impl SlotTerms) -> Result<(), String> {
        let mut seen = BitSet::default();
        for level in &self.levels {
            if level.own.meets(&seen) || level.count != level.own.len() {
                return Err("levels share slots".to_owned());
            }
            seen.unite(&level.own);
            let right = TermLists::of(level.own.iter().filter(|s| !self.is_buffered(*s)), words);
            let dense = right.dense.iter().map(|(word, _)| *word);
            for word in right.listed().into_iter().chain(dense) {
                let (mut own, mut wanted) = (BitSet::default(), BitSet::default());
                level.lists.union(&[word], &mut usize::MAX.clone(), &mut own);
                right.union(&[word], &mut usize::MAX.clone(), &mut wanted);
                own.intersect(&level.own);
                self.buffer.iter().for_each(|slot| own.remove(*slot));
                if own != wanted {
                    return Err(format!("the list of word {word}"));
                }
            }
        }
        self.buffer.iter().for_each(|slot| seen.insert(*slot));
        let is_lost =
            |slot: &usize| !seen.has(*slot as u16) && words.of(*slot as u16).next().is_some();
        match (0..slots).find(is_lost) {
            Some(slot) => Err(format!("nothing knows the words of slot {slot}")),
            None => Ok(()),
        }
    }

    fn is_buffered(&self, slot: u16) -> bool {
        self.buffer.binary_search(&slot).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl SlotTerms for Vec<Vec<Ordinal>> {
        fn of(&self, slot: u16) -> impl Iterator<Item = Ordinal> {
            self.get(usize::from(slot)).into_iter().flatten().copied()
        }
    }

    #[test]
    fn finds_what_a_plain_search_finds() {
        let words = |slot: u32, round: u32| vec![slot % 3, slot * 7 % 301 + round, 400 + slot];
        let mut slots: Vec<Vec<Ordinal>> = (0..20_000).map(|slot| words(slot, 0)).collect();
        let mut terms = TermPostings::default();
        terms.extend(0..15_000, &slots);
        terms.extend(15_000..15_100, &slots);
        terms.extend(15_100..20_000, &slots);
        for step in 0..3000u32 {
            let slot = step * 31 % 20_000;
            slots[slot as usize] = if step % 5 == 0 { Vec::new() } else { words(slot, step % 3) };
            terms.touch(slot as u16, &slots);
        }
        terms.validate(slots.len(), &slots).unwrap();
        for found in [vec![0], vec![1, 2], vec![5, 77, 300, 301, 302], vec![9999], vec![]] {
            let has = |word: Ordinal| found.contains(&word);
            let own = terms.union(&found, usize::MAX, has, &slots).unwrap();
            let own: Vec<u16> = own.iter().collect();
            let plain: Vec<u16> = (0..20_000)
                .filter(|slot: &u16| slots[usize::from(*slot)].iter().any(|word| has(*word)))
                .collect();
            assert_eq!(own, plain, "{found:?}");
            assert_eq!(terms.list(&found, usize::MAX, has, &slots).unwrap(), plain, "{found:?}");
        }
    }

    #[test]
    fn gives_up_where_words_have_more_slots_than_they_may() {
        let long = DENSE as u32 + 1;
        let slots = Vec::from_iter((0..long).map(|slot| vec![0, 1 + u32::from(slot < 20)]));
        let mut terms = TermPostings::default();
        terms.add(&Vec::from_iter(0..long as u16), &slots);
        let has = |word: Ordinal| word == 2;
        assert_eq!(terms.list(&[2], 20, has, &slots).map(|list| list.len()), Some(20));
        assert_eq!(terms.list(&[2], 19, has, &slots), None);
        assert_eq!(terms.union(&[2], 20, has, &slots).map(|set| set.len()), Some(20));
        assert_eq!(terms.union(&[2], 19, has, &slots), None);
        let has = |word: Ordinal| word == 0;
        assert!(terms.list(&[0], DENSE, has, &slots).is_none());
        assert!(terms.list(&[0], DENSE + 1, has, &slots).is_some());
        assert!(terms.union(&[0], BITSET, has, &slots).is_some(), "a set is one pass");
        assert!(terms.union(&[0], BITSET - 1, has, &slots).is_none());
    }
}
