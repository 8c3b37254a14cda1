//! What a query finds: the addresses of its page, and its total; and in which form that is given.

use std::time::Instant;

use super::after::{After, last_seen};
use super::plan::Plan;
use super::{execute, page, top_k};
use crate::contract::{Envelope, Hits, Page, Position, Query, Response};
use crate::index::{DocAddress, DocumentCache, Index};
use crate::refusal::{Code, Problem, Refusal};
use crate::threads::Pool;
use crate::trace::Span;

/// What a query finds.
pub(crate) struct Found<'i, 'q> {
    index: &'i Index,
    query: &'q Query,
    addresses: Vec<DocAddress>,
    total: u64,
    /// Where the next page begins, of those that follow one another.
    next: Option<Position>,
    /// Until the page is fetched, too.
    span: Span,
}

/// A question that was given up: its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed after {examined} cases were looked at")]
#[non_exhaustive]
pub struct DeadlinePassed {
    /// How many cases were looked at one by one until then.
    pub examined: u64,
}

/// `too_slow`, which a host answers with 503.
impl From<DeadlinePassed> for Refusal {
    fn from(passed: DeadlinePassed) -> Self {
        let problem = Problem::new(Code::TooSlow, "$", passed.to_string());
        problem.accepts("a narrower question, or the same later").into()
    }
}

/// Finds a query's page. Cost: its plan, and what it must look at.
pub(crate) fn find<'i, 'q>(index: &'i Index, query: &'q Query, pool: &Pool) -> Found<'i, 'q> {
    let span = Span::search();
    let plan = Plan::new(query.clauses(), query.filter(), index, pool);
    Found::by(&plan, index, query, span).recorded(&plan)
}

/// The same, until a deadline.
pub(crate) fn find_until<'i, 'q>(
    index: &'i Index,
    query: &'q Query,
    pool: &Pool,
    deadline: Instant,
) -> Result<Found<'i, 'q>, DeadlinePassed> {
    let span = Span::search();
    let plan = Plan::until(Some(deadline), query.clauses(), query.filter(), index, pool);
    let found = Found::by(&plan, index, query, span);
    match plan.meter.is_over() {
        true => Err(DeadlinePassed { examined: plan.meter.examined() }),
        false => Ok(found.recorded(&plan)),
    }
}

/// The addresses of a query's page, and its total; of pages that follow one another, where the next
/// one begins.
pub(super) fn answer(plan: &Plan<'_>, query: &Query) -> (Vec<DocAddress>, u64, Option<Position>) {
    let (paging, keys) = (query.paging(), query.order().keys());
    let matched = execute::execute(plan);
    let Some(Position { passed, last, .. }) = query.position() else {
        let window = paging.skip..paging.skip + u128::from(paging.limit);
        return (top_k::addresses(plan, &matched, keys, window, None), matched.total, None);
    };
    // One more tells whether any follow.
    let window = 0..u128::from(paging.limit) + 1;
    let after = last.as_ref().map(|last| After::new(plan.index, keys, last));
    let mut addresses = top_k::addresses(plan, &matched, keys, window, after);
    let limit = usize::try_from(paging.limit).unwrap_or(usize::MAX);
    let has_more = addresses.len() > limit;
    addresses.truncate(limit);
    let next = has_more.then(|| {
        let own = addresses.last().map(|address| last_seen(plan.index, keys, *address));
        let passed = passed + addresses.len() as u64;
        Position { generation: None, passed, last: own.or_else(|| last.clone()) }
    });
    (addresses, matched.total, next)
}

impl<'i, 'q> Found<'i, 'q> {
    /// What a plan finds; past its deadline, nothing that anyone may use.
    fn by(plan: &Plan<'_>, index: &'i Index, query: &'q Query, span: Span) -> Self {
        let (addresses, total, next) = answer(plan, query);
        Self { index, query, addresses, total, next, span }
    }

    pub(crate) fn next(&self) -> Option<&Position> {
        self.next.as_ref()
    }

    /// Tells the span what was found.
    fn recorded(self, plan: &Plan<'_>) -> Self {
        self.span.record(&[("total", self.total), ("examined", plan.meter.examined())]);
        self
    }

    /// Cost: the page's documents.
    pub(crate) fn page(&self, next_cursor: Option<String>) -> Page {
        let envelope = Envelope::new(self.query, self.total, next_cursor);
        page::fetch(&self.addresses, envelope, self.query, self.index)
    }

    pub(crate) fn hits(&self, next_cursor: Option<String>) -> Hits<'i> {
        let ids = &self.index.catalog().ids;
        let ids = self.addresses.iter().map(|address| ids.id(*address)).collect();
        Hits { ids, total_results: self.total, next_cursor }
    }

    /// Cost: the page's documents; those that a cache keeps are copied alone.
    pub(crate) fn response(
        &self,
        next_cursor: Option<String>,
        cache: Option<&DocumentCache>,
    ) -> Response {
        let envelope = Envelope::new(self.query, self.total, next_cursor.clone());
        Response {
            json: page::write(&self.addresses, envelope, self.query, self.index, cache),
            total_results: self.total,
            next_cursor,
            ignored: page::ignored(self.query, self.index),
            lowered_limit: self.query.lowered_limit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::query::{explain, explain_until, made};

    /// Whatever is asked: no more than one segment is looked at, and nothing goes on for ever.
    #[test]
    fn a_question_past_its_deadline_looks_at_little() {
        let index = made::index(30_000);
        let (past, pool) = (Instant::now(), Pool::none());
        let bodies = [
            r#"{"searchText":"arcel","queues":["a"],"sortBy":"name"}"#,
            r#"{"searchText":"arcel","sortBy":"priority","page":20}"#,
            r#"{"searchText":"lost","sortBy":"assignee","page":30}"#,
            r#"{"filter":{"updated":{"gt":500}},"sortBy":"-updatedAt","page":200}"#,
            r#"{"filter":{"or":[{"queue":{"in":["b"]}},{"refId":{"in":["r1"]}}]}}"#,
            r#"{"sortBy":["dueDate","name"],"page":100}"#,
            r#"{"sortBy":["status","refId"],"page":100}"#,
            r#"{"unresolved":true,"sortBy":"lastUpdated:asc","page":300}"#,
        ];
        for body in bodies {
            let query = made::query(body);
            let passed = find_until(&index, &query, &pool, past).err();
            let DeadlinePassed { examined } =
                passed.unwrap_or_else(|| panic!("{body} is answered"));
            assert!(examined < 100, "{examined} looked at for {body}");
            let late = past + Duration::from_secs(3600);
            let found = find_until(&index, &query, &pool, late).unwrap();
            let right = find(&index, &query, &pool);
            assert_eq!((found.addresses, found.total), (right.addresses, right.total));
            let told = explain_until(&index, &query, &pool, past).map(|own| own.examined);
            assert!(told.as_ref().is_err_and(|own| own.examined < 100), "{told:?} for {body}");
            let told = explain_until(&index, &query, &pool, late);
            assert_eq!(told, Ok(explain(&index, &query, &pool)));
        }
        let refusal = Refusal::from(DeadlinePassed { examined: 7 });
        assert_eq!((refusal.problems()[0].code(), refusal.http_status()), (Code::TooSlow, 503));
    }
}
