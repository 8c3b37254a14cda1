//! `getcases check`: which cases of files are refused, and why.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::json;

use crate::args::CheckArgs;
use crate::load;
use crate::report::{self, TOLD};

/// Prints each refused case as it is met, so that memory does not grow with their number.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    args.files.one_standard_input(false)?;
    let mut out = io::BufWriter::new(io::stdout());
    let most = if args.all || args.json { usize::MAX } else { TOLD };
    let mut told = 0;
    // Cases that name no scope share one.
    let read = load::files(&args.files, (None, None), &mut |file, refused| {
        if told < most {
            told += 1;
            let lines = if args.json { refused.json_lines(file) } else { refused.lines(file) };
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
        Ok(())
    })?;
    report::report_dates(&read);
    report::report_empty(&read);
    report::report_all_refused(&read);
    let (total, refused, replaced) = (read.report.total, read.report.refused, read.report.replaced);
    if args.json {
        writeln!(out, "{}", json!({"cases": total, "refused": refused, "replaced": replaced}))?;
    } else {
        if let Some(more) = report::untold(refused, told) {
            writeln!(out, "{more}; --all tells of each")?;
        }
        writeln!(out, "cases {total} refused {refused} replaced {replaced}")?;
    }
    out.flush()?;
    Ok(ExitCode::from(u8::from(refused > 0)))
}
