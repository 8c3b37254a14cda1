//! What a write expects of the case that is there: `If-Match` and `If-None-Match`.

use axum::http::HeaderMap;
use getcases::{Code, Expected, Problem, Version};

use crate::refused::Refused;
use crate::request::one;

const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";

/// What must be there for a case to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Anything, or nothing.
    None,
    /// Any case.
    Present,
    /// No case.
    Absent,
    /// A case of one of these versions.
    OneOf(Vec<Version>),
}

impl Precondition {
    /// What the headers say.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        match (one(headers, IF_MATCH)?, one(headers, IF_NONE_MATCH)?) {
            (None, None) => Ok(Self::None),
            (Some(tags), None) if tags.trim() == "*" => Ok(Self::Present),
            (Some(tags), None) => versions(tags).map(Self::OneOf).ok_or_else(|| {
                let problem = Problem::new(Code::InvalidType, IF_MATCH, "it is no list of tags");
                problem.with_value(tags).accepts("the ETag of a case with its quotes, or *").into()
            }),
            (None, Some(tags)) if tags.trim() == "*" => Ok(Self::Absent),
            (is_both, Some(tags)) => {
                let msg = if is_both.is_some() { "beside If-Match" } else { "it is not *" };
                let problem = Problem::new(Code::InvalidType, IF_NONE_MATCH, msg);
                Err(problem.with_value(tags).accepts("* alone, for a case that is new").into())
            }
        }
    }

    /// Whether it is met where no case is.
    pub(crate) fn holds_for_nothing(&self) -> bool {
        matches!(self, Self::None | Self::Absent)
    }

    /// What must still be there when the case is written, where this is there now; nothing where
    /// it does not hold.
    pub(crate) fn expected(&self, there: Option<Version>) -> Option<Expected> {
        match (self, there) {
            (Self::None | Self::Absent, None) => Some(Expected::Absent),
            (Self::None | Self::Present, Some(_)) => Some(Expected::Present),
            (Self::OneOf(versions), Some(there)) if versions.contains(&there) => {
                Some(Expected::Version(there))
            }
            _ => None,
        }
    }
}

/// The versions among a list of tags (RFC 9110, 5.6.1 and 8.8.3); those of others, and weak ones,
/// match nothing: what is written is compared strongly. Elements that are empty say nothing.
fn versions(tags: &str) -> Option<Vec<Version>> {
    let (mut versions, mut is_any, mut rest) = (Vec::new(), false, tags);
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return is_any.then_some(versions);
        }
        let weak = rest.strip_prefix("W/");
        let (text, after) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if !text.bytes().all(|byte| matches!(byte, b'!'..=b'~' | 0x80..)) {
            return None;
        }
        if weak.is_none() {
            versions.extend(text.parse::<Version>());
        }
        is_any = true;
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "00112233445566778899aabbccddeeff";

    fn of(headers: &[(&'static str, &str)]) -> Result<Precondition, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Precondition::of(&map).map_err(|refused| format!("{refused:?}"))
    }

    #[test]
    fn what_is_expected_is_read() {
        let one: Version = ONE.parse().unwrap();
        let quoted = format!("\"{ONE}\"");
        assert_eq!(of(&[]), Ok(Precondition::None));
        assert_eq!(of(&[("if-match", " * ")]), Ok(Precondition::Present));
        assert_eq!(of(&[("if-none-match", "*")]), Ok(Precondition::Absent));
        assert_eq!(of(&[("if-match", &quoted)]), Ok(Precondition::OneOf(vec![one])));
        let list = format!("\"x\", W/{quoted} ,{quoted}");
        assert_eq!(of(&[("if-match", &list)]), Ok(Precondition::OneOf(vec![one])));
        assert_eq!(of(&[("if-match", "\"x\"")]), Ok(Precondition::OneOf(Vec::new())));
        // A comma within a tag is part of it, and parts of a tag of another are no versions.
        for list in [
            format!("\"a,b\", {quoted}"),
            format!("\"a,W/\",{quoted}"),
            format!(", ,\t{quoted},"),
            format!("{quoted}\t,\"{ONE},{ONE}\""),
            format!("\"\",\"\\\",{quoted},\"\u{e9}\""),
        ] {
            assert_eq!(of(&[("if-match", &list)]), Ok(Precondition::OneOf(vec![one])), "{list}");
        }
        let within = format!("\",{ONE},\"");
        assert_eq!(of(&[("if-match", &within)]), Ok(Precondition::OneOf(Vec::new())));
        for wrong in [
            "",
            ",",
            "x",
            "\"",
            "\"a\"b\"",
            ONE,
            "W/x",
            "w/\"a\"",
            "W/ \"a\"",
            "\"a b\"",
            "\"a\" \"b\"",
            "\"a\",*",
            "*,\"a\"",
            "\"a\"b",
            "\"a,b",
        ] {
            assert!(of(&[("if-match", wrong)]).is_err(), "{wrong}");
        }
        assert!(of(&[("if-none-match", &quoted)]).is_err());
        assert!(of(&[("if-none-match", "*"), ("if-match", "*")]).is_err());
        assert!(of(&[("if-match", "*"), ("if-match", "*")]).is_err());
    }

    #[test]
    fn what_is_expected_holds_or_does_not() {
        let [one, other] = [ONE, "0"].map(|text| format!("{text:0>32}").parse().unwrap());
        let own = Precondition::OneOf(vec![one]);
        assert_eq!(own.expected(Some(one)), Some(Expected::Version(one)));
        assert_eq!((own.expected(Some(other)), own.expected(None)), (None, None));
        assert_eq!(Precondition::Present.expected(Some(one)), Some(Expected::Present));
        assert_eq!(Precondition::Present.expected(None), None);
        assert_eq!(Precondition::Absent.expected(Some(one)), None);
        assert_eq!(Precondition::Absent.expected(None), Some(Expected::Absent));
        assert_eq!(Precondition::None.expected(None), Some(Expected::Absent));
    }
}
