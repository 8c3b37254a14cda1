//! Which values of a foreign record are which parts of a case.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::path::JsonPath;

/// What a value of a record becomes in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Id,
    RefId,
    Name,
    Status,
    StatusCategory,
    Priority,
    PriorityScore,
    Channel,
    Queue,
    Assignee,
    AssigneeId,
    CreatedAt,
    UpdatedAt,
    DueDate,
}

/// Each target by its name, and the top-level key of a case that it is in.
const TARGETS: [(&str, Target, &str); 14] = [
    ("_id", Target::Id, "_id"),
    ("refId", Target::RefId, "refId"),
    ("name", Target::Name, "name"),
    ("status", Target::Status, "status"),
    ("statusCategory", Target::StatusCategory, "status"),
    ("priority", Target::Priority, "priority"),
    ("priorityScore", Target::PriorityScore, "priority"),
    ("channel", Target::Channel, "channel"),
    ("queue", Target::Queue, "queues"),
    ("assignee", Target::Assignee, "currAssignee"),
    ("assigneeId", Target::AssigneeId, "currAssignee"),
    ("createdAt", Target::CreatedAt, "createdAt"),
    ("updatedAt", Target::UpdatedAt, "updatedAt"),
    ("dueDate", Target::DueDate, "dueDate"),
];

impl Target {
    /// The target of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|(own, ..)| *own == name).map(|(_, target, _)| *target)
    }

    /// The top-level key of a case that it is in.
    pub(crate) fn key(self) -> &'static str {
        TARGETS.iter().find(|(_, own, _)| *own == self).map_or("", |(.., key)| key)
    }

    pub(crate) fn is_date(self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt | Self::DueDate)
    }
}

/// Where a target's value is in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// A column, or a path.
    pub(crate) text: String,
    /// Whether it is a number of seconds.
    pub(crate) is_seconds: bool,
    pub(crate) met: Met,
}

/// Whether a value was met in any record; clones tell it together. It is no part of what a source
/// is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Met(Arc<AtomicBool>);

impl PartialEq for Met {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Met {}

impl Met {
    pub(crate) fn note(&self) {
        // Threads that read share it: it is written once.
        if !self.0.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Which values of a foreign record are which parts of a case: `TARGET=SOURCE`, where a source is a
/// column of a table, or a path into JSON; `* 1000` behind a date makes seconds milliseconds.
///
/// Targets: `_id`, `refId`, `name`, `status`, `statusCategory`, `priority`, `priorityScore`,
/// `channel`, `queue`, `assignee`, `assigneeId`, `createdAt`, `updatedAt`, `dueDate`. What is
/// mapped to none stays in the case under its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    pub(crate) sources: Vec<(Target, Source)>,
    /// Where the records are, as a file of a mapping may say: `records=.issues[]`.
    pub records: Option<JsonPath>,
}

impl Mapping {
    /// Reads a file of a mapping: one `TARGET=SOURCE` a line, or `records=PATH`; blank lines and
    /// what begins with `#` say nothing.
    ///
    /// # Errors
    /// What is wrong with the first wrong line.
    pub fn from_lines(text: &str) -> Result<Self, Error> {
        let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(str::trim);
        let said = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self::from_pairs(said)
    }

    /// The sources that no record had which was read by this mapping, or by a clone of it: of JSON
    /// most likely paths that lead nowhere. A table without such a column is refused.
    pub fn unmet(&self) -> impl Iterator<Item = &str> {
        let unmet = self.sources.iter().filter(|(_, own)| !own.met.0.load(Ordering::Relaxed));
        unmet.map(|(_, own)| &*own.text)
    }

    fn from_pairs<'t>(pairs: impl Iterator<Item = &'t str>) -> Result<Self, Error> {
        let mut mapping = Self::default();
        for pair in pairs {
            let (name, source) = pair.split_once('=').ok_or_else(|| {
                Error::Usage(format!("a mapping is TARGET=SOURCE, and {pair:?} is not"))
            })?;
            let (name, source) = (name.trim(), source.trim());
            if name == "records" {
                mapping.records = Some(source.parse().map_err(Error::Usage)?);
                continue;
            }
            let target = Target::named(name).ok_or_else(|| unknown(name))?;
            if mapping.sources.iter().any(|(own, _)| *own == target) {
                return Err(Error::Usage(format!("{name} is mapped twice")));
            }
            let source = Source::read(source);
            if source.text.is_empty() {
                return Err(Error::Usage(format!("{name} is mapped from nothing")));
            }
            if source.is_seconds && !target.is_date() {
                return Err(Error::Usage(format!("only dates are seconds, and {name} is none")));
            }
            mapping.sources.push((target, source));
        }
        Ok(mapping)
    }
}

impl Source {
    pub(crate) fn of(text: String, is_seconds: bool) -> Self {
        Self { text, is_seconds, met: Met::default() }
    }

    fn read(text: &str) -> Self {
        let factor =
            |text: &str| Some(text.strip_suffix("1000")?.trim_end().strip_suffix('*')?.len());
        match factor(text).and_then(|length| text.get(..length)) {
            Some(text) => Self::of(text.trim_end().to_owned(), true),
            None => Self::of(text.to_owned(), false),
        }
    }
}

fn unknown(name: &str) -> Error {
    let names = TARGETS.iter().map(|(name, ..)| *name);
    let list: Vec<_> = names.clone().collect();
    let meant = nearest(name, names).map(|near| format!("; did you mean {near}?"));
    let meant = meant.unwrap_or_default();
    Error::Usage(format!("nothing of a case is {name:?}{meant}; there are {}", list.join(", ")))
}

/// The name that is nearest to one that nothing has, where one is near.
#[must_use]
pub fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let key = name.to_lowercase();
    let length = key.chars().count();
    let most = (name.chars().count() / 4).max(1);
    let near = names.filter_map(|own| {
        let other = own.to_lowercase();
        // No fewer letters are changed than one has more than the other.
        let is_near = other.chars().count().abs_diff(length) <= most;
        is_near.then(|| (strsim::damerau_levenshtein(&other, &key), own))
    });
    let (distance, own) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then_some(own)
}

/// `TARGET=SOURCE,TARGET=SOURCE`: a comma that no target follows belongs to a source.
impl FromStr for Mapping {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut starts = vec![0];
        for (at, _) in text.match_indices(',') {
            let name = text.get(at + 1..).and_then(|rest| rest.split_once('=')).map(|pair| pair.0);
            // A name that is no target is told of, unless it may be a part of a column's.
            if name.is_some_and(|name| !name.contains(',') && !name.trim().contains(' ')) {
                starts.push(at + 1);
            }
        }
        let ends = starts.iter().skip(1).map(|start| start - 1).chain([text.len()]);
        let pairs = starts.iter().zip(ends).map(|(start, end)| &text[*start..end]);
        Self::from_pairs(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_read() {
        let inline: Mapping =
            "_id=Key, name=Title, long,dueDate=.due * 1000,status=a=b".parse().unwrap();
        let lines =
            "\u{feff}# cases\n_id = Key\n\nname=Title, long\r\ndueDate=.due*1000\nstatus=a=b";
        assert_eq!(inline, Mapping::from_lines(lines).unwrap());
        let sources: Vec<_> =
            inline.sources.iter().map(|(target, source)| (*target, &*source.text)).collect();
        let expected = [
            (Target::Id, "Key"),
            (Target::Name, "Title, long"),
            (Target::DueDate, ".due"),
            (Target::Status, "a=b"),
        ];
        assert_eq!(sources, expected);
        assert!(inline.sources[2].1.is_seconds);
        let jira = Mapping::from_lines("records=.issues[]\n_id=.key").unwrap();
        assert_eq!(jira.records.unwrap().to_string(), ".issues[]");
    }

    #[test]
    fn what_is_wrong_with_a_mapping_is_told() {
        for (text, told) in [
            ("name", "TARGET=SOURCE"),
            ("staus=State", "did you mean status?"),
            ("_id=a,staus=State", "did you mean status?"),
            ("name=a,name=b", "twice"),
            ("name=", "nothing"),
            ("name=.a*1000", "seconds"),
            ("records=a", "no path"),
        ] {
            let error = text.parse::<Mapping>().unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn near_names() {
        let names = ["status", "priority", "dueDate"];
        let near = |name| nearest(name, names.into_iter());
        assert_eq!(
            (near("staus"), near("DueDate"), near("duedat")),
            (Some("status"), Some("dueDate"), Some("dueDate"))
        );
        assert_eq!((near("x"), near("customer")), (None, None));
    }
}
