//! What developers run: `cargo xtask test`, `cargo xtask differential`.

mod differential;
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

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
enum Command {
    /// Everything that a change must pass.
    Test,
    /// Random requests over random odd documents, each held against the oracle.
    Differential(differential::Args),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Test => test::run(),
        Command::Differential(args) => differential::run(&args),
    }
}
