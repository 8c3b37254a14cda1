//! How the records of a file become the documents of cases.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;
use crate::mapping::{Mapping, Source, Target};
use crate::path::{JsonPath, Step};
use crate::rows::Header;

/// What the records of a file are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Shape {
    /// Documents of cases.
    #[default]
    Case,
    /// JSON of another system.
    Json(Vec<Mapped>),
    /// Rows of a table.
    Row(Header),
}

/// A target, and where its value is.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub(crate) target: Target,
    pub(crate) source: Source,
    path: JsonPath,
}

/// The document of a case, made of a record.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) json: String,
    /// Where parts of it begin, and where they stand in the record.
    parts: Vec<(usize, Range<usize>)>,
}

/// A value for a target: its JSON text, and where it stands in the record.
pub(crate) type Found<'t> = (Target, Cow<'t, str>, Range<usize>);

impl Shape {
    /// The shape of JSON of another system.
    ///
    /// # Errors
    /// Where a source is no path.
    pub(crate) fn of_json(mapping: &Mapping) -> Result<Self, Error> {
        if mapping.sources.is_empty() {
            return Ok(Self::Case);
        }
        let mapped = mapping.sources.iter().map(|(target, source)| {
            let path = source.text.parse().map_err(Error::Usage)?;
            Ok(Mapped { target: *target, source: source.clone(), path })
        });
        Ok(Self::Json(mapped.collect::<Result<_, Error>>()?))
    }

    /// Where the value of a top-level key of a case comes from, where it is mapped.
    pub(crate) fn source_of(&self, key: &str) -> Option<&str> {
        let is_asked = |target: Target| target.key() == key;
        match self {
            Self::Case => None,
            Self::Json(mapped) => {
                let own = mapped.iter().find(|own| is_asked(own.target));
                own.map(|own| &*own.source.text)
            }
            Self::Row(header) => header.source_of(is_asked),
        }
    }
}

impl Document {
    /// Makes a document of JSON of another system; nothing where that is no JSON object.
    pub(crate) fn of_json(text: &[u8], mapped: &[Mapped]) -> Option<Self> {
        let Members(members) = serde_json::from_slice(text).ok()?;
        let range = |value: &RawValue| {
            let start = value.get().as_ptr().addr().wrapping_sub(text.as_ptr().addr());
            start..start.saturating_add(value.get().len())
        };
        let wanted: Vec<_> = mapped.iter().map(|own| (own, own.path.steps())).collect();
        let mut found = Vec::new();
        for (key, value) in &members {
            select(value, &below(&wanted, |step| is_key(step, key)), &mut found);
        }
        // In the order of the mapping; values of one source stay in theirs.
        found.sort_by_key(|(own, _)| mapped.iter().position(|other| std::ptr::eq(other, *own)));
        let found = found.into_iter().map(|(own, value)| {
            own.source.met.note();
            let json = if own.source.is_seconds { seconds(value.get()) } else { None };
            (own.target, json.map_or(Cow::Borrowed(value.get()), Cow::Owned), range(value))
        });
        let mut document = Self::default();
        document.targets(&found.collect::<Vec<_>>());
        let is_taken = |key: &str| {
            mapped.iter().any(|own| {
                own.target.key() == key || matches!(own.path.steps(), [step] if is_key(step, key))
            })
        };
        for (key, value) in &members {
            if !is_taken(key) {
                document.member(key, value.get(), range(value));
            }
        }
        document.close();
        Some(document)
    }

    /// Adds what targets are, each under the key that a case has it.
    pub(crate) fn targets(&mut self, found: &[Found<'_>]) {
        let first =
            |target| found.iter().find(|(own, json, _)| *own == target && !is_missing(json));
        for target in [Target::Id, Target::RefId, Target::Name] {
            if let Some((_, json, range)) = first(target) {
                self.member(target.key(), &text_of(json), range.clone());
            }
        }
        let entities: [(Target, &[(Target, &str)]); 3] = [
            (Target::Status, &[(Target::StatusCategory, "statusCategory")]),
            (Target::Priority, &[(Target::PriorityScore, "score")]),
            (Target::Assignee, &[(Target::AssigneeId, "agentId")]),
        ];
        for (target, more) in entities {
            let name = first(target);
            let more: Vec<_> =
                more.iter().filter_map(|(own, key)| Some((*key, first(*own)?))).collect();
            if let Some((_, _, range)) = name.or(more.first().map(|(_, found)| *found)) {
                let json = entity(name.map(|(_, json, _)| &**json), &more);
                self.member(target.key(), &json, range.clone());
            }
        }
        for target in [Target::Channel, Target::Queue] {
            let all = found.iter().filter(|(own, json, _)| *own == target && !is_missing(json));
            let names = all.clone().map(|(_, json, _)| match inner(json, '[', ']') {
                Some(list) => list.to_owned(),
                None => entity(Some(json), &[]),
            });
            let names: Vec<_> = names.filter(|names| !names.is_empty()).collect();
            if let Some((_, _, range)) = all.clone().next() {
                self.member(target.key(), &format!("[{}]", names.join(",")), range.clone());
            }
        }
        for target in [Target::CreatedAt, Target::UpdatedAt, Target::DueDate] {
            if let Some((_, json, range)) = first(target) {
                self.member(target.key(), json, range.clone());
            }
        }
    }

    /// Adds a member; where its value stands in the record.
    pub(crate) fn member(&mut self, key: &str, json: &str, range: Range<usize>) {
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        self.json += &quoted(key);
        self.json.push(':');
        self.parts.push((self.json.len(), range));
        self.json += json;
    }

    pub(crate) fn close(&mut self) {
        self.json += if self.json.is_empty() { "{}" } else { "}" };
    }

    /// Where a place of the document is in the record.
    pub(crate) fn origin(&self, offset: usize) -> usize {
        let part = self.parts.iter().rev().find(|(start, _)| *start <= offset);
        part.map_or(0, |(start, range)| {
            // Within what was copied, as far as it goes.
            let into = (offset - start).min(range.len().saturating_sub(1));
            range.start + into
        })
    }
}

/// An object with a name: a value that is one stays, and other members are put before its own.
fn entity(name: Option<&str>, more: &[(&str, &Found<'_>)]) -> String {
    let mut members: Vec<_> = more
        .iter()
        .map(|(key, (_, json, _))| match *key {
            "score" => format!("\"score\":{}", number_of(json)),
            key => format!("\"{key}\":{}", text_of(json)),
        })
        .collect();
    match name.map(|name| (name, name.as_bytes().first())) {
        Some((name, Some(b'['))) => return name.to_owned(),
        Some((name, Some(b'{'))) => {
            let own = inner(name, '{', '}').filter(|own| !own.is_empty());
            members.extend(own.map(str::to_owned));
        }
        Some((name, _)) => members.push(format!("\"name\":{}", text_of(name))),
        None => {}
    }
    format!("{{{}}}", members.join(","))
}

/// What is between brackets.
fn inner(json: &str, open: char, close: char) -> Option<&str> {
    json.strip_prefix(open)?.strip_suffix(close).map(str::trim)
}

/// A number or a boolean as a text; what else there is as it is.
fn text_of(json: &str) -> Cow<'_, str> {
    match json.as_bytes().first() {
        Some(b'"' | b'{' | b'[') | None => Cow::Borrowed(json),
        Some(_) => Cow::Owned(quoted(json)),
    }
}

/// A text of a number as a number.
fn number_of(json: &str) -> String {
    let text: String = serde_json::from_str(json).unwrap_or_default();
    let is_number = serde_json::from_str::<serde_json::Number>(text.trim()).is_ok();
    if is_number { text.trim().to_owned() } else { json.to_owned() }
}

/// Seconds, in digits or a text of digits, with or without a fraction, as milliseconds.
pub(crate) fn seconds(json: &str) -> Option<String> {
    let text = json.trim_matches('"').trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    let millis: i64 = millis.parse().ok()?;
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Some(whole.checked_mul(1000)?.checked_add(sign * millis)?.to_string())
}

fn is_missing(json: &str) -> bool {
    json == "null" || json.strip_prefix('"').is_some_and(|rest| rest.trim() == "\"")
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_key(step: &Step, key: &str) -> bool {
    matches!(step, Step::Key(own) if own == key)
}

/// What is wanted of a value, and the steps that lead there.
type Wanted<'w> = Vec<(&'w Mapped, &'w [Step])>;

/// What is wanted of a part, by the step that leads to it.
fn below<'w>(wanted: &Wanted<'w>, leads: impl Fn(&Step) -> bool) -> Wanted<'w> {
    let parts = wanted.iter().filter_map(|(own, steps)| {
        let (step, rest) = steps.split_first()?;
        leads(step).then_some((*own, rest))
    });
    parts.collect()
}

/// Finds what is wanted of a value. Cost: the value, once for each level of the paths.
fn select<'w, 't>(
    value: &'t RawValue,
    wanted: &Wanted<'w>,
    found: &mut Vec<(&'w Mapped, &'t RawValue)>,
) {
    found.extend(wanted.iter().filter(|(_, rest)| rest.is_empty()).map(|(own, _)| (*own, value)));
    if wanted.iter().all(|(_, rest)| rest.is_empty()) {
        return;
    }
    if let Ok(Members(members)) = serde_json::from_str(value.get()) {
        for (key, member) in members {
            let leads = |step: &Step| *step == Step::Each || is_key(step, &key);
            select(member, &below(wanted, leads), found);
        }
    } else if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        for (at, element) in elements.into_iter().enumerate() {
            let leads = |step: &Step| matches!(step, Step::Each) || *step == Step::Index(at);
            select(element, &below(wanted, leads), found);
        }
    }
}

/// The members of an object, each as it is spelled, also those whose keys stand twice.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(json: &str, map: &str) -> String {
        let Shape::Json(mapped) = Shape::of_json(&map.parse().unwrap()).unwrap() else { panic!() };
        Document::of_json(json.as_bytes(), &mapped).unwrap().json
    }

    #[test]
    fn values_are_put_where_cases_have_them() {
        let json = r#"{"id":7,"fields":{"s":{"name":"Open","id":"1"},"c":"done"},
            "to":[{"n":"a"},{"n":null},{"n":"b"}],
            "at":1711111111.25,"kept":[1e999, "\u0041"],"title":"t","status":5}"#;
        let map = "_id=.id,name=.title,status=.fields.s,statusCategory=.fields.c,\
            queue=.to[].n,channel=.to[0].n,\
            assignee=.to[1].n,assigneeId=.id,createdAt=.at * 1000,dueDate=.none";
        let expected = concat!(
            r#"{"_id":"7","name":"t","status":{"statusCategory":"done","name":"Open","id":"1"},"#,
            r#""currAssignee":{"agentId":"7"},"channel":[{"name":"a"}],"#,
            r#""queues":[{"name":"a"},{"name":"b"}],"#,
            r#""createdAt":1711111111250,"fields":{"s":{"name":"Open","id":"1"},"c":"done"},"#,
            r#""to":[{"n":"a"},{"n":null},{"n":"b"}],"kept":[1e999, "\u0041"]}"#,
        );
        assert_eq!(made(json, map), expected);
        // A list is a list, and an object of members is each of them.
        assert_eq!(
            made(r#"{"_id":"1","l":["x",{"name":"y"}]}"#, "queue=.l"),
            r#"{"queues":["x",{"name":"y"}],"_id":"1"}"#
        );
        assert_eq!(
            made(r#"{"_id":"1","m":{"a":"x","b":2}}"#, "channel=.m[]"),
            r#"{"channel":[{"name":"x"},{"name":"2"}],"_id":"1","m":{"a":"x","b":2}}"#
        );
        assert_eq!(made("{}", "name=.a"), "{}");
    }

    #[test]
    fn seconds_are_milliseconds_exactly() {
        for (json, millis) in [
            ("1711111111", Some("1711111111000")),
            ("\"1711111111\"", Some("1711111111000")),
            ("1.0015", Some("1001")),
            ("-0.5", Some("-500")),
            ("-1.5", Some("-1500")),
            ("1e3", None),
            ("\"2025-01-01\"", None),
            ("99999999999999999", None),
        ] {
            assert_eq!(seconds(json).as_deref(), millis, "{json}");
        }
    }

    #[test]
    fn places_lead_back_to_the_record() {
        let json = r#"{"a": {"b": "x"}, "k": [1, tru]}"#;
        let Shape::Json(mapped) = Shape::of_json(&"name=.a.b".parse().unwrap()).unwrap() else {
            panic!()
        };
        assert!(Document::of_json(json.as_bytes(), &mapped).is_none());
        let json = json.replace("tru", "2");
        let made = Document::of_json(json.as_bytes(), &mapped).unwrap();
        let at = |part: &str| json[made.origin(made.json.find(part).unwrap())..].chars().next();
        assert_eq!((at("x\""), at("2]"), at("{")), (Some('x'), Some('2'), Some('{')));
    }
}
