//! What is wrong, where, and what would be accepted: one form for requests and documents.
//!
//! Rules: docs/contract.md, *Errors*.

mod code;
mod problem;
#[cfg(feature = "serde")]
mod serialize;

use std::collections::HashSet;

use crate::value::shown::cut;
pub use code::Code;
pub use problem::{Accepted, Problem};

/// How many problems are listed; what comes after them is counted.
const LISTED: usize = 100;

/// Problems in the order they are found: the first ones are listed, the rest only counted.
///
/// Useful for judging what may hold a hundred thousand wrong things. Not for looking any of them up
/// again.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// Adds a problem, which is made only where it is listed.
    pub(crate) fn add(&mut self, problem: impl FnOnce() -> Problem) {
        if self.listed.len() < LISTED {
            self.listed.push(problem());
        } else {
            self.more += 1;
        }
    }

    /// Nothing where there are no problems.
    pub(crate) fn into_result(mut self) -> Result<(), Refusal> {
        let msg = match self.more {
            0 => None,
            1 => Some("1 more problem".to_owned()),
            more => Some(format!("{more} more problems")),
        };
        self.listed.extend(msg.map(|msg| Problem::new(Code::TooManyProblems, "$", msg)));
        if self.listed.is_empty() {
            return Ok(());
        }
        Err(Refusal { problems: self.listed, id: None, position: None })
    }
}

/// Why a request or a document is refused: every problem at once, each code and path once. Where
/// there are more than 100, the first 100 and one that says how many more.
///
/// ```
/// use getcases::{Context, Query};
///
/// let refusal = Query::from_json(br#"{"limit":-1}"#, &Context::default()).unwrap_err();
/// let problem = &refusal.problems()[0];
/// assert_eq!((problem.code().as_str(), problem.path()), ("invalid_integer", "$.limit"));
/// assert_eq!(problem.value(), Some("-1"));
/// assert_eq!(refusal.http_status(), 400);
/// assert!(refusal.to_json().starts_with(br#"{"errors":[{"code":"invalid_integer","#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Refusal {
    problems: Vec<Problem>,
    /// Of a document.
    id: Option<Box<str>>,
    position: Option<usize>,
}

impl Refusal {
    /// A refusal for problems that a host has with a request; nothing where there are none. Listed
    /// as those of the library are: each code and path once, and no more than 100. Of one problem,
    /// `Refusal::from` makes one.
    #[must_use]
    pub fn new(problems: impl IntoIterator<Item = Problem>) -> Option<Self> {
        let (mut all, mut met) = (Problems::default(), HashSet::new());
        for problem in problems {
            let is_told = all.listed.len() < LISTED;
            if !is_told || met.insert((problem.code(), problem.path().to_owned())) {
                all.add(|| problem);
            }
        }
        all.into_result().err()
    }

    /// The status that a host answers over HTTP: that of the first problem.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.problems.first().map_or(400, |first| first.code().http_status())
    }

    /// The `_id` of the refused document, where one could be read; at most 256 characters of it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Which change of its batch the refused document was to be, from 0; those that were refused
    /// before count too.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        self.position
    }

    /// Says which document it is.
    pub(crate) fn of_document(mut self, id: &str) -> Self {
        self.id = (!id.is_empty()).then(|| cut(id).into());
        self
    }

    /// Says where in a batch it is.
    pub(crate) fn at_position(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    /// The problems; at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The error body `{"errors":[…]}`: below 256 KiB, whatever the library refused, and below
    /// 1 MiB, whatever a host did.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = String::from("{\"errors\":[");
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            problem.write(&mut json);
        }
        json.push_str("]}");
        json.into_bytes()
    }

    fn summary(&self) -> String {
        let problems: Vec<_> = self.problems.iter().map(Problem::to_string).collect();
        let position = self.position.map(|position| format!("change {position}"));
        let id = self.id.as_ref().map(|id| format!("_id {id:?}"));
        let place: Vec<_> = position.into_iter().chain(id).collect();
        let colon = if place.is_empty() { "" } else { ": " };
        format!("{}{colon}{}", place.join(", "), problems.join(" | "))
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], id: None, position: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::json::Json;
    use crate::value::shown::quoted;

    fn problem(value: &str) -> Problem {
        Problem::new(Code::InvalidInteger, "$.limit", "no").with_value(value).accepts("an integer")
    }

    #[test]
    fn a_body_echoes_what_came() {
        let values =
            ["1e999", "-1E400", "-0", "1.50", "123456789012345678901234567890", "[1, -0]", "\"é\""];
        for value in values {
            let body = String::from_utf8(Refusal::from(problem(value)).to_json()).unwrap();
            let expected = format!(
                "{{\"errors\":[{{\"code\":\"invalid_integer\",\"msg\":\"no\",\
                 \"path\":\"$.limit\",\"value\":{value},\"accepted\":\"an integer\"}}]}}"
            );
            assert_eq!(body, expected);
            assert!(Json::read(body.as_bytes()).is_ok());
        }
    }

    #[test]
    fn what_is_listed_is_bounded() {
        let mut problems = Problems::default();
        for at in 0..100_000 {
            problems.add(|| {
                let path = format!("$[{}]", quoted(&"\u{1}".repeat(1000)));
                Problem::new(Code::UnknownField, path, at.to_string())
                    .with_value(&"\u{1}".repeat(1000))
            });
        }
        let refusal = problems.into_result().unwrap_err();
        assert_eq!(refusal.problems().len(), LISTED + 1);
        let last = refusal.problems().last().unwrap();
        assert_eq!((last.code(), last.msg()), (Code::TooManyProblems, "99900 more problems"));
        assert!(refusal.to_json().len() < 256 << 10);
        assert!(refusal.to_string().len() < 256 << 10);
    }

    #[test]
    fn a_host_refuses_as_the_library_does() {
        assert_eq!(Refusal::new([]), None);
        let header = |name: &str| Problem::new(Code::RepeatedHeader, name, "it is there twice");
        let refusal = Refusal::new([header("accountId"), header("accountId"), header("iId")]);
        assert_eq!(refusal.unwrap().problems().len(), 2);
        let names = (0..1000).map(|at| header(&at.to_string()));
        let refusal = Refusal::new(names).unwrap();
        assert_eq!(refusal.problems().len(), LISTED + 1);
        let unknown = Problem::new(Code::UnknownStream, "streamId", "no such stream");
        assert_eq!(Refusal::from(unknown).http_status(), 404);
        let long = "\u{1}".repeat(1000);
        let odd = |at: usize| {
            Problem::new(Code::TooSlow, format!("{at}{long}"), long.as_str())
                .with_value(&long)
                .accepts(long.clone())
        };
        assert!(Refusal::new((0..200).map(odd)).unwrap().to_json().len() < 1 << 20);
    }

    #[test]
    fn statuses_are_those_of_the_contract() {
        for code in Code::ALL {
            let status = code.http_status();
            let known = matches!(status, 400 | 401 | 403..=405 | 408 | 410 | 412 | 413 | 415 | 429)
                || matches!(status, 500 | 503 | 507);
            assert!(known, "{code}");
        }
        assert_eq!(Code::BodyTooLarge.http_status(), 413);
    }
}
