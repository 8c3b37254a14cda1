//! How a query is answered: planned, executed, ordered, and its page fetched.
//!
//! The road goes straight down: `plan` binds the query to the catalog, `execute` finds the matches
//! by a `scan` of each segment, as a `docset`; `top_k` picks the page's addresses, by a `merge` of
//! the segments' orders; `page` fetches their documents. `explain` tells of it.

mod access_path;
mod after;
mod binding;
mod bits;
mod cases;
mod cost;
mod docset;
mod execute;
mod explain;
mod expression;
mod found;
mod interval;
mod listed;
#[cfg(test)]
mod made;
mod meaning;
mod merge;
mod meter;
mod page;
mod plan;
mod predicate;
mod residual;
mod scan;
mod segment_context;
mod select;
mod signature_docs;
mod signatures;
mod spread;
mod text;
mod top_k;
mod value_range;
mod values;

pub(crate) use after::spell_out;
pub use cases::Cases;
pub use explain::{ClauseReport, Explain, FilterReport};
pub use found::DeadlinePassed;
pub(crate) use found::{Found, find, find_until};
pub(crate) use page::get;
pub use values::Values;

use std::time::Instant;

use crate::contract::Query;
use crate::index::Index;
use crate::threads::Pool;

/// Tells how a query is answered, with the real numbers. Cost: a few times that of answering it.
pub(crate) fn explain(index: &Index, query: &Query, pool: &Pool) -> Explain {
    explain::Explainer { index, pool, deadline: None }.explain(query)
}

/// The same, until a deadline.
pub(crate) fn explain_until(
    index: &Index,
    query: &Query,
    pool: &Pool,
    deadline: Instant,
) -> Result<Explain, DeadlinePassed> {
    let explainer = explain::Explainer { index, pool, deadline: Some(deadline) };
    let own = explainer.explain(query);
    if explainer.is_over() { Err(DeadlinePassed { examined: own.examined }) } else { Ok(own) }
}
