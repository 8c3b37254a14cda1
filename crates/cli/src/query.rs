//! `getcases query`: requests answered over files of cases.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use getcases::{Context, Snapshot};

use crate::Usage;
use crate::args::{Ask, Asking, Files, QueryArgs, Severity};
use crate::desk::{Asked, Desk, Form};
use crate::load;
use crate::loaded::Loaded;
use crate::report::FirstRefused;
use crate::table::Look;
use crate::tell;
use crate::words;

/// What a text may begin with to say that it is UTF-8.
pub(crate) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How many bytes a request may have, and how many are more, its mark and its newline included.
pub(crate) const LONGEST: usize = 1 << 20;
const TOO_LONG: u64 = (MARK.len() + LONGEST + 2) as u64;

pub(crate) fn run(args: &QueryArgs) -> anyhow::Result<ExitCode> {
    let files = args.source.files();
    if let Some(usage) = misplaced(args, &files) {
        return Err(usage.into());
    }
    files.one_standard_input(args.ask.reads_standard_input())?;
    // What is asked is read first: what is wrong with it is told before the load.
    let Some(ask) = ask(args)? else { return Err(nothing_asked().into()) };
    let snapshot = match &args.source.store {
        Some(folder) => of_store(folder, &args.asking)?,
        None => match load(&files, &args.asking)? {
            Some(loaded) => loaded.engine.snapshot(&loaded.scope()?),
            None => return Ok(ExitCode::FAILURE),
        },
    };
    let context = args.asking.context();
    let desk = Desk {
        snapshot,
        look: Look::of_stdout(context.offset_minutes, context.now.unwrap_or(0)),
        context,
        form: if args.table { Form::Table } else { Form::Json },
    };

    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut all_answered = true;
    // Cases of files are loaded anew by each command, which knows no cursor of another one.
    let ends_cursors = args.source.store.is_none() && matches!(ask, Asks::One(_));
    let mut answer = |asked: &Asked| -> anyhow::Result<()> {
        match desk.answer(asked, args.explain) {
            Ok(answer) => {
                if ends_cursors && answer.page.next_cursor.is_some() {
                    tell("no other command takes this cursor: that goes with cases of a --store");
                }
                desk.print(&answer.page, &mut out)?;
            }
            Err(wrongs) => {
                all_answered = false;
                wrongs.print(desk.form, &mut out)?;
            }
        }
        // Whoever writes one request and waits for its answer gets it.
        Ok(out.flush()?)
    };
    match ask {
        Asks::One(asked) => answer(&asked)?,
        Asks::Lines(mut requests) => {
            let mut line = Vec::new();
            let mut mark = MARK;
            while read_line(&mut requests, &mut line).context("cannot read the requests")? {
                // A file may begin with a mark that it is UTF-8.
                let body = line.strip_prefix(std::mem::take(&mut mark)).unwrap_or(&line);
                answer(&Asked::Body(body.trim_ascii_end().to_vec()))?;
                line.clear();
            }
        }
    }
    Ok(if all_answered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the asked scope of a store holds.
#[cfg(feature = "store")]
fn of_store(folder: &Path, asking: &Asking) -> anyhow::Result<Snapshot> {
    let store = crate::store::read_only(folder)?;
    let (account, stream) = (asking.account.as_deref(), asking.stream.as_deref());
    Ok(store.snapshot(&crate::store::scope(&store, account, stream)?))
}

#[cfg(not(feature = "store"))]
fn of_store(_: &Path, _: &Asking) -> anyhow::Result<Snapshot> {
    Err(Usage("this program was built without stores".to_owned()).into())
}

/// What is asked.
enum Asks {
    One(Asked),
    /// One body a line.
    Lines(Box<dyn BufRead>),
}

fn ask(args: &QueryArgs) -> anyhow::Result<Option<Asks>> {
    let Ask { body: of_body, requests: of_requests, .. } = &args.ask;
    let words = args.ask.words();
    Ok(match (of_body, of_requests) {
        (Some(text), _) => Some(Asks::One(Asked::Body(body(text)?))),
        (_, Some(file)) => Some(Asks::Lines(requests(file)?)),
        _ => {
            // Words that are none ask for nothing, and not for all.
            let line = words.map(words::line).filter(|line| !line.trim().is_empty());
            line.map(|line| Asks::One(Asked::words(&line)))
        }
    })
}

/// Nothing is asked.
fn nothing_asked() -> Usage {
    Usage(
        "nothing is asked: -w WORDS (-w status:open sort:-due), --body JSON or --requests FILE"
            .to_owned(),
    )
}

/// What stands in the wrong place: words among the files, or no file because it is among the words.
fn misplaced(args: &QueryArgs, files: &Files) -> Option<Usage> {
    let is_word = |file: &&Path| !file.exists() && file.to_str().is_some_and(words::looks_like);
    let found: Vec<_> = files.paths().filter(is_word).collect();
    if let Some(first) = found.first() {
        let words: Vec<_> = found.iter().map(|word| word.to_string_lossy()).collect();
        return Some(Usage(format!(
            "{} is no file; words stand behind -w, after the files: -w {}",
            first.display(),
            words.join(" ")
        )));
    }
    if args.source.store.is_some() || files.paths().next().is_some() {
        return None;
    }
    let file = args.ask.words().and_then(|mut words| words.find(|word| Path::new(word).is_file()));
    Some(Usage(match file {
        Some(file) => format!(
            "no file of cases: {file:?} stands behind -w, where it is a word; files stand before it"
        ),
        None => "no file of cases: getcases query FILE... -w WORDS, or --store DIR".to_owned(),
    }))
}

/// Loads files and tells of cases that are refused; nothing where that is an end of it, as it is
/// where a file has records and none is a case.
pub(crate) fn load(files: &Files, asking: &Asking) -> anyhow::Result<Option<Loaded>> {
    let mut refused = FirstRefused::default();
    let (account, stream) = (asking.account.as_deref(), asking.stream.as_deref());
    let loaded = load::files(files, (account, stream), &mut |file, case| {
        refused.note(file, case);
        Ok(())
    })?;
    refused.report(&loaded);
    let is_strict = asking.strict_load && loaded.report.refused > 0;
    Ok((!is_strict && !loaded.has_file_all_refused()).then_some(loaded))
}

/// A body as it is written, of `@FILE`, or of the standard input.
pub(crate) fn body(body: &OsStr) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(file) = file_of(body) {
        let shown = file.display();
        let opened = fs::File::open(&file).with_context(|| format!("cannot open {shown}"))?;
        let read = opened.take(TOO_LONG).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {shown}"))?;
    } else if body == "-" {
        let read = io::stdin().take(TOO_LONG).read_to_end(&mut bytes);
        read.context("cannot read the standard input")?;
    } else {
        bytes.extend_from_slice(body.as_encoded_bytes());
    }
    Ok(bytes)
}

/// The file of `@FILE`, whatever bytes its name has.
#[cfg(unix)]
fn file_of(body: &OsStr) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    body.as_bytes().strip_prefix(b"@").map(|name| OsStr::from_bytes(name).into())
}

/// The file of `@FILE`.
#[cfg(not(unix))]
fn file_of(body: &OsStr) -> Option<PathBuf> {
    body.to_str()?.strip_prefix('@').map(PathBuf::from)
}

/// Reads a line into an empty buffer, as much of it as tells that it is too long; says whether
/// there was one.
pub(crate) fn read_line(requests: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
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

impl Asking {
    /// In what light requests are read, now.
    pub(crate) fn context(&self) -> Context {
        Context {
            user: self.user.clone(),
            offset_minutes: self.tz_offset,
            now: Some(self.now.unwrap_or_else(now)),
            strict: self.strict,
            severity: match self.severity {
                Severity::High => getcases::Severity::High,
                Severity::Low => getcases::Severity::Low,
            },
            max_limit: self.max_limit,
        }
    }
}
