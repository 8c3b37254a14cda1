//! Files of cases, opened and put into an engine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use getcases_load::{Block, Loader, Options, Outline, Refused, Sink};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Files;
use crate::loaded::{Caseless, Loaded, loader};
use crate::memory;
use crate::tell;

/// Takes each refused case as it is met, with its file; an error ends the load.
pub(crate) type Refuse<'f> = dyn FnMut(&Path, Refused) -> anyhow::Result<()> + Send + 'f;

/// A file, or the standard input for `-`. The bar runs with the bytes read.
fn open(path: &Path, bar: &ProgressBar) -> anyhow::Result<impl Read + Send + use<>> {
    let raw: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        bar.inc_length(file.metadata().map_or(0, |metadata| metadata.len()));
        Box::new(file)
    };
    Ok(bar.wrap_read(raw))
}

/// Reads a file and hands its records on, a block at a time, until `each` says to stop; gives what
/// it begins with.
pub(crate) fn read(
    path: &Path,
    options: &Options,
    bar: &ProgressBar,
    each: impl FnMut(Block) -> bool,
) -> anyhow::Result<Outline> {
    let text = getcases_load::unpack(open(path, bar)?);
    text.and_then(|text| getcases_load::read(text, options, each))
        .with_context(|| format!("cannot read {}", path.display()))
}

/// Loads files of cases into an engine of their own; refused ones are handed on in the files'
/// order. Progress shows where the standard error is a terminal.
pub(crate) fn files(
    files: &Files,
    (account, stream): (Option<&str>, Option<&str>),
    refuse: &mut Refuse<'_>,
) -> anyhow::Result<Loaded> {
    memory::loading(|| into(loader().asking(account, stream), files, refuse))
}

/// Loads files of cases, parsing on every core.
pub(crate) fn into<S: Sink>(
    mut loader: Loader<S>,
    files: &Files,
    refuse: &mut Refuse<'_>,
) -> anyhow::Result<Loaded<S>> {
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let paths: Vec<_> = files.paths().collect();
    let mut caseless = Vec::new();
    for &file in &paths {
        bar.set_message(file.display().to_string());
        let raw = open(file, &bar)?;
        let mut refuse = |refused| refuse(file, refused).map_err(Stop::Refused);
        let read = loader.read(raw, &files.options(file), &mut refuse);
        let held = read.map_err(|stop| match stop {
            Stop::Refused(error) => error,
            Stop::Read(error) => {
                anyhow::Error::new(error).context(format!("cannot read {}", file.display()))
            }
        })?;
        if held.records == held.refused {
            let is_plain = files.are_plain();
            caseless.push(Caseless { file: file.to_owned(), held, is_plain });
        }
    }
    bar.finish_and_clear();
    for source in files.unmet() {
        tell(&format!("warning: --map: no record has {source}"));
    }
    Ok(Loaded::of_files(loader.finish()?, &paths, caseless))
}

/// Why a load ends.
enum Stop {
    /// What takes refused cases says so.
    Refused(anyhow::Error),
    Read(getcases_load::Error),
}

impl From<getcases_load::Error> for Stop {
    fn from(error: getcases_load::Error) -> Self {
        Self::Read(error)
    }
}
