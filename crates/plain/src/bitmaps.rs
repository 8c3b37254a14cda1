//! The plain design on roaring bitmaps: one bitmap a value, ranks and orders of each field, the
//! smallest bitmap first, a walk of the order or a gathering of ranks, whichever costs less.
//!
//! Documents have their numbers in the order of creation, newest first, so the usual order is the
//! bitmaps' own, and a range of dates is a range of numbers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use memchr::memmem::Finder;
use rayon::prelude::*;
use roaring::{MultiOps, RoaringBitmap};

use crate::columns::{Columns, Lists, NO_DATE};
use crate::filter::{Filter, Keyed};
use crate::request::{By, Request};
use crate::{Answer, scan};

/// What a rank costs to gather and select, in steps of a walk.
const GATHER: u64 = 2;

/// Documents in the order of a field, and the rank of each.
#[derive(Debug)]
struct Order {
    documents: Vec<u32>,
    ranks: Vec<u32>,
}

/// The natural order of a field, and the other one, which is made when it is first asked for.
#[derive(Debug)]
struct Orders {
    natural: Order,
    /// Ranks whose value is not that of the rank before.
    starts: RoaringBitmap,
    /// The first rank of those that lack the value.
    missing: u32,
    reverse: OnceLock<Order>,
}

impl Order {
    fn new(documents: Vec<u32>) -> Self {
        let mut ranks = vec![0; documents.len()];
        for (rank, document) in documents.iter().enumerate() {
            ranks[*document as usize] = rank as u32;
        }
        Self { documents, ranks }
    }
}

impl Orders {
    /// Equal ones stay as they are, the newest first, and missing ones last.
    fn reverse(&self) -> &Order {
        self.reverse.get_or_init(|| {
            let natural = &self.natural.documents;
            let mut documents = Vec::with_capacity(natural.len());
            let mut end = self.missing as usize;
            for start in self.starts.iter().rev().filter(|start| *start < self.missing) {
                documents.extend_from_slice(&natural[start as usize..end]);
                end = start as usize;
            }
            documents.extend_from_slice(&natural[self.missing as usize..]);
            Order::new(documents)
        })
    }
}

/// The cases by their values.
#[derive(Debug)]
pub struct Bitmaps {
    /// The place in the columns of each document number.
    places: Vec<u32>,
    /// Descending.
    created: Vec<i64>,
    due: Vec<i64>,
    all: RoaringBitmap,
    unresolved: RoaringBitmap,
    unassigned: RoaringBitmap,
    statuses: HashMap<String, RoaringBitmap>,
    priorities: HashMap<String, RoaringBitmap>,
    channels: HashMap<String, RoaringBitmap>,
    queues: HashMap<String, RoaringBitmap>,
    agents: HashMap<String, RoaringBitmap>,
    users: HashMap<String, RoaringBitmap>,
    /// By the field's number.
    orders: Vec<Orders>,
    text: String,
    text_ends: Vec<u64>,
}

/// A request that is ready to be run: what is timed begins after it.
#[derive(Debug)]
pub struct Prepared<'b> {
    bitmaps: &'b Bitmaps,
    request: Request,
}

impl Bitmaps {
    /// Indexes every case of the columns.
    #[must_use]
    pub fn new(columns: &Columns) -> Self {
        let mut places: Vec<u32> = (0..columns.len() as u32).collect();
        let by = |by: By, a, b| scan::by(columns, by, by.naturally_descends(), a, b);
        let newest = |a: u32, b: u32| {
            by(By::Created, a, b)
                .then_with(|| columns.ids[a as usize].cmp(&columns.ids[b as usize]))
        };
        places.par_sort_unstable_by(|a, b| newest(*a, *b));
        let order = |field: By| {
            let mut documents: Vec<u32> = (0..places.len() as u32).collect();
            let compare = |a: u32, b: u32| by(field, places[a as usize], places[b as usize]);
            documents.par_sort_by(|a, b| compare(*a, *b));
            let starts = (0..documents.len()).filter(|rank| {
                *rank == 0 || compare(documents[rank - 1], documents[*rank]).is_ne()
            });
            let has = |n: &u32| !columns.lacks(field, places[*n as usize]);
            Orders {
                starts: starts.map(|rank| rank as u32).collect(),
                missing: documents.partition_point(has) as u32,
                natural: Order::new(documents),
                reverse: OnceLock::new(),
            }
        };
        let flags = |flag: &[bool]| {
            let numbers = (0..places.len() as u32).filter(|n| flag[places[*n as usize] as usize]);
            numbers.collect::<RoaringBitmap>()
        };
        let lists = |column: &[u32], lists: &Lists| {
            let mut bitmaps: HashMap<String, RoaringBitmap> = HashMap::new();
            for (number, place) in places.iter().enumerate() {
                for key in &lists.lists[column[*place as usize] as usize] {
                    match bitmaps.get_mut(key) {
                        Some(bitmap) => _ = bitmap.insert(number as u32),
                        None => _ = bitmaps.insert(key.clone(), [number as u32].into()),
                    }
                }
            }
            bitmaps
        };
        let (mut text, mut text_ends) = (String::new(), Vec::new());
        for place in &places {
            text.push_str(columns.texts(*place));
            text_ends.push(text.len() as u64);
        }
        Self {
            created: places.iter().map(|place| columns.created[*place as usize]).collect(),
            due: places.iter().map(|place| columns.due[*place as usize]).collect(),
            all: (0..places.len() as u32).collect(),
            unresolved: flags(&columns.unresolved),
            unassigned: flags(&columns.unassigned),
            statuses: lists(&columns.status, &columns.statuses),
            priorities: lists(&columns.priority, &columns.priorities),
            channels: lists(&columns.channel, &columns.channels),
            queues: lists(&columns.queues, &columns.queue_sets),
            agents: lists(&columns.agents, &columns.agent_sets),
            users: lists(&columns.users, &columns.user_sets),
            orders: By::ALL.into_iter().map(order).collect(),
            text,
            text_ends,
            places,
        }
    }

    /// Makes a request ready.
    #[must_use]
    pub fn prepare(&self, request: Request) -> Prepared<'_> {
        if request.by.naturally_descends() != request.descending {
            self.orders[request.by as usize].reverse();
        }
        Prepared { bitmaps: self, request }
    }

    fn texts(&self, number: u32) -> &str {
        let at = number as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.text_ends[before]);
        &self.text[start as usize..self.text_ends[at] as usize]
    }

    fn due_within(&self, first: i64, last: i64) -> RoaringBitmap {
        let order = &self.orders[By::Due as usize].natural.documents;
        let due = |number: &u32| match self.due[*number as usize] {
            NO_DATE => i64::MAX,
            due => due,
        };
        let start = order.partition_point(|number| due(number) < first);
        let has_date = self.orders[By::Due as usize].missing as usize;
        let end = order[..has_date].partition_point(|number| due(number) <= last);
        let mut numbers = order[start.min(end)..end].to_vec();
        numbers.sort_unstable();
        RoaringBitmap::from_sorted_iter(numbers).unwrap_or_default()
    }

    /// The numbers of the cases that were created in time.
    fn created_within(&self, first: i64, last: i64) -> Range<u32> {
        let start = self.created.partition_point(|created| *created > last) as u32;
        let end = self.created.partition_point(|created| *created >= first) as u32;
        start..end.max(start)
    }

    /// The documents that are as a filter asks.
    fn as_asked(&self, filter: &Filter) -> Cow<'_, RoaringBitmap> {
        match filter {
            Filter::And(parts) => {
                let mut parts: Vec<_> = parts.iter().map(|part| self.as_asked(part)).collect();
                parts.sort_unstable_by_key(|part| part.len());
                Cow::Owned(parts.iter().map(AsRef::as_ref).intersection())
            }
            Filter::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.as_asked(part)).collect();
                Cow::Owned(parts.iter().map(AsRef::as_ref).union())
            }
            Filter::Not(inner) => Cow::Owned(&self.all - self.as_asked(inner).as_ref()),
            Filter::Keys(field, wanted) => {
                let bitmaps = match field {
                    Keyed::Status => &self.statuses,
                    Keyed::Priority => &self.priorities,
                    Keyed::Channel => &self.channels,
                    Keyed::Queue => &self.queues,
                    Keyed::Assignee => &self.agents,
                };
                let mut known = wanted.iter().filter_map(|key| bitmaps.get(key));
                match (known.next(), known.next()) {
                    (None, _) => Cow::default(),
                    (Some(only), None) => Cow::Borrowed(only),
                    (Some(first), Some(second)) => {
                        Cow::Owned([first, second].into_iter().chain(known).union())
                    }
                }
            }
            Filter::Unresolved => Cow::Borrowed(&self.unresolved),
            Filter::Unassigned => Cow::Borrowed(&self.unassigned),
            Filter::Text(needle) => Cow::Owned(self.with_text(needle, None)),
            Filter::Created(first, last) => {
                Cow::Owned(self.created_within(*first, *last).collect())
            }
            Filter::Due(first, last) => Cow::Owned(self.due_within(*first, *last)),
        }
    }

    /// The documents whose texts hold a needle, of those that are left: one pass over all texts, or
    /// a look at each document that is left where these are few.
    fn with_text(&self, needle: &str, left: Option<&RoaringBitmap>) -> RoaringBitmap {
        let finder = Finder::new(needle.as_bytes());
        let has = |number: &u32| finder.find(self.texts(*number).as_bytes()).is_some();
        if let Some(left) = left.filter(|left| left.len() < self.all.len() / 4) {
            return left.iter().filter(has).collect();
        }
        let (mut found, mut from, mut number) = (RoaringBitmap::new(), 0, 0);
        while let Some(offset) = finder.find(&self.text.as_bytes()[from..]) {
            let at = (from + offset) as u64;
            number += self.text_ends[number..].iter().take_while(|end| **end <= at).count();
            found.insert(number as u32);
            from = self.text_ends[number] as usize;
        }
        match left {
            Some(left) => found & left,
            None => found,
        }
    }
}

impl Prepared<'_> {
    /// Answers the request: the page's places in the columns, and the exact total.
    #[must_use]
    pub fn run(&self) -> Answer {
        let Some(matches) = self.matches() else { return Answer::default() };
        let total = matches.len();
        let skip = self.request.skip.min(total);
        let limit = self.request.limit.min(total - skip);
        if limit == 0 {
            return Answer { places: Vec::new(), total };
        }
        let numbers = self.page(&matches, skip as usize, limit as usize);
        let places = numbers.into_iter().map(|n| self.bitmaps.places[n as usize]).collect();
        Answer { places, total }
    }

    fn matches(&self) -> Option<Cow<'_, RoaringBitmap>> {
        let (own, request) = (self.bitmaps, &self.request);
        let mut clauses: Vec<Cow<'_, RoaringBitmap>> = Vec::new();
        clauses.extend(request.unresolved.then_some(Cow::Borrowed(&own.unresolved)));
        clauses.extend(request.unassigned.then_some(Cow::Borrowed(&own.unassigned)));
        let user = request.user.as_ref().map(|user| vec![user.clone()]);
        let lists = [
            (&request.status, &own.statuses),
            (&request.priority, &own.priorities),
            (&request.channel, &own.channels),
            (&request.queues, &own.queues),
            (&request.agents, &own.agents),
            (&user, &own.users),
        ];
        for (wanted, bitmaps) in lists {
            let Some(wanted) = wanted else { continue };
            let mut known = wanted.iter().filter_map(|key| bitmaps.get(key));
            let first = known.next()?;
            clauses.push(match known.next() {
                None => Cow::Borrowed(first),
                Some(second) => Cow::Owned([first, second].into_iter().chain(known).union()),
            });
        }
        if let Some((first, last)) = request.due {
            clauses.push(Cow::Owned(own.due_within(first, last)));
        }
        clauses.extend(request.filter.as_ref().map(|filter| own.as_asked(filter)));
        clauses.sort_unstable_by_key(|clause| clause.len());
        let mut clauses = clauses.into_iter();
        let mut matches = clauses.next();
        for clause in clauses {
            matches = matches.map(|own| match own {
                Cow::Borrowed(own) => Cow::Owned(own & &*clause),
                Cow::Owned(own) => Cow::Owned(own & &*clause),
            });
        }
        if let Some((first, last)) = request.created {
            let Range { start, end } = own.created_within(first, last);
            matches = Some(Cow::Owned(match matches {
                None => (start..end).collect(),
                Some(matches) => {
                    let mut matches = matches.into_owned();
                    matches.remove_range(..start);
                    matches.remove_range(end..);
                    matches
                }
            }));
        }
        if let Some(needle) = &request.text {
            return Some(Cow::Owned(own.with_text(needle, matches.as_deref())));
        }
        Some(matches.unwrap_or(Cow::Borrowed(&own.all)))
    }

    fn page(&self, matches: &RoaringBitmap, skip: usize, limit: usize) -> Vec<u32> {
        let own = self.bitmaps;
        let natural = self.request.by.naturally_descends() == self.request.descending;
        if natural && self.request.by == By::Created {
            let mut numbers = matches.iter();
            if let Some(first) = matches.select(skip as u32) {
                numbers.advance_to(first);
            }
            return numbers.take(limit).collect();
        }
        let orders = &own.orders[self.request.by as usize];
        let order = if natural { &orders.natural } else { orders.reverse() };
        let total = matches.len();
        let walk = (skip + limit) as u64 * own.all.len() / total;
        if walk <= total * GATHER {
            let hits = order.documents.iter().copied().filter(|number| matches.contains(*number));
            return hits.skip(skip).take(limit).collect();
        }
        let mut ranks: Vec<u32> = matches.iter().map(|n| order.ranks[n as usize]).collect();
        let end = skip + limit;
        if end < ranks.len() {
            ranks.select_nth_unstable(end);
            ranks.truncate(end);
        }
        ranks.sort_unstable();
        ranks[skip..].iter().map(|rank| order.documents[*rank as usize]).collect()
    }
}
