//! The one integration binary.
// A test's way to fail is to panic; what xtask and fuzz share is `pub`.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod compare;
mod contract;
mod differential;
mod generate;
mod history;
mod oracle;
mod seed;
mod stress;
mod tidy;
mod waiting;
mod writes;
