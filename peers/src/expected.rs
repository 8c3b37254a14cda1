//! What the linear scan finds, as a file that other programs check themselves by.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::measure::{Bodies, asks};
use crate::rows::Rows;

/// One body and its answer.
#[derive(Debug, Serialize)]
struct Line<'l> {
    class: &'l str,
    of: &'static str,
    user: Option<&'l str>,
    body: &'l RawValue,
    total: u64,
    ids: Vec<&'l str>,
}

/// Writes a line for each body.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(rows: &Rows, classes: &[Bodies], file: &Path) -> anyhow::Result<()> {
    let about = || format!("cannot write {}", file.display());
    let mut out = BufWriter::new(File::create(file).with_context(about)?);
    for class in classes {
        for (ask, right) in asks(rows, class)? {
            let body: &RawValue = serde_json::from_str(&ask.class.body)?;
            let line = Line {
                class: &ask.class.name,
                of: if class.is_fixed { "fixed" } else { "more" },
                user: ask.class.user.as_deref(),
                body,
                total: right.total,
                ids: right.places.iter().map(|place| rows.columns.id(*place)).collect(),
            };
            writeln!(out, "{}", serde_json::to_string(&line)?).with_context(about)?;
        }
    }
    out.flush().with_context(about)
}
