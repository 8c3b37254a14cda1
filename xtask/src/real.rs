//! Files of real cases: NDJSON, packed by gzip, each case with its account and stream.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use getcases::Scope;

use crate::generate::Vocabulary;

/// How many cases are looked at for the values that requests ask for, about.
const SAMPLE: usize = 400;

pub(crate) fn lines(file: &Path) -> anyhow::Result<Vec<String>> {
    let mut text = String::new();
    File::open(file)
        .and_then(|packed| flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text))
        .with_context(|| file.display().to_string())?;
    Ok(text.lines().map(str::to_owned).collect())
}

pub(crate) fn scope(line: &str) -> anyhow::Result<Scope> {
    let case: serde_json::Value = serde_json::from_str(line)?;
    let part = |name: &str| case[name].as_str().context("no scope");
    Ok(Scope::new(part("accountId")?, part("iId")?))
}

/// The values of some cases.
pub(crate) fn vocabulary(cases: &[String]) -> anyhow::Result<Vocabulary> {
    let sample = cases.iter().step_by(cases.len() / SAMPLE + 1);
    let sample: Result<Vec<_>, _> = sample.map(|line| serde_json::from_str(line)).collect();
    Ok(Vocabulary::of(&sample?))
}
