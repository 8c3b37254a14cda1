//! The oracle's JSON: values beside their spelling, cut out of the text by serde_json's raw values.
//!
//! serde_json judges the grammar. What it leaves open is judged here: which of a broken text and a
//! deep one comes first, repeated keys, and numbers, which stay texts.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Problem, at_key};

const MAX_BYTES: usize = 1_048_576;
const MAX_DEPTH: usize = 128;

/// A value, and how it is spelled.
#[derive(Clone, Debug)]
pub struct Node<'t> {
    pub raw: &'t str,
    pub json: Json<'t>,
}

#[derive(Clone, Debug)]
pub enum Json<'t> {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(&'t str),
    Text(String),
    List(Vec<Node<'t>>),
    Object(Vec<(String, Node<'t>)>),
}

impl<'t> Node<'t> {
    pub fn get(&self, name: &str) -> Option<&Node<'t>> {
        self.members().iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub fn members(&self) -> &[(String, Node<'t>)] {
        match &self.json {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    pub fn elements(&self) -> &[Node<'t>] {
        match &self.json {
            Json::List(list) => list,
            _ => &[],
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.json {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is `""`, `[]` or `{}`.
    pub fn is_empty(&self) -> bool {
        match &self.json {
            Json::Text(text) => text.is_empty(),
            Json::List(list) => list.is_empty(),
            Json::Object(members) => members.is_empty(),
            _ => false,
        }
    }
}

/// Reads a text, or says what is wrong with it as such: such a problem comes alone.
pub fn read<'t>(bytes: &'t [u8], too_large: &str) -> Result<Node<'t>, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::bare(too_large, "$"));
    }
    let invalid = || Problem::bare("invalid_json", "$");
    let text = std::str::from_utf8(bytes).map_err(|_| invalid())?;
    match first_wrong(text) {
        Some(code) => Err(Problem::bare(code, "$")),
        None => value(text).ok_or_else(invalid),
    }
}

/// The path of the first key, in reading order, that stood before in its object.
pub fn repeated_key(node: &Node<'_>, path: &str) -> Option<String> {
    let mut known = HashSet::new();
    for (name, value) in node.members() {
        let path = at_key(path, name);
        if !known.insert(name) {
            return Some(path);
        }
        if let Some(inner) = repeated_key(value, &path) {
            return Some(inner);
        }
    }
    let mut elements = node.elements().iter().enumerate();
    elements.find_map(|(index, value)| repeated_key(value, &format!("{path}[{index}]")))
}

/// The first of what is broken and what is too deep.
fn first_wrong(text: &str) -> Option<&'static str> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => {
                let string = string_at(text, at);
                let Some(string) = string.filter(|s| serde_json::from_str::<String>(s).is_ok())
                else {
                    return Some("invalid_json");
                };
                at += string.len();
                continue;
            }
            b'{' | b'[' if open.len() == MAX_DEPTH => {
                // Too deep only if a value may stand here: then a text may, too.
                let ends: String = open.iter().rev().collect();
                let is_sound = is_json(&format!("{}\"\"{ends}", &text[..at]));
                return Some(if is_sound { "too_deep" } else { "invalid_json" });
            }
            b'{' => open.push('}'),
            b'[' => open.push(']'),
            b'}' | b']' => _ = open.pop(),
            _ => {}
        }
        at += 1;
    }
    (!is_json(text)).then_some("invalid_json")
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The string that starts at a quote, with its quotes; nothing where it does not end.
fn string_at(text: &str, at: usize) -> Option<&str> {
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(at + 1).find(|(_, byte)| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map(|(end, _)| &text[at..=end])
}

/// A value whose grammar was judged.
fn value(text: &str) -> Option<Node<'_>> {
    let raw = serde_json::from_str::<&RawValue>(text).ok()?.get();
    let json = match raw.as_bytes().first()? {
        b'n' => Json::Null,
        b't' => Json::Bool(true),
        b'f' => Json::Bool(false),
        b'"' => Json::Text(serde_json::from_str(raw).ok()?),
        b'[' => {
            let list: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            Json::List(list.into_iter().map(|raw| value(raw.get())).collect::<Option<_>>()?)
        }
        b'{' => {
            let Members(members) = serde_json::from_str(raw).ok()?;
            let members = members.into_iter().map(|(name, raw)| Some((name, value(raw.get())?)));
            Json::Object(members.collect::<Option<_>>()?)
        }
        _ => Json::Number(raw),
    };
    Some(Node { raw, json })
}

/// Every member of an object as it stands, repeated ones too.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each)
    }
}
