//! What is measured, loaded with the same cases.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use getcases::{Case, Context, Query, Snapshot};
use getcases_plain::{Bitmaps, Columns, Request, scan};
use getcases_workload::Class;

use super::source::Source;
use super::{differs, timed};
use crate::args::{BenchArgs, Peer, Timed};
use crate::loaded::{Loaded, loader};
use crate::memory;

pub(crate) fn name(peer: Peer) -> &'static str {
    match peer {
        Peer::Getcases => "getcases",
        Peer::Roaring => "roaring",
    }
}

/// Each peer that was asked for, and the columns that answers are checked by.
pub(crate) struct Peers {
    snapshot: Option<Snapshot>,
    columns: Columns,
    bitmaps: Option<Bitmaps>,
}

impl Peers {
    pub(crate) fn load(args: &BenchArgs, source: &Source) -> anyhow::Result<Self> {
        let columns = columns(source)?;
        let wants = |peer| args.engine.contains(&peer);
        let snapshot = wants(Peer::Getcases).then(|| load(source)).transpose()?;
        let snapshot = match snapshot {
            Some(loaded) => Some(loaded.engine.snapshot(&loaded.scope()?)),
            None => None,
        };
        let bitmaps = wants(Peer::Roaring).then(|| Bitmaps::new(&columns));
        Ok(Self { snapshot, columns, bitmaps })
    }

    /// What answers are checked by.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Asks every peer and the linear scan, which all must find the same; gives the total.
    pub(crate) fn check(&self, class: &Class) -> anyhow::Result<u64> {
        let right = scan(&self.columns, &request(class)?);
        if let Some(snapshot) = &self.snapshot {
            let hits = snapshot.search_ids(&query(class)?);
            let ids = right.places.iter().map(|place| self.columns.id(*place));
            if hits.total_results != right.total || !ids.eq(hits.ids.iter().copied()) {
                return differs("getcases", class);
            }
        }
        if let Some(bitmaps) = &self.bitmaps
            && bitmaps.prepare(request(class)?).run() != right
        {
            return differs("roaring", class);
        }
        Ok(right.total)
    }

    /// Times a body, on as many threads as were asked for.
    pub(crate) fn time(
        &self,
        peer: Peer,
        class: &Class,
        args: &BenchArgs,
        times: usize,
        turn: Duration,
    ) -> anyhow::Result<Vec<u64>> {
        let context = context(class);
        let run = || -> anyhow::Result<Vec<u64>> {
            Ok(match (peer, &self.snapshot, &self.bitmaps) {
                (Peer::Getcases, Some(snapshot), _) if args.timed == Timed::Bytes => {
                    timed(times, turn, || snapshot.search_json(class.body.as_bytes(), &context))
                }
                (Peer::Getcases, Some(snapshot), _) => {
                    let query = query(class)?;
                    timed(times, turn, || snapshot.search_ids(&query))
                }
                (Peer::Roaring, _, Some(bitmaps)) => {
                    let prepared = bitmaps.prepare(request(class)?);
                    // The same as the engine gives: ids, and the total.
                    timed(times, turn, || {
                        let found = prepared.run();
                        let ids = found.places.iter().map(|place| self.columns.id(*place));
                        (ids.collect::<Vec<_>>(), found.total)
                    })
                }
                _ => Vec::new(),
            })
        };
        if args.threads < 2 {
            return run();
        }
        std::thread::scope(|threads| {
            let asking: Vec<_> = (0..args.threads).map(|_| threads.spawn(run)).collect();
            let mut all = Vec::new();
            for thread in asking {
                let samples = thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
                all.extend(samples?);
            }
            Ok(all)
        })
    }

    pub(crate) fn plan(&self, peer: Peer, class: &Class) -> anyhow::Result<String> {
        Ok(match (peer, &self.snapshot) {
            (Peer::Getcases, Some(snapshot)) => snapshot.explain(&query(class)?).page,
            _ => "smallest bitmap first; walk or gather".to_owned(),
        })
    }
}

/// An engine with all cases of a source.
pub(crate) fn load(source: &Source) -> anyhow::Result<Loaded> {
    let loaded = memory::loading(|| {
        let mut loader = loader();
        for cases in source.chunks(Case::from_json) {
            for case in cases {
                loader.push(case.context("a case is refused: see `getcases check`")?)?;
            }
        }
        Ok(Loaded::new(loader.finish()?))
    })?;
    // As a host does after a load: cases that came in no order are put in order.
    loaded.engine.maintain(usize::MAX);
    Ok(loaded)
}

/// Columns of the cases; of those with one `_id`, the last.
fn columns(source: &Source) -> anyhow::Result<Columns> {
    let mut columns = Columns::default();
    let read = || source.chunks(Columns::read);
    let mut last: HashMap<Box<str>, usize> = HashMap::with_capacity(source.len());
    for (at, case) in
        source.chunks(|text| Columns::read(text).map(|r| r.id().into())).flatten().enumerate()
    {
        last.insert(case.context("a case that the linear scan cannot read")?, at);
    }
    for (at, case) in read().flatten().enumerate() {
        if let Some(case) = case.filter(|case| last.get(case.id()) == Some(&at)) {
            columns.push(case);
        }
    }
    Ok(columns)
}

fn context(class: &Class) -> Context {
    Context { user: class.user.clone(), ..Context::default() }
}

fn query(class: &Class) -> anyhow::Result<Query> {
    Ok(Query::from_json(class.body.as_bytes(), &context(class))?)
}

fn request(class: &Class) -> anyhow::Result<Request> {
    Ok(Request::read(&class.body, class.user.as_deref())?)
}
