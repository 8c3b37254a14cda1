//! Random walks by cursors over a scope that changes: each page is held against the oracle, and
//! each walk against what was there all the time.

use std::collections::HashMap;
use std::rc::Rc;

use arbitrary::{Result, Unstructured};
use getcases::{CursorLimits, Engine, Scope};
use serde_json::{Map, Value, json};

use super::compare::{Desk, Edit, as_answer, ours};
use super::generate::{self, Vocabulary};
use super::oracle::{self, Document, Place};

/// How many cases are written before the first walk, and by one batch later, at most.
const FIRST: usize = 40;
const MOST: usize = 8;
/// How many bytes of randomness a document may use.
const DOCUMENT_BYTES: usize = 600;

/// What was played.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    /// Walks that came to their end.
    pub walks: u64,
    pub pages: u64,
    /// Pages that came from a snapshot which a cursor named, and was not the last one.
    pub resumed: u64,
}

/// A walk under way.
struct Walk {
    /// The request less its cursor.
    body: Map<String, Value>,
    context: oracle::Context,
    order: oracle::Order,
    cursor: Value,
    place: Place,
    /// What the scope held when the cursor's snapshot was taken.
    named: Rc<Vec<Document>>,
    generation: u64,
    /// What has matched since the first page, with the same keys.
    steady: HashMap<String, Document>,
    seen: HashMap<String, usize>,
}

struct Field {
    desk: Desk,
    limits: CursorLimits,
    walks: Vec<Walk>,
    played: Played,
}

fn engine(limits: CursorLimits) -> Engine {
    Engine::builder().threads(1).cursors(limits).cursor_key([7; 16]).build()
}

/// Plays what the bytes say until they run out, then brings every walk to its end; says where
/// engine and oracle differ, or what a walk skipped or repeated.
pub fn play(bytes: &[u8]) -> Result<Played, String> {
    let vocabulary = Vocabulary::odd();
    let mut u = Unstructured::new(bytes);
    let snapshots = *u.choose(&[0, 1, 2, 256]).unwrap_or(&256);
    let limits = CursorLimits { snapshots, ..CursorLimits::default() };
    let desk = Desk::of(engine(limits), Scope::new("a", "s"), Vec::new());
    let mut field = Field { desk, limits, walks: Vec::new(), played: Played::default() };
    if let Ok(count) = u.int_in_range(0..=FIRST) {
        field.write(&mut u, &vocabulary, count).unwrap_or(Ok(()))?;
    }
    while !u.is_empty() {
        match field.step(&mut u, &vocabulary) {
            Ok(outcome) => outcome?,
            // The bytes do not make up a whole step any more.
            Err(_) => break,
        }
    }
    while !field.walks.is_empty() {
        field.go_on(0, None)?;
    }
    Ok(field.played)
}

impl Field {
    fn step(&mut self, u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Result<(), String>> {
        Ok(match u.int_in_range(0..=15)? {
            0..=2 => {
                let count = u.int_in_range(1..=MOST)?;
                self.write(u, v, count)?
            }
            3 if u.ratio(1, 4)? => self.begin_anew(u.arbitrary()?),
            3 => {
                self.desk.engine.maintain(u.int_in_range(0..=100)?);
                Ok(())
            }
            4..=6 => self.begin(u, v)?,
            _ if self.walks.is_empty() => Ok(()),
            _ => {
                let at = u.int_in_range(0..=self.walks.len() - 1)?;
                let limit = u.ratio(1, 3)?.then(|| u.int_in_range(0..=9)).transpose()?;
                self.go_on(at, limit)
            }
        })
    }

    fn write(
        &mut self,
        u: &mut Unstructured<'_>,
        v: &Vocabulary,
        count: usize,
    ) -> Result<Result<(), String>> {
        let mut texts = Vec::new();
        for _ in 0..count {
            let is_upsert = !u.ratio(1, 4)?;
            let bytes = spread(u.arbitrary()?);
            let document = || generate::document(&mut Unstructured::new(&bytes), v);
            texts.push(is_upsert.then(document).transpose()?);
        }
        let mut edits = Vec::new();
        for text in &texts {
            edits.push(match text {
                Some(text) => Edit::Upsert(text.as_bytes()),
                None => Edit::DeleteAny(u.arbitrary()?),
            });
        }
        let written = self.desk.write(&edits);
        self.keep_steady();
        Ok(written)
    }

    /// Drops the scope, or goes on with another engine that has the same cases.
    fn begin_anew(&mut self, is_dropped: bool) -> Result<(), String> {
        if is_dropped {
            self.desk.clear()?;
        } else {
            let (other, scope) = (engine(self.limits), self.desk.scope.clone());
            let documents = self.desk.documents().to_vec();
            let written = other.write(|batch| {
                documents.iter().try_for_each(|document| batch.upsert(&scope, &document.text))
            });
            written.map_err(|failed| format!("{failed:?}"))?;
            self.desk = Desk::of(other, scope, documents);
            // Generations begin anew: none of them is that of a cursor.
            self.walks.iter_mut().for_each(|walk| walk.generation = u64::MAX);
        }
        self.keep_steady();
        Ok(())
    }

    /// Forgets of each walk what does not match any more, or has other keys.
    fn keep_steady(&mut self) {
        for walk in &mut self.walks {
            let body = Value::Object(walk.body.clone()).to_string();
            let (found, order) =
                oracle::matching(self.desk.documents(), body.as_bytes(), &walk.context);
            let found: HashMap<_, _> = found.into_iter().map(|own| (&*own.id, own)).collect();
            walk.steady.retain(|id, then| {
                found.get(&**id).is_some_and(|now| oracle::compare(then, now, &order).is_eq())
            });
        }
    }

    /// Begins a walk, where the request is valid.
    fn begin(&mut self, u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Result<(), String>> {
        let context = generate::context(u, v)?;
        let text = generate::request(u, v)?;
        let limit = u.int_in_range(1..=9)?;
        let Ok(mut body) = serde_json::from_str::<Map<String, Value>>(&text) else {
            return Ok(Ok(()));
        };
        ["page", "skip", "cursor"].iter().for_each(|name| _ = body.remove(*name));
        body.insert("limit".into(), json!(limit));
        let text = Value::Object(body.clone()).to_string();
        if oracle::answer(self.desk.documents(), text.as_bytes(), &context).is_err() {
            return Ok(Ok(()));
        }
        let (found, order) = oracle::matching(self.desk.documents(), text.as_bytes(), &context);
        let steady = found.into_iter().map(|own| (own.id.clone(), own.clone())).collect();
        self.walks.push(Walk {
            body,
            context,
            order,
            cursor: json!(true),
            place: Place::default(),
            named: Rc::default(),
            generation: u64::MAX,
            steady,
            seen: HashMap::new(),
        });
        let at = self.walks.len() - 1;
        Ok(self.go_on(at, None))
    }

    /// Asks for a walk's next page, of so many cases if that is said.
    fn go_on(&mut self, at: usize, limit: Option<u64>) -> Result<(), String> {
        let walk = &mut self.walks[at];
        let mut body = walk.body.clone();
        body.insert("cursor".into(), walk.cursor.clone());
        if let Some(limit) = limit {
            body.insert("limit".into(), json!(limit));
        }
        let body = Value::Object(body).to_string();
        let snapshot = self.desk.engine.snapshot(&self.desk.scope);
        let query = snapshot.query_json(body.as_bytes(), &ours(&walk.context));
        let query = match query {
            Ok(query) => query,
            // The case is gone that has a key too long for a cursor: told, and not guessed.
            Err(refusal) if is_too_long(&walk.place, &refusal.to_string()) => {
                self.walks.swap_remove(at);
                return Ok(());
            }
            Err(refusal) => return Err(format!("{body}: {refusal}")),
        };
        let from = snapshot.resumed(&query).generation();
        let page = snapshot.search(&query);
        let is_named = from == walk.generation && from != snapshot.generation();
        if !is_named && from != snapshot.generation() {
            return Err(format!("{body} is answered from generation {from}"));
        }
        let documents = if is_named { &walk.named[..] } else { self.desk.documents() };
        let right = oracle::answer_at(documents, body.as_bytes(), &walk.context, Some(&walk.place));
        let page_as = as_answer(&page);
        if right.as_ref() != Ok(&page_as) {
            return Err(format!("{body}\n  engine {page_as:?}\n  oracle {right:?}"));
        }
        self.played.pages += 1;
        self.played.resumed += u64::from(is_named);
        page_as.ids.iter().for_each(|id| *walk.seen.entry(id.clone()).or_default() += 1);
        if let Some(last) = page_as.ids.last() {
            walk.place.last = documents.iter().find(|own| own.id == *last).cloned();
        }
        walk.place.passed += page_as.ids.len() as u64;
        if !is_named {
            (walk.generation, walk.named) = (from, Rc::new(documents.to_vec()));
        }
        match page.next_cursor {
            Some(cursor) => walk.cursor = json!(cursor),
            None => {
                self.played.walks += 1;
                self.walks.swap_remove(at).check()?;
            }
        }
        Ok(())
    }
}

/// Whether a refusal is of a cursor that ends at a case with a long key.
fn is_too_long(place: &Place, refusal: &str) -> bool {
    let is_long = place.last.as_ref().is_some_and(|last| last.text.len() > 512);
    is_long && refusal.contains("invalid_cursor")
}

impl Walk {
    /// What was there all the time came once.
    fn check(&self) -> Result<(), String> {
        for id in self.steady.keys() {
            let times = self.seen.get(id).copied().unwrap_or(0);
            if times != 1 {
                let (body, order) = (&self.body, &self.order);
                return Err(format!("{id} came {times} times of {body:?} by {order:?}"));
            }
        }
        Ok(())
    }
}

/// Bytes that a seed stands for.
fn spread(seed: u32) -> [u8; DOCUMENT_BYTES] {
    let mut state = u64::from(seed) << 32 | 0x9e37_79b9;
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}
