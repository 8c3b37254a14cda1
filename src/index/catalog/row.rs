//! What stands for a case: its address and its row.

use crate::index::collections::{NONE, Ordinal, PageValue, sized};

/// How many cases a segment holds.
pub(crate) const SEGMENT: usize = sized(1 << 16, 64);

/// Where a case stands in its scope: its segment, and its slot there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DocAddress(pub(crate) u32);

impl DocAddress {
    #[inline]
    pub(crate) fn of(segment: usize, slot: u16) -> Self {
        Self((segment * SEGMENT) as u32 + u32::from(slot))
    }

    #[inline]
    pub(crate) fn segment(self) -> usize {
        self.0 as usize / SEGMENT
    }

    /// The address of another slot of the same segment.
    pub(crate) fn beside(self, slot: u16) -> Self {
        Self::of(self.segment(), slot)
    }

    #[inline]
    pub(crate) fn slot(self) -> u16 {
        (self.0 as usize % SEGMENT) as u16
    }
}

/// No date.
pub(crate) const NO_DATE: i64 = i64::MIN;

/// What is kept of a case beside its document: dates, and ordinals of everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Row {
    /// Each date is `NO_DATE` where there is none.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) due: i64,
    pub(crate) signature: Ordinal,
    pub(crate) title: Ordinal,
    /// `NONE` where nobody has the case.
    pub(crate) assignee: Ordinal,
    /// `NONE` where there is none.
    pub(crate) ref_id: Ordinal,
    pub(crate) queues: Ordinal,
    /// Of its top-level keys.
    pub(crate) key_set: Ordinal,
}

impl PageValue for Row {}

impl Row {
    /// A row of no case.
    pub(crate) const EMPTY: Self = Self {
        created: NO_DATE,
        updated: NO_DATE,
        due: NO_DATE,
        signature: NONE,
        title: NONE,
        assignee: NONE,
        ref_id: NONE,
        queues: NONE,
        key_set: NONE,
    };
}

/// A case by its address and its row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DocRef<'a> {
    pub(crate) address: DocAddress,
    pub(crate) row: &'a Row,
}
