//! What the feature `tracing` tells.

use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use getcases::{Context, Engine, Scope};

/// Keeps what one thread tells: `span.field=figure`.
struct Kept {
    thread: ThreadId,
    names: Mutex<Vec<&'static str>>,
    told: Arc<Mutex<Vec<String>>>,
}

struct Figures<'k>(&'static str, &'k Mutex<Vec<String>>);

impl Visit for Figures<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.1.lock().unwrap().push(format!("{}.{field}={value:?}", self.0));
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("getcases")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut names = self.names.lock().unwrap();
        names.push(span.metadata().name());
        Id::from_u64(names.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if std::thread::current().id() != self.thread {
            return;
        }
        let name = self.names.lock().unwrap()[span.into_u64() as usize - 1];
        values.record(&mut Figures(name, &self.told));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn spans_tell_figures_and_nothing_else() {
    let told = Arc::default();
    let kept = Kept {
        thread: std::thread::current().id(),
        names: Mutex::default(),
        told: Arc::clone(&told),
    };
    // Of all threads: what one thread does not listen to, another one may not hear either.
    tracing::subscriber::set_global_default(kept).unwrap();
    let (engine, desk) = (Engine::new(), Scope::new("secret", "secret"));
    engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1","name":"secret"}"#)).unwrap();
    let body = br#"{"searchText":"secret"}"#;
    engine.snapshot(&desk).search_json(body, &Context::default()).unwrap();
    engine.maintain(1);
    let told = told.lock().unwrap().join(" ");
    assert!(told.starts_with("write.changes=1 write.inserted=1 write.replaced=0"), "{told}");
    assert!(told.contains("search.total=1 search.examined="), "{told}");
    assert!(told.contains("upkeep.rebuilt=0 upkeep.left=0"), "{told}");
    assert!(!told.contains("secret"));
}
