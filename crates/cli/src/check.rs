//! `getcases check`: which cases of files are refused, and why.

use std::io::{self, Write};
use std::process::ExitCode;

use getcases::Scope;
use serde_json::json;

use crate::args::CheckArgs;
use crate::load;

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let read = load::read(&args.files)?;
    let (total, refused) = (read.total(), read.refused.len());
    let mut out = io::BufWriter::new(io::stdout().lock());
    for case in &read.refused {
        if args.json {
            let errors = case.refusal.problems();
            writeln!(out, "{}", json!({"file": case.file, "line": case.line, "errors": errors}))?;
        } else {
            writeln!(out, "{}", case.line())?;
        }
    }
    // Cases that name no scope share one, whatever it is called.
    let (_, replaced) = load::store(read.cases, &Scope::new("-", "-"))?;
    if args.json {
        writeln!(out, "{}", json!({"cases": total, "refused": refused, "replaced": replaced}))?;
    } else {
        writeln!(out, "cases {total} refused {refused} replaced {replaced}")?;
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(refused > 0)))
}
