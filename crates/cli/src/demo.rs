//! `getcases demo`: cases made and loaded, and a tour of requests over them.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use getcases::{Case, Context, Engine, Query, Refusal, Scope, Snapshot};
use getcases_load::{Loader, Sink};
use getcases_plain::{Columns, Request, scan};
use getcases_workload::{Shape, Workload};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::loaded::{Loaded, loader};
use crate::memory;
use crate::query::now;
use crate::table::{self, Look};
use crate::titles;
use crate::words::Words;

const CASES: u64 = 100_000;
const SEED: u64 = 1;
/// How many cases are made at a time.
const CHUNK: usize = 1 << 13;
/// The case that the API's page prints.
const SEED_CASE: &str = include_str!("../../../tests/seed/case.json");
/// What stands for the account in it, and the account of the demo.
const PLACEHOLDER: &str = "{{accountId}}";
const ACCOUNT: &str = "6639f7bd58c97ffac03b0000";
/// How many rows of a page are shown.
const ROWS: usize = 4;
/// Whom `mycase` asks for.
const USER: &str = "agent-5";
/// How often a request is asked again once it has been answered, and the scan.
const AGAIN: usize = 99;
const SCANS: usize = 3;

/// What is asked: what it means, the body, and the words for it. The first is the sample that the
/// API's page prints.
const TOUR: [(&str, &str, &str); 8] = [
    (
        "The sample request: its key \"name\" is no filter, and is reported",
        r#"{"name":"Testing"}"#,
        "",
    ),
    (
        "What is urgent and not resolved, due first",
        r#"{"unresolved":true,"priority":["urgent"],"sortBy":"dueDate"}"#,
        "unresolved priority:urgent sort:due",
    ),
    (
        "Mine, for whom agent-5 is the user, not resolved, last touched first",
        r#"{"mycase":true,"unresolved":true,"sortBy":"updatedDate"}"#,
        "mine unresolved sort:updatedDate",
    ),
    (
        "One queue, new or open",
        r#"{"queues":["Queue 3"],"status":["new","open"]}"#,
        "queue:\"Queue 3\" status:new,open",
    ),
    (
        "Nobody has it, and it came by e-mail or chat",
        r#"{"unassigned":true,"channel":["email","chat"]}"#,
        "unassigned channel:email,chat",
    ),
    (
        "What is late, by a part of its title",
        r#"{"searchText":"is late after","unresolved":true}"#,
        "is late after unresolved",
    ),
    (
        "Closed, created from March 2025 on, most severe first: page 20",
        r#"{"status":["closed"],"startDate":"2025-03-01","sortBy":"priority","page":20}"#,
        "status:closed created:2025-03-01.. sort:priority page:20",
    ),
    (
        "Only a count: everything that is on hold",
        r#"{"status":["on-hold"],"limit":0}"#,
        "status:on-hold limit:0",
    ),
];

/// Which of the tour is explained, and which first case is closed.
const EXPLAINED: &str = TOUR[6].1;
const CLOSED_IN: &str = TOUR[1].1;
/// A request that is wrong three times.
const WRONG: &str = r#"{"status":["open"],"startDate":"2025-02-30","sortBy":"-dueDat","limit":-1}"#;

pub(crate) fn run() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let started = Instant::now();
    let loaded = load()?;
    let scope = loaded.scope()?;
    let snapshot = loaded.engine.snapshot(&scope);
    let (count, seconds) = (snapshot.len(), started.elapsed().as_secs_f64());
    writeln!(
        out,
        "{count} cases made and loaded in {seconds:.1} s: {CASES} of the workload, with a desk's \
         titles, and the sample's own."
    )?;
    let columns = columns(&snapshot)?;
    writeln!(out, "{TIMES}")?;

    let context = Context { user: Some(USER.to_owned()), ..Context::default() };
    let desk = Demo { snapshot, columns, context, look: Look::of_stdout(0, now()) };
    for (number, (title, body, words)) in TOUR.iter().enumerate() {
        writeln!(out, "\n{}. {title}\n   {body}", number + 1)?;
        if !words.is_empty() {
            writeln!(out, "   in words: {words}")?;
        }
        desk.ask(body, &mut out)?;
    }
    desk.refuse(&mut out)?;
    desk.write(&loaded.engine, &scope, &mut out)?;
    writeln!(out, "\n11. How a request is understood and answered\n   {EXPLAINED}")?;
    let query = Query::from_json(EXPLAINED.as_bytes(), &desk.context)?;
    writeln!(out, "{}", desk.snapshot.explain(&query))?;
    let command = std::env::args().next().unwrap_or_else(|| "getcases".to_owned());
    writeln!(out, "{}", NEXT.replace("{}", &command))?;
    Ok(())
}

/// Made cases and the sample's own, all in its scope: made ones belong to any.
pub(crate) fn load() -> anyhow::Result<Loaded> {
    memory::loading(|| Ok(Loaded::new(fill(loader())?)))
}

/// Puts the same cases into what a loader is of.
pub(crate) fn fill<S: Sink>(mut loader: Loader<S>) -> anyhow::Result<getcases_load::Loaded<S>> {
    let seed = SEED_CASE.replace(PLACEHOLDER, ACCOUNT);
    loader.push(Case::from_json(seed.as_bytes())?)?;
    generate(&ThreadPoolBuilder::new().build()?, |case| Ok(loader.push(case)?))?;
    Ok(loader.finish()?)
}

/// What is asked, and what it is held against.
struct Demo {
    snapshot: Snapshot,
    columns: Columns,
    context: Context,
    look: Look,
}

impl Demo {
    /// Answers a request once, again and again, and by a scan, which must find the same.
    fn ask(&self, body: &str, out: &mut impl Write) -> anyhow::Result<()> {
        let search = || -> Result<_, Refusal> {
            let query = Query::from_json(body.as_bytes(), &self.context)?;
            Ok(self.snapshot.search(&query))
        };
        let asked = Instant::now();
        let page = search()?;
        let first = asked.elapsed();
        let again = median(AGAIN, || _ = search());
        write!(out, "{}, in {first:.1?}, again {again:.1?}", table::page(&page, ROWS, self.look))?;
        // The scan knows no keys but those that are asked here.
        if let Ok(request) = Request::read(body, self.context.user.as_deref()) {
            let found = scan(&self.columns, &request);
            let ids = found.places.iter().map(|place| self.columns.id(*place));
            let is_same = found.total == page.total_results
                && ids.eq(page.results.iter().map(getcases::Document::id));
            anyhow::ensure!(is_same, "the scan does not find the same: {body}");
            let scanned = median(SCANS, || _ = scan(&self.columns, &request));
            write!(out, "; by a scan {scanned:.1?}")?;
        }
        writeln!(out)?;
        if !page.ignored.is_empty() {
            writeln!(out, "ignored: {}", page.ignored.join(", "))?;
        }
        Ok(())
    }

    /// A wrong request and its answer.
    fn refuse(&self, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(out, "\n9. What cannot be honoured is refused, all of it at once\n   {WRONG}")?;
        if let Err(refusal) = Query::from_json(WRONG.as_bytes(), &self.context) {
            for problem in refusal.problems() {
                writeln!(out, "{}", getcases_load::describe(problem))?;
            }
        }
        for wrong in Words::read("staus:open").err().into_iter().flatten() {
            writeln!(out, "   in words: staus:open\n{}", wrong.line())?;
        }
        Ok(())
    }

    /// Closes a case, and asks again.
    fn write(&self, engine: &Engine, scope: &Scope, out: &mut impl Write) -> anyhow::Result<()> {
        let query = Query::from_json(CLOSED_IN.as_bytes(), &self.context)?;
        let before = self.snapshot.search(&query);
        let Some(document) = before.results.first() else { return Ok(()) };
        let mut case: serde_json::Value = serde_json::from_str(document.json())?;
        case["status"] = serde_json::json!({"name": "Closed", "statusCategory": "closed"});
        let (id, case) = (document.id(), case.to_string());
        let started = Instant::now();
        engine.write(|batch| batch.upsert(scope, &case))?;
        let written = started.elapsed();
        let after = engine.snapshot(scope).search(&query);
        writeln!(out, "\n10. {id} is closed, and the next read sees it\n   {CLOSED_IN}")?;
        writeln!(
            out,
            "{} cases before, written in {written:.1?}, {} after; a snapshot taken before still \
             has {}",
            before.total_results,
            after.total_results,
            self.snapshot.search(&query).total_results,
        )?;
        Ok(())
    }
}

/// The median time of doing something a number of times.
fn median(times: usize, mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    let mut times: Vec<_> = (0..times).map(time).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Makes the cases on every core, some thousands at a time, and hands them on in their order.
fn generate(
    pool: &ThreadPool,
    mut each: impl FnMut(Case) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let workload = Workload::new(CASES, SEED, Shape::Lean);
    let style = ProgressStyle::with_template("loading {wide_bar} {pos}/{len} cases {eta}");
    let bar =
        ProgressBar::new(CASES).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let make = |case| {
        let mut json = Vec::new();
        workload.write_case(case, &mut json);
        let json = titled(&String::from_utf8_lossy(&json), &titles::title(case));
        Case::from_json(json.as_bytes())
    };
    for first in (0..CASES).step_by(CHUNK) {
        let numbers = first..CASES.min(first + CHUNK as u64);
        let made: Result<Vec<_>, Refusal> =
            pool.install(|| numbers.into_par_iter().map(make).collect());
        for case in made? {
            each(case)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// The same cases as columns, for the scan.
fn columns(snapshot: &Snapshot) -> anyhow::Result<Columns> {
    let mut columns = Columns::default();
    let mut documents = snapshot.documents().peekable();
    memory::loading(|| {
        let pool = ThreadPoolBuilder::new().build()?;
        while documents.peek().is_some() {
            let some: Vec<_> = documents.by_ref().take(CHUNK).collect();
            let read =
                some.par_iter().filter_map(|document| Columns::read(document.json().as_bytes()));
            let read: Vec<_> = pool.install(|| read.collect());
            read.into_iter().for_each(|read| columns.push(read));
        }
        Ok(())
    })?;
    Ok(columns)
}

/// A made case with a title that a desk would have as its name and its title; the workload's own
/// are drawn to be searched. Both stand before all else that is called so, and without escapes.
fn titled(json: &str, title: &str) -> String {
    let with = |json: &str, key: &str| {
        let start = json.find(key).map(|at| at + key.len());
        let cut = start.and_then(|start| {
            let (head, rest) = json.split_at_checked(start)?;
            Some((head, rest.get(rest.find('"')?..)?))
        });
        cut.map_or_else(|| json.to_owned(), |(head, tail)| format!("{head}{title}{tail}"))
    };
    with(&with(json, r#""name":""#), r#""selectedValue":""#)
}

const TIMES: &str = "\
Times are those of the first answer, from the body's bytes to a page of whole cases; of the median
of 99 more, when what it needs is in the processor's caches; and of a linear scan over columns in
memory for the same ids and total, without the cases. All three find the same.";

/// What to try next; `{}` is how this command was called.
const NEXT: &str = "
Next, on files of your own (NDJSON, an array, a saved response, CSV; .gz and .zst too):
  {} generate --cases 100000 > cases.ndjson
  {} check cases.ndjson
  {} query cases.ndjson --table -w unresolved priority:urgent sort:due
  {} query cases.ndjson --explain=text --body '{\"searchText\":\"refund\"}'
  {} shell cases.ndjson
  {} help query";

#[cfg(test)]
mod tests {
    use getcases::Code;

    use super::*;

    #[test]
    fn made_cases_get_titles_and_nothing_else_changes() {
        let workload = Workload::new(50, SEED, Shape::Lean);
        for number in 0..50 {
            let mut json = Vec::new();
            workload.write_case(number, &mut json);
            let read = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
            let mut expected = read(&json);
            expected["name"] = "Late order".into();
            expected["fields"][0]["selectedValue"] = "Late order".into();
            let titled = titled(std::str::from_utf8(&json).unwrap(), "Late order");
            assert_eq!(read(titled.as_bytes()), expected);
        }
    }

    #[test]
    fn words_are_what_the_bodies_say() {
        for (_, body, words) in TOUR.iter().filter(|(_, _, words)| !words.is_empty()) {
            let own = Words::read(words).unwrap().body;
            let read = |body: &str| serde_json::from_str::<serde_json::Value>(body).unwrap();
            let sorts = |body: &str| match read(body)["sortBy"].as_str() {
                Some(sort) => sort.parse::<getcases::SortKey>().ok(),
                None => None,
            };
            assert_eq!(sorts(&own), sorts(body), "{words}");
            let rest = |body: &str| {
                let mut body = read(body);
                body.as_object_mut().unwrap().shift_remove("sortBy");
                body
            };
            assert_eq!(rest(&own), rest(body), "{words}");
        }
        let refusal = Query::from_json(WRONG.as_bytes(), &Context::default()).unwrap_err();
        let codes = refusal.problems().iter().map(getcases::Problem::code);
        let expected = [Code::InvalidDate, Code::UnknownSortField, Code::InvalidInteger];
        assert!(codes.eq(expected));
    }
}
