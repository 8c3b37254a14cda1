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

    /// How many documents it keeps.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.0.len()
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
        let (documents, bytes) = (self.documents(), self.bytes());
        f.debug_struct("DocumentCache")
            .field("documents", &documents)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}
