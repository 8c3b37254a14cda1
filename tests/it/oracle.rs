//! The oracle: a plain linear scan over parsed documents, by the letter of docs/contract.md.
//!
//! It shares no code with the library: its JSON is serde_json's, its dates and folding are its own.

use std::cmp::Ordering;

#[path = "oracle/asked.rs"]
mod asked;
#[path = "oracle/date.rs"]
mod date;
#[path = "oracle/filter.rs"]
pub mod filter;
#[path = "oracle/json.rs"]
pub mod json;
#[path = "oracle/values.rs"]
pub mod values;

use asked::{About, Asked, Paging};
use date::span;
use json::{Json, Node};

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
    /// Whether there is a cursor for the next page.
    pub has_cursor: bool,
    pub ignored: Vec<String>,
}

/// Where a cursor stands: how many cases the pages before gave, and the last of them.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub passed: u64,
    pub last: Option<Document>,
}

/// Fields and whether each is descending.
pub type Order = Vec<(&'static str, bool)>;

/// One thing that is wrong, as an answer must tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: String,
    pub path: String,
    /// What is echoed, as JSON text.
    pub value: Option<String>,
    /// How many more problems there are; for `too_many_problems`.
    pub more: usize,
}

impl Problem {
    fn bare(code: &str, path: &str) -> Self {
        Self { code: code.to_string(), path: shortened(path), value: None, more: 0 }
    }

    fn echoing(code: &str, path: &str, raw: &str) -> Self {
        let value = match raw.chars().count() {
            0..=128 => raw.to_string(),
            _ => serde_json::json!(raw.chars().take(128).collect::<String>()).to_string(),
        };
        Self { value: Some(value), ..Self::bare(code, path) }
    }
}

/// Everything that is wrong, in the order an answer must tell it.
pub type Refused = Vec<Problem>;

/// At most 256 characters of a text.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 256 {
        return text.to_string();
    }
    text.chars().take(255).chain(['…']).collect()
}

/// The first 100, and how many more there are.
fn first_hundred(mut wrong: Refused) -> Refused {
    let more = wrong.len().saturating_sub(100);
    wrong.truncate(100);
    if more > 0 {
        wrong.push(Problem { more, ..Problem::bare("too_many_problems", "$") });
    }
    wrong
}

/// The first 100 names, each shortened, and how many more there are.
fn told(names: &[String]) -> Vec<String> {
    let mut told: Vec<String> = names.iter().take(100).map(|name| shortened(name)).collect();
    if names.len() > 100 {
        told.push(format!("… and {} more", names.len() - 100));
    }
    told
}

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

/// One document, and what a query needs of it.
#[derive(Clone, Debug)]
pub struct Document {
    pub id: String,
    pub text: String,
    columns: Vec<String>,
    statuses: Vec<String>,
    status: Option<(usize, String)>,
    /// The status key of the category.
    category: Option<String>,
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

fn present<'n, 't>(value: Option<&'n Node<'t>>) -> Option<&'n Node<'t>> {
    let is_blank = |text: &str| text.trim().is_empty();
    value.filter(|value| {
        !matches!(value.json, Json::Null)
            && !value.is_empty()
            && !value.text().is_some_and(is_blank)
    })
}

fn text_in(value: Option<&Node<'_>>) -> Option<String> {
    present(value)?.text().map(str::to_string)
}

/// A member of an object, or for `name` the plain text that stands for one.
fn part(value: Option<&Node<'_>>, name: &str) -> Option<String> {
    let value = value?;
    match value.json {
        Json::Text(_) if name == "name" => text_in(Some(value)),
        _ => text_in(value.get(name)),
    }
}

fn parts(value: Option<&Node<'_>>, names: &[&str]) -> Vec<String> {
    names.iter().filter_map(|name| part(value, name)).collect()
}

fn as_list<'n, 't>(value: Option<&'n Node<'t>>) -> Vec<&'n Node<'t>> {
    match value.map(|value| &value.json) {
        Some(Json::List(list)) => list.iter().collect(),
        _ => value.into_iter().collect(),
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

/// Reads a document, or says all that it is refused for.
pub fn read(text: &[u8], account: &str, stream: &str) -> Result<Document, Refused> {
    let node = json::read(text, "document_too_large").map_err(|wrong| vec![wrong])?;
    object(&node)?;
    let mut wrong = Refused::new();
    let id = text_in(node.get("_id")).filter(|id| id.len() <= 1024);
    if id.is_none() {
        wrong.push(match node.get("_id") {
            Some(value) => Problem::echoing("invalid_id", "$._id", value.raw),
            None => Problem::bare("invalid_id", "$._id"),
        });
    }
    for name in ["status", "priority", "currAssignee"] {
        let value = present(node.get(name));
        if let Some(Node { raw, json: Json::Bool(_) | Json::Number(_) | Json::List(_) }) = value {
            wrong.push(Problem::echoing("invalid_type", &format!("$.{name}"), raw));
        }
    }
    let mut date = |name: &str| {
        let value = present(node.get(name))?;
        let at = span(value, 0).map(|(first, _)| first);
        if at.is_none() {
            wrong.push(Problem::echoing("invalid_date", &format!("$.{name}"), value.raw));
        }
        at
    };
    let created = (date("createdAt"), date("timestampValue"));
    let updated = date("updatedAt");
    let due = (date("dueDate"), date("ETA"));
    if wrong.is_empty() {
        for (name, own) in [("accountId", account), ("iId", stream)] {
            let value = present(node.get(name));
            if let Some(value) = value.filter(|value| value.text().is_some_and(|t| t != own)) {
                wrong.push(Problem::echoing("foreign_scope", &format!("$.{name}"), value.raw));
            }
        }
    }
    match id {
        Some(id) if wrong.is_empty() => {
            let text = std::str::from_utf8(text).unwrap();
            Ok(gather(id, text, &node, created, updated, due))
        }
        _ => Err(wrong),
    }
}

/// Nothing but an object, no key of which stands twice.
fn object(node: &Node<'_>) -> Result<(), Refused> {
    if !matches!(node.json, Json::Object(_)) {
        return Err(vec![Problem::bare("not_an_object", "$")]);
    }
    match json::repeated_key(node, "$") {
        Some(path) => Err(vec![Problem::bare("duplicate_key", &path)]),
        None => Ok(()),
    }
}

type Pair = (Option<i64>, Option<i64>);

fn gather(
    id: String,
    text: &str,
    node: &Node<'_>,
    created: Pair,
    updated: Option<i64>,
    due: Pair,
) -> Document {
    let get = |name: &str| node.get(name);
    let keys = |texts: Vec<String>| texts.iter().map(|text| key_of(text)).collect::<Vec<_>>();
    let (status, priority, assignee) = (get("status"), get("priority"), get("currAssignee"));
    let status_name = part(status, "name").or(part(status, "lname"));
    let own_category = part(status, "statusCategory");
    let category = own_category.clone().or(status_name.clone());
    let category = category.map(|category| status_key_of(&category));
    let ranks = ["open", "in progress", "on hold", "resolved", "closed"];
    let holder = parts(assignee, &["agentId", "aId", "_id", "name"]);
    let kind = text_in(get("assigneeType")).map(|kind| key_of(&kind)).unwrap_or_default();

    let channel = as_list(get("channel"));
    let mut channels: Vec<String> =
        channel.iter().flat_map(|one| keys(parts(Some(one), &["name", "_id", "type"]))).collect();
    if let Some(source) = text_in(get("source")).filter(|_| channels.is_empty()) {
        channels.push(key_of(&source));
        if source.starts_with("emailInst-") {
            channels.push("email".to_string());
        }
    }
    let mut queues = as_list(get("queues"));
    queues.extend(get("currQueue"));

    let fields = as_list(get("fields"));
    let lname = |field: &Node<'_>| part(Some(field), "lname").map(|lname| key_of(&lname));
    let title = fields.iter().find(|field| lname(field).as_deref() == Some("title"));
    let due_field = fields.iter().find(|field| {
        let meta = field.get("metaData").and_then(|meta| meta.get("name"));
        lname(field).as_deref() == Some("due date") || meta.and_then(Node::text) == Some("dueDate")
    });
    let due_field = due_field.and_then(|field| span(field.get("selectedValue")?, 0));

    Document {
        id,
        text: squeeze(text),
        columns: node.members().iter().map(|(name, _)| name.clone()).collect(),
        statuses: parts(status, &["name", "lname", "_id"])
            .iter()
            .map(|t| status_key_of(t))
            .collect(),
        status: category.as_ref().map(|category| {
            let rank = ranks.iter().position(|rank| rank == category).unwrap_or(ranks.len());
            (rank, folded(&status_name.unwrap_or_default()))
        }),
        category: own_category.map(|own| status_key_of(&own)),
        resolved: category.is_some_and(|category| category == "resolved" || category == "closed"),
        unassigned: kind == "unassigned" || (kind != "agent" && holder.is_empty()),
        priorities: keys(parts(priority, &["name", "lname", "_id"])),
        score: priority.and_then(|priority| score(priority.get("score")?)),
        channels,
        queues: (queues.iter())
            .flat_map(|one| keys(parts(Some(one), &["name", "lname", "_id"])))
            .collect(),
        holders: parts(assignee, &["agentId", "aId", "_id"]),
        agents: keys(holder),
        created: created.0.or(created.1),
        updated,
        due: due.0.or(due.1).or(due_field.map(|(first, _)| first)),
        name: text_in(get("name")).map(|text| folded(&text)),
        title: title.and_then(|title| text_in(title.get("selectedValue"))).map(|t| folded(&t)),
        assignee: part(assignee, "name").map(|text| folded(&text)),
        ref_id: text_in(get("refId")).map(|text| folded(&text)),
    }
}

/// A number that a double can hold.
fn score(value: &Node<'_>) -> Option<f64> {
    let Json::Number(number) = value.json else { return None };
    number.parse().ok().filter(|score: &f64| score.is_finite())
}

/// Answers a body over the live documents, or says all that it is refused for. The text of a cursor
/// is none of the oracle's.
pub fn answer(documents: &[Document], body: &[u8], context: &Context) -> Result<Answer, Refused> {
    answer_at(documents, body, context, None)
}

/// The same of a body whose cursor stands at a place.
pub fn answer_at(
    documents: &[Document],
    body: &[u8],
    context: &Context,
    place: Option<&Place>,
) -> Result<Answer, Refused> {
    let is_empty = body.iter().all(|byte| b" \t\r\n".contains(byte));
    let text = if is_empty && body.len() <= 1 << 20 { b"{}" } else { body };
    let node = json::read(text, "body_too_large").map_err(|wrong| vec![wrong])?;
    object(&node)?;
    let mut asked = Asked { body: &node, context, wrong: Vec::new() };
    let order = asked.order();
    let paging = asked.paging(place);
    let ignored = asked.keys();
    let found: Vec<&Document> = asked.filter(documents);
    let columns = asked.list("selectedColumns");
    if asked.wrong.is_empty() {
        if let (Some(Some(text)), None) = (paging.cursor, place) {
            return Err(vec![Problem::echoing("invalid_cursor", "$.cursor", text.raw)]);
        }
        let last = place.and_then(|place| place.last.as_ref());
        return Ok(slice(documents, found, &order, (paging, last), columns.as_deref(), ignored));
    }
    // The header's, then the body's keys as they stand, then what needs several keys.
    let position = |key: &str| node.members().iter().position(|(own, _)| own == key);
    asked.wrong.sort_by_key(|(about, _)| match about {
        About::Header => (0, None),
        About::Key(key) => (1, position(key)),
        About::Several => (2, None),
    });
    Err(first_hundred(asked.wrong.into_iter().map(|(_, problem)| problem).collect()))
}

/// The documents that a valid body's filters hold for, and its order.
pub fn matching<'d>(
    documents: &'d [Document],
    body: &[u8],
    context: &Context,
) -> (Vec<&'d Document>, Order) {
    let node = json::read(body, "body_too_large").unwrap();
    let mut asked = Asked { body: &node, context, wrong: Vec::new() };
    let order = asked.order();
    (asked.filter(documents), order)
}

fn slice(
    documents: &[Document],
    mut found: Vec<&Document>,
    order: &[(&'static str, bool)],
    (Paging { skip, limit, page, cursor }, last): (Paging<'_>, Option<&Document>),
    columns: Option<&[String]>,
    mut ignored: Vec<String>,
) -> Answer {
    found.sort_by(|a, b| compare(a, b, order));
    let total = found.len() as u64;
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let start = usize::try_from(skip).unwrap_or(usize::MAX);
    if let Some(last) = last {
        found.retain(|document| compare(document, last, order).is_gt());
    }
    let ahead = found.len() as u128;
    let shown: Vec<_> = found.into_iter().skip(start).take(take).collect();
    let has_more = skip + (shown.len() as u128) < ahead;
    let mut unknown: Vec<&String> = Vec::new();
    columns.into_iter().flatten().for_each(|name| {
        if !unknown.contains(&name) {
            unknown.push(name);
        }
    });
    for document in documents {
        unknown.retain(|name| !document.columns.contains(*name));
    }
    ignored.extend(unknown.iter().map(|name| format!("selectedColumns.{name}")));
    Answer {
        ids: shown.iter().map(|document| document.id.clone()).collect(),
        results: shown.iter().map(|document| shape(&document.text, columns)).collect(),
        page,
        limit,
        has_more,
        has_cursor: has_more && cursor.is_some(),
        total_pages: if limit == 0 { 0 } else { total.div_ceil(limit) },
        total_results: total,
        ignored: told(&ignored),
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

/// How two documents stand in an order.
pub fn compare(a: &Document, b: &Document, order: &[(&'static str, bool)]) -> Ordering {
    for (field, down) in order {
        let result = match *field {
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
        if result.is_ne() {
            return result;
        }
    }
    Ordering::Equal
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

fn at_key(path: &str, name: &str) -> String {
    let plain = |c: char| c == '_' || c.is_ascii_alphanumeric();
    if !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        format!("{path}.{name}")
    } else {
        format!("{path}[{}]", serde_json::json!(name))
    }
}
