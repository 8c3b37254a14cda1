//! How long writes of one case wait: alone, beside upkeep of a large scope whose cases came in no
//! order, and beside a large batch into another scope.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fmt, fs};

use getcases::{Engine, Scope, WriteError};
use getcases_workload::{Shape, Workload};

use super::extremes::percentile;

const SEED: u64 = 1;

/// How long a writer rests between two writes.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many cases the large scope has.
    #[arg(long, value_name = "N", default_value_t = 300_000)]
    cases: u64,
    /// How many cases the large batch has.
    #[arg(long, value_name = "B", default_value_t = 50_000)]
    batch: u64,
    /// For how many milliseconds upkeep is asked at a time; all at once, if none are said.
    #[arg(long, value_name = "MS")]
    slice: Option<u64>,
}

/// How many nanoseconds each of some writes took, less those in which the system had other threads
/// run on all cores.
struct Waits(Vec<u64>);

/// How many nanoseconds this thread was ready and had no core; nothing where the system does not
/// tell.
fn without_core() -> u64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').nth(1).and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nanos = self.0.clone();
        let mut millis = |percent| percentile(&mut nanos, percent) as f64 / 1e6;
        let [half, most, longest] = [50, 99, 100].map(&mut millis);
        let count = self.0.len();
        write!(f, "{count} writes, p50 {half:.3} ms, p99 {most:.3} ms, longest {longest:.3} ms")
    }
}

struct Desk {
    engine: Engine,
    workload: Workload,
    large: Scope,
    other: Scope,
}

impl Desk {
    fn document(&self, number: u64) -> Vec<u8> {
        let mut document = Vec::new();
        self.workload.write_case(number, &mut document);
        // The cases of any scope.
        let text = String::from_utf8_lossy(&document);
        text.replace("\"accountId\"", "\"account\"").replace("\"iId\"", "\"stream\"").into_bytes()
    }

    fn write(&self, scope: &Scope, numbers: impl Iterator<Item = u64>) -> anyhow::Result<()> {
        let mut numbers = numbers.map(|number| self.document(number));
        let written = self
            .engine
            .write(|batch| numbers.try_for_each(|document| batch.upsert(scope, document)));
        written.map(drop).map_err(|error: WriteError<_>| error.into())
    }

    /// Writes single cases into a scope, one after the other, until told to stop.
    fn write_until(&self, scope: &Scope, is_done: &AtomicBool) -> anyhow::Result<Waits> {
        let (mut waits, mut number) = (Vec::new(), 0);
        while !is_done.load(Ordering::Acquire) {
            let document = self.document(number % self.workload.len());
            let (before, started) = (without_core(), Instant::now());
            self.engine.write(|batch| batch.upsert(scope, &document))?;
            let took = started.elapsed().as_nanos() as u64;
            waits.push(took.saturating_sub(without_core() - before));
            number += 7919;
            sleep(PAUSE);
        }
        Ok(Waits(waits))
    }

    /// The waits of writes into both scopes while some work is done, and how long that took.
    fn beside(
        &self,
        work: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<(Waits, Waits, Duration)> {
        let is_done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            let writers = [&self.large, &self.other].map(|scope| {
                let (desk, is_done) = (self, &is_done);
                threads.spawn(move || desk.write_until(scope, is_done))
            });
            let started = Instant::now();
            let done = work();
            let took = started.elapsed();
            is_done.store(true, Ordering::Release);
            let [same, other] = writers.map(|writer| {
                writer.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a writer panicked")))
            });
            done?;
            Ok((same?, other?, took))
        })
    }
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let desk = Desk {
        engine: Engine::new(),
        workload: Workload::new(args.cases, SEED, Shape::Lean),
        large: Scope::new("account", "large"),
        other: Scope::new("account", "other"),
    };
    // An order in which neighbours are far from each other.
    let stride = (args.cases * 618 / 1000) | 1;
    for first in (0..args.cases).step_by(10_000) {
        let numbers = first..args.cases.min(first + 10_000);
        desk.write(&desk.large, numbers.map(|number| number * stride % args.cases))?;
    }
    let tell = |what: &str, (same, other, took): (Waits, Waits, Duration)| {
        println!("{what}: {:.2} s", took.as_secs_f64());
        println!("  same scope:  {same}\n  other scope: {other}");
    };
    tell(
        "alone",
        desk.beside(|| {
            sleep(Duration::from_secs(2));
            Ok(())
        })?,
    );
    let upkeep = desk.beside(|| {
        loop {
            let done = match args.slice {
                Some(slice) => desk.engine.maintain_for(Duration::from_millis(slice)),
                None => desk.engine.maintain(usize::MAX),
            };
            if done.left == 0 {
                return Ok(());
            }
        }
    })?;
    tell("beside upkeep", upkeep);
    let third = Scope::new("account", "third");
    let batch = desk.beside(|| desk.write(&third, 0..args.batch.min(args.cases)))?;
    tell("beside a batch into a third scope", batch);
    Ok(())
}
