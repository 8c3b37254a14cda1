//! The oracle: a plain linear scan over parsed documents, by the letter of docs/contract.md.
//!
//! It shares no code with the library: its JSON is serde_json's, its dates and folding are its own.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Who asks, and how.
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub user: Option<String>,
    pub offset: i64,
    pub strict: bool,
    pub low_is_severe: bool,
    pub max_limit: u64,
}

/// What a request gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub ids: Vec<String>,
    pub results: Vec<String>,
    pub page: u64,
    pub limit: u64,
    pub has_more: bool,
    pub total_pages: u64,
    pub total_results: u64,
    pub ignored: Vec<String>,
}

/// Code and path of everything that is wrong.
pub type Refused = BTreeSet<(String, String)>;

fn lower(c: char) -> char {
    if c == 'ς' {
        'σ'
    } else if c == 'İ' {
        'i'
    } else {
        c.to_lowercase().next().unwrap()
    }
}

fn folded(text: &str) -> String {
    text.chars().map(lower).collect()
}

fn key_of(text: &str) -> String {
    folded(text).trim().to_string()
}

fn status_key_of(text: &str) -> String {
    folded(text).replace(['-', '_'], " ").trim().to_string()
}

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// Days since 1970 of a real day of the years 1 to 9999.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let before: i64 = lengths[..(month - 1) as usize].iter().sum();
    let y = year - 1;
    Some(y * 365 + y / 4 - y / 100 + y / 400 + before + day - 1 - 719_162)
}

/// The first and last millisecond that a text names, where utc = local + offset minutes.
fn span_of_text(text: &str, offset: i64) -> Option<(i64, i64)> {
    let text: Vec<char> = text.trim().chars().collect();
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        if part.iter().all(char::is_ascii_digit) {
            part.iter().collect::<String>().parse().ok()
        } else {
            None
        }
    };
    let is = |at: usize, c: char| text.get(at) == Some(&c);
    if !is(4, '-') || !is(7, '-') {
        return None;
    }
    let day = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)? * DAY;
    if text.len() == 10 {
        return Some((day + offset * MINUTE, day + offset * MINUTE + DAY - 1));
    }
    if !(is(10, 'T') || is(10, 't') || is(10, ' ')) || !is(13, ':') || !is(16, ':') {
        return None;
    }
    let (h, m, s) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    let mut at = day + ((h * 60 + m) * 60 + s) * 1000;
    let mut rest = 19;
    if is(rest, '.') {
        let digits: String = text[20..].iter().take_while(|c| c.is_ascii_digit()).collect();
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        at += format!("{digits}00")[..3].parse::<i64>().ok()?;
        rest = 20 + digits.len();
    }
    let zone: String = text[rest..].iter().collect();
    let shift = match zone.as_str() {
        "" => offset,
        "Z" | "z" => 0,
        _ => {
            let sign = match text[rest] {
                '+' => -1,
                '-' => 1,
                _ => return None,
            };
            let (hours, minutes) = (number(rest + 1, rest + 3)?, number(rest + 4, rest + 6)?);
            if text.len() != rest + 6 || !is(rest + 3, ':') || hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        }
    };
    Some((at + shift * MINUTE, at + shift * MINUTE))
}

/// The same for any JSON value that is a date.
fn span(value: &Value, offset: i64) -> Option<(i64, i64)> {
    match value {
        Value::String(text) => span_of_text(text, offset),
        Value::Number(number) => {
            // serde_json reads -0 as a double.
            let minus_zero = number.as_f64() == Some(0.0) && number.to_string() == "-0.0";
            let at = if minus_zero { Some(0) } else { number.as_i64() }?;
            let (first, last) = (days(1, 1, 1)? * DAY, days(9999, 12, 31)? * DAY + DAY - 1);
            (first..=last).contains(&at).then_some((at, at))
        }
        _ => None,
    }
}

/// One document, and what a query needs of it.
#[derive(Clone, Debug)]
pub struct Document {
    pub id: String,
    pub text: String,
    columns: Vec<String>,
    statuses: Vec<String>,
    status: Option<(usize, String)>,
    resolved: bool,
    unassigned: bool,
    priorities: Vec<String>,
    score: Option<f64>,
    channels: Vec<String>,
    queues: Vec<String>,
    holders: Vec<String>,
    agents: Vec<String>,
    created: Option<i64>,
    updated: Option<i64>,
    due: Option<i64>,
    name: Option<String>,
    title: Option<String>,
    assignee: Option<String>,
    ref_id: Option<String>,
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    })
}

fn text_in(value: Option<&Value>) -> Option<String> {
    present(value)?.as_str().map(str::to_string)
}

/// A member of an object, or for `name` the plain text that stands for one.
fn part(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::String(_) if name == "name" => text_in(Some(value)),
        Value::Object(map) => text_in(map.get(name)),
        _ => None,
    }
}

fn parts(value: &Value, names: &[&str]) -> Vec<String> {
    names.iter().filter_map(|name| part(value, name)).collect()
}

fn as_list(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(list)) => list.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    }
}

/// JSON text less the white space outside its strings.
fn squeeze(text: &str) -> String {
    let (mut out, mut inside, mut skip) = (String::new(), false, false);
    for c in text.chars() {
        if inside {
            out.push(c);
            if skip {
                skip = false;
            } else if c == '\\' {
                skip = true;
            } else if c == '"' {
                inside = false;
            }
        } else if !" \t\r\n".contains(c) {
            inside = c == '"';
            out.push(c);
        }
    }
    out
}

/// Reads a document that is well-formed JSON, or says all that it is refused for.
pub fn read(text: &str, account: &str, stream: &str) -> Result<Document, Refused> {
    let value: Value = serde_json::from_str(text).unwrap();
    let mut wrong = Refused::new();
    let mut refuse = |code: &str, path: &str| {
        wrong.insert((code.to_string(), path.to_string()));
    };
    let Value::Object(map) = &value else {
        refuse("not_an_object", "$");
        return Err(wrong);
    };
    let id = text_in(map.get("_id")).filter(|id| id.len() <= 1024);
    if id.is_none() {
        refuse("invalid_id", "$._id");
    }
    for name in ["status", "priority", "currAssignee"] {
        if let Some(Value::Bool(_) | Value::Number(_) | Value::Array(_)) = present(map.get(name)) {
            refuse("invalid_type", &format!("$.{name}"));
        }
    }
    let mut date = |name: &str| {
        let value = present(map.get(name))?;
        let at = span(value, 0).map(|(first, _)| first);
        if at.is_none() {
            refuse("invalid_date", &format!("$.{name}"));
        }
        at
    };
    let created = (date("createdAt"), date("timestampValue"));
    let updated = date("updatedAt");
    let due = (date("dueDate"), date("ETA"));
    if wrong.is_empty() {
        for (name, own) in [("accountId", account), ("iId", stream)] {
            if text_in(map.get(name)).is_some_and(|text| text != own) {
                wrong.insert(("foreign_scope".to_string(), format!("$.{name}")));
            }
        }
    }
    match id {
        Some(id) if wrong.is_empty() => Ok(gather(id, text, map, created, updated, due)),
        _ => Err(wrong),
    }
}

type Pair = (Option<i64>, Option<i64>);

fn gather(
    id: String,
    text: &str,
    map: &Map<String, Value>,
    created: Pair,
    updated: Option<i64>,
    due: Pair,
) -> Document {
    let nothing = Value::Null;
    let get = |name: &str| map.get(name).unwrap_or(&nothing);
    let keys = |texts: Vec<String>| texts.iter().map(|text| key_of(text)).collect::<Vec<_>>();
    let (status, priority, assignee) = (get("status"), get("priority"), get("currAssignee"));
    let status_name = part(status, "name").or(part(status, "lname"));
    let category = part(status, "statusCategory").or(status_name.clone());
    let category = category.map(|category| status_key_of(&category));
    let ranks = ["open", "in progress", "on hold", "resolved", "closed"];
    let holder = parts(assignee, &["agentId", "aId", "_id", "name"]);
    let kind = text_in(map.get("assigneeType")).map(|kind| key_of(&kind)).unwrap_or_default();

    let channel = as_list(map.get("channel"));
    let mut channels: Vec<String> =
        channel.iter().flat_map(|one| keys(parts(one, &["name", "_id", "type"]))).collect();
    if let Some(source) = text_in(map.get("source")).filter(|_| channels.is_empty()) {
        channels.push(key_of(&source));
        if source.starts_with("emailInst-") {
            channels.push("email".to_string());
        }
    }
    let mut queues = as_list(map.get("queues"));
    queues.push(get("currQueue").clone());

    let fields = as_list(map.get("fields"));
    let lname = |field: &Value| part(field, "lname").map(|lname| key_of(&lname));
    let title = fields.iter().find(|field| lname(field).as_deref() == Some("title"));
    let due_field = fields.iter().find(|field| {
        lname(field).as_deref() == Some("due date") || field["metaData"]["name"] == "dueDate"
    });
    let due_field = due_field.and_then(|field| span(&field["selectedValue"], 0));

    Document {
        id,
        text: squeeze(text),
        columns: map.keys().cloned().collect(),
        statuses: parts(status, &["name", "lname", "_id"])
            .iter()
            .map(|t| status_key_of(t))
            .collect(),
        status: category.as_ref().map(|category| {
            let rank = ranks.iter().position(|rank| rank == category).unwrap_or(ranks.len());
            (rank, folded(&status_name.unwrap_or_default()))
        }),
        resolved: category.is_some_and(|category| category == "resolved" || category == "closed"),
        unassigned: kind == "unassigned" || (kind != "agent" && holder.is_empty()),
        priorities: keys(parts(priority, &["name", "lname", "_id"])),
        score: priority.get("score").and_then(Value::as_f64).filter(|score| score.is_finite()),
        channels,
        queues: queues.iter().flat_map(|one| keys(parts(one, &["name", "lname", "_id"]))).collect(),
        holders: parts(assignee, &["agentId", "aId", "_id"]),
        agents: keys(holder),
        created: created.0.or(created.1),
        updated,
        due: due.0.or(due.1).or(due_field.map(|(first, _)| first)),
        name: text_in(map.get("name")).map(|text| folded(&text)),
        title: title.and_then(|title| text_in(title.get("selectedValue"))).map(|t| folded(&t)),
        assignee: part(assignee, "name").map(|text| folded(&text)),
        ref_id: text_in(map.get("refId")).map(|text| folded(&text)),
    }
}

/// Answers a body over the live documents, or says all that it is refused for.
pub fn answer(documents: &[Document], body: &Value, context: &Context) -> Result<Answer, Refused> {
    let Value::Object(body) = body else {
        return Err(Refused::from([("not_an_object".to_string(), "$".to_string())]));
    };
    let mut asked = Asked { body, context, wrong: Refused::new() };
    let order = asked.order();
    let paging = asked.paging();
    let ignored = asked.keys();
    let found: Vec<&Document> = asked.filter(documents);
    let columns = asked.list("selectedColumns");
    if !asked.wrong.is_empty() {
        return Err(asked.wrong);
    }
    Ok(slice(documents, found, &order, paging, columns.as_deref(), ignored))
}

fn slice(
    documents: &[Document],
    mut found: Vec<&Document>,
    order: &[(&'static str, bool)],
    (skip, limit, page): (u128, u64, u64),
    columns: Option<&[String]>,
    mut ignored: Vec<String>,
) -> Answer {
    found.sort_by(|a, b| compare(a, b, order));
    let total = found.len() as u64;
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let start = usize::try_from(skip).unwrap_or(usize::MAX);
    let shown: Vec<_> = found.into_iter().skip(start).take(take).collect();
    for name in columns.into_iter().flatten() {
        let unknown = format!("selectedColumns.{name}");
        let had = documents.iter().any(|document| document.columns.contains(name));
        if !had && !ignored.contains(&unknown) {
            ignored.push(unknown);
        }
    }
    Answer {
        ids: shown.iter().map(|document| document.id.clone()).collect(),
        results: shown.iter().map(|document| shape(&document.text, columns)).collect(),
        page,
        limit,
        has_more: skip + (shown.len() as u128) < u128::from(total),
        total_pages: if limit == 0 { 0 } else { total.div_ceil(limit) },
        total_results: total,
        ignored,
    }
}

/// A compact document with only some of its top-level members.
fn shape(text: &str, columns: Option<&[String]>) -> String {
    let Some(columns) = columns else { return text.to_string() };
    let mut kept = Vec::new();
    for member in members(text) {
        let name = member.split_at(string_end(member)).0;
        let name: String = serde_json::from_str(name).unwrap();
        if name == "_id" || columns.contains(&name) {
            kept.push(member);
        }
    }
    format!("{{{}}}", kept.join(","))
}

/// The top-level members of a compact object, as they are spelled.
fn members(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start, mut at) = (Vec::new(), 0, 1, 0);
    while at < text.len() {
        match text.as_bytes()[at] {
            b'"' => at += string_end(&text[at..]) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        let ends = depth == 0 || (depth == 1 && text.as_bytes()[at] == b',');
        if ends && start < at {
            found.push(&text[start..at]);
            start = at + 1;
        }
        at += 1;
    }
    found
}

/// Where the string that a text starts with ends.
fn string_end(text: &str) -> usize {
    let mut at = 1;
    while text.as_bytes()[at] != b'"' {
        at += if text.as_bytes()[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn compare(a: &Document, b: &Document, order: &[(&'static str, bool)]) -> Ordering {
    let mut result = Ordering::Equal;
    for (field, down) in order {
        let one = match *field {
            "created" => by(&a.created, &b.created, *down),
            "updated" => by(&a.updated, &b.updated, *down),
            "due" => by(&a.due, &b.due, *down),
            "priority" => by(&a.score, &b.score, *down),
            "status" => by(&a.status, &b.status, *down),
            "name" => by(&a.name, &b.name, *down),
            "refId" => by(&a.ref_id, &b.ref_id, *down),
            "assignee" => by(&a.assignee, &b.assignee, *down),
            _ => by(&Some(&a.id), &Some(&b.id), *down),
        };
        result = result.then(one);
    }
    result
}

/// Missing ones last, whichever the direction.
fn by<T: PartialOrd>(a: &Option<T>, b: &Option<T>, down: bool) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) if down => b.partial_cmp(a).unwrap(),
        (Some(a), Some(b)) => a.partial_cmp(b).unwrap(),
    }
}

const FILTERS: [&str; 18] = [
    "searchText",
    "unresolved",
    "unassigned",
    "mycase",
    "mytask",
    "priority",
    "status",
    "queues",
    "channel",
    "agents",
    "startDate",
    "endDate",
    "dueDate",
    "sortBy",
    "page",
    "skip",
    "limit",
    "selectedColumns",
];
const RESERVED: [&str; 16] = [
    "filter",
    "cursor",
    "facets",
    "tabs",
    "view",
    "explain",
    "whyNot",
    "rank",
    "around",
    "timezone",
    "now",
    "overdue",
    "dueWithin",
    "values",
    "customFields",
    "ETAlist",
];

/// A body under judgement.
struct Asked<'a> {
    body: &'a Map<String, Value>,
    context: &'a Context,
    wrong: Refused,
}

impl Asked<'_> {
    fn refuse(&mut self, code: &str, path: &str) {
        self.wrong.insert((code.to_string(), path.to_string()));
    }

    /// A member that is not absent.
    fn get(&self, name: &str) -> Option<Value> {
        let value = self.body.get(name)?;
        let empty = [Value::Null, Value::Bool(false), Value::from(""), Value::Array(vec![])];
        (!empty.contains(value)).then(|| value.clone())
    }

    fn flag(&mut self, name: &str) -> bool {
        let value = self.get(name);
        if value.as_ref().is_some_and(|value| !value.is_boolean()) {
            self.refuse("invalid_type", &format!("$.{name}"));
        }
        value == Some(Value::Bool(true))
    }

    fn list(&mut self, name: &str) -> Option<Vec<String>> {
        match self.get(name)? {
            Value::String(text) => Some(vec![text]),
            Value::Array(list) => {
                if list.len() > 1000 {
                    self.refuse("too_many_values", &format!("$.{name}"));
                    return None;
                }
                for (index, value) in list.iter().enumerate() {
                    if !value.is_string() {
                        self.refuse("invalid_type", &format!("$.{name}[{index}]"));
                    }
                }
                Some(list.iter().filter_map(Value::as_str).map(str::to_string).collect())
            }
            _ => {
                self.refuse("invalid_type", &format!("$.{name}"));
                None
            }
        }
    }

    fn date(&mut self, name: &str) -> Option<(i64, i64)> {
        let value = self.get(name)?;
        let found = span(&value, self.context.offset);
        if !value.is_string() && !value.is_number() {
            self.refuse("invalid_type", &format!("$.{name}"));
        } else if found.is_none() {
            self.refuse("invalid_date", &format!("$.{name}"));
        }
        found
    }

    fn integer(&mut self, name: &str, least: u64) -> Option<u64> {
        let value = self.body.get(name).filter(|value| !value.is_null())?;
        if !value.is_number() {
            self.refuse("invalid_type", &format!("$.{name}"));
            return None;
        }
        let number = value.as_u64().filter(|number| (least..1 << 53).contains(number));
        if number.is_none() {
            self.refuse("invalid_integer", &format!("$.{name}"));
        }
        number
    }

    fn paging(&mut self) -> (u128, u64, u64) {
        let (page, skip) = (self.integer("page", 1), self.integer("skip", 0));
        let limit = self.integer("limit", 0);
        let bad = |name: &str| {
            self.wrong.iter().any(|(code, path)| {
                (code == "invalid_type" || code == "invalid_integer")
                    && *path == format!("$.{name}")
            })
        };
        let all_good = !bad("page") && !bad("skip") && !bad("limit");
        let limit = limit.unwrap_or(50).min(self.context.max_limit);
        let start = page.map(|page| u128::from(page - 1) * u128::from(limit));
        match (start, skip) {
            (Some(start), Some(skip)) => {
                if all_good && start != u128::from(skip) {
                    self.refuse("conflicting_paging", "$.skip");
                }
                (start, limit, page.unwrap())
            }
            (Some(start), None) => (start, limit, page.unwrap()),
            (None, Some(skip)) if limit > 0 => (u128::from(skip), limit, skip / limit + 1),
            (None, skip) => (u128::from(skip.unwrap_or(0)), limit, 1),
        }
    }

    /// Judges the names of the keys; gives the ignored ones.
    fn keys(&mut self) -> Vec<String> {
        let mut ignored = Vec::new();
        let unread = self.body.iter().filter(|(name, _)| !FILTERS.contains(&name.as_str()));
        for (name, value) in unread {
            if RESERVED.contains(&name.as_str()) {
                if self.get(name).is_some() && *value != Value::Object(Map::new()) {
                    self.wrong.insert(("unsupported".to_string(), at_key("$", name)));
                }
            } else if self.context.strict {
                self.wrong.insert(("unknown_field".to_string(), at_key("$", name)));
            } else {
                ignored.push(name.clone());
            }
        }
        ignored
    }

    fn order(&mut self) -> Vec<(&'static str, bool)> {
        let asked = self.get("sortBy").filter(|value| *value != Value::Object(Map::new()));
        let mut keys: Vec<(&'static str, bool)> = Vec::new();
        match &asked {
            Some(Value::Array(list)) => {
                if list.len() > 1000 {
                    self.refuse("too_many_values", "$.sortBy");
                    return Vec::new();
                }
                for (index, value) in list.iter().enumerate() {
                    self.sort_part(&format!("$.sortBy[{index}]"), value, &mut keys);
                }
            }
            Some(value) => {
                if value.as_object().is_some_and(|map| map.len() > 1000) {
                    self.refuse("too_many_values", "$.sortBy");
                    return Vec::new();
                }
                self.sort_part("$.sortBy", value, &mut keys);
            }
            None => {}
        }
        keys.push(("created", true));
        keys.push(("_id", false));
        // A field named again says nothing: its first key has already told equal from equal.
        keys
    }

    fn sort_part(&mut self, path: &str, value: &Value, keys: &mut Vec<(&'static str, bool)>) {
        match value {
            Value::String(text) => {
                let key = self.sort_text(text);
                self.sort_key(path, key, keys);
            }
            Value::Object(map) => {
                for (name, direction) in map {
                    let down = match direction {
                        Value::String(text) => direction_of(text),
                        Value::Number(number) if number.as_i64() == Some(1) => Some(false),
                        Value::Number(number) if number.as_i64() == Some(-1) => Some(true),
                        _ => None,
                    };
                    let key = match (down, name.as_str()) {
                        (None, _) | (_, "") => Err("invalid_sort"),
                        (Some(down), name) => match field_of(name) {
                            Some(field) => Ok((field, down)),
                            None => Err("unknown_sort_field"),
                        },
                    };
                    self.sort_key(&at_key(path, name), key, keys);
                }
            }
            _ => self.refuse("invalid_type", path),
        }
    }

    fn sort_key(
        &mut self,
        path: &str,
        key: Result<(&'static str, bool), &str>,
        keys: &mut Vec<(&'static str, bool)>,
    ) {
        match key {
            Ok(key) => keys.push(key),
            Err(code) => self.refuse(code, path),
        }
    }

    fn sort_text(&self, text: &str) -> Result<(&'static str, bool), &'static str> {
        let text = text.trim();
        let (minus, rest) = (text.starts_with('-'), text.strip_prefix('-').unwrap_or(text));
        let pieces: Vec<&str> = rest.splitn(2, ':').collect();
        let name = pieces[0].trim();
        if name.is_empty() || (minus && pieces.len() == 2) {
            return Err("invalid_sort");
        }
        let asked = match pieces.get(1) {
            Some(direction) => Some(direction_of(direction.trim()).ok_or("invalid_sort")?),
            None => minus.then_some(true),
        };
        let field = field_of(name).ok_or("unknown_sort_field")?;
        let natural = match field {
            "created" | "updated" => true,
            "priority" => !self.context.low_is_severe,
            _ => false,
        };
        Ok((field, asked.unwrap_or(natural)))
    }

    /// The documents that every filter holds for.
    fn filter<'d>(&mut self, documents: &'d [Document]) -> Vec<&'d Document> {
        if !(-840..=720).contains(&self.context.offset) {
            self.refuse("invalid_offset", "X-Timezone-Offset");
        }
        let needle = self.needle();
        let (unresolved, unassigned) = (self.flag("unresolved"), self.flag("unassigned"));
        let mine = self.mine();
        let keyed = |list: Option<Vec<String>>, key: fn(&str) -> String| -> Option<Vec<String>> {
            Some(list?.iter().map(|text| key(text)).filter(|key| !key.is_empty()).collect())
        };
        let priority = keyed(self.list("priority"), key_of);
        let status = keyed(self.list("status"), status_key_of);
        let queues = keyed(self.list("queues"), key_of);
        let channel = keyed(self.list("channel"), key_of);
        let agents = keyed(self.list("agents"), key_of);
        let (start, end) = (self.date("startDate"), self.date("endDate"));
        let due = self.date("dueDate");
        if !self.wrong.is_empty() {
            return Vec::new();
        }
        let meets = |wanted: &Option<Vec<String>>, own: &[String]| {
            wanted.as_ref().is_none_or(|wanted| own.iter().any(|key| wanted.contains(key)))
        };
        let within =
            |at: Option<i64>, first: i64, last: i64| at.is_some_and(|at| first <= at && at <= last);
        let holds = |d: &&Document| {
            (!unresolved || !d.resolved)
                && (!unassigned || d.unassigned)
                && mine.as_ref().is_none_or(|user| d.holders.contains(user))
                && meets(&priority, &d.priorities)
                && meets(&status, &d.statuses)
                && meets(&queues, &d.queues)
                && meets(&channel, &d.channels)
                && meets(&agents, &d.agents)
                && start.is_none_or(|(first, _)| within(d.created, first, i64::MAX))
                && end.is_none_or(|(_, last)| within(d.created, i64::MIN, last))
                && due.is_none_or(|(first, last)| within(d.due, first, last))
                && needle.as_ref().is_none_or(|needle| {
                    [&d.name, &d.title].into_iter().flatten().any(|text| text.contains(needle))
                })
        };
        documents.iter().filter(holds).collect()
    }

    fn needle(&mut self) -> Option<String> {
        let Some(text) = self.get("searchText")?.as_str().map(|text| text.trim().to_string())
        else {
            self.refuse("invalid_type", "$.searchText");
            return None;
        };
        if text.chars().count() > 1024 {
            self.refuse("text_too_long", "$.searchText");
        }
        (!text.is_empty()).then(|| folded(&text))
    }

    fn mine(&mut self) -> Option<String> {
        let (mycase, mytask) = (self.flag("mycase"), self.flag("mytask"));
        if !mycase && !mytask {
            return None;
        }
        let user = self.context.user.clone().filter(|user| !user.trim().is_empty());
        if user.is_none() {
            self.refuse("missing_current_user", if mycase { "$.mycase" } else { "$.mytask" });
        }
        user
    }
}

fn at_key(path: &str, name: &str) -> String {
    let plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    if !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        format!("{path}.{name}")
    } else {
        format!("{path}[{}]", Value::from(name))
    }
}

fn direction_of(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "asc" => Some(false),
        "desc" => Some(true),
        _ => None,
    }
}

fn field_of(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "created" | "createddate" | "createdat" => "created",
        "updateddate" | "updatedat" | "lastupdated" => "updated",
        "duedate" | "eta" => "due",
        "priority" => "priority",
        "status" => "status",
        "name" | "title" => "name",
        "refid" => "refId",
        "assignee" => "assignee",
        "_id" => "_id",
        _ => return None,
    })
}
