//! The fields whose values are told and completed.

use getcases::ValueField;

use crate::words::{Wrong, names};

/// By the names that a filter has for them.
pub(super) const FIELDS: [(&str, ValueField); 6] = [
    ("status", ValueField::Status),
    ("statusCategory", ValueField::StatusCategory),
    ("priority", ValueField::Priority),
    ("channel", ValueField::Channel),
    ("queue", ValueField::Queue),
    ("assignee", ValueField::Assignee),
];

/// The field that a filter has by a name, if its values are told.
pub(super) fn named(name: &str) -> Option<ValueField> {
    FIELDS.iter().find(|(own, _)| *own == name).map(|(_, field)| *field)
}

/// The field of a spelling, and its name.
pub(super) fn field(spelling: &str) -> Result<(&'static str, ValueField), Wrong> {
    let own = names::field(spelling).and_then(|name| Some((name, named(name)?)));
    own.ok_or_else(|| {
        let wrong = Wrong::new("unknown_field", "values ".len() + 1, "no values are told of this");
        let names = FIELDS.map(|(name, _)| name);
        let near = names::near(spelling, names.into_iter());
        wrong.found(spelling).meant(near).accepts_one_of(&names)
    })
}
