//! A load from memory, beside the fastest walk over the same bytes that checks them at all.

use std::io::{self, Write};
use std::time::Instant;

use getcases_load::{Block, Place};
use rayon::prelude::*;
use serde::de::IgnoredAny;
use serde_json::json;

use super::source::Source;
use crate::args::BenchArgs;
use crate::loaded::loader;
use crate::memory;

/// How many loads there are.
const ROUNDS: usize = 3;

pub(crate) fn run(args: &BenchArgs, source: &Source) -> anyhow::Result<()> {
    let mut blocks = vec![Block::default()];
    let mut bytes = 0;
    for documents in source.chunks(<[u8]>::to_vec) {
        for document in documents {
            bytes += document.len();
            match blocks.last_mut() {
                Some(last) if !last.is_full() => last.push(Place::START, Some(&document)),
                _ => {
                    let mut block = Block::default();
                    block.push(Place::START, Some(&document));
                    blocks.push(block);
                }
            }
        }
    }
    let (mut walks, mut loads) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        blocks.par_iter().try_for_each(|block| {
            let mut texts = block.records().into_iter().filter_map(|record| record.text);
            texts.try_for_each(|text| serde_json::from_slice::<IgnoredAny>(text).map(drop))
        })?;
        walks.push(started.elapsed());
        let started = Instant::now();
        let loaded = memory::loading(|| {
            let mut loader = loader();
            loader.blocks(blocks.iter().cloned(), &mut |_| {
                anyhow::bail!("a case is refused: see `getcases check`")
            })?;
            Ok(loader.finish()?)
        })?;
        loads.push(started.elapsed());
        drop(loaded);
    }
    let (walk, load) = (walks.iter().min(), loads.iter().min());
    let [walk, load] = [walk, load].map(|best| best.map_or(0.0, std::time::Duration::as_secs_f64));
    let speed = |seconds: f64| bytes as f64 / 1e6 / seconds;
    let mut out = io::stdout().lock();
    if args.json {
        let line = json!({
            "cases": source.len(), "json_bytes": bytes, "load_ms": load * 1e3,
            "walk_ms": walk * 1e3, "ratio": walk / load,
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{} cases, {} MB: loaded at {:.0} MB/s, walked at {:.0} MB/s; {:.2} × its speed",
            source.len(),
            bytes / 1_000_000,
            speed(load),
            speed(walk),
            walk / load,
        )?;
    }
    Ok(())
}
