//! Upkeep on a timer, beside writes and reads:
//! `cargo run --release -p getcases-examples --bin upkeep`
//!
//! Writers keep memory within bounds by themselves. A host that calls `maintain_for` besides has
//! cases put in order that came in none, and does in quiet times what writers would do in busy
//! ones.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use getcases::{Context, Engine, Query, Scope};

const CASES: u64 = 70_000;
const REWRITES: u64 = 2;
const BATCH: u64 = 5_000;
/// How long upkeep rests once nothing is left (a host: a minute), and how long a turn is while
/// something is: writers come between turns.
const EVERY: Duration = Duration::from_millis(200);
const TURN: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let engine = Arc::new(Engine::new());
    let desk = Scope::new("account", "stream");
    let is_over = Arc::new(AtomicBool::new(false));
    let upkeep = {
        let (engine, is_over) = (Arc::clone(&engine), Arc::clone(&is_over));
        thread::spawn(move || {
            let mut rebuilt = 0;
            loop {
                // Once more when nobody writes any more.
                let is_last = is_over.load(Ordering::Acquire);
                loop {
                    let turn = engine.maintain_for(TURN);
                    rebuilt += turn.rebuilt;
                    if turn.left == 0 {
                        break;
                    }
                }
                if is_last {
                    return rebuilt;
                }
                thread::sleep(EVERY);
            }
        })
    };

    // Every case twice, in no order of creation.
    for round in 0..REWRITES {
        for first in (0..CASES).step_by(BATCH as usize) {
            engine.write(|batch| {
                (first..first + BATCH).try_for_each(|number| {
                    let created = 1_700_000_000_000 + (number * 7919 % CASES) * 60_000;
                    let name = format!("Round {round}, {number}");
                    let case =
                        format!(r#"{{"_id":"{number}","name":"{name}","createdAt":{created}}}"#);
                    batch.upsert(&desk, case)
                })
            })?;
        }
    }
    is_over.store(true, Ordering::Release);
    let rebuilt = upkeep.join().map_err(|_| "upkeep panicked")?;

    let snapshot = engine.snapshot(&desk);
    let query = Query::from_json(br#"{"searchText":"round 1","limit":1}"#, &Context::default())?;
    println!("{} of {} cases are of the last round", snapshot.search(&query).total_results, CASES);
    println!("upkeep went through {rebuilt} slots; nothing is left");
    let stats = snapshot.stats();
    println!("{} bytes of documents for {} cases", stats.documents, stats.cases);
    Ok(())
}
