//! Documents encoded: what repeats within a scope is kept once.
//!
//! Documents of one shape have the same keys in the same order, and the same value in most leaves.
//! A template keeps one of them, and which leaves differ in others. An encoded document is its
//! template and those leaves: objects and values that come again are entries of a dictionary, dates
//! and digits are numbers, and what is left are texts, compressed together. Decoding gives back
//! every byte. The format is a table in docs/documents.md.
//!
//! Useful for keeping many documents of few shapes, each fetched by itself in a few microseconds at
//! most. Not for documents that have nothing in common: those stay as long as they are. A [`Codec`]
//! only grows, and is read without waiting.

#[cfg(feature = "checkpoint")]
mod by_serde;
mod bytes;
mod decoder;
mod dictionaries;
mod doorkeeper;
mod encoder;
mod format;
mod leaves;
mod pool;
mod template;
mod templates;
mod texts;
mod value;
mod window;
mod zstd_dictionary;

use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;

use crate::index::collections::sized;
use bytes::{ByteReader, put};
use decoder::Decoder;
use dictionaries::Dictionaries;
use doorkeeper::Doorkeeper;
use encoder::{Buffers, Encoder};
use format::DocumentHead;
use leaves::Leaf;
use templates::Templates;
use texts::Texts;
pub(crate) use texts::free_contexts;

/// How many bytes of documents stay as they are before anything is shared: a scope of a case or two
/// takes no more than these.
const PLAIN_BYTES: u64 = sized(2 << 10, 256) as u64;

/// How many bytes templates may take, and which part of all bytes that were encoded besides: a
/// template is as long as a document.
const TEMPLATE_BYTES: u64 = sized(64 << 10, 4 << 10) as u64;
const TEMPLATE_PART: u64 = 8;

/// What the documents of a scope have in common.
#[derive(Debug, Default)]
pub(crate) struct Codec {
    /// How many bytes of documents were encoded.
    text: AtomicU64,
    hasher: RandomState,
    /// Nothing while documents stay as they are.
    shared: OnceBox<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    templates: Templates,
    /// Hashes of shapes that were seen once.
    shapes: Doorkeeper,
    dictionaries: Dictionaries,
    texts: Texts,
}

/// What encoding writes into by the way; one serves many documents.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Any text, for whoever needs one.
    pub(super) text: String,
    leaves: Vec<Leaf>,
    buffers: Buffers,
}

/// How long a document is that was encoded. Cost: a look at its first bytes.
pub(crate) fn decoded_len(encoded: &[u8]) -> usize {
    ByteReader::new(encoded).length()
}

impl Codec {
    /// Appends a document, encoded: no longer than it is, but for a few bytes. Cost grows with its
    /// length; values that come again are added to what all share.
    pub(crate) fn encode(
        &self,
        document: &str,
        id: &str,
        scratch: &mut Scratch,
        into: &mut Vec<u8>,
    ) {
        put(into, document.len() as u64);
        let start = into.len();
        self.put(document, id, scratch, into);
        if into.len() - start > document.len() {
            into.truncate(start);
            DocumentHead::Plain.put(into);
            into.extend_from_slice(document.as_bytes());
        }
    }

    /// Appends the head and what it says.
    fn put(&self, document: &str, id: &str, scratch: &mut Scratch, into: &mut Vec<u8>) {
        let document = document.as_bytes();
        let before = self.text.fetch_add(document.len() as u64, Ordering::Relaxed);
        let Scratch { leaves, buffers, .. } = scratch;
        if before < PLAIN_BYTES {
            DocumentHead::Plain.put(into);
            return into.extend_from_slice(document);
        }
        leaves::cut(document, leaves);
        let shape = leaves::shape(document, leaves, &self.hasher);
        let Shared { templates, shapes, dictionaries, texts } =
            self.shared.get_or_init(Box::default);
        let most = TEMPLATE_BYTES + before / TEMPLATE_PART;
        match templates.find_or_add(shape, document, leaves, most, shapes) {
            None => {
                DocumentHead::Text.put(into);
                texts.put(document, into);
            }
            Some(number) => {
                DocumentHead::Template(number).put(into);
                let mut encoder = Encoder::new(dictionaries, document, id, buffers);
                encoder.put_document(templates.get(number), leaves);
                texts.put(&buffers.texts, into);
                into.extend_from_slice(&buffers.leaves);
            }
        }
    }

    /// Appends a document that was encoded, under the id it was encoded with. Cost grows with its
    /// length.
    pub(crate) fn decode(&self, encoded: &[u8], id: &str, out: &mut Vec<u8>) {
        let mut encoded = ByteReader::new(encoded);
        let length = encoded.length();
        let head = DocumentHead::read(&mut encoded);
        let shared = self.shared.get().filter(|_| head != DocumentHead::Plain);
        let Some(Shared { templates, dictionaries, texts, .. }) = shared else {
            return out.extend_from_slice(encoded.bytes(length));
        };
        texts.read(encoded, length, |texts, rest| match head {
            DocumentHead::Template(number) => {
                let mut decoder = Decoder::new(dictionaries, rest, texts, id, out);
                decoder.write(templates.get(number));
            }
            DocumentHead::Text | DocumentHead::Plain => out.extend_from_slice(texts),
        });
    }

    /// About how many bytes what all documents share takes. Cost: none that grows.
    pub(super) fn value_bytes(&self) -> usize {
        self.shared
            .get()
            .map_or(0, |shared| shared.templates.bytes() + shared.dictionaries.values.value_bytes())
    }

    /// How many values all documents share.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.shared
            .get()
            .map_or(0, |shared| shared.templates.len() + shared.dictionaries.values.len())
    }

    /// How many bytes all documents share.
    pub(super) fn bytes(&self) -> usize {
        self.shared.get().map_or(0, |shared| {
            let Shared { templates, shapes, dictionaries, texts } = shared;
            let Dictionaries { values, seen } = dictionaries;
            let dictionaries = values.bytes() + seen.bytes() + texts.bytes();
            size_of::<Shared>() + templates.bytes() + shapes.bytes() + dictionaries
        })
    }
}

#[cfg(test)]
mod tests;
