//! The one integration binary of the store.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod checkpoint;
mod crash;
mod disk;
mod environment;
mod flips;
mod golden;
mod history;
mod model;
mod simulated;
mod vfs;
mod writers;
