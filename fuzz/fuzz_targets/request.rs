//! Bytes as a request's body: never a panic, and what is well-formed is answered as the oracle
//! does.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/compare.rs"]
mod compare;
#[path = "../../tests/it/oracle.rs"]
mod oracle;

use std::cell::RefCell;

use getcases::{Code, Context};
use libfuzzer_sys::fuzz_target;

const DOCUMENTS: [&str; 4] = [
    include_str!("../../tests/seed/case.json"),
    r#"{"_id":"1","name":"Late ΟΔΟΣ","status":"In-Progress","priority":{"name":"Low","score":5},
        "queues":["Q 1",{"_id":"q2"}],"channel":["chat"],"createdAt":"2024-02-29"}"#,
    r#"{"_id":"2","status":{"statusCategory":"closed"},"currAssignee":{"aId":"u1","name":"Ann"},
        "createdAt":"2024-02-29","dueDate":0}"#,
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

/// Problems that come alone, about the text as such: the oracle reads values and knows nothing of
/// them.
const ALONE: [Code; 4] = [Code::InvalidJson, Code::DuplicateKey, Code::TooDeep, Code::BodyTooLarge];

fuzz_target!(|bytes: &[u8]| {
    DESK.with_borrow_mut(|desk| {
        let snapshot = desk.engine.snapshot(&desk.scope);
        let context = Context { user: Some("u1".into()), ..Context::default() };
        let answer = snapshot.get_cases(bytes, &context);
        let body = serde_json::from_slice::<serde_json::Value>(bytes);
        match (answer, body) {
            (Err(refusal), _) if ALONE.contains(&refusal.problems()[0].code) => {
                assert_eq!(refusal.problems().len(), 1);
            }
            (_, Ok(body)) => {
                let context = oracle::Context {
                    user: Some("u1".into()),
                    max_limit: 1000,
                    ..oracle::Context::default()
                };
                desk.ask(&body, &context).unwrap();
            }
            _ => {}
        }
    });
});
