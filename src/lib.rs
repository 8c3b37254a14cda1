//! Case search in process: answers the *Get Cases API* over cases held in memory, with exact
//! totals, in microseconds.
//!
//! ```
//! use getcases::{Context, Engine, Scope};
//!
//! let engine = Engine::new(); // one for all; share it behind an `Arc`
//! let desk = Scope::new("account", "stream");
//! let case = r#"{"_id":"1","name":"Late","status":{"name":"Open"},"dueDate":"2025-05-29"}"#;
//! engine.write(|batch| batch.upsert(&desk, case))?; // seen whole, or not at all
//!
//! let body = br#"{"status":["open"],"sortBy":"dueDate"}"#;
//! match engine.snapshot(&desk).search_json(body, &Context::default()) {
//!     Ok(response) => assert_eq!(response.total_results, 1), // 200: response.json
//!     Err(refusal) => panic!("{}: {refusal}", refusal.http_status()), // 400: refusal.to_json()
//! }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # The road
//! ```text
//! write   case JSON ──▶ Case ──▶ Batch ──▶ segments revised ──publish──▶ Snapshot
//! read    body JSON ──▶ Request ──▶ Query ──plan──▶ matches ──▶ top k ──▶ Page ──▶ response JSON
//! ```
//! [`Query`] is the last step that can refuse: what it proves valid, [`Snapshot::search`] answers.
//!
//! | you have | you want | ask |
//! |---|---|---|
//! | a body | a body | [`Snapshot::search_json`]: documents are copied once |
//! | a [`Query`], of a body or a [`Request`] | documents | [`Snapshot::search`] |
//! | the same | ids and the total | [`Snapshot::search_ids`] |
//! | an `_id` | its document | [`Snapshot::get`] |
//! | a field | its values with counts, for a drop-down | [`Snapshot::values`] |
//! | nothing | every case, in parts | [`Snapshot::cases_after`] |
//! | little time | an answer or none | [`Snapshot::until`] |
//!
//! What a request means, field by field, is [the contract][contract]; how it is answered, [the
//! architecture][architecture].
//!
//! # What always holds
//! - A snapshot is of one [`Scope`], so no query sees another scope's cases.
//! - A snapshot never changes; a batch is in it whole, or not at all.
//! - Every order is total, and every total is exact.
//! - Documents come back unchanged, but for insignificant white space.
//! - What cannot be honoured is refused, or reported as ignored.
//! - An answer's bytes depend on nothing but the cases, the request and its [`Context`].
//!
//! # Threads and async
//! Every type is `Send` and `Sync`, and nothing here is async: there is no I/O to wait for. Most
//! questions take less time than it takes to hand them to another thread, so ask them right in an
//! async handler. What may take milliseconds belongs on a thread that may block (`spawn_blocking`):
//! batches of hundreds of documents and more, [`Engine::maintain`], [`Snapshot::validate`],
//! [`Snapshot::cases`] of many, texts and wide filters over millions of cases. Readers wait for
//! nobody. Writers of one scope come one at a time; whoever waits for one blocks its thread. How
//! many threads large batches and long questions are spread over, [`EngineBuilder::threads`] says.
//!
//! The handler of `examples/handler.rs` over 10,000 cases of 600 bytes, with 16 connections from a
//! load generator on the same two cores: 38,000 counts a second ([`Snapshot::search_json`] with a
//! `limit` of 0), 31,000 pages of 50 ids ([`Snapshot::search_ids`]), 11,000 pages of 50 documents
//! (`search_json`), and 5,000 upserts, each a batch of its own on a thread that may block. So ask
//! for documents where they are shown, and gather what is written.
//!
//! # How large a batch should be
//! A batch is published once, whatever is in it: one upsert takes 40 to 70 µs at a million cases,
//! batches of 1,000 write 27,000 to 37,000 updates a second. From 1,024 changes on a batch goes
//! over the cores, so a load does best with batches of 10,000 or more: new cases come at 35 to 93
//! MB/s on two cores. Larger ones gain little and hold more: what [`Engine::write`] has entered
//! takes about what its cases will take; a [`Batch::new`], which may be filled over awaits, keeps
//! whole documents. So gather what comes within some milliseconds, and commit it.
//!
//! # When to call upkeep
//! Writers clean up behind themselves, a slice with each batch (not with
//! [`EngineBuilder::upkeep`]`(false)`). After a load, and once a minute from then on, a thread that
//! has time goes on with upkeep until nothing is left: cases that came in no order of creation wait
//! for it.
//!
//! ```
//! # let engine = getcases::Engine::new();
//! while engine.maintain_for(std::time::Duration::from_millis(100)).left > 0 {}
//! ```
//!
//! # How long a snapshot pins memory
//! As long as it lives: of what writers have changed since both, of a scope that was built anew or
//! dropped since the whole. Take one a request, ask all of the request's questions of it, and drop
//! it. To look whether anything has changed, keep its [`Snapshot::generation`] and not it.
//!
//! # Memory and allocators
//! [`Snapshot::stats`] counts what a scope takes: some 16 to 40 % of its JSON, of short cases more
//! (made ones of 600 bytes two thirds, where they are 100,000);
//! [`EngineBuilder::memory_limit`] bounds the sum. An allocator adds to that: of 40 MB of real
//! cases 7.3 are counted, and a process grows by 12.2 with glibc's allocator, whose free memory is
//! given back after large batches, and by 13.7 with mimalloc, as the command has it. Others work as
//! well; nothing here depends on one. Figures: [speed and memory][speed].
//!
//! # Features
//! - `serde`: [`Request`] and [`Filter`] in the contract's form, both ways; answers, [`Scope`] and
//!   figures. A body that came is read by [`Query::from_json`] all the same: it sees the bytes.
//! - `checkpoint`: `Snapshot::checkpoint` gives a scope in parts, and `Engine::restore` takes them
//!   up again. `getcases-store` opens by it.
//! - `tracing`: spans `search` (`total`, `examined`), `write` and `upkeep`, without any text.
//!
//! # Which types may grow
//! What the library gives ([`Page`], [`Written`], [`Code`] …) is `non_exhaustive`: a later version
//! may tell more. What a host makes ([`Request`], [`Context`], [`Limits`] …) is not: write
//! `..Request::default()` behind the fields that you set.
//!
//! [contract]: https://github.com/getcases/getcases/blob/main/docs/contract.md
//! [architecture]: https://github.com/getcases/getcases/blob/main/ARCHITECTURE.md
//! [speed]: https://github.com/getcases/getcases/blob/main/docs/speed.md

/// The programs of README.md, so that they are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Programs;

// In the order of the road; each knows only those before it.
mod case;
mod contract;
mod engine;
mod index;
mod query;
mod refusal;
mod threads;
mod trace;
mod value;

pub use case::{Case, Version, VersionError};
pub use contract::{
    Comparison, Context, Cursor, DateError, Direction, Document, Filter, FilterField, Hits, Member,
    Order, Page, Query, Request, RequestDate, Response, Severity, SortError, SortField, SortKey,
    ValueCount, ValueField,
};
pub use engine::{
    Applied, Batch, Changes, ChangesError, Corrupt, CursorLimits, Edit, Edited, Engine,
    EngineBuilder, EnteredBatch, Expected, Maintained, Prepared, Scope, Snapshot, Stats, Until,
    WriteError, Written,
};
#[cfg(feature = "checkpoint")]
pub use engine::{CheckpointPart, RestoreError, RestoredCheckpointPart};
#[cfg(feature = "document-cache")]
pub use index::DocumentCache;
pub use index::{Limits, Resource};
pub use query::{Cases, ClauseReport, DeadlinePassed, Explain, FilterReport, Values};
pub use refusal::{Accepted, Code, Problem, Refusal};
