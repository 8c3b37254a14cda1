//! The contract vectors: `tests/contract/*.json`, each a request, its cases and what it must give.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use getcases::{Code, Context, CursorLimits, Engine, Refusal, Scope, Severity, WriteError};
use serde_json::Value;

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(object) if object.contains_key("$repeat") => repeated(&object["$repeat"]),
        other => other.to_string(),
    }
}

fn repeated(form: &Value) -> String {
    let part = |name: &str| form[name].as_str().unwrap();
    let times = usize::try_from(form["times"].as_u64().unwrap()).unwrap();
    format!("{}{}{}", part("prefix"), part("repeat").repeat(times), part("suffix"))
}

fn context(vector: &Value) -> Context {
    let given = &vector["context"];
    let unset = Context::default();
    Context {
        user: given["user"].as_str().map(str::to_owned),
        offset_minutes: given["offset"].as_i64().unwrap_or(0),
        now: given["now"].as_i64(),
        strict: given["strict"].as_bool().unwrap_or(false),
        severity: if given["severity"] == "low" { Severity::Low } else { Severity::High },
        max_limit: given["maxLimit"].as_u64().unwrap_or(unset.max_limit),
    }
}

/// Holds problems against those of a vector, in any order: code and path, and where it is given
/// the JSON text that is echoed.
fn assert_problems(refusal: &Refusal, errors: &Value, about: &str) {
    let ours = super::compare::problems(refusal);
    let errors = errors.as_array().unwrap();
    let expected: BTreeSet<_> = errors.iter().map(code_and_path).collect();
    let told: BTreeSet<_> = ours.iter().map(|p| (p.code.clone(), p.path.clone())).collect();
    assert_eq!(told, expected, "{about}");
    assert_eq!(ours.len(), errors.len(), "{about}");
    for error in errors.iter().filter(|error| error.get("value").is_some()) {
        let own = ours.iter().find(|p| (p.code.clone(), p.path.clone()) == code_and_path(error));
        let value = own.and_then(|own| own.value.as_deref());
        assert_eq!(value, error["value"].as_str(), "{about}: {error}");
    }
    super::compare::told(refusal, &ours).unwrap();
}

fn code_and_path(error: &Value) -> (String, String) {
    let part = |name: &str| error[name].as_str().unwrap().to_owned();
    (part("code"), part("path"))
}

/// Loads the vector's documents; those listed under `refused` must be, and no others.
fn load(vector: &Value, folder: &Path, scope: &Scope) -> Engine {
    let documents: Vec<String> = match vector["file"].as_str() {
        Some(file) => vec![fs::read_to_string(folder.join(file)).unwrap()],
        None => vector["documents"].as_array().unwrap().iter().map(text).collect(),
    };
    let snapshots = vector["snapshots"].as_u64().unwrap_or(8) as usize;
    let limits = CursorLimits { snapshots, ..CursorLimits::default() };
    let engine = Engine::builder().cursors(limits).build();
    let listed = vector["refused"].as_array().cloned().unwrap_or_default();
    for (index, document) in documents.iter().enumerate() {
        let refused = listed.iter().find(|refused| refused["index"] == index);
        match (engine.write(|batch| batch.upsert(scope, document)), refused) {
            (Ok(_), None) => {}
            (Err(WriteError::Stage(refusal)), Some(expected)) => {
                assert_problems(&refusal, &expected["errors"], &format!("document {index}"));
            }
            (written, expected) => panic!("document {index}: {written:?}, expected {expected:?}"),
        }
    }
    engine
}

fn check(vector: &Value, folder: &Path) {
    let part = |name: &str, unset: &str| vector[name].as_str().unwrap_or(unset).to_owned();
    let scope = Scope::new(&part("account", "a"), &part("stream", "s"));
    let engine = load(vector, folder, &scope);
    let request = match &vector["request_repeat"] {
        Value::Null => part("request", ""),
        form => repeated(form),
    };
    let mut cursor = ask(&engine, &scope, &request, vector);
    // Further requests, each after some changes; `CURSOR` is what the one before gave.
    for step in vector["next"].as_array().into_iter().flatten() {
        let written = engine.write(|batch| {
            let deletes = step["deletes"].as_array().into_iter().flatten();
            deletes.for_each(|id| batch.delete(&scope, id.as_str().unwrap()));
            let mut upserts = step["upserts"].as_array().into_iter().flatten();
            upserts.try_for_each(|document| batch.upsert(&scope, text(document)))
        });
        written.unwrap();
        let given = cursor.as_deref().expect("a cursor to go on from");
        let request = step["request"].as_str().unwrap().replace("CURSOR", given);
        cursor = ask(&engine, &scope, &request, step);
    }
}

/// Asks one request of a vector; gives the cursor for the next page.
fn ask(engine: &Engine, scope: &Scope, request: &str, vector: &Value) -> Option<String> {
    let (expect, snapshot) = (&vector["expect"], engine.snapshot(scope));
    let page = match snapshot.query_json(request.as_bytes(), &context(vector)) {
        Ok(query) => snapshot.search(&query),
        Err(refusal) => {
            assert_problems(&refusal, &expect["errors"], "request");
            return None;
        }
    };
    assert_eq!(expect["errors"], Value::Null, "answered, though it must be refused");
    let ids: Vec<_> = page.results.iter().map(|document| document.id()).collect();
    let figures = serde_json::json!({
        "ids": ids, "page": page.page, "limit": page.limit, "hasMore": page.has_more,
        "totalPages": page.total_pages, "totalResults": page.total_results, "ignored": page.ignored,
    });
    for (name, value) in figures.as_object().unwrap() {
        assert_eq!(value, &expect[name], "{name}");
    }
    if let Some(has_cursor) = expect["nextCursor"].as_bool() {
        assert_eq!(page.next_cursor.is_some(), has_cursor, "nextCursor");
    }
    if let Some(results) = expect["results"].as_array() {
        let ours: Vec<_> = page.results.iter().map(|document| document.json()).collect();
        assert_eq!(&ours, results);
    }
    page.next_cursor
}

fn vectors() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut vectors: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap())
        })
        .collect();
    vectors.sort_by(|a, b| a.0.cmp(&b.0));
    vectors
}

#[test]
fn every_vector_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let vectors = vectors();
    assert!(vectors.len() >= 200, "{} vectors", vectors.len());
    let mut failed = Vec::new();
    for (name, vector) in &vectors {
        if std::panic::catch_unwind(|| check(vector, &folder)).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{} of {} vectors fail: {failed:#?}", failed.len(), vectors.len());
}

#[test]
fn every_code_has_two_vectors() {
    let mut counts: std::collections::BTreeMap<String, usize> = Default::default();
    for (_, vector) in vectors() {
        let refused = vector["refused"].as_array().cloned().unwrap_or_default();
        let documents = refused.iter().map(|refused| &refused["errors"]);
        let further = vector["next"].as_array().cloned().unwrap_or_default();
        let further = further.iter().map(|step| &step["expect"]["errors"]);
        let asked = further.chain([&vector["expect"]["errors"]]);
        let of = documents.chain(asked).filter(|errors| errors.is_array());
        let codes: BTreeSet<String> =
            of.flat_map(|errors| errors.as_array().unwrap()).map(|e| code_and_path(e).0).collect();
        for code in codes {
            *counts.entry(code).or_default() += 1;
        }
    }
    // These are for hosts to refuse with, and of writes that there is no room for.
    let of_hosts = [
        Code::UnknownPath,
        Code::MethodNotAllowed,
        Code::UnsupportedMediaType,
        Code::RequestTimeout,
        Code::UnknownCase,
        Code::UnknownGeneration,
        Code::GenerationTooOld,
        Code::NotReady,
        Code::Overloaded,
        Code::InternalError,
        Code::MissingHeader,
        Code::RepeatedHeader,
        Code::Unauthenticated,
        Code::MissingScope,
        Code::UnknownStream,
        Code::TooSlow,
        Code::TooManyRequests,
        Code::ScopeFull,
        Code::MemoryLimit,
        Code::StorageFull,
        Code::StorageFailed,
        Code::VersionConflict,
    ];
    for code in Code::ALL.iter().filter(|code| !of_hosts.contains(code)) {
        let count = counts.get(code.as_str()).copied().unwrap_or(0);
        assert!(count >= 2, "{code} has {count} vectors");
    }
}
