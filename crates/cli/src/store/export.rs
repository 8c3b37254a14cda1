//! `getcases export`: all cases of a store, or those of a query, as NDJSON or CSV.

use std::io::{self, Write};
use std::process::ExitCode;

use getcases::{Context, Document, Refusal, Snapshot};
use getcases_store::Store;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{ExportArgs, ExportFormat};
use crate::query::now;

/// How many cases are asked for at a time.
const PAGE: u64 = 1000;

/// A document's members, in its order, each as it stands there.
type Members<'d> = indexmap::IndexMap<String, &'d RawValue>;

pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let store = super::read_only(&args.at.store)?;
    let scopes = super::fitting(&store, args.of.account.as_deref(), args.of.stream.as_deref());
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.body.is_none() && args.format == ExportFormat::Ndjson {
        store.export(&scopes, &mut out, |_| {})?;
        return Ok(ExitCode::SUCCESS);
    }
    let export = Export { store: &store, scopes: &scopes, args };
    match args.format {
        ExportFormat::Ndjson => export.each(|own| Ok(writeln!(out, "{own}")?))?,
        ExportFormat::Csv => export.csv(&mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

struct Export<'a> {
    store: &'a Store,
    scopes: &'a [getcases::Scope],
    args: &'a ExportArgs,
}

impl Export<'_> {
    /// Hands on every case, of one scope after the other; each time the same ones.
    fn each(&self, mut each: impl FnMut(&Document) -> anyhow::Result<()>) -> anyhow::Result<()> {
        for scope in self.scopes {
            let snapshot = self.store.snapshot(scope);
            match &self.args.body {
                None => snapshot.cases().try_for_each(|own| each(&own))?,
                Some(body) => self.found(&snapshot, body, &mut each)?,
            }
        }
        Ok(())
    }

    /// Hands on what a request finds, in its order: as many cases as its own `limit` says, or all.
    fn found(
        &self,
        snapshot: &Snapshot,
        body: &str,
        each: &mut impl FnMut(&Document) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let context = Context {
            user: self.args.user.clone(),
            offset_minutes: self.args.tz_offset,
            now: Some(now()),
            ..Context::default()
        };
        let refused = |refusal: Refusal| anyhow::anyhow!("{refusal}");
        snapshot.query_json(body.as_bytes(), &context).map_err(refused)?;
        let mut body: Map<String, Value> = serde_json::from_str(body)?;
        let limit = body.get("limit").and_then(|own| match own {
            Value::String(text) => text.trim().parse().ok(),
            own => own.as_u64(),
        });
        let mut left = limit.unwrap_or(u64::MAX);
        let mut cursor = body.get("cursor").filter(|own| own.is_string()).cloned();
        while left > 0 {
            body.insert("limit".to_owned(), left.min(PAGE).into());
            body.insert("cursor".to_owned(), cursor.take().unwrap_or(true.into()));
            let body = serde_json::to_vec(&body)?;
            let query = snapshot.query_json(&body, &context).map_err(refused)?;
            let page = snapshot.search(&query);
            page.results.iter().try_for_each(&mut *each)?;
            left -= page.results.len() as u64;
            let Some(next) = page.next_cursor else { return Ok(()) };
            cursor = Some(next.into());
        }
        Ok(())
    }

    /// A column for each top-level key that a case has, in the order in which they come first:
    /// texts as they are, everything else as JSON.
    fn csv(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let mut columns = indexmap::IndexSet::new();
        self.each(|own| {
            let members: Members<'_> = serde_json::from_str(own.json())?;
            for (name, _) in members {
                columns.insert(name);
            }
            Ok(())
        })?;
        let mut rows = csv::Writer::from_writer(out);
        if !columns.is_empty() {
            rows.write_record(&columns)?;
        }
        self.each(|own| {
            let members: Members<'_> = serde_json::from_str(own.json())?;
            for column in &columns {
                let value = members.get(column).map_or("", |own| own.get());
                match serde_json::from_str::<Option<String>>(value) {
                    Ok(text) => rows.write_field(text.unwrap_or_default())?,
                    Err(_) => rows.write_field(value)?,
                }
            }
            Ok(rows.write_record(None::<&[u8]>)?)
        })?;
        Ok(rows.flush()?)
    }
}
