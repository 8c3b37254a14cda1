//! Upkeep of what is served, a little at a time beside what is answered.

use std::sync::Weak;
use std::thread;
use std::time::{Duration, Instant};

use crate::cases::Backend;

/// How many slots of cases are gone through at a time: a millisecond or two.
const SLOTS: usize = 128;
/// How many times as long as that took nothing is done then: answers come first.
const REST: u32 = 4;
/// How long it waits where nothing is left to do.
const PAUSE: Duration = Duration::from_secs(30);
/// How soon it takes notice that the backend is gone.
const NOTICE: Duration = Duration::from_millis(500);

/// Goes on with upkeep, on a thread of its own, for as long as somebody else has the backend.
pub(crate) fn begin(backend: Weak<impl Backend>) {
    let begun = thread::Builder::new().name("getcases-upkeep".to_owned());
    let begun = begun.spawn(move || while step(&backend) {});
    if let Err(error) = begun {
        tracing::error!(%error, "there is no thread for upkeep");
    }
}

/// Does some of it, and rests; says whether the backend is still there.
fn step(backend: &Weak<impl Backend>) -> bool {
    let Some(own) = backend.upgrade() else { return false };
    let started = Instant::now();
    let left = own.maintain(SLOTS).left;
    drop(own);
    if left > 0 {
        thread::sleep(started.elapsed() * REST);
        return true;
    }
    let until = Instant::now() + PAUSE;
    while Instant::now() < until && backend.strong_count() > 0 {
        thread::sleep(NOTICE);
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use getcases::{Engine, Scope};

    use super::*;

    #[test]
    fn it_goes_on_until_nothing_is_left_and_ends_with_the_backend() {
        let (engine, desk) = (Arc::new(Engine::new()), Scope::new("a", "s"));
        let case = |n: usize| format!(r#"{{"_id":"{n}","name":"case {n} of many words"}}"#);
        engine.write(|batch| (0..5000).try_for_each(|n| batch.upsert(&desk, case(n)))).unwrap();
        let weak = Arc::downgrade(&engine);
        begin(weak.clone());
        let started = Instant::now();
        let waits = |what: &str| {
            assert!(started.elapsed() < Duration::from_secs(60), "{what}");
            thread::sleep(Duration::from_millis(5));
        };
        while engine.maintain(0).left > 0 {
            waits("something is left");
        }
        drop(engine);
        while weak.strong_count() > 0 {
            waits("the thread keeps the engine");
        }
        assert!(!step(&weak));
    }
}
