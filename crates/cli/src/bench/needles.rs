//! Searched texts by their length: parts of names, each checked and timed.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context as _;
use getcases_workload::Class;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::peers::{self, Peers};
use super::percentile;
use super::source::Source;
use crate::args::BenchArgs;

const SEED: u64 = 3;
/// How many characters the longest needle has.
const LONGEST: usize = 10;
/// How often each needle is asked: its median is one sample.
const TIMES: usize = 9;
const TURN: Duration = Duration::from_millis(25);
/// How many parts of names are looked at for each needle of a kind.
const TRIES: usize = 200;

pub(crate) fn run(
    args: &BenchArgs,
    count: usize,
    peers: &Peers,
    source: &Source,
) -> anyhow::Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut out = io::stdout().lock();
    for has_space in [false, true] {
        for length in 1..=LONGEST {
            let mut needles = Vec::new();
            for _ in 0..count * TRIES {
                if needles.len() == count {
                    break;
                }
                needles.extend(part(source, &mut random, length, has_space)?);
            }
            if needles.is_empty() {
                continue;
            }
            for peer in &args.engine {
                let mut samples = Vec::new();
                let mut worst = (0, String::new());
                for needle in &needles {
                    let body = json!({"searchText": needle}).to_string();
                    let class = Class { name: needle.clone(), user: None, body };
                    peers.check(&class).with_context(|| format!("needle {needle:?}"))?;
                    let median = percentile(peers.time(*peer, &class, args, TIMES, TURN)?, 50);
                    samples.push(median);
                    worst = worst.max((median, needle.clone()));
                }
                let (median, p99) = (percentile(samples.clone(), 50), percentile(samples, 99));
                let engine = peers::name(*peer);
                if args.json {
                    let line = json!({
                        "engine": engine, "length": length, "has_space": has_space,
                        "needles": needles.len(), "median_ns": median, "p99_ns": p99,
                        "worst": worst.1,
                    });
                    writeln!(out, "{line}")?;
                } else {
                    writeln!(
                        out,
                        "{engine}, {length} characters{}: median {:.1} µs, p99 {:.1} µs of {} \
                         needles; slowest {:?}",
                        if has_space { " with white space" } else { "" },
                        median as f64 / 1e3,
                        p99 as f64 / 1e3,
                        needles.len(),
                        worst.1,
                    )?;
                }
                out.flush()?;
            }
        }
    }
    Ok(())
}

/// A part of some name that is as asked, if the one that was drawn is.
fn part(
    source: &Source,
    random: &mut ChaCha8Rng,
    length: usize,
    has_space: bool,
) -> anyhow::Result<Option<String>> {
    let mut below = |most: usize| (random.next_u64() % most.max(1) as u64) as usize;
    let case: Value = serde_json::from_slice(&source.document(below(source.len()) as u32))?;
    let name: Vec<char> = case["name"].as_str().unwrap_or_default().chars().collect();
    let start = below((name.len() + 1).saturating_sub(length));
    let Some(part) = name.get(start..start + length) else { return Ok(None) };
    let part: String = part.iter().collect();
    let is_trimmed = part.trim().len() == part.len();
    Ok((is_trimmed && part.contains(char::is_whitespace) == has_space).then_some(part))
}
