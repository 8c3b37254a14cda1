//! The JSON face of a request: a body's members, each judged by itself.

use super::context::Context;
use super::limits::{MAX_INTEGER, MAX_VALUES, invalid_integer, too_many_values};
use super::request::{Request, RequestDate};
use super::sort::{Direction, SortError, SortKey};
use crate::refusal::{Code, Problem, Refusal};
use crate::value::json::{Json, Kind, MAX_BYTES, Value, push_key};
use crate::value::time::Date;

/// Names that are kept for later: empty they say nothing, else they are refused.
const RESERVED: &[&str] = &[
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

/// What a body says, and what is wrong with it so far.
#[derive(Default)]
pub(super) struct Body {
    pub(super) request: Request,
    pub(super) problems: Vec<Problem>,
    /// Unknown keys, in the body's order.
    pub(super) ignored: Vec<String>,
    /// What `limit` was lowered to, if it was.
    pub(super) lowered: Option<u64>,
}

impl Body {
    /// Reads a body. Fails only for what comes alone; the rest is in `problems`.
    pub(super) fn read(bytes: &[u8], context: &Context) -> Result<Self, Refusal> {
        let mut body = Self::default();
        let blank = bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        let json = Json::read(if blank && bytes.len() <= MAX_BYTES { b"{}" } else { bytes })
            .map_err(|error| Problem::from_json(error, Code::BodyTooLarge))?;
        if json.root().kind() != Kind::Object {
            return Err(Problem::not_an_object().into());
        }
        for (name, value) in json.root().members() {
            body.member(&name.text().unwrap_or_default(), value, context);
        }
        body.lower_limit(context.max_limit);
        Ok(body)
    }

    fn member(&mut self, name: &str, value: Value<'_, '_>, context: &Context) {
        match name {
            "searchText" => {
                if let Some(text) = self.text(name, value) {
                    self.request.search_text = text;
                }
            }
            "unresolved" => self.request.unresolved = self.flag(name, value),
            "unassigned" => self.request.unassigned = self.flag(name, value),
            "mycase" => self.request.mycase = self.flag(name, value),
            "mytask" => self.request.mytask = self.flag(name, value),
            "priority" => self.request.priority = self.list(name, value),
            "status" => self.request.status = self.list(name, value),
            "queues" => self.request.queues = self.list(name, value),
            "channel" => self.request.channel = self.list(name, value),
            "agents" => self.request.agents = self.list(name, value),
            "startDate" => self.request.start_date = self.date(name, value),
            "endDate" => self.request.end_date = self.date(name, value),
            "dueDate" => self.request.due_date = self.date(name, value),
            "sortBy" => self.sort_by(value),
            "page" => self.request.page = self.integer(name, value, 1),
            "skip" => self.request.skip = self.integer(name, value, 0),
            "limit" => self.request.limit = self.integer(name, value, 0),
            "selectedColumns" => self.request.selected_columns = self.list(name, value),
            _ => self.other(name, value, context),
        }
    }

    /// A key that no field has: reserved for later, or unknown.
    fn other(&mut self, name: &str, value: Value<'_, '_>, context: &Context) {
        let mut path = String::from("$");
        push_key(&mut path, name);
        if RESERVED.contains(&name) {
            if !is_absent(value) && !is_empty_object(value) {
                let reserved = Problem::new(
                    Code::Unsupported,
                    path,
                    "the name is reserved, and not built yet",
                );
                self.problems
                    .push(reserved.value(value.raw()).accepts("nothing yet: leave it out"));
            }
        } else if context.strict {
            let unknown = Problem::new(Code::UnknownField, path, "the contract has no such field");
            self.problems.push(unknown.value(value.raw()).accepts("a field of the contract"));
        } else {
            self.ignored.push(name.to_owned());
        }
    }

    fn wrong_type(&mut self, path: String, value: Value<'_, '_>, wanted: &'static str) {
        self.problems.push(Problem::wrong_type(path, value, wanted));
    }

    fn text(&mut self, name: &str, value: Value<'_, '_>) -> Option<String> {
        if is_absent(value) {
            return None;
        }
        let text = value.text();
        if text.is_none() {
            self.wrong_type(format!("$.{name}"), value, "a text");
        }
        text.map(Into::into)
    }

    fn flag(&mut self, name: &str, value: Value<'_, '_>) -> bool {
        if !is_absent(value) && value.kind() != Kind::True {
            self.wrong_type(format!("$.{name}"), value, "true or false");
        }
        value.kind() == Kind::True
    }

    fn list(&mut self, name: &str, value: Value<'_, '_>) -> Vec<String> {
        if is_absent(value) {
            return Vec::new();
        }
        if let Some(text) = value.text() {
            return vec![text.into()];
        }
        if value.kind() != Kind::Array {
            self.wrong_type(format!("$.{name}"), value, "a list of texts, or one text");
            return Vec::new();
        }
        if self.too_many(&format!("$.{name}"), value.elements().count()) {
            return Vec::new();
        }
        let mut texts = Vec::new();
        for (index, element) in value.elements().enumerate() {
            match element.text() {
                Some(text) => texts.push(text.into()),
                None => self.wrong_type(format!("$.{name}[{index}]"), element, "a text"),
            }
        }
        texts
    }

    /// Reports a list that is too long; its elements are then not judged, so that a body of a
    /// million wrong ones gets a short answer.
    fn too_many(&mut self, path: &str, count: usize) -> bool {
        if count > MAX_VALUES {
            self.problems.push(too_many_values(path));
        }
        count > MAX_VALUES
    }

    fn date(&mut self, name: &str, value: Value<'_, '_>) -> Option<RequestDate> {
        if is_absent(value) {
            return None;
        }
        let date = match value.kind() {
            Kind::Text => Date::from_text(&value.text()?),
            Kind::Number => Date::from_number(value.raw()),
            _ => {
                self.wrong_type(format!("$.{name}"), value, "a date as a text or an integer");
                return None;
            }
        };
        if date.is_none() {
            self.problems.push(
                Problem::new(Code::InvalidDate, format!("$.{name}"), "no date")
                    .value(value.raw())
                    .accepts("YYYY-MM-DD, RFC 3339, or epoch milliseconds"),
            );
        }
        date.map(RequestDate)
    }

    fn integer(&mut self, name: &str, value: Value<'_, '_>, least: u64) -> Option<u64> {
        match value.kind() {
            Kind::Null => return None,
            Kind::Number => {}
            _ => {
                self.wrong_type(format!("$.{name}"), value, "an integer");
                return None;
            }
        }
        // The grammar of JSON leaves no leading zeros, so digits alone are an integer.
        let digits = value.raw().bytes().all(|byte| byte.is_ascii_digit());
        let number =
            value.raw().parse().ok().filter(|number| (least..=MAX_INTEGER).contains(number));
        if !digits || number.is_none() {
            self.problems.push(invalid_integer(&format!("$.{name}"), least, value.raw()));
            return None;
        }
        number
    }

    fn sort_by(&mut self, value: Value<'_, '_>) {
        if is_absent(value) || is_empty_object(value) {
            return;
        }
        let is_list = value.kind() == Kind::Array;
        let count = if is_list { value.elements().count() } else { value.members().count() };
        if self.too_many("$.sortBy", count) {
            return;
        }
        if !is_list {
            self.sort_part("$.sortBy", value);
        }
        for (index, element) in value.elements().enumerate() {
            self.sort_part(&format!("$.sortBy[{index}]"), element);
        }
    }

    fn sort_part(&mut self, path: &str, value: Value<'_, '_>) {
        match value.kind() {
            Kind::Text => {
                let key = value.text().unwrap_or_default().parse();
                self.sort_key(path.to_owned(), value, key);
            }
            Kind::Object => {
                for (name, direction) in value.members() {
                    let name = name.text().unwrap_or_default();
                    let mut path = path.to_owned();
                    push_key(&mut path, &name);
                    let key = match sort_direction(direction) {
                        Some(direction) => SortKey::named(&name, Some(direction)),
                        None => Err(SortError::Form),
                    };
                    self.sort_key(path, direction, key);
                }
            }
            _ => self.wrong_type(path.to_owned(), value, "a text, an object, or a list of these"),
        }
    }

    fn sort_key(&mut self, path: String, value: Value<'_, '_>, key: Result<SortKey, SortError>) {
        match key {
            Ok(key) => self.request.sort_by.push(key),
            Err(error) => self.problems.push(error.at(path, value.raw())),
        }
    }

    fn lower_limit(&mut self, cap: u64) {
        let limit = self.request.limit_or_default();
        if limit > cap && !self.problems.iter().any(|problem| problem.path == "$.limit") {
            self.request.limit = Some(cap);
            self.lowered = Some(cap);
        }
    }
}

fn sort_direction(value: Value<'_, '_>) -> Option<Direction> {
    match (value.kind(), value.raw()) {
        (Kind::Number, "1") => Some(Direction::Asc),
        (Kind::Number, "-1") => Some(Direction::Desc),
        _ => Direction::named(&value.text()?),
    }
}

/// `null`, `false`, `""` or `[]`: a filter that is not asked.
fn is_absent(value: Value<'_, '_>) -> bool {
    match value.kind() {
        Kind::Null | Kind::False => true,
        Kind::Text => value.raw() == "\"\"",
        Kind::Array => value.is_empty(),
        _ => false,
    }
}

fn is_empty_object(value: Value<'_, '_>) -> bool {
    value.kind() == Kind::Object && value.is_empty()
}
