//! The engine and the oracle side by side: the same documents, the same requests.

use std::collections::{BTreeSet, HashMap};

use getcases::{Context, Engine, Refusal, Scope, Severity};
use serde_json::Value;

use super::oracle;

/// An engine and an oracle that hold the same cases of one scope.
pub struct Desk {
    pub engine: Engine,
    pub scope: Scope,
    /// The live documents.
    documents: Vec<oracle::Document>,
    places: HashMap<String, usize>,
}

impl Desk {
    pub fn new(account: &str, stream: &str) -> Self {
        Self {
            engine: Engine::new(),
            scope: Scope::new(account, stream),
            documents: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Writes a document into both; says where they differ about refusing it.
    pub fn upsert(&mut self, text: &str) -> Result<(), String> {
        self.upsert_all(&[text])
    }

    /// Writes documents into both, as one batch.
    pub fn upsert_all(&mut self, texts: &[&str]) -> Result<(), String> {
        let mut refusals = Vec::new();
        let written = self.engine.write(|batch| {
            refusals.extend(texts.iter().map(|text| batch.upsert(&self.scope, text)));
            Ok::<_, ()>(())
        });
        written.map_err(|()| "a batch failed".to_owned())?;
        for (text, ours) in texts.iter().zip(refusals) {
            let theirs = oracle::read(text, self.scope.account(), self.scope.stream());
            match (ours, theirs) {
                (Ok(()), Ok(document)) => self.keep(document),
                (Err(ours), Err(theirs)) if problems(&ours) == theirs => {}
                (ours, theirs) => {
                    let theirs = theirs.map(|_| ());
                    return Err(format!("document {text}\n  engine {ours:?}\n  oracle {theirs:?}"));
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, document: oracle::Document) {
        match self.places.get(&document.id) {
            Some(place) => self.documents[*place] = document,
            None => {
                self.places.insert(document.id.clone(), self.documents.len());
                self.documents.push(document);
            }
        }
    }

    /// Deletes one of the live cases from both.
    pub fn delete_any(&mut self, choice: u64) {
        if self.documents.is_empty() {
            return;
        }
        let gone = self.documents.swap_remove((choice % self.documents.len() as u64) as usize);
        if let Some(place) = self.places.remove(&gone.id)
            && let Some(moved) = self.documents.get(place)
        {
            self.places.insert(moved.id.clone(), place);
        }
        let written = self.engine.write(|batch| {
            batch.delete(&self.scope, &gone.id);
            Ok::<_, ()>(())
        });
        assert_eq!(written.map(|written| written.deleted), Ok(1), "{} was there", gone.id);
    }

    /// Asks both; says how many cases matched (nothing for a refused request), or where they
    /// differ.
    pub fn ask(&self, body: &Value, context: &oracle::Context) -> Result<Option<u64>, String> {
        let ours = self
            .engine
            .snapshot(&self.scope)
            .get_cases(body.to_string().as_bytes(), &ours(context));
        let theirs = oracle::answer(&self.documents, body, context);
        match (ours, theirs) {
            (Err(ours), Err(theirs)) if problems(&ours) == theirs => Ok(None),
            (Ok(page), Ok(answer)) if answer == as_answer(&page) => Ok(Some(page.total_results)),
            (Ok(page), Ok(answer)) => {
                let page = as_answer(&page);
                Err(format!("{body} {context:?}\n  engine {page:?}\n  oracle {answer:?}"))
            }
            (ours, theirs) => {
                let ours = ours.map(|page| page.total_results);
                Err(format!("{body} {context:?}\n  engine {ours:?}\n  oracle {theirs:?}"))
            }
        }
    }
}

fn as_answer(page: &getcases::Page) -> oracle::Answer {
    oracle::Answer {
        ids: page.results.iter().map(|document| document.id().to_owned()).collect(),
        results: page.results.iter().map(|document| document.json().to_owned()).collect(),
        page: page.page,
        limit: page.limit,
        has_more: page.has_more,
        total_pages: page.total_pages,
        total_results: page.total_results,
        ignored: page.ignored.clone(),
    }
}

/// The oracle's context as the library's.
pub fn ours(context: &oracle::Context) -> Context {
    Context {
        user: context.user.clone(),
        offset_minutes: context.offset,
        now: None,
        strict: context.strict,
        severity: if context.low_is_severe { Severity::Low } else { Severity::High },
        max_limit: context.max_limit,
    }
}

/// Code and path of each problem.
pub fn problems(refusal: &Refusal) -> BTreeSet<(String, String)> {
    let problems = refusal.problems().iter();
    problems.map(|problem| (problem.code.to_string(), problem.path.clone())).collect()
}
