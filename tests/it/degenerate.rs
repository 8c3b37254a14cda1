//! Scopes as no one would make them: one value for all cases, one for each, values that only closed
//! cases have, cases that come backwards, documents of a megabyte. And requests that hit them.
//!
//! Useful for costs that grow faster than they should: what is short in every likely scope is long
//! in one of these. All of it follows from a seed.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// Numbers after a seed, each as likely as the next (SplitMix64).
#[derive(Clone, Debug)]
pub struct Draw(pub u64);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub fn one<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize].clone()
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Letters in which nothing repeats.
    pub fn letters(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }
}

/// How the values of a field lie over the cases of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// No case has one.
    Nobody,
    /// All have the same.
    One,
    /// Seven values, in turn.
    Few,
    /// A thousand values, in no order.
    Thousand,
    /// A thousand cases in a row have the same.
    Runs,
    /// Each case has its own: ascending, descending, in no order.
    Each,
    Backwards,
    Shuffled,
    /// Only resolved cases have one, and one old case that is not.
    Done,
    /// Only unresolved cases have one.
    Unresolved,
    /// Two old cases have one.
    Rare,
    /// Each has its own, but for every other one, which has none.
    Half,
}

impl Spread {
    pub const ALL: [Self; 12] = [
        Self::Nobody,
        Self::One,
        Self::Few,
        Self::Thousand,
        Self::Runs,
        Self::Each,
        Self::Backwards,
        Self::Shuffled,
        Self::Done,
        Self::Unresolved,
        Self::Rare,
        Self::Half,
    ];

    /// The value of a case among so many.
    fn of(self, at: u64, cases: u64, is_done: bool) -> Option<u64> {
        match self {
            Self::Nobody => None,
            Self::One => Some(0),
            Self::Few => Some(at % 7),
            Self::Thousand => Some(shuffled(at, cases) % 1000),
            Self::Runs => Some(at / 1000),
            Self::Each => Some(at),
            Self::Backwards => Some(cases - at),
            Self::Shuffled => Some(shuffled(at, cases)),
            Self::Done => (is_done || at == 5).then_some(0),
            Self::Unresolved => (!is_done).then_some(0),
            Self::Rare => (at == 5 || at == 9).then_some(0),
            Self::Half => at.is_multiple_of(2).then_some(at),
        }
    }
}

/// A number of its own below `cases` for each one below it.
fn shuffled(at: u64, cases: u64) -> u64 {
    let step = [7919, 7927, 7933].into_iter().find(|step| !cases.is_multiple_of(*step));
    at * step.unwrap_or(1) % cases.max(1)
}

/// What documents hold besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Plain,
    /// A kilobyte of letters of its own.
    Wide,
    /// The name ends in a word of 200 letters of its own.
    LongWords,
    /// The first case, the last and one between have a text of almost a megabyte: this one.
    Huge(&'static str),
    /// A list of 30 queues, and `_id`s of 1,000 bytes.
    Long,
}

/// In which order cases come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Forwards,
    Backwards,
    Shuffled,
}

/// What happens to cases after they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    Once,
    /// One of them is written again so many times, with values of its own each time.
    OneOften(u64),
    /// All are written again, with each other's values.
    AllTwice,
    /// Every other one is deleted.
    HalfGone,
}

/// A scope: how many cases, and what they hold.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub cases: u64,
    /// Which cases are closed: those that have a value.
    pub done: Spread,
    pub status: Spread,
    pub status_id: Spread,
    pub priority: Spread,
    pub score: Spread,
    pub channel: Spread,
    pub queue: Spread,
    pub assignee: Spread,
    pub word: Spread,
    pub title: Spread,
    pub ref_id: Spread,
    pub created: Spread,
    pub updated: Spread,
    pub due: Spread,
    /// Whose value names twenty top-level keys.
    pub keys: Spread,
    pub size: Size,
    pub arrival: Arrival,
    pub history: History,
    /// How many changes a batch has.
    pub batch: usize,
}

/// One change of a scope.
#[derive(Clone, Debug)]
pub enum Change {
    Upsert { id: String, text: String },
    Delete { id: String },
}

/// The first instant of any date here: 2024-01-01.
const STARTED: u64 = 1_704_067_200_000;

impl Recipe {
    /// What nobody would call degenerate.
    pub fn plain(cases: u64) -> Self {
        Self {
            cases,
            done: Spread::Half,
            status: Spread::Few,
            status_id: Spread::Nobody,
            priority: Spread::Few,
            score: Spread::Few,
            channel: Spread::Few,
            queue: Spread::Few,
            assignee: Spread::Thousand,
            word: Spread::Thousand,
            title: Spread::Nobody,
            ref_id: Spread::Each,
            created: Spread::Each,
            updated: Spread::Shuffled,
            due: Spread::Half,
            keys: Spread::Nobody,
            size: Size::Plain,
            arrival: Arrival::Forwards,
            history: History::Once,
            batch: 1000,
        }
    }

    /// A plain scope in which some things are as anything may be.
    pub fn drawn(cases: u64, draw: &mut Draw) -> Self {
        let mut recipe = Self::plain(cases);
        for _ in 0..1 + draw.below(6) {
            let spread = draw.one(&Spread::ALL);
            let Recipe { done, status, status_id, priority, score, channel, .. } = &mut recipe;
            let field = match draw.below(15) {
                0 => done,
                1 => status,
                2 => status_id,
                3 => priority,
                4 => score,
                5 => channel,
                6 => &mut recipe.queue,
                7 => &mut recipe.assignee,
                8 => &mut recipe.word,
                9 => &mut recipe.title,
                10 => &mut recipe.ref_id,
                11 => &mut recipe.created,
                12 => &mut recipe.updated,
                13 => &mut recipe.due,
                _ => &mut recipe.keys,
            };
            *field = spread;
        }
        let huge = ["name", "other", "queue", "agent"];
        recipe.size = match draw.below(12) {
            0 => Size::Wide,
            1 => Size::LongWords,
            2 => Size::Huge(draw.one(&huge)),
            3 => Size::Long,
            _ => Size::Plain,
        };
        recipe.arrival = draw.one(&[
            Arrival::Forwards,
            Arrival::Forwards,
            Arrival::Backwards,
            Arrival::Shuffled,
        ]);
        recipe.history = match draw.below(8) {
            0 => History::OneOften(cases.min(10_000)),
            1 => History::AllTwice,
            2 => History::HalfGone,
            _ => History::Once,
        };
        recipe.batch = draw.one(&[1, 100, 1000, 100_000]);
        recipe
    }

    fn id(&self, at: u64) -> String {
        let length = if self.size == Size::Long { 1000 } else { 7 };
        format!("c{at:0length$}")
    }

    /// The document of one case with the values of another one.
    fn document(&self, at: u64, values: u64, draw: &mut Draw) -> String {
        let is_done = self.done.of(values, self.cases, false).is_some();
        let of = |spread: Spread| spread.of(values, self.cases, is_done);
        let date =
            |spread: Spread, step: u64| of(spread).map(|v| json!(instant(STARTED + v * step)));
        let named = |name: &str, v: u64| json!({"name": format!("{name} {v}")});
        let (status, status_id) = (of(self.status), of(self.status_id));
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("_id", Some(json!(self.id(at))));
        put("name", of(self.word).map(|v| json!(self.name(v, draw))));
        let title = |v| json!([{"lname": "title", "selectedValue": format!("subject {v}")}]);
        put("fields", of(self.title).map(title));
        put(
            "status",
            Some(json!({
                "name": status.map(|v| format!("status {v}")),
                "_id": status_id.map(|v| format!("sts-{v}")),
                "statusCategory": if is_done { "closed" } else { "open" },
            })),
        );
        let (priority, score) = (of(self.priority), of(self.score));
        put(
            "priority",
            Some(json!({
                "name": priority.map(|v| format!("priority {v}")),
                "score": score.map(|v| v as f64 / 7.0),
            })),
        );
        put("channel", of(self.channel).map(|v| json!([format!("channel {v}")])));
        let first = of(self.queue);
        let more = if self.size == Size::Long { 30 } else { 1 };
        let queues = |v: u64| (v..v + more).map(|v| named("queue", v)).collect::<Vec<_>>();
        put("queues", first.map(|v| json!(queues(v))));
        let agent = |v| json!({"_id": format!("u-{v}"), "name": format!("agent {v}")});
        put("currAssignee", of(self.assignee).map(agent));
        put("refId", of(self.ref_id).map(|v| json!(format!("CS{v}"))));
        put("createdAt", date(self.created, 260_000));
        put("updatedAt", date(self.updated, 330_000));
        put("dueDate", date(self.due, 470_000));
        for key in 0..20 {
            put(
                &format!("k{}_{key}", of(self.keys).unwrap_or(0)),
                of(self.keys).map(|_| json!(key)),
            );
        }
        match self.size {
            Size::Wide => put("other", Some(json!(draw.letters(1000)))),
            Size::Huge(name) if [0, self.cases / 2, self.cases - 1].contains(&at) => {
                let text = json!(draw.letters(960_000));
                match name {
                    "queue" => put("queues", Some(json!([text]))),
                    "agent" => put("currAssignee", Some(json!({"_id": text}))),
                    name => put(name, Some(text)),
                }
            }
            _ => {}
        }
        Value::Object(map).to_string()
    }

    fn name(&self, word: u64, draw: &mut Draw) -> String {
        match self.size {
            Size::LongWords => format!("see https://example.org/{}", draw.letters(180)),
            _ => format!("request for service w{word} at the main road"),
        }
    }

    /// The changes that make the scope, in batches.
    pub fn batches(&self, draw: &mut Draw) -> Vec<Vec<Change>> {
        let cases = self.cases;
        let arrived = |at: u64| match self.arrival {
            Arrival::Forwards => at,
            Arrival::Backwards => cases - 1 - at,
            Arrival::Shuffled => shuffled(at, cases),
        };
        let mut upsert = |at: u64, values: u64| Change::Upsert {
            id: self.id(at),
            text: self.document(at, values, draw),
        };
        let mut changes: Vec<_> = (0..cases).map(arrived).map(|at| upsert(at, at)).collect();
        match self.history {
            History::Once => {}
            History::OneOften(times) => {
                changes.extend((0..times).map(|time| upsert(cases / 2, shuffled(time, cases))));
            }
            History::AllTwice => {
                changes.extend((0..cases).map(|at| upsert(at, shuffled(at, cases))));
            }
            History::HalfGone => {
                let gone = (0..cases).step_by(2);
                changes.extend(gone.map(|at| Change::Delete { id: self.id(at) }));
            }
        }
        let mut batches = Vec::new();
        while !changes.is_empty() {
            let rest = changes.split_off(self.batch.min(changes.len()));
            batches.push(std::mem::replace(&mut changes, rest));
        }
        batches
    }
}

/// What is there after all changes, in the order in which it came.
pub fn left(batches: &[Vec<Change>]) -> Vec<&str> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut texts: Vec<Option<&str>> = Vec::new();
    for change in batches.iter().flatten() {
        match change {
            Change::Upsert { id, text } => {
                let place = *places.entry(id).or_insert(texts.len());
                match texts.get_mut(place) {
                    Some(own) => *own = Some(text),
                    None => texts.push(Some(text)),
                }
            }
            Change::Delete { id } => {
                if let Some(place) = places.get(&**id) {
                    texts[*place] = None;
                }
            }
        }
    }
    texts.into_iter().flatten().collect()
}

/// An instant in the form that most documents have.
fn instant(milliseconds: u64) -> String {
    let (mut days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year) || year == 2000) {
        days -= 365 + u64::from(is_leap(year) || year == 2000);
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
    let (month, day) = (month + 1, days + 1);
    format!("{year}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

const SORTS: [&str; 9] =
    ["createdAt", "updatedAt", "dueDate", "priority", "status", "name", "refId", "assignee", "_id"];

/// A request that asks for what some case has, about so many cases; and who asks.
pub fn aimed(draw: &mut Draw, documents: &[Value], cases: u64) -> (Value, Option<String>) {
    let mut body = Map::new();
    let own = &documents[draw.below(documents.len() as u64) as usize];
    for _ in 0..draw.one(&[0, 0, 1, 1, 1, 2, 2, 3]) {
        let (name, value) = filter(draw, own);
        body.insert(name.to_owned(), value);
    }
    let mut sort = || {
        let name = draw.one(&SORTS);
        json!(draw.one(&[name.to_owned(), format!("-{name}"), format!("{name}:asc")]))
    };
    let (one, other) = (sort(), sort());
    match draw.below(5) {
        0 => {}
        1 => _ = body.insert("sortBy".into(), json!([one, other])),
        _ => _ = body.insert("sortBy".into(), one),
    }
    let limit = draw.one(&[0, 1, 10, 50, 1000]);
    let skips = [0, 0, 0, 10, 500, cases / 7, cases / 2, cases.saturating_sub(limit), cases * 2];
    body.insert("limit".into(), json!(limit));
    body.insert("skip".into(), json!(draw.one(&skips)));
    match draw.below(12) {
        0 => _ = body.insert("selectedColumns".into(), json!(["name", "status"])),
        1 => {
            let names: Vec<_> = (0..1000).map(|at| format!("unknown {at}")).collect();
            body.insert("selectedColumns".into(), json!(names));
        }
        _ => {}
    }
    let user = own.pointer("/currAssignee/_id").and_then(Value::as_str);
    (Value::Object(body), Some(user.unwrap_or("u-0").to_owned()))
}

/// A filter that a document meets, where it has such a value.
fn filter(draw: &mut Draw, own: &Value) -> (&'static str, Value) {
    let text = |path: &str| json!(own.pointer(path).and_then(Value::as_str).unwrap_or("nobody's"));
    match draw.below(14) {
        0 => ("unresolved", json!(true)),
        1 => ("unassigned", json!(true)),
        2 => ("mycase", json!(true)),
        3 => ("priority", text("/priority/name")),
        4 => ("status", text(draw.one(&["/status/name", "/status/_id"]))),
        5 => ("queues", text("/queues/0/name")),
        6 => ("channel", text("/channel/0")),
        7 => ("agents", text("/currAssignee/name")),
        8 => ("startDate", text("/createdAt")),
        9 => ("endDate", text("/createdAt")),
        10 => ("dueDate", text("/dueDate")),
        11 => ("dueDate", json!(own["dueDate"].as_str().map_or("2024-01-02", |due| &due[..10]))),
        _ => {
            let name = own["name"].as_str().unwrap_or("subject 0");
            let words: Vec<_> = name.split(' ').collect();
            let piece = draw.one(&words);
            let length = piece.len().min(draw.one(&[1, 2, 3, 8, 300]));
            ("searchText", json!(piece[..length]))
        }
    }
}
