//! What a text of JSON begins with, told where nothing in it is a case.

use crate::path::key_step;
use crate::scan::{Ended, members};

/// How many keys are told.
const KEYS: usize = 8;
/// How many characters of a key are told.
const LETTERS: usize = 40;
/// How many objects deep a list is looked for.
const DEPTH: usize = 3;

/// What the first record of a text of JSON holds, as far as it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outline {
    /// Its first keys, at most 8; none where it is no object.
    pub keys: Vec<String>,
    /// Where a list of objects is in it: a path such as `.issues[]`. Nothing in an element of a
    /// list, which is a record itself.
    pub list: Option<String>,
}

impl Outline {
    /// Of the start of a text.
    pub(crate) fn of(start: &[u8]) -> Self {
        let start = start.trim_ascii_start();
        let element = start.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
        let object = element.unwrap_or(start);
        let mut keys = Vec::new();
        let _ = members(object, |key, _, _| {
            keys.push(key.chars().take(LETTERS).collect());
            (keys.len() == KEYS).then_some(())
        });
        let list = if element.is_some() { None } else { list(object, DEPTH) };
        Self { keys, list }
    }
}

/// The path of the first list of objects in an object, its value torn or not.
fn list(object: &[u8], depth: usize) -> Option<String> {
    members(object, |key, value, _: Ended| {
        let value = object.get(value)?;
        let within = match value.strip_prefix(b"[") {
            Some(list) if list.trim_ascii_start().starts_with(b"{") => "[]".to_owned(),
            None if depth > 1 => list(value, depth - 1)?,
            _ => return None,
        };
        Some(key_step(key) + &within)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_the_first_list_are_told() {
        let of = |text: &str| {
            let Outline { keys, list } = Outline::of(text.as_bytes());
            (keys.join(" "), list.unwrap_or_default())
        };
        let told = |keys: &str, list: &str| (keys.to_owned(), list.to_owned());
        assert_eq!(of(r#"{"expand":"a","issues":[{"id":1}]}"#), told("expand issues", ".issues[]"));
        // As far as it begins.
        assert_eq!(of(r#"{"n":[1],"issues": [ {"id":"#), told("n issues", ".issues[]"));
        assert_eq!(of(r#" {"data":{"meta":{},"a b":[{}]}}"#), told("data", r#".data.["a b"][]"#));
        assert_eq!(of(r#"[ {"id":1,"tags":[{}]}]"#), told("id tags", ""));
        assert_eq!(of(r#"{"a":{"b":{"c":{"d":[{}]}}}}"#), told("a", ""));
        for text in ["", "[", "[1]", "\"a\"", "{\"a", "id,name"] {
            assert_eq!(of(text), told("", ""), "{text}");
        }
        let many: String = (0..20).map(|key| format!("\"{key}\":1,")).collect();
        assert_eq!(of(&format!("{{{many}")), told("0 1 2 3 4 5 6 7", ""));
    }

    #[test]
    fn a_list_is_where_its_path_leads() {
        let text = br#"{"data":{"a b":[{"_id":"1"},{"_id":"2"}]}}"#;
        let records = Outline::of(text).list.unwrap().parse().unwrap();
        let options = crate::Options { records: Some(records), ..Default::default() };
        let mut count = 0;
        let each = |block: crate::Block| {
            count += block.records().len();
            true
        };
        crate::read(&text[..], &options, each).unwrap();
        assert_eq!(count, 2);
    }
}
