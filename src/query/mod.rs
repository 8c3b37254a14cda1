//! How a query is answered: planned, executed, ordered, and its page fetched.
//!
//! The road goes straight down: `plan` binds the query to the catalog, `execute` finds the matches
//! by a `scan` of each segment, as a `docset`; `top_k` picks the page's addresses, by a `merge` of
//! the segments' orders; `page` fetches their documents. `explain` tells of it.

mod access_path;
mod binding;
mod bits;
mod cases;
mod cost;
mod docset;
mod execute;
mod explain;
mod expression;
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

pub use cases::Cases;
pub use explain::{ClauseReport, Explain, FilterReport};
pub(crate) use page::get;
pub use values::Values;

use crate::contract::{Hits, Page, Query, Response};
use crate::index::{DocAddress, Index};
use crate::threads::Pool;

/// Answers a query. Cost: its plan, what it must look at, and the page's documents.
pub(crate) fn search(index: &Index, query: &Query, pool: &Pool) -> Page {
    let (addresses, total) = addresses(index, query, pool);
    page::fetch(&addresses, total, query, index)
}

/// The ids of a query's page, and its total.
pub(crate) fn search_ids<'i>(index: &'i Index, query: &Query, pool: &Pool) -> Hits<'i> {
    let (addresses, total_results) = addresses(index, query, pool);
    let ids = addresses.into_iter().map(|address| index.catalog().ids.id(address)).collect();
    Hits { ids, total_results }
}

fn addresses(index: &Index, query: &Query, pool: &Pool) -> (Vec<DocAddress>, u64) {
    answer(&plan::Plan::new(query.clauses(), query.filter(), index, pool), query)
}

fn answer(plan: &plan::Plan<'_>, query: &Query) -> (Vec<DocAddress>, u64) {
    let paging = query.paging();
    let matched = execute::execute(plan);
    let window = paging.skip..paging.skip + u128::from(paging.limit);
    (top_k::addresses(plan, &matched, query.order().keys(), window), matched.total)
}

/// Answers a query with a response body.
pub(crate) fn search_json(index: &Index, query: &Query, pool: &Pool) -> Response {
    let (addresses, total_results) = addresses(index, query, pool);
    Response {
        json: page::write(&addresses, total_results, query, index),
        total_results,
        ignored: page::ignored(query, index),
        lowered_limit: query.lowered_limit(),
    }
}

/// Tells how a query is answered, with the real numbers. Cost: a few times that of answering it.
pub(crate) fn explain(index: &Index, query: &Query, pool: &Pool) -> Explain {
    explain::explain(index, query, pool)
}
