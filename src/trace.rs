//! Spans for `tracing`, by the feature of that name; nothing at all without it.
//!
//! Useful for where a host's time goes. Not for what was asked: no text of a user, a document or a
//! scope's name is in a span.

/// A span that was entered, until it is dropped.
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    entered: tracing::span::EnteredSpan,
}

impl Span {
    /// `search`: how many cases match, and how many were looked at one by one.
    #[inline]
    pub(crate) fn search() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            entered: tracing::debug_span!(
                "search",
                total = tracing::field::Empty,
                examined = tracing::field::Empty
            )
            .entered(),
        }
    }

    /// `write`: how many changes there are, and what they did.
    pub(crate) fn write() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            entered: tracing::debug_span!(
                "write",
                changes = tracing::field::Empty,
                inserted = tracing::field::Empty,
                replaced = tracing::field::Empty,
                deleted = tracing::field::Empty
            )
            .entered(),
        }
    }

    /// `upkeep`, as a host calls it: how many scopes are built anew, and how many slots are left.
    pub(crate) fn upkeep() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            entered: tracing::debug_span!(
                "upkeep",
                rebuilt = tracing::field::Empty,
                left = tracing::field::Empty
            )
            .entered(),
        }
    }

    /// Fills in figures of the span.
    #[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
    #[inline]
    pub(crate) fn record(&self, figures: &[(&'static str, u64)]) {
        #[cfg(feature = "tracing")]
        for (name, figure) in figures {
            self.entered.record(*name, figure);
        }
    }
}
