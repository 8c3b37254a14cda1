//! The power is cut at every call, and again while the store recovers; calls fail, disks are full,
//! syncs lie. Whatever was acknowledged is there, and every batch is whole or absent.

use std::sync::{Arc, OnceLock};

use getcases::{Batch, Engine, Scope};
use getcases_store::{Options, Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::disk::{Disk, Fault, Image};
use crate::model::{Model, batch, compare, compare_cases};
use crate::vfs;

const LAYER: &str = "simulated";

/// The disk: there is one layer, so tests take turns.
fn disk() -> std::sync::MutexGuard<'static, Arc<Disk>> {
    static DISK: OnceLock<std::sync::Mutex<Arc<Disk>>> = OnceLock::new();
    let disk = DISK.get_or_init(|| {
        let disk = Arc::new(Disk::new());
        vfs::register(LAYER, &disk);
        std::sync::Mutex::new(disk)
    });
    disk.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A log that is copied after a few batches, so that every run goes through it.
fn options() -> Options {
    Options {
        vfs: Some(LAYER.to_owned()),
        log_bytes: 48 << 10,
        cache_bytes: 1 << 20,
        engine: Engine::builder().threads(1),
        ..Options::default()
    }
}

fn counter() -> Scope {
    Scope::new("account", "counter")
}

fn numbered(number: u64, model: &mut Model) -> Batch<'static> {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut batch = batch(&mut random, model, 4);
    let text = format!(r#"{{"_id":"last","name":"{number}"}}"#);
    batch.upsert(&counter(), &text).unwrap();
    model.entry(counter()).or_default().insert("last".to_owned(), text);
    batch
}

fn count(store: &Store) -> u64 {
    let last = store.snapshot(&counter()).get("last").map(|own| own.into_json());
    let number = last.and_then(|text| text.split('"').nth(7)?.parse::<u64>().ok());
    number.map_or(0, |number| number + 1)
}

/// The states after each number of batches.
fn models(batches: u64) -> Vec<Model> {
    let mut all = vec![Model::new()];
    for number in 0..batches {
        let mut next = all[number as usize].clone();
        drop(numbered(number, &mut next));
        all.push(next);
    }
    all
}

/// Opens a store and writes batches until one fails; tells of each how many were acknowledged by
/// then, and gives that at the end.
fn run(
    folder: &std::path::Path,
    batches: u64,
    models: &[Model],
    mut acknowledged: impl FnMut(u64),
) -> u64 {
    let Ok(store) = Store::open(folder, &options()) else { return 0 };
    let mut kept = 0;
    for number in 0..batches {
        match store.write(numbered(number, &mut Model::new())) {
            Ok(_) => {
                kept += 1;
                acknowledged(kept);
            }
            Err(StoreError::DiskFull(_)) => {
                assert!(store.writable().is_ok());
                compare_cases(&store, &models[kept as usize]);
            }
            Err(StoreError::Broken(_)) => {
                // Reads go on, and writes do not.
                assert!(matches!(store.writable(), Err(StoreError::Broken(_))));
                compare_cases(&store, &models[kept as usize]);
                break;
            }
            Err(error) => panic!("{error}"),
        }
        if kept <= number {
            break;
        }
    }
    kept
}

/// Opens what a fault has left; it must hold what was acknowledged, or one batch more.
fn recovered(folder: &std::path::Path, kept: u64, models: &[Model], told: &str) -> u64 {
    let store = Store::open(folder, &options()).unwrap_or_else(|error| panic!("{told}: {error}"));
    let there = count(&store);
    assert!(there == kept || there == kept + 1, "{told}: {there} of {kept}");
    if there == 0 {
        assert!(store.scopes().is_empty(), "{told}");
    } else {
        compare(&store, &models[there as usize]);
    }
    // It goes on.
    store.write(numbered(there, &mut Model::new())).unwrap_or_else(|e| panic!("{told}: {e}"));
    there
}

/// How many calls a whole run has.
fn calls(disk: &Disk, folder: &std::path::Path, batches: u64, models: &[Model]) -> u64 {
    disk.clear(0);
    assert_eq!(run(folder, batches, models, |_| {}), batches);
    disk.calls().0
}

/// How many calls' images are kept at once: some hundred megabytes.
const RECORDED: usize = 250;

/// What a cut at each call of a whole run leaves, `step` calls apart; with the call.
fn images<'d>(
    disk: &'d Disk,
    folder: &'d std::path::Path,
    (batches, step): (u64, usize),
    (models, seed): (&'d [Model], u64),
) -> impl Iterator<Item = (u64, Image)> + 'd {
    let all = calls(disk, folder, batches, models);
    let each = (1..=all).step_by(RECORDED).flat_map(move |start| {
        disk.clear(seed);
        disk.record(start..start + RECORDED as u64);
        let kept = run(folder, batches, models, |kept| disk.acknowledge(kept));
        assert_eq!(kept, batches);
        (start..).zip(disk.recorded())
    });
    each.step_by(step)
}

/// Cuts the power at call after call; `depth_step` is how many calls of a recovery come between
/// two at which it is cut again.
fn cut_everywhere(batches: u64, step: usize, depth_step: usize, seed: u64) -> (u64, u64) {
    let disk = disk();
    let folder = tempfile::tempdir().unwrap();
    let models = models(batches + 3);
    let (mut cuts, mut again) = (0, 0);
    for (call, image) in images(&disk, folder.path(), (batches, step), (&models[..], seed)) {
        let told = format!("seed {seed}, cut at call {call}");
        let kept = image.acknowledged;
        disk.restore(&image);
        disk.arm(None);
        disk.cut(seed ^ call);
        cuts += 1;
        let image = disk.image();
        recovered(folder.path(), kept, &models, &told);
        // The recovery has as many calls as it had now, at most.
        let within = disk.calls().0;
        for second in (1..=within).step_by(depth_step) {
            let told = format!("{told}, and at call {second} of the recovery");
            disk.restore(&image);
            disk.arm(Some((second, Fault::Cut)));
            let opened = Store::open(folder.path(), &options());
            let more = opened.and_then(|store| {
                let there = count(&store);
                store.write(numbered(there, &mut Model::new())).map(|_| there + 1)
            });
            disk.arm(None);
            disk.cut(seed ^ call ^ (second << 32));
            again += 1;
            let least = more.unwrap_or(kept);
            let store = Store::open(folder.path(), &options());
            let store = store.unwrap_or_else(|error| panic!("{told}: {error}"));
            let there = count(&store);
            assert!((least..=kept + 2).contains(&there), "{told}: {there} of {least}");
            if there > 0 {
                compare(&store, &models[there as usize]);
            }
        }
    }
    (cuts, again)
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    let (cuts, again) = cut_everywhere(12, 3, 4, 1);
    assert!(cuts > 50 && again > 100, "{cuts} {again}");
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|own| own.parse().ok()).unwrap_or(default)
}

/// `cargo test --release -p getcases-store power_cuts_everywhere -- --ignored --nocapture`; with
/// `TMPDIR=/dev/shm` the lock's file is synced in no time.
#[test]
#[ignore = "it takes many minutes"]
fn power_cuts_everywhere() {
    let (batches, seed) = (number("GETCASES_BATCHES", 200), number("GETCASES_SEED", 1));
    let depth = number("GETCASES_DEPTH_STEP", 1) as usize;
    let (cuts, again) = cut_everywhere(batches, 1, depth, seed);
    println!("seed {seed}: {cuts} cuts and {again} cuts within recoveries, nothing lost");
}

/// Has calls fail in every other way.
fn fail_everywhere(batches: u64, step: usize, seed: u64) -> u64 {
    let disk = disk();
    let folder = tempfile::tempdir().unwrap();
    let models = models(batches + 3);
    let all = calls(&disk, folder.path(), batches, &models);
    let mut faults = 0;
    for fault in [Fault::Cut, Fault::Io, Fault::Sync, Fault::Full, Fault::Short] {
        for call in (1..=all).step_by(step) {
            let told = format!("seed {seed}, {fault:?} at call {call}");
            disk.clear(seed);
            disk.arm(Some((call, fault)));
            let kept = run(folder.path(), batches, &models, |_| {});
            disk.arm(None);
            // And the power goes, too: what was said to be synced must be.
            disk.cut(seed ^ call);
            faults += 1;
            recovered(folder.path(), kept, &models, &told);
        }
    }
    faults
}

#[test]
fn failing_calls_lose_nothing_that_was_acknowledged() {
    assert!(fail_everywhere(10, 4, 1) > 100);
}

#[test]
#[ignore = "it takes minutes"]
fn failing_calls_everywhere() {
    let (batches, seed) = (number("GETCASES_BATCHES", 200), number("GETCASES_SEED", 1));
    let faults = fail_everywhere(batches, 1, seed);
    println!("seed {seed}: {faults} faults, nothing lost");
}

#[test]
fn what_did_not_fit_fits_once_there_is_room() {
    let disk = disk();
    let folder = tempfile::tempdir().unwrap();
    let models = models(3);
    disk.clear(3);
    let store = Store::open(folder.path(), &options()).unwrap();
    store.write(numbered(0, &mut Model::new())).unwrap();
    disk.arm(Some((1, Fault::Full)));
    let error = store.write(numbered(1, &mut Model::new())).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull(_)), "{error}");
    compare_cases(&store, &models[1]);
    disk.arm(None);
    store.write(numbered(1, &mut Model::new())).unwrap();
    compare(&store, &models[2]);
    drop(store);
    disk.cut(3);
    compare(&Store::open(folder.path(), &options()).unwrap(), &models[2]);
}
