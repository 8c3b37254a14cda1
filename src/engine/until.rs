//! A snapshot whose questions have a deadline.

use std::fmt;
use std::time::Instant;

use super::snapshot::Snapshot;
use crate::contract::{Context, Hits, Page, Query, Response};
use crate::index::DocumentCache;
use crate::query::{DeadlinePassed, Explain};
use crate::refusal::Refusal;

/// Answers a snapshot's questions until a deadline; what
/// [`Snapshot::until`](crate::Snapshot::until) gives.
///
/// Useful for a host that has promised an answer in time, where a question may be long: a text that
/// nearly everything holds beside narrow filters, or a filter of hundreds of nodes, of millions of
/// cases. Not for making questions faster. The clock is looked at once a segment of 65,536 cases
/// and once for each part of a filter there, while slots are tested one by one, and while a page is
/// merged: a question is given up within some milliseconds. Fetching the page's documents is not
/// cut short.
pub struct Until<'s> {
    snapshot: &'s Snapshot,
    deadline: Instant,
    cache: Option<&'s DocumentCache>,
}

impl<'s> Until<'s> {
    pub(super) fn new(snapshot: &'s Snapshot, deadline: Instant) -> Self {
        Self { snapshot, deadline, cache: None }
    }

    /// The same, where documents of a body's page that a cache keeps are not decoded again, and
    /// others are kept there.
    #[cfg(feature = "document-cache")]
    #[must_use]
    pub fn caching(self, cache: &'s DocumentCache) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// As [`Snapshot::search`](crate::Snapshot::search).
    ///
    /// # Errors
    /// [`DeadlinePassed`] where it could not be answered in time.
    pub fn search(&self, query: &Query) -> Result<Page, DeadlinePassed> {
        let own = self.snapshot.named(query);
        let found = own.found_until(query, self.deadline)?;
        Ok(found.page(own.next_cursor(&found, query)))
    }

    /// As [`Snapshot::search_ids`](crate::Snapshot::search_ids).
    ///
    /// # Errors
    /// [`DeadlinePassed`] where it could not be answered in time.
    pub fn search_ids(&self, query: &Query) -> Result<Hits<'s>, DeadlinePassed> {
        let found = self.snapshot.found_until(query, self.deadline)?;
        Ok(found.hits(self.snapshot.next_cursor(&found, query)))
    }

    /// As [`Snapshot::search_json`](crate::Snapshot::search_json).
    ///
    /// # Errors
    /// Every problem of the body and its context at once, or `too_slow` where it could not be
    /// answered in time.
    pub fn search_json(&self, body: &[u8], context: &Context) -> Result<Response, Refusal> {
        let query = self.snapshot.query_json(body, context)?;
        let own = self.snapshot.named(&query);
        let found = own.found_until(&query, self.deadline)?;
        Ok(found.response(own.next_cursor(&found, &query), self.cache))
    }

    /// As [`Snapshot::explain`](crate::Snapshot::explain).
    ///
    /// # Errors
    /// [`DeadlinePassed`] where it could not be told in time.
    pub fn explain(&self, query: &Query) -> Result<Explain, DeadlinePassed> {
        self.snapshot.explained_until(query, self.deadline)
    }
}

impl fmt::Debug for Until<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { snapshot, deadline, .. } = self;
        f.debug_struct("Until")
            .field("snapshot", snapshot)
            .field("deadline", deadline)
            .finish_non_exhaustive()
    }
}
