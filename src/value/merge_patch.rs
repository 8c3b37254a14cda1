//! Merge patches (RFC 7396) of JSON texts: what a patch does not name stays as it is spelled.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::json::{Kind, Value};

/// Appends a value after a patch; nothing stands for a value that is not there. Members keep their
/// places, new ones come last in the patch's order. Cost grows with both; it recurs as deep as the
/// patch, which its reader bounds.
pub(crate) fn merge(target: Option<Value<'_, '_>>, patch: Value<'_, '_>, into: &mut String) {
    if patch.kind() != Kind::Object {
        into.push_str(patch.raw());
        return;
    }
    let target = target.filter(|target| target.kind() == Kind::Object);
    let mut changes: HashMap<Cow<'_, str>, Value<'_, '_>, RandomState> =
        patch.members().map(|(name, value)| (key(name), value)).collect();
    into.push('{');
    let mut is_first = true;
    let mut begin = |name: Value<'_, '_>, into: &mut String| {
        into.push_str(if std::mem::take(&mut is_first) { "" } else { "," });
        into.extend([name.raw(), ":"]);
    };
    for (name, value) in target.into_iter().flat_map(Value::members) {
        match changes.remove(&key(name)) {
            Some(change) if change.kind() == Kind::Null => {}
            Some(change) => {
                begin(name, into);
                merge(Some(value), change, into);
            }
            None => {
                begin(name, into);
                into.push_str(value.raw());
            }
        }
    }
    for (name, change) in patch.members() {
        if change.kind() != Kind::Null && changes.contains_key(&key(name)) {
            begin(name, into);
            merge(None, change, into);
        }
    }
    into.push('}');
}

/// A member's name, its escapes read.
fn key<'t>(name: Value<'_, 't>) -> Cow<'t, str> {
    name.text().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::json::Json;

    fn merged(target: &str, patch: &str) -> String {
        let [target, patch] = [target, patch].map(|text| Json::read(text.as_bytes()).unwrap());
        let mut text = String::new();
        merge(Some(target.root()), patch.root(), &mut text);
        text
    }

    /// Appendix A of RFC 7396.
    #[test]
    fn the_cases_of_the_rfc_hold() {
        for (target, patch, right) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merged(target, patch), right, "{target} {patch}");
        }
    }

    #[test]
    fn what_is_not_named_stays_as_it_is_spelled() {
        let target = r#"{"z":1.50e+3,"\u0061":{"y":-0,"x":"\u00e9"},"b":[ 1 ,2]}"#;
        let patch = r#"{"b":null,"a":{"x":null,"w":10.0},"c":{"d":null}}"#;
        assert_eq!(merged(target, patch), r#"{"z":1.50e+3,"\u0061":{"y":-0,"w":10.0},"c":{}}"#);
    }
}
