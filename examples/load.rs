//! Loads files of cases on every core, tells what is wrong with them, and asks for the open ones:
//! `cargo run --release -p getcases-examples --bin load -- FILE...`
//!
//! Files are NDJSON, JSON arrays, responses or CSV, also compressed by gzip or zstd.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use getcases::{Context, Engine, Query};
use getcases_load::{Loader, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    if files.is_empty() {
        files.push(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/seed/case.json").into());
    }
    let engine = Engine::new();
    let started = Instant::now();
    let mut loader = Loader::new(&engine);
    for file in &files {
        // A case that is wrong is told of and left out; an error here would end the load.
        let mut refuse = |refused: getcases_load::Refused| {
            refused.lines(file).iter().for_each(|line| eprintln!("{line}"));
            Ok::<_, getcases_load::Error>(())
        };
        loader.read(File::open(file)?, &Options::default(), &mut refuse)?;
    }
    let loaded = loader.finish()?;
    let report = &loaded.report;
    println!(
        "{} cases of {} bytes in {:.1?}; {} refused, {} replaced",
        report.total,
        report.bytes,
        started.elapsed(),
        report.refused,
        report.replaced
    );
    // Cases that came in no order of creation are put in order.
    while engine.maintain_for(Duration::from_millis(100)).left > 0 {}

    // The scope that all cases name; where they name several, one of `engine.scopes()`.
    let snapshot = engine.snapshot(&loaded.scopes.asked()?);
    let query = Query::from_json(br#"{"unresolved":true,"limit":5}"#, &Context::default())?;
    let page = snapshot.search(&query);
    println!("{} of {} are unresolved; the newest:", page.total_results, snapshot.len());
    for document in &page.results {
        println!("  {}", document.id());
    }
    Ok(())
}
