//! The server over real sockets.
#![allow(clippy::unwrap_used)]

mod abuse;
mod client;
mod endpoint;
mod isolation;
mod life;
mod limits;
mod openapi;
mod schema;
mod setup;
mod tokens;

use client::Request;
use setup::{ACCOUNT, STREAM, Started, token};
