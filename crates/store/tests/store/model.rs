//! What a store must hold, in plain maps, and random changes of both.

use std::collections::BTreeMap;

use getcases::{Batch, Scope};
use getcases_store::Store;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// The documents of every scope by their ids.
pub(crate) type Model = BTreeMap<Scope, BTreeMap<String, String>>;

/// A number below another one.
pub(crate) fn below(random: &mut ChaCha8Rng, end: u64) -> u64 {
    random.next_u64() % end
}

/// A scope of a few: one without names among them.
pub(crate) fn scope(random: &mut ChaCha8Rng) -> Scope {
    match below(random, 4) {
        0 => Scope::new("", ""),
        own => Scope::new("account", &format!("stream {own}")),
    }
}

/// A document, with characters of several bytes, escapes, and some kilobytes now and then.
pub(crate) fn document(random: &mut ChaCha8Rng, id: &str) -> String {
    let status = ["open", "closed", "geschlossen ß", "未着手"][below(random, 4) as usize];
    let pad = match below(random, 20) {
        0 => below(random, 9000),
        _ => below(random, 300),
    };
    let number = random.next_u64();
    let pad = "x\\n".repeat(pad as usize / 3);
    format!(r#"{{"_id":"{id}","status":"{status}","n":{number},"pad":"{pad}"}}"#)
}

/// Fills a batch, and changes a model as the batch must change a store.
pub(crate) fn batch(random: &mut ChaCha8Rng, model: &mut Model, most: u64) -> Batch<'static> {
    let mut batch = Batch::new();
    for _ in 0..=below(random, most) {
        let scope = scope(random);
        let id = format!("c{}", below(random, 200));
        let own = model.entry(scope.clone()).or_default();
        if below(random, 4) == 0 {
            batch.delete(&scope, &id);
            own.remove(&id);
        } else {
            let document = document(random, &id);
            batch.upsert(&scope, &document).unwrap();
            own.insert(id, document);
        }
    }
    batch
}

/// Panics where a store does not hold what a model says.
pub(crate) fn compare(store: &Store, model: &Model) {
    assert_eq!(store.scopes(), model.keys().cloned().collect::<Vec<_>>());
    compare_cases(store, model);
}

/// The same of cases alone: a batch that failed may leave a scope without any.
pub(crate) fn compare_cases(store: &Store, model: &Model) {
    for scope in store.scopes() {
        assert!(model.contains_key(&scope) || store.snapshot(&scope).is_empty(), "{scope}");
    }
    for (scope, documents) in model {
        let snapshot = store.snapshot(scope);
        let held: Vec<_> = snapshot.cases().map(|own| own.into_json()).collect();
        assert_eq!(held, documents.values().cloned().collect::<Vec<_>>(), "{scope}");
    }
}
