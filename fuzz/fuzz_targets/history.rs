//! Bytes as a history of a scope: after every batch the oracle agrees, and the index is sound.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[allow(dead_code)]
#[path = "../../tests/it/generate.rs"]
mod generate;
#[path = "../../tests/it/history.rs"]
mod history;
#[allow(dead_code)]
#[path = "../../tests/it/oracle.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    history::play(bytes).unwrap();
});
