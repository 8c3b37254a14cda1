//! The index beside the records: it comes back as it was, and nothing is believed that it says
//! against them.

use std::fs;
use std::path::Path;

use getcases::{Batch, Case, Context, Engine, RestoredCheckpointPart, Scope, Snapshot};
use getcases_store::{Finding, Opened, Options, Store, StoreError, verify};
use getcases_workload::{ACCOUNT_ID, STREAM_ID, Shape, Workload};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::model::{Model, batch, below, compare};

/// Options that keep the index of few cases, too.
pub(crate) fn options() -> Options {
    let engine = Engine::builder().threads(1);
    Options { checkpoint_cases: 1, engine, ..Options::default() }
}

const QUESTIONS: [&str; 8] = [
    r#"{"limit":7}"#,
    r#"{"unresolved":true,"sortBy":"dueDate","limit":20}"#,
    r#"{"status":["open","new"],"sortBy":"name","skip":13,"limit":20}"#,
    r#"{"searchText":"refund","limit":5}"#,
    r#"{"searchText":"ef","sortBy":["priority","updatedDate"],"limit":9}"#,
    r#"{"queues":["Queue 3"],"sortBy":"status","limit":9}"#,
    r#"{"unassigned":true,"channel":["email"],"limit":9}"#,
    r#"{"filter":{"not":{"text":{"contains":"order"}}},"limit":9}"#,
];

/// Panics where two snapshots differ in any case, or in an answer.
fn same(one: &Snapshot, other: &Snapshot) {
    assert_eq!(one.len(), other.len());
    assert!(one.cases().map(|own| own.into_json()).eq(other.cases().map(|own| own.into_json())));
    for question in QUESTIONS {
        let ask = |own: &Snapshot| {
            own.search_json(question.as_bytes(), &Context::default()).unwrap().json
        };
        assert_eq!(ask(one), ask(other), "{question}");
    }
}

/// An engine with what another one's scope holds, by way of bytes.
fn restored(from: &Engine, scope: &Scope) -> Engine {
    let snapshot = from.snapshot(scope);
    let bytes: Vec<_> =
        snapshot.checkpoint().map(|part| postcard::to_allocvec(&part).unwrap()).collect();
    // In another order than they were written in.
    let parts = bytes.iter().rev().map(|bytes| postcard::from_bytes(bytes).unwrap()).collect();
    let engine = Engine::builder().threads(1).build();
    engine.restore(scope, snapshot.generation(), parts).unwrap();
    let own = engine.snapshot(scope);
    own.validate().unwrap();
    assert_eq!(own.generation(), snapshot.generation());
    same(&snapshot, &own);
    engine
}

/// Writes into both, and compares them after each batch.
fn go_on(one: &Engine, other: &Engine, scope: &Scope, documents: &[String]) {
    for documents in documents.chunks(documents.len().div_ceil(4).max(1)) {
        let written = [one, other].map(|engine| {
            let mut batch = Batch::new();
            for document in documents {
                batch.upsert(scope, document).unwrap();
            }
            engine.commit(batch).unwrap()
        });
        assert_eq!(written[0].replaced, written[1].replaced);
        other.snapshot(scope).validate().unwrap();
        same(&one.snapshot(scope), &other.snapshot(scope));
    }
}

#[test]
fn an_index_comes_back_as_it_was() {
    let desk = Scope::new(ACCOUNT_ID, STREAM_ID);
    // None, one, few, and more than a segment has.
    for (shape, count) in
        [(Shape::Seed, 0), (Shape::Seed, 1), (Shape::Seed, 3000), (Shape::Lean, 70_000)]
    {
        let (workload, mut text) = (Workload::new(count + 500, 1, shape), Vec::new());
        let mut document = |number| {
            text.clear();
            workload.write_case(number, &mut text);
            String::from_utf8(text.clone()).unwrap()
        };
        let engine = Engine::builder().threads(1).build();
        for first in (0..count).step_by(4096) {
            let mut batch = Batch::new();
            for number in first..count.min(first + 4096) {
                batch.upsert(&desk, document(number)).unwrap();
            }
            for number in (first..count.min(first + 4096)).step_by(7) {
                let case = Case::from_json(document(number).as_bytes()).unwrap();
                batch.delete(&desk, case.id());
            }
            engine.commit(batch).unwrap();
        }
        let other = restored(&engine, &desk);
        // Values that are known and new ones, cases that are there, were deleted, and are new.
        let more: Vec<_> = (count.saturating_sub(300)..count + 500).map(document).collect();
        go_on(&engine, &other, &desk, &more);
        while engine.maintain(1 << 20).left > 0 {}
        while other.maintain(1 << 20).left > 0 {}
        same(&engine.snapshot(&desk), &other.snapshot(&desk));
        restored(&other, &desk);
    }
}

#[test]
fn parts_that_are_not_one_snapshot_are_refused() {
    let (engine, desk) = (Engine::new(), Scope::new("a", "s"));
    let mut batch = Batch::new();
    batch.upsert(&desk, r#"{"_id":"1"}"#).unwrap();
    engine.commit(batch).unwrap();
    let snapshot = engine.snapshot(&desk);
    let part = |at: usize| -> RestoredCheckpointPart {
        let part = snapshot.checkpoint().nth(at).unwrap();
        postcard::from_bytes(&postcard::to_allocvec(&part).unwrap()).unwrap()
    };
    for parts in [vec![], vec![0, 1], vec![0, 2], vec![1, 2], vec![0, 0, 1, 2], vec![0, 1, 2, 2]] {
        let parts = parts.into_iter().map(part).collect();
        assert!(Engine::new().restore(&desk, 1, parts).is_err());
    }
    let all = || vec![part(0), part(1), part(2)];
    assert!(engine.restore(&desk, 1, all()).is_err(), "the scope is there");
    assert!(Engine::new().restore(&desk, 1, all()).is_ok());
}

/// A store whose index was kept.
fn made(folder: &Path, seed: u64) -> Model {
    let (mut random, mut model) = (ChaCha8Rng::seed_from_u64(seed), Model::new());
    let store = Store::open(folder, &options()).unwrap();
    for _ in 0..40 {
        store.write(batch(&mut random, &mut model, 40)).unwrap();
    }
    store.close().unwrap();
    assert!(folder.join("index.checkpoint").exists());
    model
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap().path()) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_store_is_opened_by_its_checkpoint_and_by_an_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut random) = (folder.path(), ChaCha8Rng::seed_from_u64(3));
    let mut model = made(path, 1);
    let index = fs::read(path.join("index.checkpoint")).unwrap();
    for round in 0..6 {
        let store = Store::open(path, &options()).unwrap();
        assert_eq!(*store.opened(), Opened::Checkpoint, "{round}");
        compare(&store, &model);
        for _ in 0..5 {
            store.write(batch(&mut random, &mut model, 40)).unwrap();
        }
        if round == 3 {
            let scope = model.keys().next().unwrap().clone();
            store.drop_scope(&scope).unwrap();
            model.remove(&scope);
        }
        // As after a loss of power: the log is there, and an older index.
        let lost = tempfile::tempdir().unwrap();
        copy(path, lost.path());
        let (read, report) = Store::open_read_only(lost.path(), &options()).unwrap();
        assert!(report.is_whole());
        compare(&read, &model);
        let other = Store::open(lost.path(), &options()).unwrap();
        assert_ne!(*other.opened(), Opened::Checkpoint);
        compare(&other, &model);
        other.proved().unwrap();
        other.close().unwrap();
        let again = Store::open(lost.path(), &options()).unwrap();
        assert_eq!(*again.opened(), Opened::Checkpoint);
        compare(&again, &model);
        for scope in again.scopes() {
            again.snapshot(&scope).validate().unwrap();
        }
        store.close().unwrap();
    }
    // The oldest one of all.
    fs::write(path.join("index.checkpoint"), index).unwrap();
    let store = Store::open(path, &options()).unwrap();
    assert_ne!(*store.opened(), Opened::Checkpoint);
    compare(&store, &model);
}

#[test]
fn a_checkpoint_that_is_cut_changed_or_anothers_is_not_believed() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, mut random) = (folder.path(), ChaCha8Rng::seed_from_u64(4));
    let model = made(path, 1);
    made(other.path(), 2);
    let index = path.join("index.checkpoint");
    let whole = fs::read(&index).unwrap();
    let opens = |bytes: &[u8], what: &str| {
        fs::write(&index, bytes).unwrap();
        let (read, _) = Store::open_read_only(path, &options()).unwrap();
        assert!(matches!(read.opened(), Opened::Records { why: Some(_) }), "{what}");
        compare(&read, &model);
    };
    for _ in 0..60 {
        let at = below(&mut random, whole.len() as u64) as usize;
        opens(&whole[..at], "cut");
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << below(&mut random, 8);
        opens(&bytes, &format!("byte {at}"));
    }
    let tail = whole.len() - 40;
    for at in tail..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x80;
        opens(&bytes, &format!("byte {at}"));
    }
    opens(&[&whole[..], b"more"].concat(), "longer");
    opens(&fs::read(other.path().join("index.checkpoint")).unwrap(), "another store's");
    opens(b"", "empty");
    // It is made anew as soon as somebody writes.
    let store = Store::open(path, &options()).unwrap();
    store.proved().unwrap();
    store.close().unwrap();
    let store = Store::open(path, &options()).unwrap();
    assert_eq!(*store.opened(), Opened::Checkpoint);
    compare(&store, &model);
}

/// Damage is found before anything is written, whoever answers meanwhile.
#[test]
fn records_are_held_against_what_was_written_beside_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let model = made(folder.path(), 1);
    let database = folder.path().join("cases.sqlite");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute("UPDATE cases SET document = '{}' WHERE rowid = 5", ()).unwrap();
    drop(connection);
    let store = Store::open(folder.path(), &options()).unwrap();
    compare(&store, &model);
    let mut batch = Batch::new();
    batch.upsert(&Scope::new("a", "s"), r#"{"_id":"1"}"#).unwrap();
    let refused = store.write(batch).unwrap_err();
    let StoreError::Damaged(findings) = &refused else { panic!("{refused}") };
    assert!(matches!(findings[0], Finding::Record { row: 5, .. }), "{refused}");
    assert!(store.proved().is_err() && store.close().is_err());
    let report = verify(folder.path(), &options()).unwrap();
    assert!(!report.is_whole());
    fs::remove_file(folder.path().join("index.checkpoint")).unwrap();
    let opened = Store::open(folder.path(), &options());
    assert!(matches!(opened, Err(StoreError::Damaged(_))));
}

#[test]
fn few_cases_are_indexed_anew() {
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), 1);
    let store = Store::open(folder.path(), &Options::default()).unwrap();
    assert_eq!(*store.opened(), Opened::Records { why: None });
    let mut batch = Batch::new();
    batch.upsert(&Scope::new("a", "s"), r#"{"_id":"1"}"#).unwrap();
    store.write(batch).unwrap();
    store.close().unwrap();
    assert!(!folder.path().join("index.checkpoint").exists());
}
