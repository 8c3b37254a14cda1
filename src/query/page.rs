//! The page: the only step that fetches documents, and no more of them than the page holds.

use smallvec::SmallVec;

use crate::contract::{Columns, Document, Envelope, Page, Query};
use crate::index::{Index, Out, Place};
use crate::value::json::Json;

/// How many bytes come near at once.
const LINE: usize = 64;

/// Fetches the documents of a page's places. Cost grows with their lengths.
pub(super) fn fetch(places: &[Place], total: u64, query: &Query, index: &Index) -> Page {
    near(places, index);
    let results = places.iter().map(|place| document(*place, query, index)).collect();
    Envelope::new(query, total).fill(results, ignored(query, index), query)
}

/// Brings documents near, all at once: memory that is far is waited for together, and not for each
/// document by itself.
fn near(places: &[Place], index: &Index) {
    let packed: SmallVec<[&[u8]; 64]> =
        places.iter().map(|place| index.segment(*place).packed(place.slot())).collect();
    let lines = packed.iter().flat_map(|packed| packed.iter().step_by(LINE));
    std::hint::black_box(lines.fold(0, |sum, byte| sum ^ byte));
}

/// The same as a response body, without a copy of each document on the way.
pub(super) fn write(places: &[Place], total: u64, query: &Query, index: &Index) -> Vec<u8> {
    near(places, index);
    let mut json = Vec::new();
    let mut out = Out::after(&mut json);
    out.extend(Page::HEAD);
    for (at, place) in places.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match query.columns() {
            None => index.segment(*place).write_document(index.catalog(), place.slot(), &mut out),
            Some(_) => out.extend(document(*place, query, index).json.as_bytes()),
        }
        if at == 0 {
            // Documents of one scope are about as long as one another.
            out.reserve(places.len());
        }
    }
    out.extend(Envelope::new(query, total).tail(places.len(), query).as_bytes());
    out.finish();
    json
}

/// What the query named and nothing reads, unknown columns included.
pub(super) fn ignored(query: &Query, index: &Index) -> Vec<String> {
    let columns = query.columns().map(Columns::names).unwrap_or_default();
    let mut ignored = query.ignored_keys().clone();
    for name in columns.iter().filter(|name| !index.has_column(name)) {
        ignored.push_column(name);
    }
    ignored.into_names()
}

fn document(place: Place, query: &Query, index: &Index) -> Document {
    let document = index.segment(place).document(index.catalog(), place.slot());
    let json = match query.columns() {
        None => document,
        Some(columns) => select(&document, columns),
    };
    Document { id: index.catalog().ids.id(place).into(), json }
}

/// A document with some of its top-level keys, in its own order and spelling.
fn select(document: &str, columns: &Columns) -> Box<str> {
    let Ok(json) = Json::read(document.as_bytes()) else { return document.into() };
    let kept =
        json.root().members().filter(|(name, _)| columns.keeps(&name.text().unwrap_or_default()));
    let members: Vec<_> =
        kept.map(|(name, value)| format!("{}:{}", name.raw(), value.raw())).collect();
    format!("{{{}}}", members.join(",")).into()
}

/// One document, whole.
pub(crate) fn get(place: Place, index: &Index) -> Document {
    Document {
        id: index.catalog().ids.id(place).into(),
        json: index.segment(place).document(index.catalog(), place.slot()),
    }
}
