//! The command's words.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, RangedU64ValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use getcases_load::{JsonPath, Mapping, Options};

use crate::Usage;
use crate::words::names;

/// Case search over files: answers Get Cases requests with exact totals.
///
/// Exit codes: 0; 1 where a request was refused, a file could not be read or has records and no
/// case, or a case was refused by `check` or with --strict-load; 2 for wrong usage. Files of CSV
/// and of other systems are read by --map: docs/files.md has an example of each.
#[derive(Debug, Parser)]
#[command(name = "getcases", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make cases, load them, and answer a tour of requests. Needs no files and no flags.
    Demo,
    /// Answer one request, or a file of them, over files of cases.
    #[command(after_long_help = words_help())]
    Query(Box<QueryArgs>),
    /// Load files of cases once, and answer requests line by line.
    ///
    /// Lines are requests, in words or as JSON, and commands; `help` lists them. On a terminal Tab
    /// completes names and values, and lines are kept in $XDG_STATE_HOME/getcases/history, or
    /// ~/.local/state/getcases/history. Anywhere else there is an answer a line, and exit code 1
    /// where one was refused.
    #[command(after_long_help = words_help())]
    Shell(Box<ShellArgs>),
    /// Make cases, as NDJSON on the standard output; the same bytes for the same seed.
    Generate(GenerateArgs),
    /// Read files of cases and say which are refused, and why.
    Check(CheckArgs),
    /// Measure the query classes, or upserts, over made cases or a file's.
    ///
    /// Every answer is held against a linear scan before the clock starts.
    Bench(Box<BenchArgs>),
    /// Load files of cases and say what they take in memory.
    Stats(StatsArgs),
    /// Answer the Get Cases API over HTTP, over files of cases.
    #[cfg(feature = "server")]
    #[command(after_long_help = crate::serve::HELP)]
    Serve(Box<crate::serve::ServeArgs>),
    /// Check a configuration of `serve`, or print one that says everything.
    #[cfg(feature = "server")]
    #[command(subcommand)]
    Config(crate::serve::ConfigCommand),
    /// Make a token of a configured app, to try with.
    #[cfg(feature = "server")]
    Token(crate::serve::TokenArgs),
    #[cfg(feature = "store")]
    #[command(flatten)]
    Store(crate::store::StoreCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page, or write all of them to a folder.
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The subcommand that the page is of; the page of getcases itself unless set.
    #[arg(value_name = "SUBCOMMAND", conflicts_with = "dir")]
    pub(crate) subcommand: Option<String>,
    /// Write every page to this folder: getcases.1, getcases-query.1 and so on.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

/// Files of cases, and how they are read.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Files of cases: NDJSON, a JSON array, a whole response, one case, or CSV; also as .gz or
    /// .zst. `-` is the standard input.
    #[arg(value_name = "FILE", required_unless_present = "cases")]
    files: Vec<PathBuf>,
    /// Files of cases, as by their bare names.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cases: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// Files of cases, or a store.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Files of cases: NDJSON, a JSON array, a whole response, one case, or CSV; also as .gz or
    /// .zst. `-` is the standard input. They stand before -w.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Files of cases, as by their bare names.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cases: Vec<PathBuf>,
    /// The folder of a store, in the place of files.
    #[arg(
        long, value_name = "DIR", hide = !cfg!(feature = "store"),
        conflicts_with_all = ["files", "cases", "map", "records"]
    )]
    pub(crate) store: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

impl Source {
    /// The files.
    pub(crate) fn files(&self) -> Files {
        let (files, cases) = (self.files.clone(), self.cases.clone());
        Files { files, cases, reading: self.reading.clone() }
    }
}

/// How files of other systems are read.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reading {
    /// What the columns of CSV, or the values of another system's JSON, are in a case:
    /// `_id=Key,name=Summary,status=.fields.status.name,createdAt=.created * 1000`, or a file with
    /// one of these a line. Targets: _id, refId, name, status, statusCategory, priority,
    /// priorityScore, channel, queue, assignee, assigneeId, createdAt, updatedAt, dueDate.
    #[arg(
        long, value_name = "FILE|TARGET=SOURCE,…",
        value_parser = OsStringValueParser::new().try_map(|text| mapping(&text))
    )]
    map: Option<Mapping>,
    /// Where the records are in a file of JSON, such as `.issues[]`.
    #[arg(long, value_name = "PATH", value_parser = clap::value_parser!(JsonPath))]
    records: Option<JsonPath>,
}

impl Reading {
    /// Whether a file is read as it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.map.is_none() && self.records.is_none()
    }

    /// How a file is to be read.
    pub(crate) fn options(&self, file: &Path) -> Options {
        let name = file.to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        Options {
            records: self.records.clone(),
            map: self.map.clone().unwrap_or_default(),
            is_table: name.ends_with(".csv") || name.ends_with(".tsv"),
        }
    }
}

impl Files {
    /// Looks for each of them, and opens none: a named pipe is opened once.
    ///
    /// # Errors
    /// Where one is not there.
    #[cfg(feature = "store")]
    pub(crate) fn are_there(&self) -> anyhow::Result<()> {
        let mut files = self.paths().filter(|file| *file != Path::new("-"));
        files.try_for_each(|file| {
            let found = std::fs::metadata(file).map(drop);
            anyhow::Context::with_context(found, || format!("cannot open {}", file.display()))
        })
    }

    /// These files, read in a certain way.
    #[cfg(feature = "server")]
    pub(crate) fn new(files: Vec<PathBuf>, reading: Reading) -> Self {
        Self { files, cases: Vec::new(), reading }
    }

    /// The files, in the order in which they are read.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().chain(&self.cases).map(PathBuf::as_path)
    }

    /// How a file is to be read.
    pub(crate) fn options(&self, file: &Path) -> Options {
        self.reading.options(file)
    }

    /// Refuses the standard input (`-`) for two things: it can be read once.
    pub(crate) fn one_standard_input(&self, is_read_besides: bool) -> Result<(), Usage> {
        let files = self.paths().filter(|file| *file == Path::new("-")).count();
        if files + usize::from(is_read_besides) > 1 {
            return Err(Usage("the standard input (-) can stand for one thing only".to_owned()));
        }
        Ok(())
    }

    /// The sources of their mapping that none of what was read had.
    pub(crate) fn unmet(&self) -> impl Iterator<Item = &str> {
        self.reading.map.iter().flat_map(Mapping::unmet)
    }

    /// Whether files are read as they are.
    pub(crate) fn are_plain(&self) -> bool {
        self.reading.is_plain()
    }
}

/// A mapping as it is written, or that of a file.
fn mapping(text: &OsStr) -> Result<Mapping, String> {
    if !Path::new(text).is_file() {
        let Some(text) = text.to_str().filter(|text| text.contains('=')) else {
            return Err(format!("{text:?} is neither a file nor TARGET=SOURCE"));
        };
        return text.parse().map_err(|error: getcases_load::Error| error.to_string());
    }
    let lines = std::fs::read_to_string(text).map_err(|error| error.to_string())?;
    Mapping::from_lines(&lines).map_err(|error| error.to_string())
}

/// Whom a request comes from, and in what light it is read.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// The account to ask, where the cases name several.
    #[arg(long, value_name = "A")]
    pub(crate) account: Option<String>,
    /// The stream to ask, where the cases name several.
    #[arg(long, value_name = "S")]
    pub(crate) stream: Option<String>,
    /// The current user's id, for `mycase`.
    #[arg(long, value_name = "U")]
    pub(crate) user: Option<String>,
    /// The zone of dates without one: as clocks tell it, +05:30, or in minutes with
    /// utc = local + offset, -330.
    #[arg(
        long, value_name = "±HH:MM|MINUTES", default_value = "0", value_parser = offset,
        allow_hyphen_values = true
    )]
    pub(crate) tz_offset: i64,
    /// The time by which tables mark what is overdue: a date in any form that a request takes. Now,
    /// unless set.
    #[arg(long, value_name = "T", value_parser = instant, allow_negative_numbers = true)]
    pub(crate) now: Option<i64>,
    /// Which scores of a priority are the more severe ones.
    #[arg(long, value_enum, default_value_t = Severity::High)]
    pub(crate) severity: Severity,
    /// The cap of `limit`.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_limit: u64,
    /// Refuse unknown keys of a request.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Fail where a case is refused.
    #[arg(long)]
    pub(crate) strict_load: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) ask: Ask,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Tell on the standard error how each request is understood and answered: --explain, --explain
    /// text, --explain json. A file that is named so stands elsewhere.
    #[arg(
        long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true,
        default_missing_value = "json"
    )]
    pub(crate) explain: Option<ExplainForm>,
    /// Print tables instead of JSON.
    #[arg(long)]
    pub(crate) table: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// Print tables, as on a terminal.
    #[arg(long, conflicts_with = "json")]
    pub(crate) table: bool,
    /// Print JSON, as anywhere else.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is asked; one of these.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Ask {
    /// One request, in words: status:open,new text:"late delivery" -queue:spam sort:-due limit:20.
    /// They end at the next flag.
    #[arg(short, long, value_name = "WORD", num_args = 1..)]
    r#where: Option<Vec<String>>,
    /// One request: its JSON, `@FILE`, or `-` for the standard input.
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) body: Option<OsString>,
    /// A file with one request a line, or `-` for the standard input; a blank line is `{}`.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) requests: Option<PathBuf>,
}

impl Ask {
    /// Whether requests come from the standard input.
    pub(crate) fn reads_standard_input(&self) -> bool {
        let is_dash = |name: Option<&OsStr>| name == Some(OsStr::new("-"));
        is_dash(self.body.as_deref()) || is_dash(self.requests.as_deref().map(Path::as_os_str))
    }

    /// The words of a request, where it comes in words.
    pub(crate) fn words(&self) -> Option<impl Iterator<Item = &str>> {
        self.r#where.as_ref().map(|words| words.iter().map(String::as_str))
    }
}

/// The arguments with each word behind `-w` as a value of its own, so that one that begins with a
/// minus is no flag, and with the form of `--explain` behind an equals sign. Flags are those of one
/// letter, and those with two minuses. Only `query` takes either.
pub(crate) fn with_words(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut all: Vec<OsString> = arguments.by_ref().take(2).collect();
    if all.get(1).is_none_or(|subcommand| subcommand != "query") {
        all.extend(arguments);
        return all;
    }
    let mut is_among_words = false;
    for argument in arguments {
        // A form stands behind a space, too; nothing else does, so that no file is taken for one.
        let is_form = ExplainForm::value_variants().iter().any(|form| {
            let name = form.to_possible_value();
            name.is_some_and(|name| argument == name.get_name())
        });
        if is_form && let Some(last) = all.last_mut().filter(|last| *last == "--explain") {
            last.push("=");
            last.push(&argument);
            continue;
        }
        let bytes = argument.as_encoded_bytes();
        let is_flag = bytes.starts_with(b"--") || bytes.len() == 2 && bytes.starts_with(b"-");
        if is_among_words && !is_flag {
            // The flag has a value now.
            if all.last().is_some_and(|last| last == "-w" || last == "--where") {
                all.pop();
            }
            let mut value = OsString::from("--where=");
            value.push(&argument);
            all.push(value);
            continue;
        }
        is_among_words = bytes == b"-w" || bytes == b"--where" || bytes.starts_with(b"--where=");
        all.push(argument);
    }
    all
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ExplainForm {
    /// One JSON object a request.
    Json,
    /// For people.
    Text,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Severity {
    High,
    Low,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// How many.
    #[arg(long, value_name = "N")]
    pub(crate) cases: u64,
    /// What they are drawn by.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The keys that a request can ask for, or every key of a real case.
    #[arg(long, value_enum, default_value_t = Shape::Lean)]
    pub(crate) shape: Shape,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shape {
    /// About 600 bytes a case.
    Lean,
    /// About 3,000 bytes a case.
    Seed,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Tell of every refused case, and not of the first 20 only.
    #[arg(long)]
    pub(crate) all: bool,
    /// One JSON object for every refused case, and one at the end.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) source: BenchSource,
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The account to measure, where the cases of a file name several.
    #[arg(long, value_name = "A", conflicts_with = "cases")]
    pub(crate) account: Option<String>,
    /// The stream to measure, where the cases of a file name several.
    #[arg(long, value_name = "S", conflicts_with = "cases")]
    pub(crate) stream: Option<String>,
    /// The keys that a request can ask for, or every key of a real case.
    #[arg(long, value_enum, default_value_t = Shape::Lean, conflicts_with = "file")]
    pub(crate) shape: Shape,
    /// Load the cases in random order.
    #[arg(long)]
    pub(crate) shuffle: bool,
    /// A file of classes, one `{"class","body"}` a line; the 17 of the workload unless set.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["upserts", "pages", "load", "needles"])]
    pub(crate) classes: Option<PathBuf>,
    /// How many bodies with other values each class runs over besides its own.
    #[arg(
        long, value_name = "N", default_value_t = 64,
        value_parser = RangedU64ValueParser::<u64>::new().range(..=1_000_000),
        conflicts_with_all = ["upserts", "pages", "load", "needles"]
    )]
    pub(crate) variants: u64,
    /// What answers; several are measured side by side.
    #[arg(
        long, value_enum, value_delimiter = ',', default_value = "getcases",
        conflicts_with_all = ["upserts", "pages", "load"]
    )]
    pub(crate) engine: Vec<Peer>,
    /// From a valid query to ids and the total, or from body bytes to response bytes.
    #[arg(
        long, value_enum, default_value_t = Timed::Query,
        conflicts_with_all = ["upserts", "pages", "load"]
    )]
    pub(crate) timed: Timed,
    /// How many threads ask at once.
    #[arg(
        long, value_name = "N", default_value_t = 1,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024),
        conflicts_with_all = ["upserts", "pages", "load"]
    )]
    pub(crate) threads: usize,
    /// How often each body is asked.
    #[arg(
        long, value_parser = some(), value_name = "K", default_value_t = 300,
        conflicts_with_all = ["upserts", "pages", "load", "needles"]
    )]
    pub(crate) iterations: usize,
    /// Measure this many upserts of cases that are there, instead of queries.
    #[arg(long, value_parser = some(), value_name = "K")]
    pub(crate) upserts: Option<usize>,
    /// Measure this many pages of whole documents, beside a plain copy of as many.
    #[arg(long, value_parser = some(), value_name = "K", conflicts_with = "upserts")]
    pub(crate) pages: Option<usize>,
    /// Measure a load from memory, beside a walk over the same bytes.
    #[arg(long, conflicts_with_all = ["upserts", "pages"])]
    pub(crate) load: bool,
    /// Measure this many needles of each length, without white space and with it, instead of the
    /// classes.
    #[arg(
        long, value_parser = some(), value_name = "K",
        conflicts_with_all = ["upserts", "pages", "load"]
    )]
    pub(crate) needles: Option<usize>,
    /// How many upserts are one batch.
    #[arg(
        long, value_parser = some(), value_name = "B", default_value_t = 1, requires = "upserts"
    )]
    pub(crate) batch: usize,
    /// Read the documents of upserts before the clock starts.
    #[arg(long, requires = "upserts")]
    pub(crate) parsed: bool,
    /// Ask on another thread meanwhile, and measure that too, beside the same without upserts.
    #[arg(long, requires = "upserts")]
    pub(crate) reader: bool,
    /// Print one JSON object a class.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct BenchSource {
    /// How many cases to make.
    #[arg(
        long, value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX))
    )]
    pub(crate) cases: Option<u64>,
    /// A file of cases, as for `query`. The classes ask for its own statuses, queues, people, words
    /// and days; one that asks for what no case has is skipped.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// This library.
    Getcases,
    /// The plain design on roaring bitmaps.
    Roaring,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timed {
    /// From a valid query to ids and the total.
    Query,
    /// From body bytes to response bytes.
    Bytes,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) source: Source,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What words there are.
fn words_help() -> String {
    format!(
        "Words:\n{}\nLists are parted by commas; -NAME:VALUE and not NAME:VALUE ask for all \
         others; what has white space,\na comma or a colon stands in quotes. docs/contract.md says \
         what each becomes.",
        names::listed()
    )
}

/// Minutes as they stand, or of a zone: `+05:30` and `+0530` are -330.
pub(crate) fn offset(text: &str) -> Result<i64, String> {
    let wrong = "a zone is +05:30, or minutes with utc = local + offset, such as -330";
    let zone = |zone: &str| {
        let (hours, minutes) = match zone.split_once(':') {
            None if zone.len() == 4 => zone.split_at_checked(2)?,
            pair => pair?,
        };
        let number = |digits: &str| {
            let is_pair = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<i64>().ok().filter(|_| is_pair)
        };
        Some(number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?)
    };
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(east), _) => zone(east).map(|minutes| -minutes),
        (_, Some(west)) => zone(west).or_else(|| text.parse().ok()),
        _ => text.parse().ok(),
    }
    .ok_or_else(|| wrong.to_owned())
}

/// A number of things, of which there is at least one.
/// How often anything is measured at most.
const MOST: u64 = 1_000_000_000;

pub(crate) fn some() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST)
}

fn instant(text: &str) -> Result<i64, String> {
    let date = match text.trim().parse() {
        Ok(millis) => getcases::RequestDate::from_millis(millis),
        Err(_) => text.parse(),
    };
    date.map(|date| date.first_instant(0)).map_err(|error| error.to_string())
}
