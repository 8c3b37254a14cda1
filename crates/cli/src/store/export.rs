//! `getcases export`: all cases of a store, or those of a query, as NDJSON or CSV.

use std::cell::Cell;
use std::io::{self, Write};
use std::process::ExitCode;

use getcases::{Context, Document, Page, Snapshot};
use getcases_store::{Options, Store};
use indexmap::{IndexMap, IndexSet};
use serde_json::value::RawValue;

use super::{ExportArgs, ExportFormat};
use crate::desk::tell_changes;
use crate::query::now;
use crate::tell;

/// How many cases are asked for at a time.
const PAGE: u64 = 1000;

/// A document's members, in its order, each as it stands there.
type Members<'d> = IndexMap<String, &'d RawValue>;

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let options = Options { despite_damage: args.despite_damage, ..Options::default() };
    let (store, report) = Store::open_read_only(&args.at.store, &options)?;
    report.findings.iter().for_each(|own| tell(&own.to_string()));
    export(args, &store)?;
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn export(args: &ExportArgs, store: &Store) -> anyhow::Result<()> {
    let (account, stream) = (args.of.account.as_deref(), args.of.stream.as_deref());
    let scopes = super::fitting(store, account, stream);
    if scopes.is_empty() && (account.is_some() || stream.is_some()) {
        // Tells what is wrong with the choice.
        super::scope(store, account, stream)?;
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.body.is_none() && args.format == ExportFormat::Ndjson {
        store.export(&scopes, &mut out, |_| {})?;
        return Ok(());
    }
    let body = args.body.as_deref().map(crate::query::body).transpose()?;
    let is_told = Cell::new(false);
    let export = Export { store, scopes: &scopes, args, body, is_told };
    match args.format {
        ExportFormat::Ndjson => export.each(|own| Ok(writeln!(out, "{own}")?))?,
        ExportFormat::Csv => export.csv(&mut out)?,
    }
    Ok(out.flush()?)
}

struct Export<'a> {
    store: &'a Store,
    scopes: &'a [getcases::Scope],
    args: &'a ExportArgs,
    body: Option<Vec<u8>>,
    is_told: Cell<bool>,
}

impl Export<'_> {
    /// Hands on every case, of one scope after the other; each time the same ones.
    fn each(&self, mut each: impl FnMut(&Document) -> anyhow::Result<()>) -> anyhow::Result<()> {
        for scope in self.scopes {
            let snapshot = self.store.snapshot(scope);
            match &self.body {
                None => snapshot.cases().try_for_each(|own| each(&own))?,
                Some(body) => self.found(&snapshot, body, &mut each)?,
            }
        }
        Ok(())
    }

    /// Hands on what a request finds, in its order: its page where it names one, else as many cases
    /// as its own `limit` says, or all.
    fn found(
        &self,
        snapshot: &Snapshot,
        body: &[u8],
        each: &mut impl FnMut(&Document) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let context = Context {
            user: self.args.user.clone(),
            offset_minutes: self.args.tz_offset,
            now: Some(now()),
            max_limit: u64::MAX,
            ..Context::default()
        };
        let query = |body: &[u8]| {
            let query = snapshot.query_json(body, &context);
            query.map_err(|refusal| anyhow::anyhow!("{refusal}"))
        };
        let asked = query(body)?;
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        let mut members: IndexMap<String, Box<RawValue>> = serde_json::from_slice(body)?;
        let is_said = |name: &str| members.get(name).is_some_and(|own| own.get() != "null");
        if is_said("page") {
            let page = snapshot.search(&asked);
            self.tell(&page);
            return page.results.iter().try_for_each(each);
        }
        // One that was not refused is digits alone.
        let limit = members.get("limit").and_then(|own| own.get().parse().ok());
        let mut left = limit.unwrap_or(u64::MAX);
        // Cursors come with no `skip`: what is to be left out is walked over.
        let skip = members.shift_remove("skip").and_then(|own| own.get().parse().ok());
        let mut skipped: u64 = skip.unwrap_or(0);
        let mut cursor = members.get("cursor").filter(|own| own.get().starts_with('"')).cloned();
        loop {
            let limit = serde_json::value::to_raw_value(&left.saturating_add(skipped).min(PAGE))?;
            members.insert("limit".to_owned(), limit);
            let begin = || serde_json::value::to_raw_value(&true);
            members.insert("cursor".to_owned(), cursor.take().map_or_else(begin, Ok)?);
            let page = snapshot.search(&query(&serde_json::to_vec(&members)?)?);
            self.tell(&page);
            let found = page.results.len() as u64;
            let before = skipped.min(found);
            page.results.iter().skip(before as usize).try_for_each(&mut *each)?;
            skipped -= before;
            left -= found - before;
            let Some(next) = page.next_cursor.filter(|_| left > 0) else { return Ok(()) };
            cursor = Some(serde_json::value::to_raw_value(&next)?);
        }
    }

    /// Tells once what the request names and nothing reads.
    fn tell(&self, page: &Page) {
        if !self.is_told.replace(true) {
            tell_changes(page);
        }
    }

    /// A column for each top-level key that a case has, in the order in which they come first:
    /// texts as they are, everything else as JSON.
    fn csv(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let mut columns = IndexSet::new();
        self.each(|own| {
            let members: Members<'_> = serde_json::from_str(own.json())?;
            for (name, _) in members {
                columns.insert(name);
            }
            Ok(())
        })?;
        let mut rows = csv::Writer::from_writer(out);
        if !columns.is_empty() {
            rows.write_record(&columns).map_err(io_error)?;
        }
        self.each(|own| {
            let members: Members<'_> = serde_json::from_str(own.json())?;
            for column in &columns {
                let value = members.get(column).map_or("", |own| own.get());
                match serde_json::from_str::<Option<String>>(value) {
                    Ok(text) => rows.write_field(text.unwrap_or_default()),
                    Err(_) => rows.write_field(value),
                }
                .map_err(io_error)?;
            }
            Ok(rows.write_record(None::<&[u8]>).map_err(io_error)?)
        })?;
        Ok(rows.flush()?)
    }
}

/// Whoever reads may have gone, which is no error of the command's.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
