//! The cases that are served: reached by who may, and by nobody else.

use std::ops::RangeInclusive;
use std::sync::Arc;

use getcases::{
    Batch, Case, Code, Edit, Edited, Engine, Maintained, Refusal, Scope, Snapshot, Version, Written,
};
use tokio::sync::OwnedSemaphorePermit;

use crate::auth::{Reader, Writer};
use crate::blocking::blocking;
use crate::refused::{self, Refused};

/// What keeps the cases that are served: an engine, or what is around one.
pub trait Backend: Send + Sync + 'static {
    /// What a scope holds now. Waits for nothing.
    fn snapshot(&self, scope: &Scope) -> Snapshot;

    /// The least generation that a write can have had that is kept; 0 where all may be.
    fn first_generation(&self) -> u64 {
        0
    }

    /// Whether a scope is there.
    fn contains(&self, scope: &Scope) -> bool;

    /// The scopes that are there.
    fn scopes(&self) -> Vec<Scope>;

    /// Writes a batch, and returns once it is kept and seen; it may wait for a disk.
    ///
    /// # Errors
    /// Why nothing of it was written.
    fn commit(&self, batch: Batch<'static>) -> Result<Written, Refusal>;

    /// Goes on with upkeep for a number of slots of cases, as [`Engine::maintain`] does.
    fn maintain(&self, slots: usize) -> Maintained;
}

impl Backend for Engine {
    fn snapshot(&self, scope: &Scope) -> Snapshot {
        Self::snapshot(self, scope)
    }

    fn first_generation(&self) -> u64 {
        Self::first_generation(self)
    }

    fn contains(&self, scope: &Scope) -> bool {
        Self::contains(self, scope)
    }

    fn scopes(&self) -> Vec<Scope> {
        Self::scopes(self)
    }

    fn commit(&self, batch: Batch<'static>) -> Result<Written, Refusal> {
        Self::commit(self, batch).map_err(Refusal::from)
    }

    fn maintain(&self, slots: usize) -> Maintained {
        Self::maintain(self, slots)
    }
}

/// The cases of every scope.
///
/// What is read is a [`Reader`]'s, and what is written, a [`Writer`]'s: neither reaches another
/// scope.
#[derive(Clone)]
pub(crate) struct Cases(Arc<dyn Backend>);

/// Changes of one scope that are seen together.
pub(crate) struct Changes {
    scope: Scope,
    batch: Batch<'static>,
}

/// Changes that were written.
pub(crate) struct Done {
    pub(crate) written: Written,
    pub(crate) generation: u64,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What all scopes hold together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) scopes: u64,
    pub(crate) cases: u64,
    pub(crate) bytes: u64,
}

impl Cases {
    pub(crate) fn new(backend: Arc<dyn Backend>) -> Self {
        Self(backend)
    }

    /// Whether a scope is there, for the one who judges whether it may be seen.
    pub(crate) fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// What the scope of a reader holds now.
    pub(crate) fn snapshot(&self, reader: &Reader) -> Snapshot {
        self.0.snapshot(reader.scope())
    }

    /// The generations of writes that a snapshot may have.
    pub(crate) fn generations(&self, snapshot: &Snapshot) -> RangeInclusive<u64> {
        self.0.first_generation()..=snapshot.generation()
    }

    /// Writes changes, on a thread that may block; says what they did, and the generation from
    /// which on they are seen. A permit is kept until then, even where whoever asked has left.
    pub(crate) async fn write(
        &self,
        changes: Changes,
        permit: OwnedSemaphorePermit,
    ) -> Result<Done, Refused> {
        let own = self.clone();
        let write = move || {
            let (written, generation) = own.commit(changes)?;
            Ok(Done { written, generation, permit })
        };
        blocking(write).await.unwrap_or_else(|| Err(Refused::internal()))
    }

    /// Makes an edit of a writer's scope, as [`Cases::write`] writes changes. What it is depends on
    /// the version that is there; where that has changed meanwhile, it is made anew.
    pub(crate) async fn edit(
        &self,
        (writer, id): (&Writer, &str),
        edit: impl Fn(Option<Version>) -> Option<Edit> + Send + 'static,
        permit: OwnedSemaphorePermit,
    ) -> Result<(Edited, Done), Refused> {
        let (own, scope, id) = (self.clone(), writer.scope().clone(), id.to_owned());
        let write = move || {
            let (edited, written, generation) = own.commit_edit(&scope, &id, &edit)?;
            Ok((edited, Done { written, generation, permit }))
        };
        blocking(write).await.unwrap_or_else(|| Err(Refused::internal()))
    }

    fn commit_edit(
        &self,
        scope: &Scope,
        id: &str,
        edit: &dyn Fn(Option<Version>) -> Option<Edit>,
    ) -> Result<(Edited, Written, u64), Refused> {
        loop {
            let snapshot = self.0.snapshot(scope);
            let there = snapshot.version(id);
            let nothing = |edited| Ok((edited, Written::default(), snapshot.generation()));
            let Some(edit) = edit(there) else { return nothing(Edited::Unmet(there)) };
            let (batch, mut edited) = snapshot.stage(&[edit]);
            let Some(edited) = edited.pop() else { return nothing(Edited::Unmet(there)) };
            if batch.is_empty() {
                return nothing(edited);
            }
            match self.0.commit(batch) {
                Ok(written) => {
                    let generation = written.generation(scope).unwrap_or(snapshot.generation());
                    return Ok((edited, written, generation));
                }
                Err(refusal) if refused::code(&refusal) == Code::VersionConflict => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }

    fn commit(&self, changes: Changes) -> Result<(Written, u64), Refused> {
        let Changes { scope, batch } = changes;
        let written = self.0.commit(batch)?;
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

    /// Stores a case.
    pub(crate) fn upsert(&mut self, case: Case) -> Result<(), Refusal> {
        self.batch.upsert_case(&self.scope, case)
    }

    pub(crate) fn delete(&mut self, id: &str) {
        self.batch.delete(&self.scope, id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }
}
