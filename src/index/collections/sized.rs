//! Sizes, and how tests make them small.

/// A size of the index, or a small one that brings every path into reach of a few cases: what
/// `RUSTFLAGS="--cfg getcases_small_segments"` is for, in tests.
pub(crate) const fn sized(usual: usize, small: usize) -> usize {
    if cfg!(getcases_small_segments) { small } else { usual }
}
