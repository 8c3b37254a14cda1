//! Each peer loaded in turn, with the time and the memory it takes.

use std::time::Instant;

use getcases_workload::Workload;

use crate::args::{Args, Kind};
use crate::memory;
use crate::peer::Peer;
#[cfg(feature = "duckdb")]
use crate::peers::duckdb::Duckdb;
use crate::peers::getcases::Getcases;
use crate::peers::roaring::Roaring;
use crate::peers::simd::Simd;
use crate::peers::sqlite::{Indexed, Sqlite};
use crate::peers::tantivy::Tantivy;
use crate::report::Loaded;
use crate::rows::{Rows, shuffled};

/// Loads a peer.
///
/// # Errors
/// Where the peer fails.
pub fn load<'r>(
    kind: Kind,
    rows: &'r Rows,
    workload: &Workload,
    args: &Args,
) -> anyhow::Result<(Box<dyn Peer + 'r>, Loaded)> {
    let before = memory::resident();
    let started = Instant::now();
    let peer: Box<dyn Peer + 'r> = match kind {
        Kind::Getcases => {
            let order = shuffled(rows.len() as u32, args.shuffle.then_some(args.seed));
            Box::new(Getcases::load(workload, &order)?)
        }
        Kind::Sqlite => Box::new(Sqlite::load(rows, Indexed::Orders)?),
        Kind::TunedSqlite => Box::new(Sqlite::load(rows, Indexed::Classes)?),
        Kind::Tantivy => Box::new(Tantivy::load(rows)?),
        #[cfg(feature = "duckdb")]
        Kind::Duckdb => Box::new(Duckdb::load(rows)?),
        Kind::Roaring => Box::new(Roaring::load(rows)),
        Kind::Scan => Box::new(Simd::load(rows)?),
    };
    let load_ms = started.elapsed().as_millis() as u64;
    let grown = memory::resident().saturating_sub(before);
    let loaded = Loaded {
        name: peer.name().to_owned(),
        about: peer.about(),
        load_ms,
        bytes_per_case: grown / (rows.len() as u64).max(1),
    };
    Ok((peer, loaded))
}
