//! A batch that was entered, applied and published.

use std::sync::Arc;

use super::entering::ScopeChanges;
use super::write::{WriteError, Written};
use crate::index::{Index, IndexWriter};
use crate::threads::Threads;

/// Applies a batch that was entered, and publishes it.
pub(super) fn publish<E>(
    parts: Vec<ScopeChanges>,
    threads: &Threads,
) -> Result<Written, WriteError<E>> {
    let cells: Vec<_> = parts.iter().map(|part| Arc::clone(&part.cell)).collect();
    // All are waited for in the order of scopes: two batches never wait for each other.
    let writers: Vec<_> = cells.iter().map(|cell| cell.writer()).collect();
    // Nothing is applied before all have room: a scope may have been built anew meanwhile.
    let adopted = parts.into_iter().zip(writers).map(
        |(ScopeChanges { scope, cell, entered, .. }, writer)| {
            let held = cell.load();
            let index = Index::clone(held.index());
            let entered = index.adopt(entered).map_err(|full| WriteError::full(&scope, full))?;
            Ok((scope, held.generation(), index, entered, writer))
        },
    );
    let adopted: Vec<_> = adopted.collect::<Result<_, _>>()?;
    let (mut written, mut old) = (Written::default(), Vec::new());
    for ((scope, generation, index, entered, mut writer), cell) in adopted.into_iter().zip(&cells) {
        let has_journal = writer.journal.is_some();
        let ids = entered.ids().filter(|_| has_journal).map(Into::into);
        let (ids, changes): (Vec<Box<str>>, _) = (ids.collect(), entered.len());
        let mut changing = IndexWriter::new(index);
        changing.apply(entered, threads);
        let (index, changed) = changing.finish();
        let generation = generation + u64::from(changed.is_any());
        written.add(scope, changed, generation);
        old.push(cell.publish(&writer, index, changes, generation));
        writer.journal.iter_mut().for_each(|journal| journal.extend_from_slice(&ids));
    }
    drop(old);
    Ok(written)
}
