//! What may have been meant besides: told on the standard error, and never done.

use std::path::Path;

use getcases::{
    Accepted, Code, Context, FilterField, Problem, Query, Refusal, Request, Snapshot, SortField,
    ValueField,
};
use serde_json::{Value, json};

use crate::words::{Words, names, quoted};

/// The names of words whose values a text may be one of.
const FIELDS: [&str; 5] = ["status", "priority", "queue", "channel", "agent"];

/// The parameters that ask for values which cases may have, and the fields that have them.
const LISTS: [(&str, ValueField); 5] = [
    ("status", ValueField::Status),
    ("priority", ValueField::Priority),
    ("queues", ValueField::Queue),
    ("channel", ValueField::Channel),
    ("agents", ValueField::Assignee),
];

/// What cases are sorted by that some may not have, and the fields that say whether any has it.
const SORTED: [(SortField, &str); 6] = [
    (SortField::Priority, "priorityScore"),
    (SortField::Updated, "updated"),
    (SortField::Due, "due"),
    (SortField::Name, "name"),
    (SortField::RefId, "refId"),
    (SortField::Assignee, "assignee"),
];

/// How many values are looked for; and up to how many that cases may have are held beside each.
const LOOKED_FOR: usize = 16;
const COMPARED: usize = 2_000;

/// What may have been meant by words that are texts only because they have no name: a value of a
/// field, or a file. Cost: a count for each word and field.
pub(crate) fn of_words(words: &Words, snapshot: &Snapshot) -> Vec<String> {
    let of_word = |written: &String| {
        let (minus, text) = match written.strip_prefix('-') {
            Some(text) => ("-", text),
            None => ("", &**written),
        };
        let found = FIELDS.into_iter().filter(|name| has_value(snapshot, name, text));
        let meant: Vec<_> = found.map(|name| format!("{minus}{name}:{}", quoted(text))).collect();
        if !meant.is_empty() {
            return Some(format!("{text:?} is a text; did you mean {}?", meant.join(" or ")));
        }
        let is_file = Path::new(written).is_file();
        is_file.then(|| {
            format!(
                "{written:?} is a text, and there is a file of that name: files stand before -w, \
                 or behind --cases"
            )
        })
    };
    words.bare.iter().filter_map(of_word).collect()
}

/// What a request that finds nothing asks for and no case has, with the nearest value that some
/// case has. Cost: a count for each value, of a few, and the values of its field where
/// these are few.
pub(crate) fn of_nothing(body: &[u8], snapshot: &Snapshot, context: &Context) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let is_mine = |name| body.get(name) == Some(&Value::Bool(true));
    let user = context.user.as_deref().filter(|_| is_mine("mycase") || is_mine("mytask"));
    let user = user.filter(|_| count(snapshot, json!({"mycase": true}), context) == 0);
    let user = user.map(|user| {
        format!("no case is assigned to {user:?}: --user is the id of an agent, and not a name")
    });
    let mut asked = Vec::new();
    for (parameter, values) in LISTS {
        let texts = body.get(parameter).into_iter().flat_map(texts);
        asked.extend(texts.map(|text| (FilterField::from(values).as_str(), text)));
    }
    body.get("filter").into_iter().for_each(|filter| listed(filter, &mut asked));
    let missing = asked
        .into_iter()
        .take(LOOKED_FOR)
        .filter(|(field, text)| !text.trim().is_empty() && !has_value(snapshot, field, text));
    // The values of a field are gone through once, and only where they are few.
    let mut known: Vec<(ValueField, Vec<String>)> = Vec::new();
    let mut near = |values: ValueField, text: &str| {
        if !known.iter().any(|(field, _)| *field == values) {
            let is_few = snapshot.values_about(values) <= COMPARED;
            let own = is_few.then(|| snapshot.values(values)).into_iter().flatten();
            known.push((values, own.map(|own| own.shown).collect()));
        }
        let (_, shown) = known.iter().find(|(field, _)| *field == values)?;
        names::near(text, shown.iter().map(String::as_str)).map(str::to_owned)
    };
    let told = missing.map(|(field, text)| {
        let values =
            ValueField::ALL.into_iter().find(|own| FilterField::from(*own).as_str() == field);
        let near = values.and_then(|values| near(values, text));
        let meant = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        format!("no case has the {field} {text:?}{meant}")
    });
    user.into_iter().chain(told).collect()
}

/// The texts of a list, or of one text alone.
fn texts(asked: &Value) -> impl Iterator<Item = &str> {
    let list = asked.as_array().map_or(std::slice::from_ref(asked), Vec::as_slice);
    list.iter().filter_map(Value::as_str)
}

/// The values that a filter lists for fields, wherever it does but in a complement: where it finds
/// nothing, each of its alternatives does. A filter is at most 16 deep.
fn listed<'f>(filter: &'f Value, found: &mut Vec<(&'f str, &'f str)>) {
    for (key, value) in filter.as_object().into_iter().flatten() {
        match (&**key, value) {
            ("and" | "or", Value::Array(parts)) => {
                parts.iter().for_each(|part| listed(part, found));
            }
            ("not", _) => {}
            (field, _) => {
                let texts = value.get("in").into_iter().flat_map(texts);
                found.extend(texts.map(|text| (field, text)));
            }
        }
    }
}

/// What a request sorts by first and no case of the scope has: it puts none before another. Cost: a
/// count.
pub(crate) fn of_order(query: &Query, snapshot: &Snapshot) -> Option<String> {
    let (first, _) = *query.order().keys().first()?;
    let (_, field) = SORTED.into_iter().find(|(own, _)| *own == first)?;
    let with = json!({"filter": {field: {"exists": true}}});
    let is_told = !snapshot.is_empty() && count(snapshot, with, &Context::default()) == 0;
    let what = match first {
        SortField::Priority => {
            "a priority with a score, and by scores priorities are sorted".into()
        }
        _ => format!("what {:?} sorts by", first.as_str()),
    };
    is_told.then(|| format!("no case has {what}"))
}

/// Whether any case has a value, as a filter finds it.
fn has_value(snapshot: &Snapshot, name: &str, value: &str) -> bool {
    let field = names::field(name).unwrap_or(name);
    count(snapshot, json!({"filter": {field: {"in": [value]}}}), &Context::default()) > 0
}

/// How many cases a request finds.
fn count(snapshot: &Snapshot, mut body: Value, context: &Context) -> u64 {
    body["limit"] = Value::from(0);
    let query = Query::from_json(body.to_string().as_bytes(), context);
    query.map_or(0, |query| snapshot.search_ids(&query).total_results)
}

/// What may have been meant by what a body is refused for: the nearest name beside each that
/// nothing reads, and how a user is given.
pub(crate) fn of_refusal(refusal: &Refusal) -> Vec<String> {
    refusal.problems().iter().filter_map(of_problem).collect()
}

fn of_problem(problem: &Problem) -> Option<String> {
    let hint = match problem.code() {
        Code::UnknownField | Code::UnknownOperator | Code::UnknownSortField => {
            let name = named(problem);
            let near = match problem.accepted() {
                Some(Accepted::OneOf(names)) => names::near(&name, names.iter().copied()),
                _ => names::near(&name, Request::FIELDS.into_iter()),
            };
            format!("did you mean {:?}?", near?)
        }
        Code::MissingCurrentUser => "--user ID says who the current user is".to_owned(),
        _ => return None,
    };
    Some(format!("{}: {hint}", problem.path()))
}

/// The name that a problem is about: that of its value, or the last one of its path.
fn named(problem: &Problem) -> String {
    let value = problem.value().filter(|_| problem.code() == Code::UnknownSortField);
    match value.map(|value| value.trim_matches(['"', '-'])) {
        Some(value) => value.split(':').next().unwrap_or_default().trim().to_owned(),
        None => {
            let path = problem.path();
            path.rsplit_once('.').map_or(path, |(_, name)| name).to_owned()
        }
    }
}
