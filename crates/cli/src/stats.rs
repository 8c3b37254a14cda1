//! `getcases stats`: what cases take in memory.

use std::io::{self, Write};
use std::time::Instant;

use serde_json::{Value, json};

use crate::args::StatsArgs;
use crate::report::FirstRefused;
use crate::{load, memory};

pub(crate) fn run(args: &StatsArgs) -> anyhow::Result<()> {
    let before = memory::bytes("VmRSS:");
    let started = Instant::now();
    let loaded = load::files(&args.files, (None, None), &mut |_, _| Ok(()))?;
    FirstRefused::default().report(&loaded);
    let load_ms = started.elapsed().as_millis() as u64;
    let after = memory::bytes("VmRSS:");
    let report = &loaded.report;
    let mut sums = json!({
        "cases": report.total, "refused": report.refused, "json_bytes": report.bytes,
        "load_ms": load_ms, "resident_before": before, "resident_after": after,
        "peak": memory::bytes("VmHWM:"),
    });
    for scope in loaded.engine.scopes() {
        let stats = serde_json::to_value(loaded.engine.snapshot(&scope).stats())?;
        for (part, bytes) in stats.as_object().into_iter().flatten() {
            if part != "cases" {
                let sum = sums[part].as_u64().unwrap_or(0) + bytes.as_u64().unwrap_or(0);
                sums[part] = sum.into();
            }
        }
    }
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{sums}")?;
        return Ok(());
    }
    for (name, value) in sums.as_object().into_iter().flatten() {
        writeln!(out, "{name:16} {:>16}", grouped(value))?;
    }
    Ok(())
}

/// A number with commas.
fn grouped(value: &Value) -> String {
    let digits = value.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
