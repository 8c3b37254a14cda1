//! `getcases demo`: cases made and loaded, and a tour of requests over them.

use std::io::{self, Write};
use std::time::Instant;

use getcases::{Case, Context, Query, Refusal};
use getcases_workload::{Shape, Workload};
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::loaded::Loaded;
use crate::memory;
use crate::query::now;
use crate::table::{self, Look};
use crate::titles;

const CASES: u64 = 100_000;
const SEED: u64 = 1;
/// The case that the API's page prints.
const SEED_CASE: &str = include_str!("../../../tests/seed/case.json");
/// How many rows of a page are shown.
const ROWS: usize = 4;
/// Whom `mycase` asks for.
const USER: &str = "agent-5";

/// The tour: what is asked, and the request. The first is the sample that the API's page prints.
const TOUR: [(&str, &str); 8] = [
    ("The sample request: its key \"name\" is no filter, and is reported", r#"{"name":"Testing"}"#),
    (
        "What is urgent and not resolved, due first",
        r#"{"unresolved":true,"priority":["urgent"],"sortBy":"dueDate"}"#,
    ),
    (
        "Mine, not resolved, last touched first",
        r#"{"mycase":true,"unresolved":true,"sortBy":"updatedDate"}"#,
    ),
    ("One queue, new or open", r#"{"queues":["Queue 3"],"status":["new","open"]}"#),
    (
        "Nobody has it, and it came by e-mail or chat",
        r#"{"unassigned":true,"channel":["email","chat"]}"#,
    ),
    ("What is late, by a part of its title", r#"{"searchText":"is late after","unresolved":true}"#),
    (
        "Closed, created from March 2025 on, most severe first: page 20",
        r#"{"status":["closed"],"startDate":"2025-03-01","sortBy":"priority","page":20}"#,
    ),
    ("Only a count: everything that is on hold", r#"{"status":["on-hold"],"limit":0}"#),
];

pub(crate) fn run() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let started = Instant::now();
    // Made cases belong to any scope, so all are in the sample's own.
    let loaded = memory::loading(|pool| {
        let mut loaded = Loaded::new(None, None);
        loaded.push(Case::from_json(SEED_CASE.as_bytes())?)?;
        pool.install(generated)?.into_iter().try_for_each(|case| loaded.push(case))?;
        Ok(loaded.finish()?)
    })?;
    let snapshot = loaded.engine.snapshot(&loaded.scope()?);
    let seconds = started.elapsed().as_secs_f64();
    let loaded = snapshot.len();
    writeln!(out, "{loaded} cases loaded in {seconds:.1} s: {CASES} made, and the sample's own.")?;

    let look = Look::of_stdout(0, now());
    let context = Context { user: Some(USER.to_owned()), ..Context::default() };
    for (number, (title, body)) in TOUR.iter().enumerate() {
        let asked = Instant::now();
        let query = Query::from_json(body.as_bytes(), &context)?;
        let page = snapshot.search(&query);
        let elapsed = asked.elapsed();
        writeln!(out, "\n{}. {title}\n   {body}", number + 1)?;
        writeln!(out, "{}, in {elapsed:.1?}", table::page(&page, ROWS, look))?;
        if !page.ignored.is_empty() {
            writeln!(out, "ignored: {}", page.ignored.join(", "))?;
        }
    }
    let command = std::env::args().next().unwrap_or_else(|| "getcases".to_owned());
    writeln!(out, "{}", NEXT.replace("{}", &command))?;
    Ok(())
}

fn generated() -> Result<Vec<Case>, Refusal> {
    let workload = Workload::new(CASES, SEED, Shape::Lean);
    let style = ProgressStyle::with_template("loading {wide_bar} {pos}/{len} cases {eta}");
    let bar =
        ProgressBar::new(CASES).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let make = |case| {
        let mut json = Vec::new();
        workload.write_case(case, &mut json);
        Case::from_json(&titled(json, case))
    };
    let cases = (0..CASES).into_par_iter().progress_with(bar.clone()).map(make).collect();
    bar.finish_and_clear();
    cases
}

/// A made case with a title that a desk would have; the workload's own are drawn to be searched.
fn titled(json: Vec<u8>, number: u64) -> Vec<u8> {
    let mut document: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
    match document.get_mut("name") {
        Some(name) => *name = titles::title(number).into(),
        None => return json,
    }
    document.to_string().into_bytes()
}

/// What to try next; `{}` is how this command was called.
const NEXT: &str = "
Next, on files of your own (NDJSON, an array, or a saved response; .gz and .zst too):
  {} generate --cases 100000 > cases.ndjson
  {} check cases.ndjson
  {} query --cases cases.ndjson --table --body '{\"status\":[\"open\"]}'
  {} query --cases cases.ndjson --explain=text --body '{\"searchText\":\"refund\"}'
  {} help query";
