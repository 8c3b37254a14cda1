//! What developers run: `cargo xtask help` lists it.

mod differential;
mod documents;
mod test;

// What the tests share; not all of it is needed here.
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/generate.rs"]
mod generate;
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../tests/it/oracle.rs"]
mod oracle;
#[allow(unreachable_pub)]
#[path = "../../tests/it/stress.rs"]
mod stress;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Everything that a change must pass.
    Test,
    /// Random requests over random odd documents, each held against the oracle.
    Differential(differential::Args),
    /// What documents take, packed in several ways.
    Documents(documents::Args),
    /// Reads beside a writer that never rests: what they count must always add up.
    Stress {
        /// How many reads.
        #[arg(long, value_name = "N", default_value_t = 10_000_000)]
        reads: u64,
    },
}

#[allow(clippy::print_stdout)]
fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Test => test::run(),
        Command::Differential(args) => differential::run(&args),
        Command::Documents(args) => documents::run(&args),
        Command::Stress { reads } => {
            let stress::Tally { reads, batches } =
                stress::reads_add_up(reads).map_err(anyhow::Error::msg)?;
            println!("{reads} reads beside {batches} batches: all add up");
            Ok(())
        }
    }
}
