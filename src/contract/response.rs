//! What comes back: a page of documents and the exact totals.
//!
//! Rules: docs/contract.md, *Response*.

use std::fmt;

use super::paging::Paging;
use super::query::Query;
use crate::value::shown::cut;

/// One result: its `_id` and its JSON text, which is what it shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    pub(crate) id: Box<str>,
    pub(crate) json: Box<str>,
}

impl Document {
    /// The `_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The stored document's text, less insignificant white space; with selected columns, those
    /// only.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The same text, without a copy.
    #[must_use]
    pub fn into_json(self) -> String {
        self.json.into()
    }
}

impl AsRef<str> for Document {
    fn as_ref(&self) -> &str {
        &self.json
    }
}

impl AsRef<[u8]> for Document {
    fn as_ref(&self) -> &[u8] {
        self.json.as_bytes()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, bytes) = (cut(&*self.id), self.json.len());
        f.debug_struct("Document").field("id", &id).field("bytes", &bytes).finish()
    }
}

/// The ids of a page, and the exact total: what a query finds, without the documents.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub struct Hits<'s> {
    /// The `_id`s of the page's cases, in the asked order.
    pub ids: Vec<&'s str>,
    /// How many cases match; always exact.
    pub total_results: u64,
    /// As [`Page::next_cursor`].
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub next_cursor: Option<String>,
}

impl fmt::Debug for Hits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ids, total_results, next_cursor } = self;
        f.debug_struct("Hits")
            .field("ids", &ids.len())
            .field("total_results", total_results)
            .field("has_next_cursor", &next_cursor.is_some())
            .finish()
    }
}

/// A page of results, and the figures around it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The cases, in the asked order.
    pub results: Vec<Document>,
    /// The page's number, from 1.
    pub page: u64,
    /// How many cases a page has.
    pub limit: u64,
    /// Whether cases come after this page.
    pub has_more: bool,
    /// How many pages there are; 0 where `limit` is 0.
    pub total_pages: u64,
    /// How many cases match; always exact.
    pub total_results: u64,
    /// What asks for the next page, where a cursor was asked for and cases come after this page.
    pub next_cursor: Option<String>,
    /// What the request named and nothing reads: unknown keys, then `selectedColumns.NAME` for
    /// columns that no case of the scope has.
    pub ignored: Vec<String>,
    /// What `limit` was lowered to, if it was.
    pub lowered_limit: Option<u64>,
}

impl Page {
    /// The response body. Cost grows with the documents' lengths.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let tail = self.tail();
        let length: usize = self.results.iter().map(|document| document.json.len() + 1).sum();
        let mut json = Vec::with_capacity(Self::HEAD.len() + length + tail.len());
        json.extend_from_slice(Self::HEAD);
        for (index, document) in self.results.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(document.json.as_bytes());
        }
        json.extend_from_slice(tail.as_bytes());
        json
    }

    /// What stands before the documents in a response body.
    pub(crate) const HEAD: &'static [u8] = b"{\"results\":[";

    /// What stands after them.
    fn tail(&self) -> String {
        let Self { page, limit, has_more, total_pages, total_results, next_cursor, .. } = self;
        // Nothing in a cursor needs an escape.
        let next = next_cursor.as_ref().map(|text| format!(",\"nextCursor\":\"{text}\""));
        let next = next.unwrap_or_default();
        format!(
            "],\"page\":{page},\"limit\":{limit},\"hasMore\":{has_more},\
             \"totalPages\":{total_pages},\"totalResults\":{total_results}{next}}}"
        )
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, limit, has_more, total_pages, total_results, lowered_limit, .. } = self;
        f.debug_struct("Page")
            .field("results", &self.results.len())
            .field("page", page)
            .field("limit", limit)
            .field("has_more", has_more)
            .field("total_pages", total_pages)
            .field("total_results", total_results)
            .field("has_next_cursor", &self.next_cursor.is_some())
            .field("ignored", &self.ignored.len())
            .field("lowered_limit", lowered_limit)
            .finish()
    }
}

/// A response body, and what is not in it: what a host may put into headers or a log.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The body, as [`Page::to_json`] writes it.
    pub json: Vec<u8>,
    /// How many cases match; always exact.
    pub total_results: u64,
    /// As [`Page::next_cursor`].
    pub next_cursor: Option<String>,
    /// As [`Page::ignored`].
    pub ignored: Vec<String>,
    /// As [`Page::lowered_limit`].
    pub lowered_limit: Option<u64>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("bytes", &self.json.len())
            .field("total_results", &self.total_results)
            .field("has_next_cursor", &self.next_cursor.is_some())
            .field("ignored", &self.ignored.len())
            .field("lowered_limit", &self.lowered_limit)
            .finish()
    }
}

/// A value of a field, and how many cases have it: an entry of a drop-down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ValueCount {
    /// What a filter or a parameter of the field finds it by: folded.
    pub key: String,
    /// How one of these cases spells it.
    pub shown: String,
    /// How many live cases a filter by the key finds; always exact.
    pub count: u64,
}

/// A page before its documents are fetched: the figures follow from the query and the total.
pub(crate) struct Envelope {
    paging: Paging,
    total: u64,
    next_cursor: Option<String>,
}

impl Envelope {
    pub(crate) fn new(query: &Query, total: u64, next_cursor: Option<String>) -> Self {
        Self { paging: query.paging(), total, next_cursor }
    }

    /// What stands after so many documents in a response body.
    pub(crate) fn tail(self, results: usize, query: &Query) -> String {
        self.page(results, query).tail()
    }

    pub(crate) fn fill(self, results: Vec<Document>, ignored: Vec<String>, query: &Query) -> Page {
        let count = results.len();
        Page { ignored, results, ..self.page(count, query) }
    }

    fn page(self, results: usize, query: &Query) -> Page {
        let Paging { skip, limit, page } = self.paging;
        Page {
            page,
            limit,
            has_more: match query.position() {
                // Of a snapshot that is gone, it is not known how many cases came before.
                Some(_) => self.next_cursor.is_some(),
                None => skip + (results as u128) < u128::from(self.total),
            },
            total_pages: if limit == 0 { 0 } else { self.total.div_ceil(limit) },
            total_results: self.total,
            next_cursor: self.next_cursor,
            results: Vec::new(),
            ignored: Vec::new(),
            lowered_limit: query.lowered_limit(),
        }
    }
}
