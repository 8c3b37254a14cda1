//! The cases as every peer but getcases stores them: small numbers instead of texts.
//!
//! This is a gift to the peers. Their lists of keys are dictionary codes, made before any clock
//! starts, each order is a column of dense ranks, and a case's own number is its place in the
//! usual order (created, newest first, then `_id`), so no tie costs a second comparison. None of
//! them could keep such ranks under updates without work that is not asked of them here.
//!
//! What a live store cannot have is not given: the databases get the oldest case first and know
//! it by its arrival, which is its number counted from the other end.

use std::collections::HashMap;
use std::hash::Hash;

use anyhow::{Context as _, ensure};
use getcases_plain::{By, Columns};
use getcases_workload::{Shape, Workload};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

/// The rank of a value that is missing: the last one.
pub const MISSING: u32 = u32::MAX;
/// How many documents are read at a time.
const CHUNK: u64 = 1 << 16;

/// Cases by their number in the usual order.
#[derive(Debug)]
pub struct Rows {
    /// What the linear scan looks at.
    pub columns: Columns,
    /// The place in the columns of each number.
    pub places: Vec<u32>,
    /// The number of each place.
    pub numbers: Vec<u32>,
    /// Dense ranks in the natural direction of each order, by the order's number.
    pub ranks: Vec<Vec<u32>>,
    /// Codes of lists of keys.
    pub status: Codes<u8>,
    /// As above.
    pub priority: Codes<u8>,
    /// As above.
    pub channel: Codes<u8>,
    /// Who works on the case: codes of the assignee's keys and user ids together.
    pub assignee: Codes<u16>,
    /// Up to two queues, none of them 0.
    pub queues: Vec<[u8; 2]>,
    /// Which queue each key belongs to.
    pub queue_of: HashMap<String, u8>,
    /// Neither resolved nor closed.
    pub unresolved: Vec<bool>,
    /// Nobody's.
    pub unassigned: Vec<bool>,
    /// The numbers in the order in which databases load them: the oldest first, unless shuffled.
    pub order: Vec<u32>,
}

/// A column of codes, and what they stand for.
#[derive(Debug)]
pub struct Codes<C> {
    /// By number.
    pub column: Vec<C>,
    /// By code: keys, and user ids where a code has them.
    pub keys: Vec<(Vec<String>, Vec<String>)>,
}

impl Rows {
    /// Makes the cases of a workload and codes them.
    ///
    /// # Errors
    /// Where a document cannot be read, or has what the codes have no room for.
    pub fn new(workload: &Workload, shuffle: Option<u64>) -> anyhow::Result<Self> {
        let mut columns = Columns::default();
        for first in (0..workload.len()).step_by(CHUNK as usize) {
            let numbers = first..(first + CHUNK).min(workload.len());
            let read = numbers.into_par_iter().map(|number| {
                let mut document = Vec::new();
                workload.write_case(number, &mut document);
                Columns::read(&document)
            });
            for case in read.collect::<Vec<_>>() {
                columns.push(case.context("the linear scan cannot read a case")?);
            }
        }
        Self::code(columns, shuffle)
    }

    fn code(columns: Columns, shuffle: Option<u64>) -> anyhow::Result<Self> {
        let count = columns.len() as u32;
        let mut places: Vec<u32> = (0..count).collect();
        places.par_sort_unstable_by(|a, b| {
            let newest = columns.compare(By::Created, true, *a, *b);
            newest.then_with(|| columns.id(*a).cmp(columns.id(*b)))
        });
        let numbers = inverse(&places);
        let ranks = By::ALL.map(|by| ranks(&columns, by, &numbers)).into();
        let coded = |which: usize| {
            let lists = |place: &u32| columns.lists(*place)[which];
            codes(places.iter().map(lists).map(|(code, keys)| (code, || (keys.to_vec(), vec![]))))
        };
        let assignees = places.iter().map(|place| {
            let [.., agents, users] = columns.lists(*place);
            ((agents.0, users.0), move || (agents.1.to_vec(), users.1.to_vec()))
        });
        let assignee = codes(assignees).context("more assignees than codes")?;
        let (queues, queue_of) = queues(&columns, &places)?;
        let flags = places.iter().map(|place| columns.flags(*place));
        let (unresolved, unassigned) = flags.unzip();
        let few = "more values than codes";
        Ok(Self {
            status: coded(0).context(few)?,
            priority: coded(1).context(few)?,
            channel: coded(2).context(few)?,
            assignee,
            queues,
            queue_of,
            unresolved,
            unassigned,
            ranks,
            numbers,
            order: shuffled(count, shuffle).into_iter().map(|at| count - 1 - at).collect(),
            places,
            columns,
        })
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// What a database knows a case by: how many came before it. Of an arrival, the number.
    #[must_use]
    pub fn arrival(&self, number: u32) -> u32 {
        self.len() as u32 - 1 - number
    }

    /// The `_id` of a number.
    #[must_use]
    pub fn id(&self, number: u32) -> &str {
        self.columns.id(self.places[number as usize])
    }

    /// The folded name and title, each closed by a line feed.
    #[must_use]
    pub fn texts(&self, number: u32) -> &str {
        self.columns.texts(self.places[number as usize])
    }

    /// The rank of a case in an order.
    #[must_use]
    pub fn rank(&self, by: By, number: u32) -> u32 {
        self.ranks[by as usize][number as usize]
    }

    /// The numbers in the natural order of a field.
    #[must_use]
    pub fn sorted(&self, by: By) -> Vec<u32> {
        let ranks = &self.ranks[by as usize];
        let mut numbers: Vec<u32> = (0..self.len() as u32).collect();
        numbers.par_sort_by_key(|number| ranks[*number as usize]);
        numbers
    }
}

/// Dense ranks in the natural direction.
fn ranks(columns: &Columns, by: By, numbers: &[u32]) -> Vec<u32> {
    let compare = |a: u32, b: u32| columns.compare(by, by.naturally_descends(), a, b);
    let mut places: Vec<u32> = (0..numbers.len() as u32).collect();
    places.par_sort_unstable_by(|a, b| compare(*a, *b));
    let mut ranks = vec![MISSING; places.len()];
    let mut rank = 0;
    for (at, place) in places.iter().enumerate() {
        if columns.lacks(by, *place) {
            break;
        }
        rank += u32::from(at > 0 && compare(places[at - 1], *place).is_ne());
        ranks[numbers[*place as usize] as usize] = rank;
    }
    ranks
}

/// A code for each different item.
fn codes<K: Eq + Hash, C: TryFrom<usize>, F: FnOnce() -> (Vec<String>, Vec<String>)>(
    items: impl Iterator<Item = (K, F)>,
) -> Option<Codes<C>> {
    let mut known = HashMap::new();
    let (mut column, mut keys) = (Vec::new(), Vec::new());
    for (item, texts) in items {
        let code = *known.entry(item).or_insert_with(|| {
            keys.push(texts());
            keys.len() - 1
        });
        column.push(C::try_from(code).ok()?);
    }
    Some(Codes { column, keys })
}

/// A column of pairs, and which queue each key belongs to.
type Queues = (Vec<[u8; 2]>, HashMap<String, u8>);

/// Keys that stand in the same lists are one queue.
fn queues(columns: &Columns, places: &[u32]) -> anyhow::Result<Queues> {
    let mut lists: HashMap<u32, &[String]> = HashMap::new();
    let mut standing: HashMap<&str, Vec<u32>> = HashMap::new();
    for place in places {
        let (code, keys) = columns.lists(*place)[3];
        if lists.insert(code, keys).is_none() {
            for key in keys {
                standing.entry(key).or_default().push(code);
            }
        }
    }
    let mut known: HashMap<&[u32], u8> = HashMap::new();
    let mut queue_of = HashMap::new();
    for (key, codes) in &standing {
        let next = known.len() + 1;
        ensure!(next <= 255 || known.contains_key(codes.as_slice()), "more queues than codes");
        queue_of.insert((*key).to_owned(), *known.entry(codes).or_insert(next as u8));
    }
    let mut pairs = HashMap::new();
    for (code, keys) in lists {
        let mut queues: Vec<u8> = keys.iter().map(|key| queue_of[key]).collect();
        queues.sort_unstable();
        queues.dedup();
        ensure!(queues.len() <= 2, "a case with more than two queues");
        let mut pair = [0; 2];
        pair[..queues.len()].copy_from_slice(&queues);
        pairs.insert(code, pair);
    }
    let pair = |place: &u32| pairs[&columns.lists(*place)[3].0];
    Ok((places.iter().map(pair).collect(), queue_of))
}

fn inverse(order: &[u32]) -> Vec<u32> {
    let mut inverse = vec![0; order.len()];
    for (at, item) in order.iter().enumerate() {
        inverse[*item as usize] = at as u32;
    }
    inverse
}

/// 0 to `count`, in random order where a seed is given.
#[must_use]
pub fn shuffled(count: u32, seed: Option<u64>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    if let Some(seed) = seed {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for at in (1..order.len()).rev() {
            order.swap(at, (random.next_u64() % (at as u64 + 1)) as usize);
        }
    }
    order
}

/// The workload that is measured.
#[must_use]
pub fn workload(cases: u64, seed: u64) -> Workload {
    Workload::new(cases, seed, Shape::Lean)
}
