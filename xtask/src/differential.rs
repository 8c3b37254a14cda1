//! Random requests over random odd documents, or over real ones, each held against the oracle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{anyhow, bail};
use arbitrary::Unstructured;
use getcases::Scope;
use indicatif::ProgressBar;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde_json::json;

use crate::compare::{Desk, Edit};
use crate::generate::{self, Vocabulary};
use crate::{oracle, real};

/// How many requests are asked of one set of documents.
const REQUESTS: u64 = 500;
/// How many bytes of randomness a document and a request may use.
const DOCUMENT_BYTES: usize = 1024;
const REQUEST_BYTES: usize = 768;
/// How many real documents are written at once.
const WRITTEN: usize = 10_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many requests.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    n: u64,
    /// What they are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many documents a set may have.
    #[arg(long, value_name = "D", default_value_t = 2000)]
    documents: u64,
    /// Ask the cases of each file (NDJSON, packed by gzip), so many requests a file, with its own
    /// values.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    file: Vec<PathBuf>,
    /// End with one JSON object.
    #[arg(long)]
    json: bool,
}

/// What became of requests that did not differ.
#[derive(Default)]
struct Outcomes {
    refused: AtomicU64,
    found: AtomicU64,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let runs = args.n * args.file.len().max(1) as u64;
    let bar = ProgressBar::new(runs);
    let outcomes = Outcomes::default();
    let tell = |set: u64, differences: &[String]| {
        for difference in differences {
            bar.suspend(|| eprintln!("seed {} set {set}: {difference}", args.seed));
        }
        differences.len() as u64
    };
    let mut different = 0;
    for file in &args.file {
        let desks = desks(file)?;
        let wrong: Vec<_> = desks.iter().filter_map(|own| own.desk.validate().err()).collect();
        different += tell(0, &wrong);
        let sets = (0..args.n).into_par_iter().map(|request| {
            let difference = one_request(args, request, &desks, &outcomes);
            bar.inc(1);
            tell(request, &Vec::from_iter(difference))
        });
        different += sets.sum::<u64>();
    }
    if args.file.is_empty() {
        let sets = (0..args.n.div_ceil(REQUESTS)).into_par_iter().map(|set| {
            let requests = REQUESTS.min(args.n - set * REQUESTS);
            let differences = one_set(args, set, requests, &outcomes);
            bar.inc(requests);
            tell(set, &differences)
        });
        different = sets.sum();
    }
    bar.finish_and_clear();
    let (refused, found) = (outcomes.refused.into_inner(), outcomes.found.into_inner());
    if args.json {
        let figures = json!({
            "runs": runs, "different": different, "seed": args.seed,
            "refused": refused, "withResults": found,
        });
        println!("{figures}");
    } else {
        println!("{runs} runs, {different} different; {refused} refused, {found} with results");
    }
    if different > 0 {
        bail!("the engine and the oracle differ");
    }
    Ok(())
}

/// Fills a desk with documents, changes it now and then, and asks it; each set has a stream of
/// randomness of its own.
fn one_set(args: &Args, set: u64, requests: u64, outcomes: &Outcomes) -> Vec<String> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    random.set_stream(set);
    let vocabulary = Vocabulary::odd();
    let mut desk = Desk::new("a", "s");
    let mut differences = Vec::new();
    // Small sets are as telling as large ones: half of them have fewer than an eighth of the most.
    let most = args.documents >> (random.next_u32() % 8);
    let mut documents = random.next_u64() % (most + 1);
    let mut bytes = [0; DOCUMENT_BYTES];
    for request in 0..requests {
        if request % 100 == 0 {
            let mut batch = Vec::new();
            let most = 1 << (random.next_u32() % 9);
            for document in 0..documents {
                random.fill_bytes(&mut bytes);
                let mut u = Unstructured::new(&bytes);
                if let Ok(document) = generate::document(&mut u, &vocabulary) {
                    batch.push(document);
                }
                if batch.len() >= most || document + 1 == documents {
                    differences.extend(desk.upsert_all(&batch).err());
                    batch.clear();
                }
                if random.next_u32() % 16 == 0 {
                    let delete = Edit::DeleteAny(random.next_u64());
                    differences.extend(desk.write(&[delete]).err());
                }
            }
            differences.extend(desk.validate().err());
            // Later rounds change what is there.
            documents = documents.div_ceil(8).min(50);
        }
        let Some((context, body)) = drawn(&mut random, &vocabulary) else { continue };
        if request % 100 == 50 {
            desk.remember(&body, &context);
        }
        differences.extend(outcomes.ask(&desk, &body, &context));
    }
    differences
}

impl Outcomes {
    /// Asks a desk; gives what differs.
    fn ask(&self, desk: &Desk, body: &str, context: &oracle::Context) -> Option<String> {
        match desk.ask(body, context) {
            Ok(None) => _ = self.refused.fetch_add(1, Ordering::Relaxed),
            Ok(Some(total)) => _ = self.found.fetch_add(u64::from(total > 0), Ordering::Relaxed),
            Err(difference) => return Some(difference),
        }
        None
    }
}

/// The cases of each scope of a file, and what their requests are drawn from.
struct RealDesk {
    desk: Desk,
    vocabulary: Vocabulary,
}

fn desks(file: &Path) -> anyhow::Result<Vec<RealDesk>> {
    let mut scopes = BTreeMap::<Scope, Vec<String>>::new();
    for line in real::lines(file)? {
        scopes.entry(real::scope(&line)?).or_default().push(line);
    }
    let desk = |(scope, lines): (Scope, Vec<String>)| {
        let mut desk = Desk::new(scope.account(), scope.stream());
        let wrong = |wrong| anyhow!("{}: {wrong}", file.display());
        for lines in lines.chunks(WRITTEN) {
            desk.upsert_all(lines).map_err(wrong)?;
        }
        Ok(RealDesk { vocabulary: real::vocabulary(&lines)?, desk })
    };
    scopes.into_iter().map(desk).collect()
}

/// Asks the cases of one of a file's scopes.
fn one_request(
    args: &Args,
    request: u64,
    desks: &[RealDesk],
    outcomes: &Outcomes,
) -> Option<String> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    random.set_stream(request);
    let RealDesk { desk, vocabulary } =
        desks.get((random.next_u64() % desks.len() as u64) as usize)?;
    let (context, body) = drawn(&mut random, vocabulary)?;
    outcomes.ask(desk, &body, &context)
}

/// A request and what it is asked in; seldom none.
fn drawn(random: &mut ChaCha8Rng, vocabulary: &Vocabulary) -> Option<(oracle::Context, String)> {
    let mut bytes = [0; REQUEST_BYTES];
    random.fill_bytes(&mut bytes);
    let mut u = Unstructured::new(&bytes);
    let context = generate::context(&mut u, vocabulary).ok()?;
    let body = generate::request(&mut u, vocabulary).ok()?;
    Some((context, body))
}
