//! The real command, killed at random moments while it writes: what it acknowledged must be there,
//! batches whole or absent, and the store must open.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use getcases::Scope;
use getcases_store::{Options, Store};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Lines are of so many cases, each in one of so many scopes.
const CASES: u64 = 997;
const SCOPES: u64 = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command, built for release.
    #[arg(long, value_name = "PATH")]
    bin: PathBuf,
    /// How many times it is killed.
    #[arg(long, value_name = "N", default_value_t = 200)]
    n: u64,
    /// What moments and batches are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// End with one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// `upsert --acks`, so many lines a batch.
    Upsert(u64),
    /// `load` of a file of so many lines, which are one batch.
    Load(u64),
}

#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    loads: u64,
    acknowledged: u64,
    batches_cut: u64,
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("getcases-crash-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let store = folder.join("store");
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let (mut tally, mut there) = (Tally::default(), 0);
    for cycle in 0..args.n {
        let told = format!("seed {}, cycle {cycle}, {}", args.seed, store.display());
        let work = match random.next_u64() % 10 {
            0..5 => Work::Upsert(1),
            5..8 => Work::Upsert(2 + random.next_u64() % 99),
            _ => Work::Load(500 + random.next_u64() % 8000),
        };
        let after = Duration::from_micros(random.next_u64() % 120_000);
        let acknowledged = kill(&args.bin, &store, work, there, after).context(told.clone())?;
        tally.kills += 1;
        tally.loads += u64::from(matches!(work, Work::Load(_)));
        tally.acknowledged += acknowledged;
        let now = count(&store, cycle.is_multiple_of(2)).context(told.clone())?;
        if now < there + acknowledged {
            bail!("{told}: {acknowledged} lines were acknowledged, {} are there", now - there);
        }
        let batch = match work {
            Work::Upsert(batch) => batch,
            Work::Load(lines) => lines,
        };
        if !(now - there).is_multiple_of(batch) {
            bail!("{told}: of batches of {batch} lines {} lines are there", now - there);
        }
        tally.batches_cut += u64::from(now > there + acknowledged);
        there = now;
    }
    fs::remove_dir_all(&folder)?;
    let Tally { kills, loads, acknowledged, batches_cut } = tally;
    if args.json {
        let figures = json!({
            "kills": kills, "loads": loads, "acknowledged": acknowledged, "lines": there,
            "kept_unacknowledged": batches_cut, "lost": 0, "partial_batches": 0,
            "failed_opens": 0, "seed": args.seed,
        });
        println!("{figures}");
    } else {
        println!(
            "{kills} kills, {loads} of them of loads: {acknowledged} of {there} lines were \
             acknowledged, none is lost, and no batch is there in part"
        );
    }
    Ok(())
}

/// The text of a line, without its end.
fn line(number: u64) -> String {
    let (case, stream) = (number % CASES, number % SCOPES);
    let pad = "late delivery ".repeat(1 + number as usize % 90);
    format!(r#"{{"_id":"c{case}","accountId":"a","iId":"s{stream}","n":{number},"name":"{pad}"}}"#)
}

/// Starts the command, feeds it lines from `start` on, and kills it after a while; gives how many
/// lines it acknowledged.
fn kill(bin: &Path, store: &Path, work: Work, start: u64, after: Duration) -> anyhow::Result<u64> {
    let mut command = Command::new(bin);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let file = store.with_extension("ndjson");
    match work {
        Work::Upsert(batch) => {
            command.args(["upsert", "--acks", "--batch", &batch.to_string(), "--store"]).arg(store);
        }
        Work::Load(lines) => {
            let text = (start..start + lines).map(|own| line(own) + "\n");
            fs::write(&file, text.collect::<String>())?;
            command.arg("load").arg("--store").arg(store).arg(&file);
        }
    }
    let mut child = command.spawn().context("cannot start the command")?;
    match work {
        Work::Upsert(_) => upserts(&mut child, start, after),
        Work::Load(lines) => {
            // Most of it is starting and parsing.
            std::thread::sleep(after);
            let ended = child.try_wait()?;
            child.kill()?;
            child.wait()?;
            Ok(if ended.is_some_and(|status| status.success()) { lines } else { 0 })
        }
    }
}

fn upserts(child: &mut Child, start: u64, after: Duration) -> anyhow::Result<u64> {
    let (Some(input), Some(out)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("the command has no input")
    };
    std::thread::scope(|threads| {
        threads.spawn(move || {
            let mut input = BufWriter::new(input);
            // Until nobody reads any more.
            (start..).try_for_each(|own| writeln!(input, "{}", line(own)))
        });
        let acknowledged = threads.spawn(move || {
            let mut lines = BufReader::new(out).lines();
            let mut next = start;
            while let Some(Ok(id)) = lines.next() {
                // The last one may be cut.
                if id != format!("c{}", next % CASES) {
                    break;
                }
                next += 1;
            }
            next - start
        });
        std::thread::sleep(after);
        child.kill()?;
        child.wait()?;
        match acknowledged.join() {
            Ok(acknowledged) => Ok(acknowledged),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// How many lines a store holds; fails where it does not hold just what these lines leave.
fn count(folder: &Path, is_closed_then: bool) -> anyhow::Result<u64> {
    if !folder.join("cases.sqlite").exists() {
        return Ok(0);
    }
    let options = Options::default();
    let opened = match is_closed_then {
        true => Store::open(folder, &options),
        false => Store::open_read_only(folder, &options).map(|(store, _)| store),
    };
    let store = match opened {
        Ok(store) => store,
        // Killed before there was one.
        Err(getcases_store::StoreError::Missing { .. }) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let mut held: HashMap<(Scope, String), u64> = HashMap::new();
    for scope in store.scopes() {
        for case in store.snapshot(&scope).cases() {
            let document: Value = serde_json::from_str(case.json())?;
            let number = document["n"].as_u64().context("a case without its number")?;
            if line(number) != case.json() {
                bail!("line {number} is not what was written");
            }
            held.insert((scope.clone(), case.id().to_owned()), number);
        }
    }
    let lines = held.values().max().map_or(0, |last| last + 1);
    let expected: HashMap<_, _> = (lines.saturating_sub(CASES * SCOPES)..lines)
        .map(|own| {
            let scope = Scope::new("a", &format!("s{}", own % SCOPES));
            ((scope, format!("c{}", own % CASES)), own)
        })
        .collect();
    if held != expected {
        bail!("{} cases are there, and {} must be after {lines} lines", held.len(), expected.len());
    }
    Ok(lines)
}
