//! The engine and the oracle side by side: the same documents, the same requests.

use std::collections::{BTreeSet, HashMap};

use getcases::{Context, Engine, Page, Query, Refusal, Scope, Severity, Snapshot};
use serde_json::Value;

use super::oracle;

/// An engine and an oracle that hold the same cases of one scope.
pub struct Desk {
    pub engine: Engine,
    pub scope: Scope,
    /// The live documents.
    documents: Vec<oracle::Document>,
    places: HashMap<String, usize>,
    /// An earlier snapshot, and a query with its answer then.
    remembered: Option<(Snapshot, Query, Page)>,
}

/// One change of a batch.
pub enum Edit<'t> {
    Upsert(&'t str),
    /// One of the cases that are live before the batch; of none, a case that was never there.
    DeleteAny(u64),
}

impl Desk {
    pub fn new(account: &str, stream: &str) -> Self {
        Self {
            engine: Engine::new(),
            scope: Scope::new(account, stream),
            documents: Vec::new(),
            places: HashMap::new(),
            remembered: None,
        }
    }

    /// The same over cases that an engine holds already, and no others.
    pub fn of(engine: Engine, scope: Scope, documents: Vec<oracle::Document>) -> Self {
        let ids = documents.iter().enumerate();
        let places = ids.map(|(place, document)| (document.id.clone(), place)).collect();
        Self { engine, scope, documents, places, remembered: None }
    }

    /// Checks the structures of the index and every live document, and that an earlier snapshot
    /// still answers as it did.
    pub fn validate(&self) -> Result<(), String> {
        let snapshot = self.engine.snapshot(&self.scope);
        snapshot.validate().map_err(|corrupt| corrupt.to_string())?;
        if snapshot.len() != self.documents.len() {
            return Err(format!("{} cases, not {}", snapshot.len(), self.documents.len()));
        }
        let found = snapshot.get_many(self.documents.iter().map(|document| &*document.id));
        for (ours, theirs) in found.iter().zip(&self.documents) {
            if ours.as_ref().map(|ours| ours.json()) != Some(&theirs.text) {
                return Err(format!("{} is {ours:?}", theirs.id));
            }
        }
        match &self.remembered {
            Some((then, query, page)) if then.run(query) != *page => {
                Err(format!("a snapshot answers {query:?} otherwise than before"))
            }
            _ => Ok(()),
        }
    }

    /// Drops the scope from the engine, and every document.
    pub fn clear(&mut self) -> Result<(), String> {
        let had_cases = !self.documents.is_empty();
        (self.documents, self.places) = (Vec::new(), HashMap::new());
        let was_there = self.engine.drop_scope(&self.scope);
        match self.engine.scopes().is_empty() && (was_there || !had_cases) {
            true => Ok(()),
            false => Err("a dropped scope is still there".to_owned()),
        }
    }

    /// Remembers the snapshot of now, and its answer, for a later `validate`.
    pub fn remember(&mut self, body: &Value, context: &oracle::Context) {
        let snapshot = self.engine.snapshot(&self.scope);
        if let Ok(query) = Query::from_json(body.to_string().as_bytes(), &ours(context)) {
            let page = snapshot.run(&query);
            self.remembered = Some((snapshot, query, page));
        }
    }

    /// Writes a document into both; says where they differ about refusing it.
    pub fn upsert(&mut self, text: &str) -> Result<(), String> {
        self.upsert_all(&[text])
    }

    /// Writes documents into both, as one batch.
    pub fn upsert_all(&mut self, texts: &[&str]) -> Result<(), String> {
        self.write(&texts.iter().map(|text| Edit::Upsert(text)).collect::<Vec<_>>())
    }

    /// Writes changes into both, as one batch; says where they differ about refusing one, or about
    /// what they did.
    pub fn write(&mut self, edits: &[Edit<'_>]) -> Result<(), String> {
        let mut refusals = Vec::new();
        let gone = |choice: &u64| {
            let at = choice.checked_rem(self.documents.len() as u64)?;
            Some(self.documents[at as usize].id.clone())
        };
        let gone: Vec<_> = edits
            .iter()
            .map(|edit| match edit {
                Edit::DeleteAny(choice) => gone(choice),
                Edit::Upsert(_) => None,
            })
            .collect();
        let written = self.engine.write(|batch| {
            for (edit, gone) in edits.iter().zip(&gone) {
                match (edit, gone) {
                    (Edit::Upsert(text), _) => refusals.push(batch.upsert(&self.scope, text)),
                    (Edit::DeleteAny(_), Some(id)) => batch.delete(&self.scope, id),
                    (Edit::DeleteAny(_), None) => batch.delete(&self.scope, "never there"),
                }
            }
            Ok::<_, ()>(())
        });
        let written = written.map_err(|()| "a batch failed".to_owned())?;
        let mut refusals = refusals.into_iter();
        let (mut inserted, mut replaced, mut deleted) = (0, 0, 0);
        for (edit, gone) in edits.iter().zip(gone) {
            let Edit::Upsert(text) = edit else {
                deleted += u64::from(gone.is_some_and(|id| self.forget(&id)));
                continue;
            };
            let theirs = oracle::read(text, self.scope.account(), self.scope.stream());
            match (refusals.next(), theirs) {
                (Some(Ok(())), Ok(document)) => match self.keep(document) {
                    true => inserted += 1,
                    false => replaced += 1,
                },
                (Some(Err(ours)), Err(theirs)) if problems(&ours) == theirs => {}
                (ours, theirs) => {
                    let theirs = theirs.map(|_| ());
                    return Err(format!("document {text}\n  engine {ours:?}\n  oracle {theirs:?}"));
                }
            }
        }
        let right = (inserted, replaced, deleted);
        if (written.inserted, written.replaced, written.deleted) != right {
            return Err(format!("{written:?}, not {right:?}"));
        }
        Ok(())
    }

    /// Says whether the document is new.
    fn keep(&mut self, document: oracle::Document) -> bool {
        match self.places.get(&document.id) {
            Some(place) => self.documents[*place] = document,
            None => {
                self.places.insert(document.id.clone(), self.documents.len());
                self.documents.push(document);
                return true;
            }
        }
        false
    }

    /// Says whether the document was there.
    fn forget(&mut self, id: &str) -> bool {
        let Some(place) = self.places.remove(id) else { return false };
        self.documents.swap_remove(place);
        if let Some(moved) = self.documents.get(place) {
            self.places.insert(moved.id.clone(), place);
        }
        true
    }

    /// Asks both; says how many cases matched (nothing for a refused request), or where they
    /// differ.
    pub fn ask(&self, body: &Value, context: &oracle::Context) -> Result<Option<u64>, String> {
        let (snapshot, text) = (self.engine.snapshot(&self.scope), body.to_string());
        let ours = {
            let context = ours(context);
            let page = snapshot.get_cases(text.as_bytes(), &context);
            let bytes = page.as_ref().map(Page::to_json).map_err(Refusal::to_json);
            if snapshot.answer(text.as_bytes(), &context) != bytes {
                return Err(format!("{body} {context:?}: the page and its bytes differ"));
            }
            page
        };
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
