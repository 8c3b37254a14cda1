//! Bytes as a request's body: never a panic, answered or refused as the oracle does, and each form
//! of the answer, the errors and explain says the same.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[path = "../../tests/it/oracle.rs"]
mod oracle;

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

const DOCUMENTS: [&str; 4] = [
    include_str!("../../tests/seed/case.json"),
    r#"{"_id":"1","name":"Late ΟΔΟΣ","status":"In-Progress","priority":{"name":"Low","score":5},
        "queues":["Q 1",{"_id":"q2"}],"channel":["chat"],"createdAt":"2024-02-29"}"#,
    r#"{"_id":"2","status":{"statusCategory":"closed"},"currAssignee":{"aId":"u1","name":"Ann"},
        "createdAt":"2024-02-29","dueDate":0,"refId":"CS 2"}"#,
    r#"{"_id":"3","name":"late","status":{"name":"Open"},"source":"emailInst-1","updatedAt":1}"#,
];

thread_local! {
    static DESK: RefCell<compare::Desk> = RefCell::new({
        let mut desk =
            compare::Desk::new("{{accountId}}", "st-5393141c-723b-579d-8265-27dd9b7fxxxx");
        desk.upsert_all(&DOCUMENTS).unwrap();
        desk
    });
}

fuzz_target!(|bytes: &[u8]| {
    DESK.with_borrow(|desk| {
        for (user, strict) in [(Some("u1"), false), (None, true)] {
            let context = oracle::Context {
                user: user.map(str::to_owned),
                strict,
                max_limit: 1000,
                ..oracle::Context::default()
            };
            desk.ask(bytes, &context).unwrap();
        }
    });
});
