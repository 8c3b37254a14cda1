//! Requests and answers by serde.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::body::Body;
use super::context::Context;
use super::filter::Filter;
use super::request::{Request, RequestDate};
use super::response::{Document, Page};
use super::sort::SortKey;
use crate::refusal::Problems;
use crate::value::json::Json;
use crate::value::transcribe::{JsonText, serialize};

/// The contract's body, as [`Request::to_json`] writes it.
impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.to_json(), serializer)
    }
}

/// The contract's body, in strict mode and without a cap of `limit`; what needs the whole request
/// or a context [`Query::new`](crate::Query::new) judges. It is for requests that are kept, such as
/// views of a desk: a body that came is read by [`Query::from_json`](crate::Query::from_json),
/// which sees its very bytes and tells all that is wrong with them.
impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let JsonText(text) = JsonText::deserialize(deserializer)?;
        let context = Context { strict: true, max_limit: u64::MAX, ..Context::default() };
        let Body { request, problems, .. } =
            Body::read(text.as_bytes(), &context).map_err(D::Error::custom)?;
        problems.into_result().map_err(D::Error::custom)?;
        Ok(request)
    }
}

/// The contract's `filter`.
impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.to_json(), serializer)
    }
}

/// The contract's `filter`; paths of problems begin at `$.filter`.
impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let JsonText(text) = JsonText::deserialize(deserializer)?;
        // It was written as JSON.
        let json = Json::read(text.as_bytes());
        let json = json.map_err(|_| D::Error::custom("a filter that is nested too deep"))?;
        let mut problems = Problems::default();
        let filter = Self::read(json.root(), &mut problems);
        problems.into_result().map_err(D::Error::custom)?;
        filter.ok_or_else(|| D::Error::custom("no filter"))
    }
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        /// As a text.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        /// As a text.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

as_text! { RequestDate SortKey }

/// The document's own text, where `serde_json` writes a text; see [`Document::json`] for others.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.json()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// The response body, as [`Page::to_json`] writes it.
impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = 6 + usize::from(self.next_cursor.is_some());
        let mut map = serializer.serialize_map(Some(entries))?;
        map.serialize_entry("results", &self.results)?;
        map.serialize_entry("page", &self.page)?;
        map.serialize_entry("limit", &self.limit)?;
        map.serialize_entry("hasMore", &self.has_more)?;
        map.serialize_entry("totalPages", &self.total_pages)?;
        map.serialize_entry("totalResults", &self.total_results)?;
        if let Some(next_cursor) = &self.next_cursor {
            map.serialize_entry("nextCursor", next_cursor)?;
        }
        map.end()
    }
}
