//! Folding and keys: how two texts are found to be the same.
//!
//! Rules: docs/contract.md, *Words*. Folding goes character by character, so a folded substring is
//! a substring of the folded text; `str::to_lowercase` looks at context (final sigma) and is not
//! used.

use std::borrow::Cow;

/// The simple lower case of one character, with `ς` as `σ` and `İ` as `i`.
pub(crate) fn fold_char(c: char) -> char {
    match c {
        'a'..='z' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        'ς' => 'σ',
        // The full mapping of `İ` is `i` and a combining dot; its first character is the simple
        // one.
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// The folded text. Cost grows with its length.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold_char).collect() }
}

/// Whether nothing is left of a text after trimming: such a text counts as missing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// The key of a text: folded, then trimmed of Unicode White_Space.
pub(crate) fn key(text: &str) -> String {
    fold(text.trim())
}

/// Whether a text has a key, which is folded and trimmed.
pub(crate) fn has_key(text: &str, wanted: &str) -> bool {
    text.trim().chars().map(fold_char).eq(wanted.chars())
}

/// The key of a status: each `-` and `_` made a space before trimming; runs are not merged.
pub(crate) fn status_key(text: &str) -> String {
    let spaced: Cow<'_, str> = if text.contains(['-', '_']) {
        Cow::Owned(text.replace(['-', '_'], " "))
    } else {
        Cow::Borrowed(text)
    };
    fold(spaced.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_each_character_by_itself() {
        assert_eq!(fold("ΟΔΟΣ ὀδός"), "οδοσ ὀδόσ");
        assert_eq!(fold("İSTANBUL I"), "istanbul i");
        assert_eq!(fold("ıẞ"), "ıß");
        assert_ne!(fold("é"), fold("e\u{301}"));
    }

    #[test]
    fn keys_are_trimmed_and_status_keys_spaced() {
        assert_eq!(key(" \u{3000}Queue 1\u{a0}"), "queue 1");
        assert!(has_key(" \u{3000}Queue 1\u{a0}", "queue 1") && !has_key("queue", "queue 1"));
        assert_eq!(status_key("In-Progress_"), "in progress");
        assert_eq!(status_key("a--b"), "a  b");
        assert_eq!(status_key("-"), "");
    }

    #[test]
    fn no_white_space_folds_to_anything_else() {
        // Trimming before or after folding is the same only while this holds.
        for c in (0..=char::MAX as u32).filter_map(char::from_u32) {
            assert_eq!(c.is_whitespace(), fold_char(c).is_whitespace(), "{c:?}");
        }
    }
}
