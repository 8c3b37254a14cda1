//! What getcases is measured against, and checked by before the clock starts: a linear scan over
//! columns, and the plain design on roaring bitmaps, one bitmap a value.
//!
//! It reads cases and requests by code of its own, and only as much of them as measuring needs:
//! UTC, orders of one field, no errors. Whatever it cannot read, it says so.

mod bitmaps;
mod columns;
mod filter;
mod request;
mod scan;

pub use bitmaps::{Bitmaps, Prepared};
pub use columns::{Columns, Read};
pub use filter::{Filter, Keyed};
pub use request::{By, Request, Unsupported};
pub use scan::scan;

/// What a request finds: places of documents as they were given, in order, and the exact total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The page's cases, by their place in the columns.
    pub places: Vec<u32>,
    /// How many cases match.
    pub total: u64,
}
