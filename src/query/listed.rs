//! The fields that have a posting list for each value.

use crate::index::{KeptBitSet, Ordinal, PostingList, Postings, Segment};

/// A field with a list for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Queues,
    Assignees,
}

impl Listed {
    /// The lists of all its values.
    pub(super) fn lists(self, segment: &Segment) -> &Postings {
        match self {
            Self::Queues => &segment.lists().queues,
            Self::Assignees => &segment.lists().assignees,
        }
    }

    /// The live slots without a value.
    pub(super) fn unlisted(self, segment: &Segment) -> &KeptBitSet {
        match self {
            Self::Queues => &segment.lists().no_queue,
            Self::Assignees => &segment.lists().nobody,
        }
    }

    /// The lists of some values, which ascend.
    pub(super) fn among<'s>(
        self,
        segment: &'s Segment,
        values: &[Ordinal],
    ) -> impl Iterator<Item = &'s PostingList> {
        let is_asked = |own| values.binary_search(&own).is_ok();
        self.lists(segment).among(values.len(), values.iter().copied(), is_asked)
    }

    /// How many lists `among` looks at.
    pub(super) fn looked_at(self, segment: &Segment, values: &[Ordinal]) -> u64 {
        values.len().min(self.lists(segment).len()) as u64
    }
}
