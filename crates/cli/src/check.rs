//! `getcases check`: which cases of files are refused, and why.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use crate::args::CheckArgs;
use crate::load;

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    // Cases that name no scope share one.
    let read = load::files(&args.files, None, None)?;
    let (total, refused, replaced) = (read.total, read.refused.len(), read.replaced);
    let mut out = io::BufWriter::new(io::stdout().lock());
    for case in &read.refused {
        if args.json {
            let errors = case.refusal.problems();
            writeln!(out, "{}", json!({"file": case.file, "line": case.line, "errors": errors}))?;
        } else {
            writeln!(out, "{}", case.line())?;
        }
    }
    if args.json {
        writeln!(out, "{}", json!({"cases": total, "refused": refused, "replaced": replaced}))?;
    } else {
        writeln!(out, "cases {total} refused {refused} replaced {replaced}")?;
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(refused > 0)))
}
