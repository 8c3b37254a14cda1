//! One scope at one instant: where queries are asked.

use std::sync::Arc;

use crate::contract::{Context, Document, Page, Query};
use crate::index::Cases;
use crate::query::{self, Explain};
use crate::refusal::Refusal;

/// What one scope held when the snapshot was taken. It never changes, and is cheap to clone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    cases: Arc<Cases>,
}

impl Snapshot {
    pub(super) fn new(cases: Arc<Cases>) -> Self {
        Self { cases }
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One case by its `_id`. Cost: a look-up.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Document> {
        let case = self.cases.case(self.cases.find(id)?);
        Some(Document { id: case.id.clone(), json: case.document.clone() })
    }

    /// Answers a JSON body.
    ///
    /// # Errors
    /// Every problem of the body and its context at once.
    pub fn get_cases(&self, body: &[u8], context: &Context) -> Result<Page, Refusal> {
        Ok(self.run(&Query::from_json(body, context)?))
    }

    /// Answers a JSON body with a JSON body: the response, or the errors.
    ///
    /// # Errors
    /// The error body `{"errors":[…]}`.
    pub fn answer(&self, body: &[u8], context: &Context) -> Result<Vec<u8>, Vec<u8>> {
        match self.get_cases(body, context) {
            Ok(page) => Ok(page.to_json()),
            Err(refusal) => Err(refusal.to_json()),
        }
    }

    /// Answers a valid query. Cost grows with the number of cases, and with the page's documents.
    #[must_use]
    pub fn run(&self, query: &Query) -> Page {
        query::run(&self.cases, query)
    }

    /// Tells how a query is understood and answered, with the real numbers.
    #[must_use]
    pub fn explain(&self, query: &Query) -> Explain {
        query::explain(&self.cases, query)
    }
}
