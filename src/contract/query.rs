//! A request proved valid: the last step that can refuse.

use super::body::Body;
use super::context::Context;
use super::filter::{self, Clause};
use super::limits::{self, Problems};
use super::paging::{self, Paging};
use super::request::Request;
use super::sort::Order;
use crate::refusal::{Code, Problem, Refusal};
use crate::value::fold::is_blank;

/// A valid request: filters, a total order, and a page. Answered by
/// [`Snapshot::run`](crate::Snapshot::run), which cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    clauses: Vec<Clause>,
    order: Order,
    paging: Paging,
    columns: Option<Columns>,
    ignored: Vec<String>,
    lowered: Option<u64>,
}

impl Query {
    /// Proves a typed request valid. Cost grows with its values.
    ///
    /// # Errors
    /// Every problem of the request and its context at once.
    pub fn new(request: &Request, context: &Context) -> Result<Self, Refusal> {
        Self::prove(&Body { request: request.clone(), ..Body::default() }, context)
    }

    /// Reads a JSON body and proves it valid; `limit` is lowered to the context's cap. Cost grows
    /// with the body's length.
    ///
    /// # Errors
    /// Every problem of the body and its context at once (docs/contract.md, *Request*).
    pub fn from_json(body: &[u8], context: &Context) -> Result<Self, Refusal> {
        Self::prove(&Body::read(body, context)?, context)
    }

    fn prove(body: &Body, context: &Context) -> Result<Self, Refusal> {
        let request = &body.request;
        let mut problems = Problems::default();
        let offset = offset(context, &mut problems);
        problems.extend(&body.problems);
        limits::check_sizes(request, &mut problems);
        let paging = paging::paging(request, &mut problems);
        let user = user(request, context, &mut problems);
        Refusal::of(problems.list)?;
        Ok(Self {
            clauses: filter::clauses(request, user, offset),
            order: Order::of(&request.sort_by, context.severity),
            paging,
            columns: Columns::of(&request.selected_columns),
            ignored: body.ignored.clone(),
            lowered: body.lowered,
        })
    }

    pub(crate) fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// The order of the results; always total.
    #[must_use]
    pub fn order(&self) -> &Order {
        &self.order
    }

    pub(crate) fn paging(&self) -> Paging {
        self.paging
    }

    pub(crate) fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// The keys of the body that nothing reads, in the body's order.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// What `limit` was lowered to, if it was.
    #[must_use]
    pub fn lowered_limit(&self) -> Option<u64> {
        self.lowered
    }
}

/// Which top-level keys of the documents come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// As asked.
    names: Vec<String>,
}

impl Columns {
    fn of(names: &[String]) -> Option<Self> {
        (!names.is_empty()).then(|| Self { names: names.to_vec() })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a top-level key stays; `_id` always does.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        name == "_id" || self.names.iter().any(|own| own == name)
    }
}

fn offset(context: &Context, problems: &mut Problems) -> i32 {
    let offset = context.offset_minutes;
    if (-840..=720).contains(&offset) {
        return offset as i32;
    }
    problems.push(
        Problem::new(
            Code::InvalidOffset,
            "X-Timezone-Offset",
            "no offset that a place on Earth has",
        )
        .value(&offset.to_string())
        .accepts("minutes from -840 to 720, where utc = local + offset"),
    );
    0
}

fn user<'c>(request: &Request, context: &'c Context, problems: &mut Problems) -> Option<&'c str> {
    let path = match (request.mycase, request.mytask) {
        (false, false) => return None,
        (true, _) => "$.mycase",
        (false, true) => "$.mytask",
    };
    let user = context.user.as_deref().filter(|user| !is_blank(user));
    if user.is_none() {
        problems.push(
            Problem::new(Code::MissingCurrentUser, path, "who the current user is, is not known")
                .accepts("a request with a current user"),
        );
    }
    user
}
