//! Readers beside a writer that never rests: what they see always adds up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use getcases::{Batch, Context, Engine, Query, Scope, Snapshot};

const CASES: u64 = 5000;
const BATCH: u64 = 20;
const STATUSES: [&str; 6] = ["new", "open", "in_progress", "on_hold", "resolved", "closed"];

/// What is read and written: an engine, or what keeps its cases.
pub trait Host: Sync {
    fn snapshot(&self, scope: &Scope) -> Snapshot;
    fn commit(&self, batch: Batch<'static>) -> Result<(), String>;
    fn maintain(&self, slots: usize);
}

impl Host for Engine {
    fn snapshot(&self, scope: &Scope) -> Snapshot {
        Self::snapshot(self, scope)
    }

    fn commit(&self, batch: Batch<'static>) -> Result<(), String> {
        Self::commit(self, batch).map(drop).map_err(|error| error.to_string())
    }

    fn maintain(&self, slots: usize) {
        Self::maintain(self, slots);
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Tally {
    pub reads: u64,
    pub batches: u64,
}

fn case(id: u64, draw: u64) -> String {
    let status = STATUSES[(draw % 6) as usize];
    let (created, agent) = (1_700_000_000_000 + id * 60_000, draw / 6 % 40);
    format!(
        r#"{{"_id":"{id}","name":"case {id} {}","status":"{status}","createdAt":{created},
        "updatedAt":{draw},"queues":["q{}"],"currAssignee":{{"_id":"u{agent}"}}}}"#,
        draw % 1000,
        draw % 7
    )
}

/// A number after another, each as likely as the next.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Reads for a number of times on two threads while one writes batches of upserts and deletes, and
/// does upkeep. A read takes a snapshot, and counts each status, all cases, and the cases of a
/// page; says where they do not add up.
pub fn reads_add_up(host: &impl Host, reads: u64) -> Result<Tally, String> {
    let (desk, mut all) = (Scope::new("a", "s"), Batch::new());
    let upsert = |batch: &mut Batch<'static>, id, draw| {
        batch.upsert(&desk, case(id, draw)).map_err(|refusal| refusal.to_string())
    };
    (0..CASES).try_for_each(|id| upsert(&mut all, id, id))?;
    host.commit(all)?;
    let query = |body: String| Query::from_json(body.as_bytes(), &Context::default());
    let of_status = |status: &&str| query(format!(r#"{{"status":["{status}"],"limit":0}}"#));
    let statuses: Vec<Query> =
        STATUSES.iter().map(of_status).collect::<Result<_, _>>().map_err(|r| r.to_string())?;
    let page =
        query(r#"{"sortBy":"updatedAt","limit":5}"#.to_owned()).map_err(|r| r.to_string())?;

    let (started, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let read = || -> Result<(), String> {
        while started.fetch_add(1, Ordering::Relaxed) < reads {
            let snapshot = host.snapshot(&desk);
            let counts = statuses.iter().map(|query| snapshot.search_ids(query).total_results);
            let (sum, hits) = (counts.sum::<u64>(), snapshot.search_ids(&page));
            if sum != snapshot.len() as u64 || hits.total_results != sum || hits.ids.len() != 5 {
                let ids = hits.ids.len();
                return Err(format!("{sum} by status, {} in all, {ids} ids", hits.total_results));
            }
        }
        Ok(())
    };
    let write = || -> Result<u64, String> {
        let (mut state, mut batches) = (1, 0);
        while !done.load(Ordering::Acquire) {
            let mut batch = Batch::new();
            for _ in 0..BATCH {
                let (id, draw) = (next(&mut state) % CASES, next(&mut state));
                if draw % 5 == 0 {
                    batch.delete(&desk, &id.to_string());
                } else {
                    upsert(&mut batch, id, draw)?;
                }
            }
            host.commit(batch)?;
            batches += 1;
            if batches % 64 == 0 {
                host.maintain(1000);
            }
        }
        Ok(batches)
    };
    let batches = std::thread::scope(|threads| {
        let readers: Vec<_> = (0..2).map(|_| threads.spawn(read)).collect();
        let writer = threads.spawn(write);
        let panicked = |_| "a thread panicked".to_owned();
        let read: Vec<_> = readers.into_iter().map(|reader| reader.join()).collect();
        done.store(true, Ordering::Release);
        let batches = writer.join().map_err(panicked)??;
        read.into_iter().try_for_each(|read| read.map_err(panicked)?)?;
        Ok::<_, String>(batches)
    })?;
    host.snapshot(&desk).validate().map_err(|corrupt| corrupt.to_string())?;
    Ok(Tally { reads, batches })
}
