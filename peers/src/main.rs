//! Measures getcases and its peers; see README.md beside this file's folder.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::Parser as _;
use getcases_peers::args::Args;
use getcases_peers::report::Report;
use getcases_peers::rows::{Rows, workload};
use getcases_peers::{chart, expected, load, machine, measure, table};

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let file = args.out.join(args.file());
    if args.redraw {
        return finish(Report::read(&file)?, &file);
    }
    let workload = workload(args.cases, args.seed);
    eprintln!("reading {} cases", args.cases);
    let rows = Rows::new(&workload, args.shuffle.then_some(args.seed))?;
    let classes = measure::classes(&workload, &args)?;
    if let Some(file) = &args.expected {
        return expected::write(&rows, &classes, file);
    }
    let mut report = Report::new(&args, machine::facts());
    let mut peers = Vec::new();
    for kind in &args.peers {
        eprintln!("loading {kind:?}");
        let (peer, loaded) = load::load(*kind, &rows, &workload, &args)?;
        report.peers.push(loaded);
        peers.push(peer);
    }
    for bodies in &classes {
        let measured = measure::measure(&rows, &peers, bodies, &args)?;
        eprintln!("{}", table::line(&measured));
        report.classes.push(measured);
    }
    let folder = &args.out;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if args.merge {
        report.merge(&file)?;
    }
    finish(report, &file)
}

fn finish(mut report: Report, file: &Path) -> anyhow::Result<()> {
    report.sort();
    println!("{}", table::print(&report));
    report.write(file)?;
    chart::write(&report, file)
}
