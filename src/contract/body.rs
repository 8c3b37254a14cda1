//! The JSON face of a request: a body's members, each judged by itself.

use super::context::Context;
use super::cursor::Cursor;
use super::filter::Filter;
use super::ignored::Ignored;
use super::limits::{self, MAX_INTEGER, invalid_integer};
use super::request::{Request, RequestDate};
use super::sort::{Direction, SortError, SortKey};
use super::values;
use crate::refusal::{Code, Problem, Problems, Refusal};
use crate::value::json::{Json, Kind, MAX_BYTES, Value, push_key};

/// Names that are kept for later: empty they say nothing, else they are refused.
const RESERVED: &[&str] = &[
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
pub(super) struct Body {
    pub(super) request: Request,
    pub(super) problems: Problems,
    /// Whether `page`, `skip`, `limit` and `cursor` are valid, each by itself.
    pub(super) paging_valid: bool,
    /// The cursor as it is spelled, if it is a text.
    pub(super) cursor: Option<String>,
    /// Unknown keys, in the body's order.
    pub(super) ignored: Ignored,
    /// What `limit` was lowered to, if it was.
    pub(super) lowered: Option<u64>,
}

impl Body {
    /// Reads a body, and judges the context's offset before it. Fails only for what comes alone;
    /// the rest is in `problems`.
    pub(super) fn read(bytes: &[u8], context: &Context) -> Result<Self, Refusal> {
        let blank = bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        let json = Json::read(if blank && bytes.len() <= MAX_BYTES { b"{}" } else { bytes })
            .map_err(|error| Problem::from_json(error, Code::BodyTooLarge))?;
        if json.root().kind() != Kind::Object {
            return Err(Problem::not_an_object().into());
        }
        let mut body = Self {
            request: Request::default(),
            problems: Problems::default(),
            paging_valid: true,
            cursor: None,
            ignored: Ignored::default(),
            lowered: None,
        };
        limits::check_offset(context, &mut body.problems);
        for (name, value) in json.root().members() {
            body.member(&name.text().unwrap_or_default(), value, context);
        }
        body.lower_limit(context.max_limit);
        Ok(body)
    }

    fn member(&mut self, name: &str, value: Value<'_, '_>, context: &Context) {
        match name {
            "searchText" => self.search_text(value),
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
            "filter" => self.filter(value),
            "sortBy" => self.sort_by(value),
            "page" => self.request.page = self.integer(name, value, 1),
            "skip" => self.request.skip = self.integer(name, value, 0),
            "cursor" => self.cursor(value),
            "limit" => self.request.limit = self.integer(name, value, 0),
            "selectedColumns" => self.request.selected_columns = self.list(name, value),
            _ => self.other(name, value, context),
        }
    }

    /// A key that no field has: reserved for later, or unknown.
    fn other(&mut self, name: &str, value: Value<'_, '_>, context: &Context) {
        let problem = |code, msg| {
            let mut path = String::from("$");
            push_key(&mut path, name);
            Problem::new(code, path, msg).with_value(value.raw())
        };
        if RESERVED.contains(&name) {
            if !is_absent(value) && !is_empty_object(value) {
                self.problems.add(|| {
                    problem(Code::Unsupported, "the name is reserved, and not built yet")
                        .accepts("nothing yet: leave it out")
                });
            }
        } else if context.strict {
            self.problems.add(|| {
                problem(Code::UnknownField, "the contract has no such field")
                    .accepts("a field of the contract")
            });
        } else {
            self.ignored.push(name);
        }
    }

    fn wrong_type(&mut self, name: &str, value: Value<'_, '_>, wanted: &'static str) {
        self.problems.add(|| Problem::wrong_type(format!("$.{name}"), value, wanted));
    }

    fn search_text(&mut self, value: Value<'_, '_>) {
        if is_absent(value) {
            return;
        }
        match value.text() {
            Some(text) if limits::is_too_long(text.trim()) => {
                self.problems.add(|| limits::text_too_long("$.searchText", value.raw()));
            }
            Some(text) => self.request.search_text = text.into(),
            None => self.wrong_type("searchText", value, "a text"),
        }
    }

    fn flag(&mut self, name: &str, value: Value<'_, '_>) -> bool {
        if !is_absent(value) && value.kind() != Kind::True {
            self.wrong_type(name, value, "true or false");
        }
        value.kind() == Kind::True
    }

    fn list(&mut self, name: &str, value: Value<'_, '_>) -> Vec<String> {
        if is_absent(value) {
            return Vec::new();
        }
        values::texts(value, || format!("$.{name}"), &mut self.problems)
    }

    fn date(&mut self, name: &str, value: Value<'_, '_>) -> Option<RequestDate> {
        if is_absent(value) {
            return None;
        }
        values::date(value, || format!("$.{name}"), &mut self.problems)
    }

    fn filter(&mut self, value: Value<'_, '_>) {
        if !is_absent(value) && !is_empty_object(value) {
            self.request.filter = Filter::read(value, &mut self.problems);
        }
    }

    fn cursor(&mut self, value: Value<'_, '_>) {
        self.request.cursor = match value.kind() {
            _ if is_absent(value) || is_empty_object(value) => return,
            Kind::True => Some(Cursor::First),
            Kind::Text => {
                self.cursor = Some(value.raw().to_owned());
                value.text().map(|text| Cursor::After(text.into()))
            }
            _ => {
                self.wrong_type("cursor", value, "true or a text");
                self.paging_valid = false;
                None
            }
        };
    }

    fn integer(&mut self, name: &str, value: Value<'_, '_>, least: u64) -> Option<u64> {
        match value.kind() {
            Kind::Null => return None,
            Kind::Number => {}
            _ => {
                self.wrong_type(name, value, "an integer");
                self.paging_valid = false;
                return None;
            }
        }
        // The grammar of JSON leaves no leading zeros, so digits alone are an integer.
        let digits = value.raw().bytes().all(|byte| byte.is_ascii_digit());
        let number =
            value.raw().parse().ok().filter(|number| (least..=MAX_INTEGER).contains(number));
        if !digits || number.is_none() {
            self.problems.add(|| invalid_integer(&format!("$.{name}"), least, value.raw()));
            self.paging_valid = false;
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
        if values::is_too_long(count, || "$.sortBy".to_owned(), &mut self.problems) {
            return;
        }
        if !is_list {
            self.sort_part("sortBy", value);
        }
        for (index, element) in value.elements().enumerate() {
            self.sort_part(&format!("sortBy[{index}]"), element);
        }
    }

    fn sort_part(&mut self, name: &str, value: Value<'_, '_>) {
        match value.kind() {
            Kind::Text => {
                let key = value.text().unwrap_or_default().parse();
                self.sort_key(key, value, || format!("$.{name}"));
            }
            Kind::Object => {
                for (field, direction) in value.members() {
                    let field = field.text().unwrap_or_default();
                    let key = match sort_direction(direction) {
                        Some(direction) => SortKey::named(&field, Some(direction)),
                        None => Err(SortError::Form),
                    };
                    self.sort_key(key, direction, || {
                        let mut path = format!("$.{name}");
                        push_key(&mut path, &field);
                        path
                    });
                }
            }
            _ => self.wrong_type(name, value, "a text, an object, or a list of these"),
        }
    }

    /// A field named again says nothing, and is dropped: there are few fields, however long the
    /// list is.
    fn sort_key(
        &mut self,
        key: Result<SortKey, SortError>,
        value: Value<'_, '_>,
        path: impl FnOnce() -> String,
    ) {
        match key {
            Ok(key) if self.request.sort_by.iter().any(|own| own.field == key.field) => {}
            Ok(key) => self.request.sort_by.push(key),
            Err(error) => self.problems.add(|| error.at(path(), value.raw())),
        }
    }

    fn lower_limit(&mut self, cap: u64) {
        if self.request.limit_or_default() > cap {
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
