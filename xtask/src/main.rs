//! What developers run: `cargo xtask help` lists it.

mod cliffs;
mod crash;
mod differential;
mod documents;
mod extremes;
mod load;
mod memory;
mod real;
mod stream;
mod test;
mod waits;
mod walking;

// What the tests share; not all of it is needed here.
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[allow(clippy::expect_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/cost.rs"]
mod cost;
#[allow(clippy::expect_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/counting.rs"]
mod counting;
#[allow(dead_code, unreachable_pub)]
#[path = "../../tests/it/degenerate.rs"]
mod degenerate;
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/generate.rs"]
mod generate;
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/oracle.rs"]
mod oracle;
#[allow(unreachable_pub)]
#[path = "../../tests/it/stress.rs"]
mod stress;
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/walks.rs"]
mod walks;

use clap::Parser;

/// Counts only for threads that ask it to.
#[cfg(not(feature = "mimalloc"))]
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// What `memory` is measured with, too.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Everything that a change must pass.
    Test,
    /// What requests cost over degenerate scopes, held against its bounds.
    Cliffs(cliffs::Args),
    /// The command, killed while it writes into a store: what was acknowledged must be there.
    Crash(crash::Args),
    /// Random requests over random odd documents, or over the cases of files, each held against
    /// the oracle.
    Differential(differential::Args),
    /// What documents take, packed in several ways.
    Documents(documents::Args),
    /// The greatest scopes: what their load, their memory and their requests take.
    Extremes(extremes::Args),
    /// A server of many cases under load: what it can do, at 60 % of that, and at three times.
    Load(load::Args),
    /// What a process takes in memory beside what the engine says, with the system's allocator or,
    /// with the feature of that name, mimalloc.
    Memory(memory::Args),
    /// A stream of real updates into a store: every read beside it is what the oracle says.
    Stream(stream::Args),
    /// How long small writes wait beside upkeep and beside a large batch.
    Waits(waits::Args),
    /// Random walks by cursors over scopes that change: none skips or repeats a case.
    Walks(walking::Args),
    /// Reads beside a writer that never rests: what they count must always add up.
    Stress {
        /// How many reads.
        #[arg(long, value_name = "N", default_value_t = 10_000_000)]
        reads: u64,
        /// Beside writes that are on a disk before they are seen.
        #[arg(long)]
        store: bool,
    },
}

#[allow(clippy::print_stdout)]
fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Test => test::run(),
        Command::Cliffs(args) => cliffs::run(&args),
        Command::Crash(args) => crash::run(&args),
        Command::Differential(args) => differential::run(&args),
        Command::Documents(args) => documents::run(&args),
        Command::Memory(args) => memory::run(&args),
        Command::Stream(args) => stream::run(&args),
        Command::Waits(args) => waits::run(&args),
        Command::Walks(args) => walking::run(&args),
        Command::Extremes(args) => extremes::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Stress { reads, store } => {
            let tally = match store {
                true => stream::beside_a_store(|store| stress::reads_add_up(store, reads))?,
                false => stress::reads_add_up(&getcases::Engine::new(), reads),
            };
            let stress::Tally { reads, batches } = tally.map_err(anyhow::Error::msg)?;
            println!("{reads} reads beside {batches} batches: all add up");
            Ok(())
        }
    }
}
