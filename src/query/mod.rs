//! How a query is answered: planned, executed, ordered, and its page fetched.
//!
//! The road goes straight down: `plan` binds the query to the cases, `execute` finds the matches,
//! `top_k` picks the page's places, `page` fetches their documents. `explain` tells of it.

mod execute;
mod explain;
mod page;
mod plan;
mod top_k;

pub use explain::{ClauseReport, Explain};

use crate::contract::{Page, Query};
use crate::index::Cases;

/// Answers a query. Cost grows with the number of cases.
pub(crate) fn run(cases: &Cases, query: &Query) -> Page {
    let plan = plan::Plan::new(query);
    let matches = execute::matches(&plan, cases);
    let total = matches.len() as u64;
    let places = top_k::places(matches, plan.order(), plan.window(), cases);
    page::fetch(&places, total, query, cases)
}

/// Tells how a query is answered, with the real numbers. Cost: a few times that of answering it.
pub(crate) fn explain(cases: &Cases, query: &Query) -> Explain {
    explain::explain(&plan::Plan::new(query), query, cases)
}
