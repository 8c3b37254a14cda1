//! Classes whose values are those of a file: its own statuses, queues, people, words and days.
//!
//! Each body is made after one case that is drawn by a seed and has all that the class asks for, so
//! that it matches something, and frequent values come up often.

use chrono::{DateTime, NaiveDate, TimeDelta};
use getcases_plain::{By, Columns, Request, scan};
use getcases_workload::Class;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

/// How many cases are drawn before all are looked at.
const TRIES: usize = 1000;
/// How many code points the longest needle has.
const NEEDLE: usize = 10;
/// The farthest page that is asked for, and how many cases a page has.
const FAR: u64 = 200;
const LIMIT: u64 = 50;
/// What stands for a text that no case has.
const NO_MATCH: &str = "nisavo";

/// The classes of the workload, with what a value has to be in its place: a status of open or of
/// done cases, a text of one word, of two letters, or of none.
const CLASSES: [(&str, &str); 17] = [
    ("01 all, newest", "{}"),
    ("02 an open status", r#"{"status":["open"]}"#),
    ("03 two open statuses, two priorities", r#"{"status":["open","open"],"priority":["",""]}"#),
    (
        "04 a done status, a priority, a channel",
        r#"{"status":["done"],"priority":[""],"channel":[""]}"#,
    ),
    (
        "05 a queue, unresolved, due first",
        r#"{"queues":[""],"unresolved":true,"sortBy":"dueDate"}"#,
    ),
    (
        "06 somebody's, unresolved, updated last",
        r#"{"mycase":true,"unresolved":true,"sortBy":"updatedDate"}"#,
    ),
    ("07 unassigned, a priority", r#"{"unassigned":true,"priority":[""]}"#),
    (
        "08 30 days, a done status, by priority",
        r#"{"status":["done"],"startDate":30,"endDate":30,"sortBy":"-priority"}"#,
    ),
    ("09 a channel, a far page", r#"{"channel":[""],"page":200}"#),
    (
        "10 a done status, updated, a far page",
        r#"{"status":["done"],"sortBy":"-updatedDate","page":200}"#,
    ),
    ("11 a due day, by name", r#"{"dueDate":"","sortBy":"name"}"#),
    ("12 unresolved, due first", r#"{"unresolved":true,"sortBy":"dueDate"}"#),
    ("13 a word, unresolved", r#"{"searchText":"word","unresolved":true}"#),
    ("14 two letters", r#"{"searchText":"ab"}"#),
    ("15 text, no match", r#"{"searchText":"nisavo"}"#),
    (
        "16 every filter",
        concat!(
            r#"{"status":["open","open","open","open"],"priority":["","",""],"#,
            r#""channel":["","",""],"queues":["","","","","","","",""],"#,
            r#""startDate":365,"endDate":365,"sortBy":"dueDate"}"#,
        ),
    ),
    (
        "17 a done status, two priorities, two channels, due first",
        r#"{"status":["done"],"priority":["",""],"channel":["",""],"sortBy":"dueDate"}"#,
    ),
];

/// A class with the file's own values, or why there is none.
pub(super) type Formed = Result<Class, String>;

/// The classes by their names, each as one body.
pub(super) fn classes(columns: &Columns) -> Vec<(&'static str, Formed)> {
    let form = |(name, pattern): &(&'static str, &str)| (*name, form(name, pattern, 0, columns));
    CLASSES.iter().map(form).collect()
}

/// A class with other values of the file, `count` times: after its pattern, or for a class that is
/// none of these as many values of the same fields.
pub(super) fn variants(class: &Class, columns: &Columns, count: u64) -> Vec<Class> {
    let own = CLASSES.iter().find(|(name, _)| *name == class.name);
    let pattern = own.map_or(&*class.body, |(_, pattern)| pattern);
    (1..=count).filter_map(|number| form(&class.name, pattern, number, columns).ok()).collect()
}

/// What a pattern asks of the case that a body is made after.
struct Pattern<'c> {
    columns: &'c Columns,
    members: Map<String, Value>,
    is_own: bool,
}

/// The lists of a case by which parameter asks for them (`Columns::lists`), and what they are.
const LISTS: [(&str, &str); 6] = [
    ("status", "a status"),
    ("priority", "a priority"),
    ("channel", "a channel"),
    ("queues", "a queue"),
    ("agents", "an assignee"),
    ("mycase", "an assignee with an id"),
];

/// Makes the body of some number after a pattern.
fn form(name: &str, pattern: &str, number: u64, columns: &Columns) -> Formed {
    let members: Map<String, Value> =
        serde_json::from_str(pattern).map_err(|error| error.to_string())?;
    let is_own = CLASSES.iter().any(|(own, _)| *own == name);
    let pattern = Pattern { columns, members, is_own };
    let mut draw = Draw::new(name, number);
    if let Some(lack) = pattern.lacking_order() {
        return Err(lack);
    }
    let fits = |place: u32| pattern.needs().iter().all(|(_, need)| need(place));
    let place = draw.place(columns, fits).ok_or_else(|| pattern.lacking())?;
    let (body, user) = pattern.body(place, &mut draw);
    Ok(Class { name: name.to_owned(), user, body: Value::Object(body).to_string() })
}

/// Whether a case has something.
type Need<'p> = Box<dyn Fn(u32) -> bool + 'p>;

impl Pattern<'_> {
    fn asks(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    /// Which status a pattern of this file asks for: of open cases, or of done ones.
    fn status(&self) -> Option<bool> {
        let status = self.members.get("status")?.get(0)?.as_str().filter(|_| self.is_own)?;
        Some(status == "open")
    }

    /// What a case must have, and how that is called.
    fn needs(&self) -> Vec<(&'static str, Need<'_>)> {
        let columns = self.columns;
        let mut needs: Vec<(&str, Need<'_>)> = Vec::new();
        let is_open = self.status().or(self.asks("unresolved").then_some(true));
        match is_open {
            Some(true) => needs.push(("is unresolved", Box::new(|at| columns.flags(at).0))),
            Some(false) => needs.push(("is done", Box::new(|at| !columns.flags(at).0))),
            None => {}
        }
        if self.asks("unassigned") {
            needs.push(("is unassigned", Box::new(|at| columns.flags(at).1)));
        }
        for (list, (key, what)) in LISTS.into_iter().enumerate().filter(|(_, own)| self.asks(own.0))
        {
            let has = move |at| columns.lists(at)[list].1.iter().any(|value| !value.is_empty());
            let what = if key == "mycase" { "has an assignee with an id" } else { what };
            needs.push((what, Box::new(has)));
        }
        if self.asks("startDate") {
            needs.push(("has a created date", Box::new(|at| !columns.lacks(By::Created, at))));
        }
        if self.asks("dueDate") {
            needs.push(("has a due date", Box::new(|at| columns.dates(at).1.is_some())));
        }
        if self.asks("searchText") {
            needs.push(("has a name with letters", Box::new(|at| word(columns, at).is_some())));
        }
        needs
    }

    /// What no case has that the order asks for.
    fn lacking_order(&self) -> Option<String> {
        let sort = self.members.get("sortBy").filter(|_| self.is_own)?;
        let request = Request::read(&json!({"sortBy": sort}).to_string(), None).ok()?;
        let what = match request.by {
            By::Updated => "an updated date",
            By::Due => "a due date",
            By::Priority => "a score of its priority",
            By::Name => "a name",
            _ => return None,
        };
        let places = 0..self.columns.len() as u32;
        let lack = places.into_iter().all(|place| self.columns.lacks(request.by, place));
        lack.then(|| format!("no case has {what}"))
    }

    /// Why no case has all that is asked for.
    fn lacking(&self) -> String {
        let places = || 0..self.columns.len() as u32;
        for (what, need) in self.needs() {
            if !places().any(&need) {
                let has =
                    if what.starts_with("is") || what.starts_with("has") { "" } else { "has " };
                return format!("no case {has}{what}");
            }
        }
        let all: Vec<_> = self.needs().into_iter().map(|(what, _)| what).collect();
        format!("no case has all of: {}", all.join(", "))
    }

    /// The body after a case, and who asks it.
    fn body(&self, place: u32, draw: &mut Draw) -> (Map<String, Value>, Option<String>) {
        let columns = self.columns;
        let mut body = self.members.clone();
        let days = draw.range(
            columns.dates(place).0,
            self.members.get("startDate"),
            self.members.get("endDate"),
        );
        for (key, value) in &mut body {
            match key.as_str() {
                "startDate" => *value = json!(days.0),
                "endDate" => *value = json!(days.1),
                "dueDate" => *value = json!(day(columns.dates(place).1.unwrap_or(0)).to_string()),
                "searchText" => *value = json!(self.text(value, place, draw)),
                _ => {
                    if let Some(list) = LISTS[..5].iter().position(|(own, _)| own == key) {
                        let count = value.as_array().map_or(1, Vec::len);
                        *value = json!(self.list(list, count, place, draw));
                    }
                }
            }
        }
        let user = self.asks("mycase").then(|| columns.lists(place)[5].1.first().cloned());
        let user = user.flatten();
        if body.contains_key("page") {
            let page = self.far(&body, user.as_deref(), draw);
            body.insert("page".to_owned(), page.into());
        }
        (body, user)
    }

    /// As many values of a list as are asked for, the first one the case's own.
    fn list(&self, list: usize, count: usize, place: u32, draw: &mut Draw) -> Vec<String> {
        let columns = self.columns;
        let is_open = self.status().filter(|_| list == 0);
        let mut values: Vec<String> = Vec::new();
        let mut places = std::iter::once(place);
        while values.len() < count {
            let has_other = |at: u32| {
                let own = columns.lists(at)[list].1;
                is_open.is_none_or(|is_open| columns.flags(at).0 == is_open)
                    && own.first().is_some_and(|own| !own.is_empty() && !values.contains(own))
            };
            let Some(at) = places.next().or_else(|| draw.place(columns, has_other)) else { break };
            values.extend(columns.lists(at)[list].1.iter().find(|own| !own.is_empty()).cloned());
        }
        values
    }

    fn text(&self, pattern: &Value, place: u32, draw: &mut Draw) -> String {
        let own = word(self.columns, place).unwrap_or_default();
        match pattern.as_str().filter(|_| self.is_own) {
            Some("word") => own,
            Some("ab") => own.chars().take(2).collect(),
            Some(NO_MATCH) => self.no_match(&own),
            _ => {
                let text = self.columns.texts(place).lines().next().unwrap_or_default();
                let chars: Vec<char> = text.chars().collect();
                let length = draw.below(NEEDLE.min(chars.len()).max(1)) + 1;
                let start = draw.below((chars.len() + 1).saturating_sub(length).max(1));
                let part: String = chars.iter().skip(start).take(length).collect();
                if part.trim().is_empty() { own } else { part.trim().to_owned() }
            }
        }
    }

    /// A text of a word's letters that no case has.
    fn no_match(&self, word: &str) -> String {
        let mut text = NO_MATCH.to_owned();
        let finds = |text: &str| {
            let body = json!({"searchText": text, "limit": 0}).to_string();
            Request::read(&body, None).is_ok_and(|request| scan(self.columns, &request).total > 0)
        };
        // Each turn makes it longer, so that the last one has no match.
        while finds(&text) {
            text.push_str(word);
        }
        text
    }

    /// A page of what a body finds, far behind.
    fn far(&self, body: &Map<String, Value>, user: Option<&str>, draw: &mut Draw) -> u64 {
        let mut count = body.clone();
        count.remove("page");
        count.insert("limit".to_owned(), 0.into());
        let request = Request::read(&Value::Object(count).to_string(), user);
        let pages = request.map_or(1, |request| scan(self.columns, &request).total.div_ceil(LIMIT));
        let farthest = pages.clamp(1, FAR);
        if draw.number == 0 { farthest } else { draw.below(farthest as usize) as u64 + 1 }
    }
}

/// The longest of the first words of a case's name, folded.
fn word(columns: &Columns, place: u32) -> Option<String> {
    let name = columns.texts(place).lines().next()?;
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    words.take(4).max_by_key(|word| word.chars().count()).map(str::to_owned)
}

fn day(millis: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().date_naive()
}

/// Random draws, the same for the same class and number.
struct Draw {
    random: ChaCha8Rng,
    number: u64,
}

impl Draw {
    fn new(class: &str, number: u64) -> Self {
        let seed = class.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number);
        Self { random, number }
    }

    fn below(&mut self, end: usize) -> usize {
        (self.random.next_u64() % end.max(1) as u64) as usize
    }

    /// A case that is as it must be.
    fn place(&mut self, columns: &Columns, fits: impl Fn(u32) -> bool) -> Option<u32> {
        let count = columns.len();
        for _ in 0..TRIES.min(count) {
            let place = self.below(count) as u32;
            if fits(place) {
                return Some(place);
            }
        }
        let (start, end) = (self.below(count) as u32, count as u32);
        (start..end).chain(0..start).find(|place| fits(*place))
    }

    /// Days around an instant: as many as a pattern says, or lie between two dates.
    fn range(
        &mut self,
        around: i64,
        start: Option<&Value>,
        end: Option<&Value>,
    ) -> (String, String) {
        let date = |value: Option<&Value>| value?.as_str()?.get(..10)?.parse::<NaiveDate>().ok();
        let between = date(end).zip(date(start)).map(|(end, start)| (end - start).num_days());
        let days = start.and_then(Value::as_i64).or(between).unwrap_or(0).max(1);
        let before = self.below(usize::try_from(days).unwrap_or(1)) as i64;
        let first = day(around) - TimeDelta::days(before);
        let midnight = |day: NaiveDate| format!("{day}T00:00:00Z");
        (midnight(first), midnight(first + TimeDelta::days(days)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(cases: &[Value]) -> Columns {
        let mut columns = Columns::default();
        for case in cases {
            columns.push(Columns::read(case.to_string().as_bytes()).unwrap());
        }
        columns
    }

    /// Every class has a match for each body, and the same values each time.
    #[test]
    fn values_are_the_cases_own() {
        let case = |at: usize| {
            let (status, category) =
                [("Neu", "open"), ("Wartet", "on hold"), ("Fertig", "closed")][at % 3];
            let priority = ["hoch", "tief"][at % 2];
            let channel = ["Brief", "Telefon", "Schalter"][at % 3];
            let is_nobody = at.is_multiple_of(4);
            let agent = match is_nobody {
                true => json!({}),
                false => json!({"agentId": format!("a{}", at % 5)}),
            };
            json!({
                "_id": format!("c{at}"), "name": format!("Lieferung {at} fehlt"),
                "status": {"name": status, "statusCategory": category},
                "priority": {"name": priority, "score": at % 2},
                "channel": [channel],
                "queues": [{"name": format!("Team {}", at % 7)}],
                "currAssignee": agent,
                "createdAt": 1_600_000_000_000_u64 + at as u64 * 90_000_000,
                "updatedAt": 1_600_000_000_000_u64 + at as u64 * 91_000_000,
                "dueDate": 1_600_000_000_000_u64 + at as u64 * 95_000_000,
            })
        };
        let cases: Vec<_> = (0..500).map(case).collect();
        let columns = columns(&cases);
        let formed = classes(&columns);
        assert_eq!(formed.len(), 17);
        for (name, class) in formed {
            let class = class.unwrap_or_else(|lack| panic!("{name}: {lack}"));
            let variants = variants(&class, &columns, 20);
            assert_eq!(variants.len(), 20, "{name}");
            for class in variants.iter().chain([&class]) {
                let request = Request::read(&class.body, class.user.as_deref()).unwrap();
                let total = scan(&columns, &request).total;
                assert_eq!(total > 0, !name.starts_with("15"), "{class:?}");
            }
            assert_eq!(super::variants(&class, &columns, 20), variants);
        }
    }

    #[test]
    fn what_no_case_has_is_told() {
        let columns = columns(&[json!({"_id": "1", "name": "a few words", "createdAt": 5})]);
        let lacking = |at: usize| classes(&columns).swap_remove(at).1.err();
        assert_eq!((lacking(0), lacking(12), lacking(13)), (None, None, None));
        assert_eq!(lacking(1).as_deref(), Some("no case has a status"));
        assert_eq!(lacking(3).as_deref(), Some("no case is done"));
        assert_eq!(lacking(4).as_deref(), Some("no case has a due date"));
        assert_eq!(lacking(5).as_deref(), Some("no case has an updated date"));
        assert_eq!(lacking(10).as_deref(), Some("no case has a due date"));
    }

    #[test]
    fn other_classes_get_as_many_values_of_their_fields() {
        let columns = columns(&[json!({
            "_id": "1", "name": "lost parcel", "status": "New", "createdAt": "2025-05-27",
            "queues": ["a"],
        })]);
        let body = concat!(
            r#"{"status":["x","y"],"queues":["z"],"searchText":"q","#,
            r#""startDate":"2025-01-01","endDate":"2025-01-08","limit":3}"#,
        );
        let class = Class { name: "own".to_owned(), user: None, body: body.to_owned() };
        let variants = variants(&class, &columns, 9);
        assert_eq!(variants.len(), 9);
        for class in variants {
            let request = Request::read(&class.body, None).unwrap();
            assert_eq!((scan(&columns, &request).total, request.limit), (1, 3), "{class:?}");
        }
    }
}
