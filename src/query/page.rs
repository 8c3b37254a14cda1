//! The page: the only step that fetches documents, and no more of them than the page holds.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::contract::{Columns, Document, Envelope, Page, Query};
use crate::index::{DocAddress, Index, decoded_len};
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
    near(addresses, index);
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
fn near(addresses: &[DocAddress], index: &Index) {
    let encoded: SmallVec<[&[u8]; 64]> =
        addresses.iter().map(|address| index.segment(*address).encoded(address.slot())).collect();
    let lines = encoded.iter().flat_map(|encoded| encoded.iter().take(NEAR).step_by(LINE));
    std::hint::black_box(lines.fold(0, |sum, byte| sum ^ byte));
}

/// The same as a response body, without a copy of each document on the way: one allocation, as
/// long as the body.
pub(super) fn write(
    addresses: &[DocAddress],
    envelope: Envelope,
    query: &Query,
    index: &Index,
) -> Vec<u8> {
    near(addresses, index);
    let tail = envelope.tail(addresses.len(), query);
    let ends = Page::HEAD.len() + tail.len();
    let mut json = match query.columns() {
        None => {
            let length =
                |address: &DocAddress| decoded_len(index.segment(*address).encoded(address.slot()));
            let documents: usize = addresses.iter().map(|address| length(address) + 1).sum();
            let mut json = Vec::with_capacity(ends + documents);
            json.extend_from_slice(Page::HEAD);
            for (at, address) in addresses.iter().enumerate() {
                if at > 0 {
                    json.push(b',');
                }
                index.segment(*address).write_document(index.catalog(), address.slot(), &mut json);
            }
            json
        }
        Some(columns) => {
            let json = selected(addresses, &Selection::new(columns), index);
            let mut body = Vec::with_capacity(ends + json.len());
            body.extend_from_slice(Page::HEAD);
            body.extend_from_slice(json.as_bytes());
            body
        }
    };
    json.extend_from_slice(tail.as_bytes());
    json
}

/// Some columns of a page's documents, one document after the other.
fn selected(addresses: &[DocAddress], selection: &Selection<'_>, index: &Index) -> String {
    let mut json = String::new();
    for (at, address) in addresses.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        let whole = index.segment(*address).document(index.catalog(), address.slot());
        selection.write(&whole, &mut json);
    }
    json
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
