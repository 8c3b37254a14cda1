//! A process that writes is killed at random moments, and what it acknowledged must be there: all
//! of each batch, and nothing of one that is not there whole.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use getcases::{Batch, Scope};
use getcases_store::{Options, Store};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::model::{Model, batch, below, compare};

const CYCLES: u64 = 50;
const FOLDER: &str = "GETCASES_CRASH_FOLDER";

/// The batch of a number, which tells its number too.
fn numbered(number: u64, model: &mut Model) -> Batch<'static> {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let most = if number.is_multiple_of(10) { 300 } else { 3 };
    let mut batch = batch(&mut random, model, most);
    let (own, text) = (counter(), format!(r#"{{"_id":"last","name":"{number}"}}"#));
    batch.upsert(&own, &text).unwrap();
    model.entry(own).or_default().insert("last".to_owned(), text);
    batch
}

fn counter() -> Scope {
    Scope::new("account", "counter")
}

/// How many batches a store holds.
fn count(store: &Store) -> u64 {
    let last = store.snapshot(&counter()).get("last").map(|own| own.into_json());
    let number = last.and_then(|text| text.split('"').nth(7)?.parse::<u64>().ok());
    number.map_or(0, |number| number + 1)
}

/// A log that is copied often, and an index that is kept, so that many are killed within that.
fn options() -> Options {
    Options { log_bytes: 256 << 10, checkpoint_cases: 1, ..Options::default() }
}

/// What is killed: goes on where the store ends, and tells each batch that is kept.
#[test]
#[ignore = "it runs until it is killed"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open(folder, &options()).unwrap();
    let mut out = std::io::stdout();
    for number in count(&store).. {
        store.write(numbered(number, &mut Model::new())).unwrap();
        writeln!(out, "\nkept {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Runs a child for a while, from its start on or from the first batch that it tells of; gives the
/// last one.
fn killed(folder: &Path, after: Duration, has_begun: bool) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (begun, first) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut last = None;
        for line in out.lines().map_while(Result::ok) {
            let kept = line.strip_prefix("kept ").and_then(|own| own.parse().ok());
            if kept.is_some() && last.is_none() {
                let _ = begun.send(());
            }
            last = kept.or(last);
        }
        last
    });
    if has_begun {
        // However long a busy machine takes to start it.
        first.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, mut applied) = (Model::new(), 0);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for cycle in 0..CYCLES {
        let after = Duration::from_millis(20 + below(&mut random, 120));
        let told = killed(folder.path(), after, cycle % 3 > 0);
        if !folder.path().join("cases.sqlite").exists() {
            continue;
        }
        // Every second time the next child finds what this one left.
        let opened = match cycle % 2 {
            0 => Store::open(folder.path(), &options()),
            _ => Store::open_read_only(folder.path(), &options()).map(|(store, _)| store),
        };
        let store = match opened {
            Ok(store) => store,
            // It was killed before there was a store.
            Err(error) if applied == 0 && told.is_none() => {
                assert!(matches!(error, getcases_store::StoreError::Missing { .. }), "{error}");
                continue;
            }
            Err(error) => panic!("cycle {cycle}: {error}"),
        };
        let there = count(&store);
        assert!(told.is_none_or(|told| told < there), "cycle {cycle}: {told:?} of {there}");
        while applied < there {
            drop(numbered(applied, &mut model));
            applied += 1;
        }
        assert_eq!(applied, there, "cycle {cycle}: a batch that was there before is gone");
        if applied > 0 {
            compare(&store, &model);
        }
    }
    assert!(applied >= CYCLES * 2 / 3, "{applied} batches");
}
