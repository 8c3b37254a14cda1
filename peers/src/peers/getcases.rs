//! getcases itself, loaded from the documents' text.

use anyhow::{Context as _, Result};
use getcases::{Case, Context, Engine, Query, Refusal, Scope, Snapshot};
use getcases_workload::Workload;
use rayon::prelude::*;

use crate::ask::Ask;
use crate::peer::{Found, Page, Peer, Ready};

/// How many cases are one batch.
const BATCH: usize = 1 << 16;

/// A snapshot of an engine that holds every case, documents and all.
#[derive(Debug)]
pub struct Getcases {
    snapshot: Snapshot,
}

impl Getcases {
    /// Loads cases in an order, and puts them in order as a host does after a load.
    ///
    /// # Errors
    /// Where a case is refused.
    pub fn load(workload: &Workload, order: &[u32]) -> Result<Self> {
        let (engine, scope) = (Engine::new(), Scope::new("account", "stream"));
        for numbers in order.chunks(BATCH) {
            let cases = numbers.par_iter().map(|number| {
                let mut document = Vec::new();
                workload.write_case(u64::from(*number), &mut document);
                Case::from_json(&document)
            });
            let cases = cases.collect::<Result<Vec<_>, Refusal>>().context("a case is refused")?;
            engine.write(|batch| {
                cases.into_iter().try_for_each(|case| batch.upsert_case(&scope, case))
            })?;
        }
        engine.maintain(usize::MAX);
        Ok(Self { snapshot: engine.snapshot(&scope) })
    }
}

impl Peer for Getcases {
    fn name(&self) -> &'static str {
        "getcases"
    }

    fn about(&self) -> String {
        "this library; loads JSON text, holds ids and whole documents".to_owned()
    }

    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>> {
        let context = Context { user: ask.class.user.clone(), ..Context::default() };
        let query = Query::from_json(ask.class.body.as_bytes(), &context)?;
        Ok(Ready::run(move || {
            let hits = self.snapshot.search_ids(&query);
            Ok(Found { total: hits.total_results, page: Page::Ids(hits.ids) })
        }))
    }
}
