//! What a process takes in memory that holds cases, with the system's allocator, beside what the
//! engine says: after a load, a second later, and a second after the cases are dropped.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use getcases::{Engine, Refusal, Scope};
use getcases_workload::{Shape, Workload};

use crate::documents;

const SEED: u64 = 1;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file of cases, one a line, also compressed by gzip; made ones, if none is said.
    file: Option<PathBuf>,
    /// How many made cases.
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
fn resident() -> anyhow::Result<f64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).unwrap_or_default().parse()?;
    Ok((pages * 4096) as f64 / 1e6)
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let builder = Engine::builder();
    let engine = args.threads.map_or(builder.clone(), |count| builder.threads(count)).build();
    let mut scope = None;
    let mut cases: Box<dyn Iterator<Item = anyhow::Result<Vec<u8>>>> = match &args.file {
        Some(file) => Box::new(documents::read(file)?),
        None => {
            let workload = Workload::new(args.cases, SEED, Shape::Lean);
            Box::new((0..args.cases).map(move |number| {
                let mut document = Vec::new();
                workload.write_case(number, &mut document);
                Ok(document)
            }))
        }
    };
    let mut cases = cases.as_mut().peekable();
    let (before, mut json, mut unread) = (resident()?, 0, None);
    while cases.peek().is_some() {
        engine.write(|batch| {
            for document in cases.by_ref().take(args.batch.max(1) as usize) {
                let Ok(document) = document.map_err(|own| unread = Some(own)) else { break };
                json += document.len() as u64;
                let case = getcases::Case::from_json(&document)?;
                let (account, stream) = (case.account(), case.stream());
                let own = || Scope::new(account.unwrap_or("-"), stream.unwrap_or("-"));
                batch.upsert_case(&scope.get_or_insert_with(own).clone(), case)?;
            }
            Ok::<_, Refusal>(())
        })?;
        if let Some(unread) = unread.take() {
            return Err(unread);
        }
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
        "{} cases, {:.1} MB of JSON, in batches of {}: {before:.1} MB before, {loaded:.1} MB \
         loaded, {later:.1} MB {} s later ({:.0} % of the JSON more), {:.1} MB by its own count, \
         {dropped:.1} MB after the drop",
        stats.cases,
        json as f64 / 1e6,
        args.batch,
        args.rest,
        (later - before) * 1e8 / json as f64,
        said as f64 / 1e6,
    );
    Ok(())
}
