//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures getcases beside its peers, over the same cases in one run.
#[derive(Debug, Parser)]
pub struct Args {
    /// How many cases to make.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub cases: u64,
    /// What the cases are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Load the cases in random order.
    #[arg(long)]
    pub shuffle: bool,
    /// Which classes to ask.
    #[arg(long, value_enum, default_value_t = Classes::All)]
    pub classes: Classes,
    /// Only classes whose name holds one of these.
    #[arg(long, value_name = "TEXT", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many bodies with other values each of the 17 runs over besides its own.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub variants: u64,
    /// How many bodies each of the further classes has.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub bodies: u64,
    /// How often each of the 17 is asked at most.
    #[arg(long, value_name = "K", default_value_t = 300)]
    pub iterations: usize,
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::all())]
    pub peers: Vec<Kind>,
    /// Where peers.json and the charts are written.
    #[arg(long, value_name = "FOLDER", default_value = "docs")]
    pub out: PathBuf,
    /// Keep what other classes' runs left in peers.json.
    #[arg(long)]
    pub merge: bool,
    /// Measure nothing: print and draw what peers.json holds.
    #[arg(long)]
    pub redraw: bool,
    /// Write every body, its total and its ids by the linear scan to a file, and measure nothing.
    #[arg(long, value_name = "FILE")]
    pub expected: Option<PathBuf>,
}

impl Args {
    /// The name of the file of figures: shuffled loads have their own.
    #[must_use]
    pub fn file(&self) -> &'static str {
        if self.shuffle { "peers-shuffled.json" } else { "peers.json" }
    }
}

/// Groups of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Classes {
    /// The 17 of the workload.
    Fixed,
    /// What the 17 leave out.
    More,
    /// Both.
    All,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// This library.
    Getcases,
    /// A database of rows, with an index for every order.
    Sqlite,
    /// The same, with indexes made for the 17 classes.
    TunedSqlite,
    /// A search engine.
    Tantivy,
    /// A database of columns.
    #[cfg(feature = "duckdb")]
    Duckdb,
    /// The plain design on bitmaps.
    Roaring,
    /// A wide scan.
    Scan,
}

impl Kind {
    fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }
}
