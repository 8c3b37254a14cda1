//! A burst trie over the suffixes of a scope's terms.
//!
//! A node stands for a gram: the characters on the way to it. It lists the terms that go on from
//! its gram in a way that no child takes; a list that grows long, or whose terms many cases share,
//! gives some of its terms to new children. So there are few nodes and short lists, however the
//! terms look. Useful for "which terms hold this needle" and "which nodes count a term": a walk
//! from a root. Not for exact matches below a node: its terms are candidates, to be compared with
//! the needle.
//!
//! Words are entered with a mark before and after them, so a needle with a mark says where in a
//! word it stands: every suffix that begins with the first mark or with a character. Token-boundary
//! grams (`seams`) are entered without marks and under a root of their own, only from beginnings
//! before their white space: a needle in the rest is in a word.

use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;
use smallvec::SmallVec;

use super::super::dictionary::Ordinal;
use super::super::paged::{Paged, Paging};
use super::super::sized::sized;
use super::super::vocabulary::{Stands, Vocabulary, gap_of};
use super::term_list::TermList;

/// Stands before and after each word: no UTF-8 has this byte.
pub(super) const MARK: u8 = 0xff;

/// The node that all words hang under, and the one of token-boundary grams.
pub(super) const WORDS: u32 = 0;
pub(super) const SEAMS: u32 = 1;

/// How many terms a node lists, about, before it gives some to children.
pub(super) const LIMIT: usize = sized(128, 6);

/// How many symbols the gram of a node has at most.
const DEEPEST: usize = sized(32, 6);

/// From how many cases on, together, two terms of a list are given to a child: a needle that so
/// many cases have is worth counting.
const HEAVY: u32 = sized(512, 6) as u32;

/// How many cases, unresolved and done.
pub(super) type Cases = [u32; 2];

impl Paging for Cases {}

/// What is known of a node's gram.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    /// How many cases have a term with the gram; only part of them where it `is_counted` not.
    pub(super) cases: Cases,
    /// How many terms have the gram.
    pub(super) terms: u32,
    pub(super) is_counted: bool,
}

impl Paging for Record {}

#[derive(Clone, Debug, Default)]
struct Node {
    /// By symbol, ascending.
    children: Box<[(u32, u32)]>,
    list: TermList,
}

impl Node {
    fn child(&self, symbol: u32) -> Option<u32> {
        let at = self.children.binary_search_by_key(&symbol, |(own, _)| *own).ok()?;
        Some(self.children[at].1)
    }

    /// Those of some terms that go on from the node's gram where no child is.
    fn list_of(
        &self,
        terms: impl Iterator<Item = Ordinal>,
        gram: &[u8],
        splitting: &Splitting<'_>,
    ) -> TermList {
        let finder = Finder::new(gram);
        let mut list = TermList::default();
        for term in terms {
            let spelling = Spelling::of(splitting.vocabulary.get(term));
            let next = spelling.after(&finder);
            let next = next.filter(|next| next.is_none_or(|own| self.child(own).is_none()));
            next.for_each(|next| list.push(term, tag(next)));
        }
        list.shrink();
        list
    }

    fn heap(&self) -> usize {
        self.children.len() * size_of::<(u32, u32)>() + self.list.bytes()
    }
}

/// A term as it is entered, and where its suffixes may begin.
#[derive(Debug)]
pub(super) struct Spelling {
    bytes: SmallVec<[u8; 64]>,
    end: usize,
    pub(super) root: u32,
}

impl Spelling {
    pub(super) fn of(term: &str) -> Self {
        if let Some(gap) = gap_of(term) {
            return Self { bytes: term.as_bytes().into(), end: gap, root: SEAMS };
        }
        Self { bytes: marked(term, Stands::Whole), end: term.len() + 1, root: WORDS }
    }

    /// The suffixes, and where they begin.
    pub(super) fn suffixes(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let starts = (0..self.end).filter(|at| self.bytes[*at] & 0xc0 != 0x80);
        starts.map(|at| (at, &self.bytes[at..]))
    }

    /// Some of the bytes.
    pub(super) fn gram(&self, start: usize, length: usize) -> &[u8] {
        &self.bytes[start..start + length]
    }

    /// What follows a gram at each of its places: nothing at the end.
    fn after(&self, gram: &Finder<'_>) -> impl Iterator<Item = Option<u32>> {
        let mut from = 0;
        let length = gram.needle().len();
        std::iter::from_fn(move || {
            let at = match length {
                0 => Some(from),
                _ => self.bytes.get(from..).and_then(|rest| gram.find(rest)).map(|at| from + at),
            };
            let at = at.filter(|at| *at < self.end)?;
            from = at + symbol(&self.bytes[at..]).map_or(1, |(_, width)| width);
            Some(symbol(&self.bytes[at + length..]).map(|(symbol, _)| symbol))
        })
    }
}

/// A needle's bytes, with the marks that say where it stands.
pub(super) fn marked(piece: &str, stands: Stands) -> SmallVec<[u8; 64]> {
    let mut bytes = SmallVec::new();
    if matches!(stands, Stands::AtStart | Stands::Whole) {
        bytes.push(MARK);
    }
    bytes.extend_from_slice(piece.as_bytes());
    if matches!(stands, Stands::AtEnd | Stands::Whole) {
        bytes.push(MARK);
    }
    bytes
}

/// The mark or character that a text begins with, its bytes as a number, and how many they are.
fn symbol(text: &[u8]) -> Option<(u32, usize)> {
    let width = match *text.first()? {
        0..0x80 | MARK => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let bytes = text.get(..width)?;
    Some((bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)), width))
}

/// What a list remembers of the symbol after the gram, or of the end.
pub(super) fn tag(next: Option<u32>) -> u8 {
    let symbol = next.map_or(0, |next| next + 1);
    (symbol.wrapping_mul(0x9e37_79b1) >> 24) as u8 | 1
}

/// The tag of what a needle goes on with.
pub(super) fn tag_of(rest: &[u8]) -> u8 {
    tag(symbol(rest).map(|(symbol, _)| symbol))
}

/// A gram with one more symbol.
fn longer(gram: &[u8], symbol: u32) -> Vec<u8> {
    let bytes = symbol.to_be_bytes();
    let empty = bytes.iter().take_while(|byte| **byte == 0).count().min(3);
    [gram, &bytes[empty..]].concat()
}

fn depth(gram: &[u8]) -> usize {
    gram.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Tells whether something is new, round by round, among numbers that are not far apart.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    rounds: Vec<u32>,
    round: u32,
}

impl Stamps {
    pub(super) fn next_round(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.rounds.fill(0);
            self.round = 1;
        }
    }

    #[inline]
    pub(super) fn is_new(&mut self, number: u32) -> bool {
        let at = number as usize;
        if at >= self.rounds.len() {
            self.rounds.resize((at + 1).next_power_of_two(), 0);
        }
        std::mem::replace(&mut self.rounds[at], self.round) != self.round
    }
}

/// What a list is split by.
#[derive(Debug)]
pub(super) struct Splitting<'s> {
    pub(super) vocabulary: &'s Vocabulary,
    /// How many cases have each term: those that the records count.
    pub(super) counted: &'s Paged<Cases, 64>,
    /// The same, those that come with this batch included.
    pub(super) coming: &'s Paged<Cases, 64>,
    /// New nodes whose cases nobody has counted.
    pub(super) uncounted: Vec<u32>,
}

impl Splitting<'_> {
    fn weight(&self, terms: impl Iterator<Item = Ordinal>) -> u64 {
        let cases = terms.filter_map(|term| self.coming.get(term as usize));
        cases.map(|[open, done]| u64::from(*open) + u64::from(*done)).sum()
    }
}

/// A new child: a symbol, and the numbers of its terms in the list it comes from.
type Group<'p> = (u32, &'p [(u32, u32)]);

/// The trie. A clone costs a few pointers, and shares what does not change.
#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Paged<Arc<Node>, 8>,
    records: Paged<Record, 32>,
    /// How many bytes nodes have on the heap.
    heap: usize,
}

impl Default for Trie {
    /// Both roots, which all scopes share until they enter a term.
    fn default() -> Self {
        static ROOTS: LazyLock<Trie> = LazyLock::new(|| {
            let root = Record { is_counted: true, ..Record::default() };
            Trie {
                nodes: [Arc::default(), Arc::default()].into_iter().collect(),
                records: [root; 2].into_iter().collect(),
                heap: 0,
            }
        });
        ROOTS.clone()
    }
}

impl Trie {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    fn node(&self, node: u32) -> &Node {
        match self.nodes.get(node as usize) {
            Some(node) => node,
            None => unreachable!("node {node} was not given"),
        }
    }

    pub(super) fn record(&self, node: u32) -> Record {
        self.records.get(node as usize).copied().unwrap_or_default()
    }

    pub(super) fn record_mut(&mut self, node: u32) -> Option<&mut Record> {
        self.records.get_mut(node as usize)
    }

    /// The terms that a node lists.
    pub(super) fn listed(&self, node: u32) -> &TermList {
        &self.node(node).list
    }

    /// Follows a text from a root; hands on each node and how much of the text leads to it. Gives
    /// the last one.
    #[inline]
    pub(super) fn walk(
        &self,
        root: u32,
        text: &[u8],
        mut each: impl FnMut(u32, usize),
    ) -> (u32, usize) {
        let (mut node, mut at) = (root, 0);
        loop {
            each(node, at);
            let next = symbol(&text[at..]);
            let next = next.and_then(|(own, width)| Some((self.node(node).child(own)?, width)));
            let Some((child, width)) = next else { return (node, at) };
            (node, at) = (child, at + width);
        }
    }

    /// Hands on the nodes whose grams a term has, each once a round of the stamps.
    #[inline]
    pub(super) fn each_node(
        &self,
        spelling: &Spelling,
        stamps: &mut Stamps,
        mut each: impl FnMut(u32, &[u8]),
    ) {
        for (_, suffix) in spelling.suffixes() {
            self.walk(spelling.root, suffix, |node, at| {
                if stamps.is_new(node) {
                    each(node, &suffix[..at]);
                }
            });
        }
    }

    /// The terms under a node, some more than once.
    pub(super) fn each_term(&self, node: u32, mut each: impl FnMut(Ordinal)) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let node = self.node(node);
            node.list.iter().for_each(&mut each);
            open.extend(node.children.iter().map(|(_, child)| *child));
        }
    }

    fn change(&mut self, node: u32, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            // A copy may take less than what it is of.
            let before = node.heap();
            let node = Arc::make_mut(node);
            change(node);
            self.heap = self.heap + node.heap() - before;
        }
    }

    /// Enters a term that is not there. Cost: a walk for each of its suffixes, and the lists that
    /// are split.
    pub(super) fn enter(
        &mut self,
        term: Ordinal,
        stamps: &mut Stamps,
        splitting: &mut Splitting<'_>,
    ) {
        let spelling = Spelling::of(splitting.vocabulary.get(term));
        let mut full = Vec::new();
        for (start, suffix) in spelling.suffixes() {
            let (node, length) = self.walk(spelling.root, suffix, |_, _| {});
            let is_there = self.node(node).list.last() == Some(term);
            let tag = tag_of(&suffix[length..]);
            self.change(node, |node| node.list.push(term, tag));
            if is_there {
                continue;
            }
            // A list that cannot be split is not looked at again for each new term.
            let over = self.node(node).list.len().saturating_sub(LIMIT);
            if over > 0 && (over - 1).is_multiple_of(LIMIT / 2) {
                full.push((node, start, length));
            }
        }
        stamps.next_round();
        let mut passed = SmallVec::<[u32; 64]>::new();
        self.each_node(&spelling, stamps, |node, _| passed.push(node));
        for node in passed {
            if let Some(record) = self.record_mut(node) {
                record.terms += 1;
            }
        }
        for (node, start, length) in full {
            self.split(node, spelling.gram(start, length), splitting);
        }
    }

    /// Splits every list that is worth it. Cost: all nodes.
    pub(super) fn split_all(&mut self, splitting: &mut Splitting<'_>) {
        let mut open = vec![(WORDS, Vec::new()), (SEAMS, Vec::new())];
        while let Some((node, gram)) = open.pop() {
            let children = self.node(node).children.clone();
            open.extend(children.iter().map(|(own, child)| (*child, longer(&gram, *own))));
            self.split(node, &gram, splitting);
        }
    }

    /// Gives terms of a node's list to new children, where the list is long, or where many cases
    /// have two of its terms that go on alike.
    pub(super) fn split(&mut self, node: u32, gram: &[u8], splitting: &mut Splitting<'_>) {
        let is_ended = gram.len() > 1 && gram.ends_with(&[MARK]);
        let list = &self.node(node).list;
        let is_worth_it =
            list.len() > LIMIT || list.len() > 1 && splitting.weight(list.iter()) >= HEAVY.into();
        if is_ended || depth(gram) >= DEEPEST || !is_worth_it {
            return;
        }
        let terms: Vec<Ordinal> = list.iter().collect();
        let finder = Finder::new(gram);
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (number, term) in terms.iter().enumerate() {
            let spelling = Spelling::of(splitting.vocabulary.get(*term));
            let next = spelling.after(&finder).flatten();
            let next = next.filter(|own| self.node(node).child(*own).is_none());
            pairs.extend(next.map(|own| (own, number as u32)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut groups: Vec<Group<'_>> =
            pairs.chunk_by(|a, b| a.0 == b.0).map(|group| (group[0].0, group)).collect();
        let chosen = choose(&mut groups, &terms, splitting);
        if chosen == 0 {
            return;
        }
        let mut own = Node { children: self.node(node).children.clone(), ..Node::default() };
        let mut children = own.children.to_vec();
        let mut added = Vec::new();
        for (next, group) in &groups[..chosen] {
            let terms = group.iter().map(|(_, number)| terms[*number as usize]);
            let gram = longer(gram, *next);
            let list = Node::default().list_of(terms, &gram, splitting);
            let child = self.add(node, list, splitting);
            children.push((*next, child));
            added.push((child, gram));
        }
        children.sort_unstable();
        own.children = children.into();
        own.list = own.list_of(terms.iter().copied(), gram, splitting);
        self.change(node, |node| *node = own);
        for (child, gram) in added {
            self.split(child, &gram, splitting);
        }
    }

    /// Adds a child of a node. Its cases are known where no case has its terms yet, where it has
    /// one term, or all terms of its parent.
    fn add(&mut self, parent: u32, list: TermList, splitting: &mut Splitting<'_>) -> u32 {
        let child = self.nodes.len() as u32;
        let counted =
            |term: Ordinal| splitting.counted.get(term as usize).copied().unwrap_or_default();
        let above = self.record(parent);
        let cases = if list.iter().all(|term| counted(term) == [0; 2]) {
            Some([0; 2])
        } else if list.len() == 1 {
            list.iter().next().map(counted)
        } else {
            Some(above.cases).filter(|_| above.is_counted && above.terms as usize == list.len())
        };
        if cases.is_none() {
            splitting.uncounted.push(child);
        }
        self.records.push(Record {
            cases: cases.unwrap_or_default(),
            terms: list.len() as u32,
            is_counted: cases.is_some(),
        });
        let node = Node { list, ..Node::default() };
        self.heap += node.heap();
        self.nodes.push(Arc::new(node));
        child
    }

    /// Whether a node whose gram one more case has may now be worth splitting.
    pub(super) fn is_due(cases: Cases) -> bool {
        (cases[0] + cases[1]).is_multiple_of(HEAVY)
    }

    pub(super) fn bytes(&self) -> usize {
        let a_node = size_of::<Arc<Node>>() + size_of::<Node>() + 16 + size_of::<Record>();
        self.nodes.len() * a_node + self.heap
    }

    /// Checks that each of some terms is in the lists where its suffixes lead, and nothing else.
    pub(super) fn validate(
        &self,
        terms: impl Iterator<Item = Ordinal>,
        vocabulary: &Vocabulary,
    ) -> Result<(), String> {
        let mut listed = vec![Vec::new(); self.nodes.len()];
        let mut passed = vec![0; self.nodes.len()];
        let mut stamps = Stamps::default();
        for term in terms {
            let spelling = Spelling::of(vocabulary.get(term));
            for (_, suffix) in spelling.suffixes() {
                let (node, _) = self.walk(spelling.root, suffix, |_, _| {});
                listed[node as usize].push(term);
            }
            stamps.next_round();
            self.each_node(&spelling, &mut stamps, |node, _| passed[node as usize] += 1);
        }
        let heap: usize = self.nodes.iter().map(|node| node.heap()).sum();
        if heap != self.heap || self.nodes.len() != self.records.len() {
            return Err("the size of the trie".to_owned());
        }
        for (node, (right, passed)) in listed.iter_mut().zip(passed).enumerate() {
            let mut own: Vec<_> = self.node(node as u32).list.iter().collect();
            own.sort_unstable();
            right.sort_unstable();
            right.dedup();
            if own != *right || self.record(node as u32).terms != passed {
                return Err(format!("the terms of node {node}"));
            }
        }
        Ok(())
    }
}

/// Puts the groups first that become children; gives how many they are.
fn choose(groups: &mut [Group<'_>], terms: &[Ordinal], splitting: &Splitting<'_>) -> usize {
    let weight = |group: &[(u32, u32)]| {
        splitting.weight(group.iter().map(|(_, number)| terms[*number as usize]))
    };
    let is_heavy = |group: &[(u32, u32)]| group.len() > 1 && weight(group) >= HEAVY.into();
    groups.sort_by_cached_key(|(_, group)| (!is_heavy(group), std::cmp::Reverse(group.len())));
    let mut chosen = groups.iter().take_while(|(_, group)| is_heavy(group)).count();
    let mut left: usize = groups[chosen..].iter().map(|(_, group)| group.len()).sum();
    if terms.len() > LIMIT {
        while left > LIMIT / 2 && chosen < groups.len() {
            left -= groups[chosen].1.len();
            chosen += 1;
        }
    }
    chosen
}
