//! `getcases generate`: cases as NDJSON.

use std::io::{self, Write};

use getcases_workload::Workload;
use rayon::prelude::*;

use crate::args::{GenerateArgs, Shape};

/// How many cases are made at a time, in parts that the cores share.
const ROUND: u64 = 8192;
const PART: u64 = 512;

pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let shape = match args.shape {
        Shape::Lean => getcases_workload::Shape::Lean,
        Shape::Seed => getcases_workload::Shape::Seed,
    };
    let workload = Workload::new(args.cases, args.seed, shape);
    let mut out = io::stdout().lock();
    for round in (0..args.cases).step_by(ROUND as usize) {
        let end = (round + ROUND).min(args.cases);
        let parts: Vec<_> = (0..(end - round).div_ceil(PART))
            .into_par_iter()
            .map(|part| round + part * PART)
            .map(|from| lines(&workload, from, (from + PART).min(end)))
            .collect();
        for part in parts {
            out.write_all(&part)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn lines(workload: &Workload, from: u64, to: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    for case in from..to {
        workload.write_case(case, &mut lines);
        lines.push(b'\n');
    }
    lines
}
