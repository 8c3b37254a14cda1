//! JSON texts from and into whatever serde reads and writes.
//!
//! Useful for types whose JSON has a reader and a writer of its own here: both see texts. Not for
//! documents, whose bytes must stay.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess};
use serde::de::{Unexpected, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::json::{Json, Kind, MAX_BYTES, MAX_DEPTH, Value};
use super::shown::quoted;

/// What serde_json's `arbitrary_precision`, which any crate may turn on, reads numbers as.
const NUMBER: &str = "$serde_json::private::Number";

/// Whatever came, as a JSON text of at most about as many bytes as a body may have.
pub(crate) struct JsonText(pub(crate) String);

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::new();
        Writer { text: &mut text, depth: 0 }.deserialize(deserializer)?;
        Ok(Self(text))
    }
}

/// Appends a value to a text.
struct Writer<'t> {
    text: &'t mut String,
    depth: usize,
}

impl Writer<'_> {
    fn push<E: serde::de::Error>(&mut self, json: &str) -> Result<(), E> {
        if self.text.len() > MAX_BYTES || self.depth > MAX_DEPTH {
            return Err(E::custom("too long, or nested too deep"));
        }
        self.text.push_str(json);
        Ok(())
    }

    fn within(&mut self) -> Writer<'_> {
        Writer { text: self.text, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has")
    }

    fn visit_unit<E: serde::de::Error>(mut self) -> Result<(), E> {
        self.push("null")
    }

    fn visit_none<E: serde::de::Error>(mut self) -> Result<(), E> {
        self.push("null")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: serde::de::Error>(mut self, own: bool) -> Result<(), E> {
        self.push(if own { "true" } else { "false" })
    }

    fn visit_i64<E: serde::de::Error>(mut self, own: i64) -> Result<(), E> {
        self.push(&own.to_string())
    }

    fn visit_u64<E: serde::de::Error>(mut self, own: u64) -> Result<(), E> {
        self.push(&own.to_string())
    }

    fn visit_f64<E: serde::de::Error>(mut self, own: f64) -> Result<(), E> {
        match own.is_finite() {
            true => self.push(&format!("{own:?}")),
            false => Err(E::invalid_value(Unexpected::Float(own), &self)),
        }
    }

    fn visit_str<E: serde::de::Error>(mut self, own: &str) -> Result<(), E> {
        self.push(&quoted(own))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.push("[")?;
        let start = self.text.len();
        while elements.next_element_seed(self.within())?.is_some() {
            self.push(",")?;
        }
        self.close(start, "]")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.push("{")?;
        let start = self.text.len();
        while let Some(key) = members.next_key::<String>()? {
            if key == NUMBER && self.text.len() == start {
                let number: String = members.next_value()?;
                self.text.pop();
                return self.push(&number);
            }
            self.push(&quoted(&key))?;
            self.push(":")?;
            members.next_value_seed(self.within())?;
            self.push(",")?;
        }
        self.close(start, "}")
    }
}

impl Writer<'_> {
    /// Ends what began before a position, without the comma behind its last part.
    fn close<E: serde::de::Error>(mut self, start: usize, end: &str) -> Result<(), E> {
        if self.text.len() > start {
            self.text.pop();
        }
        self.push(end)
    }
}

/// A JSON text that serialises as the values in it.
pub(crate) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let json = Json::read(text.as_bytes());
    let json = json.map_err(|_| S::Error::custom("a text longer than a body may be"))?;
    Tree(json.root()).serialize(serializer)
}

struct Tree<'j, 't>(Value<'j, 't>);

impl Serialize for Tree<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        match value.kind() {
            Kind::Null => serializer.serialize_unit(),
            Kind::False => serializer.serialize_bool(false),
            Kind::True => serializer.serialize_bool(true),
            Kind::Text => serializer.serialize_str(&value.text().unwrap_or_default()),
            Kind::Number => match (value.raw().parse(), value.raw().parse()) {
                (Ok(own), _) => serializer.serialize_u64(own),
                (_, Ok(own)) => serializer.serialize_i64(own),
                // Every number of JSON parses.
                _ => serializer.serialize_f64(value.raw().parse().unwrap_or_default()),
            },
            Kind::Array => serializer.collect_seq(value.elements().map(Tree)),
            Kind::Object => {
                let mut map = serializer.serialize_map(None)?;
                for (key, own) in value.members() {
                    map.serialize_entry(&*key.text().unwrap_or_default(), &Tree(own))?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"a":[1,-2,0.5,true,false,null,"é\n"],"b":{"c":{}},"":[[]]}"#,
            "18446744073709551615",
        ] {
            let JsonText(read) = serde_json::from_str(text).unwrap();
            assert_eq!(read, text);
            let mut written = Vec::new();
            serialize(text, &mut serde_json::Serializer::new(&mut written)).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
        let number = format!(r#"{{"limit":{{"{NUMBER}":"20"}}}}"#);
        let JsonText(read) = serde_json::from_str(&number).unwrap();
        assert_eq!(read, r#"{"limit":20}"#);
        let long = format!("[{}\"\"]", "\"x\",".repeat(MAX_BYTES / 4));
        assert!(serde_json::from_str::<JsonText>(&long).is_err());
    }
}
