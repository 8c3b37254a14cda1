//! Texts as answers show them: never longer than a bound, whatever was asked.

use std::borrow::Cow;

/// How many characters of a path, a name or a value are shown.
pub(crate) const SHOWN: usize = 256;

/// A text, or where it has more than `SHOWN` characters, one of that many that ends in an ellipsis.
/// Cost: the characters that are shown.
pub(crate) fn cut<'t>(text: impl Into<Cow<'t, str>>) -> Cow<'t, str> {
    let text = text.into();
    let mut ends = text.char_indices().map(|(at, _)| at).skip(SHOWN - 1);
    match (ends.next(), ends.next()) {
        (Some(end), Some(_)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        _ => text,
    }
}

/// A text as a JSON string. Cost grows with its length.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        for c in ['x', 'é', '客', '👩'] {
            let just = c.to_string().repeat(SHOWN);
            assert_eq!(cut(&just), just);
            let long = cut(format!("{just}{c}")).into_owned();
            assert_eq!(long.chars().count(), SHOWN);
            assert_eq!(long, format!("{}…", c.to_string().repeat(SHOWN - 1)));
        }
        assert_eq!(cut(""), "");
    }

    #[test]
    fn quotes_what_json_must_escape() {
        let every: String = (0..0x300).filter_map(char::from_u32).chain(['客', '👩']).collect();
        assert_eq!(quoted(&every), serde_json::to_string(&every).unwrap());
        assert_eq!(quoted("a\"\\\n\u{1}é\u{7f}"), "\"a\\\"\\\\\\n\\u0001é\u{7f}\"");
    }
}
