//! The values that requests and documents are made of. Knows nothing else.

pub(crate) mod fold;
pub(crate) mod json;
pub(crate) mod merge_patch;
pub(crate) mod shown;
pub(crate) mod time;
#[cfg(feature = "serde")]
pub(crate) mod transcribe;
