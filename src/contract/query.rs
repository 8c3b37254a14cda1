//! A request proved valid: the last step that can refuse.

use std::collections::HashSet;

use super::body::Body;
use super::context::Context;
use super::filter::{self, Clause};
use super::ignored::Ignored;
use super::limits;
use super::paging::{self, Paging};
use super::request::Request;
use super::sort::Order;
use crate::refusal::{Code, Problem, Problems, Refusal};
use crate::value::fold::is_blank;

/// A valid request: filters, a total order, and a page. Answered by
/// [`Snapshot::run`](crate::Snapshot::run), which cannot fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    clauses: Vec<Clause>,
    order: Order,
    paging: Paging,
    columns: Option<Columns>,
    ignored: Ignored,
    lowered: Option<u64>,
}

impl Query {
    /// Proves a typed request valid. Cost grows with its values.
    ///
    /// # Errors
    /// Every problem of the request and its context at once.
    pub fn new(request: &Request, context: &Context) -> Result<Self, Refusal> {
        let mut problems = Problems::default();
        limits::check_offset(context, &mut problems);
        let is_valid = limits::check_request(request, &mut problems);
        Self::prove(request, context, problems, is_valid)
    }

    /// Reads a JSON body and proves it valid; `limit` is lowered to the context's cap. Cost grows
    /// with the body's length.
    ///
    /// # Errors
    /// Every problem of the body and its context at once (docs/contract.md, *Request*).
    pub fn from_json(body: &[u8], context: &Context) -> Result<Self, Refusal> {
        let Body { request, problems, integers_valid, ignored, lowered } =
            Body::read(body, context)?;
        let query = Self::prove(&request, context, problems, integers_valid)?;
        Ok(Self { ignored, lowered, ..query })
    }

    /// Judges what needs the whole request, each part of which was judged by itself.
    fn prove(
        request: &Request,
        context: &Context,
        mut problems: Problems,
        integers_valid: bool,
    ) -> Result<Self, Refusal> {
        let paging = paging::paging(request, integers_valid, &mut problems);
        let user = user(request, context, &mut problems);
        problems.into_result()?;
        // An offset that is none is among the problems.
        let offset = limits::offset(context).unwrap_or_default();
        Ok(Self {
            clauses: filter::clauses(request, user, offset),
            order: Order::of(&request.sort_by, context.severity),
            paging,
            columns: Columns::of(&request.selected_columns),
            ignored: Ignored::default(),
            lowered: None,
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

    /// The keys of the body that nothing reads, in the body's order, each cut to 256 characters;
    /// where there are more than 100, the last text says how many more.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        self.ignored.clone().into_names()
    }

    pub(crate) fn ignored_keys(&self) -> &Ignored {
        &self.ignored
    }

    /// What `limit` was lowered to, if it was.
    #[must_use]
    pub fn lowered_limit(&self) -> Option<u64> {
        self.lowered
    }
}

/// Which top-level keys of the documents come back; `_id` always does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// As asked, each once.
    names: Vec<String>,
}

impl Columns {
    fn of(names: &[String]) -> Option<Self> {
        let mut met = HashSet::new();
        let names: Vec<_> = names.iter().filter(|name| met.insert(*name)).cloned().collect();
        (!names.is_empty()).then_some(Self { names })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

fn user<'c>(request: &Request, context: &'c Context, problems: &mut Problems) -> Option<&'c str> {
    let path = match (request.mycase, request.mytask) {
        (false, false) => return None,
        (true, _) => "$.mycase",
        (false, true) => "$.mytask",
    };
    let user = context.user.as_deref().filter(|user| !is_blank(user));
    if user.is_none() {
        problems.add(|| {
            Problem::new(Code::MissingCurrentUser, path, "who the current user is, is not known")
                .accepts("a request with a current user")
        });
    }
    user
}
