//! Which signatures have a value.
//!
//! Useful for the signatures that a filter matches: what each of its values has is united and
//! intersected, and no other signature is looked at. The first `MAX_COUNTED` are words of bits;
//! those past them, which few scopes have, are chained by value, so that one more costs as much
//! however many there are, and clones share the chains. Not for how many cases have a signature.

use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;

use super::code::MAX_COUNTED;
use super::signature_set::{CountedBits, PAST, PAST_WORD, SignatureSet};
use super::value_order::ValueOrder;
use super::{Catalog, Column, Signature};
use crate::index::collections::{ARC, NONE, Ordinal, PageValue, Paged, prefetch};

/// A set of the first signatures as it is kept: a word, while there are few signatures.
#[derive(Clone, Debug)]
enum KeptBits {
    One(u64),
    All(Arc<CountedBits>),
}

impl Default for KeptBits {
    fn default() -> Self {
        Self::One(0)
    }
}

impl PartialEq for KeptBits {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for KeptBits {}

impl PageValue for KeptBits {
    fn prefetch(values: &[Self]) {
        prefetch(values.iter().filter_map(|own| match own {
            Self::One(_) => None,
            Self::All(words) => Some(words),
        }));
    }
}

impl KeptBits {
    fn insert(&mut self, ordinal: usize) {
        match self {
            Self::One(word) if ordinal < 64 => *word |= 1 << ordinal,
            Self::One(_) => {
                let mut words = self.words();
                words.insert(ordinal);
                *self = Self::All(Arc::new(words));
            }
            Self::All(words) => Arc::make_mut(words).insert(ordinal),
        }
    }

    fn words(&self) -> CountedBits {
        match self {
            Self::All(words) => **words,
            Self::One(word) => {
                let mut words = CountedBits::default();
                words.0[0] = *word;
                words
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::All(_) => ARC + size_of::<CountedBits>(),
        }
    }
}

/// What a filter asks of signatures: everything that is said must hold.
#[derive(Debug, Default)]
pub(crate) struct SignatureFilter {
    pub(crate) unresolved: bool,
    pub(crate) unassigned: bool,
    /// By column, values of which it must be one; ascending.
    pub(crate) values: [Option<Vec<Ordinal>>; 3],
}

impl SignatureFilter {
    pub(crate) fn is_nothing(&self) -> bool {
        !self.unresolved && !self.unassigned && self.values.iter().all(Option::is_none)
    }

    /// The values of a column that are asked.
    pub(crate) fn of(&mut self, column: Column) -> &mut Option<Vec<Ordinal>> {
        &mut self.values[column as usize]
    }

    fn holds(&self, signature: &Signature) -> bool {
        let own = [signature.status, signature.priority, signature.channels];
        (!self.unresolved || signature.unresolved)
            && (!self.unassigned || signature.unassigned)
            && self.values.iter().zip(own).all(|(values, own)| {
                values.as_ref().is_none_or(|values| values.binary_search(&own).is_ok())
            })
    }
}

/// The signatures of which something holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Flagged {
    first: KeptBits,
    /// Where there are signatures past the counted ones.
    past: Option<Arc<PastFlags>>,
}

/// Of the signatures past the counted ones, how many it holds of, and their bits in pages.
#[derive(Clone, Debug, Default)]
struct PastFlags {
    count: usize,
    bits: Paged<u64, 64>,
}

impl PartialEq for PastFlags {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.bits.iter().eq(other.bits.iter())
    }
}

impl Eq for PastFlags {}

impl Flagged {
    fn add(&mut self, ordinal: usize, holds: bool) {
        if ordinal < MAX_COUNTED {
            if holds {
                self.first.insert(ordinal);
            }
            return;
        }
        let own = Arc::make_mut(self.past.get_or_insert_default());
        let at = ordinal / 64 - PAST_WORD;
        own.bits.grow(at + 1, &0);
        if let Some(word) = own.bits.get_mut(at).filter(|_| holds) {
            *word |= 1 << (ordinal % 64);
            own.count += 1;
        }
    }

    /// How many there are past the counted ones.
    fn past_len(&self) -> usize {
        self.past.as_ref().map_or(0, |own| own.count)
    }

    /// Whether it holds of a signature past the counted ones.
    fn has_past(&self, ordinal: Ordinal) -> bool {
        let at = ordinal as usize / 64 - PAST_WORD;
        let word = self.past.as_ref().and_then(|own| own.bits.get(at));
        word.is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    /// How many words have the bits of those past the counted ones.
    fn words_past(&self) -> usize {
        self.past.as_ref().map_or(0, |own| own.bits.len())
    }

    /// Those past the counted ones of which it holds. Cost: a bit for each signature past them.
    fn past(&self) -> RoaringBitmap {
        let Some(own) = &self.past else { return RoaringBitmap::new() };
        let mut bytes = Vec::with_capacity(own.bits.len() * size_of::<u64>());
        own.bits.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        RoaringBitmap::from_lsb0_bytes((PAST_WORD * 64) as u32, &bytes)
    }
}

/// A chain of the signatures past the counted ones that have a value.
#[derive(Clone, Copy, Debug)]
struct Chain {
    last: Ordinal,
    length: u32,
}

impl PageValue for Chain {}

/// The signatures of each value of a column.
#[derive(Clone, Debug, Default)]
struct ByValue {
    /// By value; shorter where none of the counted ones has the last values.
    first: Paged<KeptBits, 16>,
    /// What the sets of `first` own.
    owned: usize,
    /// Where there are signatures past the counted ones.
    past: Option<Arc<Chains>>,
}

/// The signatures past the counted ones, chained by value: each is in the chain of its value, and
/// `before` leads from the newest to the first. A new one is linked before all others of its value,
/// and no link of theirs changes, so clones share the pages.
#[derive(Clone, Debug, Default)]
struct Chains {
    /// By value; shorter where none of them has the last values.
    chains: Paged<Chain, 64>,
    /// For each signature past the counted ones the one before it in its chain, or `NONE`.
    before: Paged<Ordinal, 64>,
}

impl ByValue {
    fn add(&mut self, ordinal: usize, value: Ordinal) {
        let at = value as usize;
        if ordinal < MAX_COUNTED {
            self.first.grow(at + 1, &KeptBits::default());
            if let Some(words) = self.first.get_mut(at) {
                let before = words.bytes();
                words.insert(ordinal);
                self.owned += words.bytes() - before;
            }
            return;
        }
        let past = Arc::make_mut(self.past.get_or_insert_default());
        past.chains.grow(at + 1, &Chain { last: NONE, length: 0 });
        if let Some(chain) = past.chains.get_mut(at) {
            past.before.push(chain.last);
            *chain = Chain { last: ordinal as Ordinal, length: chain.length + 1 };
        }
    }

    fn first(&self, value: Ordinal) -> CountedBits {
        self.first.get(value as usize).map(KeptBits::words).unwrap_or_default()
    }

    fn chain(&self, value: Ordinal) -> Option<&Chain> {
        self.past.as_ref()?.chains.get(value as usize)
    }

    /// How many values signatures have.
    fn values(&self) -> usize {
        self.first.len().max(self.past.as_ref().map_or(0, |past| past.chains.len()))
    }

    fn bytes(&self) -> usize {
        let past = self.past.as_ref().map_or(0, |past| {
            ARC + size_of::<Chains>() + past.chains.bytes() + past.before.bytes()
        });
        self.first.bytes() + self.owned + past
    }

    /// How many signatures past the counted ones have a value.
    fn past_len(&self, value: Ordinal) -> usize {
        self.chain(value).map_or(0, |chain| chain.length as usize)
    }

    /// The signatures past the counted ones that have a value, descending.
    fn past(&self, value: Ordinal) -> impl Iterator<Item = Ordinal> {
        let last = self.chain(value).map(|chain| chain.last);
        let before =
            |own: &Ordinal| self.past.as_ref()?.before.get((*own - PAST) as usize).copied();
        let is_one = |ordinal: &Ordinal| *ordinal != NONE;
        std::iter::successors(last.filter(is_one), move |own| before(own).filter(is_one))
    }
}

/// The set of each value, and the values in the order of what they sort by.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignatureSets {
    unresolved: Flagged,
    unassigned: Flagged,
    columns: [ByValue; 3],
    statuses: ValueOrder,
    priorities: ValueOrder,
}

impl SignatureSets {
    /// Adds signatures, from the first one that is not known yet on, and the catalog's values.
    /// Cost: what comes, and a search among the values for each new one.
    pub(crate) fn add_to(own: &mut Arc<Self>, catalog: &Catalog, from: usize) {
        match Self::only(catalog).filter(|_| from == 0) {
            Some(only) => *own = only,
            None => Arc::make_mut(own).add(catalog, from),
        }
    }

    /// The sets of a signature that is the only one, as is each of its values. It differs from
    /// others in four ways, so all scopes that have one such share sixteen.
    fn only(catalog: &Catalog) -> Option<Arc<Self>> {
        static ALL: [OnceLock<Arc<SignatureSets>>; 16] = [const { OnceLock::new() }; 16];
        let Catalog { signatures, statuses, priorities, channels, .. } = catalog;
        let lengths = [signatures.len(), statuses.len(), priorities.len(), channels.len()];
        if lengths != [1; 4] {
            return None;
        }
        let signature = signatures.get(0);
        let has_key = |column| catalog.sort_key(column, 0).is_some();
        let [by_status, by_priority] = [Column::Status, Column::Priority].map(has_key);
        let ways = [signature.unresolved, signature.unassigned, by_status, by_priority];
        let number = ways.iter().fold(0, |number, way| number * 2 + usize::from(*way));
        let own = ALL[number].get_or_init(|| {
            let mut own = Self::default();
            own.add_one(0, signature);
            own.statuses.add_up_to(1, |_| by_status.then_some(()));
            own.priorities.add_up_to(1, |_| by_priority.then_some(()));
            Arc::new(own)
        });
        Some(Arc::clone(own))
    }

    fn add_one(&mut self, ordinal: usize, signature: &Signature) {
        self.unresolved.add(ordinal, signature.unresolved);
        self.unassigned.add(ordinal, signature.unassigned);
        for column in Column::ALL {
            self.columns[column as usize].add(ordinal, signature.value(column));
        }
    }

    fn add(&mut self, catalog: &Catalog, from: usize) {
        for ordinal in from..catalog.signatures.len() {
            self.add_one(ordinal, catalog.signatures.get(ordinal as Ordinal));
        }
        let status = |value| catalog.sort_key(Column::Status, value);
        self.statuses.add_up_to(catalog.statuses.len(), status);
        let priority = |value| catalog.sort_key(Column::Priority, value);
        self.priorities.add_up_to(catalog.priorities.len(), priority);
    }

    /// The values of a column that cases are ordered by.
    pub(crate) fn order(&self, column: Column) -> &ValueOrder {
        if column == Column::Priority { &self.priorities } else { &self.statuses }
    }

    /// The signatures that have a value; those past the counted ones descend.
    pub(crate) fn of(&self, column: Column, value: Ordinal) -> impl Iterator<Item = Ordinal> {
        let sets = &self.columns[column as usize];
        sets.first(value).iter().chain(sets.past(value))
    }

    /// How many are unresolved.
    pub(crate) fn unresolved_len(&self) -> usize {
        self.unresolved.first.words().len() + self.unresolved.past_len()
    }

    /// How many of some are unresolved.
    pub(crate) fn unresolved_among(&self, among: &SignatureSet) -> usize {
        let mut first = among.first;
        first.change(&self.unresolved.first.words(), |own, other| *own &= other);
        let past = match among.past.len() as usize {
            // Few are looked up, and many compared by words.
            few if few < self.unresolved.words_past() => {
                among.past.iter().filter(|own| self.unresolved.has_past(*own)).count()
            }
            _ => among.past.intersection_len(&self.unresolved.past()) as usize,
        };
        first.len() + past
    }

    /// The signatures that have any of some values.
    pub(crate) fn any(
        &self,
        column: Column,
        values: impl IntoIterator<Item = Ordinal>,
    ) -> SignatureSet {
        let sets = &self.columns[column as usize];
        let (mut first, mut past) = (CountedBits::default(), Vec::new());
        for value in values {
            first.change(&sets.first(value), |own, other| *own |= other);
            past.extend(sets.past(value));
        }
        past.sort_unstable();
        SignatureSet { first, past: RoaringBitmap::from_sorted_iter(past).unwrap_or_default() }
    }

    /// The signatures that are as asked; `get` gives one by its ordinal. Cost: those that have
    /// what is asked, by the clause that fewest have.
    pub(crate) fn matching<'s>(
        &self,
        asked: &SignatureFilter,
        length: usize,
        get: impl Fn(Ordinal) -> Option<&'s Signature>,
    ) -> SignatureSet {
        let mut first = CountedBits::up_to(length);
        for (is_asked, flagged) in
            [(asked.unresolved, &self.unresolved), (asked.unassigned, &self.unassigned)]
        {
            if is_asked {
                first.change(&flagged.first.words(), |own, other| *own &= other);
            }
        }
        for (values, sets) in asked.values.iter().zip(&self.columns) {
            if let Some(values) = values {
                let mut any = CountedBits::default();
                for value in values {
                    any.change(&sets.first(*value), |own, other| *own |= other);
                }
                first.change(&any, |own, other| *own &= other);
            }
        }
        let past = if length > MAX_COUNTED { self.matching_past(asked, length, get) } else { None };
        SignatureSet { first, past: past.unwrap_or_default() }
    }

    /// The signatures past the counted ones that are as asked; nothing where there are none.
    ///
    /// All that is asked must hold, so a clause that few of them meet says where to look: a value's
    /// chain is walked, or the bits of a flag are, and each of these few is tested by all clauses.
    fn matching_past<'s>(
        &self,
        asked: &SignatureFilter,
        length: usize,
        get: impl Fn(Ordinal) -> Option<&'s Signature>,
    ) -> Option<RoaringBitmap> {
        let holds = |own: &Ordinal| get(*own).is_some_and(|own| asked.holds(own));
        let flags = [(asked.unresolved, &self.unresolved), (asked.unassigned, &self.unassigned)];
        let flags = flags.into_iter().filter_map(|(is_asked, own)| is_asked.then_some(own));
        let flagged = flags.clone().min_by_key(|own| own.past_len());
        let values = asked.values.iter().zip(&self.columns);
        let values = values.filter_map(|(values, sets)| Some((values.as_ref()?, sets)));
        let count = |values: &[Ordinal], sets: &ByValue| -> usize {
            values.iter().map(|value| sets.past_len(*value)).sum()
        };
        let fewest = values.map(|(values, sets)| (count(values, sets), values, sets));
        match (fewest.min_by_key(|(count, ..)| *count), flagged) {
            (Some((count, values, sets)), flagged)
                if flagged.is_none_or(|own| count <= own.past_len()) =>
            {
                let of_values = values.iter().flat_map(|value| sets.past(*value));
                let mut past: Vec<_> = of_values.filter(holds).collect();
                past.sort_unstable();
                RoaringBitmap::from_sorted_iter(past).ok()
            }
            (None, Some(_)) => flags.map(Flagged::past).reduce(|own, other| own & other),
            (_, Some(fewest)) => {
                RoaringBitmap::from_sorted_iter(fewest.past().iter().filter(holds)).ok()
            }
            _ => Some(SignatureSet::up_to(length).past),
        }
    }

    /// How many bytes the sets take, about.
    pub(crate) fn bytes(&self) -> usize {
        let flags = |own: &Flagged| {
            let past = own.past.as_ref();
            own.first.bytes() + past.map_or(0, |p| ARC + size_of::<PastFlags>() + p.bits.bytes())
        };
        let flags = flags(&self.unresolved) + flags(&self.unassigned);
        let orders = self.statuses.bytes() + self.priorities.bytes();
        let columns = self.columns.iter().map(ByValue::bytes).sum::<usize>();
        columns + flags + orders + ARC + size_of::<Self>()
    }

    /// Checks the sets against the catalog, of which so many signatures are known.
    pub(crate) fn validate(&self, catalog: &Catalog, length: usize) -> Result<(), String> {
        let flagged = |is: fn(&Signature) -> bool| {
            let mut right = Flagged::default();
            for ordinal in 0..length {
                right.add(ordinal, is(catalog.signatures.get(ordinal as Ordinal)));
            }
            right
        };
        let are_right = self.unresolved == flagged(|own| own.unresolved)
            && self.unassigned == flagged(|own| own.unassigned);
        let columns = [Column::Status, Column::Priority, Column::Channels];
        let is_right = |column: &Column| {
            let sets = &self.columns[*column as usize];
            let values = sets.values() as Ordinal;
            let of = |value: Ordinal| self.of(*column, value).map(move |own| (own, value));
            let mut pairs: Vec<_> = (0..values).flat_map(of).collect();
            pairs.sort_unstable();
            let lengths = (0..values).all(|value| sets.past(value).count() == sets.past_len(value));
            let signatures = (0..length as Ordinal).map(|own| catalog.signatures.get(own));
            lengths && pairs.into_iter().eq((0..).zip(signatures.map(|own| own.value(*column))))
        };
        if !are_right || !columns.iter().all(is_right) {
            return Err("the sets of signatures".into());
        }
        self.statuses.validate(|value| catalog.sort_key(Column::Status, value))?;
        self.priorities.validate(|value| catalog.sort_key(Column::Priority, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn listed(set: &SignatureSet) -> BTreeSet<Ordinal> {
        set.counted().chain(set.past()).collect()
    }

    type Row = (u32, u32, u32, (bool, bool));

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        prop::collection::vec((0..5u32, 0..3u32, 0..2u32, any::<(bool, bool)>()), 0..90)
    }

    fn values() -> impl Strategy<Value = BTreeSet<Ordinal>> {
        prop::collection::btree_set(0..6u32, 0..3)
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_holds(
            rows in rows(),
            spread in 0..MAX_COUNTED + 30,
            unresolved: bool,
            unassigned: bool,
            values in prop::array::uniform3(prop::option::of(values())),
        ) {
            // The rows stand about where the counted ones end.
            let catalog = Catalog::default();
            let signature = |(status, priority, channels, (unresolved, unassigned))| {
                Signature { status, priority, channels, unresolved, unassigned }
            };
            let plain = (0..spread as u32).map(|status| (status + 10, 9, 9, (false, false)));
            for row in plain.chain(rows) {
                catalog.signatures.intern(signature(row));
            }
            let mut sets = SignatureSets::default();
            sets.add(&catalog, 0);
            let length = catalog.signatures.len();
            sets.validate(&catalog, length).unwrap();
            let values = values.map(|own| own.map(|own| own.into_iter().collect()));
            let asked = SignatureFilter { unresolved, unassigned, values };
            let matching = sets.matching(&asked, length, |own| Some(catalog.signatures.get(own)));
            let right = (0..length as Ordinal)
                .filter(|own| asked.holds(catalog.signatures.get(*own)));
            prop_assert!(listed(&matching).into_iter().eq(right));
        }
    }

    /// What one more signature costs does not grow with those that are there.
    #[test]
    fn a_clone_shares_what_does_not_change() {
        let catalog = Catalog::default();
        let mut sets = SignatureSets::default();
        for status in 0..MAX_COUNTED as Ordinal * 3 {
            let kept = sets.clone();
            catalog.signatures.intern(Signature {
                status,
                priority: 0,
                channels: 0,
                unresolved: true,
                unassigned: status % 2 == 0,
            });
            sets.add(&catalog, status as usize);
            assert_eq!(kept.any(Column::Priority, [0]).len(), status as usize);
        }
        sets.validate(&catalog, MAX_COUNTED * 3).unwrap();
        assert_eq!(sets.any(Column::Priority, [0]), SignatureSet::up_to(MAX_COUNTED * 3));
    }
}
