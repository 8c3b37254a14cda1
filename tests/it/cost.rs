//! What a request and a load may cost, as functions of cases, matches and page; and what they do.
//!
//! The cost oracle, beside the oracle of answers: no figure here is a time.

use std::collections::HashMap;
use std::time::Duration;

use arbitrary::Unstructured;
use getcases::{Engine, FilterReport, Query, Refusal, Scope, Stats};
use serde_json::Value;

use super::compare::{self, Desk};
use super::counting::{Used, counted, live};
use super::degenerate::{Change, Draw, Recipe, aimed, left};
use super::generate::{self, Vocabulary};
use super::oracle;

/// How many cases a segment has.
const SEGMENT: u64 = if cfg!(getcases_small_segments) { 64 } else { 65_536 };

const KB: u64 = 1 << 10;

/// What the cost of a request may depend on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// Cases of the scope.
    pub cases: u64,
    /// Cases that the most selective filter holds for; nothing where no filter is asked.
    pub driving: Option<u64>,
    /// Cases that the leaves of a filter hold for, together; and how many leaves there are.
    pub leaves: [u64; 2],
    /// Cases that match.
    pub matches: u64,
    /// Matches up to the end of the page.
    pub page_end: u64,
    /// Matches of the page.
    pub shown: u64,
    /// Bytes of the page's documents, whole, and of the longest of them.
    pub whole: u64,
    pub longest: u64,
    /// Bytes of the body that asks, and of the one that answers.
    pub body: u64,
    pub out: u64,
    /// Whether keys are asked after the first one.
    pub has_more_keys: bool,
}

/// From how many matches before its end on a page is far.
const FAR: u64 = 256;

impl Facts {
    /// How many segments there are.
    fn segments(&self) -> u64 {
        self.cases.div_ceil(SEGMENT)
    }

    /// How many cases the best way to the page must look at.
    fn needed(&self) -> u64 {
        // A walk along an order, or the gathering of what the most selective filter leaves.
        let ties = if self.has_more_keys { self.matches } else { 0 };
        let [leaves, _] = self.leaves;
        self.driving.unwrap_or(0).min(self.cases) + leaves + self.page_end + ties
    }

    /// How many cases may be looked at one by one.
    pub fn examined(&self) -> u64 {
        // A walk that was given up, and the gathering that followed; before a far page each slot
        // of an order is counted twice at most, where that costs less than its matches; each case
        // of the scope about three times at most; some before anything pays.
        let [_, leaves] = self.leaves;
        let far = if self.page_end > FAR { 2 * self.cases } else { 0 };
        (4 * self.needed() + far).min((3 + leaves) * self.cases) + 2048 + 64 * self.segments()
    }

    /// How many bytes may be allocated in all while a response body is made.
    pub fn allocated(&self) -> u64 {
        // The answer as it grows; each document on its way, and the tokens of one that columns are
        // taken from; the body as it is read; keys and slots of what is looked at; a set of slots
        // or two a segment, and two for each leaf of a filter; the terms of a needle.
        let documents = 3 * self.out + 12 * self.whole;
        let sets = (24 + 20 * self.leaves[1]) * KB * self.segments();
        documents + 20 * self.body + 48 * self.needed() + 128 * KB + sets
    }

    /// How many bytes may be held at once meanwhile.
    pub fn peak(&self) -> u64 {
        // An answer of columns grows: what it had and twice that. One document at a time on its
        // way, and its tokens where columns are taken from it.
        let documents = 3 * self.out + self.whole / 4 + 4 * self.longest;
        // A set of signatures for each leaf.
        let leaves = KB * self.leaves[1];
        documents
            + leaves
            + 16 * self.body
            + 40 * self.needed()
            + 64 * KB
            + 24 * KB * self.segments()
    }

    /// How many bytes the answer may have.
    pub fn out(&self) -> u64 {
        // Each document as it is, a comma, and the figures around them.
        self.whole + self.shown + 200
    }

    /// How much room the answer may take.
    pub fn capacity(&self) -> u64 {
        self.out + self.out / 10 + 4 * KB
    }
}

/// A cost: what it is, how much, and its bound.
pub type Figure = (&'static str, u64, u64);

/// A scope that was loaded, and what that took.
pub struct Loaded {
    pub desk: Desk,
    /// Bytes of each document.
    lengths: HashMap<String, u64>,
    /// What the load took, figure by figure.
    pub figures: Vec<Figure>,
    /// Some documents, to draw requests from.
    pub sample: Vec<Value>,
}

/// What a load may depend on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    pub cases: u64,
    /// Bytes of the documents that are left, and of all that were ever written.
    pub left: u64,
    pub written: u64,
    /// Bytes of all names.
    pub names: u64,
    pub changes: u64,
    pub batches: u64,
}

impl Written {
    /// How many bytes may be held after a load.
    pub fn held(&self) -> u64 {
        // Short words that no other name has: each is a term, and so is the seam before it.
        6 * self.left + 10 * self.names + KB * self.cases + 256 * KB
    }

    /// How many bytes may be allocated in all by a load.
    pub fn allocated(&self) -> u64 {
        // A name of words of its own is entered suffix by suffix, each past up to 32 nodes; a batch
        // copies the pages that it changes, a hundred for a case of thirty queues.
        24 * self.written + 512 * self.names + 8 * KB * self.changes + 128 * KB * self.batches
    }

    /// How many bytes may be held at once by a load.
    pub fn peak(&self) -> u64 {
        // Suffixes are sorted before they are entered, not more than some megabytes of them.
        let suffixes = (32 * self.names).min(24 << 20);
        12 * self.written + 16 * self.names + suffixes + 2 * KB * self.changes + 512 * KB
    }
}

fn total(stats: &Stats) -> u64 {
    stats.bytes() as u64
}

/// An engine whose calls do their work themselves, on the thread whose memory is counted.
pub fn engine() -> Engine {
    Engine::builder().threads(1).build()
}

/// Writes changes, as a host would; gives what the writing took, the reading of documents included.
pub fn write(engine: &Engine, scope: &Scope, batches: &[Vec<Change>]) -> Used {
    let ((), used) = counted(|| {
        for batch in batches {
            let written = engine.write(|staged| {
                batch.iter().try_for_each(|change| match change {
                    Change::Upsert { text, .. } => staged.upsert(scope, text),
                    Change::Delete { id } => {
                        staged.delete(scope, id);
                        Ok::<_, Refusal>(())
                    }
                })
            });
            written.expect("no document here is refused");
        }
    });
    used
}

/// How far a count of bytes may be beyond another one of the same.
fn beyond(other: u64) -> u64 {
    other + other * 3 / 10 + 64 * KB
}

/// How many bytes are held since there were so many, and how many the statistics tell of. What was
/// replaced may still be freed, by a thread of its own: it is waited for.
fn kept(engine: &Engine, scope: &Scope, before: i64) -> (u64, u64) {
    let told = total(&engine.snapshot(scope).stats());
    let held = || live().saturating_sub(before).max(0) as u64;
    let soon = Duration::from_millis(10);
    (0..100).take_while(|_| held() > beyond(told)).for_each(|_| std::thread::sleep(soon));
    (held(), told)
}

impl Loaded {
    /// Loads documents in one batch.
    pub fn texts(texts: impl Iterator<Item = String>) -> Self {
        let upsert = |(at, text): (usize, String)| Change::Upsert { id: at.to_string(), text };
        Self::new(&[texts.enumerate().map(upsert).collect()])
    }

    /// Loads what changes leave, a batch after the other.
    pub fn new(batches: &[Vec<Change>]) -> Self {
        let (engine, scope) = (engine(), Scope::new("a", "s"));
        let before = live();
        let used = write(&engine, &scope, batches);
        let texts = left(batches);
        let bytes = |change: &Change| match change {
            Change::Upsert { text, .. } => text.len() as u64,
            Change::Delete { id } => id.len() as u64,
        };
        let name = |change: &Change| match change {
            Change::Upsert { text, .. } => {
                let document: Value = serde_json::from_str(text).unwrap_or_default();
                document["name"].as_str().map_or(0, |name| name.len() as u64)
            }
            Change::Delete { .. } => 0,
        };
        let facts = Written {
            cases: texts.len() as u64,
            left: texts.iter().map(|text| text.len() as u64).sum(),
            written: batches.iter().flatten().map(bytes).sum(),
            names: batches.iter().flatten().map(name).sum(),
            changes: batches.iter().flatten().count() as u64,
            batches: batches.len() as u64,
        };
        let (mut held, mut told) = kept(&engine, &scope, before);
        if held > facts.held().min(beyond(told)) {
            // A scope that is being built anew is held twice.
            while engine.maintain(usize::MAX).left > 0 {}
            (held, told) = kept(&engine, &scope, before);
        }
        let figures = vec![
            ("held after the load", held, facts.held()),
            ("allocated by the load", used.allocated, facts.allocated()),
            ("peak of the load", used.peak, facts.peak()),
            ("held beyond what stats tell", held, beyond(told)),
            ("told by stats beyond what is held", told, beyond(held)),
        ];
        let read =
            |text: &&str| oracle::read(text.as_bytes(), "a", "s").expect("no document is refused");
        let documents: Vec<_> = texts.iter().map(read).collect();
        let lengths = documents.iter().map(|own| (own.id.clone(), own.text.len() as u64)).collect();
        let small = texts.iter().filter(|text| text.len() < 20_000);
        let sample = small.step_by(texts.len() / 500 + 1);
        let sample = sample.map(|text| serde_json::from_str(text).expect("it was read before"));
        Self {
            sample: sample.collect(),
            desk: Desk::of(engine, scope, documents),
            lengths,
            figures,
        }
    }

    /// Asks engine and oracle, and says what the answer took; or how they differ.
    pub fn ask(&self, text: &str, context: &oracle::Context) -> Result<Vec<Figure>, String> {
        let matches = self.desk.ask(text, context)?;
        let snapshot = self.desk.engine.snapshot(&self.desk.scope);
        let context = compare::ours(context);
        let (answer, used) = counted(|| {
            let answer = snapshot.search_json(text.as_bytes(), &context);
            answer.map(|response| response.json).map_err(|refusal| refusal.to_json())
        });
        let mut facts = Facts { body: text.len() as u64, ..Facts::default() };
        facts.cases = snapshot.len() as u64;
        let (Some(matches), Ok(query)) = (matches, Query::from_json(text.as_bytes(), &context))
        else {
            let refused = answer.err().map_or(0, |errors| errors.len() as u64);
            let figures = vec![
                ("bytes of the refusal", refused, 1 << 20),
                (
                    "allocated for a refusal",
                    used.allocated,
                    // Some readings of the body, the answer while it grows, and what is made of
                    // at most 101 problems, each of at most 6 KB.
                    40 * facts.body + 4 * refused + 101 * 6 * KB,
                ),
            ];
            return Ok(figures);
        };
        let explain = snapshot.explain(&query);
        facts.leaves = explain.filter.as_ref().map_or([0; 2], leaves);
        let page = snapshot.search(&query);
        let whole = page.results.iter().map(|own| self.lengths[own.id()]);
        let answer = answer.unwrap_or_default();
        facts.matches = matches;
        facts.driving = explain.clauses.iter().map(|clause| clause.cases).min();
        facts.shown = page.results.len() as u64;
        let start = (page.page - 1).saturating_mul(page.limit);
        let body = oracle::json::read(text.as_bytes(), "").ok();
        let skip = body.as_ref().and_then(|body| body.get("skip")?.raw.parse().ok());
        let start = skip.unwrap_or(start);
        facts.page_end = if facts.shown == 0 { 0 } else { start + facts.shown };
        facts.longest = whole.clone().max().unwrap_or(0);
        facts.whole = whole.sum();
        facts.out = answer.len() as u64;
        facts.has_more_keys = query.order().keys().len() > 3;
        let figures = vec![
            ("examined", explain.examined, facts.examined()),
            ("allocated", used.allocated, facts.allocated()),
            ("peak", used.peak, facts.peak()),
            ("bytes out", facts.out, facts.out()),
            ("room of the answer", answer.capacity() as u64, facts.capacity()),
        ];
        Ok(figures)
    }
}

/// How many cases the leaves of a filter hold for, together; and how many leaves there are.
fn leaves(filter: &FilterReport) -> [u64; 2] {
    if filter.parts.is_empty() {
        return [filter.cases, 1];
    }
    let parts = filter.parts.iter().map(leaves);
    parts.fold([0; 2], |[cases, count], [own, own_count]| [cases + own, count + own_count])
}

/// A degenerate scope and requests, all drawn by a seed. Hands on each body with what its answer
/// took, the load's own figures first; gives the recipe, and where engine and oracle differ.
pub fn drawn(
    seed: u64,
    cases: u64,
    requests: u64,
    mut each: impl FnMut(&str, &[Figure]),
) -> (Recipe, Vec<String>) {
    let mut draw = Draw(seed);
    let recipe = Recipe::drawn(cases, &mut draw);
    let loaded = Loaded::new(&recipe.batches(&mut draw));
    each("the load", &loaded.figures);
    let mut differences: Vec<_> = loaded.desk.validate().err().into_iter().collect();
    let vocabulary = Vocabulary::of(&loaded.sample);
    for request in 0..requests {
        let asked = if request.is_multiple_of(2) && !loaded.sample.is_empty() {
            let (body, user) = aimed(&mut draw, &loaded.sample, cases);
            let max_limit = 1000;
            (body.to_string(), oracle::Context { user, max_limit, ..oracle::Context::default() })
        } else {
            let bytes = draw.bytes(600);
            let mut u = Unstructured::new(&bytes);
            let context = generate::context(&mut u, &vocabulary);
            match (context, generate::request(&mut u, &vocabulary)) {
                (Ok(context), Ok(body)) => (body, context),
                _ => continue,
            }
        };
        match loaded.ask(&asked.0, &asked.1) {
            Ok(figures) => each(&asked.0, &figures),
            Err(difference) => differences.push(difference),
        }
    }
    (recipe, differences)
}
