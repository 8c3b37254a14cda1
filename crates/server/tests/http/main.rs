//! The server over real sockets.
#![allow(clippy::unwrap_used)]

mod client;
mod endpoint;
mod setup;

use client::Request;
use setup::{ACCOUNT, STREAM, Started, token};
