//! Where measured cases come from.

use std::path::Path;

use anyhow::bail;
use getcases::Case;
use getcases_load::{Held, Scopes};
use getcases_workload::{Class, Shape, Workload};
use indicatif::ProgressBar;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::args::{self, BenchArgs};
use crate::{load, loaded, report, tell};

const SEED: u64 = 1;
/// How many documents are handed on at a time.
const CHUNK: usize = 1 << 13;

/// Documents, in the order in which they are to be loaded.
pub(crate) struct Source {
    workload: Workload,
    /// The documents of a file; else the workload makes them.
    lines: Option<Vec<Vec<u8>>>,
    /// Numbers of documents.
    order: Vec<u32>,
}

impl Source {
    pub(crate) fn open(args: &BenchArgs) -> anyhow::Result<Self> {
        let shape = match args.shape {
            args::Shape::Lean => Shape::Lean,
            args::Shape::Seed => Shape::Seed,
        };
        let lines = args.source.file.as_ref().map(|file| read(file, args)).transpose()?;
        if lines.as_ref().is_some_and(Vec::is_empty) {
            bail!("the file has no case to measure");
        }
        let count = lines.as_ref().map_or(args.source.cases.unwrap_or(0), |l| l.len() as u64);
        let mut order: Vec<u32> = (0..count as u32).collect();
        if args.shuffle {
            let mut random = ChaCha8Rng::seed_from_u64(SEED);
            for at in (1..order.len()).rev() {
                order.swap(at, (random.next_u64() % (at as u64 + 1)) as usize);
            }
        }
        Ok(Self { workload: Workload::new(count, SEED, shape), lines, order })
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// One document.
    pub(crate) fn document(&self, number: u32) -> Vec<u8> {
        match &self.lines {
            Some(lines) => lines[number as usize].clone(),
            None => {
                let mut document = Vec::new();
                self.workload.write_case(number.into(), &mut document);
                document
            }
        }
    }

    /// The documents, some thousands at a time, each read as `read` does, on every core.
    pub(crate) fn chunks<T: Send>(
        &self,
        read: impl Fn(&[u8]) -> T + Sync,
    ) -> impl Iterator<Item = Vec<T>> {
        self.order.chunks(CHUNK).map(move |numbers| {
            numbers.par_iter().map(|number| read(&self.document(*number))).collect()
        })
    }

    pub(crate) fn variants(&self, class: &Class, count: u64) -> anyhow::Result<Vec<Class>> {
        Ok(self.workload.variants(class, count)?)
    }
}

/// The documents of a file that are cases of the asked account and stream.
///
/// # Errors
/// Where which scope is asked cannot be told, as for `query`.
fn read(file: &Path, args: &BenchArgs) -> anyhow::Result<Vec<Vec<u8>>> {
    let (mut documents, mut held) = (Vec::new(), Held::default());
    let mut scopes = Scopes::new(args.account.clone(), args.stream.clone());
    let is_asked = |asked: &Option<String>, own: Option<&str>| match (asked, own) {
        (Some(asked), Some(own)) => asked == own,
        _ => true,
    };
    let outline = load::read(file, &args.reading.options(file), &ProgressBar::hidden(), |block| {
        for record in block.records() {
            held.records += 1;
            match record.document().map(|document| (Case::from_json(&document), document)) {
                Ok((Ok(case), document)) => {
                    scopes.note(&case);
                    let is_own = is_asked(&args.account, case.account())
                        && is_asked(&args.stream, case.stream());
                    documents.extend(is_own.then(|| document.into_owned()));
                }
                _ => held.refused += 1,
            }
        }
        true
    })?;
    held.outline = outline;
    if held.all_refused() {
        bail!("{}: {}", file.display(), report::why_all_refused(&held, args.reading.is_plain()));
    }
    if held.refused > 0 {
        tell(&format!(
            "{} cases are refused, and not measured: see `getcases check`",
            held.refused
        ));
    }
    loaded::asked(&scopes)?;
    Ok(documents)
}
