//! A request proved valid: the last step that can refuse.

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::body::Body;
use super::clause::{self, Clause, Condition, Parameter};
use super::context::Context;
use super::cursor::{Continuation, Cursor, Position, Sealer};
use super::ignored::Ignored;
use super::limits;
use super::paging::{self, Paging};
use super::request::Request;
use super::sort::Order;
use crate::refusal::{Code, Problem, Problems, Refusal};
use crate::value::fold::is_blank;
use crate::value::shown::quoted;

/// A valid request: filters, a total order, and a page. Answered by
/// [`Snapshot::search`](crate::Snapshot::search), which cannot fail. It may be kept, and asked of
/// any snapshot. The text of a cursor is read by the engine that gave it: a request with one
/// becomes a query by [`Snapshot::query`](crate::Snapshot::query).
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
    cursor: Option<Continuation>,
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
    /// Every problem of the request and its context at once; `invalid_cursor` for a text of one.
    pub fn new(request: &Request, context: &Context) -> Result<Self, Refusal> {
        Self::read(request, context, None)
    }

    /// The same, with cursors that are read.
    pub(crate) fn read(
        request: &Request,
        context: &Context,
        cursors: Option<Sealer<'_>>,
    ) -> Result<Self, Refusal> {
        let mut problems = Problems::default();
        limits::check_offset(context, &mut problems);
        let is_valid = limits::check_request(request, &mut problems);
        Self::prove(request, context, problems, is_valid)?.at(request, cursors, None)
    }

    /// Reads a JSON body and proves it valid; `limit` is lowered to the context's cap. Cost grows
    /// with the body's length.
    ///
    /// # Errors
    /// Every problem of the body and its context at once (docs/contract.md, *Request*);
    /// `invalid_cursor` for the text of a cursor.
    pub fn from_json(body: &[u8], context: &Context) -> Result<Self, Refusal> {
        Self::read_json(body, context, None)
    }

    /// The same, with cursors that are read.
    pub(crate) fn read_json(
        body: &[u8],
        context: &Context,
        cursors: Option<Sealer<'_>>,
    ) -> Result<Self, Refusal> {
        let Body { request, problems, paging_valid, cursor, ignored, lowered } =
            Body::read(body, context)?;
        let query = Self::prove(&request, context, problems, paging_valid)?;
        Self { ignored, lowered, ..query }.at(&request, cursors, cursor)
    }

    /// Puts the page where the request's cursor says, which is spelled so if it came in a body.
    fn at(
        mut self,
        request: &Request,
        cursors: Option<Sealer<'_>>,
        spelled: Option<String>,
    ) -> Result<Self, Refusal> {
        let Some(Cursor::After(text)) = &request.cursor else { return Ok(self) };
        let spelled = spelled.unwrap_or_else(|| quoted(text));
        let position = cursors.and_then(|cursors| cursors.open(text, &self));
        let Some(position) = position else {
            return Err(invalid_cursor(&spelled));
        };
        self.paging = Paging::behind(position.passed, self.paging.limit);
        if let Some(own) = &mut self.cursor {
            (own.position, own.spelled) = (position, spelled);
        }
        Ok(self)
    }

    /// Its cursor names no place.
    pub(crate) fn invalid_cursor(&self) -> Refusal {
        invalid_cursor(self.cursor.as_ref().map_or("", |own| &own.spelled))
    }

    /// Judges what needs the whole request, each part of which was judged by itself.
    fn prove(
        request: &Request,
        context: &Context,
        mut problems: Problems,
        paging_valid: bool,
    ) -> Result<Self, Refusal> {
        let paging = paging::paging(request, paging_valid, &mut problems);
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
            cursor: request.cursor.as_ref().map(|_| Continuation {
                user: known.map(str::to_owned),
                position: Position::default(),
                spelled: String::new(),
            }),
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

    /// Where the page begins, of pages that follow one another.
    pub(crate) fn position(&self) -> Option<&Position> {
        self.cursor.as_ref().map(|own| &own.position)
    }

    pub(crate) fn position_mut(&mut self) -> Option<&mut Position> {
        self.cursor.as_mut().map(|own| &mut own.position)
    }

    /// Hashes what a cursor may not change: who asks for which cases, and in which order.
    pub(super) fn hash_question(&self, state: &mut impl Hasher) {
        let user = self.cursor.as_ref().and_then(|own| own.user.as_deref());
        (user, &self.parameters, &self.filter, &self.order).hash(state);
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

/// `value` is the cursor as JSON.
fn invalid_cursor(value: &str) -> Refusal {
    Problem::new(Code::InvalidCursor, "$.cursor", "no cursor of this question")
        .with_value(value)
        .accepts("true, or the nextCursor of a page of the same question")
        .into()
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
