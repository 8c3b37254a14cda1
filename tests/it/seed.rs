//! The printed sample: the seed's request on the seed's case gives the seed's response.

use getcases::{Context, Engine, Scope};
use serde_json::Value;

const CASE: &str = include_str!("../seed/case.json");
const REQUEST: &str = include_str!("../seed/request.json");
const RESPONSE: &str = include_str!("../seed/response.json");

#[test]
fn the_printed_sample_succeeds() {
    let engine = Engine::new();
    let desk = Scope::new("{{accountId}}", "st-5393141c-723b-579d-8265-27dd9b7fxxxx");
    engine.write(|batch| batch.upsert(&desk, CASE)).unwrap();
    let response =
        engine.snapshot(&desk).search_json(REQUEST.as_bytes(), &Context::default()).unwrap();
    // Key order counts, so texts are compared and not values.
    let expected: Value = serde_json::from_str(RESPONSE).unwrap();
    assert_eq!(String::from_utf8(response.json).unwrap(), expected.to_string());
}
