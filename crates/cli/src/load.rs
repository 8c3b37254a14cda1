//! Cases read from files, and put into an engine.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use getcases::{Case, Engine, Refusal, Scope};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use crate::Usage;
use crate::input;

/// A scope's part for cases that name none, where no other case names one either.
const NOWHERE: &str = "-";

/// A case that was refused, and where it stands.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) file: PathBuf,
    pub(crate) line: u64,
    pub(crate) refusal: Refusal,
}

impl Refused {
    /// `FILE:LINE: $.path: code: message`, by the first problem.
    pub(crate) fn line(&self) -> String {
        let problems = self.refusal.problems();
        let more = match problems.len() {
            1 => String::new(),
            many => format!(" (and {} more)", many - 1),
        };
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        format!("{}:{}: {first}{more}", self.file.display(), self.line)
    }
}

/// What files hold.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) cases: Vec<Case>,
    pub(crate) refused: Vec<Refused>,
}

impl Read {
    /// How many cases were read, refused ones included.
    pub(crate) fn total(&self) -> usize {
        self.cases.len() + self.refused.len()
    }

    /// Tells of each refused case on the standard error, and of their number.
    pub(crate) fn report(&self) -> io::Result<()> {
        let mut stderr = io::stderr().lock();
        for refused in &self.refused {
            writeln!(stderr, "{}", refused.line())?;
        }
        if !self.refused.is_empty() {
            writeln!(stderr, "refused {} of {} cases", self.refused.len(), self.total())?;
        }
        Ok(())
    }
}

/// Reads files of cases, parsing on every core. Progress shows where the standard error is a
/// terminal.
pub(crate) fn read(files: &[PathBuf]) -> anyhow::Result<Read> {
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut read = Read::default();
    for file in files {
        bar.set_message(file.display().to_string());
        read_file(file, &bar, &mut read)?;
    }
    bar.finish_and_clear();
    Ok(read)
}

fn read_file(file: &Path, bar: &ProgressBar, read: &mut Read) -> anyhow::Result<()> {
    // One block is read and decompressed while another is parsed.
    let (sender, blocks) = sync_channel::<input::Block>(1);
    std::thread::scope(|threads| {
        let reader =
            threads.spawn(|| input::read(file, bar, move |block| sender.send(block).is_ok()));
        for block in blocks {
            let parsed: Vec<_> = block
                .texts()
                .into_par_iter()
                .map(|(line, text)| (line, Case::from_json(trim(text))))
                .collect();
            for (line, case) in parsed {
                match case {
                    Ok(case) => read.cases.push(case),
                    Err(refusal) => {
                        read.refused.push(Refused { file: file.to_owned(), line, refusal });
                    }
                }
            }
        }
        reader.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the reading thread panicked")))
    })
}

/// Takes a line's end off, so that a document is measured without it.
fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Which scope is asked: what is chosen, else what all cases that name one agree on.
pub(crate) fn scope(
    cases: &[Case],
    account: Option<&str>,
    stream: Option<&str>,
) -> Result<Scope, Usage> {
    let accounts = || cases.iter().filter_map(Case::account).collect::<BTreeSet<_>>();
    let account = match account {
        Some(account) => account,
        None => agreed("account", "--account", &accounts(), cases)?,
    };
    let own = |case: &&Case| case.account().is_none_or(|own| own == account);
    let streams = || cases.iter().filter(own).filter_map(Case::stream).collect::<BTreeSet<_>>();
    let stream = match stream {
        Some(stream) => stream,
        None => agreed("stream", "--stream", &streams(), cases)?,
    };
    Ok(Scope::new(account, stream))
}

fn agreed<'c>(
    what: &str,
    flag: &str,
    named: &BTreeSet<&'c str>,
    cases: &[Case],
) -> Result<&'c str, Usage> {
    match named.len() {
        0 => Ok(NOWHERE),
        1 => Ok(named.first().copied().unwrap_or(NOWHERE)),
        _ => {
            let pairs: BTreeSet<_> = cases
                .iter()
                .map(|case| (case.account().unwrap_or(NOWHERE), case.stream().unwrap_or(NOWHERE)))
                .collect();
            let list: Vec<_> = pairs
                .iter()
                .map(|(account, stream)| format!("\n  --account '{account}' --stream '{stream}'"))
                .collect();
            Err(Usage(format!(
                "the cases name more than one {what}; choose with {flag}:{}",
                list.concat()
            )))
        }
    }
}

/// Puts cases into an engine, each into the scope it names, or else into `home`. Says how many took
/// the place of an earlier one.
pub(crate) fn store(cases: Vec<Case>, home: &Scope) -> Result<(Engine, u64), Refusal> {
    let engine = Engine::new();
    let written = engine.write(|batch| {
        for case in cases {
            let account = case.account().unwrap_or(home.account());
            let stream = case.stream().unwrap_or(home.stream());
            let own = account == home.account() && stream == home.stream();
            let scope = if own { home.clone() } else { Scope::new(account, stream) };
            batch.upsert_case(&scope, case)?;
        }
        Ok::<_, Refusal>(())
    })?;
    Ok((engine, written.replaced))
}
