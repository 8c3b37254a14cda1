//! The cases that are served: reached by who may, and by nobody else.

use std::sync::Arc;

use getcases::{Batch, Engine, Refusal, Scope, Snapshot, Written};

use crate::auth::{Reader, Writer};
use crate::refused::Refused;

/// The cases of every scope.
///
/// What is read is a [`Reader`]'s, and what is written, a [`Writer`]'s: neither reaches another
/// scope.
#[derive(Clone, Debug)]
pub(crate) struct Cases(Arc<Engine>);

/// Changes of one scope that are seen together.
pub(crate) struct Changes {
    scope: Scope,
    batch: Batch<'static>,
}

/// What all scopes hold together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) scopes: u64,
    pub(crate) cases: u64,
    pub(crate) bytes: u64,
}

impl Cases {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self(engine)
    }

    /// Whether a scope is there, for the one who judges whether it may be seen.
    pub(crate) fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// What the scope of a reader holds now.
    pub(crate) fn snapshot(&self, reader: &Reader) -> Snapshot {
        self.0.snapshot(reader.scope())
    }

    /// Writes changes; says what they did, and the generation from which on they are seen.
    pub(crate) fn write(&self, changes: Changes) -> Result<(Written, u64), Refused> {
        let Changes { scope, batch } = changes;
        let written = self.0.commit(batch).map_err(Refusal::from)?;
        let generation = written.generation(&scope);
        let generation = generation.unwrap_or_else(|| self.0.snapshot(&scope).generation());
        Ok((written, generation))
    }

    /// Cost grows with the scopes.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for scope in self.0.scopes() {
            let stats = self.0.snapshot(&scope).stats();
            totals.scopes += 1;
            totals.cases += stats.cases;
            totals.bytes += stats.bytes() as u64;
        }
        totals
    }
}

impl Changes {
    /// None yet, of the scope that a writer may write into.
    pub(crate) fn of(writer: &Writer) -> Self {
        Self { scope: writer.scope().clone(), batch: Batch::new() }
    }

    /// Stores a document; gives its `_id`.
    pub(crate) fn upsert(&mut self, document: &[u8]) -> Result<String, Refusal> {
        let case = getcases::Case::from_json(document)?;
        let id = case.id().to_owned();
        self.batch.upsert_case(&self.scope, case)?;
        Ok(id)
    }

    pub(crate) fn delete(&mut self, id: &str) {
        self.batch.delete(&self.scope, id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }
}
