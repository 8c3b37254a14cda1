//! Pages of whole documents, from body bytes to response bytes, beside a plain copy of as many.

use std::io::{self, Write};
use std::time::Instant;

use getcases::Context;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::source::Source;
use super::{peers, percentile};
use crate::args::BenchArgs;

const SEED: u64 = 3;
/// How many documents a page has.
const LIMIT: usize = 50;

pub(crate) fn run(args: &BenchArgs, count: usize, source: &Source) -> anyhow::Result<()> {
    let loaded = peers::load(source)?;
    let snapshot = loaded.engine.snapshot(&loaded.scope()?);
    // Every document as it came, one after the other.
    let (mut arena, mut starts) = (Vec::new(), Vec::new());
    for documents in source.chunks(<[u8]>::to_vec) {
        for document in documents {
            starts.push(arena.len());
            arena.extend_from_slice(&document);
        }
    }
    starts.push(arena.len());
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut below = |end: usize| (random.next_u64() % end.max(1) as u64) as usize;
    let pages = source.len().div_ceil(LIMIT);
    let [mut first, mut any, mut copied] = [(); 3].map(|()| Vec::with_capacity(count));
    let context = Context::default();
    for _ in 0..count {
        let page = format!(r#"{{"page":{}}}"#, below(pages) + 1);
        for (body, samples) in [("{}", &mut first), (&page, &mut any)] {
            let started = Instant::now();
            let answer = snapshot.search_json(body.as_bytes(), &context);
            samples.push(started.elapsed().as_nanos() as u64);
            anyhow::ensure!(
                answer.is_ok_and(|response| response.json.len() > LIMIT),
                "{body} is refused"
            );
        }
        let drawn: Vec<usize> = (0..LIMIT).map(|_| below(source.len())).collect();
        let started = Instant::now();
        let length = drawn.iter().map(|at| starts[at + 1] - starts[*at]).sum();
        let mut copy = Vec::with_capacity(length);
        drawn.iter().for_each(|at| copy.extend_from_slice(&arena[starts[*at]..starts[at + 1]]));
        std::hint::black_box(&copy);
        copied.push(started.elapsed().as_nanos() as u64);
    }
    let [first, any, copied] =
        [first, any, copied].map(|samples| [50, 99].map(|at| percentile(samples.clone(), at)));
    let ratio = |own: [u64; 2]| own[0] as f64 / copied[0].max(1) as f64;
    let mut out = io::stdout().lock();
    if args.json {
        let line = json!({
            "cases": source.len(), "document_bytes": arena.len() / source.len().max(1),
            "first_median_ns": first[0], "first_p99_ns": first[1],
            "any_median_ns": any[0], "any_p99_ns": any[1],
            "copy_median_ns": copied[0], "copy_p99_ns": copied[1],
            "first_ratio": ratio(first), "any_ratio": ratio(any),
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let micros = |ns: u64| ns as f64 / 1e3;
    for (what, own) in [("{}", first), ("any page", any)] {
        writeln!(
            out,
            "{what:8}: median {:.1} µs, p99 {:.1} µs; {:.1} × a copy of 50 documents ({:.1} µs)",
            micros(own[0]),
            micros(own[1]),
            ratio(own),
            micros(copied[0]),
        )?;
    }
    Ok(())
}
