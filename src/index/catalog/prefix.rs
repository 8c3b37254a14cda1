//! The first bytes of texts as numbers.
//!
//! Useful for orders by text: where two prefixes differ, no text is looked at. Not for texts that
//! begin alike.

/// A text's first eight bytes, as a number that orders as they do; the greatest where there is
/// none, which no UTF-8 begins with.
pub(crate) fn prefix(text: Option<&str>) -> u64 {
    text.map_or(u64::MAX, |text| first_bytes(text.as_bytes()))
}

/// The first eight bytes, as a number that orders as they do.
pub(super) fn first_bytes(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = text.len().min(8);
    bytes[..length].copy_from_slice(&text[..length]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_order_as_texts_do() {
        let texts = ["", "a", "a\0", "ab", "abcdefgh", "abcdefghi", "b", "é", "\u{10ffff}"];
        for pair in texts.windows(2) {
            assert!(prefix(Some(pair[0])) <= prefix(Some(pair[1])), "{pair:?}");
        }
        assert!(prefix(Some("\u{10ffff}\u{10ffff}")) < prefix(None));
    }
}
