//! `getcases stats`: what cases take in memory.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use getcases::Engine;
use serde_json::Value;

use crate::args::StatsArgs;
use crate::report::FirstRefused;
use crate::{load, memory};

const BYTES: &str = "bytes";

pub(crate) fn run(args: &StatsArgs) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.source.store {
        return of_store(folder, args.json);
    }
    let files = args.source.files();
    files.one_standard_input(false)?;
    let before = memory::bytes("VmRSS:");
    let started = Instant::now();
    let mut refused = FirstRefused::default();
    let loaded = load::files(&files, (None, None), &mut |file, own| {
        refused.note(file, own);
        Ok(())
    })?;
    refused.report(&loaded);
    if loaded.has_file_all_refused() {
        return Ok(ExitCode::FAILURE);
    }
    let load_ms = started.elapsed().as_millis() as u64;
    let after = memory::bytes("VmRSS:");
    let report = &loaded.report;
    let mut rows = vec![
        ("cases", report.total - report.refused - report.replaced, ""),
        ("refused", report.refused, ""),
        ("json_bytes", report.bytes, BYTES),
        ("load_ms", load_ms, "ms"),
        ("resident_before", before, BYTES),
        ("resident_after", after, BYTES),
        ("peak", memory::bytes("VmHWM:"), BYTES),
    ];
    let parts = parts(&loaded.engine);
    rows.extend(parts.iter().map(|(name, bytes)| (*name, *bytes, BYTES)));
    rows.push(("sum", parts.iter().map(|(_, bytes)| bytes).sum(), BYTES));
    print(rows, args.json)
}

/// What a store takes, on its disk and in memory.
#[cfg(feature = "store")]
fn of_store(folder: &Path, is_json: bool) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let stats = crate::store::read_only(folder)?.stats();
    let open_ms = started.elapsed().as_millis() as u64;
    let rows = vec![
        ("scopes", stats.scopes, ""),
        ("cases", stats.cases, ""),
        ("open_ms", open_ms, "ms"),
        ("database", stats.database_bytes, BYTES),
        ("log", stats.log_bytes, BYTES),
        ("memory", stats.memory_bytes, BYTES),
    ];
    print(rows, is_json)
}

#[cfg(not(feature = "store"))]
fn of_store(_: &Path, _: bool) -> anyhow::Result<ExitCode> {
    Err(crate::Usage("this program was built without stores".to_owned()).into())
}

fn print(rows: Vec<(&str, u64, &str)>, is_json: bool) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    if is_json {
        let members = rows.into_iter().map(|(name, number, _)| (name.to_owned(), number.into()));
        writeln!(out, "{}", Value::Object(members.collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, number, unit) in rows {
        writeln!(out, "{}", format!("{name:16} {:>16} {unit}", grouped(number)).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the parts of all scopes take together.
fn parts(engine: &Engine) -> [(&'static str, u64); 7] {
    let mut parts = ["ids", "documents", "text", "columns", "postings", "orders", "signatures"]
        .map(|name| (name, 0));
    for scope in engine.scopes() {
        let own = engine.snapshot(&scope).stats();
        let bytes = [
            own.ids,
            own.documents,
            own.text,
            own.columns,
            own.postings,
            own.orders,
            own.signatures,
        ];
        parts.iter_mut().zip(bytes).for_each(|((_, sum), own)| *sum += own as u64);
    }
    parts
}

/// A number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
