//! A request proved valid: the last step that can refuse.

use std::collections::HashSet;
use std::fmt;

use super::body::Body;
use super::clause::{self, Clause, Condition, Parameter};
use super::context::Context;
use super::ignored::Ignored;
use super::limits;
use super::paging::{self, Paging};
use super::request::Request;
use super::sort::Order;
use crate::refusal::{Problem, Problems, Refusal};
use crate::value::fold::is_blank;

/// A valid request: filters, a total order, and a page. Answered by
/// [`Snapshot::search`](crate::Snapshot::search), which cannot fail. It may be kept, and asked of
/// any snapshot.
///
/// ```
/// use getcases::{Context, Query, Request};
///
/// let context = Context { user: Some("agent-7".into()), ..Context::default() };
/// let query = Query::from_json(br#"{"mycase":true,"limit":5000,"colour":1}"#, &context)?;
/// assert_eq!(query.lowered_limit(), Some(1000));
/// assert_eq!(query.ignored(), ["colour"]);
///
/// let request = Request { mycase: true, ..Request::default() };
/// let refusal = Query::new(&request, &Context::default()).unwrap_err();
/// assert_eq!(refusal.problems()[0].code().as_str(), "missing_current_user");
/// # Ok::<_, getcases::Refusal>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Query {
    parameters: Vec<Parameter>,
    filter: Option<Condition>,
    order: Order,
    paging: Paging,
    columns: Option<Columns>,
    ignored: Ignored,
    lowered: Option<u64>,
}

impl Query {
    /// Proves a typed request valid. A `limit` is not lowered, since [`Context::max_limit`] is the
    /// cap of bodies: a typed request may ask for as many cases as an integer of the contract can
    /// say, 2^53 - 1. Cost grows with its values.
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
        let known = context.user.as_deref().filter(|user| !is_blank(user));
        let user = user(request, known, &mut problems);
        let filter = request.filter.as_ref();
        if let (None, Some(filter)) = (known, filter) {
            filter.refuse_mine(&mut problems);
        }
        problems.into_result()?;
        // An offset that is none is among the problems.
        let offset = limits::offset(context).unwrap_or_default();
        Ok(Self {
            parameters: clause::parameters(request, user, offset),
            // Where nobody is known, nothing asks who it is.
            filter: filter.map(|filter| filter.bind(known.unwrap_or_default(), offset)),
            order: Order::of(&request.sort_by, context.severity),
            paging,
            columns: Columns::of(&request.selected_columns),
            ignored: Ignored::default(),
            lowered: None,
        })
    }

    /// What the request's parameters ask, each of which must hold.
    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The clauses of the parameters.
    pub(crate) fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.parameters.iter().map(|own| &own.clause)
    }

    /// What must hold besides.
    pub(crate) fn filter(&self) -> Option<&Condition> {
        self.filter.as_ref()
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

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Paging { skip, limit, .. } = self.paging;
        f.debug_struct("Query")
            .field("parameters", &self.parameters.len())
            .field("has_filter", &self.filter.is_some())
            .field("skip", &skip)
            .field("limit", &limit)
            .finish_non_exhaustive()
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

/// Whom `mycase` asks for; `known` is who asks.
fn user<'c>(request: &Request, known: Option<&'c str>, problems: &mut Problems) -> Option<&'c str> {
    let path = match (request.mycase, request.mytask) {
        (false, false) => return None,
        (true, _) => "$.mycase",
        (false, true) => "$.mytask",
    };
    if known.is_none() {
        problems.add(|| Problem::missing_current_user(path));
    }
    known
}
