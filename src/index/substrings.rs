//! Which terms of a scope hold a needle, and how many live cases have one.
//!
//! Levels of suffixes, each over all terms of the cases that it counts; and a tail of what changed
//! since, whose texts are searched as they are. A full tail is counted into the levels that know
//! its terms; what none knows becomes a level, and takes a level of about its size along. Each case
//! is counted once, so a needle's total is the sum of a number a level, however many terms hold it.
//! Counts have signs: a case may be taken out of another level than the one it was put into,
//! where that one has all its terms too.
//!
//! Useful for totals, and for the terms to ask segments for. Not for which cases: segments know.

use std::cell::LazyCell;
use std::sync::{Arc, Mutex};

use memchr::memmem::Finder;

use super::catalog::Catalog;
use super::dictionary::Ordinal;
use super::sized::sized;
use super::suffixes::{DEPTH, MARK, Suffixes, Union, marked};
use super::tally::{Noted, Tally, count_all};
use super::vocabulary::{Piece, Stands, gap_of};
use crate::threads::Threads;

/// How many changes may wait in the tail, in a small scope; and how many in a large one, whose
/// counts are long to copy.
const TAIL: usize = sized(256, 6);
const LONG_TAIL: usize = sized(1024, 12);

/// How many changes share a part of the tail.
const PART: usize = sized(32, 3);

/// From how many changes at once on a scope is being loaded: nobody waits for one of them.
const MANY: usize = sized(4096, 40);

/// How many times as many suffixes a level has as the next smaller one, at least.
const FACTOR: usize = 4;

/// How many steps of merging stand against each suffix of a new level: more than there are levels
/// that it goes through, times their factor.
const STEPS_A_SUFFIX: usize = 24;

/// How many steps at most are made with one batch, or if that is more, with each of its changes.
const SLICE: usize = sized(256, 8);
const STEPS_A_CHANGE: usize = sized(64, 4);

/// Up to how many suffixes the smallest two levels are merged at once.
const SMALL: usize = sized(4096, 24);

/// Some suffixes, and how many cases have them.
#[derive(Clone, Debug)]
struct Level {
    suffixes: Arc<Suffixes>,
    tally: Arc<Tally>,
}

/// Some changes and their texts, closed by a mark each.
#[derive(Clone, Debug, Default)]
struct Part {
    noted: Vec<Noted>,
    text: Vec<u8>,
    ends: Vec<u32>,
}

/// A merge of two levels under way, the last of the two and the one before.
#[derive(Debug)]
struct Merging {
    parts: [Arc<Suffixes>; 2],
    /// Nothing where it came to its end already, in an index that was never published.
    union: Mutex<Option<Union>>,
}

/// What a piece of a needle was found to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// How many live cases have it, unresolved and done, or at most as many as have it.
    pub(crate) cases: [u64; 2],
    /// In how many places of terms it stands, at least as many as terms.
    pub(crate) spread: usize,
}

/// The substrings of a scope's names and titles. A clone costs a few pointers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Substrings {
    /// The large ones first.
    levels: Vec<Level>,
    tail: Vec<Arc<Part>>,
    /// Of the tail, those that no level knows; ascending.
    fresh: Arc<Vec<Ordinal>>,
    /// What the batch under way changed.
    noted: Vec<Noted>,
    merging: Option<Arc<Merging>>,
    /// How many steps of merging writers owe.
    owed: usize,
}

impl Substrings {
    /// Notes that a case has another title, or is of the other half; `settle` follows.
    #[inline]
    pub(super) fn note(&mut self, old: Option<(Ordinal, bool)>, new: Option<(Ordinal, bool)>) {
        if old == new {
            return;
        }
        let noted = |(title, unresolved), sign| Noted { title, unresolved, sign };
        self.noted.extend(old.map(|old| noted(old, -1)));
        self.noted.extend(new.map(|new| noted(new, 1)));
    }

    /// Closes a batch. Cost: its changes; each some times more when the tail is full; and a slice
    /// of a merge, if one is under way.
    pub(super) fn settle(&mut self, catalog: &Catalog, threads: &Threads) {
        let noted = std::mem::take(&mut self.noted);
        let slice = self.owed.min(SLICE.max(noted.len() * STEPS_A_CHANGE));
        self.owed -= slice;
        let waiting: usize = self.tail.iter().map(|part| part.noted.len()).sum();
        let nodes = self.levels.iter().map(|level| level.suffixes.sizes()[1]).sum::<usize>();
        let most = (nodes / TAIL).clamp(TAIL, LONG_TAIL);
        if waiting + noted.len() > most {
            let parts = std::mem::take(&mut self.tail);
            let mut all: Vec<Noted> = parts.iter().flat_map(|part| &part.noted).copied().collect();
            all.extend(noted);
            self.fresh = Arc::default();
            self.count(&all, catalog, threads);
        } else if !noted.is_empty() {
            self.wait(&noted, catalog);
        }
        self.merge(slice);
    }

    /// Puts changes into the tail.
    fn wait(&mut self, noted: &[Noted], catalog: &Catalog) {
        let mut fresh: Vec<Ordinal> = Vec::new();
        for own in noted {
            if self.tail.last().is_none_or(|part| part.noted.len() >= PART) {
                self.tail.push(Arc::default());
            }
            let title = catalog.titles.get(own.title);
            if let Some(part) = self.tail.last_mut() {
                Arc::make_mut(part).push(*own, title.texts());
            }
            let is_known = |term: &Ordinal| self.levels.iter().any(|level| level.knows(*term));
            if own.sign > 0 {
                fresh.extend(title.terms().filter(|term| !is_known(term)));
            }
        }
        if !fresh.is_empty() {
            let all = Arc::make_mut(&mut self.fresh);
            all.extend(fresh);
            all.sort_unstable();
            all.dedup();
        }
    }

    /// Counts changes into the levels that know their terms, the rest into a new one.
    fn count(&mut self, noted: &[Noted], catalog: &Catalog, threads: &Threads) {
        let mut rest = noted.to_vec();
        for Level { suffixes, tally } in &mut self.levels {
            rest = count_all(suffixes, Arc::make_mut(tally), &rest, catalog, threads);
        }
        if rest.is_empty() {
            return;
        }
        let mut terms: Vec<Ordinal> = Vec::new();
        for own in &rest {
            terms.extend(catalog.titles.get(own.title).terms());
        }
        terms.sort_unstable();
        terms.dedup();
        let terms = terms.into_iter().map(|term| (term, catalog.vocabulary.get(term)));
        let suffixes = Suffixes::of(terms, threads);
        let mut tally = Tally::new(&suffixes);
        count_all(&suffixes, &mut tally, &rest, catalog, threads);
        self.owed += suffixes.len() * STEPS_A_SUFFIX;
        self.levels.push(Level { suffixes: Arc::new(suffixes), tally: Arc::new(tally) });
        self.join_small();
        if noted.len() >= MANY {
            self.owed = 0;
            self.merge(usize::MAX);
        }
    }

    /// Whether there is merging to do, and how many steps of it are left, about.
    pub(crate) fn left(&self) -> usize {
        match (&self.merging, self.mergeable()) {
            (Some(merging), _) => merging.parts.iter().map(|part| part.len()).sum::<usize>().max(1),
            (None, Some(at)) => self.levels[at..].iter().map(|l| l.suffixes.len()).sum(),
            (None, None) => 0,
        }
    }

    /// The first of two levels that are to be merged: the smallest two that are not far apart.
    fn mergeable(&self) -> Option<usize> {
        let length = |at: usize| self.levels[at].suffixes.len();
        (1..self.levels.len())
            .rev()
            .map(|at| at - 1)
            .find(|at| length(at + 1) * FACTOR > length(*at))
    }

    /// Goes on with merges for a number of suffixes; gives how many steps are left over.
    pub(crate) fn merge(&mut self, steps: usize) -> usize {
        let mut left = steps;
        loop {
            let Some(merging) = self.merging.clone() else {
                let Some(at) = self.mergeable() else { return left };
                let parts = [at, at + 1].map(|at| Arc::clone(&self.levels[at].suffixes));
                if left == 0 {
                    return 0;
                }
                let union = Mutex::new(Some(Union::new([&parts[0], &parts[1]])));
                self.merging = Some(Arc::new(Merging { parts, union }));
                continue;
            };
            let parts = [&*merging.parts[0], &*merging.parts[1]];
            let union = merging.union.lock().ok();
            let union = union.and_then(|mut union| {
                left = union.as_mut()?.step(parts, left);
                if left == 0 { None } else { union.take() }
            });
            if left == 0 {
                return 0;
            }
            self.merging = None;
            let is_part = |level: &Level| Arc::ptr_eq(&level.suffixes, &merging.parts[0]);
            let at = self.levels.iter().position(is_part);
            // Where nothing is left of it, it begins anew.
            let (Some(union), Some(at)) = (union, at) else { continue };
            self.join(at, union);
        }
    }

    /// Puts what was merged of a level and the next in their place.
    fn join(&mut self, at: usize, union: Union) {
        let parts = [at, at + 1].map(|at| &self.levels[at]);
        let (whole, origins) = union.finish(parts.map(|part| &*part.suffixes));
        let tally = Tally::union(parts.map(|part| &*part.tally), &origins);
        self.levels[at] = Level { suffixes: Arc::new(whole), tally: Arc::new(tally) };
        self.levels.remove(at + 1);
    }

    /// Merges the smallest levels for as long as that is quick: they do not heap up beside a long
    /// merge.
    fn join_small(&mut self) {
        while let Some(at) = self.levels.len().checked_sub(2) {
            let parts = [at, at + 1].map(|at| &self.levels[at].suffixes);
            let is_merged = |part: &Arc<Suffixes>| {
                let merging = self.merging.iter().flat_map(|merging| &merging.parts);
                merging.into_iter().any(|other| Arc::ptr_eq(part, other))
            };
            let length: usize = parts.iter().map(|part| part.len()).sum();
            if length > SMALL || parts.into_iter().any(is_merged) {
                return;
            }
            let parts = parts.map(|part| &**part);
            let mut union = Union::new(parts);
            union.step(parts, usize::MAX);
            self.join(at, union);
        }
    }

    /// How many live cases have a piece of a needle, at most, and in how many places terms have it.
    /// Exact where it `is_counted`. Cost: a search a level, and the tail.
    pub(crate) fn weigh(&self, piece: &Piece) -> Weight {
        let marked = marked(&piece.text, piece.stands);
        let needle = &marked[..marked.len().min(DEPTH)];
        let (mut cases, mut spread) = ([0; 2], 0);
        for Level { suffixes, tally } in &self.levels {
            let locus = suffixes.locate(needle);
            spread += suffixes.spread(locus);
            let own = tally.at(locus);
            cases = [0, 1].map(|half| cases[half] + i64::from(own[half]));
        }
        let finder = LazyCell::new(|| Finder::new(&piece.text));
        for part in &self.tail {
            part.find(&finder, |noted| {
                // Where levels count too many, so may the tail.
                if Self::is_counted(piece) || noted.sign > 0 {
                    cases[usize::from(!noted.unresolved)] += i64::from(noted.sign);
                }
            });
        }
        spread += self.fresh.len();
        Weight { cases: cases.map(|cases| cases.max(0) as u64), spread }
    }

    /// Whether the number of cases that have a piece is exact.
    pub(crate) fn is_counted(piece: &Piece) -> bool {
        piece.stands == Stands::Anywhere && piece.text.len() <= DEPTH
    }

    /// The terms that have a piece, ascending: words, or if it has white space, seams. Cost: a
    /// search a level, and those terms.
    pub(crate) fn terms(&self, catalog: &Catalog, piece: &Piece) -> Vec<Ordinal> {
        if piece.stands == Stands::Whole {
            return catalog.vocabulary.find(&piece.text).into_iter().collect();
        }
        let has_gap = gap_of(&piece.text).is_some();
        let marked = marked(&piece.text, piece.stands);
        let needle = &marked[..marked.len().min(DEPTH)];
        let mut terms = Vec::new();
        for Level { suffixes, .. } in &self.levels {
            terms.extend(suffixes.terms_at(suffixes.locate(needle), has_gap));
        }
        let text = |term: Ordinal| catalog.vocabulary.get(term);
        let finder = Finder::new(&piece.text);
        let fits = |term: &Ordinal| match piece.stands {
            Stands::Anywhere => finder.find(text(*term).as_bytes()).is_some(),
            Stands::AtStart => text(*term).starts_with(&piece.text),
            Stands::AtEnd => text(*term).ends_with(&piece.text),
            Stands::Whole => text(*term) == piece.text,
        };
        if marked.len() > DEPTH {
            terms.retain(fits);
        }
        let is_seam = |term: &Ordinal| gap_of(text(*term)).is_some();
        let fresh = self.fresh.iter().filter(|term| fits(term) && is_seam(term) == has_gap);
        terms.extend(fresh);
        sort_distinct(&mut terms);
        terms
    }

    pub(super) fn bytes(&self) -> usize {
        let levels = self.levels.iter().map(|own| own.suffixes.bytes() + own.tally.bytes());
        let part = |part: &Arc<Part>| part.text.len() + part.noted.len() * 16;
        levels.sum::<usize>() + self.tail.iter().map(part).sum::<usize>() + self.fresh.len() * 4
    }

    /// Checks the levels, and that each case is counted once; `live` are titles and halves.
    pub(super) fn validate(
        &self,
        catalog: &Catalog,
        live: impl Iterator<Item = (Ordinal, bool)>,
    ) -> Result<(), String> {
        if !self.noted.is_empty() {
            return Err("changes that are not settled".to_owned());
        }
        let mut all: Vec<Noted> =
            live.map(|(title, unresolved)| Noted { title, unresolved, sign: 1 }).collect();
        // Both sides of the tail are counted here, with turned signs.
        let waiting = self.tail.iter().flat_map(|part| &part.noted);
        all.extend(waiting.map(|noted| Noted { sign: -noted.sign, ..*noted }));
        let mut terms: Vec<Ordinal> =
            self.levels.iter().flat_map(|l| l.suffixes.terms()).copied().collect();
        for noted in &all {
            terms.extend(catalog.titles.get(noted.title).terms());
        }
        terms.sort_unstable();
        terms.dedup();
        let known = |term: &Ordinal| self.levels.iter().any(|level| level.knows(*term));
        let waiting = self.tail.iter().flat_map(|part| &part.noted).filter(|own| own.sign > 0);
        let waiting = waiting.flat_map(|own| catalog.titles.get(own.title).terms());
        let mut fresh: Vec<_> = waiting.filter(|term| !known(term)).collect();
        fresh.sort_unstable();
        fresh.dedup();
        if !fresh.iter().all(|term| self.fresh.binary_search(term).is_ok()) {
            return Err("terms of the tail".to_owned());
        }
        // One tally over everything must say what the levels say together.
        let texts = terms.iter().map(|term| (*term, catalog.vocabulary.get(*term)));
        let whole = Suffixes::of(texts, &Threads::NONE);
        let mut right = Tally::new(&whole);
        count_all(&whole, &mut right, &all, catalog, &Threads::NONE);
        for level in &self.levels {
            level.suffixes.validate()?;
        }
        whole.each_needle(|needle, locus| {
            let mut sum = [0; 2];
            for Level { suffixes, tally } in &self.levels {
                let own = tally.at(suffixes.locate(needle));
                sum = [sum[0] + own[0], sum[1] + own[1]];
            }
            match right.at(locus) == sum {
                true => Ok(()),
                false => Err(format!(
                    "{:?} is counted {sum:?}, not {:?}",
                    String::from_utf8_lossy(needle),
                    right.at(locus)
                )),
            }
        })
    }
}

/// Sorts terms and drops doubles: many of them by way of a set.
fn sort_distinct(terms: &mut Vec<Ordinal>) {
    let most = terms.iter().max().map_or(0, |most| *most as usize + 1);
    if terms.len() < 64 || most / 64 > terms.len() * 8 {
        terms.sort_unstable();
        terms.dedup();
        return;
    }
    let mut set = vec![0_u64; most.div_ceil(64)];
    for term in &*terms {
        set[*term as usize / 64] |= 1 << (term % 64);
    }
    terms.clear();
    for (at, word) in set.into_iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            terms.push((at * 64) as Ordinal + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
}

impl Level {
    fn knows(&self, term: Ordinal) -> bool {
        self.suffixes.number(term).is_some()
    }
}

impl Part {
    fn push<'t>(&mut self, noted: Noted, texts: impl Iterator<Item = &'t str>) {
        for text in texts {
            self.text.extend_from_slice(text.as_bytes());
            self.text.push(MARK);
        }
        self.noted.push(noted);
        self.ends.push(self.text.len() as u32);
    }

    /// Hands on each change whose texts contain the needle, once.
    fn find(&self, finder: &Finder<'_>, mut each: impl FnMut(&Noted)) {
        let (mut from, mut change) = (0, 0);
        while let Some(offset) = self.text.get(from..).and_then(|rest| finder.find(rest)) {
            let at = (from + offset) as u32;
            while self.ends.get(change).is_some_and(|end| *end <= at) {
                change += 1;
            }
            let (Some(noted), Some(end)) = (self.noted.get(change), self.ends.get(change)) else {
                return;
            };
            each(noted);
            from = *end as usize;
            change += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;

    /// What a scope's texts are, and what is asked of them.
    #[derive(Default)]
    struct Texts {
        catalog: Catalog,
        substrings: Substrings,
        live: Vec<(Ordinal, bool, String)>,
    }

    impl Texts {
        fn put(&mut self, name: &str, unresolved: bool) {
            let json = serde_json::json!({"_id": self.live.len().to_string(), "name": name});
            let case = Case::from_json(json.to_string().as_bytes()).unwrap();
            let title = self.catalog.enter(case, &mut Default::default()).row.title;
            self.substrings.note(None, Some((title, unresolved)));
            self.live.push((title, unresolved, name.to_owned()));
        }

        fn take(&mut self, at: usize) {
            let (title, unresolved, _) = self.live.swap_remove(at % self.live.len());
            self.substrings.note(Some((title, unresolved)), None);
        }

        fn check(&mut self, needles: &[&str]) {
            self.substrings.settle(&self.catalog, &Threads::NONE);
            let live = self.live.iter().map(|(title, unresolved, _)| (*title, *unresolved));
            self.substrings.validate(&self.catalog, live).unwrap();
            for needle in needles {
                let piece = Piece { text: (*needle).to_owned(), stands: Stands::Anywhere };
                let with = |half: bool| {
                    let own = self.live.iter().filter(|(_, unresolved, _)| *unresolved == half);
                    own.filter(|(_, _, name)| name.contains(needle)).count() as u64
                };
                let weight = self.substrings.weigh(&piece);
                assert_eq!(weight.cases, [with(true), with(false)], "{needle:?}");
                let terms = self.substrings.terms(&self.catalog, &piece);
                assert!(terms.is_sorted_by(|a, b| a < b) && terms.len() <= weight.spread);
                let has = |title: Ordinal| {
                    let mut own = self.catalog.titles.get(title).terms();
                    own.any(|term| terms.binary_search(&term).is_ok())
                };
                for (title, _, name) in &self.live {
                    assert_eq!(has(*title), name.contains(needle), "{needle:?} in {name:?}");
                }
            }
        }
    }

    #[test]
    fn counts_follow_every_change() {
        let needles = ["a", "1", "17", "x 1", "7 r", "round", "e", "退款", "none", "0 ro"];
        let mut texts = Texts::default();
        for round in 0..40 {
            for at in 0..90 {
                let number = round * 31 + at * 7 % 113;
                texts
                    .put(&format!("case{number} x {number} round{} 退款{at}", at % 9), at % 3 == 0);
            }
            for at in 0..60 {
                texts.take(at * 37 + round);
            }
            texts.check(&needles);
        }
        while texts.substrings.left() > 0 {
            texts.substrings.merge(7);
        }
        texts.check(&needles);
        assert!(texts.substrings.levels.len() < 6, "{} levels", texts.substrings.levels.len());
    }

    #[test]
    fn a_merge_that_was_never_published_begins_anew() {
        let mut texts = Texts::default();
        for part in 0..3 {
            (0..LONG_TAIL).for_each(|at| texts.put(&format!("w{at}v{part}z{}", at * 77), true));
            // Nobody goes on with merges meanwhile.
            texts.substrings.owed = 0;
            texts.substrings.settle(&texts.catalog, &Threads::NONE);
        }
        assert!(texts.substrings.left() > 0);
        texts.substrings.merge(1);
        let mut lost = texts.substrings.clone();
        assert!(lost.merge(usize::MAX) > 0);
        texts.check(&["v1", "w77", "z"]);
        texts.substrings.merge(usize::MAX);
        texts.check(&["v1", "w77", "z"]);
        assert_eq!(texts.substrings.left(), 0);
    }
}
