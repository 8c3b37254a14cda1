//! Files of cases, opened and put into an engine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::sync_channel;

use anyhow::Context as _;
use getcases_load::{Block, Options, Refused};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::args::Files;
use crate::loaded::Loaded;
use crate::memory;

/// How many blocks of parsed cases may wait: while one thread enters values, the others go on.
const AHEAD: usize = 4;

/// Takes each refused case as it is met, with its file; an error ends the load.
pub(crate) type Refuse<'f> = dyn FnMut(&Path, Refused) -> anyhow::Result<()> + Send + 'f;

/// Reads a file, or the standard input for `-`, and hands its records on, a block at a time, until
/// `each` says to stop. The bar runs with the bytes read.
pub(crate) fn read(
    path: &Path,
    options: &Options,
    bar: &ProgressBar,
    each: impl FnMut(Block) -> bool,
) -> anyhow::Result<()> {
    let raw: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        bar.inc_length(file.metadata().map_or(0, |metadata| metadata.len()));
        Box::new(file)
    };
    let text = getcases_load::unpack(bar.wrap_read(raw));
    text.and_then(|text| getcases_load::read(text, options, each))
        .with_context(|| format!("cannot read {}", path.display()))
}

/// Loads files of cases, parsing on every core; refused ones are handed on in the files' order.
/// Progress shows where the standard error is a terminal.
pub(crate) fn files(
    files: &Files,
    (account, stream): (Option<&str>, Option<&str>),
    refuse: &mut Refuse<'_>,
) -> anyhow::Result<Loaded> {
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    memory::loading(|pool| {
        let mut loaded = Loaded::new(account, stream);
        for file in files.paths() {
            bar.set_message(file.display().to_string());
            load_file((file, &files.options(file), &bar), &mut loaded, pool, refuse)?;
        }
        bar.finish_and_clear();
        Ok(loaded.finish()?)
    })
}

fn load_file(
    (file, options, bar): (&Path, &Options, &ProgressBar),
    loaded: &mut Loaded,
    pool: &ThreadPool,
    refuse: &mut Refuse<'_>,
) -> anyhow::Result<()> {
    let (sender, blocks) = sync_channel::<Block>(1);
    std::thread::scope(|threads| {
        let send = move |block| sender.send(block).is_ok();
        let reader = threads.spawn(|| read(file, options, bar, send));
        load_blocks(blocks, pool, loaded, &mut |refused| refuse(file, refused))?;
        loaded.seconds.end_file(file);
        reader.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the reading thread panicked")))
    })
}

/// Loads blocks of cases: they are parsed on every core, some ahead of what is written.
pub(crate) fn load_blocks(
    blocks: impl IntoIterator<Item = Block, IntoIter: Send> + Send,
    pool: &ThreadPool,
    loaded: &mut Loaded,
    refuse: &mut dyn FnMut(Refused) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (sender, parsed) = sync_channel::<Vec<_>>(AHEAD);
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for block in blocks {
                let records = block.records();
                let read = records.par_iter().map(|record| {
                    let case = record.read();
                    let seconds = case.as_ref().ok().and_then(|case| record.seconds(case));
                    (record.text.map_or(0, <[u8]>::len), case, seconds)
                });
                if sender.send(pool.install(|| read.collect())).is_err() {
                    return;
                }
            }
        });
        for cases in parsed {
            for (length, case, seconds) in cases {
                loaded.bytes += length as u64;
                loaded.seconds.note(seconds);
                match case {
                    Ok(case) => loaded.push(case)?,
                    Err(refused) => {
                        loaded.refuse();
                        refuse(refused)?;
                    }
                }
            }
        }
        Ok(())
    })
}
