//! The sorted suffixes of some terms, and the tree of their common beginnings.
//!
//! Useful for "which terms hold this needle": a binary search, whatever their number, and then a
//! node of the tree, under which those terms hang. Not for terms that still come: what is built
//! never changes; two are merged into a third, a little at a time (`union`).
//!
//! Shape: every suffix of a word that begins with a character, and the word with the mark before
//! it; of a seam, the suffixes that begin before its white space: a needle in the rest is in a
//! word. Marks stand between terms, so a needle with a mark says where in a word it stands.
//! Suffixes are told apart by their first `DEPTH` bytes only: no text makes a search long.

use super::dictionary::Ordinal;
use super::sized::sized;
use super::vocabulary::{Stands, gap_of};
use crate::threads::Threads;

/// How many bytes of a suffix are looked at: more than a seam has.
pub(super) const DEPTH: usize = sized(64, 24);

/// Stands before and after each term: no UTF-8 has this byte.
pub(super) const MARK: u8 = 0xff;

/// The node that every other hangs under.
const ROOT: u32 = 0;

/// No suffix begins here.
const NOWHERE: u32 = u32::MAX;

/// From how many suffixes on they are sorted on several cores.
const PARALLEL: usize = sized(1 << 15, 64);

/// A suffix: where it begins in the text, and which term it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suffix {
    at: u32,
    term: u32,
}

/// Suffixes that begin alike, two or more, as far as they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    /// The first of them, and the end.
    first: u32,
    end: u32,
    parent: u32,
}

/// Where all suffixes that begin with a needle hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locus {
    Nowhere,
    /// There is one, of this term by its number here.
    Leaf {
        suffix: u32,
        term: u32,
    },
    Node(u32),
}

/// The suffixes of some terms.
#[derive(Debug, Default)]
pub(super) struct Suffixes {
    /// The terms, a mark before each and after the last.
    text: Vec<u8>,
    /// Ascending.
    terms: Vec<Ordinal>,
    /// Where the mark before each term stands, and the last one.
    starts: Vec<u32>,
    /// Whether each term is a seam.
    seams: Vec<bool>,
    sorted: Vec<Suffix>,
    nodes: Vec<Node>,
    /// By place in the text, the lowest node over the suffix that begins there.
    above: Vec<u32>,
}

/// A needle's bytes, with the marks that say where it stands.
pub(super) fn marked(piece: &str, stands: Stands) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(piece.len() + 2);
    if matches!(stands, Stands::AtStart | Stands::Whole) {
        bytes.push(MARK);
    }
    bytes.extend_from_slice(piece.as_bytes());
    if matches!(stands, Stands::AtEnd | Stands::Whole) {
        bytes.push(MARK);
    }
    bytes
}

/// How many bytes two texts have in common, up to `DEPTH`.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl Suffixes {
    /// Lays out terms, which ascend by ordinal; no suffix is there yet.
    fn lay_out<'t>(terms: impl Iterator<Item = (Ordinal, &'t [u8], bool)>) -> Self {
        let mut own = Self::default();
        for (ordinal, term, is_seam) in terms {
            own.terms.push(ordinal);
            own.starts.push(own.text.len() as u32);
            own.seams.push(is_seam);
            own.text.push(MARK);
            own.text.extend_from_slice(term);
        }
        own.starts.push(own.text.len() as u32);
        own.text.push(MARK);
        own
    }

    /// The suffixes of terms, which ascend by ordinal. Cost: sorting them.
    pub(super) fn of<'t>(
        terms: impl Iterator<Item = (Ordinal, &'t str)>,
        threads: &Threads,
    ) -> Self {
        let terms = terms.map(|(ordinal, term)| (ordinal, term.as_bytes(), gap_of(term).is_some()));
        let own = Self::lay_out(terms);
        let mut keyed: Vec<(u64, Suffix)> = Vec::with_capacity(own.text.len());
        for term in 0..own.terms.len() as u32 {
            keyed.extend(own.beginnings(term).map(|at| {
                let suffix = Suffix { at, term };
                (super::catalog::first_bytes(own.suffix(suffix)), suffix)
            }));
        }
        let compare = |(a_key, a): &(u64, Suffix), (b_key, b): &(u64, Suffix)| {
            a_key.cmp(b_key).then_with(|| own.compare(*a, &own, *b))
        };
        if keyed.len() >= PARALLEL {
            threads.sort_by(&mut keyed, compare);
        } else {
            keyed.sort_unstable_by(compare);
        }
        let mut builder = Builder::new(keyed.len());
        let mut before: &[u8] = &[];
        for (_, suffix) in keyed {
            let text = own.suffix(suffix);
            builder.push(suffix, common(before, text));
            before = text;
        }
        builder.finish(own)
    }

    /// Where the suffixes of a term begin that are kept.
    fn beginnings(&self, term: u32) -> impl Iterator<Item = u32> + '_ {
        let mark = self.starts[term as usize];
        let text = self.term(term);
        let is_seam = self.seams[term as usize];
        let end = match is_seam {
            // A seam's white space is found once more: it is short.
            true => std::str::from_utf8(text).ok().and_then(gap_of).unwrap_or(0),
            false => text.len(),
        };
        let is_start = |byte: u8| byte & 0xc0 != 0x80;
        let characters =
            (0..end).filter(move |at| is_start(text[*at])).map(move |at| mark + 1 + at as u32);
        (!is_seam).then_some(mark).into_iter().chain(characters)
    }

    fn term(&self, term: u32) -> &[u8] {
        let [start, end] = [term, term + 1].map(|at| self.starts[at as usize] as usize);
        &self.text[start + 1..end]
    }

    fn suffix(&self, Suffix { at, term }: Suffix) -> &[u8] {
        let end = self.starts[term as usize + 1] as usize + 1;
        &self.text[at as usize..end.min(at as usize + DEPTH)]
    }

    /// The order of suffixes: by their bytes, then by their term, then by their place in it.
    fn compare(&self, a: Suffix, other: &Self, b: Suffix) -> std::cmp::Ordering {
        let texts = self.suffix(a).cmp(other.suffix(b));
        let place = |own: &Self, Suffix { at, term }: Suffix| {
            (own.terms[term as usize], at - own.starts[term as usize])
        };
        texts.then_with(|| place(self, a).cmp(&place(other, b)))
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// How many terms and nodes there are.
    pub(super) fn sizes(&self) -> [usize; 2] {
        [self.terms.len(), self.nodes.len()]
    }

    /// The terms, ascending.
    pub(super) fn terms(&self) -> &[Ordinal] {
        &self.terms
    }

    /// The number that a term has here.
    pub(super) fn number(&self, term: Ordinal) -> Option<u32> {
        self.terms.binary_search(&term).ok().map(|at| at as u32)
    }

    /// Where the suffixes hang that begin with a needle of at most `DEPTH` bytes. Cost: a binary
    /// search.
    pub(super) fn locate(&self, needle: &[u8]) -> Locus {
        let first = self.sorted.partition_point(|suffix| self.suffix(*suffix) < needle);
        let begins = |at: u32| {
            self.sorted.get(at as usize).is_some_and(|own| self.suffix(*own).starts_with(needle))
        };
        if needle.is_empty() || !begins(first as u32) {
            return Locus::Nowhere;
        }
        let Suffix { at, term } = self.sorted[first];
        let mut locus = Locus::Leaf { suffix: first as u32, term };
        // The nodes that begin with it, as far as their last one begins so too.
        let mut at = self.above[at as usize];
        while at != ROOT {
            let Node { first: own, end, parent } = self.nodes[at as usize];
            if (own as usize) < first || !begins(end - 1) {
                break;
            }
            locus = Locus::Node(at);
            at = parent;
        }
        locus
    }

    /// The locus of a range of suffixes that are all that begin with some needle.
    fn locus_of(&self, first: u32, end: u32) -> Locus {
        if first == end {
            return Locus::Nowhere;
        }
        let Suffix { at, term } = self.sorted[first as usize];
        if first + 1 == end {
            return Locus::Leaf { suffix: first, term };
        }
        let mut node = self.above[at as usize];
        while node != ROOT && self.nodes[node as usize].end < end {
            node = self.nodes[node as usize].parent;
        }
        Locus::Node(node)
    }

    /// How many suffixes hang at a locus.
    pub(super) fn spread(&self, locus: Locus) -> usize {
        match locus {
            Locus::Nowhere => 0,
            Locus::Leaf { .. } => 1,
            Locus::Node(node) => {
                let Node { first, end, .. } = self.nodes[node as usize];
                (end - first) as usize
            }
        }
    }

    /// The terms at a locus, some more than once: seams, or words.
    pub(super) fn terms_at(&self, locus: Locus, seams: bool) -> impl Iterator<Item = Ordinal> + '_ {
        let (first, end) = match locus {
            Locus::Nowhere => (0, 0),
            Locus::Leaf { suffix, .. } => (suffix, suffix + 1),
            Locus::Node(node) => (self.nodes[node as usize].first, self.nodes[node as usize].end),
        };
        let terms = self.sorted[first as usize..end as usize].iter().map(|own| own.term as usize);
        terms.filter(move |term| self.seams[*term] == seams).map(|term| self.terms[term])
    }

    /// Hands on the nodes over the suffixes of a term, from each suffix upwards for as long as
    /// `each` says that a node is new to it.
    #[inline]
    pub(super) fn climb(&self, term: u32, mut each: impl FnMut(u32) -> bool) {
        let [start, end] = [term, term + 1].map(|at| self.starts[at as usize] as usize);
        for above in &self.above[start..end] {
            let mut node = *above;
            if node == NOWHERE {
                continue;
            }
            while node != ROOT && each(node) {
                node = self.nodes[node as usize].parent;
            }
        }
    }

    /// Hands on a needle for each place of the tree, and the place; for checks.
    pub(super) fn each_needle(
        &self,
        mut each: impl FnMut(&[u8], Locus) -> Result<(), String>,
    ) -> Result<(), String> {
        for (at, suffix) in self.sorted.iter().enumerate() {
            let text = self.suffix(*suffix);
            // The whole suffix, and what it has in common with the one before: each node's text.
            let before = at.checked_sub(1).map_or(&[][..], |at| self.suffix(self.sorted[at]));
            for length in [text.len(), common(before, text)] {
                each(&text[..length], self.locate(&text[..length]))?;
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len() * 5
            + self.terms.len() * 9
            + self.sorted.len() * size_of::<Suffix>()
            + self.nodes.len() * size_of::<Node>()
    }

    /// Checks the order of the suffixes, and each node against them.
    pub(super) fn validate(&self) -> Result<(), String> {
        let every: usize = (0..self.terms.len() as u32).map(|t| self.beginnings(t).count()).sum();
        let pairs = self.sorted.windows(2);
        let is_sorted = pairs.clone().all(|pair| self.compare(pair[0], self, pair[1]).is_lt());
        if every != self.sorted.len() || !is_sorted || !self.terms.is_sorted_by(|a, b| a < b) {
            return Err("suffixes".to_owned());
        }
        let mut builder = Builder::new(every);
        let mut before: &[u8] = &[];
        for suffix in &self.sorted {
            let text = self.suffix(*suffix);
            builder.push(*suffix, common(before, text));
            before = text;
        }
        let again = builder.finish(Self { text: self.text.clone(), ..Self::default() });
        if again.nodes != self.nodes || again.above != self.above {
            return Err("nodes over suffixes".to_owned());
        }
        Ok(())
    }
}

/// Builds the tree while suffixes come in their order.
#[derive(Debug)]
struct Builder {
    sorted: Vec<Suffix>,
    nodes: Vec<Node>,
    /// Of each suffix but the last.
    above: Vec<u32>,
    /// The nodes that the last suffix is in, the root first: how many bytes they have in common.
    open: Vec<(usize, u32)>,
}

impl Builder {
    fn new(length: usize) -> Self {
        Self {
            sorted: Vec::with_capacity(length),
            nodes: vec![Node { first: 0, end: 0, parent: ROOT }],
            above: Vec::with_capacity(length),
            open: vec![(0, ROOT)],
        }
    }

    /// Adds the next suffix, which has so many bytes in common with the one before.
    fn push(&mut self, suffix: Suffix, common: usize) {
        if !self.sorted.is_empty() {
            self.go_to(common);
        }
        self.sorted.push(suffix);
    }

    /// Closes what the last suffix was in and the next one is not, and opens what both are in.
    fn go_to(&mut self, common: usize) {
        let next = self.sorted.len() as u32;
        let (depth_before, before) = self.open.last().copied().unwrap_or((0, ROOT));
        let mut first = next - 1;
        let mut orphan = None;
        while let Some((_, node)) = self.open.pop_if(|(depth, _)| common < *depth) {
            let (depth, over) = self.open.last().copied().unwrap_or((0, ROOT));
            let closed = &mut self.nodes[node as usize];
            (closed.end, closed.parent) = (next, over);
            first = closed.first;
            orphan = (depth < common).then_some(node);
        }
        let (depth, over) = self.open.last().copied().unwrap_or((0, ROOT));
        if common > depth {
            let node = self.nodes.len() as u32;
            self.nodes.push(Node { first, end: 0, parent: over });
            self.open.push((common, node));
            if let Some(orphan) = orphan {
                self.nodes[orphan as usize].parent = node;
            }
        }
        let top = self.open.last().map_or(ROOT, |(_, node)| *node);
        self.above.push(if common > depth_before { top } else { before });
    }

    fn finish(mut self, mut laid_out: Suffixes) -> Suffixes {
        if !self.sorted.is_empty() {
            self.go_to(0);
        }
        self.nodes[ROOT as usize].end = self.sorted.len() as u32;
        laid_out.above = vec![NOWHERE; laid_out.text.len()];
        for (suffix, above) in self.sorted.iter().zip(&self.above) {
            laid_out.above[suffix.at as usize] = *above;
        }
        self.nodes.shrink_to_fit();
        (laid_out.sorted, laid_out.nodes) = (self.sorted, self.nodes);
        laid_out
    }
}

/// Two sets of suffixes being merged into one.
#[derive(Debug)]
pub(super) struct Union {
    laid_out: Suffixes,
    builder: Builder,
    /// Of each of the two: the terms' numbers in the union, and how many suffixes are taken.
    numbers: [Vec<u32>; 2],
    taken: [u32; 2],
    /// How many of each were taken before each suffix of the union.
    before: Vec<[u32; 2]>,
}

/// What the nodes and terms of a union are in each of the two.
#[derive(Debug)]
pub(super) struct Origins {
    pub(super) nodes: Vec<[Locus; 2]>,
    /// By number, `None` where it is not there.
    pub(super) terms: Vec<[Option<u32>; 2]>,
}

impl Union {
    /// Begins. Cost: the terms.
    pub(super) fn new([a, b]: [&Suffixes; 2]) -> Self {
        let mut merged: Vec<(Ordinal, [Option<u32>; 2])> = Vec::new();
        let (mut i, mut j) = (0, 0);
        while i < a.terms.len() || j < b.terms.len() {
            let (left, right) = (a.terms.get(i), b.terms.get(j));
            let takes_left = left.is_some_and(|l| right.is_none_or(|r| l <= r));
            let takes_right = right.is_some_and(|r| left.is_none_or(|l| r <= l));
            let term = if takes_left { a.terms[i] } else { b.terms[j] };
            merged.push((term, [takes_left.then_some(i as u32), takes_right.then_some(j as u32)]));
            i += usize::from(takes_left);
            j += usize::from(takes_right);
        }
        let text = |from: &[Option<u32>; 2]| match *from {
            [Some(own), _] => (a.term(own), a.seams[own as usize]),
            [_, Some(own)] => (b.term(own), b.seams[own as usize]),
            _ => (&[][..], false),
        };
        let laid_out = Suffixes::lay_out(merged.iter().map(|(ordinal, from)| {
            let (text, is_seam) = text(from);
            (*ordinal, text, is_seam)
        }));
        let mut numbers = [vec![0; a.terms.len()], vec![0; b.terms.len()]];
        for (number, (_, from)) in merged.iter().enumerate() {
            for (numbers, own) in numbers.iter_mut().zip(from) {
                if let Some(own) = own {
                    numbers[*own as usize] = number as u32;
                }
            }
        }
        let length = a.len() + b.len();
        let before = Vec::with_capacity(length + 1);
        Self { laid_out, builder: Builder::new(length), numbers, taken: [0, 0], before }
    }

    /// Goes on for a number of suffixes; says how many of them are left over at the end.
    pub(super) fn step(&mut self, [a, b]: [&Suffixes; 2], steps: usize) -> usize {
        for left in (1..=steps).rev() {
            let [i, j] = self.taken;
            let heads = (a.sorted.get(i as usize).copied(), b.sorted.get(j as usize).copied());
            let (takes, from, own) = match heads {
                (None, None) => return left,
                (Some(own), None) => ([1, 0], a, own),
                (None, Some(own)) => ([0, 1], b, own),
                (Some(left), Some(right)) => match a.compare(left, b, right) {
                    std::cmp::Ordering::Less => ([1, 0], a, left),
                    std::cmp::Ordering::Equal => ([1, 1], a, left),
                    std::cmp::Ordering::Greater => ([0, 1], b, right),
                },
            };
            let term = self.numbers[usize::from(takes[0] == 0)][own.term as usize];
            let at = own.at - from.starts[own.term as usize] + self.laid_out.starts[term as usize];
            let suffix = Suffix { at, term };
            let last =
                self.builder.sorted.last().map_or(&[][..], |last| self.laid_out.suffix(*last));
            let common = common(last, self.laid_out.suffix(suffix));
            self.before.push([i, j]);
            self.builder.push(suffix, common);
            self.taken = [i + takes[0], j + takes[1]];
        }
        0
    }

    /// The union, when all is taken. Cost: the nodes.
    pub(super) fn finish(mut self, parts: [&Suffixes; 2]) -> (Suffixes, Origins) {
        self.before.push(self.taken);
        let whole = self.builder.finish(self.laid_out);
        let locus = |node: &Node, part: usize| {
            let [first, end] = [node.first, node.end].map(|at| self.before[at as usize][part]);
            parts[part].locus_of(first, end)
        };
        let nodes = whole.nodes.iter().map(|node| [locus(node, 0), locus(node, 1)]).collect();
        let mut terms = vec![[None; 2]; whole.terms.len()];
        for (part, numbers) in self.numbers.iter().enumerate() {
            for (own, number) in numbers.iter().enumerate() {
                terms[*number as usize][part] = Some(own as u32);
            }
        }
        (whole, Origins { nodes, terms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(terms: &[(Ordinal, &str)]) -> Suffixes {
        Suffixes::of(terms.iter().copied(), &Threads::NONE)
    }

    fn found(suffixes: &Suffixes, piece: &str, stands: Stands) -> Vec<Ordinal> {
        let locus = suffixes.locate(&marked(piece, stands));
        let seams = gap_of(piece).is_some();
        let mut terms: Vec<_> = suffixes.terms_at(locus, seams).collect();
        assert!(terms.len() <= suffixes.spread(locus));
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    #[test]
    fn finds_what_a_plain_search_finds() {
        let long = "xy".repeat(DEPTH);
        let mut texts: Vec<String> = (0..500).map(|n| format!("w{n}x{}é", n % 13)).collect();
        texts.extend(
            ["aaaa", "aa", "a", "a b", "te re", "é re", "e a", "退款发票", "款"].map(String::from),
        );
        texts.push(long.clone());
        let numbered = texts.iter().enumerate().map(|(at, text)| (at as Ordinal * 3, &**text));
        let suffixes = Suffixes::of(numbered.clone(), &Threads::NONE);
        suffixes.validate().unwrap();
        let halves = [0, 1].map(|half| {
            Suffixes::of(
                numbered.clone().filter(|(at, _)| at % 4 == half || at % 5 == 0),
                &Threads::NONE,
            )
        });
        let rest = Suffixes::of(numbered.clone().filter(|(at, _)| at % 4 > 1), &Threads::NONE);
        let merged = merge(&merge(&halves[0], &halves[1]), &rest);
        merged.validate().unwrap();
        assert_eq!((&merged.sorted, &merged.nodes), (&suffixes.sorted, &suffixes.nodes));
        let needles = [
            "w", "1", "99", "x1", "é", "w12", "2x2é", "none", "a", "aa", "e r", "a b", "款", "xyx",
        ];
        for needle in needles.into_iter().chain([&long[..DEPTH - 2]]) {
            for stands in [Stands::Anywhere, Stands::AtStart, Stands::AtEnd, Stands::Whole] {
                let fits = |text: &str| match stands {
                    Stands::Anywhere => text.contains(needle),
                    Stands::AtStart => text.starts_with(needle),
                    Stands::AtEnd => text.ends_with(needle),
                    Stands::Whole => text == needle,
                };
                if gap_of(needle).is_some() && stands != Stands::Anywhere {
                    continue;
                }
                let same = |text: &str| gap_of(text).is_some() == gap_of(needle).is_some();
                let plain: Vec<_> = numbered
                    .clone()
                    .filter(|(_, text)| fits(text) && same(text))
                    .map(|(at, _)| at)
                    .collect();
                assert_eq!(found(&suffixes, needle, stands), plain, "{needle} {stands:?}");
                assert_eq!(found(&merged, needle, stands), plain, "{needle} {stands:?}");
            }
        }
    }

    fn merge(a: &Suffixes, b: &Suffixes) -> Suffixes {
        let mut union = Union::new([a, b]);
        while union.step([a, b], 7) == 0 {}
        union.finish([a, b]).0
    }

    #[test]
    fn a_union_knows_where_its_nodes_come_from() {
        let a = of(&[(1, "banana"), (2, "bandana"), (4, "cab")]);
        let b = of(&[(2, "bandana"), (3, "abba"), (5, "na ba")]);
        let mut union = Union::new([&a, &b]);
        assert!(union.step([&a, &b], usize::MAX) > 0);
        let (whole, origins) = union.finish([&a, &b]);
        whole.validate().unwrap();
        for needle in ["a", "an", "ana", "b", "ba", "ban", "ab", "n", "na", "na b", "\u{ff}"] {
            let Locus::Node(node) = whole.locate(needle.as_bytes()) else { continue };
            let right = [a.locate(needle.as_bytes()), b.locate(needle.as_bytes())];
            assert_eq!(origins.nodes[node as usize], right, "{needle}");
        }
        assert_eq!(
            origins.terms,
            [
                [Some(0), None],
                [Some(1), Some(0)],
                [None, Some(1)],
                [Some(2), None],
                [None, Some(2)]
            ]
        );
    }
}
