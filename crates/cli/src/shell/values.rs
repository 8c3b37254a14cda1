//! The values that cases have, with how many cases have each.

use std::collections::HashMap;

use getcases::{Case, Snapshot};

use crate::words::{Wrong, names};

/// The fields whose values are told.
pub(super) const FIELDS: [&str; 5] = ["status", "priority", "queue", "channel", "assignee"];

/// The field of a spelling, if its values are told.
pub(super) fn field(spelling: &str) -> Result<&'static str, Wrong> {
    let own = names::field(spelling).filter(|own| FIELDS.contains(own));
    own.ok_or_else(|| {
        let wrong = Wrong::new("unknown_field", "values ".len() + 1, "no values are told of this");
        let near = names::near(spelling, FIELDS.into_iter());
        wrong.found(spelling).meant(near).accepts_one_of(&FIELDS)
    })
}

/// The values of a field and their cases, most cases first, of as many cases at most. Cost grows
/// with the documents.
pub(super) fn of(snapshot: &Snapshot, field: &str, most: usize) -> Vec<(String, u64)> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let cases = snapshot.documents().take(most);
    for case in cases.filter_map(|document| Case::from_json(document.json().as_bytes()).ok()) {
        let values = match field {
            "status" => case.status().into_iter().collect(),
            "priority" => case.priority().into_iter().collect(),
            "assignee" => case.assignee().into_iter().collect(),
            "queue" => case.queues(),
            "channel" => case.channels(),
            _ => Vec::new(),
        };
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
