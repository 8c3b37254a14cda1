//! Many writers at once: groups, their order, and batches that are refused among others.

use std::sync::atomic::{AtomicBool, Ordering};

use getcases::{Batch, Engine, Scope, WriteError};
use getcases_store::{Options, Store, StoreError};

#[test]
fn batches_of_many_threads_are_seen_whole_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    let desk = Scope::new("account", "stream");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (store, desk) = (&store, &desk);
                threads.spawn(move || {
                    let mut last = 0;
                    for round in 0..60 {
                        let mut batch = Batch::new();
                        for part in 0..(1 + writer * 12) {
                            let id = format!("{writer}-{part}");
                            let text = format!(r#"{{"_id":"{id}","name":"{round}"}}"#);
                            batch.upsert(desk, text).unwrap();
                        }
                        let written = store.write(batch).unwrap();
                        let generation = written.generation(desk).unwrap();
                        assert!(generation > last);
                        last = generation;
                        // What was acknowledged is seen.
                        let own = store.snapshot(desk).get(&format!("{writer}-0")).unwrap();
                        let name = format!(r#""name":"{round}""#);
                        assert!(own.into_json().contains(&name));
                    }
                })
            })
            .collect();
        let (store, desk, is_over) = (&store, &desk, &is_over);
        threads.spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let snapshot = store.snapshot(desk);
                for writer in 0..8 {
                    let ids: Vec<_> =
                        (0..(1 + writer * 12)).map(|part| format!("{writer}-{part}")).collect();
                    let own = snapshot.get_many(ids.iter().map(String::as_str));
                    let name = |own: &Option<getcases::Document>| {
                        let text = own.as_ref().map(|own| own.to_string())?;
                        Some(text.split("name").nth(1)?.to_owned())
                    };
                    assert!(own.iter().all(|one| name(one) == name(&own[0])), "a torn batch");
                }
            }
        });
        let done: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        is_over.store(true, Ordering::Relaxed);
        done.into_iter().for_each(|own| own.unwrap());
    });
    assert_eq!(store.snapshot(&desk).generation(), 8 * 60);
    drop(store);
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert_eq!(store.snapshot(&desk).len(), (0..8).map(|own| 1 + own * 12).sum::<usize>());
    assert_eq!(store.snapshot(&desk).generation(), 8 * 60);
}

#[test]
fn a_batch_without_room_is_nowhere_and_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::builder().memory_limit(200_000);
    let options = Options { engine, ..Options::default() };
    let store = Store::open(folder.path(), &options).unwrap();
    let (desk, other) = (Scope::new("account", "stream"), Scope::new("account", "other"));
    let mut large = Batch::new();
    for id in 0..20_000 {
        large.upsert(&desk, format!(r#"{{"_id":"{id}","name":"name {id}"}}"#)).unwrap();
    }
    std::thread::scope(|threads| {
        let refused = threads.spawn(|| store.write(large));
        for round in 0..50 {
            let mut batch = Batch::new();
            batch.upsert(&other, format!(r#"{{"_id":"{}"}}"#, round % 7)).unwrap();
            store.write(batch).unwrap();
        }
        let refused = refused.join().unwrap();
        assert!(matches!(refused, Err(StoreError::Write(WriteError::Memory { .. }))));
    });
    assert_eq!((store.snapshot(&desk).len(), store.snapshot(&other).len()), (0, 7));
    drop(store);
    let store = Store::open(folder.path(), &options).unwrap();
    assert_eq!((store.snapshot(&desk).len(), store.snapshot(&other).len()), (0, 7));
}

#[test]
fn a_batch_without_changes_is_written_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert_eq!(store.write(Batch::new()).unwrap(), getcases::Written::default());
    let (desk, mut batch) = (Scope::new("account", "stream"), Batch::new());
    batch.delete(&desk, "1");
    // Nobody was there: the scope is known, and its generation is as before.
    assert_eq!(store.write(batch).unwrap().generation(&desk), Some(0));
    drop(store);
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert!(store.contains(&desk) && store.snapshot(&desk).generation() == 0);
}
