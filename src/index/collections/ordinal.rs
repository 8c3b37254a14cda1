//! The numbers that stand for values.

/// A number that stands for a value of one dictionary.
pub(crate) type Ordinal = u32;

/// No value at all.
pub(crate) const NONE: Ordinal = u32::MAX;
