//! The one integration binary.
// A test's way to fail is to panic; what xtask and fuzz share is `pub`.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[cfg(feature = "serde")]
mod by_serde;
mod changes;
mod cliffs;
mod compare;
mod contract;
mod cost;
mod counting;
mod cursors;
mod degenerate;
mod differential;
mod edits;
mod face;
mod generate;
mod history;
mod limits;
mod memory;
mod oracle;
mod pages;
mod seed;
mod sizes;
#[cfg(feature = "tracing")]
mod spans;
mod stress;
mod tidy;
mod typed;
mod waiting;
mod walks;
mod writes;

/// Counts only for threads that ask it to.
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
