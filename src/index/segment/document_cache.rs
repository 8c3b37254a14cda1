//! Documents as they were written before, for whoever asks for them again.

use std::fmt;
use std::sync::{Arc, Weak};

use foldhash::fast::RandomState;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::documents::Block;

/// How long a document may be to be kept: of longer ones the copying is what takes time.
const LONGEST: usize = 1 << 16;
/// What an entry takes besides its document, in bytes, about.
const ENTRY: u64 = 192;
/// How long documents are, about: for how many entries room is made at once.
const EXPECTED: u64 = 2048;

/// Documents that were written before, as JSON, so that they need not be decoded again: those of
/// pages that are asked for again and again, up to so many bytes.
///
/// Useful for a host that answers the same lists all day by
/// [`Until::search_json`](crate::Until::search_json), whatever scopes and engines these are of: a
/// page of 50 is mostly decoding. Not for pages that are asked once. It never changes an answer: an
/// entry is of one document as it was encoded once, and a document that is written anew is another
/// one. What is replaced, deleted or dropped stays in memory until something else takes its room,
/// though nobody is given it.
pub struct DocumentCache(Cache<Key, KeptDocument, Weights, RandomState>);

/// A block by its address, and a place in it. The entry keeps the address from being given to
/// another block.
type Key = (usize, usize);

/// A document that is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptDocument(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    _block: Weak<Block>,
    json: Box<[u8]>,
}

#[derive(Clone, Debug)]
struct Weights;

impl Weighter<Key, KeptDocument> for Weights {
    fn weight(&self, _: &Key, document: &KeptDocument) -> u64 {
        document.json().len() as u64 + ENTRY
    }
}

impl KeptDocument {
    pub(crate) fn json(&self) -> &[u8] {
        &self.0.json
    }
}

impl DocumentCache {
    /// One that keeps about so many bytes; of 0, none.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / EXPECTED).unwrap_or(usize::MAX);
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        Self(Cache::with(entries, bytes, Weights, hasher, lifecycle))
    }

    /// Has it keep another number of bytes.
    pub fn set_capacity(&self, bytes: u64) {
        self.0.set_capacity(bytes);
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.weight()
    }

    pub(super) fn get(&self, block: &Arc<Block>, at: usize) -> Option<KeptDocument> {
        self.0.get(&(Arc::as_ptr(block).addr(), at))
    }

    pub(super) fn keep(&self, block: &Arc<Block>, at: usize, json: &[u8]) {
        if json.len() <= LONGEST && self.0.capacity() > 0 {
            let kept = Kept { _block: Arc::downgrade(block), json: json.into() };
            self.0.insert((Arc::as_ptr(block).addr(), at), KeptDocument(Arc::new(kept)));
        }
    }
}

impl fmt::Debug for DocumentCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, bytes) = (self.0.len(), self.bytes());
        f.debug_struct("DocumentCache")
            .field("entries", &entries)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Engine, Scope};

    fn later() -> std::time::Instant {
        std::time::Instant::now() + std::time::Duration::from_secs(600)
    }

    /// Whatever was written, deleted, dropped or built anew, and whoever asks: what is kept is never
    /// given in the place of what is there.
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
        let (first, misses) = (ask(&cache), cache.0.len());
        let second = ask(&cache);
        assert_eq!((misses, cache.0.len(), first.json), (9, 9, second.json));
        ask(&none);
        assert_eq!(none.0.len(), 0);
        cache.set_capacity(0);
        ask(&cache);
        assert_eq!(cache.0.len(), 0);
    }
}
