//! Bytes as a document: never a panic, refused as the oracle refuses, and unchanged when it comes
//! back.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[path = "../../tests/it/oracle.rs"]
mod oracle;

use getcases::{Case, Code};
use libfuzzer_sys::fuzz_target;

/// Problems about the text as such: the oracle is handed well-formed text only.
const ALONE: [Code; 4] =
    [Code::InvalidJson, Code::DuplicateKey, Code::TooDeep, Code::DocumentTooLarge];

fuzz_target!(|bytes: &[u8]| {
    match Case::from_json(bytes) {
        Err(refusal) if ALONE.contains(&refusal.problems()[0].code) => {
            assert_eq!(refusal.problems().len(), 1);
        }
        _ => {
            let text = std::str::from_utf8(bytes).unwrap();
            // Numbers that overflow a double are JSON, and beyond what the oracle's reader takes.
            if serde_json::from_str::<serde_json::Value>(text).is_err() {
                return;
            }
            let mut desk = compare::Desk::new("a", "s");
            desk.upsert(text).unwrap();
            let context = oracle::Context { max_limit: 10, ..oracle::Context::default() };
            desk.ask(&serde_json::json!({}), &context).unwrap();
        }
    }
});
