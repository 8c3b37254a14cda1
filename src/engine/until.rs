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

#[cfg(all(test, feature = "document-cache"))]
mod tests {
    use super::*;
    use crate::engine::{Engine, Scope};

    fn later() -> std::time::Instant {
        std::time::Instant::now() + std::time::Duration::from_secs(600)
    }

    /// Whatever was written, deleted, dropped or built anew, and whoever asks: what is kept is
    /// never given in the place of what is there.
    #[test]
    fn answers_are_the_same_with_and_without() {
        // Little room, so that documents come and go.
        let (engine, cache) = (Engine::new(), DocumentCache::new(1 << 15));
        let scopes = ["s", "t"].map(|stream| Scope::new("a", stream));
        let bodies = [
            r#"{"limit":40,"sortBy":"_id"}"#,
            r#"{"limit":7,"skip":3,"selectedColumns":["round"]}"#,
            r#"{"searchText":"five","limit":100}"#,
        ];
        let compare = |scope: &Scope| {
            let (snapshot, context) = (engine.snapshot(scope), Context::default());
            for body in bodies {
                let plain = snapshot.search_json(body.as_bytes(), &context).unwrap().json;
                for _ in 0..3 {
                    let asked = snapshot.until(later()).caching(&cache);
                    let kept = asked.search_json(body.as_bytes(), &context).unwrap().json;
                    assert_eq!(String::from_utf8_lossy(&kept), String::from_utf8_lossy(&plain));
                }
            }
        };
        for round in 0..60_u32 {
            for (at, scope) in scopes.iter().enumerate() {
                let case = |number: u32| {
                    format!(r#"{{"_id":"{number}","name":"five {at}","round":"{round} {at}"}}"#)
                };
                let some = (0..50).filter(|own| (own * 7 + round).is_multiple_of(5));
                engine
                    .write(|batch| {
                        batch.delete(scope, &(round % 50).to_string());
                        some.clone().try_for_each(|own| batch.upsert(scope, case(own)))
                    })
                    .unwrap();
                compare(scope);
            }
            match round % 20 {
                9 => _ = engine.drop_scope(&scopes[0]),
                14 => _ = engine.maintain(usize::MAX),
                _ => {}
            }
            assert!(cache.bytes() <= 1 << 15, "{}", cache.bytes());
        }
        assert!(cache.bytes() > 1 << 12, "{}", cache.bytes());
    }

    /// What is kept is given: a page that is asked again decodes nothing.
    #[test]
    fn a_document_is_decoded_once() {
        let (engine, scope) = (Engine::new(), Scope::new("a", "s"));
        let case = |number: u32| format!(r#"{{"_id":"{number}"}}"#);
        engine.write(|batch| (0..9).try_for_each(|own| batch.upsert(&scope, case(own)))).unwrap();
        let (cache, none) = (DocumentCache::new(1 << 20), DocumentCache::new(0));
        let snapshot = engine.snapshot(&scope);
        let asked = |cache| snapshot.until(later()).caching(cache);
        let ask = |cache| asked(cache).search_json(b"", &Context::default()).unwrap();
        let (first, misses) = (ask(&cache), cache.documents());
        let second = ask(&cache);
        assert_eq!((misses, cache.documents(), first.json), (9, 9, second.json));
        ask(&none);
        assert_eq!(none.documents(), 0);
        cache.set_capacity(0);
        ask(&cache);
        assert_eq!(cache.documents(), 0);
    }
}
