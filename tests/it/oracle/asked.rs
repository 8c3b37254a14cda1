//! The oracle's judgement of a request: each key by itself, then what needs several.

use super::date::span;
use super::filter;
use super::json::{Json, Node};
use super::{Context, Document, Place, Problem, at_key, folded, key_of, status_key_of};

const FILTERS: [&str; 20] = [
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
    "filter",
    "sortBy",
    "page",
    "skip",
    "cursor",
    "limit",
    "selectedColumns",
];
const RESERVED: [&str; 14] = [
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
pub(super) struct Asked<'a> {
    pub(super) body: &'a Node<'a>,
    pub(super) context: &'a Context,
    pub(super) wrong: Vec<(About, Problem)>,
}

/// Which part of the results is asked.
pub(super) struct Paging<'a> {
    pub(super) skip: u128,
    pub(super) limit: u64,
    pub(super) page: u64,
    /// Whether a cursor is asked, and its text.
    pub(super) cursor: Option<Option<&'a Node<'a>>>,
}

/// What a problem is about.
pub(super) enum About {
    Header,
    Key(String),
    Several,
}

impl<'a> Asked<'a> {
    /// Refuses what stands under a key, or within it.
    pub(super) fn refuse(&mut self, key: &str, problem: Problem) {
        self.wrong.push((About::Key(key.to_string()), problem));
    }

    pub(super) fn wrong_type(&mut self, key: &str, path: &str, value: &Node<'_>) {
        self.refuse(key, Problem::echoing("invalid_type", path, value.raw));
    }

    /// A member that is not absent.
    fn get(&self, name: &str) -> Option<&'a Node<'a>> {
        self.body.get(name).filter(|value| match value.json {
            Json::Null | Json::Bool(false) => false,
            Json::Object(_) => true,
            _ => !value.is_empty(),
        })
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.get(name) {
            None => false,
            Some(Node { json: Json::Bool(_), .. }) => true,
            Some(value) => {
                self.wrong_type(name, &format!("$.{name}"), value);
                false
            }
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.get(name)?;
        match &value.json {
            Json::Text(text) => Some(vec![text.clone()]),
            Json::List(list) => {
                if list.len() > 1000 {
                    self.refuse(name, Problem::bare("too_many_values", &format!("$.{name}")));
                    return None;
                }
                for (index, value) in list.iter().enumerate() {
                    if value.text().is_none() {
                        self.wrong_type(name, &format!("$.{name}[{index}]"), value);
                    }
                }
                Some(list.iter().filter_map(Node::text).map(str::to_string).collect())
            }
            _ => {
                self.wrong_type(name, &format!("$.{name}"), value);
                None
            }
        }
    }

    fn date(&mut self, name: &str) -> Option<(i64, i64)> {
        let value = self.get(name)?;
        let found = span(value, self.context.offset);
        if !matches!(value.json, Json::Text(_) | Json::Number(_)) {
            self.wrong_type(name, &format!("$.{name}"), value);
        } else if found.is_none() {
            let path = format!("$.{name}");
            self.refuse(name, Problem::echoing("invalid_date", &path, value.raw));
        }
        found
    }

    fn integer(&mut self, name: &str, least: u64) -> Option<u64> {
        let value = self.body.get(name).filter(|value| !matches!(value.json, Json::Null))?;
        let Json::Number(number) = value.json else {
            self.wrong_type(name, &format!("$.{name}"), value);
            return None;
        };
        let digits = number.chars().all(|c| c.is_ascii_digit());
        let number = number.parse().ok().filter(|n| digits && (least..1 << 53).contains(n));
        if number.is_none() {
            let path = format!("$.{name}");
            self.refuse(name, Problem::echoing("invalid_integer", &path, value.raw));
        }
        number
    }

    /// Whether a cursor is asked; its text, as it stands, if it has one.
    fn cursor(&mut self) -> Option<Option<&'a Node<'a>>> {
        let value = self.get("cursor").filter(|value| !value.is_empty())?;
        match value.json {
            Json::Bool(_) => Some(None),
            Json::Text(_) => Some(Some(value)),
            _ => {
                self.wrong_type("cursor", "$.cursor", value);
                None
            }
        }
    }

    /// `place` is where the request's cursor stands.
    pub(super) fn paging(&mut self, place: Option<&Place>) -> Paging<'a> {
        let before = self.wrong.len();
        let cursor = self.cursor();
        let (page, skip) = (self.integer("page", 1), self.integer("skip", 0));
        let limit = self.integer("limit", 0);
        let all_good = self.wrong.len() == before;
        let limit = limit.unwrap_or(50).min(self.context.max_limit);
        if let Some(text) = cursor {
            for (name, number) in [("page", page), ("skip", skip)] {
                if let Some(number) = number.filter(|_| all_good) {
                    let path = format!("$.{name}");
                    let problem =
                        Problem::echoing("conflicting_paging", &path, &number.to_string());
                    self.wrong.push((About::Several, problem));
                }
            }
            let passed = place.map_or(0, |place| place.passed);
            let page = passed.checked_div(limit).map_or(1, |full| full + 1);
            return Paging { skip: 0, limit, page, cursor: Some(text) };
        }
        let start = page.map(|page| u128::from(page - 1) * u128::from(limit));
        let (skip, limit, page) = match (start, skip) {
            (Some(start), Some(skip)) => {
                if all_good && start != u128::from(skip) {
                    let raw = skip.to_string();
                    let problem = Problem::echoing("conflicting_paging", "$.skip", &raw);
                    self.wrong.push((About::Several, problem));
                }
                (start, limit, page.unwrap())
            }
            (Some(start), None) => (start, limit, page.unwrap()),
            (None, Some(skip)) if limit > 0 => (u128::from(skip), limit, skip / limit + 1),
            (None, skip) => (u128::from(skip.unwrap_or(0)), limit, 1),
        };
        Paging { skip, limit, page, cursor: None }
    }

    /// Judges the names of the keys; gives the ignored ones.
    pub(super) fn keys(&mut self) -> Vec<String> {
        let mut ignored = Vec::new();
        for (name, value) in self.body.members() {
            let code = if FILTERS.contains(&name.as_str()) {
                continue;
            } else if RESERVED.contains(&name.as_str()) {
                if self.get(name).is_none() || value.is_empty() {
                    continue;
                }
                "unsupported"
            } else if self.context.strict {
                "unknown_field"
            } else {
                ignored.push(name.clone());
                continue;
            };
            self.refuse(name, Problem::echoing(code, &at_key("$", name), value.raw));
        }
        ignored
    }

    pub(super) fn order(&mut self) -> Vec<(&'static str, bool)> {
        let mut keys: Vec<(&'static str, bool)> = Vec::new();
        if let Some(value) = self.get("sortBy").filter(|value| !value.is_empty()) {
            if value.elements().len() > 1000 || value.members().len() > 1000 {
                self.refuse("sortBy", Problem::bare("too_many_values", "$.sortBy"));
                return Vec::new();
            }
            match &value.json {
                Json::List(list) => {
                    for (index, value) in list.iter().enumerate() {
                        self.sort_part(&format!("$.sortBy[{index}]"), value, &mut keys);
                    }
                }
                _ => self.sort_part("$.sortBy", value, &mut keys),
            }
        }
        keys.push(("created", true));
        keys.push(("_id", false));
        // A field named again says nothing: its first key has already told equal from equal.
        let mut told = Vec::new();
        keys.retain(|(field, _)| {
            let is_new = !told.contains(field);
            told.push(field);
            is_new
        });
        // No two cases have one `_id`: what comes behind it says nothing, nor where a cursor stands
        // at an earlier state of a case.
        let end =
            keys.iter().position(|(field, _)| *field == "_id").map_or(keys.len(), |at| at + 1);
        keys.truncate(end);
        keys
    }

    fn sort_part(&mut self, path: &str, value: &Node<'_>, keys: &mut Vec<(&'static str, bool)>) {
        match &value.json {
            Json::Text(text) => {
                let key = self.sort_text(text);
                self.sort_key(path, value, key, keys);
            }
            Json::Object(members) => {
                for (name, direction) in members {
                    let down = match &direction.json {
                        Json::Text(text) => direction_of(text),
                        Json::Number("1") => Some(false),
                        Json::Number("-1") => Some(true),
                        _ => None,
                    };
                    let key = match (down, name.as_str()) {
                        (None, _) | (_, "") => Err("invalid_sort"),
                        (Some(down), name) => match field_of(name) {
                            Some(field) => Ok((field, down)),
                            None => Err("unknown_sort_field"),
                        },
                    };
                    self.sort_key(&at_key(path, name), direction, key, keys);
                }
            }
            _ => self.wrong_type("sortBy", path, value),
        }
    }

    fn sort_key(
        &mut self,
        path: &str,
        value: &Node<'_>,
        key: Result<(&'static str, bool), &str>,
        keys: &mut Vec<(&'static str, bool)>,
    ) {
        match key {
            Ok(key) => keys.push(key),
            Err(code) => self.refuse("sortBy", Problem::echoing(code, path, value.raw)),
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
    pub(super) fn filter<'d>(&mut self, documents: &'d [Document]) -> Vec<&'d Document> {
        if !(-840..=720).contains(&self.context.offset) {
            let raw = self.context.offset.to_string();
            let problem = Problem::echoing("invalid_offset", "X-Timezone-Offset", &raw);
            self.wrong.push((About::Header, problem));
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
        let tree = self.get("filter").filter(|tree| !tree.is_empty());
        let tree = tree.map(|tree| filter::read(self, tree));
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
                && tree.as_ref().is_none_or(|tree| tree.holds(d))
                && needle.as_ref().is_none_or(|needle| {
                    [&d.name, &d.title].into_iter().flatten().any(|text| text.contains(needle))
                })
        };
        documents.iter().filter(holds).collect()
    }

    fn needle(&mut self) -> Option<String> {
        let value = self.get("searchText")?;
        let Some(text) = value.text().map(str::trim) else {
            self.wrong_type("searchText", "$.searchText", value);
            return None;
        };
        if text.chars().count() > 1024 {
            let problem = Problem::echoing("text_too_long", "$.searchText", value.raw);
            self.refuse("searchText", problem);
        }
        (!text.is_empty()).then(|| folded(text))
    }

    fn mine(&mut self) -> Option<String> {
        let (mycase, mytask) = (self.flag("mycase"), self.flag("mytask"));
        if !mycase && !mytask {
            return None;
        }
        let user = self.user();
        if user.is_none() {
            let path = if mycase { "$.mycase" } else { "$.mytask" };
            self.wrong.push((About::Several, Problem::bare("missing_current_user", path)));
        }
        user
    }

    /// Who asks, where that is known.
    pub(super) fn user(&self) -> Option<String> {
        self.context.user.clone().filter(|user| !user.trim().is_empty())
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
