//! Where tests of slots are made, and who hears what is looked at.

use super::meter::Meter;
use crate::index::{Catalog, Index, Segment};

/// A segment of an index, and the meter of a query.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentContext<'a> {
    pub(super) index: &'a Index,
    pub(super) segment: &'a Segment,
    pub(super) meter: &'a Meter,
}

impl<'a> SegmentContext<'a> {
    pub(super) fn catalog(&self) -> &'a Catalog {
        self.index.catalog()
    }
}
