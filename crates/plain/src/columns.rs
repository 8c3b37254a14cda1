//! Cases as columns.

use std::cmp::Ordering;
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::request::{By, fold, key, status_key};

/// What stands for no date.
pub(crate) const NO_DATE: i64 = i64::MIN;

/// Lists of keys, each list once.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    pub(crate) lists: Vec<Vec<String>>,
    known: HashMap<Vec<String>, u32>,
}

impl Lists {
    fn add(&mut self, mut keys: Vec<String>) -> u32 {
        keys.sort();
        keys.dedup();
        *self.known.entry(keys).or_insert_with_key(|keys| {
            self.lists.push(keys.clone());
            (self.lists.len() - 1) as u32
        })
    }
}

/// Cases, a column for each thing that requests ask of them.
#[derive(Debug, Default)]
pub struct Columns {
    pub(crate) ids: Vec<Box<str>>,
    pub(crate) created: Vec<i64>,
    pub(crate) updated: Vec<i64>,
    pub(crate) due: Vec<i64>,
    pub(crate) score: Vec<Option<f64>>,
    pub(crate) unresolved: Vec<bool>,
    pub(crate) unassigned: Vec<bool>,
    pub(crate) status: Vec<u32>,
    pub(crate) priority: Vec<u32>,
    pub(crate) channel: Vec<u32>,
    pub(crate) queues: Vec<u32>,
    pub(crate) agents: Vec<u32>,
    pub(crate) users: Vec<u32>,
    pub(crate) statuses: Lists,
    pub(crate) priorities: Lists,
    pub(crate) channels: Lists,
    pub(crate) queue_sets: Lists,
    pub(crate) agent_sets: Lists,
    pub(crate) user_sets: Lists,
    /// Folded names and titles, each of both closed by a line feed.
    pub(crate) text: String,
    /// Where each case's texts end.
    pub(crate) text_ends: Vec<u64>,
    /// Where each case's name ends.
    name_ends: Vec<u64>,
    pub(crate) named: Vec<bool>,
    /// Folded.
    pub(crate) ref_ids: Vec<Option<Box<str>>>,
    /// Lists of one: the rank of the category and the status's name, or none.
    status_order: Vec<u32>,
    status_orders: Lists,
    /// Lists of one: the assignee's folded name, or none.
    assignee: Vec<u32>,
    assignees: Lists,
}

/// What is read out of one document.
#[derive(Debug)]
pub struct Read {
    id: String,
    created: i64,
    updated: i64,
    due: i64,
    score: Option<f64>,
    unresolved: bool,
    unassigned: bool,
    lists: [Vec<String>; 6],
    name: Option<String>,
    title: Option<String>,
    ref_id: Option<String>,
    status_order: Option<String>,
    assignee: Option<String>,
}

impl Read {
    /// The case's `_id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Columns {
    /// Reads one document; nothing where it is no JSON object.
    #[must_use]
    pub fn read(document: &[u8]) -> Option<Read> {
        let case: Value = serde_json::from_slice(document).ok()?;
        let status = &case["status"];
        let named = |value: &Value| text(value).or_else(|| text(&value["name"]));
        let category = text(&status["statusCategory"]).or_else(|| named(status));
        let status_order = category.as_ref().map(|category| {
            let known = ["open", "in progress", "on hold", "resolved", "closed"];
            let category = status_key(category);
            let rank = known.iter().position(|known| *known == category).unwrap_or(known.len());
            let name = named(status).or_else(|| text(&status["lname"])).unwrap_or_default();
            format!("{rank}{}", fold(&name))
        });
        let category = category.map(|category| status_key(&category)).unwrap_or_default();
        let assignee = &case["currAssignee"];
        let ids: Vec<_> =
            ["agentId", "aId", "_id"].iter().filter_map(|id| text(&assignee[*id])).collect();
        let kind = text(&case["assigneeType"]).map(|kind| key(&kind));
        let field = |lname: &str| {
            list(&case["fields"])
                .iter()
                .find(|field| text(&field["lname"]).is_some_and(|own| key(&own) == lname))
        };
        let queues = list(&case["queues"]).iter();
        let keys = |value: &Value, names: &[&str], form: fn(&str) -> String| -> Vec<String> {
            let own = names.iter().filter_map(|name| text(&value[*name]));
            text(value).into_iter().chain(own).map(|text| form(&text)).collect()
        };
        let mut channels: Vec<String> = list(&case["channel"])
            .iter()
            .flat_map(|channel| keys(channel, &["name", "_id", "type"], key))
            .collect();
        if channels.is_empty()
            && let Some(source) = text(&case["source"])
        {
            channels.push(key(&source));
            channels.extend(source.starts_with("emailInst-").then(|| "email".to_owned()));
        }
        let name = text(&case["name"]).map(|name| fold(&name));
        let title = field("title").and_then(|field| text(&field["selectedValue"]));
        Some(Read {
            id: text(&case["_id"])?,
            created: date(&case["createdAt"])
                .or_else(|| date(&case["timestampValue"]))
                .unwrap_or(NO_DATE),
            updated: date(&case["updatedAt"]).unwrap_or(NO_DATE),
            due: date(&case["dueDate"])
                .or_else(|| date(&case["ETA"]))
                .or_else(|| date(&field("due date")?["selectedValue"]))
                .unwrap_or(NO_DATE),
            score: case["priority"]["score"].as_f64(),
            unresolved: !matches!(category.as_str(), "resolved" | "closed"),
            unassigned: match kind.as_deref() {
                Some("unassigned") => true,
                Some("agent") => false,
                _ => ids.is_empty() && named(assignee).is_none(),
            },
            lists: [
                keys(status, &["name", "lname", "_id"], status_key),
                keys(&case["priority"], &["name", "lname", "_id"], key),
                channels,
                queues
                    .chain([&case["currQueue"]])
                    .flat_map(|queue| keys(queue, &["name", "lname", "_id"], key))
                    .collect(),
                ids.iter().chain(&named(assignee)).map(|text| key(text)).collect(),
                ids,
            ],
            ref_id: text(&case["refId"]).map(|id| fold(&id)),
            status_order,
            assignee: named(assignee).map(|name| fold(&name)),
            title: title.map(|title| fold(&title)).filter(|title| Some(title) != name.as_ref()),
            name,
        })
    }

    /// Adds a case; its place is how many there were.
    pub fn push(&mut self, read: Read) {
        let [status, priority, channel, queues, agents, users] = read.lists;
        self.ids.push(read.id.into());
        self.created.push(read.created);
        self.updated.push(read.updated);
        self.due.push(read.due);
        self.score.push(read.score);
        self.unresolved.push(read.unresolved);
        self.unassigned.push(read.unassigned);
        self.status.push(self.statuses.add(status));
        self.priority.push(self.priorities.add(priority));
        self.channel.push(self.channels.add(channel));
        self.queues.push(self.queue_sets.add(queues));
        self.agents.push(self.agent_sets.add(agents));
        self.users.push(self.user_sets.add(users));
        self.named.push(read.name.is_some());
        self.text.push_str(&read.name.unwrap_or_default());
        self.name_ends.push(self.text.len() as u64);
        self.text.push('\n');
        self.text.push_str(&read.title.unwrap_or_default());
        self.text.push('\n');
        self.text_ends.push(self.text.len() as u64);
        self.ref_ids.push(read.ref_id.map(Into::into));
        self.status_order.push(self.status_orders.add(Vec::from_iter(read.status_order)));
        self.assignee.push(self.assignees.add(Vec::from_iter(read.assignee)));
    }

    /// How many cases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The `_id` of a case.
    #[must_use]
    pub fn id(&self, place: u32) -> &str {
        &self.ids[place as usize]
    }

    pub(crate) fn status_order(&self, place: u32) -> Option<&String> {
        self.status_orders.lists[self.status_order[place as usize] as usize].first()
    }

    pub(crate) fn assignee(&self, place: u32) -> Option<&String> {
        self.assignees.lists[self.assignee[place as usize] as usize].first()
    }

    /// The folded name and title, each closed by a line feed.
    #[must_use]
    pub fn texts(&self, place: u32) -> &str {
        let at = place as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.text_ends[before]);
        &self.text[start as usize..self.text_ends[at] as usize]
    }

    /// What a case is known by to each filter: the keys of its status, priority, channels, queues
    /// and assignee, and its assignee's user ids. Each list has a number, the same for equal ones.
    #[must_use]
    pub fn lists(&self, place: u32) -> [(u32, &[String]); 6] {
        let at = place as usize;
        let columns = [
            (&self.status, &self.statuses),
            (&self.priority, &self.priorities),
            (&self.channel, &self.channels),
            (&self.queues, &self.queue_sets),
            (&self.agents, &self.agent_sets),
            (&self.users, &self.user_sets),
        ];
        columns.map(|(column, lists)| (column[at], lists.lists[column[at] as usize].as_slice()))
    }

    /// Whether a case is neither resolved nor closed, and whether it is nobody's.
    #[must_use]
    pub fn flags(&self, place: u32) -> (bool, bool) {
        (self.unresolved[place as usize], self.unassigned[place as usize])
    }

    /// When a case was created and is due.
    #[must_use]
    pub fn dates(&self, place: u32) -> (i64, Option<i64>) {
        let due = self.due[place as usize];
        (self.created[place as usize], (due != NO_DATE).then_some(due))
    }

    /// Compares two cases by one field, in one direction. A missing value is the greatest.
    #[must_use]
    pub fn compare(&self, by: By, descending: bool, a: u32, b: u32) -> Ordering {
        crate::scan::by(self, by, descending, a, b)
    }

    /// Whether a case lacks what an order asks for.
    #[must_use]
    pub fn lacks(&self, by: By, place: u32) -> bool {
        let at = place as usize;
        match by {
            By::Id => false,
            By::Created => self.created[at] == NO_DATE,
            By::Updated => self.updated[at] == NO_DATE,
            By::Due => self.due[at] == NO_DATE,
            By::Priority => self.score[at].is_none(),
            By::Status => self.status_order(place).is_none(),
            By::Name => !self.named[at],
            By::RefId => self.ref_ids[at].is_none(),
            By::Assignee => self.assignee(place).is_none(),
        }
    }

    pub(crate) fn name(&self, place: u32) -> Option<&str> {
        let at = place as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.text_ends[before]);
        self.named[at].then(|| &self.text[start as usize..self.name_ends[at] as usize])
    }
}

/// The elements of a list; one that is no list stands for a list of one.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(elements) => elements,
        other => std::slice::from_ref(other),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn date(value: &Value) -> Option<i64> {
    if let Some(millis) = value.as_i64() {
        return Some(millis);
    }
    let text = value.as_str()?.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.timestamp_millis());
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
    }
    let text = text.replacen([' ', 't'], "T", 1).replacen(',', ".", 1).replace(['Z', 'z'], "+00");
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    forms.iter().find_map(|form| {
        let zoned = DateTime::parse_from_str(&text, &format!("{form}%#z"));
        let local = || NaiveDateTime::parse_from_str(&text, form).ok();
        let local = || local().map(|local| local.and_utc().timestamp_millis());
        zoned.ok().map(|zoned| zoned.timestamp_millis()).or_else(local)
    })
}
