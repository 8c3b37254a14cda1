//! The engine and the oracle side by side: the same documents, the same requests.

use std::collections::{HashMap, HashSet};

use getcases::{
    Batch, ChangesError, Context, Cursor, Engine, Explain, FilterReport, Hits, Page, Query,
    Refusal, Request, RequestDate,
};
use getcases::{Scope, Severity, Snapshot, SortKey};

use super::oracle;
use super::oracle::json::{self, Json, Node};

#[path = "compare/filter.rs"]
mod filter;
#[path = "compare/values.rs"]
mod values;

/// How long an answer may be that holds no documents.
const LONGEST: usize = 256 << 10;
/// How many bytes of changes an engine keeps.
const KEPT: usize = 256 << 10;
/// How many bytes explain may have for each node of a filter besides.
const LINE: usize = 4 << 10;

/// An engine and an oracle that hold the same cases of one scope.
pub struct Desk {
    pub engine: Engine,
    pub scope: Scope,
    /// The live documents.
    documents: Vec<oracle::Document>,
    places: HashMap<String, usize>,
    /// An earlier snapshot, and a query with its answer then.
    remembered: Option<(Snapshot, Query, Page)>,
    /// Of the scope, as it must be; and whether the next batch is filled before it is written.
    generation: u64,
    is_kept: bool,
    copy: Follower,
}

/// A copy of the scope's cases that follows it by what it tells of changes.
#[derive(Default)]
struct Follower {
    generation: u64,
    documents: HashMap<String, String>,
    /// Which cases were written or deleted since, in how many bytes the engine keeps that, and
    /// whether the scope was dropped.
    edited: HashSet<String>,
    bytes: usize,
    is_lost: bool,
}

impl Follower {
    fn note(&mut self, id: &str) {
        self.edited.insert(id.to_owned());
        self.bytes += id.len() + 2;
    }
}

/// One change of a batch.
pub enum Edit<'t> {
    Upsert(&'t [u8]),
    /// One of the cases that are live before the batch; of none, a case that was never there.
    DeleteAny(u64),
}

impl Desk {
    pub fn new(account: &str, stream: &str) -> Self {
        Self {
            engine: Engine::new(),
            scope: Scope::new(account, stream),
            documents: Vec::new(),
            places: HashMap::new(),
            remembered: None,
            generation: 0,
            is_kept: false,
            copy: Follower::default(),
        }
    }

    /// The same over cases that an engine holds already, and no others.
    pub fn of(engine: Engine, scope: Scope, documents: Vec<oracle::Document>) -> Self {
        let ids = documents.iter().enumerate();
        let places = ids.map(|(place, document)| (document.id.clone(), place)).collect();
        let generation = engine.snapshot(&scope).generation();
        let copied = documents.iter().map(|own| (own.id.clone(), own.text.clone()));
        let copy = Follower { generation, documents: copied.collect(), ..Follower::default() };
        let (remembered, is_kept) = (None, false);
        Self { engine, scope, documents, places, remembered, generation, is_kept, copy }
    }

    /// The live documents, in no order.
    pub fn documents(&self) -> &[oracle::Document] {
        &self.documents
    }

    /// Checks the structures of the index and every live document, and that an earlier snapshot
    /// still answers as it did.
    pub fn validate(&self) -> Result<(), String> {
        let snapshot = self.engine.snapshot(&self.scope);
        snapshot.validate().map_err(|corrupt| corrupt.to_string())?;
        if snapshot.len() != self.documents.len() {
            return Err(format!("{} cases, not {}", snapshot.len(), self.documents.len()));
        }
        let found = snapshot.get_many(self.documents.iter().map(|document| &*document.id));
        for (ours, theirs) in found.iter().zip(&self.documents) {
            if ours.as_ref().map(|ours| ours.json()) != Some(&theirs.text) {
                return Err(format!("{} is {ours:?}", theirs.id));
            }
        }
        values::check_values(&snapshot, &self.documents)?;
        values::check_cases(&snapshot, &self.documents)?;
        match &self.remembered {
            Some((then, query, page)) if then.search(query) != *page => {
                Err(format!("a snapshot answers {query:?} otherwise than before"))
            }
            _ => Ok(()),
        }
    }

    /// Drops the scope from the engine, and every document.
    pub fn clear(&mut self) -> Result<(), String> {
        let had_cases = !self.documents.is_empty();
        (self.documents, self.places) = (Vec::new(), HashMap::new());
        let was_there = self.engine.drop_scope(&self.scope);
        self.generation += u64::from(was_there);
        self.copy.is_lost |= was_there;
        match self.engine.scopes().is_empty() && (was_there || !had_cases) {
            true => Ok(()),
            false => Err("a dropped scope is still there".to_owned()),
        }
    }

    /// Remembers the snapshot of now, and its answer, for a later `validate`.
    pub fn remember(&mut self, body: &str, context: &oracle::Context) {
        let snapshot = self.engine.snapshot(&self.scope);
        if let Ok(query) = Query::from_json(body.as_bytes(), &ours(context)) {
            let page = snapshot.search(&query);
            self.remembered = Some((snapshot, query, page));
        }
    }

    /// Writes a document into both; says where they differ about refusing it.
    pub fn upsert(&mut self, text: impl AsRef<[u8]>) -> Result<(), String> {
        self.upsert_all(&[text])
    }

    /// Writes documents into both, as one batch.
    pub fn upsert_all(&mut self, texts: &[impl AsRef<[u8]>]) -> Result<(), String> {
        self.write(&texts.iter().map(|text| Edit::Upsert(text.as_ref())).collect::<Vec<_>>())
    }

    /// Writes changes into both, as one batch; says where they differ about refusing one, or about
    /// what they did.
    pub fn write(&mut self, edits: &[Edit<'_>]) -> Result<(), String> {
        let mut refusals = Vec::new();
        let gone = |choice: &u64| {
            let at = choice.checked_rem(self.documents.len() as u64)?;
            Some(self.documents[at as usize].id.clone())
        };
        let gone: Vec<_> = edits
            .iter()
            .map(|edit| match edit {
                Edit::DeleteAny(choice) => gone(choice),
                Edit::Upsert(_) => None,
            })
            .collect();
        let mut fill = |batch: &mut Batch<'_>| {
            for (edit, gone) in edits.iter().zip(&gone) {
                match (edit, gone) {
                    (Edit::Upsert(text), _) => refusals.push(batch.upsert(&self.scope, text)),
                    (Edit::DeleteAny(_), Some(id)) => batch.delete(&self.scope, id),
                    (Edit::DeleteAny(_), None) => batch.delete(&self.scope, "never there"),
                }
            }
        };
        self.is_kept = !self.is_kept;
        let written = if self.is_kept {
            let mut batch = Batch::new();
            fill(&mut batch);
            self.engine.commit(batch)
        } else {
            self.engine.write(|batch| {
                fill(batch);
                Ok(())
            })
        };
        let written = written.map_err(|failed| format!("{failed:?}"))?;
        self.copy.bytes += 48;
        gone.iter().flatten().for_each(|id| self.copy.note(id));
        let mut refusals = refusals.into_iter();
        let (mut inserted, mut replaced, mut deleted) = (0, 0, 0);
        for (edit, gone) in edits.iter().zip(gone) {
            let Edit::Upsert(text) = edit else {
                deleted += u64::from(gone.is_some_and(|id| self.forget(&id)));
                continue;
            };
            let theirs = oracle::read(text, self.scope.account(), self.scope.stream());
            match (refusals.next(), theirs) {
                (Some(Ok(())), Ok(document)) => {
                    self.copy.note(&document.id);
                    let is_new = self.keep(document);
                    *(if is_new { &mut inserted } else { &mut replaced }) += 1;
                }
                (Some(Err(ours)), Err(theirs)) => told(&ours, &theirs)?,
                (ours, theirs) => {
                    let theirs = theirs.map(|_| ());
                    let text = String::from_utf8_lossy(text);
                    return Err(format!("document {text}\n  engine {ours:?}\n  oracle {theirs:?}"));
                }
            }
        }
        let right = (inserted, replaced, deleted);
        if (written.inserted, written.replaced, written.deleted) != right {
            return Err(format!("{written:?}, not {right:?}"));
        }
        self.generation += u64::from(inserted + replaced + deleted > 0);
        let told = written.generation(&self.scope).unwrap_or(self.generation);
        let own = self.engine.snapshot(&self.scope).generation();
        if (own, told) != (self.generation, self.generation) {
            return Err(format!("generation {own} and {told}, not {}", self.generation));
        }
        // Now and then, so that it may be some batches behind.
        if self.generation.is_multiple_of(3) { self.follow() } else { Ok(()) }
    }

    /// Brings the copy up to date by what changed since, and holds it against all documents.
    fn follow(&mut self) -> Result<(), String> {
        let (snapshot, copy) = (self.engine.snapshot(&self.scope), &mut self.copy);
        let changes = match snapshot.changes_since(copy.generation) {
            Ok(changes) => changes,
            Err(ChangesError::TooOld { oldest })
                if (copy.is_lost || copy.bytes > KEPT) && oldest > copy.generation =>
            {
                let copied = self.documents.iter().map(|own| (own.id.clone(), own.text.clone()));
                let (generation, documents) = (snapshot.generation(), copied.collect());
                *copy = Follower { generation, documents, ..Follower::default() };
                return Ok(());
            }
            Err(error) => return Err(format!("since {}: {error:?}", copy.generation)),
        };
        let ids: Vec<_> = changes.upserted.iter().chain(&changes.deleted).collect();
        let distinct: HashSet<_> = ids.iter().collect();
        if distinct.len() < ids.len() || ids.iter().any(|id| !copy.edited.contains(*id)) {
            return Err(format!("{changes:?}, and edited were {:?}", copy.edited));
        }
        for id in changes.deleted {
            copy.documents.remove(&id);
        }
        for id in changes.upserted {
            let document = snapshot.get(&id).ok_or_else(|| format!("{id} is not there"))?;
            copy.documents.insert(id, document.into_json());
        }
        (copy.generation, copy.is_lost, copy.bytes) = (changes.generation, false, 0);
        copy.edited.clear();
        let is_same = |own: &oracle::Document| copy.documents.get(&own.id) == Some(&own.text);
        match self.documents.len() == copy.documents.len() && self.documents.iter().all(is_same) {
            true => Ok(()),
            false => Err(format!("a copy differs that follows changes to {}", copy.generation)),
        }
    }

    /// Says whether the document is new.
    fn keep(&mut self, document: oracle::Document) -> bool {
        match self.places.get(&document.id) {
            Some(place) => self.documents[*place] = document,
            None => {
                self.places.insert(document.id.clone(), self.documents.len());
                self.documents.push(document);
                return true;
            }
        }
        false
    }

    /// Says whether the document was there.
    fn forget(&mut self, id: &str) -> bool {
        let Some(place) = self.places.remove(id) else { return false };
        self.documents.swap_remove(place);
        if let Some(moved) = self.documents.get(place) {
            self.places.insert(moved.id.clone(), place);
        }
        true
    }

    /// Asks both; says how many cases matched (nothing for a refused request), or where they
    /// differ.
    pub fn ask(
        &self,
        body: impl AsRef<[u8]>,
        context: &oracle::Context,
    ) -> Result<Option<u64>, String> {
        let body = body.as_ref();
        let about = |difference: String| {
            format!("{} {context:?}: {difference}", String::from_utf8_lossy(body))
        };
        let snapshot = self.engine.snapshot(&self.scope);
        let query = snapshot.query_json(body, &ours(context));
        let ours = query.as_ref().map(|query| snapshot.search(query));
        let written = snapshot.search_json(body, &self::ours(context));
        let same = match (&written, &ours) {
            (Ok(written), Ok(page)) => {
                let figures = (written.total_results, written.lowered_limit);
                figures == (page.total_results, page.lowered_limit)
                    && written.json == page.to_json()
                    && (&written.ignored, &written.next_cursor)
                        == (&page.ignored, &page.next_cursor)
            }
            (Err(one), Err(other)) => one == *other,
            _ => false,
        };
        if !same {
            return Err(about("the page and its bytes differ".to_owned()));
        }
        let theirs = oracle::answer(&self.documents, body, context);
        match (ours, theirs) {
            (Err(ours), Err(theirs)) => {
                told(ours, &theirs).map_err(about)?;
                Ok(None)
            }
            (Ok(page), Ok(answer)) => {
                let (page, total) = (as_answer(&page), page.total_results);
                if answer != page {
                    return Err(about(format!("\n  engine {page:?}\n  oracle {answer:?}")));
                }
                if let Ok(query) = &query {
                    explained(&snapshot, query, &answer).map_err(about)?;
                    asked_typed(&snapshot, query, body, context).map_err(about)?;
                }
                Ok(Some(total))
            }
            (ours, theirs) => {
                let ours = ours.map(|page| page.total_results);
                Err(about(format!("\n  engine {ours:?}\n  oracle {theirs:?}")))
            }
        }
    }
}

pub fn as_answer(page: &getcases::Page) -> oracle::Answer {
    oracle::Answer {
        ids: page.results.iter().map(|document| document.id().to_owned()).collect(),
        results: page.results.iter().map(|document| document.json().to_owned()).collect(),
        page: page.page,
        limit: page.limit,
        has_more: page.has_more,
        total_pages: page.total_pages,
        total_results: page.total_results,
        has_cursor: page.next_cursor.is_some(),
        ignored: page.ignored.clone(),
    }
}

/// The oracle's context as the library's.
pub fn ours(context: &oracle::Context) -> Context {
    Context {
        user: context.user.clone(),
        offset_minutes: context.offset,
        now: None,
        strict: context.strict,
        severity: if context.low_is_severe { Severity::Low } else { Severity::High },
        max_limit: context.max_limit,
    }
}

/// What the library says is wrong, as the oracle says it.
pub fn problems(refusal: &Refusal) -> oracle::Refused {
    let problems = refusal.problems().iter().map(|problem| oracle::Problem {
        code: problem.code().to_string(),
        path: problem.path().to_owned(),
        value: problem.value().map(str::to_owned),
        more: problem.msg().split(' ').next().and_then(|more| more.parse().ok()).unwrap_or(0),
    });
    problems.collect()
}

/// Holds a refusal against the oracle's, and every form of it against the others.
pub fn told(refusal: &Refusal, theirs: &oracle::Refused) -> Result<(), String> {
    let ours = problems(refusal);
    if ours != *theirs {
        return Err(format!("\n  engine {ours:?}\n  oracle {theirs:?}"));
    }
    let bytes = refusal.to_json();
    let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string())?;
    let in_body = in_error_body(text)?;
    if in_body != ours {
        return Err(format!("{text} says {in_body:?}, not {ours:?}"));
    }
    by_serde(refusal, text)?;
    let shown = refusal.to_string();
    if shown.is_empty() || shown.len() > LONGEST || text.len() > LONGEST {
        return Err(format!("an answer of {} bytes, shown as {}", text.len(), shown.len()));
    }
    Ok(())
}

/// Holds what serde writes of a refusal against its error body.
#[cfg(feature = "serde")]
fn by_serde(refusal: &Refusal, text: &str) -> Result<(), String> {
    let one_by_one: Vec<_> = (refusal.problems().iter())
        .map(|problem| serde_json::to_string(problem).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    if format!("{{\"errors\":[{}]}}", one_by_one.join(",")) != text {
        return Err(format!("{text} is not {one_by_one:?}"));
    }
    serde_json::to_value(refusal.problems()).map_err(|error| error.to_string())?;
    Ok(())
}

#[cfg(not(feature = "serde"))]
fn by_serde(_: &Refusal, _: &str) -> Result<(), String> {
    Ok(())
}

/// What an error body says, which must be strict JSON with its members in the contract's order.
fn in_error_body(text: &str) -> Result<oracle::Refused, String> {
    let strict = |wrong| format!("{text} is no strict JSON: {wrong:?}");
    let body = json::read(text.as_bytes(), "").map_err(strict)?;
    if json::repeated_key(&body, "$").is_some() || body.raw != text {
        return Err(format!("{text} repeats a key or ends in white space"));
    }
    let [(name, errors)] = body.members() else { return Err(format!("{text} has no errors")) };
    let order = ["code", "msg", "path", "value", "accepted"];
    let one = |error: &Node<'_>| {
        let names: Vec<_> = error.members().iter().map(|(name, _)| name.as_str()).collect();
        let known = order.iter().filter(|name| names.contains(name));
        let part = |name: &str| Some(error.get(name)?.text()?.to_owned());
        let msg = part("msg")?;
        known.eq(names.iter()).then_some(oracle::Problem {
            code: part("code")?,
            path: part("path")?,
            value: error.get("value").map(|value| value.raw.to_owned()),
            more: msg.split(' ').next().and_then(|more| more.parse().ok()).unwrap_or(0),
        })
    };
    let errors: Option<_> = errors.elements().iter().map(one).collect();
    errors.filter(|_| name == "errors").ok_or_else(|| format!("{text} is no error body"))
}

/// Holds what explain tells against an answer: strict JSON, of a bounded length in each form.
fn explained(snapshot: &Snapshot, query: &Query, answer: &oracle::Answer) -> Result<(), String> {
    let explain = snapshot.explain(query);
    if explain.ignored != answer.ignored {
        return Err(format!("explain ignores {:?}, not {:?}", explain.ignored, answer.ignored));
    }
    let shown = explain.to_string();
    let text = explain_by_serde(&explain)?;
    // Beside these, one line each for the order, the page and what was examined.
    let nodes = explain.filter.as_ref().map_or(0, nodes);
    let told = explain.ignored.len() + explain.clauses.len() + nodes;
    if shown.lines().count() != told + usize::from(explain.lowered_limit.is_some()) + 3 {
        return Err(format!("explain has other lines than it tells of: {shown}"));
    }
    if let (Some(filter), []) = (&explain.filter, &*explain.clauses)
        && filter.cases != answer.total_results
    {
        return Err(format!(
            "explain counts {} of the filter, not {}",
            filter.cases, answer.total_results
        ));
    }
    match shown.len().max(text.len()) {
        length if length <= LONGEST + nodes * LINE => Ok(()),
        length => Err(format!("explain has {length} bytes")),
    }
}

/// What serde writes of it.
#[cfg(feature = "serde")]
fn explain_by_serde(explain: &Explain) -> Result<String, String> {
    let text = serde_json::to_string(explain).map_err(|error| error.to_string())?;
    serde_json::to_value(explain).map_err(|error| error.to_string())?;
    let json = json::read(text.as_bytes(), "").map_err(|wrong| format!("{wrong:?}"))?;
    let names: Vec<_> = json.members().iter().map(|(name, _)| name.as_str()).collect();
    if names != ["ignored", "lowered", "clauses", "filter", "order", "page", "examined"] {
        return Err(format!("explain tells of {names:?}"));
    }
    Ok(text)
}

#[cfg(not(feature = "serde"))]
fn explain_by_serde(_: &Explain) -> Result<String, String> {
    Ok(String::new())
}

/// How many nodes a filter's report has.
fn nodes(filter: &FilterReport) -> usize {
    1 + filter.parts.iter().map(nodes).sum::<usize>()
}

/// What a query finds, and whether more follows. A filter that says the same in other parts has
/// other cursors.
fn hits<'s>(snapshot: &'s Snapshot, query: &Query) -> Hits<'s> {
    let mut hits = snapshot.search_ids(query);
    hits.next_cursor = hits.next_cursor.map(|_| String::new());
    hits
}

/// Holds the answer to a body that is a request against that to the same, asked by a program.
fn asked_typed(
    snapshot: &Snapshot,
    query: &Query,
    body: &[u8],
    context: &oracle::Context,
) -> Result<(), String> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let node = json::read(body, "").map_err(|wrong| format!("{wrong:?}"))?;
    let mut request = request(&node).ok_or("there is no such typed request")?;
    if query.lowered_limit().is_some() {
        request.limit = Some(context.max_limit);
    }
    let typed = Query::new(&request, &ours(context)).map_err(|refusal| refusal.to_string())?;
    // A body of more than 1 MiB is none.
    let body = Some(request.to_json()).filter(|body| body.len() <= 1 << 20);
    let uncapped = Context { max_limit: u64::MAX, ..ours(context) };
    if let Some(body) = body {
        let again = Query::from_json(body.as_bytes(), &uncapped);
        let again = again.map_err(|refusal| format!("{body}: {refusal}"))?;
        if hits(snapshot, &again) != hits(snapshot, &typed) {
            return Err(format!("{body} is another request"));
        }
    }
    match (hits(snapshot, &typed), hits(snapshot, query)) {
        (typed, written) if typed == written => Ok(()),
        (typed, written) => Err(format!("typed {:?}, written {:?}", typed.ids, written.ids)),
    }
}

/// A body as plain data; nothing where some part of it cannot be made.
fn request(body: &Node<'_>) -> Option<Request> {
    let value = |name: &str| body.get(name).map(|value| &value.json);
    let flag = |name: &str| matches!(value(name), Some(Json::Bool(true)));
    let texts = |name: &str| -> Vec<String> {
        match value(name) {
            Some(Json::Text(text)) if !text.is_empty() => vec![text.clone()],
            Some(Json::List(list)) => list.iter().filter_map(Node::text).map(Into::into).collect(),
            _ => Vec::new(),
        }
    };
    let integer = |name: &str| match value(name) {
        Some(Json::Number(number)) => Some(number.parse().ok()),
        _ => None,
    };
    let date = |name: &str| match value(name) {
        Some(Json::Text(text)) if !text.is_empty() => Some(text.parse().ok()),
        Some(Json::Number(number)) => {
            Some(number.parse().ok().and_then(|millis| RequestDate::from_millis(millis).ok()))
        }
        _ => None,
    };
    // What is there must be one: the outer nothing is what is absent.
    let there = |part: Option<Option<u64>>| part.map_or(Some(None), |part| part.map(Some));
    let on = |part: Option<Option<RequestDate>>| part.map_or(Some(None), |part| part.map(Some));
    Some(Request {
        search_text: texts("searchText").pop().unwrap_or_default(),
        unresolved: flag("unresolved"),
        unassigned: flag("unassigned"),
        mycase: flag("mycase"),
        mytask: flag("mytask"),
        priority: texts("priority"),
        status: texts("status"),
        queues: texts("queues"),
        channel: texts("channel"),
        agents: texts("agents"),
        start_date: on(date("startDate"))?,
        end_date: on(date("endDate"))?,
        due_date: on(date("dueDate"))?,
        filter: match body.get("filter").filter(|value| !value.members().is_empty()) {
            Some(value) => Some(filter::typed(value)?),
            None => None,
        },
        sort_by: body.get("sortBy").map_or(Some(Vec::new()), sort_keys)?,
        page: there(integer("page"))?,
        skip: there(integer("skip"))?,
        cursor: flag("cursor").then_some(Cursor::First),
        limit: there(integer("limit"))?,
        selected_columns: texts("selectedColumns"),
    })
}

fn sort_keys(sort_by: &Node<'_>) -> Option<Vec<SortKey>> {
    match &sort_by.json {
        Json::Text(text) if !text.is_empty() => Some(vec![text.parse().ok()?]),
        Json::Object(members) => {
            let direction = |value: &Node<'_>| match value.raw {
                "1" => Some("asc".to_owned()),
                "-1" => Some("desc".to_owned()),
                _ => value.text().map(str::to_owned),
            };
            let keys = members.iter().map(|(name, value)| (name, direction(value)));
            keys.map(|(name, direction)| format!("{name}:{}", direction?).parse().ok()).collect()
        }
        Json::List(list) => {
            let keys: Option<Vec<_>> = list.iter().map(sort_keys).collect();
            // A field named again says nothing, and a typed list counts it.
            let mut met = HashSet::new();
            Some(keys?.into_iter().flatten().filter(|key| met.insert(key.field)).collect())
        }
        _ => Some(Vec::new()),
    }
}
