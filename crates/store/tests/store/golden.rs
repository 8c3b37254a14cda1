//! Stores of every version that was released: they are opened for ever.

use std::fs;
use std::path::Path;

use getcases_store::{Options, Store};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::model::{Model, batch, compare};

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// What the store of a version holds: the same for every one.
fn model(mut write: impl FnMut(getcases::Batch<'static>)) -> Model {
    let mut model = Model::new();
    let mut random = ChaCha8Rng::seed_from_u64(16);
    for _ in 0..12 {
        write(batch(&mut random, &mut model, 30));
    }
    model
}

#[test]
fn every_version_is_opened() {
    let model = model(drop);
    let mut versions = 0;
    for entry in fs::read_dir(golden()).unwrap() {
        let kept = entry.unwrap().path();
        // It is changed by being opened.
        let folder = tempfile::tempdir().unwrap();
        for file in fs::read_dir(&kept).unwrap().map(|file| file.unwrap().path()) {
            fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        let store = Store::open(folder.path(), &Options::default()).unwrap();
        compare(&store, &model);
        versions += 1;
    }
    assert!(versions > 0);
}

/// Makes the store of this version, where there is none yet.
#[test]
#[ignore = "it is run once a version"]
fn make() {
    let path = golden().join("1");
    let store = Store::open(&path, &Options::default()).unwrap();
    model(|batch| drop(store.write(batch).unwrap()));
    store.close().unwrap();
}
