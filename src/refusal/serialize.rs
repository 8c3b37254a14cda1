//! Problems by serde.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

use super::{Accepted, Problem, Refusal};
use crate::value::json::Json;

/// Each member in the contract's order; a text behind it is as [`Refusal::to_json`] writes it. A
/// tree such as `serde_json::Value` may have no number for the refused value (`1e999`, `-0`, thirty
/// digits): it then gets the value's JSON text as a string.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.code().as_str())?;
        map.serialize_entry("msg", self.msg())?;
        map.serialize_entry("path", self.path())?;
        if let Some(value) = self.value() {
            // What writes text gives nothing back, and takes a value as it is spelled.
            let is_tree = size_of::<S::Ok>() > 0;
            match serde_json::from_str::<&RawValue>(value) {
                Ok(raw) if !is_tree || has_plain_numbers(value) => {
                    map.serialize_entry("value", raw)?;
                }
                _ => map.serialize_entry("value", value)?,
            }
        }
        match self.accepted() {
            Some(Accepted::Phrase(phrase)) => map.serialize_entry("accepted", phrase)?,
            Some(Accepted::OneOf(list)) => map.serialize_entry("accepted", list)?,
            None => {}
        }
        map.end()
    }
}

/// Whether a tree of serde_json spells each number of a JSON text as the text does.
fn has_plain_numbers(json: &str) -> bool {
    let is_plain = |text: &str| {
        serde_json::from_str::<Number>(text).is_ok_and(|number| number.to_string() == text)
    };
    Json::read(json.as_bytes()).is_ok_and(|json| json.numbers().all(is_plain))
}

/// The error body.
impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("errors", self.problems())?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    fn problem(value: &str) -> Problem {
        Problem::new(Code::InvalidInteger, "$.limit", "no").with_value(value).accepts("an integer")
    }

    #[test]
    fn a_text_is_the_error_body() {
        for value in ["1e999", "-0", "[1, -0]", "\"é\"", "no JSON"] {
            let refusal = Refusal::from(problem(value));
            assert_eq!(serde_json::to_vec(&refusal).unwrap(), refusal.to_json());
        }
    }

    #[test]
    fn a_tree_gets_what_it_has_no_number_for_as_text() {
        for (value, in_tree) in [
            ("1e999", serde_json::json!("1e999")),
            ("-0", serde_json::json!("-0")),
            ("[-0]", serde_json::json!("[-0]")),
            ("1.5", serde_json::json!(1.5)),
            ("{\"b\": 1, \"a\": \"\\u0041\"}", serde_json::json!({"a": "A", "b": 1})),
        ] {
            assert_eq!(serde_json::to_value(problem(value)).unwrap()["value"], in_tree);
        }
    }

    #[test]
    fn a_value_that_is_no_json_is_text() {
        let broken = problem("1e");
        assert_eq!(serde_json::to_value(&broken).unwrap()["value"], "1e");
        assert!(serde_json::to_string(&broken).unwrap().contains("\"value\":\"1e\""));
    }
}
