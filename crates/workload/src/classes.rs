//! The query classes.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// One query class: a request as it stands, for cases of any count and seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// A number and what is asked, as in `02 open`.
    pub name: String,
    /// The caller, where the request needs one.
    pub user: Option<String>,
    /// The request body, with its keys in the order they are written in.
    pub body: String,
}

/// The 17 query classes, in their order.
#[expect(clippy::expect_used, reason = "the text is part of the crate, and a test reads it")]
pub fn classes() -> Vec<Class> {
    let lines = include_str!("classes.ndjson").lines();
    lines.map(|line| Class::read(line).expect("a line is a class")).collect()
}

impl Class {
    /// Reads one line: an object with `class`, `body`, and `user` where one is needed.
    ///
    /// # Errors
    /// Where it is no such object.
    pub fn read(line: &str) -> serde_json::Result<Self> {
        read(line)
    }
}

fn read(line: &str) -> serde_json::Result<Class> {
    let parts: BTreeMap<&str, &RawValue> = serde_json::from_str(line)?;
    let text = |key| parts.get(key).map(|part| serde_json::from_str(part.get())).transpose();
    Ok(Class {
        name: text("class")?.unwrap_or_default(),
        user: text("user")?,
        body: parts.get("body").map(|part| part.get().to_owned()).unwrap_or_default(),
    })
}
