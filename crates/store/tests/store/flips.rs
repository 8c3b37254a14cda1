//! One bit of a closed store is turned over: that is found, or what is read is the same.

use std::fs;
use std::path::Path;

use getcases_store::{Options, Store, StoreError, verify};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::model::{Model, batch, below};

/// What became of flips.
#[derive(Debug, Default)]
struct Tally {
    found: u64,
    harmless: u64,
}

/// Turns bits of a store over, one at a time, and panics where what is read differs in silence.
fn flip(folder: &Path, options: &Options, model: &Model, flips: u64, seed: u64) -> Tally {
    let database = folder.join("cases.sqlite");
    let whole = fs::read(&database).unwrap();
    let index = fs::read(folder.join("index.checkpoint"));
    let mark = fs::read(folder.join("store.lock")).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for turn in 0..flips {
        // Some in the pages that matter to all others.
        let end = if turn % 8 == 0 { 4096 } else { whole.len() as u64 };
        let (byte, bit) = (below(&mut random, end) as usize, below(&mut random, 8));
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << bit;
        fs::write(&database, &bytes).unwrap();
        fs::write(folder.join("store.lock"), &mark).unwrap();
        for name in ["cases.sqlite-wal", "cases.sqlite-shm"] {
            let _ = fs::remove_file(folder.join(name));
        }
        if let Ok(index) = &index {
            fs::write(folder.join("index.checkpoint"), index).unwrap();
        }
        let at = format!("seed {seed}, flip {turn}: bit {bit} of byte {byte}");
        match Store::open(folder, options) {
            Err(StoreError::Locked { .. } | StoreError::Io { .. }) => panic!("{at}"),
            Err(_) => tally.found += 1,
            Ok(store) => {
                crate::model::compare(&store, model);
                // What is written next is kept, too.
                let mut changed = model.clone();
                let own = batch(&mut random, &mut changed, 20);
                match store.write(own) {
                    Ok(_) => {
                        crate::model::compare(&store, &changed);
                        drop(store);
                        let report = verify(folder, options).unwrap();
                        assert!(report.is_whole(), "{at}: {report:?}");
                        tally.harmless += 1;
                    }
                    Err(StoreError::Broken(_) | StoreError::Damaged(_)) => tally.found += 1,
                    Err(error) => panic!("{at}: {error}"),
                }
            }
        }
    }
    tally
}

fn plain() -> Options {
    Options { engine: getcases::Engine::builder().threads(1), ..Options::default() }
}

fn made(folder: &Path, options: &Options) -> Model {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut model = Model::new();
    let store = Store::open(folder, options).unwrap();
    for _ in 0..60 {
        store.write(batch(&mut random, &mut model, 60)).unwrap();
    }
    store.close().unwrap();
    model
}

#[test]
fn a_flipped_bit_is_found_or_harmless() {
    // Without a checkpoint, and with one.
    for options in [plain(), crate::checkpoint::options()] {
        let folder = tempfile::tempdir().unwrap();
        let model = made(folder.path(), &options);
        let tally = flip(folder.path(), &options, &model, 200, 1);
        assert!(tally.found > 60, "{tally:?}");
    }
}

/// `cargo test --release -p getcases-store many_flipped -- --ignored --nocapture`; how many, and
/// by which seed, are `GETCASES_FLIPS` and `GETCASES_SEED`.
#[test]
#[ignore = "it takes minutes"]
fn many_flipped_bits_are_found_or_harmless() {
    let number = |name, default| {
        std::env::var(name).ok().and_then(|own| own.parse().ok()).unwrap_or(default)
    };
    for options in [plain(), crate::checkpoint::options()] {
        let folder = tempfile::tempdir().unwrap();
        let model = made(folder.path(), &options);
        let (flips, seed) = (number("GETCASES_FLIPS", 10_000), number("GETCASES_SEED", 1));
        println!("{:?}", flip(folder.path(), &options, &model, flips, seed));
    }
}
