//! The fields that a filter asks for, by name and kind. Which operators a kind has is said in
//! `filter/read.rs` (`Operator::of`), and listed in `filter/wrong.rs`.

/// What a [`Filter`](crate::Filter) asks for (docs/contract.md, *Filter*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FilterField {
    /// The status, by its name, lname or `_id`.
    Status,
    /// The category of the status.
    StatusCategory,
    /// The priority, by its name, lname or `_id`.
    Priority,
    /// The channels.
    Channel,
    /// The queues.
    Queue,
    /// Who has the case, by id or name.
    Assignee,
    /// Whether it is neither resolved nor closed.
    Unresolved,
    /// Whether nobody has it.
    Unassigned,
    /// Whether the current user has it.
    Mycase,
    /// The name and the title.
    Text,
    /// The name.
    Name,
    /// When the case was created.
    Created,
    /// When it was last updated.
    Updated,
    /// When it is due.
    Due,
    /// The score of its priority.
    PriorityScore,
    /// Its `refId`.
    RefId,
    /// Its `_id`.
    Id,
}

/// A field whose values can be listed with their counts:
/// [`Snapshot::values`](crate::Snapshot::values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueField {
    /// The status.
    Status,
    /// The category of the status.
    StatusCategory,
    /// The priority.
    Priority,
    /// The channels.
    Channel,
    /// The queues.
    Queue,
    /// Who has the case.
    Assignee,
}

impl ValueField {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::Status,
        Self::StatusCategory,
        Self::Priority,
        Self::Channel,
        Self::Queue,
        Self::Assignee,
    ];
}

impl From<ValueField> for FilterField {
    fn from(field: ValueField) -> Self {
        match field {
            ValueField::Status => Self::Status,
            ValueField::StatusCategory => Self::StatusCategory,
            ValueField::Priority => Self::Priority,
            ValueField::Channel => Self::Channel,
            ValueField::Queue => Self::Queue,
            ValueField::Assignee => Self::Assignee,
        }
    }
}

/// A field that `in` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListField {
    Status,
    StatusCategory,
    Priority,
    Channel,
    Queue,
    Assignee,
    RefId,
    Id,
}

/// A field that is true or false of every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    Unresolved,
    Unassigned,
    Mycase,
}

/// A field whose values are texts that a filter looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextField {
    Name,
    RefId,
    Id,
}

/// A field whose values are instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DateField {
    Created,
    Updated,
    Due,
}

const NAMES: [(&str, FilterField); 17] = [
    ("status", FilterField::Status),
    ("statusCategory", FilterField::StatusCategory),
    ("priority", FilterField::Priority),
    ("channel", FilterField::Channel),
    ("queue", FilterField::Queue),
    ("assignee", FilterField::Assignee),
    ("unresolved", FilterField::Unresolved),
    ("unassigned", FilterField::Unassigned),
    ("mycase", FilterField::Mycase),
    ("text", FilterField::Text),
    ("name", FilterField::Name),
    ("created", FilterField::Created),
    ("updated", FilterField::Updated),
    ("due", FilterField::Due),
    ("priorityScore", FilterField::PriorityScore),
    ("refId", FilterField::RefId),
    ("_id", FilterField::Id),
];

impl FilterField {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(own, _)| *own == name).map(|(_, field)| *field)
    }

    /// Every field's name.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The field's name in a body.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    pub(super) fn list(self) -> Option<ListField> {
        Some(match self {
            Self::Status => ListField::Status,
            Self::StatusCategory => ListField::StatusCategory,
            Self::Priority => ListField::Priority,
            Self::Channel => ListField::Channel,
            Self::Queue => ListField::Queue,
            Self::Assignee => ListField::Assignee,
            Self::RefId => ListField::RefId,
            Self::Id => ListField::Id,
            _ => return None,
        })
    }

    pub(super) fn flag(self) -> Option<Flag> {
        match self {
            Self::Unresolved => Some(Flag::Unresolved),
            Self::Unassigned => Some(Flag::Unassigned),
            Self::Mycase => Some(Flag::Mycase),
            _ => None,
        }
    }

    pub(super) fn text(self) -> Option<TextField> {
        match self {
            Self::Name => Some(TextField::Name),
            Self::RefId => Some(TextField::RefId),
            Self::Id => Some(TextField::Id),
            _ => None,
        }
    }

    pub(super) fn date(self) -> Option<DateField> {
        match self {
            Self::Created => Some(DateField::Created),
            Self::Updated => Some(DateField::Updated),
            Self::Due => Some(DateField::Due),
            _ => None,
        }
    }
}

impl From<ListField> for FilterField {
    fn from(field: ListField) -> Self {
        match field {
            ListField::Status => Self::Status,
            ListField::StatusCategory => Self::StatusCategory,
            ListField::Priority => Self::Priority,
            ListField::Channel => Self::Channel,
            ListField::Queue => Self::Queue,
            ListField::Assignee => Self::Assignee,
            ListField::RefId => Self::RefId,
            ListField::Id => Self::Id,
        }
    }
}

impl From<Flag> for FilterField {
    fn from(field: Flag) -> Self {
        match field {
            Flag::Unresolved => Self::Unresolved,
            Flag::Unassigned => Self::Unassigned,
            Flag::Mycase => Self::Mycase,
        }
    }
}

impl From<TextField> for FilterField {
    fn from(field: TextField) -> Self {
        match field {
            TextField::Name => Self::Name,
            TextField::RefId => Self::RefId,
            TextField::Id => Self::Id,
        }
    }
}

impl From<DateField> for FilterField {
    fn from(field: DateField) -> Self {
        match field {
            DateField::Created => Self::Created,
            DateField::Updated => Self::Updated,
            DateField::Due => Self::Due,
        }
    }
}

impl TextField {
    pub(crate) fn as_str(self) -> &'static str {
        FilterField::from(self).as_str()
    }
}

impl DateField {
    pub(crate) fn as_str(self) -> &'static str {
        FilterField::from(self).as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_go_both_ways() {
        for (name, field) in NAMES {
            assert_eq!(FilterField::named(name), Some(field));
            assert_eq!(field.as_str(), name);
            assert!(field.list().is_none_or(|own| FilterField::from(own) == field));
            assert!(field.flag().is_none_or(|own| FilterField::from(own) == field));
            assert!(field.text().is_none_or(|own| FilterField::from(own) == field));
            assert!(field.date().is_none_or(|own| FilterField::from(own) == field));
        }
        assert_eq!(FilterField::named("Status"), None);
    }
}
