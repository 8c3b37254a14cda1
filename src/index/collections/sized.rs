//! Sizes, and how tests make them small.

/// A size of the index, or a small one that brings every path into reach of a few cases: what the
/// `small-segments` feature is for, in tests.
pub(crate) const fn sized(usual: usize, small: usize) -> usize {
    if cfg!(feature = "small-segments") { small } else { usual }
}
