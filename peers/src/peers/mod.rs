//! One file a peer.

#[cfg(feature = "duckdb")]
pub mod duckdb;
pub mod getcases;
pub mod roaring;
pub mod simd;
pub mod sqlite;
pub mod tantivy;
