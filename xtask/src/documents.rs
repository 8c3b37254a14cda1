//! What documents take, packed in several ways: bytes a document, and the time to get one back.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use getcases::{Engine, Refusal, Scope};
use getcases_workload::{Shape, Workload};
use zstd::bulk::{Compressor, Decompressor};

/// How many made cases there are, and how large a trained dictionary is.
const MADE: u64 = 100_000;
const DICTIONARY: usize = 112 << 10;
const SEED: u64 = 1;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of cases, one a line, also compressed by gzip.
    files: Vec<PathBuf>,
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    println!("| cases | bytes | forms | µs | zstd 3, dictionary | µs | zstd 3 | µs |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for file in &args.files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let documents = read(file)?.collect::<Result<Vec<_>, _>>()?;
        measure(name.split('.').next().unwrap_or_default(), &documents)?;
    }
    for (name, shape) in [("made, seed-shaped", Shape::Seed), ("made, lean", Shape::Lean)] {
        let workload = Workload::new(MADE, SEED, shape);
        let make = |number| {
            let mut document = Vec::new();
            workload.write_case(number, &mut document);
            document
        };
        measure(name, &(0..MADE).map(make).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The lines of a file.
pub(crate) fn read(
    file: &Path,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Vec<u8>>> + use<'_>> {
    let unreadable = move || format!("cannot read {}", file.display());
    let raw = File::open(file).with_context(unreadable)?;
    let input: Box<dyn Read> = match file.extension() {
        Some(gz) if gz == "gz" => Box::new(flate2::read::MultiGzDecoder::new(raw)),
        _ => Box::new(raw),
    };
    let lines = BufReader::new(input).lines();
    Ok(lines.map(move |line| Ok(line.with_context(unreadable)?.into_bytes())))
}

/// Bytes and microseconds a document.
struct Cost {
    bytes: f64,
    micros: f64,
}

#[allow(clippy::print_stdout)]
fn measure(name: &str, documents: &[Vec<u8>]) -> anyhow::Result<()> {
    let count = documents.len().max(1) as f64;
    let bytes = documents.iter().map(Vec::len).sum::<usize>() as f64 / count;
    let forms = forms(documents)?;
    let samples: Vec<&[u8]> = documents.iter().step_by(7).map(Vec::as_slice).collect();
    let dictionary = zstd::dict::from_samples(&samples, DICTIONARY)?;
    let trained = zstd(documents, &dictionary)?;
    let plain = zstd(documents, &[])?;
    let cell = |Cost { bytes, micros }: Cost| format!("{bytes:.0} | {micros:.2}");
    println!("| {name} | {bytes:.0} | {} | {} | {} |", cell(forms), cell(trained), cell(plain));
    Ok(())
}

/// Numbers in no order that a cache would know.
fn scattered(count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |at| at.wrapping_mul(0x9e37_79b1) % count)
}

/// As the engine keeps them; what is shared counts.
fn forms(documents: &[Vec<u8>]) -> anyhow::Result<Cost> {
    let engine = Engine::new();
    let mut ids = Vec::with_capacity(documents.len());
    for some in documents.chunks(4096) {
        engine.write(|batch| {
            for document in some {
                // Whose case it is does not matter here.
                let case = getcases::Case::from_json(document)?;
                let own = Scope::new(
                    case.account().unwrap_or("account"),
                    case.stream().unwrap_or("stream"),
                );
                ids.push((own.clone(), case.id().to_owned()));
                batch.upsert_case(&own, case)?;
            }
            Ok::<_, Refusal>(())
        })?;
    }
    let snapshots: Vec<_> =
        engine.scopes().iter().map(|scope| (scope.clone(), engine.snapshot(scope))).collect();
    let bytes: usize = snapshots.iter().map(|(_, snapshot)| snapshot.stats().documents).sum();
    let started = Instant::now();
    for at in scattered(ids.len()) {
        let (scope, id) = &ids[at];
        let own = snapshots.iter().find(|(own, _)| own == scope);
        black_box(own.and_then(|(_, snapshot)| snapshot.get(id)));
    }
    Ok(cost(bytes, started, documents.len()))
}

fn zstd(documents: &[Vec<u8>], dictionary: &[u8]) -> anyhow::Result<Cost> {
    let mut compressor = Compressor::with_dictionary(3, dictionary)?;
    let packed: Vec<Vec<u8>> =
        documents.iter().map(|document| compressor.compress(document)).collect::<Result<_, _>>()?;
    let bytes = packed.iter().map(Vec::len).sum::<usize>() + dictionary.len();
    let mut decompressor = Decompressor::with_dictionary(dictionary)?;
    let started = Instant::now();
    for at in scattered(packed.len()) {
        black_box(decompressor.decompress(&packed[at], documents[at].len())?);
    }
    Ok(cost(bytes, started, documents.len()))
}

fn cost(bytes: usize, started: Instant, count: usize) -> Cost {
    let count = count.max(1) as f64;
    Cost { bytes: bytes as f64 / count, micros: started.elapsed().as_secs_f64() * 1e6 / count }
}
