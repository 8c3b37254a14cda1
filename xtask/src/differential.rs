//! Random requests over random odd documents, each held against the oracle.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::bail;
use arbitrary::Unstructured;
use indicatif::ProgressBar;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde_json::json;

use crate::compare::{Desk, Edit};
use crate::generate::{self, Vocabulary};

/// How many requests are asked of one set of documents.
const REQUESTS: u64 = 500;
/// How many bytes of randomness a document and a request may use.
const DOCUMENT_BYTES: usize = 1024;
const REQUEST_BYTES: usize = 768;

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
    /// End with one JSON object.
    #[arg(long)]
    json: bool,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let bar = ProgressBar::new(args.n);
    let (refused, found) = (AtomicU64::new(0), AtomicU64::new(0));
    let different: u64 = (0..args.n.div_ceil(REQUESTS))
        .into_par_iter()
        .map(|set| {
            let requests = REQUESTS.min(args.n - set * REQUESTS);
            let differences = one_set(args, set, requests, &refused, &found);
            bar.inc(requests);
            for difference in &differences {
                bar.suspend(|| eprintln!("seed {} set {set}: {difference}", args.seed));
            }
            differences.len() as u64
        })
        .sum();
    bar.finish_and_clear();
    let (refused, found) = (refused.into_inner(), found.into_inner());
    if args.json {
        let figures = json!({
            "runs": args.n, "different": different, "seed": args.seed,
            "refused": refused, "withResults": found,
        });
        println!("{figures}");
    } else {
        println!("{} runs, {different} different; {refused} refused, {found} with results", args.n);
    }
    if different > 0 {
        bail!("the engine and the oracle differ");
    }
    Ok(())
}

/// Fills a desk with documents, changes it now and then, and asks it; each set has a stream of
/// randomness of its own.
fn one_set(
    args: &Args,
    set: u64,
    requests: u64,
    refused: &AtomicU64,
    found: &AtomicU64,
) -> Vec<String> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    random.set_stream(set);
    let vocabulary = Vocabulary::odd();
    let mut desk = Desk::new("a", "s");
    let mut differences = Vec::new();
    // Small sets are as telling as large ones: half of them have fewer than an eighth of the most.
    let most = args.documents >> (random.next_u32() % 8);
    let mut documents = random.next_u64() % (most + 1);
    let mut bytes = vec![0; DOCUMENT_BYTES.max(REQUEST_BYTES)];
    for request in 0..requests {
        if request % 100 == 0 {
            let mut batch = Vec::new();
            let most = 1 << (random.next_u32() % 9);
            for document in 0..documents {
                random.fill_bytes(&mut bytes[..DOCUMENT_BYTES]);
                let mut u = Unstructured::new(&bytes[..DOCUMENT_BYTES]);
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
        random.fill_bytes(&mut bytes[..REQUEST_BYTES]);
        let mut u = Unstructured::new(&bytes[..REQUEST_BYTES]);
        let (Ok(context), Ok(body)) =
            (generate::context(&mut u, &vocabulary), generate::request(&mut u, &vocabulary))
        else {
            continue;
        };
        if request % 100 == 50 {
            desk.remember(&body, &context);
        }
        match desk.ask(&body, &context) {
            Ok(None) => _ = refused.fetch_add(1, Ordering::Relaxed),
            Ok(Some(total)) => _ = found.fetch_add(u64::from(total > 0), Ordering::Relaxed),
            Err(difference) => differences.push(difference),
        }
    }
    differences
}
