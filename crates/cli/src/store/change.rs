//! `getcases upsert` and `delete`: changes line by line, kept batch by batch.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use getcases::{Batch, Case, Refusal, Scope};
use getcases_load::NOWHERE;
use getcases_store::Store;

use super::ChangeArgs;
use crate::query::{MARK, read_line};
use crate::tell;

pub(crate) fn upsert(args: &ChangeArgs) -> anyhow::Result<ExitCode> {
    let store = super::open(&args.at, true)?;
    // As a load has it: cases that name no scope are of the only one, or in an empty store of none.
    let only = match store.scopes().as_slice() {
        [] => Some(Scope::new(NOWHERE, NOWHERE)),
        [only] => Some(only.clone()),
        _ => None,
    };
    let chosen = [&args.of.account, &args.of.stream].map(Option::as_deref);
    let told = |done: &Done| {
        format!("inserted {} replaced {} refused {}", done.inserted, done.replaced, done.refused)
    };
    change(&store, args, told, |line, batch| {
        let case = Case::from_json(line).map_err(|refusal| within_line(&refusal))?;
        let scope = scope_of(&case, chosen, only.as_ref())?;
        let id = case.id().to_owned();
        batch.upsert_case(&scope, case).map_err(|refusal| refusal.to_string())?;
        Ok(id)
    })
}

/// What is wrong with a line, told with its number: the first line of what was read is no place.
fn within_line(refusal: &Refusal) -> String {
    refusal.to_string().replacen("JSON at line 1, column", "JSON at column", 1)
}

/// The scope that a case names, else the chosen one, else the only one of the store.
fn scope_of(
    case: &Case,
    [account, stream]: [Option<&str>; 2],
    only: Option<&Scope>,
) -> Result<Scope, String> {
    let account = case.account().or(account).or(only.map(Scope::account));
    let stream = case.stream().or(stream).or(only.map(Scope::stream));
    match (account, stream) {
        (Some(account), Some(stream)) => Ok(Scope::new(account, stream)),
        _ => Err("it names no account or no stream: --account A --stream S".to_owned()),
    }
}

pub(crate) fn delete(args: &ChangeArgs) -> anyhow::Result<ExitCode> {
    let store = super::open(&args.at, false)?;
    let scope = super::scope(&store, args.of.account.as_deref(), args.of.stream.as_deref())?;
    let told = |done: &Done| {
        let Done { changes, deleted, refused, .. } = *done;
        format!("deleted {deleted} not there {} refused {refused}", changes - deleted)
    };
    change(&store, args, told, |line, batch| {
        let id = id_of(std::str::from_utf8(line).map_err(|error| error.to_string())?);
        batch.delete(&scope, &id);
        Ok(id.into_owned())
    })
}

/// What became of all lines.
#[derive(Debug, Default)]
struct Done {
    /// Those that were kept.
    changes: u64,
    inserted: u64,
    replaced: u64,
    deleted: u64,
    refused: u64,
}

/// Reads lines, and has each batch of them kept before the next one is read.
fn change(
    store: &Store,
    args: &ChangeArgs,
    told: impl FnOnce(&Done) -> String,
    mut add: impl FnMut(&[u8], &mut Batch<'static>) -> Result<String, String>,
) -> anyhow::Result<ExitCode> {
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    let (mut batch, mut ids) = (Batch::new(), Vec::new());
    let (mut line, mut number, mut done) = (Vec::new(), 0_u64, Done::default());
    let mut mark = MARK;
    loop {
        line.clear();
        let has_line = read_line(&mut input, &mut line).context("cannot read the changes")?;
        if has_line {
            number += 1;
            let text = line.strip_prefix(std::mem::take(&mut mark)).unwrap_or(&line);
            // An `_id` is taken as it is, with the white space around it.
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.trim_ascii().is_empty() {
                continue;
            }
            match add(text, &mut batch) {
                Ok(id) => ids.push(id),
                Err(why) => {
                    done.refused += 1;
                    tell(&format!("line {number}: {why}"));
                }
            }
        }
        if !batch.is_empty() && (batch.len() >= args.batch || !has_line) {
            let written = store.write(std::mem::take(&mut batch))?;
            done.changes += ids.len() as u64;
            done.inserted += written.inserted;
            done.replaced += written.replaced;
            done.deleted += written.deleted;
            if args.acks {
                // Even where only the reader has gone: what is left is not written.
                acknowledge(&mut out, &ids).map_err(|error| {
                    anyhow!("cannot acknowledge: {error}; nothing behind line {number} is written")
                })?;
            }
            ids.clear();
        }
        if !has_line {
            break;
        }
    }
    tell(&told(&done));
    Ok(if done.refused > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn acknowledge(out: &mut impl Write, ids: &[String]) -> io::Result<()> {
    let lines: String = ids.iter().map(|id| one_line(id) + "\n").collect();
    out.write_all(lines.as_bytes())?;
    out.flush()
}

/// An `_id` in a line of its own: as it is, or as JSON text where it has a control character, such
/// as a line end, or a quote at its beginning. So no two `_id`s have the same line.
fn one_line(id: &str) -> Cow<'_, str> {
    match id.starts_with('"') || id.contains(char::is_control) {
        true => serde_json::Value::from(id).to_string().into(),
        false => id.into(),
    }
}

/// The `_id` of a line, or of an argument, which is written as [`one_line`] has it or as it is: one
/// that begins with a quote and is no JSON text is one, too.
pub(super) fn id_of(line: &str) -> Cow<'_, str> {
    let text = line.starts_with('"').then(|| serde_json::from_str(line).ok()).flatten();
    text.map_or(Cow::Borrowed(line), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_has_a_line_of_its_own() {
        let ids = ["ci-1", " a ", "a\nb", "\"a", "\u{85}"].map(str::to_owned);
        let mut out = Vec::new();
        acknowledge(&mut out, &ids).unwrap();
        let right = "ci-1\n a \n\"a\\nb\"\n\"\\\"a\"\n\"\u{85}\"\n";
        assert_eq!(String::from_utf8(out).unwrap(), right);
        // What is acknowledged can be deleted.
        assert!(ids.iter().all(|id| id_of(&one_line(id)) == **id));
        assert_eq!(id_of("\"no JSON"), "\"no JSON");
    }
}
