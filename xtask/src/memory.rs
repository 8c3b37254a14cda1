//! What a process takes in memory that holds cases, with the system's allocator, beside what the
//! engine says: after a load, a second later, and a second after the cases are dropped.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use getcases::{Engine, Refusal, Scope};
use getcases_workload::{Shape, Workload};

const SEED: u64 = 1;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many cases.
    #[arg(long, value_name = "N", default_value_t = 300_000)]
    cases: u64,
    /// How many cases a batch has.
    #[arg(long, value_name = "B", default_value_t = 10_000)]
    batch: u64,
    /// How many seconds pass before memory is looked at again.
    #[arg(long, value_name = "S", default_value_t = 1)]
    rest: u64,
    /// How many threads the engine uses; as many as there are cores, if none are said.
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
}

/// Megabytes of this process that are in memory.
fn resident() -> anyhow::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).unwrap_or_default().parse()?;
    Ok(pages * 4096 / 1_000_000)
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let builder = Engine::builder();
    let engine = args.threads.map_or(builder.clone(), |count| builder.threads(count)).build();
    let mut scope = None;
    let workload = Workload::new(args.cases, SEED, Shape::Lean);
    let before = resident()?;
    let mut document = Vec::new();
    for first in (0..args.cases).step_by(args.batch.max(1) as usize) {
        engine.write(|batch| {
            for number in first..args.cases.min(first + args.batch) {
                document.clear();
                workload.write_case(number, &mut document);
                let case = getcases::Case::from_json(&document)?;
                let (account, stream) = (case.account(), case.stream());
                let own = || Scope::new(account.unwrap_or("-"), stream.unwrap_or("-"));
                batch.upsert_case(&scope.get_or_insert_with(own).clone(), case)?;
            }
            Ok::<_, Refusal>(())
        })?;
    }
    let loaded = resident()?;
    sleep(Duration::from_secs(args.rest));
    let later = resident()?;
    let Some(scope) = scope else { return Ok(()) };
    let stats = engine.snapshot(&scope).stats();
    let parts = [stats.ids, stats.documents, stats.text, stats.columns, stats.postings];
    let said = parts.iter().sum::<usize>() + stats.orders + stats.signatures;
    engine.drop_scope(&scope);
    sleep(Duration::from_secs(args.rest));
    let dropped = resident()?;
    println!(
        "{} cases in batches of {}: {before} MB before, {loaded} MB loaded, {later} MB {} s \
         later, {} MB by its own count, {dropped} MB after the drop",
        stats.cases,
        args.batch,
        args.rest,
        said / 1_000_000,
    );
    Ok(())
}
