//! Where cases of files go: an engine, or what a host keeps around one.

use std::borrow::Borrow;

use getcases::{Batch, Engine, Refusal, Scope, Snapshot, Written};

use crate::Error;

/// Fills a batch.
pub type Fill<'f> = dyn FnMut(&mut Batch<'_>) -> Result<(), Refusal> + 'f;

/// What a [`Loader`](crate::Loader) puts cases into. An engine is one, and a reference to it.
pub trait Sink {
    /// What a scope holds.
    fn snapshot(&self, scope: &Scope) -> Snapshot;

    /// Writes what `fill` puts into a batch; it is called once.
    ///
    /// # Errors
    /// Where nothing of it was written.
    fn write(&self, fill: &mut Fill<'_>) -> Result<Written, Error>;

    /// Takes out a scope without cases.
    ///
    /// # Errors
    /// Where it is still there.
    fn drop_scope(&self, scope: &Scope) -> Result<(), Error>;
}

impl<E: Borrow<Engine>> Sink for E {
    fn snapshot(&self, scope: &Scope) -> Snapshot {
        self.borrow().snapshot(scope)
    }

    fn write(&self, fill: &mut Fill<'_>) -> Result<Written, Error> {
        Ok(self.borrow().write(fill)?)
    }

    fn drop_scope(&self, scope: &Scope) -> Result<(), Error> {
        self.borrow().drop_scope(scope);
        Ok(())
    }
}
