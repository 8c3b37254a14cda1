//! One scope at one instant: where queries are asked.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::batch::Batch;
use super::cell::Held;
use super::cursors::Cursors;
use super::edits::{self, Edit, Edited};
use super::journal::{Changes, ChangesError};
use super::publish;
use super::scope::Scope;
use super::until::Until;
use crate::case::Version;
use crate::contract::{
    Context, Document, Hits, Page, Position, Query, Request, Response, Sealer, ValueField,
};
use crate::index::{Bytes, Index};
use crate::query::{self, Cases, DeadlinePassed, Explain, Found, Values};
use crate::refusal::Refusal;

/// What one scope held when the snapshot was taken. It never changes, and is cheap to clone.
///
/// ```
/// use getcases::{Context, Engine, Query, Scope};
///
/// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
/// engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1","status":"open"}"#))?;
/// let snapshot = engine.snapshot(&desk);
/// engine.drop_scope(&desk);
/// let query = Query::from_json(br#"{"status":"OPEN"}"#, &Context::default())?;
/// let page = snapshot.search(&query);
/// assert_eq!(page.results[0].json(), r#"{"_id":"1","status":"open"}"#);
/// assert_eq!(snapshot.search_ids(&query).ids, ["1"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// While it is there, so is all that it holds: of what writers changed since both, and of a scope
/// that was dropped or built anew since the whole. So take one a request, and keep it no longer.
/// Whoever drops the last one of an old state waits for nothing: what is much is freed aside.
#[derive(Clone)]
pub struct Snapshot {
    held: Arc<Held>,
    generation: u64,
    scope: Scope,
    cursors: Arc<Cursors>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("cases", &self.len())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(super) fn new(held: Arc<Held>, scope: &Scope, cursors: &Arc<Cursors>) -> Self {
        let generation = held.generation();
        Self { held, generation, scope: scope.clone(), cursors: Arc::clone(cursors) }
    }

    /// Of a scope that is not there.
    pub(super) fn nothing(generation: u64, scope: &Scope, cursors: &Arc<Cursors>) -> Self {
        Self { generation, ..Self::new(Held::nothing(), scope, cursors) }
    }

    pub(super) fn index(&self) -> &Index {
        self.held.index()
    }

    /// Which state of the scope it is: one more with each batch that changed something, the same
    /// through upkeep, and one more when the scope is dropped. Of one scope it never falls while
    /// the engine lives, so an answer that was kept with it is good as long as it is the same.
    ///
    /// A batch is seen in every snapshot whose generation is at least that of
    /// [`Written::generation`](crate::Written::generation). A scope that begins goes on from the
    /// greatest generation of all that were dropped.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index().len() as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One case by its `_id`. Cost: a look-up.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Document> {
        Some(query::get(self.index().find(id)?, self.index()))
    }

    /// Whose cases they are.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Which version of a case is there. Cost: that of [`Snapshot::get`].
    #[must_use]
    pub fn version(&self, id: &str) -> Option<Version> {
        publish::version(self.index(), id)
    }

    /// A batch that does what edits do to these cases, and is written only while they are as they
    /// are here, with what becomes of each edit then. For a host that writes batches by its own
    /// means; others call [`Engine::edit`](crate::Engine::edit). Where the batch is
    /// [`WriteError::Unmet`](crate::WriteError::Unmet), it is staged anew on another snapshot.
    #[must_use]
    pub fn stage(&self, edits: &[Edit]) -> (Batch<'static>, Vec<Edited>) {
        edits::stage(self, edits)
    }

    /// Many cases by their `_id`s, in their order; nothing for one that is not there. Cost: a
    /// look-up each.
    #[must_use]
    pub fn get_many<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Vec<Option<Document>> {
        ids.into_iter().map(|id| self.get(id)).collect()
    }

    /// Every case, in the order of `_id`s, byte by byte. Cost: a look into each segment of 65,536
    /// cases, and the documents that are taken; the order is there already. Useful for going
    /// through all cases in parts, as the next does; where order does not matter,
    /// [`Snapshot::documents`] takes about half the time.
    #[must_use]
    pub fn cases(&self) -> Cases<'_> {
        Cases::new(self.index(), "")
    }

    /// Every case behind an `_id`, in the same order, whether or not there is one with that `_id`.
    /// On a later snapshot it goes on too: what was there all the time comes once.
    ///
    /// ```
    /// # use getcases::{Engine, Scope};
    /// # let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// # let case = |n: u32| format!(r#"{{"_id":"{n}"}}"#);
    /// # engine.write(|batch| (0..9).try_for_each(|n| batch.upsert(&desk, case(n))))?;
    /// let (mut last, mut copied) = (String::new(), 0);
    /// loop {
    ///     let snapshot = engine.snapshot(&desk);
    ///     let part: Vec<_> = snapshot.cases_after(&last).take(4).collect();
    ///     let Some(end) = part.last() else { break };
    ///     copied += part.len();
    ///     last = end.id().to_owned();
    /// }
    /// assert_eq!(copied, 9);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cases_after(&self, id: &str) -> Cases<'_> {
        Cases::new(self.index(), id)
    }

    /// Every case, about in the order of arrival. Cost: the documents that are taken.
    pub fn documents(&self) -> impl Iterator<Item = Document> {
        let index = self.index();
        index.addresses().map(|address| query::get(address, index))
    }

    /// Which cases changed between a generation and this snapshot: what a copy of that generation
    /// needs to become one of this. Each `_id` is there once, whatever happened to it since; one
    /// that came and went is among the deleted. Cost: the changes since.
    ///
    /// ```
    /// # use getcases::{Engine, Refusal, Scope};
    /// # let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// let seen = engine.snapshot(&desk).generation();
    /// engine.write(|batch| {
    ///     batch.upsert(&desk, r#"{"_id":"1"}"#)?;
    ///     batch.upsert(&desk, r#"{"_id":"2"}"#)
    /// })?;
    /// engine.write(|batch| Ok::<_, Refusal>(batch.delete(&desk, "1")))?;
    /// let changes = engine.snapshot(&desk).changes_since(seen)?;
    /// assert_eq!((changes.upserted, changes.deleted), (vec!["2".into()], vec!["1".into()]));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ChangesError::TooOld`] where that is not known any more
    /// ([`EngineBuilder::changes_kept`](crate::EngineBuilder::changes_kept)), or the scope was
    /// dropped since.
    pub fn changes_since(&self, generation: u64) -> Result<Changes, ChangesError> {
        let own = self.generation;
        match generation.cmp(&own) {
            Ordering::Greater => Err(ChangesError::NotYet { generation: own }),
            Ordering::Equal => {
                Ok(Changes { generation: own, upserted: Vec::new(), deleted: Vec::new() })
            }
            // A scope that is not there has the generation of those that were dropped.
            Ordering::Less if own != self.held.generation() => {
                Err(ChangesError::TooOld { oldest: own })
            }
            Ordering::Less => self.held.journal().changes(generation, own, self.index()),
        }
    }

    /// The values that live cases have in a field, with exact counts: the most frequent first, then
    /// by key.
    ///
    /// A value is shown by its name, else its lname or its id, and values that have the same key
    /// are one; each count is what a filter by that key finds, so a case of two queues counts for
    /// both.
    /// Cost: the values and the segments, but not the cases; a document for each value that is
    /// taken from the iterator.
    ///
    /// ```
    /// use getcases::{Engine, Scope, ValueField};
    ///
    /// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// engine.write(|batch| {
    ///     batch.upsert(&desk, r#"{"_id":"1","status":"Open","currAssignee":"Ann"}"#)?;
    ///     batch.upsert(&desk, r#"{"_id":"2","status":"Closed"}"#)?;
    ///     batch.upsert(&desk, r#"{"_id":"3","status":"OPEN"}"#)
    /// })?;
    /// let snapshot = engine.snapshot(&desk);
    /// let statuses: Vec<_> = snapshot.values(ValueField::Status).collect();
    /// assert_eq!((&*statuses[0].key, statuses[0].count), ("open", 2));
    /// assert_eq!((&*statuses[1].shown, statuses[1].count), ("Closed", 1));
    /// assert_eq!(snapshot.values(ValueField::Assignee).missing(), 2);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn values(&self, field: ValueField) -> Values<'_> {
        Values::new(self.index(), field)
    }

    /// About how many values [`Snapshot::values`] would go through: those that no case has any more
    /// count until upkeep has built the scope anew, a value may have several names, and of
    /// categories as many are told as of statuses. Costs nothing that grows.
    ///
    /// Useful for a host that lists the values of a field only where these are few.
    #[must_use]
    pub fn values_about(&self, field: ValueField) -> usize {
        Values::about(self.index(), field)
    }

    /// The page of a query: its documents, and the exact total. Cost: microseconds where counts,
    /// lists and orders say enough, hardly growing with the cases; and the copying of the page's
    /// documents.
    ///
    /// Useful for a program that looks at documents. Not for one that only passes them on:
    /// [`Snapshot::search_json`] copies them once.
    ///
    /// A query with a cursor is answered by [`Snapshot::resumed`].
    #[must_use]
    pub fn search(&self, query: &Query) -> Page {
        let own = self.named(query);
        let found = query::find(own.index(), query, own.held.pool());
        found.page(own.next_cursor(&found, query))
    }

    /// The `_id`s of a query's page, and the exact total. Cost: that of [`Snapshot::search`],
    /// without the documents. Always of this snapshot: for the one that a cursor names, ask
    /// [`Snapshot::resumed`].
    #[must_use]
    pub fn search_ids(&self, query: &Query) -> Hits<'_> {
        let found = query::find(self.index(), query, self.held.pool());
        found.hits(self.next_cursor(&found, query))
    }

    /// Answers a request's body with a response's body, which is written straight from the index.
    /// A page of a body is `snapshot.search(&Query::from_json(body, context)?)`.
    ///
    /// # Errors
    /// Every problem of the body and its context at once; [`Refusal::to_json`] is the body then.
    pub fn search_json(&self, body: &[u8], context: &Context) -> Result<Response, Refusal> {
        let query = self.query_json(body, context)?;
        let own = self.named(&query);
        let found = query::find(own.index(), &query, own.held.pool());
        Ok(found.response(own.next_cursor(&found, &query), None))
    }

    /// As [`Query::new`], for a request with the text of a cursor too: it must come from a page of
    /// the same question that this scope gave, of this engine or another with its key.
    ///
    /// ```
    /// use getcases::{Context, Cursor, Engine, Request, Scope};
    ///
    /// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
    /// let case = |n: u32| format!(r#"{{"_id":"{n}"}}"#);
    /// engine.write(|batch| (0..9).try_for_each(|n| batch.upsert(&desk, case(n))))?;
    /// let mut request = Request { limit: Some(4), ..Request::default() };
    /// let (mut next, mut found) = (Some(Cursor::First), Vec::new());
    /// while let Some(cursor) = next {
    ///     request.cursor = Some(cursor);
    ///     let snapshot = engine.snapshot(&desk);
    ///     let page = snapshot.search(&snapshot.query(&request, &Context::default())?);
    ///     found.extend(page.results);
    ///     next = page.next_cursor.map(Cursor::After);
    ///     // The pages are of the first one's snapshot.
    ///     engine.write(|batch| Ok::<_, getcases::Refusal>(batch.delete(&desk, "8")))?;
    /// }
    /// assert_eq!(found.len(), 9);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every problem of the request and its context at once.
    pub fn query(&self, request: &Request, context: &Context) -> Result<Query, Refusal> {
        self.spelled_out(Query::read(request, context, Some(self.sealer()))?)
    }

    /// As [`Query::from_json`], for a body with the text of a cursor too.
    ///
    /// # Errors
    /// Every problem of the body and its context at once.
    pub fn query_json(&self, body: &[u8], context: &Context) -> Result<Query, Refusal> {
        self.spelled_out(Query::read_json(body, context, Some(self.sealer()))?)
    }

    /// The snapshot that a query's cursor names, while it is kept, so that its pages are parts of
    /// one result; else, and of a query without a cursor, this one.
    #[must_use]
    pub fn resumed(&self, query: &Query) -> Self {
        self.named(query).into_owned()
    }

    /// As [`Snapshot::resumed`], and without a count of references where it is this one.
    pub(super) fn named(&self, query: &Query) -> Cow<'_, Self> {
        let named = query.position().and_then(|position| position.generation);
        let other = named.filter(|&named| named != self.generation);
        match other.and_then(|named| self.cursors.find(&self.scope, named)) {
            Some(held) => Cow::Owned(Self::new(held, &self.scope, &self.cursors)),
            None => Cow::Borrowed(self),
        }
    }

    fn sealer(&self) -> Sealer<'_> {
        let (account, stream) = (self.scope.account(), self.scope.stream());
        let (key, engine) = (self.cursors.key(), self.cursors.engine());
        Sealer { key, engine, account, stream }
    }

    /// Reads what is too long for a cursor from the case that it ends at.
    fn spelled_out(&self, mut query: Query) -> Result<Query, Refusal> {
        if query.position().is_none_or(|position| !position.has_digest())
            || query::spell_out(self.named(&query).index(), &mut query)
        {
            return Ok(query);
        }
        Err(query.invalid_cursor())
    }

    /// What asks for the page after one that was found here.
    pub(super) fn next_cursor(&self, found: &Found<'_, '_>, query: &Query) -> Option<String> {
        let next = found.next()?;
        self.cursors.keep(&self.scope, &self.held);
        let position = Position { generation: Some(self.generation), ..next.clone() };
        Some(self.sealer().seal(query, &position))
    }

    /// The same questions with a deadline, after which they are given up.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use getcases::{Context, Engine, Scope};
    ///
    /// let snapshot = Engine::new().snapshot(&Scope::new("account", "stream"));
    /// let soon = Instant::now() + Duration::from_millis(50);
    /// let response = snapshot.until(soon).search_json(b"{}", &Context::default())?;
    /// assert_eq!(response.total_results, 0);
    /// let refusal = snapshot.until(Instant::now()).search_json(b"{}", &Context::default());
    /// assert_eq!(refusal.unwrap_err().http_status(), 503);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Until<'_> {
        Until::new(self, deadline)
    }

    pub(super) fn found_until<'s, 'q>(
        &'s self,
        query: &'q Query,
        deadline: Instant,
    ) -> Result<Found<'s, 'q>, DeadlinePassed> {
        query::find_until(self.index(), query, self.held.pool(), deadline)
    }

    pub(super) fn explained_until(
        &self,
        query: &Query,
        deadline: Instant,
    ) -> Result<Explain, DeadlinePassed> {
        let own = self.named(query);
        query::explain_until(own.index(), query, own.held.pool(), deadline)
    }

    /// Tells how a query is understood and answered, with the real numbers. Cost: the query, and
    /// each of its clauses and of its filter's nodes by itself.
    #[must_use]
    pub fn explain(&self, query: &Query) -> Explain {
        let own = self.named(query);
        query::explain(own.index(), query, own.held.pool())
    }

    /// About how many bytes each part takes, as counted when they were written. Cost: none that
    /// grows, and no memory: a host may ask again and again.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Bytes { ids, documents, text, columns, postings, orders, signatures } =
            self.index().bytes();
        let cases = self.index().len();
        Stats { cases, ids, documents, text, columns, postings, orders, signatures }
    }

    /// Checks every structure of the index against the cases. Cost grows with them: seconds for a
    /// million. For tests, and for whoever doubts their memory.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), Corrupt> {
        self.index().validate().map_err(Corrupt)
    }
}

/// What a scope takes in memory, in bytes, about: what allocators add is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stats {
    /// How many live cases there are.
    pub cases: u64,
    /// `_id`s and the way from them to addresses.
    pub ids: usize,
    /// The documents.
    pub documents: usize,
    /// Names, titles, words, and which cases have which words.
    pub text: usize,
    /// Dates and ordinals by address, and the dictionaries that are in none of the other parts.
    pub columns: usize,
    /// Lists of cases by queue, assignee and signature.
    pub postings: usize,
    /// Cases in the order of each field.
    pub orders: usize,
    /// Signatures and their counts.
    pub signatures: usize,
}

impl Stats {
    /// The sum of all parts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Self { cases: _, ids, documents, text, columns, postings, orders, signatures } = self;
        ids + documents + text + columns + postings + orders + signatures
    }
}

/// An index that contradicts itself: a defect of this library, or of the machine's memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the index is corrupt: {0}")]
pub struct Corrupt(String);
