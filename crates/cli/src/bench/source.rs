//! Where measured cases come from.

use std::borrow::Cow;

use getcases_load::Options;
use getcases_workload::{Class, Shape, Workload};
use indicatif::ProgressBar;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::args::{self, BenchArgs};
use crate::load;

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
        let lines = match &args.source.file {
            None => None,
            Some(file) => {
                let mut lines = Vec::new();
                load::read(file, &Options::default(), &ProgressBar::hidden(), |block| {
                    let documents = block.records();
                    let documents = documents.iter().filter_map(|record| record.document().ok());
                    lines.extend(documents.map(Cow::into_owned));
                    true
                })?;
                Some(lines)
            }
        };
        if lines.as_ref().is_some_and(Vec::is_empty) {
            anyhow::bail!("the file has no case to measure");
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
