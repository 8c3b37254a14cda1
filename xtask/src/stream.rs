//! A stream of real updates, written into a store while readers ask: every read must be what the
//! oracle says of the cases as they were between two batches.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use arbitrary::Unstructured;
use getcases::{Batch, Scope, Snapshot};
use getcases_store::{Options, Store};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::generate::{self, Vocabulary};
use crate::stress::Host;
use crate::{compare, oracle, real};

/// How many cases are written at once before the stream begins.
const LOADED: usize = 10_000;
const READERS: u64 = 2;
/// How long a reader waits between two reads.
const PAUSE: Duration = Duration::from_millis(2);
/// How many bytes of randomness a request may use.
const BYTES: usize = 500;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The cases before the stream.
    #[arg(long, default_value = "../shared/data/uci_servicenow_snapshot.ndjson.gz")]
    snapshot: PathBuf,
    /// The updates, in their order.
    #[arg(long, default_value = "../shared/data/uci_servicenow_updates.ndjson.gz")]
    updates: PathBuf,
    /// How many updates are a batch.
    #[arg(long, value_name = "N", num_args = 1.., default_values_t = [1, 10, 100])]
    batch: Vec<usize>,
    /// How many reads are held against the oracle, of each size of batches.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    reads: usize,
    /// What requests are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

/// What a reader was answered.
struct Asked {
    generation: u64,
    body: String,
    context: oracle::Context,
    /// The `_id`s of the page and the total, or the codes of what is wrong.
    answer: Result<(Vec<String>, u64), Vec<String>>,
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let [cases, updates] = [&args.snapshot, &args.updates].map(|file| real::lines(file));
    let (cases, updates) = (cases?, updates?);
    for size in &args.batch {
        let asked = beside_a_store(|store| one(args, (&cases, &updates), *size, store))?;
        let (reads, between) = asked?;
        println!(
            "batches of {size}: {} updates, {reads} reads held against the oracle, {between} of \
             them while updates came; 0 differ",
            updates.len()
        );
    }
    Ok(())
}

/// Does something with an empty store, which is gone afterwards.
pub(crate) fn beside_a_store<T>(work: impl FnOnce(&Store) -> T) -> anyhow::Result<T> {
    let folder = std::env::temp_dir().join(format!("getcases-stream-{}", std::process::id()));
    let store = Store::open(&folder, &Options::default())?;
    let done = work(&store);
    drop(store);
    std::fs::remove_dir_all(&folder)?;
    Ok(done)
}

impl Host for Store {
    fn snapshot(&self, scope: &Scope) -> Snapshot {
        Self::snapshot(self, scope)
    }

    fn commit(&self, batch: Batch<'static>) -> Result<(), String> {
        self.write(batch).map(drop).map_err(|error| error.to_string())
    }

    fn maintain(&self, slots: usize) {
        Self::maintain(self, slots);
    }
}

fn written(store: &Store, scope: &Scope, lines: &[String]) -> anyhow::Result<u64> {
    let mut batch = Batch::new();
    for line in lines {
        batch.upsert(scope, line).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    }
    store.write(batch)?.generation(scope).context("nothing was written")
}

/// Writes the stream in batches of a size; gives how many reads were held against the oracle, and
/// how many of them were between its first batch and its last.
fn one(
    args: &Args,
    (cases, updates): (&[String], &[String]),
    size: usize,
    store: &Store,
) -> anyhow::Result<(usize, usize)> {
    let scope = real::scope(cases.first().context("no case")?)?;
    let mut boundaries = Vec::new();
    for cases in cases.chunks(LOADED) {
        boundaries = vec![written(store, &scope, cases)?];
    }
    let vocabulary = real::vocabulary(cases)?;
    let (is_over, scope) = (AtomicBool::new(false), &scope);
    let mut asked = std::thread::scope(|threads| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let (vocabulary, is_over) = (&vocabulary, &is_over);
                threads.spawn(move || {
                    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
                    random.set_stream(reader * 1000 + size as u64);
                    read(store, scope, vocabulary, &mut random, is_over)
                })
            })
            .collect();
        for updates in updates.chunks(size) {
            boundaries.push(written(store, scope, updates)?);
        }
        is_over.store(true, Ordering::Relaxed);
        let mut asked = Vec::new();
        for reader in readers {
            asked.extend(reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?);
        }
        Ok::<_, anyhow::Error>(asked)
    })?;
    // Some of all, evenly.
    asked.sort_by_key(|own| own.generation);
    let step = asked.len().div_ceil(args.reads).max(1);
    let kept: Vec<_> = asked.into_iter().step_by(step).collect();
    let (first, last) = (boundaries[0], boundaries[boundaries.len() - 1]);
    let between = kept.iter().filter(|own| own.generation > first && own.generation < last).count();

    let mut model = Model::default();
    cases.iter().try_for_each(|line| model.upsert(line, scope))?;
    let mut reads = kept.iter().peekable();
    for (number, boundary) in boundaries.iter().enumerate() {
        if number > 0 {
            let from = (number - 1) * size;
            let batch = &updates[from..updates.len().min(from + size)];
            batch.iter().try_for_each(|line| model.upsert(line, scope))?;
        }
        while let Some(read) = reads.next_if(|own| own.generation == *boundary) {
            model.compare(read)?;
        }
    }
    if let Some(read) = reads.next() {
        bail!("a read saw generation {}, between two batches", read.generation);
    }
    Ok((kept.len(), between))
}

/// Asks until the stream is over.
fn read(
    store: &Store,
    scope: &Scope,
    vocabulary: &Vocabulary,
    random: &mut ChaCha8Rng,
    is_over: &AtomicBool,
) -> Vec<Asked> {
    let mut asked = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let mut bytes = [0; BYTES];
        random.fill_bytes(&mut bytes);
        let mut u = Unstructured::new(&bytes);
        let drawn = generate::context(&mut u, vocabulary)
            .and_then(|context| Ok((context, generate::request(&mut u, vocabulary)?)));
        let Ok((context, body)) = drawn else { continue };
        let snapshot = store.snapshot(scope);
        let query = snapshot.query_json(body.as_bytes(), &compare::ours(&context));
        let answer = match query {
            Ok(query) => {
                let page = snapshot.search(&query);
                let ids = page.results.iter().map(|own| own.id().to_owned()).collect();
                Ok((ids, page.total_results))
            }
            Err(refusal) => {
                Err(refusal.problems().iter().map(|own| own.code().to_string()).collect())
            }
        };
        asked.push(Asked { generation: snapshot.generation(), body, context, answer });
        std::thread::sleep(PAUSE);
    }
    asked
}

/// The cases as they must be.
#[derive(Default)]
struct Model {
    documents: Vec<oracle::Document>,
    places: HashMap<String, usize>,
}

impl Model {
    fn upsert(&mut self, line: &str, scope: &Scope) -> anyhow::Result<()> {
        let own = oracle::read(line.as_bytes(), scope.account(), scope.stream());
        let own = own.map_err(|wrong| anyhow::anyhow!("{wrong:?}"))?;
        match self.places.get(&own.id) {
            Some(place) => self.documents[*place] = own,
            None => {
                self.places.insert(own.id.clone(), self.documents.len());
                self.documents.push(own);
            }
        }
        Ok(())
    }

    fn compare(&self, read: &Asked) -> anyhow::Result<()> {
        let right = oracle::answer(&self.documents, read.body.as_bytes(), &read.context);
        let right = right.map(|own| (own.ids, own.total_results));
        let right =
            right.map_err(|wrong| wrong.into_iter().map(|own| own.code).collect::<Vec<_>>());
        let generation = read.generation;
        ensure!(
            right == read.answer,
            "{} at generation {generation}: {:?}, and not {right:?}",
            read.body,
            read.answer
        );
        Ok(())
    }
}
