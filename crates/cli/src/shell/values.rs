//! The fields whose values are told and completed.

use getcases::{FilterField, ValueField};

use crate::words::{Wrong, names};

/// The names that a filter has for the fields.
pub(super) fn names() -> [&'static str; ValueField::ALL.len()] {
    ValueField::ALL.map(name)
}

fn name(field: ValueField) -> &'static str {
    FilterField::from(field).as_str()
}

/// The field that a filter has by a name, if its values are told.
pub(super) fn named(own: &str) -> Option<ValueField> {
    ValueField::ALL.into_iter().find(|field| name(*field) == own)
}

/// The field of a spelling, and its name.
pub(super) fn field(spelling: &str) -> Result<(&'static str, ValueField), Wrong> {
    let own = names::field(spelling).and_then(|name| Some((name, named(name)?)));
    own.ok_or_else(|| {
        let wrong = Wrong::new("unknown_field", "values ".len() + 1, "no values are told of this");
        let near = names::near(spelling, names().into_iter());
        wrong.found(spelling).meant(near).accepts_one_of(&names())
    })
}
