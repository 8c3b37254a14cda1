//! A searched text, bound to what the scope's names and titles hold.
//!
//! How many cases have it is known before any is looked at, or at least how many have its rarest
//! sub-pattern. Which they are is found in one of two ways, whichever costs less: the terms that
//! hold it are asked for their slots, a segment at a time; or it is looked for in the texts of
//! those cases that another clause leaves.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::index::{BitSet, Estimate, Index, Needle, Ordinal, Row, Segment, SubPattern, sized};

use super::bits::Bits;
use super::cost::{SEARCHED, SLOT, TERM, TERMS_PASS, TEXT_TEST};
use super::segment_context::SegmentContext;

/// How many texts are fetched at a time.
const AHEAD: usize = 32;

/// How many slots of a segment an ambiguous term has, about.
const AMBIGUOUS: u64 = 16;

/// Up to how many slots that are expected in a segment are listed, and how many they may turn out
/// to be: a case or a day may have a word more often than the scope has.
const LISTED_SLOTS: u64 = sized(512, 3) as u64;
const LISTED_SLOTS_AT_MOST: usize = 2 * LISTED_SLOTS as usize;

/// What a searched text asks of cases.
#[derive(Debug)]
pub(super) struct Text<'i> {
    index: &'i Index,
    /// A case that has the text has a term for each; the rarest first.
    sub_patterns: Vec<(SubPattern, Estimate)>,
    /// Whether a case that has a term for each has the text.
    is_exact: bool,
    /// Of each sub-pattern, found when they are asked for.
    terms: Vec<OnceLock<Terms>>,
    /// What tells the terms with which a case that has the boundary gram may lack the text; nothing
    /// where all must be tested.
    ambiguous: Vec<[SubPattern; 2]>,
    ambiguous_terms: OnceLock<Terms>,
    needle: String,
    finder: OnceLock<Finder<'static>>,
    /// What it costs to test a case.
    test: u64,
    /// How many cases' texts were searched one by one.
    tested: AtomicU64,
}

/// Some terms.
#[derive(Debug)]
struct Terms {
    /// Ascending.
    list: Vec<Ordinal>,
    bits: Bits,
}

/// Slots whose cases have the text.
pub(super) enum Slots {
    Few(Vec<u16>),
    Many(BitSet),
}

impl<'i> Text<'i> {
    /// The needle is folded, trimmed and not empty. Cost: a few searches, whatever the number of
    /// terms.
    pub(super) fn of(needle: &str, index: &'i Index) -> Self {
        debug_assert!(!needle.is_empty() && needle.trim() == needle, "{needle:?}");
        let Needle { sub_patterns, is_exact, ambiguous } = Needle::of(needle);
        let mut sub_patterns: Vec<(SubPattern, Estimate)> =
            Vec::from_iter(sub_patterns.into_iter().map(|pattern| {
                let weight = index.substrings().estimate(&index.catalog().vocabulary, &pattern);
                (pattern, weight)
            }));
        sub_patterns.sort_by_key(|(_, weight)| weight.cases.iter().sum::<u64>());
        Self {
            index,
            is_exact,
            terms: sub_patterns.iter().map(|_| OnceLock::new()).collect(),
            sub_patterns,
            ambiguous,
            ambiguous_terms: OnceLock::new(),
            needle: needle.to_owned(),
            finder: OnceLock::new(),
            test: TEXT_TEST + (index.catalog().titles.mean_bytes() / SEARCHED) as u64,
            tested: AtomicU64::new(0),
        }
    }

    /// How many live cases have it, unresolved and done, where that is known.
    pub(super) fn counts(&self) -> Option<[u64; 2]> {
        match &*self.sub_patterns {
            [(_, weight)] if self.is_exact && weight.is_counted => Some(weight.cases),
            _ => None,
        }
    }

    /// How many live cases have it at most.
    pub(super) fn at_most(&self) -> u64 {
        self.sub_patterns.first().map_or(0, |(_, weight)| weight.cases.iter().sum())
    }

    /// Whether the name or title of a case has it.
    #[inline]
    pub(super) fn is_in(&self, row: &Row) -> bool {
        self.tested.fetch_add(1, Ordering::Relaxed);
        self.index.catalog().titles.get(row.title).contains(self.finder())
    }

    /// How many cases `is_in` has searched so far.
    pub(super) fn tested(&self) -> u64 {
        self.tested.load(Ordering::Relaxed)
    }

    fn finder(&self) -> &Finder<'static> {
        self.finder.get_or_init(|| Finder::new(&self.needle).into_owned())
    }

    /// What it costs to test some cases.
    pub(super) fn test_cost(&self, cases: u64) -> u64 {
        cases.saturating_mul(self.test)
    }

    /// How many of some cases have it, at most, where it is as frequent among them as elsewhere.
    pub(super) fn expected(&self, cases: u64) -> u64 {
        self.share(self.at_most(), cases)
    }

    /// How many of some cases are of a part of the scope.
    fn share(&self, part: u64, cases: u64) -> u64 {
        let share = u128::from(part) * u128::from(cases);
        share.div_ceil(u128::from(self.index.len().max(1))) as u64
    }

    /// What it costs to find the slots of a segment by terms.
    pub(super) fn terms_cost(&self, segment: &Segment) -> u64 {
        let slots = self.expected(segment.live().into());
        let tested = if self.is_exact { 0 } else { self.test_cost(slots) / 4 };
        let first = self.sub_patterns.first();
        first.map_or(0, |(_, weight)| self.pattern_cost(weight, segment)) + tested
    }

    fn pattern_cost(&self, weight: &Estimate, segment: &Segment) -> u64 {
        let slots = self.share(weight.cases.iter().sum(), segment.live().into());
        weight.term_count as u64 * TERM
            + slots * SLOT
            + if slots < LISTED_SLOTS { 0 } else { TERMS_PASS }
    }

    fn terms(&self, pattern: usize) -> &Terms {
        self.terms[pattern].get_or_init(|| {
            let (pattern, weight) = &self.sub_patterns[pattern];
            Terms::of(self.find(pattern, Some(weight)))
        })
    }

    fn find(&self, pattern: &SubPattern, weight: Option<&Estimate>) -> Vec<Ordinal> {
        self.index.substrings().terms(&self.index.catalog().vocabulary, pattern, weight)
    }

    /// The terms with which a case must be verified.
    fn ambiguous_terms(&self) -> &Terms {
        self.ambiguous_terms.get_or_init(|| {
            let mut all = Vec::new();
            for [wide, narrow] in &self.ambiguous {
                let narrow = self.find(narrow, None);
                let wide = self.find(wide, None).into_iter();
                all.extend(wide.filter(|term| narrow.binary_search(term).is_err()));
            }
            all.sort_unstable();
            all.dedup();
            Terms::of(all)
        })
    }

    /// The slots that have some terms; nothing where finding them would cost more than `most`.
    fn set(&self, segment: &Segment, Terms { list, bits }: &Terms, most: u64) -> Option<BitSet> {
        let most = (most / SLOT) as usize;
        segment.with_words(self.index.catalog(), list, most, |term| bits.has(term))
    }

    /// The same, of no more than are still few.
    fn list(&self, segment: &Segment, Terms { list, bits }: &Terms, most: u64) -> Option<Vec<u16>> {
        let most = LISTED_SLOTS_AT_MOST.min((most / SLOT) as usize);
        segment.listed_with_words(self.index.catalog(), list, most, |term| bits.has(term))
    }

    /// The live slots of a segment that have it, of those that are wanted at least. How many have
    /// its terms is a guess from the scope: nothing where taking them up would cost more than
    /// `most`.
    pub(super) fn slots(
        &self,
        context: SegmentContext<'_>,
        most: u64,
        is_wanted: impl Fn(u16) -> bool,
    ) -> Option<Slots> {
        let segment = context.segment;
        let has_few = self.expected(segment.live().into()) < LISTED_SLOTS;
        let few = if has_few { self.list(segment, self.terms(0), most) } else { None };
        let mut slots = match few {
            Some(few) => Slots::Few(few),
            None => Slots::Many(self.set(segment, self.terms(0), most)?),
        };
        if self.is_exact {
            return Some(slots);
        }
        // What another sub-pattern leaves out need not be tested.
        let mut has_gram = self.sub_patterns.first().is_some_and(|(pattern, _)| pattern.is_infix());
        for (at, (pattern, weight)) in self.sub_patterns.iter().enumerate().skip(1) {
            let most = self.test_cost(slots.len() as u64) / 2;
            let is_worth_it = self.pattern_cost(weight, segment) < most;
            let other = is_worth_it.then(|| self.set(segment, self.terms(at), most)).flatten();
            if let Some(other) = other {
                has_gram |= pattern.is_infix();
                match &mut slots {
                    Slots::Many(set) => _ = set.intersect(&other),
                    Slots::Few(list) => list.retain(|slot| other.has(*slot)),
                }
            }
        }
        let left = self.test_cost(slots.len() as u64) / 2;
        // Only of cases that have the boundary gram is it known which must be verified.
        let is_worth_it = has_gram && !self.ambiguous.is_empty() && TERMS_PASS < left;
        let ambiguous = is_worth_it.then(|| self.ambiguous_terms());
        let cost =
            |terms: &&Terms| terms.list.len() as u64 * (TERM + AMBIGUOUS * SLOT) + TERMS_PASS;
        let ambiguous = ambiguous.filter(|terms| cost(terms) < left);
        let ambiguous = ambiguous.and_then(|terms| self.set(segment, terms, left));
        let is_ambiguous = |slot: u16| ambiguous.as_ref().is_none_or(|set| set.has(slot));
        match &mut slots {
            Slots::Few(list) => {
                let tested: Vec<u16> = list.extract_if(.., |slot| is_ambiguous(*slot)).collect();
                let tested = tested.into_iter().filter(|slot| is_wanted(*slot));
                list.extend(self.having(context, tested));
                list.sort_unstable();
            }
            Slots::Many(set) => {
                let mut tested = set.clone();
                if let Some(ambiguous) = &ambiguous {
                    tested.intersect(ambiguous);
                }
                set.subtract(&tested);
                let tested = tested.iter().filter(|slot| is_wanted(*slot));
                self.having(context, tested).into_iter().for_each(|slot| set.insert(slot));
            }
        }
        Some(slots)
    }

    /// Those of some slots whose cases have it, each looked at while there is time. Some texts are
    /// fetched at a time: that waits for memory once, and not for each of them.
    fn having(
        &self,
        SegmentContext { segment, meter, .. }: SegmentContext<'_>,
        mut slots: impl Iterator<Item = u16>,
    ) -> Vec<u16> {
        let titles = &self.index.catalog().titles;
        let mut having = Vec::new();
        let mut some = SmallVec::<[(u16, Ordinal); AHEAD]>::new();
        loop {
            some.clear();
            some.extend(slots.by_ref().take(AHEAD).map(|slot| (slot, segment.row(slot).title)));
            if some.is_empty() || meter.is_over() {
                return having;
            }
            let with = some.iter().zip(titles.get_all(some.iter().map(|(_, title)| *title)));
            let with = with.filter(|(_, title)| title.contains(self.finder()));
            having.extend(with.map(|((slot, _), _)| *slot));
        }
    }
}

impl Terms {
    fn of(list: Vec<Ordinal>) -> Self {
        let length = list.last().map_or(0, |last| *last as usize + 1);
        Self { bits: Bits::of(length, list.iter().copied()), list }
    }
}

impl Slots {
    fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(set) => set.len(),
        }
    }
}
