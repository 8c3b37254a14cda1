//! getcases beside what else could answer the same requests, measured in one run.
//!
//! ```text
//! workload ──▶ Rows (codes) ──▶ each Peer loads them
//! class ──▶ Ask (the same codes) ──▶ Peer::prepare ──▶ checked against the scan ──▶ timed
//! ```

pub mod args;
pub mod ask;
pub mod chart;
pub mod expected;
pub mod load;
pub mod machine;
pub mod measure;
pub mod memory;
pub mod peer;
pub mod peers;
pub mod report;
pub mod rows;
pub mod sql;
pub mod table;
pub mod top;
