//! `getcases query`: requests answered over files of cases.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use getcases::{Context, Page, Query, Request, Snapshot};

use crate::args::{ExplainForm, QueryArgs, Severity};
use crate::load;
use crate::report::FirstRefused;
use crate::table::{self, Look};
use crate::{Usage, tell};

/// How many bytes are more than a request may have.
const TOO_LONG: u64 = (1 << 20) + 2;

pub(crate) fn run(args: &QueryArgs) -> anyhow::Result<ExitCode> {
    one_standard_input(args)?;
    // The body is read first: a wrong file name is told before the load.
    let body = args.ask.body.as_deref().map(body).transpose()?;
    let requests = args.ask.requests.as_deref().map(requests).transpose()?;
    let mut refused = FirstRefused::default();
    let (account, stream) = (args.account.as_deref(), args.stream.as_deref());
    let loaded = load::files(&args.files, (account, stream), &mut |file, case| {
        refused.note(file, case);
        Ok(())
    })?;
    refused.report(&loaded);
    if args.strict_load && loaded.refused > 0 {
        return Ok(ExitCode::FAILURE);
    }
    let scope = loaded.scope()?;
    let context = context(args);
    let look = Look::of_stdout(context.offset_minutes, context.now.unwrap_or(0));
    let desk = Desk { snapshot: loaded.engine.snapshot(&scope), context, look, args };

    let mut out = io::BufWriter::new(io::stdout().lock());
    if let Some(body) = body {
        let answered = desk.answer(&body, &mut out)?;
        out.flush()?;
        return Ok(if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut requests = requests.unwrap_or_else(|| Box::new(io::empty()));
    let (mut line, mut all_answered) = (Vec::new(), true);
    let mut mark: &[u8] = b"\xEF\xBB\xBF";
    while read_line(&mut requests, &mut line)? {
        // A file may begin with a mark that it is UTF-8.
        let body = line.strip_prefix(std::mem::take(&mut mark)).unwrap_or(&line);
        all_answered &= desk.answer(body.trim_ascii_end(), &mut out)?;
        // Whoever writes one request and waits for its answer gets it.
        out.flush()?;
        line.clear();
    }
    Ok(if all_answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The standard input can be read once.
fn one_standard_input(args: &QueryArgs) -> Result<(), Usage> {
    let dash = Path::new("-");
    let asks = args.ask.body.as_deref() == Some("-") || args.ask.requests.as_deref() == Some(dash);
    let uses = args.files.paths().filter(|file| *file == dash).count() + usize::from(asks);
    if uses > 1 {
        return Err(Usage("the standard input (-) can stand for one thing only".to_owned()));
    }
    Ok(())
}

fn body(body: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match body.strip_prefix('@') {
        Some(file) => {
            let opened = fs::File::open(file).with_context(|| format!("cannot open {file}"))?;
            let read = opened.take(TOO_LONG).read_to_end(&mut bytes);
            read.with_context(|| format!("cannot read {file}"))?;
        }
        None if body == "-" => {
            let read = io::stdin().take(TOO_LONG).read_to_end(&mut bytes);
            read.context("cannot read the standard input")?;
        }
        None => bytes.extend_from_slice(body.as_bytes()),
    }
    Ok(bytes)
}

/// Reads a line into an empty buffer, as much of it as tells that it is too long; says whether
/// there was one.
fn read_line(requests: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    requests.take(TOO_LONG).read_until(b'\n', line)?;
    let is_cut = line.len() as u64 == TOO_LONG && !line.ends_with(b"\n");
    if is_cut {
        requests.skip_until(b'\n')?;
        // It is too long without white space behind it, too.
        line.push(b'.');
    }
    Ok(!line.is_empty())
}

fn requests(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    Ok(Box::new(io::BufReader::new(opened)))
}

/// The time, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

fn context(args: &QueryArgs) -> Context {
    Context {
        user: args.user.clone(),
        offset_minutes: args.tz_offset,
        now: Some(args.now.unwrap_or_else(now)),
        strict: args.strict,
        severity: match args.severity {
            Severity::High => getcases::Severity::High,
            Severity::Low => getcases::Severity::Low,
        },
        max_limit: args.max_limit,
    }
}

/// Where requests are answered.
struct Desk<'a> {
    snapshot: Snapshot,
    context: Context,
    look: Look,
    args: &'a QueryArgs,
}

impl Desk<'_> {
    /// Answers one body; says whether it was a request.
    fn answer(&self, body: &[u8], out: &mut impl Write) -> anyhow::Result<bool> {
        let refusal = match Query::from_json(body, &self.context) {
            Ok(query) => {
                self.explain(&query)?;
                let page = self.snapshot.search(&query);
                if self.args.explain.is_none() {
                    tell_changes(&page);
                }
                if self.args.table {
                    writeln!(out, "{}", table::page(&page, usize::MAX, self.look))?;
                } else {
                    out.write_all(&page.to_json())?;
                    out.write_all(b"\n")?;
                }
                return Ok(true);
            }
            Err(refusal) => refusal,
        };
        if self.args.explain.is_some() {
            // One object a request, also for one that there is nothing to tell of.
            tell(&String::from_utf8_lossy(&refusal.to_json()));
        }
        if self.args.table {
            for problem in refusal.problems() {
                writeln!(out, "{}", getcases_load::describe(problem))?;
            }
        } else {
            out.write_all(&refusal.to_json())?;
            out.write_all(b"\n")?;
        }
        Ok(false)
    }

    fn explain(&self, query: &Query) -> anyhow::Result<()> {
        match self.args.explain {
            None => {}
            Some(ExplainForm::Json) => {
                tell(&serde_json::to_string(&self.snapshot.explain(query))?);
            }
            Some(ExplainForm::Text) => tell(&self.snapshot.explain(query).to_string()),
        }
        Ok(())
    }
}

/// Tells on the standard error what of a request is not as it was asked.
fn tell_changes(page: &Page) {
    for name in &page.ignored {
        let near = getcases_load::nearest(name, Request::FIELDS.into_iter());
        let meant = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let told = match name.strip_prefix("selectedColumns.") {
            Some(column) => format!("ignored: no case has the column {column:?}"),
            None => format!("ignored: nothing reads {name:?}{meant}"),
        };
        tell(&told);
    }
    if let Some(limit) = page.lowered_limit {
        tell(&format!("lowered: the limit is {limit}"));
    }
}
