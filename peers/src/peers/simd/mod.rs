//! A scan over packed columns, wide: every case is looked at, in blocks that stay in the cache.
//!
//! Status, priority, and the two flags are one byte together, channel and queues a byte each: one
//! membership test of 64 cases is a few instructions. A block's clauses meet in a bitmap of 512
//! bytes; the page is walked out of it in the order of a field, or gathered and selected.

mod kernel;

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use getcases_plain::{By, Keyed};
use memchr::memmem::Finder;

use crate::ask::{Ask, Coded};
use crate::peer::{Found, Page, Peer, Ready};
use crate::rows::Rows;
use crate::top::Top;
use kernel::{BLOCK, LANES, Level, Set};

/// What a rank costs to gather and select, in steps of a walk.
const GATHER: u64 = 2;

/// The cases as packed columns.
#[derive(Debug)]
pub struct Simd {
    level: Level,
    count: usize,
    /// A code for each combination of status, priority and flags.
    state: Vec<u8>,
    states: Vec<State>,
    channel: Vec<u8>,
    queues: [Vec<u8>; 2],
    assignee: Vec<u16>,
    due: Vec<u32>,
    text: String,
    /// Where each case's texts end.
    ends: Vec<u64>,
    /// By the order's number: the cases in its natural order, and the rank of each.
    orders: Vec<(Vec<u32>, Vec<u32>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    status: u8,
    priority: u8,
    unresolved: bool,
    unassigned: bool,
}

/// A condition on one column or two, or a tree of them.
enum Clause<'s> {
    Bytes(&'s [u8], Set),
    Either(&'s [Vec<u8>; 2], Set),
    Wide(&'s [u16], Vec<u64>),
    Range(&'s [u32], u32, u32),
    Numbers(u32, u32),
    /// Who has a text, found beforehand.
    Bits(Vec<u64>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

impl Simd {
    /// Packs every case.
    ///
    /// # Errors
    /// Where a byte has no room for the combinations.
    pub fn load(rows: &Rows) -> Result<Self> {
        let count = rows.len();
        let mut known = HashMap::new();
        let (mut state, mut states) = (Vec::new(), Vec::new());
        for at in 0..count {
            let own = State {
                status: rows.status.column[at],
                priority: rows.priority.column[at],
                unresolved: rows.unresolved[at],
                unassigned: rows.unassigned[at],
            };
            let code = *known.entry(own).or_insert_with(|| {
                states.push(own);
                states.len() - 1
            });
            state.push(u8::try_from(code).context("more combinations than a byte has")?);
        }
        let (mut text, mut ends) = (String::new(), Vec::new());
        for number in 0..count as u32 {
            text.push_str(rows.texts(number));
            ends.push(text.len() as u64);
        }
        let queue = |which: usize| padded(rows.queues.iter().map(|pair| pair[which]));
        let orders = By::ALL.map(|by| (rows.sorted(by), rows.ranks[by as usize].clone()));
        Ok(Self {
            level: Level::detect(),
            count,
            state: padded(state.into_iter()),
            states,
            channel: padded(rows.channel.column.iter().copied()),
            queues: [queue(0), queue(1)],
            assignee: padded(rows.assignee.column.iter().copied()),
            due: padded(rows.ranks[By::Due as usize].iter().copied()),
            text,
            ends,
            orders: orders.into(),
        })
    }

    fn clauses(&self, ask: &Ask) -> Vec<Clause<'_>> {
        let mut clauses = Vec::new();
        let has = |codes: &Option<Vec<u8>>, code| codes.as_ref().is_none_or(|c| c.contains(&code));
        let holds = |state: &State| {
            has(&ask.status, state.status)
                && has(&ask.priority, state.priority)
                && (!ask.request.unresolved || state.unresolved)
                && (!ask.request.unassigned || state.unassigned)
        };
        if self.states.iter().any(|state| !holds(state)) {
            let codes = (0..self.states.len()).filter(|code| holds(&self.states[*code]));
            clauses.push(Clause::Bytes(&self.state, Set::new(codes.map(|code| code as u8))));
        }
        if let Some(due) = &ask.due {
            clauses.push(Clause::Range(&self.due, due.start, due.end));
        }
        if let Some(codes) = &ask.channel {
            clauses.push(Clause::Bytes(&self.channel, Set::new(codes.iter().copied())));
        }
        if let Some(codes) = &ask.assignee {
            clauses.push(Clause::Wide(&self.assignee, wide(codes)));
        }
        if let Some(codes) = &ask.queues {
            clauses.push(Clause::Either(&self.queues, Set::new(codes.iter().copied())));
        }
        clauses.extend(ask.filter.as_ref().map(|filter| self.tree(filter)));
        clauses
    }

    fn tree(&self, filter: &Coded) -> Clause<'_> {
        let all = |parts: &[Coded]| parts.iter().map(|part| self.tree(part)).collect();
        let bytes = |codes: &[u16]| Set::new(codes.iter().map(|code| *code as u8));
        let states = |holds: &dyn Fn(&State) -> bool| {
            let codes = (0..self.states.len()).filter(|code| holds(&self.states[*code]));
            Clause::Bytes(&self.state, Set::new(codes.map(|code| code as u8)))
        };
        match filter {
            Coded::And(parts) => Clause::And(all(parts)),
            Coded::Or(parts) => Clause::Or(all(parts)),
            Coded::Not(inner) => Clause::Not(Box::new(self.tree(inner))),
            Coded::Codes(Keyed::Status, codes) => states(&|own| codes.contains(&own.status.into())),
            Coded::Codes(Keyed::Priority, codes) => {
                states(&|own| codes.contains(&own.priority.into()))
            }
            Coded::Codes(Keyed::Channel, codes) => Clause::Bytes(&self.channel, bytes(codes)),
            Coded::Codes(Keyed::Queue, codes) => Clause::Either(&self.queues, bytes(codes)),
            Coded::Codes(Keyed::Assignee, codes) => Clause::Wide(&self.assignee, wide(codes)),
            Coded::Unresolved => states(&|own| own.unresolved),
            Coded::Unassigned => states(&|own| own.unassigned),
            Coded::Text(text) => Clause::Bits(self.holding(text)),
            Coded::Created(numbers, _) => Clause::Numbers(numbers.start, numbers.end),
            Coded::Due(due) => Clause::Range(&self.due, due.start, due.end),
        }
    }

    /// The matches as a bitmap, and their number.
    fn matches(&self, ask: &Ask, clauses: &[Clause<'_>]) -> (Vec<u64>, u64) {
        let mut words = vec![0; self.state.len() / LANES];
        let end = self.count as u32;
        let numbers = ask.numbers.clone().unwrap_or(0..end);
        for (at, block) in words.chunks_mut(BLOCK / LANES).enumerate() {
            let first = at * BLOCK;
            ones(block, first as u32, numbers.start, numbers.end);
            for clause in clauses {
                if block.iter().all(|word| *word == 0) {
                    break;
                }
                self.narrow(clause, first, block);
            }
        }
        if let Some(text) = &ask.text {
            self.keep_text(text, &mut words, clauses.is_empty() && ask.numbers.is_none());
        }
        let total = kernel::count(self.level, &words);
        (words, total)
    }

    fn narrow(&self, clause: &Clause<'_>, first: usize, block: &mut [u64]) {
        let part = first..first + block.len() * LANES;
        match clause {
            Clause::Bytes(column, set) => kernel::keep(self.level, &column[part], set, block),
            Clause::Either([one, two], set) => {
                kernel::keep_either(self.level, [&one[part.clone()], &two[part]], set, block);
            }
            Clause::Range(column, low, high) => {
                kernel::keep_range(self.level, &column[part], *low, *high, block);
            }
            Clause::Wide(column, set) => {
                for (word, lanes) in block.iter_mut().zip(column[part].chunks_exact(LANES)) {
                    *word &= among(*word, lanes, set);
                }
            }
            Clause::Numbers(start, end) => {
                let mut own = block.to_vec();
                ones(&mut own, first as u32, *start, *end);
                intersect(block, &own);
            }
            Clause::Bits(bits) => intersect(block, &bits[first / LANES..]),
            Clause::And(parts) => parts.iter().for_each(|part| self.narrow(part, first, block)),
            Clause::Or(parts) => {
                let mut any = vec![0; block.len()];
                for part in parts {
                    let mut own = block.to_vec();
                    self.narrow(part, first, &mut own);
                    any.iter_mut().zip(own).for_each(|(any, own)| *any |= own);
                }
                block.copy_from_slice(&any);
            }
            Clause::Not(inner) => {
                let mut own = block.to_vec();
                self.narrow(inner, first, &mut own);
                block.iter_mut().zip(own).for_each(|(word, own)| *word &= !own);
            }
        }
    }

    /// Keeps the matches whose texts hold a needle: one pass over all texts, or a look at each
    /// match where these are few.
    fn keep_text(&self, needle: &str, words: &mut [u64], all: bool) {
        let finder = Finder::new(needle.as_bytes());
        let left = if all { self.count as u64 } else { kernel::count(self.level, words) };
        if left < self.count as u64 / 4 {
            for (at, word) in words.iter_mut().enumerate() {
                for bit in bits(*word) {
                    let number = at * LANES + bit;
                    let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
                    let text = &self.text[start as usize..self.ends[number] as usize];
                    if finder.find(text.as_bytes()).is_none() {
                        *word &= !(1 << bit);
                    }
                }
            }
            return;
        }
        intersect(words, &self.holding(needle));
    }

    /// Who has a needle in their texts, by one pass over all of them.
    fn holding(&self, needle: &str) -> Vec<u64> {
        let finder = Finder::new(needle.as_bytes());
        let mut found = vec![0; self.state.len() / LANES];
        let (mut from, mut number) = (0, 0);
        while let Some(offset) = finder.find(&self.text.as_bytes()[from..]) {
            number += gallop(&self.ends[number..], (from + offset) as u64);
            found[number / LANES] |= 1 << (number % LANES);
            from = self.ends[number] as usize;
        }
        found
    }

    fn page(&self, ask: &Ask, words: &[u64], total: u64) -> Vec<u32> {
        let (skip, limit) = (ask.request.skip, ask.request.limit);
        if skip >= total || limit == 0 {
            return Vec::new();
        }
        if ask.request.by == By::Created && !ask.reverse {
            return newest(words, skip, limit.min(total - skip) as usize);
        }
        let (sorted, ranks) = &self.orders[ask.request.by as usize];
        let walk = (ask.end() as u128 * self.count as u128 / u128::from(total)) as u64;
        if !ask.reverse && walk <= total * GATHER {
            let has = |number: &u32| words[*number as usize / LANES] >> (number % 64) & 1 == 1;
            let hits = sorted.iter().copied().filter(has);
            return hits.skip(skip as usize).take(limit as usize).collect();
        }
        let mut top = Top::new(ask.end().min(total) as usize);
        for (at, word) in words.iter().enumerate() {
            for bit in bits(*word) {
                let number = (at * LANES + bit) as u32;
                top.push(ask.key(ranks[number as usize]), number);
            }
        }
        top.page(ask)
    }
}

/// A set of wide codes, a bit each.
fn wide(codes: &[u16]) -> Vec<u64> {
    let mut set = vec![0; 1 << 10];
    for code in codes {
        set[usize::from(*code) / 64] |= 1 << (code % 64);
    }
    set
}

fn intersect(words: &mut [u64], others: &[u64]) {
    words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
}

/// A column whose end is filled up to a whole block.
fn padded<T: Copy + Default>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut column: Vec<T> = values.collect();
    column.resize(column.len().next_multiple_of(BLOCK), T::default());
    column.shrink_to_fit();
    column
}

/// Sets the bits of a range, and no others.
fn ones(block: &mut [u64], first: u32, start: u32, end: u32) {
    for (at, word) in block.iter_mut().enumerate() {
        let base = first + (at * LANES) as u32;
        let from = start.saturating_sub(base).min(64);
        let to = end.saturating_sub(base).min(64);
        let below = |bit: u32| if bit == 64 { u64::MAX } else { (1 << bit) - 1 };
        *word = below(to) & !below(from);
    }
}

fn among(word: u64, lanes: &[u16], set: &[u64]) -> u64 {
    let has = |lane: usize| set[usize::from(lanes[lane]) / 64] >> (lanes[lane] % 64) & 1;
    if word.count_ones() < 16 {
        return bits(word).map(|lane| has(lane) << lane).fold(0, |all, bit| all | bit);
    }
    (0..LANES).map(|lane| has(lane) << lane).fold(0, |all, bit| all | bit)
}

fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        bit
    })
}

/// How many ends are at or before a position: found in steps that double.
fn gallop(ends: &[u64], position: u64) -> usize {
    let mut step = 1;
    while step < ends.len() && ends[step - 1] <= position {
        step *= 2;
    }
    let start = step / 2;
    let end = step.min(ends.len());
    start + ends[start..end].partition_point(|end| *end <= position)
}

/// The first matches after those that are skipped, whole words at a time.
fn newest(words: &[u64], skip: u64, limit: usize) -> Vec<u32> {
    let (mut left, mut page) = (skip, Vec::with_capacity(limit));
    for (at, word) in words.iter().enumerate() {
        let own = u64::from(word.count_ones());
        if own <= left {
            left -= own;
            continue;
        }
        let numbers = bits(*word).map(|bit| (at * LANES + bit) as u32);
        page.extend(numbers.skip(left as usize).take(limit - page.len()));
        left = 0;
        if page.len() == limit {
            break;
        }
    }
    page
}

impl Peer for Simd {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn about(&self) -> String {
        format!("packed columns, {}, blocks of {BLOCK}; memmem for text", self.level.name())
    }

    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>> {
        Ok(Ready::run(move || {
            let clauses = self.clauses(ask);
            let (words, total) = self.matches(ask, &clauses);
            Ok(Found { total, page: Page::Numbers(self.page(ask, &words, total)) })
        }))
    }
}
