//! `getcases verify`, `compact`, `backup`, `restore` and `drop-scope`: what operators do.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use getcases_store::{Options, Progress, Report, StoreError};
use indicatif::ProgressBar;
use serde_json::json;

use super::{At, CopyArgs, ScopeArgs, VerifyArgs};
use crate::tell;

/// A later version made the store.
const NEWER: u8 = 3;

pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    let told = bar.clone();
    let progress: Progress = Arc::new(move |_, done, all| {
        told.set_length(all);
        told.set_position(done);
    });
    let options = Options { progress: Some(progress), ..Options::default() };
    let verified = getcases_store::verify(&args.at.store, &options);
    bar.finish_and_clear();
    let report = match verified {
        Ok(report) => report,
        Err(error @ StoreError::Newer { .. }) => {
            tell(&format!("getcases: {error}"));
            return Ok(ExitCode::from(NEWER));
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.json {
        writeln!(out, "{}", to_json(&report))?;
    } else {
        for finding in &report.findings {
            writeln!(out, "{}", getcases_load::plain(&finding.to_string()))?;
        }
        let Report { scopes, cases, .. } = report;
        let findings = report.findings.len();
        writeln!(out, "scopes {scopes} cases {cases} findings {findings}")?;
    }
    out.flush()?;
    if report.is_whole() {
        return Ok(ExitCode::SUCCESS);
    }
    tell(
        "a backup has what is damaged here: getcases restore FROM TO; what is whole here is \
         printed by getcases export --despite-damage",
    );
    Ok(ExitCode::FAILURE)
}

fn to_json(report: &Report) -> serde_json::Value {
    let findings = report.findings.iter();
    let findings = findings.map(|own| json!({"kind": own.kind(), "what": own.to_string()}));
    json!({
        "whole": report.is_whole(),
        "scopes": report.scopes,
        "cases": report.cases,
        "findings": findings.collect::<Vec<_>>(),
    })
}

pub(crate) fn compact(at: &At) -> anyhow::Result<ExitCode> {
    let store = super::open(at, false)?;
    let before = store.stats().database_bytes;
    store.compact()?;
    let after = store.stats().database_bytes;
    store.close()?;
    tell(&format!("{before} bytes before, {after} after"));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn backup(args: &CopyArgs) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    getcases_store::backup(&args.from, &args.to, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    tell(&format!("copied to {}", args.to.display()));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn restore(args: &CopyArgs) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    let report = getcases_store::restore(&args.from, &args.to, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    tell(&format!("scopes {} cases {}", report.scopes, report.cases));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn drop_scope(args: &ScopeArgs) -> anyhow::Result<ExitCode> {
    let store = super::open(&args.at, false)?;
    let scope = super::scope(&store, args.account.as_deref(), args.stream.as_deref())?;
    let cases = store.snapshot(&scope).len();
    store.drop_scope(&scope)?;
    store.close()?;
    let (account, stream) = (scope.account(), scope.stream());
    tell(&format!("dropped account {account:?} stream {stream:?}: cases {cases}"));
    Ok(ExitCode::SUCCESS)
}
