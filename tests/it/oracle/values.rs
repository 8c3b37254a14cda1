//! The values of each field, counted document by document.

use std::collections::{BTreeMap, BTreeSet};

use super::json::{self, Node};
use super::{Document, as_list, key_of, part, parts, status_key_of, text_in};

/// What documents have in one field.
#[derive(Debug, Default)]
pub struct Counts {
    /// How many documents have each key.
    pub keys: BTreeMap<String, u64>,
    /// How values are spelled that have a key first.
    pub shown: BTreeMap<String, BTreeSet<String>>,
    /// How many documents have no value.
    pub missing: u64,
}

/// The texts of one value, the first one first.
type Entity = Vec<String>;

impl Counts {
    fn add(&mut self, entities: &[Entity], key_of: fn(&str) -> String) {
        let keys: BTreeSet<String> = entities.iter().flatten().map(|text| key_of(text)).collect();
        keys.into_iter().for_each(|key| *self.keys.entry(key).or_default() += 1);
        for first in entities.iter().filter_map(|own| own.first()) {
            self.shown.entry(key_of(first)).or_default().insert(first.clone());
        }
        self.missing += u64::from(entities.iter().all(Vec::is_empty));
    }
}

fn channels(node: &Node<'_>) -> Vec<Entity> {
    let of = |one| parts(Some(one), &["name", "_id", "type"]);
    let channels: Vec<Entity> = as_list(node.get("channel")).into_iter().map(of).collect();
    if channels.iter().any(|own| !own.is_empty()) {
        return channels;
    }
    let source = text_in(node.get("source"));
    let email = source.as_ref().filter(|source| source.starts_with("emailInst-"));
    let email = email.map(|_| "email".to_string());
    source.into_iter().chain(email).map(|text| vec![text]).collect()
}

/// By status, its category, priority, channel, queue and assignee.
pub fn values(documents: &[Document]) -> [Counts; 6] {
    const NAMES: &[&str] = &["name", "lname", "_id"];
    let mut all: [Counts; 6] = Default::default();
    for document in documents {
        let Ok(node) = json::read(document.text.as_bytes(), "") else { continue };
        let (status, assignee) = (node.get("status"), node.get("currAssignee"));
        let category: Entity = part(status, "statusCategory").into_iter().collect();
        let names = parts(status, NAMES);
        let has_status = !names.is_empty() || !category.is_empty();
        let missing = all[0].missing;
        all[0].add(&[names], status_key_of);
        all[0].missing = missing + u64::from(!has_status);
        all[1].add(&[category], status_key_of);
        all[2].add(&[parts(node.get("priority"), NAMES)], key_of);
        all[3].add(&channels(&node), key_of);
        let queues = as_list(node.get("queues")).into_iter().chain(node.get("currQueue"));
        let queues: Vec<Entity> = queues.map(|one| parts(Some(one), NAMES)).collect();
        all[4].add(&queues, key_of);
        all[5].add(&[parts(assignee, &["name", "agentId", "aId", "_id"])], key_of);
    }
    all
}

/// How many documents nobody has.
pub fn unassigned(documents: &[Document]) -> u64 {
    documents.iter().filter(|document| document.unassigned).count() as u64
}
