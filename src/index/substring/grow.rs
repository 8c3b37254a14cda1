//! Entering terms into the trie, and splitting its lists.
//!
//! Suffixes that come together go down together: each node parts them by their next symbol, and a
//! list that becomes too long gives whole parts to new children, which go on the same way. So
//! each suffix costs a step for each node over it, however many come. What a list had before is
//! looked for in its terms' texts once when it is split.

use std::cmp::Reverse;
use std::ops::Range;

use memchr::memmem::Finder;

use super::super::dictionary::Ordinal;
use super::super::sized::sized;
use super::super::vocabulary::Vocabulary;
use super::column::Column;
use super::spelling::{MARK, Spelling, depth, longer};
use super::term_list::{ANY, TAGS, tag};
use super::trie::{HEAVY, LIMIT, Record, SEAMS, Trie, WORDS};

/// How many symbols the gram of a node has at most.
const DEEPEST: usize = sized(32, 6);

/// How many terms are few for a child, while their parent's list is not too long.
const FEW: usize = sized(16, 2);

/// How many suffixes are entered together, about.
const TOGETHER: usize = sized(1 << 16, 50);

/// Where a term has a gram.
#[derive(Clone, Copy, Debug)]
struct Place<'v> {
    spelling: Spelling<'v>,
    term: Ordinal,
    at: u32,
}

impl Place<'_> {
    fn order(&self) -> (Ordinal, u32) {
        (self.term, self.at)
    }
}

/// Places that go on alike: with a symbol, or with nothing; which of some places they are.
type Part = (Option<u32>, Range<usize>);

/// What is put into a trie, and how far it has come.
#[derive(Clone, Copy, Debug)]
struct At {
    node: u32,
    /// How many bytes and symbols the node's gram has.
    length: usize,
    depth: usize,
}

impl At {
    fn below(self, node: u32, next: u32) -> Self {
        Self { node, length: self.length + width(next), depth: self.depth + 1 }
    }
}

/// What a list is split by.
#[derive(Debug)]
pub(super) struct Splitting<'s> {
    pub(super) vocabulary: &'s Vocabulary,
    /// How many cases have each term: those that the records count.
    pub(super) counted: &'s Column,
    /// The same, those that come with this batch included.
    pub(super) coming: &'s Column,
    /// New nodes whose cases nobody has counted.
    pub(super) uncounted: Vec<u32>,
}

impl Splitting<'_> {
    fn weight(&self, term: Ordinal) -> u64 {
        let [open, done] = self.coming.get(term);
        u64::from(open) + u64::from(done)
    }

    /// What a new node with the gram of some distinct terms under another one knows. Its cases are
    /// known where no case has its terms yet, where it has one term, or all terms of its parent.
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

/// The distinct terms of ascending places.
fn distinct(places: &[Place<'_>]) -> impl Iterator<Item = Ordinal> {
    places.chunk_by(|a, b| a.term == b.term).map(|own| own[0].term)
}

/// Puts ascending places of a gram in the order of what they go on with; each part ascends.
fn part(places: &mut [Place<'_>], length: usize) -> Vec<Part> {
    // The end comes first.
    let next = |place: &Place<'_>| {
        let symbol = place.spelling.symbol(place.at as usize + length);
        symbol.map_or(0, |(own, _)| own + 1)
    };
    let mut keys: Vec<u64> =
        (0..).zip(&*places).map(|(at, own)| u64::from(next(own)) << 32 | at).collect();
    if keys.len() > 1 {
        keys.sort_unstable();
        let sorted: Vec<_> = keys.iter().map(|key| places[*key as u32 as usize]).collect();
        places.copy_from_slice(&sorted);
    }
    let mut from = 0;
    let alike = keys.chunk_by(|a, b| a >> 32 == b >> 32);
    let part = |keys: &[u64]| {
        let range = from..from + keys.len();
        from = range.end;
        (((keys[0] >> 32) as u32).checked_sub(1), range)
    };
    alike.map(part).collect()
}

/// The terms of a list for parts of a node's places.
fn tagged(parts: &[Part], places: &[Place<'_>]) -> Vec<(Ordinal, u8)> {
    let each = parts.iter().flat_map(|(next, range)| {
        let tag = tag(*next);
        places[range.clone()].iter().map(move |place| (place.term, tag))
    });
    let mut terms: Vec<_> = each.collect();
    terms.sort_unstable();
    terms
}

impl Trie {
    /// Enters terms that are not there. Cost: a step for each of their suffixes at each node over
    /// it, and the lists that are split.
    pub(super) fn enter(
        &mut self,
        terms: impl IntoIterator<Item = Ordinal>,
        splitting: &mut Splitting<'_>,
    ) {
        let mut terms = terms.into_iter().peekable();
        while terms.peek().is_some() {
            let mut places = [Vec::new(), Vec::new()];
            while places.iter().map(Vec::len).sum::<usize>() < TOGETHER {
                let Some(term) = terms.next() else { break };
                let spelling = Spelling::of(splitting.vocabulary.get(term));
                let starts = spelling.starts();
                let starts = starts.map(|at| Place { spelling, term, at: at as u32 });
                places[spelling.root as usize].extend(starts);
            }
            for (node, mut places) in [WORDS, SEAMS].into_iter().zip(places) {
                if !places.is_empty() {
                    self.put(At { node, length: 0, depth: 0 }, &mut places, splitting);
                }
            }
        }
    }

    /// Enters ascending places of a node's gram.
    fn put(&mut self, at: At, places: &mut [Place<'_>], splitting: &mut Splitting<'_>) {
        let At { node, length, .. } = at;
        if let Some(record) = self.record_mut(node) {
            record.terms += distinct(places).count() as u32;
        }
        let mut rest = Vec::new();
        for (next, range) in part(places, length) {
            match next.and_then(|own| Some((own, self.node(node).child(own)?))) {
                Some((next, child)) => {
                    self.put(at.below(child, next), &mut places[range], splitting);
                }
                None => rest.push((next, range)),
            }
        }
        if rest.is_empty() {
            return;
        }
        let terms = tagged(&rest, places);
        let before = self.node(node).list.len();
        self.change(node, |node| node.list.extend(terms));
        // A list that cannot be split is not looked at again for each new term.
        let tries = |length: usize| length.saturating_sub(LIMIT).div_ceil(LIMIT / 2);
        // Nothing follows a word's last mark.
        let goes_on = rest.iter().any(|(next, _)| next.is_some());
        if goes_on && tries(self.node(node).list.len()) > tries(before) {
            let own = rest.into_iter().flat_map(|(_, range)| &places[range]);
            let mut all: Vec<_> = own.copied().collect();
            all.sort_unstable_by_key(Place::order);
            if before > 0 {
                let gram = all[0].spelling.gram(all[0].at as usize, length);
                self.find_places(node, &gram, splitting, &mut all);
            }
            self.fill(at, &mut all, splitting);
        }
    }

    /// Adds the places of a gram in those of its node's terms that have none among some, and keeps
    /// all sorted.
    fn find_places<'v>(
        &self,
        node: u32,
        gram: &[u8],
        splitting: &Splitting<'v>,
        places: &mut Vec<Place<'v>>,
    ) {
        let finder = Finder::new(gram);
        let known = places.len();
        for term in self.listed(node).iter() {
            if places[..known].binary_search_by_key(&term, |own| own.term).is_ok() {
                continue;
            }
            let spelling = Spelling::of(splitting.vocabulary.get(term));
            spelling.find(gram, &finder, |at| {
                let next = spelling.symbol(at + gram.len());
                if next.is_none_or(|(own, _)| self.node(node).child(own).is_none()) {
                    places.push(Place { spelling, term, at: at as u32 });
                }
            });
        }
        places.sort_unstable_by_key(Place::order);
    }

    /// Makes a node list ascending places of its gram that no child takes, or gives some to new
    /// children.
    fn fill(&mut self, at: At, places: &mut [Place<'_>], splitting: &mut Splitting<'_>) {
        let node = at.node;
        let terms = distinct(places).count();
        let mut parts = part(places, at.length);
        let is_deep = at.depth >= DEEPEST;
        let chosen = if is_deep { 0 } else { choose(&mut parts, places, terms, splitting) };
        let listed = tagged(&parts[chosen..], places);
        let mut children = self.node(node).children.to_vec();
        let mut added = Vec::new();
        for (next, range) in parts.drain(..chosen) {
            let Some(next) = next else { continue };
            let terms: Vec<_> = distinct(&places[range.clone()]).collect();
            let record = splitting.record(&terms, self.record(node));
            let child = self.add(record);
            if !record.is_counted {
                splitting.uncounted.push(child);
            }
            children.push((next, child));
            added.push((at.below(child, next), range));
        }
        children.sort_unstable();
        self.change(node, |node| {
            (node.children, node.list) = (children.into(), Default::default());
            node.list.extend(listed);
        });
        for (at, range) in added {
            self.fill(at, &mut places[range], splitting);
        }
    }

    /// Splits every list that is worth it. Cost: all nodes.
    pub(super) fn split_all(&mut self, splitting: &mut Splitting<'_>) {
        let mut open = vec![(WORDS, Vec::new()), (SEAMS, Vec::new())];
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
        if !is_ended && depth < DEEPEST && self.may_be_heavy(node, splitting) {
            let mut places = Vec::new();
            self.find_places(node, gram, splitting, &mut places);
            self.fill(At { node, length: gram.len(), depth }, &mut places, splitting);
        }
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

/// How many bytes a symbol has.
fn width(symbol: u32) -> usize {
    4 - (symbol.leading_zeros() as usize / 8).min(3)
}

/// Puts the parts first that become children; gives how many they are. `terms` is how many terms
/// all parts have.
fn choose(
    parts: &mut Vec<Part>,
    places: &[Place<'_>],
    terms: usize,
    splitting: &Splitting<'_>,
) -> usize {
    // What ends here has no child. Heavy ones come first, then those of many terms.
    let weigh = |part: Part| {
        let places = &places[part.1.clone()];
        let terms = distinct(places).count();
        let weight = || distinct(places).map(|term| splitting.weight(term)).sum::<u64>();
        (part.0.is_none(), terms < 2 || weight() < HEAVY.into(), Reverse(terms), part)
    };
    let mut weighed: Vec<_> = parts.drain(..).map(weigh).collect();
    weighed.sort_by_key(|(ends, is_light, terms, _)| (*ends, *is_light, *terms));
    let mut chosen = weighed.iter().take_while(|(ends, is_light, ..)| !ends && !is_light).count();
    let mut left: usize = weighed[chosen..].iter().map(|(.., terms, _)| terms.0).sum();
    if terms > LIMIT {
        let going = weighed[chosen..].iter().take_while(|(ends, ..)| !ends);
        for (.., Reverse(terms), _) in going {
            if left <= LIMIT / 2 || *terms < FEW && left <= LIMIT / 4 * 3 {
                break;
            }
            left -= terms;
            chosen += 1;
        }
    }
    parts.extend(weighed.into_iter().map(|(.., part)| part));
    chosen
}
