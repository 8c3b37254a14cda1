//! Paths into JSON, a small part of jq's: `.issues[]`, `.fields.status.name`, `.["a b"][0]`.

use std::fmt;
use std::str::FromStr;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the member of a key.
    Key(String),
    /// To the element of an array, from 0.
    Index(usize),
    /// To each element of an array, or to each member of an object.
    Each,
}

/// A path from a value: `.` is the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

impl JsonPath {
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for JsonPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("{text:?} is no path; paths are such as .issues[] and .[\"a b\"].c");
        let mut rest = text.strip_prefix('.').ok_or_else(wrong)?;
        let mut steps = Vec::new();
        // Behind the first dot a key needs none.
        let mut has_dot = true;
        while !rest.is_empty() {
            let (step, behind) = match rest.strip_prefix('[') {
                Some(bracket) => bracketed(bracket).ok_or_else(wrong)?,
                None => {
                    let key =
                        if has_dot { rest } else { rest.strip_prefix('.').ok_or_else(wrong)? };
                    if key.starts_with('[') {
                        (has_dot, rest) = (false, key);
                        continue;
                    }
                    let (name, behind) = key.split_at(key.find(['.', '[']).unwrap_or(key.len()));
                    if name.contains(is_operator) {
                        return Err(wrong());
                    }
                    (Step::Key(name.to_owned()), behind)
                }
            };
            if step == Step::Key(String::new()) {
                return Err(wrong());
            }
            steps.push(step);
            (has_dot, rest) = (false, behind);
        }
        Ok(Self { text: text.to_owned(), steps })
    }
}

/// The step in brackets, and what is behind them.
fn bracketed(text: &str) -> Option<(Step, &str)> {
    if let Some(behind) = text.strip_prefix(']') {
        return Some((Step::Each, behind));
    }
    if !text.starts_with('"') {
        let (index, behind) = text.split_once(']')?;
        return Some((Step::Index(index.parse().ok()?), behind));
    }
    // A key is a JSON text: the first one, with whatever behind it.
    let mut keys = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let key = keys.next()?.ok()?;
    let behind = text.get(keys.byte_offset()..)?.strip_prefix(']')?;
    Some((Step::Key(key), behind))
}

/// Whether a character parts keys from what jq would do with them: it stands in quotes in a key.
fn is_operator(c: char) -> bool {
    c.is_whitespace() || "*|+/,;()[]{}<>=?!\"'".contains(c)
}

/// The step to the member of a key, as a path is written.
pub(crate) fn key_step(key: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    if !key.is_empty() && key.chars().all(is_plain) {
        return format!(".{key}");
    }
    format!(".[{}]", serde_json::Value::from(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        text.parse::<JsonPath>().unwrap().steps
    }

    #[test]
    fn paths_are_read() {
        let key = |key: &str| Step::Key(key.to_owned());
        assert_eq!(steps("."), []);
        assert_eq!(steps(".[]"), [Step::Each]);
        assert_eq!(steps(" .issues[] "), [key("issues"), Step::Each]);
        assert_eq!(
            steps(".[\"a b\"].c-d[0].é"),
            [key("a b"), key("c-d"), Step::Index(0), key("é")]
        );
        assert_eq!(steps(".[\"a.b]\"][].c"), [key("a.b]"), Step::Each, key("c")]);
        assert_eq!(steps(".a.[\"b\"]"), [key("a"), key("b")]);
        for wrong in ["", "a", "..", ".a..b", ".a.", ".a[", ".a[x]", ".[\"a]", ".[]b", ".[\"\"]"] {
            assert!(wrong.parse::<JsonPath>().is_err(), "{wrong:?}");
        }
        // What jq would do with values is not done, and no part of a key.
        for wrong in [".d * 60", ".a|.b", ".a + .b", ".d/1000", ".a b", ".a?"] {
            assert!(wrong.parse::<JsonPath>().is_err(), "{wrong:?}");
        }
        assert_eq!(steps(".dc:title.स्थिति"), [key("dc:title"), key("स्थिति")]);
    }
}
