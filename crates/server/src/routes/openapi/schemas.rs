//! The schemas of what is sent and told.
//!
//! They say what a schema can say of the contract, and never less than it accepts: whatever is
//! answered 200 is of its schema.

use getcases::Code;
use serde_json::{Map, Value, json};

/// Those of the contract's tables.
const WRITTEN: &str = include_str!("schemas.json");

/// Every schema by its name; that of codes is made of the table of them.
pub(super) fn all() -> Map<String, Value> {
    let mut all: Map<String, Value> = serde_json::from_str(WRITTEN).unwrap_or_default();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let about = "The kind of a problem; each has one status.";
    let codes = json!({"description": about, "type": "string", "enum": codes});
    all.insert("Code".to_owned(), codes);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_json() {
        assert!(all().len() > 20);
    }
}
