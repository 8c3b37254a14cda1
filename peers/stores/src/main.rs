//! What the store of getcases may be built on, measured and damaged alike: how many durable writes
//! a second, how large, how soon opened after a crash, and what a flipped bit or a torn log does.
//!
//! ```sh
//! cargo run --release --manifest-path peers/stores/Cargo.toml -- --cases 200000 --flips 1000
//! ```

mod candidate;
mod child;
mod damage;
mod fjall;
mod redb;
mod speed;
mod sqlite;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::candidate::Kind;
use crate::child::Role;

/// Measures embedded stores beside one another, and damages them.
#[derive(Debug, Parser)]
struct Args {
    /// How many documents each is given.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    cases: u64,
    /// For how many seconds each kind of writes goes on, at a time.
    #[arg(long, value_name = "S", default_value_t = 3)]
    seconds: u64,
    /// How many bits are turned over, one at a time.
    #[arg(long, value_name = "N", default_value_t = 300)]
    flips: u64,
    /// How often the end of a log is cut off.
    #[arg(long, value_name = "N", default_value_t = 50)]
    cuts: u64,
    /// What bits and places are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    stores: Vec<Kind>,
    /// Where the stores are made: a folder on the disk that counts.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Debug, Subcommand)]
enum Child {
    /// One process of a run, which is killed or may panic.
    #[command(hide = true)]
    Child { role: Role, kind: Kind, folder: PathBuf },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(Child::Child { role, kind, folder }) = args.child {
        return child::run(role, kind, &folder);
    }
    let folder = match &args.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    speed::measure(&args, folder.path())?;
    damage::measure(&args, folder.path())
}
