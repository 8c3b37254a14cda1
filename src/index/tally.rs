//! How many cases have what hangs at each place of a tree of suffixes.
//!
//! A case is counted once at each node over a suffix of its terms, and once at each of its terms.
//! Cost of a case: its suffixes, and the nodes over them.

use super::catalog::Catalog;
use super::dictionary::{NONE, Ordinal};
use super::sized::sized;
use super::suffixes::{Locus, Origins, Suffixes};
use crate::threads::Threads;

/// From how many changes on they are counted on several cores, and how many of them it takes there
/// for each node, whose counts are one more each.
const PARALLEL: usize = sized(1 << 12, 50);
const A_NODE: usize = 8;

/// A case that came, or went: its title, and of which half it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) title: Ordinal,
    pub(super) unresolved: bool,
    /// 1 or -1.
    pub(super) sign: i32,
}

impl Noted {
    fn half(&self) -> usize {
        usize::from(!self.unresolved)
    }
}

/// Of unresolved cases and of done ones.
type Count = [i32; 2];

/// Counts of cases by node and by term.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    nodes: Vec<Count>,
    terms: Vec<Count>,
}

fn sum(a: Count, b: Count) -> Count {
    [a[0] + b[0], a[1] + b[1]]
}

impl Tally {
    pub(super) fn new(suffixes: &Suffixes) -> Self {
        let [terms, nodes] = suffixes.sizes();
        Self { nodes: vec![[0; 2]; nodes], terms: vec![[0; 2]; terms] }
    }

    /// How many cases have what hangs at a locus.
    pub(super) fn at(&self, locus: Locus) -> Count {
        match locus {
            Locus::Nowhere => [0; 2],
            Locus::Leaf { term, .. } => self.terms[term as usize],
            Locus::Node(node) => self.nodes[node as usize],
        }
    }

    /// The tally of a union, of those of its two parts. Cost: the nodes and terms.
    pub(super) fn union(parts: [&Self; 2], origins: &Origins) -> Self {
        let node = |loci: &[Locus; 2]| sum(parts[0].at(loci[0]), parts[1].at(loci[1]));
        let own = |part: usize, number: Option<u32>| {
            number.map_or([0; 2], |number| parts[part].terms[number as usize])
        };
        let term = |numbers: &[Option<u32>; 2]| sum(own(0, numbers[0]), own(1, numbers[1]));
        Self {
            nodes: origins.nodes.iter().map(node).collect(),
            terms: origins.terms.iter().map(term).collect(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.nodes.len() + self.terms.len()) * size_of::<Count>()
    }
}

/// Which terms have which numbers.
enum Numbers<'s> {
    /// By ordinal, `NONE` where there is none.
    Every(Vec<u32>),
    Searched(&'s Suffixes),
}

impl<'s> Numbers<'s> {
    /// A table of all where so many are asked for.
    fn new(suffixes: &'s Suffixes, changes: usize) -> Self {
        if changes < suffixes.terms().len() / 4 {
            return Self::Searched(suffixes);
        }
        let length = suffixes.terms().last().map_or(0, |last| *last as usize + 1);
        let mut numbers = vec![NONE; length];
        for (number, term) in suffixes.terms().iter().enumerate() {
            numbers[*term as usize] = number as u32;
        }
        Self::Every(numbers)
    }

    fn get(&self, term: Ordinal) -> Option<u32> {
        match self {
            Self::Every(numbers) => numbers.get(term as usize).copied().filter(|own| *own != NONE),
            Self::Searched(suffixes) => suffixes.number(term),
        }
    }
}

/// Counts the changes whose terms are all known; gives the others.
pub(super) fn count_all(
    suffixes: &Suffixes,
    tally: &mut Tally,
    noted: &[Noted],
    catalog: &Catalog,
    threads: &Threads,
) -> Vec<Noted> {
    if noted.is_empty() {
        return Vec::new();
    }
    let numbers = Numbers::new(suffixes, noted.len());
    let is_worth_it = noted.len() >= PARALLEL && noted.len() * A_NODE >= tally.nodes.len();
    if !is_worth_it || threads.count() < 2 {
        return count(suffixes, &numbers, tally, noted, catalog);
    }
    let size = noted.len().div_ceil(threads.count());
    let counted = threads.map(noted.chunks(size).collect(), |noted| {
        let mut own = Tally::new(suffixes);
        let rest = count(suffixes, &numbers, &mut own, noted, catalog);
        (own, rest)
    });
    let mut rest = Vec::new();
    for (own, mut left) in counted {
        rest.append(&mut left);
        let pairs = tally.nodes.iter_mut().zip(own.nodes);
        pairs.chain(tally.terms.iter_mut().zip(own.terms)).for_each(|(a, b)| *a = sum(*a, b));
    }
    rest
}

fn count(
    suffixes: &Suffixes,
    numbers: &Numbers<'_>,
    tally: &mut Tally,
    noted: &[Noted],
    catalog: &Catalog,
) -> Vec<Noted> {
    let mut rest = Vec::new();
    // By node, which change was counted there last.
    let mut last = vec![NONE; tally.nodes.len()];
    let mut terms = Vec::new();
    for (at, own) in noted.iter().enumerate() {
        terms.clear();
        let mut wanted = 0;
        let own_terms = catalog.titles.get(own.title).terms().inspect(|_| wanted += 1);
        terms.extend(own_terms.map_while(|term| numbers.get(term)));
        if terms.len() < wanted {
            rest.push(*own);
            continue;
        }
        for term in &terms {
            tally.terms[*term as usize][own.half()] += own.sign;
            suffixes.climb(*term, |node| {
                let is_new = last[node as usize] != at as u32;
                if is_new {
                    last[node as usize] = at as u32;
                    tally.nodes[node as usize][own.half()] += own.sign;
                }
                is_new
            });
        }
    }
    rest
}
