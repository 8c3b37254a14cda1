//! Random batches, drops, copies and reopenings in turns, held against a plain model.

use getcases::ChangesError;
use getcases_store::{Options, Store, restore, verify};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::model::{Model, batch, below, compare, scope};

fn generations(store: &Store) -> Vec<u64> {
    store.scopes().iter().map(|own| store.snapshot(own).generation()).collect()
}

#[test]
fn histories_are_kept() {
    for seed in 0..6 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        // A log that is copied often; and an index that is kept, or not.
        let checkpoint_cases = if seed % 2 == 0 { 1 } else { u64::MAX };
        let options = Options { log_bytes: 64 << 10, checkpoint_cases, ..Options::default() };
        let mut store = Store::open(&path, &options).unwrap();
        let mut model = Model::new();
        for step in 0..120 {
            match below(&mut random, 30) {
                0 => {
                    let scope = scope(&mut random);
                    let was_there = store.drop_scope(&scope).unwrap();
                    assert_eq!(was_there, model.remove(&scope).is_some());
                }
                1..4 => {
                    let before = generations(&store);
                    if below(&mut random, 2) == 0 {
                        store.close().unwrap();
                    } else {
                        drop(store);
                    }
                    assert!(verify(&path, &options).unwrap().is_whole(), "seed {seed} {step}");
                    store = Store::open(&path, &options).unwrap();
                    assert_eq!(generations(&store), before);
                }
                4 => store.compact().unwrap(),
                5 => {
                    let copy = folder.path().join(format!("copy {step}"));
                    store.backup(&copy, |_, _| {}).unwrap();
                    let back = folder.path().join(format!("back {step}"));
                    assert!(restore(&copy, &back, |_, _| {}).unwrap().is_whole());
                    let (copied, _) = Store::open_read_only(&copy, &options).unwrap();
                    compare(&copied, &model);
                    let back = Store::open(&back, &options).unwrap();
                    compare(&back, &model);
                    // What the store has come to since is told of by none of its restored copy.
                    for (scope, generation) in store.scopes().iter().zip(generations(&store)) {
                        let snapshot = back.snapshot(scope);
                        assert!(snapshot.generation() > generation + 1_000_000);
                        let changes = snapshot.changes_since(generation);
                        assert!(matches!(changes, Err(ChangesError::TooOld { .. })));
                    }
                }
                _ => {
                    let batch = batch(&mut random, &mut model, 40);
                    store.write(batch).unwrap();
                }
            }
            compare(&store, &model);
        }
        assert!(store.verify().unwrap().is_whole());
        for own in store.scopes() {
            store.snapshot(&own).validate().unwrap();
        }
    }
}

#[test]
fn a_scope_that_is_dropped_goes_on_with_its_generations() {
    let folder = tempfile::tempdir().unwrap();
    let desk = getcases::Scope::new("account", "stream");
    let write = |store: &Store| {
        let mut batch = getcases::Batch::new();
        batch.upsert(&desk, r#"{"_id":"1"}"#).unwrap();
        store.write(batch).unwrap().generation(&desk).unwrap()
    };
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert_eq!((write(&store), write(&store), write(&store)), (1, 2, 3));
    assert!(store.drop_scope(&desk).unwrap());
    assert_eq!(store.snapshot(&desk).generation(), 4);
    drop(store);
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert_eq!(store.snapshot(&desk).generation(), 4);
    assert_eq!(write(&store), 5);
    drop(store);
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert_eq!((store.snapshot(&desk).generation(), write(&store)), (5, 6));
}

#[test]
fn an_export_is_sorted_and_made_of_the_documents() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let mut model = Model::new();
    for _ in 0..20 {
        store.write(batch(&mut random, &mut model, 100)).unwrap();
    }
    let mut out = Vec::new();
    let mut told = 0;
    let written = store.export(&store.scopes(), &mut out, |count| told = count).unwrap();
    let lines: String =
        model.values().flat_map(|own| own.values()).fold(String::new(), |mut all, own| {
            all.push_str(own);
            all.push('\n');
            all
        });
    assert!(String::from_utf8(out).unwrap() == lines && written == told);
}
