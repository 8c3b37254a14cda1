//! The page: the only step that fetches documents, and no more of them than the page holds.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::contract::{Columns, Document, Envelope, Page, Query};
use crate::index::{DocAddress, DocumentCache, Index, KeptDocument, decoded_len};
use crate::value::json::Json;

/// How many bytes come near at once.
const LINE: usize = 64;
/// How many bytes of a document are brought near before it is read: the processor sees by itself
/// what is read on and on.
const NEAR: usize = 4 << 10;

/// Fetches the documents at a page's addresses. Cost grows with their lengths.
pub(super) fn fetch(
    addresses: &[DocAddress],
    envelope: Envelope,
    query: &Query,
    index: &Index,
) -> Page {
    near(addresses.iter(), index);
    let selection = query.columns().map(Selection::new);
    let results = addresses.iter().map(|address| {
        let whole = get(*address, index);
        match &selection {
            None => whole,
            Some(selection) => {
                let mut json = String::new();
                selection.write(&whole.json, &mut json);
                Document { json: json.into(), ..whole }
            }
        }
    });
    envelope.fill(results.collect(), ignored(query, index), query)
}

/// Brings documents near, all at once: memory that is far is waited for together, and not for each
/// document by itself.
fn near<'a>(addresses: impl Iterator<Item = &'a DocAddress>, index: &Index) {
    let encoded: SmallVec<[&[u8]; 64]> =
        addresses.map(|address| index.segment(*address).encoded(address.slot())).collect();
    let lines = encoded.iter().flat_map(|encoded| encoded.iter().take(NEAR).step_by(LINE));
    std::hint::black_box(lines.fold(0, |sum, byte| sum ^ byte));
}

/// The same as a response body, without a copy of each document on the way: one allocation, as
/// long as the body. Documents that a cache keeps are not decoded, and others kept there.
pub(super) fn write(
    addresses: &[DocAddress],
    envelope: Envelope,
    query: &Query,
    index: &Index,
    cache: Option<&DocumentCache>,
) -> Vec<u8> {
    let documents = Documents::at(addresses, index, cache);
    let tail = envelope.tail(addresses.len(), query);
    let ends = Page::HEAD.len() + tail.len();
    let mut json = match query.columns() {
        None => {
            let mut json = Vec::with_capacity(ends + documents.length());
            json.extend_from_slice(Page::HEAD);
            for at in 0..addresses.len() {
                if at > 0 {
                    json.push(b',');
                }
                documents.write(at, &mut json);
            }
            json
        }
        Some(columns) => {
            let json = documents.selected(&Selection::new(columns));
            let mut body = Vec::with_capacity(ends + json.len());
            body.extend_from_slice(Page::HEAD);
            body.extend_from_slice(json.as_bytes());
            body
        }
    };
    json.extend_from_slice(tail.as_bytes());
    json
}

/// The documents of a page, near.
struct Documents<'a> {
    addresses: &'a [DocAddress],
    index: &'a Index,
    cache: Option<&'a DocumentCache>,
    /// Those that the cache has.
    kept: SmallVec<[Option<KeptDocument>; 64]>,
}

impl<'a> Documents<'a> {
    fn at(addresses: &'a [DocAddress], index: &'a Index, cache: Option<&'a DocumentCache>) -> Self {
        let kept = |own: &DocAddress| index.segment(*own).kept(own.slot(), cache);
        let kept: SmallVec<[_; 64]> = addresses.iter().map(kept).collect();
        let others = addresses.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
        near(others.map(|(address, _)| address), index);
        Self { addresses, index, cache, kept }
    }

    /// How many bytes they have, with a comma behind each.
    fn length(&self) -> usize {
        let lengths = self.addresses.iter().zip(&self.kept).map(|(address, kept)| match kept {
            Some(kept) => kept.json().len() + 1,
            None => decoded_len(self.index.segment(*address).encoded(address.slot())) + 1,
        });
        lengths.sum()
    }

    /// Appends one.
    fn write(&self, at: usize, json: &mut Vec<u8>) {
        if let Some(kept) = &self.kept[at] {
            return json.extend_from_slice(kept.json());
        }
        let (start, address) = (json.len(), self.addresses[at]);
        let segment = self.index.segment(address);
        segment.write_document(self.index.catalog(), address.slot(), json);
        segment.keep(address.slot(), &json[start..], self.cache);
    }

    /// Some columns of each, one document after the other.
    fn selected(&self, selection: &Selection<'_>) -> String {
        let (mut json, mut whole) = (String::new(), Vec::new());
        for at in 0..self.addresses.len() {
            if at > 0 {
                json.push(',');
            }
            whole.clear();
            self.write(at, &mut whole);
            // Every document was a text when it came.
            selection.write(std::str::from_utf8(&whole).unwrap_or_default(), &mut json);
        }
        json
    }
}

/// What the query named and nothing reads, unknown columns included. Cost grows with the names.
pub(super) fn ignored(query: &Query, index: &Index) -> Vec<String> {
    let columns = query.columns().map(Columns::names).unwrap_or_default();
    let mut ignored = query.ignored_keys().clone();
    for name in columns.iter().filter(|name| !index.has_column(name)) {
        ignored.push_column(name);
    }
    ignored.into_names()
}

/// The columns of a query, each found by one look.
struct Selection<'q> {
    names: HashSet<&'q str, RandomState>,
}

impl<'q> Selection<'q> {
    /// Those, and `_id`, which always stays.
    fn new(columns: &'q Columns) -> Self {
        let names = columns.names().iter().map(String::as_str);
        Self { names: names.chain(["_id"]).collect() }
    }

    /// Appends a document with the top-level keys that are selected, in its own order and spelling.
    fn write(&self, document: &str, into: &mut String) {
        let Ok(json) = Json::read(document.as_bytes()) else { return into.push_str(document) };
        let is_kept = |name: &str| self.names.contains(name);
        let members = json.root().members();
        let kept = members.filter(|(name, _)| is_kept(&name.text().unwrap_or_default()));
        into.push('{');
        for (at, (name, value)) in kept.enumerate() {
            if at > 0 {
                into.push(',');
            }
            into.extend([name.raw(), ":", value.raw()]);
        }
        into.push('}');
    }
}

/// One document, whole.
pub(crate) fn get(address: DocAddress, index: &Index) -> Document {
    Document {
        id: index.catalog().ids.id(address).into(),
        json: index.segment(address).document(index.catalog(), address.slot()),
    }
}
