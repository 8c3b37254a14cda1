//! `getcases bench`: the query classes, needles, or upserts, timed; every answer is checked first.

mod drawn;
mod loads;
mod needles;
mod pages;
mod peers;
mod source;
mod upserts;

use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use comfy_table::{Table, presets};
use getcases_workload::Class;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::args::{BenchArgs, Peer, Timed};
use crate::tell;
use peers::Peers;
use source::Source;

/// How often the peers take turns.
const ROUNDS: usize = 10;
/// How long one turn of one body may take: slow bodies are asked less often.
const TURN: Duration = Duration::from_millis(100);

/// What one class took one peer.
#[derive(Debug, Serialize)]
struct Line {
    class: String,
    /// What was asked, as JSON.
    body: Box<RawValue>,
    engine: &'static str,
    median_ns: u64,
    p99_ns: u64,
    total: u64,
    plan: String,
    timed: &'static str,
    variants: Option<Variants>,
}

/// What the bodies with other values took: each body's median is one sample.
#[derive(Debug, Serialize)]
struct Variants {
    bodies: usize,
    median_ns: u64,
    p99_ns: u64,
}

pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if args.timed == Timed::Bytes && args.engine != [Peer::Getcases] {
        return Err(crate::Usage("only getcases answers with bytes".to_owned()).into());
    }
    if args.source.file.is_none() && !args.reading.is_plain() {
        let wrong = "--map and --records say how a file is read, and there is no --file";
        return Err(crate::Usage(wrong.to_owned()).into());
    }
    let source = Source::open(args)?;
    if let Some(count) = args.upserts {
        return upserts::run(args, count, &source);
    }
    if let Some(count) = args.pages {
        return pages::run(args, count, &source);
    }
    if args.load {
        return loads::run(args, &source);
    }
    let peers = Peers::load(args, &source)?;
    if let Some(count) = args.needles {
        return needles::run(args, count, &peers, &source);
    }
    let mut out = io::stdout().lock();
    let mut lines = Vec::new();
    for (name, class) in classes(args, &peers)? {
        let class = match class {
            Ok(class) => class,
            Err(lack) => {
                tell(&format!("{name}: skipped: {lack}"));
                if args.json {
                    writeln!(out, "{}", json!({"class": name, "skipped": lack}))?;
                }
                continue;
            }
        };
        let variants = match args.source.file {
            Some(_) => drawn::variants(&class, peers.columns(), args.variants),
            None => source.variants(&class, args.variants)?,
        };
        let measured = measure(args, &peers, &class, &variants)
            .with_context(|| format!("class {}", class.name))?;
        for line in measured {
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&line)?)?;
                out.flush()?;
            }
            lines.push(line);
        }
    }
    if !args.json {
        writeln!(out, "{}", table(&lines, args))?;
    }
    Ok(())
}

/// The classes by their names: those of the workload, with a file's own values where there is one,
/// or those of a file of classes.
fn classes(args: &BenchArgs, peers: &Peers) -> anyhow::Result<Vec<(String, drawn::Formed)>> {
    let own = |class: Class| (class.name.clone(), Ok(class));
    Ok(match (&args.classes, &args.source.file) {
        (Some(file), _) => read_classes(file)?.into_iter().map(own).collect(),
        (None, None) => getcases_workload::classes().into_iter().map(own).collect(),
        (None, Some(_)) => {
            let formed = drawn::classes(peers.columns()).into_iter();
            formed.map(|(name, class)| (name.to_owned(), class)).collect()
        }
    })
}

fn read_classes(file: &std::path::Path) -> anyhow::Result<Vec<Class>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let wrong = || format!("{}:{}: not a class", file.display(), at + 1);
            Class::read(line).with_context(wrong)
        })
        .collect()
}

/// Checks a class and its variants on every peer, then times them turn by turn.
fn measure(
    args: &BenchArgs,
    peers: &Peers,
    class: &Class,
    variants: &[Class],
) -> anyhow::Result<Vec<Line>> {
    let mut total = 0;
    for (at, body) in [class].into_iter().chain(variants).enumerate() {
        let found = peers.check(body)?;
        if at == 0 {
            total = found;
        }
    }
    let mut samples = vec![Vec::new(); args.engine.len()];
    let per_round = args.iterations.div_ceil(ROUNDS);
    for _ in 0..ROUNDS {
        for (peer, samples) in args.engine.iter().zip(&mut samples) {
            samples.extend(peers.time(*peer, class, args, per_round, TURN)?);
        }
    }
    let mut of_variants = vec![Vec::new(); args.engine.len()];
    let few = (args.iterations / ROUNDS).clamp(1, 20);
    for body in variants {
        for (peer, samples) in args.engine.iter().zip(&mut of_variants) {
            let times = peers.time(*peer, body, args, few, TURN / 4)?;
            samples.push(percentile(times, 50));
        }
    }
    let lines = args.engine.iter().zip(samples).zip(of_variants);
    lines
        .map(|((peer, samples), variants)| {
            Ok(Line {
                class: getcases_load::plain(&class.name),
                body: RawValue::from_string(class.body.clone())?,
                engine: peers::name(*peer),
                median_ns: percentile(samples.clone(), 50),
                p99_ns: percentile(samples, 99),
                total,
                plan: peers.plan(*peer, class)?,
                timed: match args.timed {
                    Timed::Query => "query",
                    Timed::Bytes => "bytes",
                },
                variants: (!variants.is_empty()).then(|| Variants {
                    bodies: variants.len(),
                    median_ns: percentile(variants.clone(), 50),
                    p99_ns: percentile(variants, 99),
                }),
            })
        })
        .collect()
}

/// What this part of the samples, in hundredths, does not exceed.
pub(crate) fn percentile(mut samples: Vec<u64>, hundredths: usize) -> u64 {
    samples.sort_unstable();
    let at = (samples.len() * hundredths).div_ceil(100).saturating_sub(1);
    samples.get(at).copied().unwrap_or(0)
}

/// Nanoseconds of running something for a number of times, or for as long as its turn lasts, but
/// once at least.
fn timed<T>(times: usize, turn: Duration, mut run: impl FnMut() -> T) -> Vec<u64> {
    let started = Instant::now();
    let mut samples = Vec::with_capacity(times);
    while samples.len() < times && (samples.is_empty() || started.elapsed() < turn) {
        let asked = Instant::now();
        std::hint::black_box(run());
        samples.push(asked.elapsed().as_nanos() as u64);
    }
    samples
}

/// The lines side by side, with their ratios and the geometric means.
fn table(lines: &[Line], args: &BenchArgs) -> String {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let mut header = vec!["class".to_owned(), "total".to_owned()];
    for peer in &args.engine {
        header.extend(
            ["median µs", "p99", "variants"].map(|of| format!("{} {of}", peers::name(*peer))),
        );
    }
    let compares = args.engine == [Peer::Getcases, Peer::Roaring];
    header.extend(compares.then(|| "ratio".to_owned()));
    table.set_header(header);
    let micros = |ns: u64| format!("{:.1}", ns as f64 / 1e3);
    let mut logs = vec![0.0; args.engine.len()];
    let classes = lines.chunks(args.engine.len().max(1));
    let count = classes.len() as f64;
    for class in classes {
        let mut row = vec![class[0].class.clone(), class[0].total.to_string()];
        for (line, log) in class.iter().zip(&mut logs) {
            *log += (line.median_ns.max(1) as f64).ln() / count;
            let variants = line.variants.as_ref().map_or(String::new(), |v| micros(v.median_ns));
            row.extend([micros(line.median_ns), micros(line.p99_ns), variants]);
        }
        if let ([ours, theirs], true) = (class, compares) {
            row.push(format!("{:.1}×", theirs.median_ns as f64 / ours.median_ns.max(1) as f64));
        }
        table.add_row(row);
    }
    let mut row = vec!["geometric mean".to_owned(), String::new()];
    for log in &logs {
        row.extend([format!("{:.1}", log.exp() / 1e3), String::new(), String::new()]);
    }
    if let ([ours, theirs], true) = (logs.as_slice(), compares) {
        row.push(format!("{:.1}×", (theirs - ours).exp()));
    }
    table.add_row(row);
    table.to_string()
}

/// An answer that differs from the linear scan's.
fn differs(engine: &str, body: &Class) -> anyhow::Result<u64> {
    bail!("{engine} does not answer as the linear scan does: {} {:?}", body.body, body.user)
}
