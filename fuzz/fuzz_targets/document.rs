//! Bytes as a document: never a panic, refused as the oracle refuses, what is wrong told in each
//! form as the oracle tells it, and unchanged when it comes back.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[path = "../../tests/it/oracle.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut desk = compare::Desk::new("a", "s");
    desk.upsert(bytes).unwrap();
    desk.validate().unwrap();
    let context = oracle::Context { max_limit: 10, ..oracle::Context::default() };
    desk.ask("{}", &context).unwrap();
});
