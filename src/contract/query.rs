//! A request proved valid: the last step that can refuse.

use super::body::Body;
use super::context::Context;
use super::filter::{AnyOf, Clause};
use super::request::{Request, RequestDate};
use super::sort::Order;
use crate::refusal::{Code, Problem, Refusal};
use crate::value::fold::{fold, is_blank};

/// The greatest integer of `page`, `skip` and `limit`: 2^53 - 1.
pub(super) const MAX_INTEGER: u64 = (1 << 53) - 1;
/// How many elements a list may have.
pub(super) const MAX_VALUES: usize = 1000;
/// How many code points a search text may have after trimming.
const MAX_NEEDLE: usize = 1024;

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

    /// Reads a JSON body and proves it valid; `limit` is lowered to the context's cap. Cost grows with
    /// the body's length.
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
        sizes(request, &mut problems);
        let paging = paging(request, &mut problems);
        let user = user(request, context, &mut problems);
        Refusal::of(problems.list)?;
        Ok(Self {
            clauses: clauses(request, user, offset),
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

/// Which part of the results is the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    /// How many results come before the page.
    pub(crate) skip: u128,
    pub(crate) limit: u64,
    /// The page's number, from 1.
    pub(crate) page: u64,
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

/// Problems, each code and path once.
#[derive(Default)]
struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    fn push(&mut self, problem: Problem) {
        if !self.list.iter().any(|own| (own.code, &own.path) == (problem.code, &problem.path)) {
            self.list.push(problem);
        }
    }

    fn extend(&mut self, problems: &[Problem]) {
        // What a body's own reading found has each code and path once by construction.
        self.list.extend_from_slice(problems);
    }

    fn any_at(&self, paths: &[&str]) -> bool {
        self.list.iter().any(|problem| paths.contains(&problem.path.as_str()))
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

fn sizes(request: &Request, problems: &mut Problems) {
    let lists = [
        ("$.priority", request.priority.len()),
        ("$.status", request.status.len()),
        ("$.queues", request.queues.len()),
        ("$.channel", request.channel.len()),
        ("$.agents", request.agents.len()),
        ("$.sortBy", request.sort_by.len()),
        ("$.selectedColumns", request.selected_columns.len()),
    ];
    for (path, length) in lists {
        if length > MAX_VALUES {
            problems.push(too_many_values(path));
        }
    }
    let needle = request.search_text.trim();
    if needle.chars().nth(MAX_NEEDLE).is_some() {
        problems.push(
            Problem::new(Code::TextTooLong, "$.searchText", "the search text is too long")
                .value(&serde_json::Value::from(request.search_text.as_str()).to_string())
                .accepts(format!("at most {MAX_NEEDLE} characters")),
        );
    }
}

pub(super) fn too_many_values(path: &str) -> Problem {
    Problem::new(Code::TooManyValues, path, "too many values")
        .accepts(format!("at most {MAX_VALUES} values"))
}

pub(super) fn invalid_integer(path: &str, least: u64, value: &str) -> Problem {
    Problem::new(Code::InvalidInteger, path, "no integer in range").value(value).accepts(format!(
        "an integer from {least} to {MAX_INTEGER}, without sign, fraction or exponent"
    ))
}

fn paging(request: &Request, problems: &mut Problems) -> Paging {
    let asked =
        [("$.page", request.page, 1), ("$.skip", request.skip, 0), ("$.limit", request.limit, 0)];
    for (path, value, least) in asked {
        if let Some(value) = value.filter(|value| !(least..=MAX_INTEGER).contains(value)) {
            problems.push(invalid_integer(path, least, &value.to_string()));
        }
    }
    let limit = request.limit_or_default();
    let start = |page: u64| u128::from(page.saturating_sub(1)) * u128::from(limit);
    match (request.page, request.skip) {
        (Some(page), Some(skip)) => {
            let valid = !problems.any_at(&["$.page", "$.skip", "$.limit"]);
            if valid && u128::from(skip) != start(page) {
                problems.push(conflicting_paging(skip, start(page)));
            }
            Paging { skip: u128::from(skip), limit, page }
        }
        (None, Some(skip)) => {
            let page = skip.checked_div(limit).unwrap_or(0) + 1;
            Paging { skip: u128::from(skip), limit, page }
        }
        (page, None) => {
            let page = page.unwrap_or(1);
            Paging { skip: start(page), limit, page }
        }
    }
}

fn conflicting_paging(skip: u64, start: u128) -> Problem {
    Problem::new(Code::ConflictingPaging, "$.skip", "page and skip name different places")
        .value(&skip.to_string())
        .accepts(format!("{start}, which is (page - 1) * limit, or only one of page and skip"))
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

fn clauses(request: &Request, user: Option<&str>, offset: i32) -> Vec<Clause> {
    let list =
        |values: &[String], set: fn(&[String]) -> AnyOf| (!values.is_empty()).then(|| set(values));
    let span = |date: Option<RequestDate>| date.map(|date| date.0.span(offset));
    let needle = request.search_text.trim();
    [
        (!needle.is_empty()).then(|| Clause::Text(fold(needle))),
        request.unresolved.then_some(Clause::Unresolved),
        request.unassigned.then_some(Clause::Unassigned),
        user.map(|user| Clause::Mine(user.to_owned())),
        list(&request.priority, AnyOf::keys).map(Clause::Priority),
        list(&request.status, AnyOf::status_keys).map(Clause::Status),
        list(&request.channel, AnyOf::keys).map(Clause::Channel),
        list(&request.queues, AnyOf::keys).map(Clause::Queues),
        list(&request.agents, AnyOf::keys).map(Clause::Agents),
        span(request.start_date).map(|(first, _)| Clause::CreatedFrom(first)),
        span(request.end_date).map(|(_, last)| Clause::CreatedTo(last)),
        span(request.due_date).map(|(first, last)| Clause::Due(first, last)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
