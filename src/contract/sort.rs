//! Orders: by what, in which direction, and how names are read.
//!
//! Rules: docs/contract.md, *Order*.

use std::fmt;
use std::str::FromStr;

use smallvec::SmallVec;

use super::context::Severity;
use crate::refusal::{Accepted, Code, Problem};

/// What cases can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortField {
    /// When the case was created.
    Created,
    /// When it was last updated.
    Updated,
    /// When it is due.
    Due,
    /// The score of its priority.
    Priority,
    /// The rank of its status's category, then the status's name.
    Status,
    /// Its name, folded.
    Name,
    /// Its `refId`, folded.
    RefId,
    /// The name of who has it, folded.
    Assignee,
    /// Its `_id`, as it is. The only one that never ties.
    Id,
}

use SortField::{Assignee, Created, Due, Id, Name, Priority, RefId, Status, Updated};

/// Every accepted NAME; the first of each field is the one that explain shows.
const NAMES: &[(&str, SortField)] = &[
    ("created", Created),
    ("createdDate", Created),
    ("createdAt", Created),
    ("updated", Updated),
    ("updatedDate", Updated),
    ("updatedAt", Updated),
    ("lastUpdated", Updated),
    ("due", Due),
    ("dueDate", Due),
    ("ETA", Due),
    ("priority", Priority),
    ("status", Status),
    ("name", Name),
    ("title", Name),
    ("refId", RefId),
    ("assignee", Assignee),
    ("_id", Id),
];

/// The names of `NAMES` that are for explain only.
const SHOWN_ONLY: [&str; 2] = ["updated", "due"];

impl SortField {
    fn named(name: &str) -> Option<Self> {
        let known =
            |(own, _): &&(&str, Self)| !SHOWN_ONLY.contains(own) && own.eq_ignore_ascii_case(name);
        NAMES.iter().find(known).map(|(_, field)| *field)
    }

    /// The field's short name, as explain shows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    fn natural(self, severity: Severity) -> Direction {
        match (self, severity) {
            (Created | Updated, _) | (Priority, Severity::High) => Direction::Desc,
            _ => Direction::Asc,
        }
    }
}

/// Which way an order runs. A missing value comes last in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Asc,
    /// Greatest first.
    Desc,
}

impl Direction {
    pub(super) fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("asc") {
            Some(Self::Asc)
        } else {
            name.eq_ignore_ascii_case("desc").then_some(Self::Desc)
        }
    }

    /// `asc` or `desc`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// One part of `sortBy`. Reads from a text, `"dueDate:desc".parse()`, which has one of the names
/// `createdDate`, `createdAt`, `created`, `updatedDate`, `updatedAt`, `lastUpdated`, `dueDate`,
/// `ETA`, `priority`, `status`, `name`, `title`, `refId`, `assignee` and `_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// By what.
    pub field: SortField,
    /// Which way; nothing for the field's natural direction.
    pub direction: Option<Direction>,
}

impl SortKey {
    pub(super) fn named(name: &str, direction: Option<Direction>) -> Result<Self, SortError> {
        match SortField::named(name) {
            Some(field) => Ok(Self { field, direction }),
            None if name.is_empty() => Err(SortError::Form),
            None => Err(SortError::UnknownField),
        }
    }
}

/// As it reads from a text.
impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_it = |(name, field): &&(&str, SortField)| {
            *field == self.field && !SHOWN_ONLY.contains(name) && *name != "created"
        };
        f.write_str(NAMES.iter().find(is_it).map_or("", |(name, _)| name))?;
        match self.direction {
            Some(direction) => write!(f, ":{}", direction.as_str()),
            None => Ok(()),
        }
    }
}

impl FromStr for SortKey {
    type Err = SortError;

    /// `NAME`, `-NAME`, `NAME:asc` or `NAME:desc`, in any letter case.
    fn from_str(text: &str) -> Result<Self, SortError> {
        let text = text.trim();
        let (minus, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (name, direction) = match rest.split_once(':') {
            None => (rest, minus.then_some(Direction::Desc)),
            Some(_) if minus => return Err(SortError::Form),
            Some((name, direction)) => {
                let direction = Direction::named(direction.trim()).ok_or(SortError::Form)?;
                (name, Some(direction))
            }
        };
        Self::named(name.trim(), direction)
    }
}

/// Why a text is no [`SortKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SortError {
    /// It is of none of the accepted forms.
    #[error("expected NAME, -NAME, NAME:asc or NAME:desc")]
    Form,
    /// Nothing sorts by this name.
    #[error("nothing sorts by this name")]
    UnknownField,
}

impl SortError {
    pub(super) fn at(self, path: String, value: &str) -> Problem {
        let (code, accepted) = match self {
            Self::Form => (
                Code::InvalidSort,
                "NAME, -NAME, NAME:asc, NAME:desc, or {NAME: \"asc\", \"desc\", 1 or -1}".into(),
            ),
            Self::UnknownField => {
                let names = NAMES.iter().map(|(name, _)| *name);
                (
                    Code::UnknownSortField,
                    Accepted::OneOf(names.filter(|name| !SHOWN_ONLY.contains(name)).collect()),
                )
            }
        };
        Problem::new(code, path, self.to_string()).with_value(value).accepts(accepted)
    }
}

/// A total order: the asked keys, then created newest first, then `_id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    keys: SmallVec<[(SortField, Direction); 4]>,
}

impl Order {
    /// The order of the asked keys; a field named again is dropped.
    pub(super) fn of(asked: &[SortKey], severity: Severity) -> Self {
        let asked = asked
            .iter()
            .map(|key| (key.field, key.direction.unwrap_or_else(|| key.field.natural(severity))));
        let mut keys: SmallVec<[(SortField, Direction); 4]> = SmallVec::new();
        for (field, direction) in asked.chain([(Created, Direction::Desc), (Id, Direction::Asc)]) {
            if keys.iter().all(|(known, _)| *known != field && *known != Id) {
                keys.push((field, direction));
            }
        }
        Self { keys }
    }

    /// The keys, the first one weighing most; the last is `_id`.
    #[must_use]
    pub fn keys(&self) -> &[(SortField, Direction)] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form() {
        let key = |text: &str| text.parse::<SortKey>().map(|key| (key.field, key.direction));
        assert_eq!(key(" DUEDATE "), Ok((Due, None)));
        assert_eq!(key("- name"), Ok((Name, Some(Direction::Desc))));
        assert_eq!(key("eta : DESC"), Ok((Due, Some(Direction::Desc))));
        for form in ["", " ", "-", ":asc", "-name:asc", "name:", "name:up", "name:asc:desc"] {
            assert_eq!(key(form), Err(SortError::Form), "{form}");
        }
        for unknown in ["due", "updated", "--name", "score", "_ID "] {
            assert_eq!(key(unknown).is_err(), unknown != "_ID ", "{unknown}");
        }
    }

    #[test]
    fn a_key_reads_as_it_is_shown() {
        for (name, _) in NAMES.iter().filter(|(name, _)| !SHOWN_ONLY.contains(name)) {
            for way in ["", ":asc", ":desc"] {
                let key: SortKey = format!("{name}{way}").parse().unwrap();
                assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }

    #[test]
    fn every_order_is_total() {
        let order = |keys: &[&str]| {
            let keys: Vec<_> = keys.iter().map(|key| key.parse().unwrap()).collect();
            let order = Order::of(&keys, Severity::High);
            let shown = |(f, d): &(SortField, Direction)| format!("{}:{}", f.as_str(), d.as_str());
            order.keys().iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(&[]), "created:desc _id:asc");
        assert_eq!(order(&["createdAt:asc", "-created"]), "created:asc _id:asc");
        assert_eq!(order(&["priority"]), "priority:desc created:desc _id:asc");
        assert_eq!(order(&["-_id", "name"]), "_id:desc");
    }
}
