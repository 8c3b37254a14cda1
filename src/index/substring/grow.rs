//! Entering terms into the trie, and splitting its lists.
//!
//! Each suffix of an entered term is in one list: that of the last node on its way, where no child
//! takes the symbol that follows. A node's record counts the terms that are at it or below it, by
//! whoever goes down through it.
//!
//! Suffixes that come together are sorted, and go down together: each node parts them by their
//! next symbol, and a list that becomes too long gives whole parts to new children, which go on
//! the same way. So each suffix costs a few steps for each node over it, however many come. What a
//! list had before is looked for in its terms' texts once when it is split.

use std::cmp::Reverse;
use std::ops::{Range, RangeInclusive};

use memchr::memmem::Finder;
use smallvec::SmallVec;

use super::case_counts::CaseCounts;
use super::spelling::{
    BOUNDARY_ROOT, KEY, MARK, Spelling, TRIE_TERM_BYTES, WORD_ROOT, depth, longer, symbol_of_key,
    width,
};
use super::term_list::{ANY, TAGS, TermList, sort_distinct, tag};
use super::trie::{HEAVY, LIMIT, LONG, Record, Trie};
use crate::index::catalog::Vocabulary;
use crate::index::collections::{Ordinal, sized};

/// How many symbols the gram of a node has at most.
const DEEPEST: usize = sized(32, 6);

/// How many terms a new child has at least while its parent's list is not long, and where it is:
/// where there are thousands of symbols, a child for each would take many times what its suffixes
/// do.
const CHILD_TERMS: usize = sized(16, 2);
const CHILD_TERMS_OF_LONG: usize = sized(4, 2);

/// How many suffixes are entered together, about, and at most: some megabytes.
const BATCH: usize = sized(1 << 18, 50);
const BATCH_MOST: usize = BATCH * 2;

/// How many bytes a symbol has at most.
const WIDEST: usize = 4;

/// A suffix of a term, below a gram that it begins with.
#[derive(Clone, Copy, Debug)]
struct Suffix {
    /// Some bytes of it, from a place that is no longer than the gram.
    key: u64,
    term: Ordinal,
    /// Where it begins in its term.
    at: u16,
    /// How many cases have the term, or `HEAVY` if they are more.
    weight: u16,
}

/// Suffixes that go on alike: with a symbol, or with nothing.
type Branch = (Option<u32>, Range<usize>);

/// A node on the way down. Suffixes there are sorted by their keys, which begin after so many bytes
/// of them, at most where the node's gram ends, and reach beyond the symbol that follows it.
#[derive(Clone, Copy, Debug)]
struct Descent {
    node: u32,
    /// The root over it.
    root: u32,
    /// How many bytes and symbols its gram has.
    length: usize,
    depth: usize,
    /// How many bytes of suffixes are before their keys.
    before_key: usize,
}

impl Descent {
    fn below(self, node: u32, next: u32) -> Self {
        Self { node, length: self.length + width(next), depth: self.depth + 1, ..self }
    }

    /// The suffixes, sorted by keys, in parts that go on alike: those of one symbol are side by
    /// side, and those that end are the last.
    fn parts(&self, suffixes: &[Suffix]) -> SmallVec<[Branch; 16]> {
        let next = |suffix: &Suffix| symbol_of_key(suffix.key, self.length - self.before_key);
        let mut from = 0;
        let alike = suffixes.chunk_by(|a, b| a.key == b.key || next(a) == next(b));
        let part = |own: &[Suffix]| {
            let range = from..from + own.len();
            from = range.end;
            (next(&own[0]), range)
        };
        alike.map(part).collect()
    }
}

/// What a list is split by.
#[derive(Debug)]
pub(super) struct Splitting<'s> {
    pub(super) vocabulary: &'s Vocabulary,
    /// How many cases have each term: those that the records count.
    pub(super) counted: &'s CaseCounts,
    /// How many cases have each term, those that come with this batch included.
    pub(super) coming: &'s CaseCounts,
    /// New nodes whose cases nobody has counted.
    pub(super) uncounted: Vec<u32>,
}

impl<'s> Splitting<'s> {
    fn spelling(&self, term: Ordinal) -> Spelling<'s> {
        Spelling::of(self.vocabulary.get(term))
    }

    fn weight(&self, term: Ordinal) -> u64 {
        let [open, done] = self.coming.get(term);
        u64::from(open) + u64::from(done)
    }

    /// A term's suffixes that begin at some places, with keys after so many bytes.
    fn suffixes(
        &self,
        term: Ordinal,
        spelling: Spelling<'s>,
        length: usize,
        starts: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = Suffix> {
        let weight = self.weight(term).min(HEAVY.into()) as u16;
        // Terms in the trie are short.
        starts.map(move |at| Suffix { key: spelling.key(at + length), term, at: at as u16, weight })
    }

    /// Gives suffixes the keys of what follows a node's gram.
    fn set_keys(&self, at: &mut Descent, suffixes: &mut [Suffix]) {
        at.before_key = at.length;
        for own in &mut *suffixes {
            let spelling = Spelling::under(self.vocabulary.get(own.term), at.root);
            own.key = spelling.key(usize::from(own.at) + at.length);
        }
    }

    /// Gives suffixes new keys and sorts them, where a symbol may go beyond the keys they have.
    fn sort_anew(&self, at: &mut Descent, suffixes: &mut [Suffix]) {
        if at.length + WIDEST > at.before_key + KEY {
            self.set_keys(at, suffixes);
            sort(suffixes);
        }
    }

    /// What a new node with the gram of some distinct terms under another one knows. A case with
    /// two of the terms counts once, so terms' counts do not add up. But its cases are known where
    /// no case has its terms yet, where it has one term, or all terms of its parent.
    fn record(&self, terms: &[Ordinal], above: Record) -> Record {
        let counted = |term: &Ordinal| self.counted.get(*term);
        let cases = match terms {
            [term] => Some(counted(term)),
            _ if terms.iter().all(|term| counted(term) == [0; 2]) => Some([0; 2]),
            _ => Some(above.cases)
                .filter(|_| above.is_counted && above.terms as usize == terms.len()),
        };
        let is_counted = cases.is_some();
        Record { cases: cases.unwrap_or_default(), terms: terms.len() as u32, is_counted }
    }
}

fn sort(suffixes: &mut [Suffix]) {
    suffixes.sort_unstable_by_key(|own| own.key);
}

/// The distinct terms of suffixes.
fn distinct(suffixes: &[Suffix]) -> SmallVec<[Ordinal; 32]> {
    let mut terms: SmallVec<_> = suffixes.iter().map(|own| own.term).collect();
    let length = sort_distinct(&mut terms);
    terms.truncate(length);
    terms
}

/// The terms of a list for parts of a node's suffixes.
fn tagged(parts: &[Branch], suffixes: &[Suffix]) -> Vec<(Ordinal, u8)> {
    let each = parts.iter().flat_map(|(next, range)| {
        let tag = tag(*next);
        suffixes[range.clone()].iter().map(move |own| (own.term, tag))
    });
    let mut terms: Vec<_> = each.collect();
    terms.sort_unstable();
    terms
}

/// Suffixes that begin with one of some bytes, and how many they are.
type Group = (RangeInclusive<u8>, usize);

/// Parts the bytes that suffixes begin with, so that few suffixes begin with one of each part.
fn groups(begin: &[usize; 256]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (byte, own) in (0..=u8::MAX).zip(begin).filter(|(_, own)| **own > 0) {
        match groups.last_mut() {
            Some((bytes, length)) if *length + own <= BATCH => {
                *bytes = *bytes.start()..=byte;
                *length += own;
            }
            _ => groups.push((byte..=byte, *own)),
        }
    }
    groups
}

/// Appends suffixes of the next terms under a root that begin with one of some bytes: all, or some
/// more than `BATCH_MOST`.
fn append_beginning<'t>(
    bytes: &RangeInclusive<u8>,
    root: u32,
    terms: &mut impl Iterator<Item = &'t Ordinal>,
    splitting: &Splitting<'_>,
    suffixes: &mut Vec<Suffix>,
) {
    let most = suffixes.len() + BATCH_MOST;
    while suffixes.len() < most {
        let Some(term) = terms.next() else { break };
        let spelling = Spelling::under(splitting.vocabulary.get(*term), root);
        let mut starts = spelling.starts().filter(|at| bytes.contains(&spelling.byte(*at)));
        if let Some(first) = starts.next() {
            let starts = std::iter::once(first).chain(starts);
            suffixes.extend(splitting.suffixes(*term, spelling, 0, starts));
        }
    }
}

impl Trie {
    /// Enters terms that are not there. Cost: a step for each of their suffixes at each node over
    /// it, and the lists that are split.
    pub(super) fn enter(&mut self, terms: &[Ordinal], splitting: &mut Splitting<'_>) {
        // How many suffixes begin with each byte.
        let mut begin = [[0; 256]; 2];
        let mut by_root = [Vec::new(), Vec::new()];
        for term in terms {
            let spelling = splitting.spelling(*term);
            let begin = &mut begin[spelling.root as usize];
            spelling.starts().for_each(|at| begin[usize::from(spelling.byte(at))] += 1);
            by_root[spelling.root as usize].push(*term);
        }
        for (root, (begin, terms)) in
            [WORD_ROOT, BOUNDARY_ROOT].into_iter().zip(begin.iter().zip(by_root))
        {
            let at = Descent { node: root, root, length: 0, depth: 0, before_key: 0 };
            if let Some(record) = self.record_mut(root) {
                record.terms += terms.len() as u32;
            }
            self.enter_under(at, &terms, groups(begin), splitting);
        }
    }

    /// Enters the suffixes of terms under a root, those together that begin with bytes of one
    /// group. Where there are more groups, what the root lists is taken out first and lies ready
    /// for each, and what no child has taken is listed again at the end: the list is made anew
    /// once.
    fn enter_under(
        &mut self,
        at: Descent,
        terms: &[Ordinal],
        groups: Vec<Group>,
        splitting: &mut Splitting<'_>,
    ) {
        let is_one = groups.len() < 2;
        let mut listed = if is_one { Vec::new() } else { self.take_listed(at, splitting) };
        // One piece of memory for all of them, which seldom grows.
        let mut own = Vec::new();
        for (bytes, mut coming) in groups {
            let is_own = |own: &mut Suffix| bytes.contains(&own.key.to_be_bytes()[0]);
            own.extend(listed.extract_if(.., is_own));
            let mut terms = terms.iter();
            loop {
                let before = own.len();
                own.reserve(coming.min(BATCH_MOST + TRIE_TERM_BYTES));
                append_beginning(&bytes, at.root, &mut terms, splitting, &mut own);
                if own.len() == before {
                    break;
                }
                coming = coming.saturating_sub(own.len() - before);
                sort(&mut own);
                if is_one {
                    self.go_down(at, &mut own, splitting);
                    own.clear();
                } else {
                    self.put_many(at, &mut own, splitting);
                }
            }
            listed.append(&mut own);
        }
        if !listed.is_empty() {
            sort(&mut listed);
            self.go_down(at, &mut listed, splitting);
        }
    }

    /// Takes out what a root lists, all of which may then be given to new children.
    fn take_listed(&mut self, at: Descent, splitting: &Splitting<'_>) -> Vec<Suffix> {
        let mut suffixes = Vec::new();
        self.find_suffixes(at, &[], self.listed(at.node).iter(), splitting, &mut suffixes);
        self.change(at.node, |node| node.list = TermList::default());
        suffixes
    }

    /// Enters those of a root's suffixes that a child takes, or a new one that has not few terms;
    /// leaves the others.
    fn put_many(&mut self, at: Descent, suffixes: &mut Vec<Suffix>, splitting: &mut Splitting<'_>) {
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for (next, range) in at.parts(suffixes) {
            let own = &mut suffixes[range.clone()];
            let child = next.and_then(|next| self.node(at.node).child(next));
            match (next, child) {
                (Some(next), Some(child)) => self.put(at.below(child, next), own, splitting),
                (Some(_), None) if distinct(own).len() >= CHILD_TERMS => many.push((next, range)),
                _ => few.push(range),
            }
        }
        self.add_children(at, &many, suffixes, splitting);
        let mut end = 0;
        for range in few {
            suffixes.copy_within(range.clone(), end);
            end += range.len();
        }
        suffixes.truncate(end);
    }

    /// Enters suffixes with a node's gram, of terms that are not there.
    fn put(&mut self, mut at: Descent, suffixes: &mut [Suffix], splitting: &mut Splitting<'_>) {
        splitting.sort_anew(&mut at, suffixes);
        if let Some(record) = self.record_mut(at.node) {
            record.terms += distinct(suffixes).len() as u32;
        }
        self.go_down(at, suffixes, splitting);
    }

    /// Enters suffixes with a node's gram, sorted, of terms that the node's record counts already.
    fn go_down(&mut self, at: Descent, suffixes: &mut [Suffix], splitting: &mut Splitting<'_>) {
        let mut rest: SmallVec<[Branch; 16]> = SmallVec::new();
        for (next, range) in at.parts(suffixes) {
            match next.and_then(|own| Some((own, self.node(at.node).child(own)?))) {
                Some((next, child)) => {
                    self.put(at.below(child, next), &mut suffixes[range], splitting);
                }
                None => rest.push((next, range)),
            }
        }
        if !rest.is_empty() {
            self.list(at, &rest, suffixes, splitting);
        }
    }

    /// Makes children of a node for parts of suffixes, and fills them.
    fn add_children(
        &mut self,
        at: Descent,
        parts: &[Branch],
        suffixes: &mut [Suffix],
        splitting: &mut Splitting<'_>,
    ) {
        let mut added = Vec::new();
        for (next, range) in parts {
            let Some(next) = *next else { continue };
            let record =
                splitting.record(&distinct(&suffixes[range.clone()]), self.record(at.node));
            let child = self.add(record);
            if !record.is_counted {
                splitting.uncounted.push(child);
            }
            added.push((next, child));
        }
        self.change(at.node, |node| {
            let mut children = node.children.to_vec();
            children.extend_from_slice(&added);
            children.sort_unstable();
            node.children = children.into();
        });
        let filled = parts.iter().filter(|(next, _)| next.is_some());
        for ((next, child), (_, range)) in added.into_iter().zip(filled) {
            self.fill(at.below(child, next), &mut suffixes[range.clone()], splitting);
        }
    }

    /// Puts parts of suffixes that no child takes into a node's list, and splits it if it becomes
    /// too long: then what was listed before is looked for in the terms' texts, for a list keeps
    /// terms and no suffixes.
    fn list(
        &mut self,
        mut at: Descent,
        parts: &[Branch],
        suffixes: &[Suffix],
        splitting: &mut Splitting<'_>,
    ) {
        let terms = tagged(parts, suffixes);
        let before = self.listed(at.node).len();
        self.change(at.node, |node| node.list.extend(terms));
        // A list that cannot be split is not looked at again until it is twice as long.
        let tries = |length: usize| (length / LIMIT).checked_ilog2().map_or(0, |twice| twice + 1);
        // Nothing follows a word's last mark.
        let goes_on = parts.iter().any(|(next, _)| next.is_some());
        if goes_on && tries(self.listed(at.node).len()) > tries(before) {
            let own = parts.iter().flat_map(|(_, range)| &suffixes[range.clone()]);
            let mut all: Vec<_> = own.copied().collect();
            if before > 0 {
                let first = all[0];
                let gram = splitting.spelling(first.term).gram(first.at.into(), at.length);
                splitting.set_keys(&mut at, &mut all);
                let old = self.listed(at.node).iter().take(before);
                self.find_suffixes(at, &gram, old, splitting, &mut all);
                sort(&mut all);
            }
            self.fill(at, &mut all, splitting);
        }
    }

    /// Adds the suffixes of listed terms that begin with their node's gram.
    fn find_suffixes(
        &self,
        at: Descent,
        gram: &[u8],
        terms: impl Iterator<Item = Ordinal>,
        splitting: &Splitting<'_>,
        suffixes: &mut Vec<Suffix>,
    ) {
        let finder = Finder::new(gram);
        let mut starts: SmallVec<[usize; 4]> = SmallVec::new();
        for term in terms {
            let spelling = Spelling::under(splitting.vocabulary.get(term), at.root);
            spelling.find(gram, &finder, |start| {
                let next = spelling.symbol(start + gram.len());
                if next.is_none_or(|(own, _)| self.node(at.node).child(own).is_none()) {
                    starts.push(start);
                }
            });
            suffixes.extend(splitting.suffixes(term, spelling, gram.len(), starts.drain(..)));
        }
    }

    /// Makes a node list suffixes with its gram, sorted, or gives some to new children. They are
    /// all that no child takes: the list is made anew of what is not chosen for children.
    fn fill(&mut self, mut at: Descent, suffixes: &mut [Suffix], splitting: &mut Splitting<'_>) {
        splitting.sort_anew(&mut at, suffixes);
        let node = at.node;
        let mut parts = at.parts(suffixes);
        let is_deep = at.depth >= DEEPEST;
        let chosen = if is_deep { 0 } else { choose(&mut parts, suffixes) };
        let listed = tagged(&parts[chosen..], suffixes);
        self.change(node, |node| {
            node.list = TermList::default();
            node.list.extend(listed);
        });
        self.add_children(at, &parts[..chosen], suffixes, splitting);
    }

    /// Splits every list that is worth it. Cost: all nodes.
    pub(super) fn split_all(&mut self, splitting: &mut Splitting<'_>) {
        let mut open = vec![(WORD_ROOT, Vec::new()), (BOUNDARY_ROOT, Vec::new())];
        while let Some((node, gram)) = open.pop() {
            let children = &self.node(node).children;
            open.extend(children.iter().map(|(own, child)| (*child, longer(&gram, *own))));
            self.split(node, &gram, splitting);
        }
    }

    /// Gives terms of a node's list to new children where many cases have two of them that go on
    /// alike.
    pub(super) fn split(&mut self, node: u32, gram: &[u8], splitting: &mut Splitting<'_>) {
        let depth = depth(gram);
        // Nothing follows a word's last mark.
        let is_ended = gram.len() > 1 && gram.ends_with(&[MARK]);
        if is_ended || depth >= DEEPEST || !self.may_be_heavy(node, splitting) {
            return;
        }
        let Some(first) = self.listed(node).iter().next() else { return };
        let root = splitting.spelling(first).root;
        let mut suffixes = Vec::new();
        let at = Descent { node, root, length: gram.len(), depth, before_key: gram.len() };
        self.find_suffixes(at, gram, self.listed(node).iter(), splitting, &mut suffixes);
        sort(&mut suffixes);
        self.fill(at, &mut suffixes, splitting);
    }

    /// Whether many cases have two terms of a node's list that go on alike, by their tags.
    fn may_be_heavy(&self, node: u32, splitting: &Splitting<'_>) -> bool {
        let mut tags = [(0_u32, 0_u64); TAGS];
        let mut all = (0, 0);
        for (term, tag) in self.listed(node).tagged() {
            let own = if tag == ANY { &mut all } else { &mut tags[usize::from(tag)] };
            *own = (own.0 + 1, own.1 + splitting.weight(term));
        }
        let is_heavy = |own: &(u32, u64)| own.0 + all.0 > 1 && own.1 + all.1 >= HEAVY.into();
        tags.iter().any(is_heavy)
    }
}

/// Puts the parts first that become children; gives how many they are: all whose needle so many
/// cases have that it is worth a count; and while the list is too long without them, those of most
/// terms, until it is half as long as it may be, or they have too few terms for a child.
fn choose(parts: &mut SmallVec<[Branch; 16]>, suffixes: &[Suffix]) -> usize {
    // What ends here has no child. Heavy ones come first, then those of many terms.
    let weigh = |part: Branch| {
        let own = &suffixes[part.1.clone()];
        let terms = distinct(own).len();
        // A term that has the gram twice weighs twice: its child may come too soon.
        let weight: u64 = own.iter().map(|own| u64::from(own.weight)).sum();
        (part.0.is_none(), terms < 2 || weight < HEAVY.into(), Reverse(terms), part)
    };
    let mut weighed: Vec<_> = parts.drain(..).map(weigh).collect();
    weighed.sort_by_key(|(ends, is_light, terms, _)| (*ends, *is_light, *terms));
    let mut chosen = weighed.iter().take_while(|(ends, is_light, ..)| !ends && !is_light).count();
    let mut listed: usize = weighed[chosen..].iter().map(|(.., terms, _)| terms.0).sum();
    if listed > LIMIT {
        let going = weighed[chosen..].iter().take_while(|(ends, ..)| !ends);
        for (.., Reverse(terms), _) in going {
            let least = if listed <= LONG { CHILD_TERMS } else { CHILD_TERMS_OF_LONG };
            if listed <= LIMIT / 2 || *terms < least {
                break;
            }
            listed -= terms;
            chosen += 1;
        }
    }
    parts.extend(weighed.into_iter().map(|(.., part)| part));
    chosen
}
