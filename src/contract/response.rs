//! What comes back: a page of documents and the exact totals.
//!
//! Rules: docs/contract.md, *Response*.

use super::paging::Paging;
use super::query::Query;

/// One result: its `_id` and its JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// The ids of a page, and the exact total: what a query finds, without the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hits<'s> {
    /// The `_id`s of the page's cases, in the asked order.
    pub ids: Vec<&'s str>,
    /// How many cases match; always exact.
    pub total_results: u64,
}

/// A page of results, and the figures around it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let Self { page, limit, has_more, total_pages, total_results, .. } = self;
        format!(
            "],\"page\":{page},\"limit\":{limit},\"hasMore\":{has_more},\
             \"totalPages\":{total_pages},\"totalResults\":{total_results}}}"
        )
    }
}

/// A page before its documents are fetched: the figures follow from the query and the total.
pub(crate) struct Envelope {
    paging: Paging,
    total: u64,
}

impl Envelope {
    pub(crate) fn new(query: &Query, total: u64) -> Self {
        Self { paging: query.paging(), total }
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
            has_more: skip + (results as u128) < u128::from(self.total),
            total_pages: if limit == 0 { 0 } else { self.total.div_ceil(limit) },
            total_results: self.total,
            results: Vec::new(),
            ignored: Vec::new(),
            lowered_limit: query.lowered_limit(),
        }
    }
}
