//! Some records of a file: what readers hand on, and what is read on every core.

use std::ops::Range;
use std::sync::Arc;

use crate::shape::Shape;
use crate::window::Place;

/// From how many bytes or records on a block is handed on: what waits to be read stays small,
/// however short or long records are.
const BYTES: usize = 1 << 20;
const RECORDS: usize = 1 << 10;

/// Some records of a file, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Block {
    shape: Arc<Shape>,
    bytes: Vec<u8>,
    records: Vec<(Place, Option<Range<usize>>)>,
}

/// One record of a file: the text of a case or of what is made one, and where it begins.
#[derive(Clone, Copy, Debug)]
pub struct Record<'b> {
    pub(crate) shape: &'b Shape,
    /// Where its first character stands.
    pub place: Place,
    /// Its text, without white space around it; nothing where it is longer than a case can be.
    pub text: Option<&'b [u8]>,
}

impl Block {
    pub(crate) fn new(shape: Arc<Shape>) -> Self {
        Self { shape, ..Self::default() }
    }

    /// Adds a record. Cost grows with its text.
    pub fn push(&mut self, place: Place, text: Option<&[u8]>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.unwrap_or_default());
        self.records.push((place, text.map(|_| start..self.bytes.len())));
    }

    /// Whether it is large enough to be handed on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BYTES || self.records.len() >= RECORDS
    }

    /// Whether it has no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many bytes its records have.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Its records.
    #[must_use]
    pub fn records(&self) -> Vec<Record<'_>> {
        let record = |(place, range): &(Place, Option<Range<usize>>)| {
            let text = range.clone().map(|range| &self.bytes[range]);
            Record { shape: &self.shape, place: *place, text }
        };
        self.records.iter().map(record).collect()
    }
}
