//! What stands for a signature where signatures are counted.

use crate::index::collections::{Ordinal, sized};

/// How many signatures are counted. Ordinals past them share one count, and are looked at one by
/// one.
pub(crate) const MAX_COUNTED: usize = sized(1024, 12);

/// What stands for a signature in a run: its ordinal, or `MAX_COUNTED` for all past it.
pub(crate) fn code(signature: Ordinal) -> u16 {
    signature.min(MAX_COUNTED as Ordinal) as u16
}
