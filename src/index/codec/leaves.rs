//! A document cut into what is the same in others of its shape, and what may differ: its leaves.
//!
//! A leaf is a scalar, or a list of scalars: how long such a list is differs from case to case, and
//! says nothing about the shape of a document. The text between leaves is the shape. Works on
//! compact JSON that the strict reader has accepted, and on any other text gives some leaves all
//! the same.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

use crate::value::json::string_end;

/// Where a leaf stands in its document, which the strict reader keeps far below 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Leaf {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Leaf {
    #[inline]
    pub(super) fn of(self, document: &[u8]) -> &[u8] {
        document.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Fills a list with the leaves of a document, in order.
pub(super) fn cut(document: &[u8], leaves: &mut Vec<Leaf>) {
    leaves.clear();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    // Whether a string that comes now is a key.
    let mut is_key = false;
    while let Some(byte) = document.get(at) {
        let start = at;
        match byte {
            b'{' | b'[' => {
                is_key = *byte == b'{';
                if let Some(outer) = open.last_mut() {
                    outer.is_flat = false;
                }
                let is_list = *byte == b'[';
                open.push(Open { start, leaves: leaves.len(), is_list, is_flat: true });
                at += 1;
                continue;
            }
            b'}' | b']' => {
                at += 1;
                if let Some(own) = open.pop().filter(|own| own.is_list && own.is_flat) {
                    leaves.truncate(own.leaves);
                    leaves.push(Leaf { start: own.start as u32, end: at as u32 });
                }
                continue;
            }
            b',' => {
                is_key = open.last().is_some_and(|open| !open.is_list);
                at += 1;
                continue;
            }
            b':' => {
                is_key = false;
                at += 1;
                continue;
            }
            b'"' => at = string_end(document, at),
            _ => {
                let end = |byte: &u8| matches!(byte, b',' | b'}' | b']');
                at += document[at..].iter().position(end).unwrap_or(document.len() - at);
            }
        }
        if !is_key {
            leaves.push(Leaf { start: start as u32, end: at as u32 });
        }
    }
}

/// A container that is not closed yet.
struct Open {
    start: usize,
    /// How many leaves were before it.
    leaves: usize,
    is_list: bool,
    /// Whether no container is in it.
    is_flat: bool,
}

/// A number that documents of the same shape share; a few others may.
pub(super) fn shape(document: &[u8], leaves: &[Leaf], hasher: &RandomState) -> u64 {
    let mut hasher = hasher.build_hasher();
    let mut from = 0;
    for leaf in leaves {
        hasher.write(&document[from..leaf.start as usize]);
        from = leaf.end as usize;
    }
    hasher.write(&document[from..]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &str) -> Vec<&str> {
        let mut leaves = Vec::new();
        cut(document.as_bytes(), &mut leaves);
        leaves.iter().map(|leaf| &document[leaf.start as usize..leaf.end as usize]).collect()
    }

    #[test]
    fn leaves_are_scalars_and_lists_of_them() {
        let document = r#"{"a":"x\"y","b":[1,{"c":2}],"d":{"e":null,"f":{}},"g":["h","i"],"j":[]}"#;
        assert_eq!(texts(document), [r#""x\"y""#, "1", "2", "null", r#"["h","i"]"#, "[]"]);
        assert_eq!(texts("{}"), Vec::<&str>::new());
        assert_eq!(texts("[[1],[[2]]]"), ["[1]", "[2]"]);
    }

    #[test]
    fn any_text_is_cut_somehow() {
        for text in ["", "\"", "\"\\", "]}{[", "{\"a\":", "{\"a\":\"b\\", "nul", ",:,:"] {
            texts(text);
        }
    }

    #[test]
    fn shapes_differ_by_keys_and_not_by_values() {
        let hasher = RandomState::default();
        let shape = |document: &str| {
            let mut leaves = Vec::new();
            cut(document.as_bytes(), &mut leaves);
            super::shape(document.as_bytes(), &leaves, &hasher)
        };
        let one = shape(r#"{"a":1,"b":["c",2],"d":{"e":"x"}}"#);
        assert_eq!(one, shape(r#"{"a":"y","b":[],"d":{"e":null}}"#));
        assert_ne!(one, shape(r#"{"a":1,"b":["c",2],"d":{"f":"x"}}"#));
        assert_ne!(one, shape(r#"{"a":1,"b":["c",2],"d":"x"}"#));
        assert_ne!(one, shape(r#"{"a":1,"b":[{"c":2}],"d":{"e":"x"}}"#));
    }
}
