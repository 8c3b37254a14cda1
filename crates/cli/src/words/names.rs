//! The names that words may have, and what each becomes: one table for the reader, the help and
//! completion.

use getcases_load::nearest;

/// What a word with a name becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list of texts, as a parameter.
    List { parameter: &'static str },
    /// A list of texts, which only a filter asks for; `is_prefixed` where it may be asked for by
    /// the beginning, too.
    In { is_prefixed: bool },
    /// True or false of every case.
    Flag { parameter: &'static str },
    /// A part of the name or title.
    Text,
    /// The beginning of the name.
    Name,
    /// A date or a range of them.
    Dates,
    /// A date, as a parameter.
    Date { parameter: &'static str },
    /// A number or a range of them.
    Score,
    /// Whether a field has a value.
    Exists { is_wanted: bool },
    /// The order.
    Sort,
    /// A number of cases or pages.
    Integer { parameter: &'static str },
    /// Which keys come back.
    Columns,
}

/// A name that words may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    /// The name that is shown first, and others for the same.
    pub(crate) names: &'static [&'static str],
    /// The field of a filter that asks for the same.
    pub(crate) field: Option<&'static str>,
    pub(crate) kind: Kind,
    /// How it is written, and what it means.
    pub(crate) form: &'static str,
    pub(crate) meaning: &'static str,
}

const fn name(
    names: &'static [&'static str],
    field: Option<&'static str>,
    kind: Kind,
    (form, meaning): (&'static str, &'static str),
) -> Name {
    Name { names, field, kind, form, meaning }
}

/// How dates are written.
const DATES: &str = "2025-05-29";

pub(crate) const NAMES: [Name; 25] = [
    name(
        &["status"],
        Some("status"),
        Kind::List { parameter: "status" },
        ("open,\"on hold\"", "any of these statuses"),
    ),
    name(
        &["priority"],
        Some("priority"),
        Kind::List { parameter: "priority" },
        ("high,urgent", "any of these priorities"),
    ),
    name(
        &["queue", "queues"],
        Some("queue"),
        Kind::List { parameter: "queues" },
        ("\"Queue 3\"", "any of these queues"),
    ),
    name(
        &["channel"],
        Some("channel"),
        Kind::List { parameter: "channel" },
        ("email,chat", "any of these channels"),
    ),
    name(
        &["agent", "agents", "assignee"],
        Some("assignee"),
        Kind::List { parameter: "agents" },
        ("agent-5", "who has it, by id or name"),
    ),
    name(
        &["unresolved"],
        Some("unresolved"),
        Kind::Flag { parameter: "unresolved" },
        ("", "neither resolved nor closed"),
    ),
    name(
        &["unassigned"],
        Some("unassigned"),
        Kind::Flag { parameter: "unassigned" },
        ("", "nobody has it"),
    ),
    name(
        &["mine", "mycase", "mytask"],
        Some("mycase"),
        Kind::Flag { parameter: "mycase" },
        ("", "the current user has it (--user)"),
    ),
    name(
        &["text", "searchText"],
        Some("text"),
        Kind::Text,
        ("\"late delivery\"", "a part of the name or title; words without a name are this"),
    ),
    name(&["name"], Some("name"), Kind::Name, ("late*", "the name begins so")),
    name(
        &["created"],
        Some("created"),
        Kind::Dates,
        (DATES, "when it was created; also A..B, A.., ..B, >A, <=B"),
    ),
    name(&["due"], Some("due"), Kind::Dates, (DATES, "when it is due")),
    name(&["updated"], Some("updated"), Kind::Dates, (DATES, "when it was last updated")),
    name(
        &["startDate"],
        None,
        Kind::Date { parameter: "startDate" },
        ("2025-05-01", "created then or later"),
    ),
    name(
        &["endDate"],
        None,
        Kind::Date { parameter: "endDate" },
        ("2025-05-31", "created then or earlier"),
    ),
    name(
        &["dueDate"],
        None,
        Kind::Date { parameter: "dueDate" },
        ("2025-05-29", "due on that day, or at that instant"),
    ),
    name(
        &["category", "statusCategory"],
        Some("statusCategory"),
        Kind::In { is_prefixed: false },
        ("open", "any of these categories of the status"),
    ),
    name(
        &["score", "priorityScore"],
        Some("priorityScore"),
        Kind::Score,
        ("8, 5..10, >=8", "the score of its priority"),
    ),
    name(
        &["refId"],
        Some("refId"),
        Kind::In { is_prefixed: true },
        ("INC7,REQ*", "its refId, or how that begins"),
    ),
    name(
        &["id", "_id"],
        Some("_id"),
        Kind::In { is_prefixed: true },
        ("ci-7,ci-8*", "its _id, or how that begins"),
    ),
    name(&["has"], None, Kind::Exists { is_wanted: true }, ("due", "the field has a value")),
    name(&["no"], None, Kind::Exists { is_wanted: false }, ("queue", "the field has no value")),
    name(
        &["sort", "sortBy"],
        None,
        Kind::Sort,
        ("-due,name", "the order; - or :desc for the greatest first"),
    ),
    name(
        &["limit"],
        None,
        Kind::Integer { parameter: "limit" },
        ("20", "how many cases a page has"),
    ),
    name(
        &["columns", "selectedColumns"],
        None,
        Kind::Columns,
        ("name,status", "only these keys of the documents"),
    ),
];

/// Numbers beside `limit`.
const PAGING: [Name; 2] = [
    name(&["page"], None, Kind::Integer { parameter: "page" }, ("2", "which page")),
    name(&["skip"], None, Kind::Integer { parameter: "skip" }, ("40", "how many come before")),
];

/// Every name.
pub(crate) fn all() -> impl Iterator<Item = &'static Name> + Clone {
    NAMES.iter().chain(&PAGING)
}

/// The names with their forms and meanings, a line each.
pub(crate) fn listed() -> String {
    let head = |own: &Name| {
        let name = own.names.first().copied().unwrap_or_default();
        if own.form.is_empty() { name.to_owned() } else { format!("{name}:{}", own.form) }
    };
    let line = |own: &Name| format!("  {:28} {}\n", head(own), own.meaning);
    all().map(line).collect()
}

/// Every spelling of every name.
pub(crate) fn spellings() -> impl Iterator<Item = &'static str> + Clone {
    all().flat_map(|own| own.names.iter().copied())
}

/// The name that is shown first of each.
pub(crate) fn shown() -> Vec<&'static str> {
    all().filter_map(|own| own.names.first().copied()).collect()
}

/// The name with a spelling, in any letter case.
pub(crate) fn named(spelling: &str) -> Option<&'static Name> {
    all().find(|own| own.names.iter().any(|known| known.eq_ignore_ascii_case(spelling)))
}

/// The field of a filter that a spelling is of.
pub(crate) fn field(spelling: &str) -> Option<&'static str> {
    let name = named(spelling)?;
    // What dates a parameter asks for are a field's, too.
    name.field.or(match name.kind {
        Kind::Date { parameter: "dueDate" } => Some("due"),
        Kind::Date { .. } => Some("created"),
        _ => None,
    })
}

/// The names of fields, as they are shown.
pub(crate) fn fields() -> Vec<&'static str> {
    all().filter(|own| own.field.is_some()).filter_map(|own| own.names.first().copied()).collect()
}

/// How many characters a name may have to be held beside those that there are.
const COMPARED: usize = 64;

/// The name that may have been meant: the one that all begin with which begin so, or the nearest.
pub(crate) fn near<'n>(
    name: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<&'n str> {
    if name.len() > COMPARED {
        return None;
    }
    let begins = |own: &&str| {
        let begin = own.get(..name.len());
        name.len() > 1 && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    };
    let begun = || names.clone().filter(begins);
    let shortest = begun().min_by_key(|own| own.len());
    shortest
        .filter(|short| begun().all(|own| own.starts_with(short)))
        .or_else(|| nearest(name, names))
}

/// Short names for some that `sortBy` knows by longer ones.
const SHORT: [(&str, &str); 4] =
    [("due", "dueDate"), ("updated", "updatedAt"), ("id", "_id"), ("agent", "assignee")];

/// What a spelling is for `sortBy`.
pub(crate) fn sort_name(spelling: &str) -> &str {
    let short = SHORT.iter().find(|(short, _)| short.eq_ignore_ascii_case(spelling));
    short.map_or(spelling, |(_, name)| name)
}

/// What completion offers for `sort`.
pub(crate) const SORTS: [&str; 9] =
    ["created", "updated", "due", "priority", "status", "name", "refId", "assignee", "_id"];

/// Every name that may have been meant for one that nothing sorts by.
pub(crate) fn sorts() -> impl Iterator<Item = &'static str> + Clone {
    SORTS.into_iter().chain(SHORT.into_iter().flat_map(|(short, name)| [short, name]))
}

#[cfg(test)]
mod tests {
    use getcases::{Accepted, Context, Query, Request};

    use super::*;

    #[test]
    fn each_parameter_and_each_field_is_a_word() {
        // What is written by programs alone.
        let unnamed = ["filter", "cursor"];
        for parameter in Request::FIELDS.into_iter().filter(|name| !unnamed.contains(name)) {
            assert!(named(parameter).is_some(), "{parameter}");
        }
        // What a filter knows is told where it is asked for something else.
        let body = br#"{"filter":{"no such field":1}}"#;
        let refusal = Query::from_json(body, &Context::default()).unwrap_err();
        let Some(Accepted::OneOf(fields)) = refusal.problems()[0].accepted() else { panic!() };
        for own in fields.iter().filter(|name| !["and", "or", "not"].contains(name)) {
            assert_eq!(field(own), Some(*own));
        }
        let known: Vec<_> = all().filter_map(|own| own.field).collect();
        assert!(known.iter().all(|own| fields.contains(own)), "{known:?}");
    }

    #[test]
    fn what_is_begun_or_misspelt_is_found() {
        let near = |name| near(name, spellings());
        assert_eq!(
            (near("prio"), near("unres"), near("due")),
            (Some("priority"), Some("unresolved"), Some("due"))
        );
        assert_eq!(
            (near("queus"), near("x"), near("assig")),
            (Some("queue"), None, Some("assignee"))
        );
        assert_eq!(near("sta"), None);
    }

    #[test]
    fn no_spelling_stands_twice() {
        let mut spellings: Vec<_> = spellings().map(str::to_lowercase).collect();
        spellings.sort_unstable();
        assert!(spellings.windows(2).all(|pair| pair[0] != pair[1]), "{spellings:?}");
    }

    #[test]
    fn each_sort_name_is_the_contracts() {
        for name in SORTS {
            assert!(sort_name(name).parse::<getcases::SortKey>().is_ok(), "{name}");
        }
    }
}
