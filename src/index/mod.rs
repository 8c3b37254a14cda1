//! Where cases are kept: what one scope holds at one instant.

mod cases;

pub(crate) use cases::{Cases, Place};
