//! One engine shared by threads, as a server would: a writer keeps changing cases while readers
//! answer request bodies. Run it with `cargo run --release -p getcases-examples --bin threads`.
#![allow(clippy::print_stderr)]

use std::sync::Arc;
use std::thread;

use getcases::{Context, Engine, Scope};

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let engine = Arc::new(Engine::new());
    let desk = Scope::new("account", "stream");
    engine.write(|batch| (0..1000).try_for_each(|id| batch.upsert(&desk, case(id, "Open"))))?;

    let writer = {
        let (engine, desk) = (Arc::clone(&engine), desk.clone());
        thread::spawn(move || {
            (0..1000).try_for_each(|id| {
                engine.write(|batch| batch.upsert(&desk, case(id, "Closed"))).map(|_| ())
            })
        })
    };

    // Each snapshot is one instant: its open and closed cases always add up.
    let context = Context { user: Some("agent-1".to_owned()), ..Context::default() };
    let mut open = 1000;
    while open > 0 {
        let snapshot = engine.snapshot(&desk);
        let count = |body: &[u8]| snapshot.search_json(body, &context).map(|own| own.total_results);
        open = count(br#"{"unresolved":true,"limit":0}"#)?;
        let closed = count(br#"{"status":["closed"],"limit":0}"#)?;
        assert_eq!(open + closed, 1000);
    }
    writer.join().unwrap_or(Ok(()))?;

    // A body that cannot be honoured is refused with everything that is wrong with it.
    let body = br#"{"limit":"many","sortBy":"colour"}"#;
    if let Err(refusal) = engine.snapshot(&desk).search_json(body, &context) {
        for problem in refusal.problems() {
            eprintln!("{problem}");
        }
    }
    Ok(())
}

fn case(id: u32, status: &str) -> String {
    format!(r#"{{"_id":"ci-{id}","name":"Case {id}","status":{{"name":"{status}"}}}}"#)
}
