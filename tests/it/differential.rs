//! Random documents and requests, and random requests over real cases, each held against the
//! oracle.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use arbitrary::Unstructured;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng};

use super::compare::Desk;
use super::generate::{self, Vocabulary};
use super::history;

/// How many random requests are asked of each file of real cases.
const REQUESTS: u64 = 5000;

fn bytes(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..length)
}

proptest! {
    #![proptest_config(Config::with_cases(400))]

    #[test]
    fn any_request_over_any_documents(
        documents in prop::collection::vec(bytes(600), 0..24),
        requests in prop::collection::vec(bytes(500), 1..8),
    ) {
        let vocabulary = Vocabulary::odd();
        let mut desk = Desk::new("a", "s");
        for document in &documents {
            let mut u = Unstructured::new(document);
            if let Ok(document) = generate::document(&mut u, &vocabulary) {
                desk.upsert(document).map_err(TestCaseError::fail)?;
            }
        }
        for request in &requests {
            let mut u = Unstructured::new(request);
            let context = generate::context(&mut u, &vocabulary);
            if let (Ok(context), Ok(body)) = (context, generate::request(&mut u, &vocabulary)) {
                desk.ask(&body, &context).map_err(TestCaseError::fail)?;
            }
        }
    }
}

proptest! {
    #![proptest_config(Config::with_cases(400))]

    #[test]
    fn any_history(bytes in bytes(6000)) {
        history::play(&bytes).map_err(TestCaseError::fail)?;
    }
}

/// The files of real cases beside the project, where they are.
fn real_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.to_string_lossy().ends_with(".ndjson.gz"))
        .collect();
    files.sort();
    files
}

fn check_real_file(file: &Path) {
    let mut text = String::new();
    let packed = fs::File::open(file).unwrap();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    let part = |name: &str| first[name].as_str().unwrap();
    let mut desk = Desk::new(part("accountId"), part("iId"));
    desk.upsert_all(&lines).unwrap();
    let loaded = desk.engine.snapshot(&desk.scope).len();
    assert!(loaded > 0 && loaded <= lines.len(), "{}", file.display());

    let sample: Vec<_> = lines.iter().step_by(lines.len() / 500 + 1).copied().collect();
    let sample: Vec<_> = sample.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let vocabulary = Vocabulary::of(&sample);
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut found = 0;
    for _ in 0..REQUESTS {
        let mut bytes = [0; 500];
        random.fill_bytes(&mut bytes);
        let mut u = Unstructured::new(&bytes);
        let context = generate::context(&mut u, &vocabulary).unwrap();
        let body = generate::request(&mut u, &vocabulary).unwrap();
        found += u64::from(desk.ask(&body, &context).unwrap().is_some_and(|total| total > 0));
    }
    assert!(found > REQUESTS / 20, "only {found} requests of {} found anything", file.display());
}

#[test]
fn random_requests_over_real_cases() {
    let files = real_files();
    if files.is_empty() {
        println!("skipped: no files of real cases in ../shared/data");
    }
    std::thread::scope(|threads| {
        for half in 0..2 {
            let files = files.iter().skip(half).step_by(2);
            threads.spawn(|| files.for_each(|file| check_real_file(file)));
        }
    });
}
