//! Random walks by cursors over scopes that change, each held against the oracle.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::bail;
use indicatif::ProgressBar;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;
use serde_json::json;

use crate::walks::{Played, play};

/// How many plays are drawn before it is asked whether there are walks enough.
const ROUND: u64 = 1000;
/// How many bytes of randomness a play may use.
const BYTES: usize = 12_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many walks, at least.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    n: u64,
    /// What they are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// End with one JSON object.
    #[arg(long)]
    json: bool,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let (bar, wrong) = (ProgressBar::new(args.n), AtomicU64::new(0));
    let all = Mutex::new(Played::default());
    let walks = || all.lock().map_or(u64::MAX, |all| all.walks);
    let mut rounds = 0;
    while walks() < args.n {
        (rounds * ROUND..(rounds + 1) * ROUND).into_par_iter().for_each(|number| {
            match one_play(args.seed, number) {
                Ok(played) => {
                    bar.inc(played.walks);
                    if let Ok(mut all) = all.lock() {
                        all.walks += played.walks;
                        all.pages += played.pages;
                        all.resumed += played.resumed;
                    }
                }
                Err(difference) => {
                    wrong.fetch_add(1, Ordering::Relaxed);
                    bar.suspend(|| eprintln!("seed {} play {number}: {difference}", args.seed));
                }
            }
        });
        rounds += 1;
        if wrong.load(Ordering::Relaxed) > 0 {
            break;
        }
    }
    bar.finish_and_clear();
    let wrong = wrong.into_inner();
    let Played { walks, pages, resumed } = all.into_inner().unwrap_or_default();
    if args.json {
        let figures = json!({
            "walks": walks, "pages": pages, "resumed": resumed, "wrong": wrong, "seed": args.seed,
        });
        println!("{figures}");
    } else {
        println!("{walks} walks of {pages} pages, {resumed} of older snapshots: {wrong} wrong");
    }
    if wrong > 0 {
        bail!("a walk differs from the oracle, or skips or repeats a case");
    }
    Ok(())
}

fn one_play(seed: u64, number: u64) -> Result<Played, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    let mut bytes = vec![0; BYTES];
    random.fill_bytes(&mut bytes);
    play(&bytes)
}
