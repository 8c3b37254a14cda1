//! Cases and questions that unit tests are made of.

use crate::case::Case;
use crate::contract::{Context, Query};
use crate::index::{Change, Index, IndexWriter};
use crate::threads::Threads;

/// Cases that have each field in some of a few ways, or not at all; every fifth is deleted.
pub(super) fn index(count: u32) -> Index {
    let mut changes = Vec::new();
    for at in 0..count {
        let case = format!(
            r#"{{"_id":"c{at}","name":{name},"status":{status},"priority":{priority},
            "queues":{queues},"currAssignee":{assignee},"createdAt":{created},
            "updatedAt":{updated},"dueDate":{due},"refId":{ref_id},"channel":"ch{channel}"}}"#,
            name = ["null", r#""late parcel""#, r#""parcel lost""#][at as usize % 3],
            status = ["null", r#""Open""#, r#""Closed""#, r#""On hold""#][at as usize % 4],
            priority = ["null", r#"{"name":"High","score":3}"#][at as usize % 2],
            queues = ["[]", r#"["a"]"#, r#"["a","b"]"#][at as usize / 3 % 3],
            assignee = ["null", r#"{"_id":"x"}"#, r#""y""#][at as usize / 5 % 3],
            created = ["null", "1000", "2000", "3000"][at as usize / 2 % 4],
            updated = at * 7919 % 1009,
            due = ["null", "1500"][at as usize / 7 % 2],
            ref_id = ["null", r#""R1""#, r#"" r2""#][at as usize / 4 % 3],
            channel = at % 3,
        );
        changes.push(Change::Upsert(Box::new(Case::from_json(case.as_bytes()).unwrap())));
    }
    changes.extend((0..count).step_by(5).map(|at| Change::Delete(format!("c{at}").into())));
    index_of(changes)
}

/// An index after some changes.
pub(super) fn index_of(changes: Vec<Change>) -> Index {
    let index = Index::default();
    let mut entered = index.entered();
    entered.enter(changes, &Threads::NONE);
    let mut writer = IndexWriter::new(index);
    writer.apply(entered, &Threads::NONE);
    writer.finish().0
}

/// A request that is valid.
pub(super) fn query(body: &str) -> Query {
    Query::from_json(body.as_bytes(), &Context::default()).unwrap()
}
