//! The greatest scopes: a value of its own for each case, a scope for each case, and a reader
//! beside a writer of new values.
//!
//! Each in a process of its own, so that no other one's memory is in its figures. The allocator is
//! the system's.

use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use getcases::{Context, Engine, Query, Refusal, Scope, Snapshot, Stats, WriteError};
use rayon::prelude::*;
use serde_json::{Value, json};

/// How many cases a batch of a load has.
const BATCH: u64 = 50_000;
/// How many changes a batch has that is written beside a reader.
const SMALL_BATCH: u64 = 1000;
/// How often a request is answered for its median, and for how long at most.
const TIMES: usize = 101;
const LONGEST: Duration = Duration::from_secs(10);
/// In how many turns a reader is alone and beside the writer.
const TURNS: u64 = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many cases with an assignee each.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    cases: u64,
    /// How many statuses; and how many agents come while a reader reads.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    values: u64,
    /// How many scopes of one case.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    scopes: u64,
    /// One of them alone, in this process: assignees, statuses, scopes or reader.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// One JSON object for each.
    #[arg(long)]
    json: bool,
}

type Extreme = fn(&Args) -> anyhow::Result<Value>;
const EXTREMES: [(&str, Extreme); 4] =
    [("assignees", assignees), ("statuses", statuses), ("scopes", scopes), ("reader", reader)];

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(name) = &args.only {
        let known = EXTREMES.iter().find(|(known, _)| known == name);
        let Some((_, extreme)) = known else { bail!("{name} is no extreme") };
        let figures = extreme(args)?;
        print(name, &figures, args.json);
        return Ok(());
    }
    for (name, _) in EXTREMES {
        let (cases, values) = (args.cases.to_string(), args.values.to_string());
        let scopes = args.scopes.to_string();
        let words = ["extremes", "--only", name, "--json", "--cases", &cases, "--values", &values];
        let mut child = Command::new(std::env::current_exe()?);
        let output = child.args(words).args(["--scopes", &scopes]).output()?;
        if !output.status.success() {
            bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let figures: Value = serde_json::from_slice(&output.stdout).context("a child's figures")?;
        print(name, &figures[name], args.json);
    }
    Ok(())
}

/// A line for each figure, or one for all.
#[allow(clippy::print_stdout)]
fn print(name: &str, figures: &Value, is_json: bool) {
    if is_json {
        println!("{}", json!({ name: figures }));
        return;
    }
    println!("{name}");
    for (what, figure) in figures.as_object().into_iter().flatten() {
        println!("  {what:28} {figure:>16}");
    }
}

/// Bytes of this process that are in memory; 0 where the system does not tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn told(stats: &Stats) -> u64 {
    let Stats { ids, documents, text, columns, postings, orders, signatures, .. } = *stats;
    (ids + documents + text + columns + postings + orders + signatures) as u64
}

/// Writes documents in batches, which are made and read on all cores.
fn load(
    engine: &Engine,
    scope: &Scope,
    count: u64,
    document: impl Fn(u64) -> String + Sync,
) -> Result<(), WriteError<Refusal>> {
    for from in (0..count).step_by(BATCH as usize) {
        let range = (from..count.min(from + BATCH)).into_par_iter();
        let read = |at| getcases::Case::from_json(document(at).as_bytes());
        let cases: Result<Vec<_>, _> = range.map(read).collect();
        let cases = cases.map_err(WriteError::Stage)?;
        engine
            .write(|batch| cases.into_iter().try_for_each(|own| batch.upsert_case(scope, own)))?;
    }
    Ok(())
}

/// The median of the nanoseconds that a body's answer takes.
fn median(snapshot: &Snapshot, body: &str) -> anyhow::Result<u64> {
    let query = Query::from_json(body.as_bytes(), &Context::default())?;
    let started = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || times.len() < TIMES && started.elapsed() < LONGEST {
        let asked = Instant::now();
        black_box(snapshot.search(&query));
        times.push(asked.elapsed().as_nanos() as u64);
    }
    Ok(percentile(&mut times, 50))
}

/// What this part of some times, in hundredths, does not exceed.
pub(crate) fn percentile(times: &mut [u64], percent: usize) -> u64 {
    times.sort_unstable();
    times
        .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

/// A load of one scope, and the bodies that are asked of it.
fn one_scope(
    count: u64,
    document: impl Fn(u64) -> String + Sync,
    bodies: &[(&str, String)],
) -> anyhow::Result<Value> {
    let (engine, scope) = (Engine::new(), Scope::new("account", "stream"));
    let before = resident();
    let started = Instant::now();
    load(&engine, &scope, count, document)?;
    let seconds = started.elapsed().as_secs_f64();
    let snapshot = engine.snapshot(&scope);
    let mut figures = json!({
        "cases": snapshot.len(), "load_s": (seconds * 100.0).round() / 100.0,
        "resident_before": before, "resident_after": resident(), "stats": told(&snapshot.stats()),
    });
    for (what, body) in bodies {
        figures[format!("{what}_ns")] = json!(median(&snapshot, body)?);
    }
    Ok(figures)
}

fn assignees(args: &Args) -> anyhow::Result<Value> {
    let document = |at: u64| {
        format!(
            r#"{{"_id":"{at}","createdAt":{},"currAssignee":{{"agentId":"u-{at}"}}}}"#,
            date(at)
        )
    };
    let far = args.cases / 2;
    one_scope(
        args.cases,
        document,
        &[
            ("all", "{}".to_owned()),
            ("one_agent", format!(r#"{{"agents":"u-{far}"}}"#)),
            ("far_by_assignee", format!(r#"{{"sortBy":"assignee","limit":10,"skip":{far}}}"#)),
        ],
    )
}

fn statuses(args: &Args) -> anyhow::Result<Value> {
    let document = |at: u64| {
        format!(r#"{{"_id":"{at}","createdAt":{},"status":{{"name":"status {at}"}}}}"#, date(at))
    };
    let far = args.values / 2;
    one_scope(
        args.values,
        document,
        &[
            ("all", "{}".to_owned()),
            ("one_status", format!(r#"{{"status":"status {far}"}}"#)),
            ("unresolved", r#"{"unresolved":true}"#.to_owned()),
            ("by_status", r#"{"sortBy":"status","limit":10}"#.to_owned()),
            ("far_by_status", format!(r#"{{"sortBy":"status","limit":10,"skip":{far}}}"#)),
        ],
    )
}

fn date(at: u64) -> u64 {
    1_700_000_000_000 + at * 1000
}

fn scopes(args: &Args) -> anyhow::Result<Value> {
    let engine = Engine::new();
    let scope = |at: u64| Scope::new("account", &format!("stream {at}"));
    let document = |at: u64| format!(r#"{{"_id":"{at}","name":"case {at}","status":"open"}}"#);
    let before = resident();
    let started = Instant::now();
    for from in (0..args.scopes).step_by(SMALL_BATCH as usize) {
        engine.write(|batch| {
            let mut range = from..args.scopes.min(from + SMALL_BATCH);
            range.try_for_each(|at| batch.upsert(&scope(at), document(at)))
        })?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let snapshot = engine.snapshot(&scope(args.scopes / 2));
    let after = resident();
    Ok(json!({
        "scopes": args.scopes, "load_s": (seconds * 100.0).round() / 100.0,
        "resident_before": before, "resident_after": after,
        "bytes_a_scope": (after - before) / args.scopes.max(1), "stats": told(&snapshot.stats()),
        "all_ns": median(&snapshot, "{}")?, "open_ns": median(&snapshot, r#"{"status":"open"}"#)?,
    }))
}

/// What a reader waits, alone and beside a writer of new agents, turn by turn.
fn reader(args: &Args) -> anyhow::Result<Value> {
    // A core is left to the reader: what is measured is how long it waits for the writer, and not
    // for a turn on a core.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1).max(1);
    let engine = Engine::builder().threads(threads).build();
    let scope = Scope::new("account", "stream");
    let document = |at: u64, agent: u64| {
        let (date, queue) = (date(at), at % 7);
        format!(
            r#"{{"_id":"{at}","createdAt":{date},"dueDate":{date},"status":"open",
            "queues":["q{queue}"],"currAssignee":{{"agentId":"u-{agent}"}}}}"#
        )
    };
    let cases = args.values.div_ceil(10).max(1);
    load(&engine, &scope, cases, |at| document(at, at))?;
    let bodies = ["{}", r#"{"agents":"u-7"}"#, r#"{"unresolved":true,"sortBy":"dueDate"}"#];
    let query = |body: &&str| Query::from_json(body.as_bytes(), &Context::default());
    let queries: Vec<_> = bodies.iter().map(query).collect::<Result<_, _>>()?;
    let read =
        || queries.iter().for_each(|query| _ = black_box(engine.snapshot(&scope).search(query)));
    let (mut idle, mut beside) = (Vec::new(), Vec::new());
    let mut agent = cases;
    for _ in 0..TURNS {
        let started = Instant::now();
        let last = agent + args.values.div_ceil(TURNS);
        let done = sampled(&read, &mut beside, || -> Result<(), WriteError<Refusal>> {
            while agent < last {
                engine.write(|batch| {
                    let mut range = agent..last.min(agent + SMALL_BATCH);
                    range.try_for_each(|agent| batch.upsert(&scope, document(agent % cases, agent)))
                })?;
                agent += SMALL_BATCH;
            }
            Ok(())
        });
        done?;
        let as_long = started.elapsed();
        sampled(&read, &mut idle, || std::thread::sleep(as_long));
    }
    let [idle_50, idle_99] = [50, 99].map(|percent| percentile(&mut idle, percent));
    let [beside_50, beside_99] = [50, 99].map(|percent| percentile(&mut beside, percent));
    let ratio = beside_99 as f64 / idle_99.max(1) as f64;
    Ok(json!({
        "cases": cases, "agents": args.values, "reads_idle": idle.len(),
        "reads_beside": beside.len(), "idle_p50_ns": idle_50, "idle_p99_ns": idle_99,
        "beside_p50_ns": beside_50, "beside_p99_ns": beside_99,
        "p99_ratio": (ratio * 100.0).round() / 100.0,
    }))
}

/// Reads again and again on another thread while something is done; adds the nanoseconds of each
/// time.
fn sampled<T>(read: &(impl Fn() + Sync), times: &mut Vec<u64>, work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut own = Vec::new();
            while own.is_empty() || !is_done.load(Ordering::Relaxed) {
                let asked = Instant::now();
                read();
                own.push(asked.elapsed().as_nanos() as u64);
            }
            own
        });
        let done = work();
        is_done.store(true, Ordering::Relaxed);
        times.extend(reader.join().unwrap_or_default());
        done
    })
}
