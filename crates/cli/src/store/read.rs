//! `getcases get` and `scopes`: what a store holds.

use std::io::{self, Write};
use std::process::ExitCode;

use super::change::id_of;
use super::{At, GetArgs};
use crate::tell;

pub(crate) fn get(args: &GetArgs) -> anyhow::Result<ExitCode> {
    let store = super::read_only(&args.at.store)?;
    let scope = super::scope(&store, args.of.account.as_deref(), args.of.stream.as_deref())?;
    let snapshot = store.snapshot(&scope);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut are_there = true;
    for id in &args.ids {
        match snapshot.get(&id_of(id)) {
            Some(case) => writeln!(out, "{case}")?,
            None => {
                are_there = false;
                tell(&format!("there is no case {id:?}"));
            }
        }
    }
    out.flush()?;
    Ok(if are_there { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn scopes(at: &At) -> anyhow::Result<ExitCode> {
    let store = super::read_only(&at.store)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for scope in store.scopes() {
        let cases = store.snapshot(&scope).len();
        let [account, stream] = [scope.account(), scope.stream()].map(getcases_load::plain);
        writeln!(out, "{account}\t{stream}\t{cases}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
