//! A burst trie over the suffixes of a scope's terms.
//!
//! A node stands for a gram: the symbols on the way to it. It lists the terms that go on from
//! its gram in a way that no child takes; a list that grows long, or whose terms many cases share,
//! gives some of its terms to new children (`grow.rs`). So there are few nodes and short lists,
//! however the terms look. Useful for "which terms hold this needle" and "which nodes count a
//! term": a walk from a root. Not for exact matches below a node: its terms are candidates, to be
//! compared with the needle.

use std::sync::{Arc, LazyLock};

use super::spelling::Spelling;
use super::term_list::TermList;
use crate::index::catalog::Vocabulary;
use crate::index::collections::{Ordinal, PageValue, Paged, sized};

/// How many terms a node lists, about, before it gives some to children.
pub(super) const LIMIT: usize = sized(128, 6);

/// How many terms a list has that is long: only where they go on in very many ways.
pub(super) const LONG: usize = LIMIT * 4;

/// From how many cases on, together, two terms of a list are given to a child: a needle that so
/// many cases have is worth counting.
pub(super) const HEAVY: u32 = sized(512, 6) as u32;

/// How many cases, unresolved and done.
pub(super) type Cases = [u32; 2];

impl PageValue for Cases {}

/// What is known of a node's gram.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Record {
    /// How many cases have a term with the gram; only part of them where it `is_counted` not.
    pub(super) cases: Cases,
    /// How many terms have the gram.
    pub(super) terms: u32,
    pub(super) is_counted: bool,
}

impl PageValue for Record {}

#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct TrieNode {
    /// By symbol, ascending.
    pub(super) children: Box<[(u32, u32)]>,
    pub(super) list: TermList,
}

impl TrieNode {
    #[inline]
    pub(super) fn child(&self, symbol: u32) -> Option<u32> {
        let at = self.children.binary_search_by_key(&symbol, |(own, _)| *own).ok()?;
        Some(self.children[at].1)
    }

    fn heap(&self) -> usize {
        self.children.len() * size_of::<(u32, u32)>() + self.list.bytes()
    }
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

/// The trie. A clone costs a few pointers, and shares what does not change.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Trie {
    nodes: Paged<Arc<TrieNode>, 8>,
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

    /// How many nodes and listed terms it has, about.
    pub(super) fn steps(&self) -> usize {
        self.nodes.len() + self.heap / 2
    }

    pub(super) fn node(&self, node: u32) -> &TrieNode {
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

    /// Follows symbols from a root, each given by its place; hands on each node and how much leads
    /// to it. Gives the last one.
    #[inline]
    pub(super) fn walk(
        &self,
        root: u32,
        symbol: impl Fn(usize) -> Option<(u32, usize)>,
        mut each: impl FnMut(u32, usize),
    ) -> (u32, usize) {
        let (mut node, mut at) = (root, 0);
        loop {
            each(node, at);
            let next = symbol(at);
            let next = next.and_then(|(own, width)| Some((self.node(node).child(own)?, width)));
            let Some((child, width)) = next else { return (node, at) };
            (node, at) = (child, at + width);
        }
    }

    /// Hands on the nodes whose grams a term has, each once a round of the stamps; and where the
    /// gram begins and how long it is.
    #[inline]
    pub(super) fn each_node(
        &self,
        spelling: Spelling<'_>,
        stamps: &mut Stamps,
        mut each: impl FnMut(u32, usize, usize),
    ) {
        for start in spelling.starts() {
            self.walk(
                spelling.root,
                |at| spelling.symbol(start + at),
                |node, length| {
                    if stamps.is_new(node) {
                        each(node, start, length);
                    }
                },
            );
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

    pub(super) fn change(&mut self, node: u32, change: impl FnOnce(&mut TrieNode)) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            // A copy may take less than what it is of.
            let before = node.heap();
            let node = Arc::make_mut(node);
            change(node);
            self.heap = self.heap + node.heap() - before;
        }
    }

    /// Adds a node without terms or children; gives its number.
    pub(super) fn add(&mut self, record: Record) -> u32 {
        self.records.push(record);
        self.nodes.push(Arc::default());
        self.nodes.len() as u32 - 1
    }

    /// Whether a node whose gram one more case has may now be worth splitting.
    pub(super) fn is_due(cases: Cases) -> bool {
        (cases[0] + cases[1]).is_multiple_of(HEAVY)
    }

    pub(super) fn bytes(&self) -> usize {
        let a_node = size_of::<TrieNode>() + 2 * size_of::<usize>();
        self.nodes.len() * a_node + self.nodes.bytes() + self.records.bytes() + self.heap
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
            for start in spelling.starts() {
                let symbol = |at| spelling.symbol(start + at);
                let (node, _) = self.walk(spelling.root, symbol, |_, _| {});
                listed[node as usize].push(term);
            }
            stamps.next_round();
            self.each_node(spelling, &mut stamps, |node, _, _| passed[node as usize] += 1);
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
