//! JSON Schema, as much of it as the document of the API uses; any other keyword is an error.

use regex::Regex;
use serde_json::{Map, Value};

/// What of a value is not of a schema; references are into the document.
pub(crate) fn errors(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(document, schema, value, "$", &mut errors);
    errors
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let schema = schema.as_object().unwrap();
    for (keyword, given) in schema {
        let is_right = match keyword.as_str() {
            "description" | "example" => true,
            "$ref" => {
                let name = given.as_str().unwrap().strip_prefix('#').unwrap();
                let referred = document.pointer(name).unwrap_or_else(|| panic!("{name}"));
                check(document, referred, value, at, errors);
                true
            }
            "anyOf" => given.as_array().unwrap().iter().any(|schema| {
                let mut own = Vec::new();
                check(document, schema, value, at, &mut own);
                own.is_empty()
            }),
            "type" => match given {
                Value::Array(kinds) => kinds.iter().any(|kind| is_of(value, kind)),
                kind => is_of(value, kind),
            },
            "enum" => given.as_array().unwrap().contains(value),
            _ => judge(keyword, given, value),
        };
        if !is_right {
            errors.push(format!("{at}: {value} is not of {keyword} {given}"));
        }
    }
    match value {
        Value::Object(members) => inside(document, schema, members, at, errors),
        Value::Array(elements) => {
            let Some(of_each) = schema.get("items") else { return };
            for (index, element) in elements.iter().enumerate() {
                check(document, of_each, element, &format!("{at}[{index}]"), errors);
            }
        }
        _ => {}
    }
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        other => panic!("{other} is no type"),
    }
}

/// A keyword that says nothing of values of other types than its own.
fn judge(keyword: &str, given: &Value, value: &Value) -> bool {
    let length = || given.as_u64().unwrap() as usize;
    match (keyword, value) {
        ("minimum", Value::Number(number)) => number.as_f64() >= given.as_f64(),
        ("maximum", Value::Number(number)) => number.as_f64() <= given.as_f64(),
        ("minLength", Value::String(text)) => text.chars().count() >= length(),
        ("maxLength", Value::String(text)) => text.chars().count() <= length(),
        ("pattern", Value::String(text)) => {
            Regex::new(given.as_str().unwrap()).unwrap().is_match(text)
        }
        ("minItems", Value::Array(elements)) => elements.len() >= length(),
        ("maxItems", Value::Array(elements)) => elements.len() <= length(),
        ("minProperties", Value::Object(members)) => members.len() >= length(),
        ("required", Value::Object(members)) => {
            let mut names = given.as_array().unwrap().iter();
            names.all(|name| members.contains_key(name.as_str().unwrap()))
        }
        ("minimum" | "maximum" | "minLength" | "maxLength" | "pattern", _) => true,
        ("minItems" | "maxItems" | "minProperties" | "required", _) => true,
        ("properties" | "additionalProperties" | "items", _) => true,
        (other, _) => panic!("{other} is no keyword that is judged here"),
    }
}

fn inside(
    document: &Value,
    schema: &Map<String, Value>,
    members: &Map<String, Value>,
    at: &str,
    errors: &mut Vec<String>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, member) in members {
        let at = format!("{at}.{name}");
        match properties.and_then(|own| own.get(name)).or(schema.get("additionalProperties")) {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => errors.push(format!("{at} is no property")),
            Some(own) => check(document, own, member, &at, errors),
        }
    }
}

#[test]
fn what_is_not_of_a_schema_is_told() {
    use serde_json::json;

    let document = json!({"a": {"type": "integer", "minimum": 1}});
    let schema = json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {
            "a": {"$ref": "#/a"},
            "b": {"anyOf": [{"enum": [null]}, {"type": "string"}]},
        },
    });
    for (value, expected) in [
        (json!({"a": 1, "b": null}), 0),
        (json!({"a": 0}), 1),
        (json!({"a": "1"}), 1),
        (json!({"b": "x"}), 1),
        (json!({"a": 1, "b": 7}), 1),
        (json!({"a": 1, "c": 7}), 1),
        (json!([]), 1),
    ] {
        assert_eq!(errors(&document, &schema, &value).len(), expected, "{value}");
    }
}
