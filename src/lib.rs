#![doc = include_str!("../README.md")]
//!
//! # The road
//! ```text
//! write   case JSON ──▶ Case ──▶ Batch ──▶ segments revised ──publish──▶ Snapshot
//! read    body JSON ──▶ Request ──▶ Query ──plan──▶ matches ──▶ top k ──▶ Page ──▶ response JSON
//! ```
//! [`Query`] is the last step that can refuse: what it proves valid, [`Snapshot::search`] answers.
//!
//! # What always holds
//! - A snapshot is of one [`Scope`], so no query sees another scope's cases.
//! - A snapshot never changes; a batch is in it whole, or not at all.
//! - Every order is total, and every total is exact.
//! - Documents come back unchanged, but for insignificant white space.
//! - What cannot be honoured is refused, or reported as ignored.
//!
//! # Which types may grow
//! What the library gives ([`Page`], [`Written`], [`Code`] …) is `non_exhaustive`: a later version
//! may tell more. What a host makes ([`Request`], [`Context`], [`Limits`] …) is not: write
//! `..Request::default()` behind the fields that you set.

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

pub use case::Case;
pub use contract::{
    Comparison, Context, DateError, Direction, Document, Filter, FilterField, Hits, Order, Page,
    Query, Request, RequestDate, Response, Severity, SortError, SortField, SortKey, ValueCount,
    ValueField,
};
pub use engine::{
    Batch, Corrupt, Engine, EngineBuilder, Maintained, Scope, Snapshot, Stats, Until, WriteError,
    Written,
};
pub use index::{Limits, Resource};
pub use query::{Cases, ClauseReport, DeadlinePassed, Explain, FilterReport, Values};
pub use refusal::{Accepted, Code, Problem, Refusal};
