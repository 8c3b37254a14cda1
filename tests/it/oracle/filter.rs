//! The oracle's filter: a tree judged and evaluated by the letter of docs/contract.md, *Filter*.

use super::asked::{About, Asked};
use super::date::span;
use super::json::{Json, Node};
use super::{Document, Problem, at_key, folded, key_of, status_key_of};

const KEY: &str = "filter";
pub const FIELDS: [&str; 17] = [
    "status",
    "statusCategory",
    "priority",
    "channel",
    "queue",
    "assignee",
    "unresolved",
    "unassigned",
    "mycase",
    "text",
    "name",
    "created",
    "updated",
    "due",
    "priorityScore",
    "refId",
    "_id",
];

/// What a document is asked for.
pub(super) enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Test(Box<dyn Fn(&Document) -> bool>),
}

impl Tree {
    pub(super) fn holds(&self, document: &Document) -> bool {
        match self {
            Self::And(list) => list.iter().all(|tree| tree.holds(document)),
            Self::Or(list) => list.iter().any(|tree| tree.holds(document)),
            Self::Not(tree) => !tree.holds(document),
            Self::Test(test) => test(document),
        }
    }

    /// What a refused part is read as: nobody asks it.
    fn refused() -> Self {
        Self::Or(Vec::new())
    }

    fn test(test: impl Fn(&Document) -> bool + 'static) -> Self {
        Self::Test(Box::new(test))
    }
}

/// Reads a filter that is not absent.
pub(super) fn read(asked: &mut Asked<'_>, value: &Node<'_>) -> Tree {
    if count(value, 1) > 1000 {
        asked.refuse(KEY, Problem::bare("too_many_values", "$.filter"));
        return Tree::refused();
    }
    node(asked, value, "$.filter", 1)
}

/// How many nodes a tree has, as the contract counts them.
fn count(value: &Node<'_>, depth: usize) -> usize {
    if depth > 16 || value.members().is_empty() {
        return 1;
    }
    let one = |(name, inner): &(String, Node<'_>)| match name.as_str() {
        "and" | "or" => {
            1 + inner.elements().iter().map(|inner| count(inner, depth + 1)).sum::<usize>()
        }
        "not" => 1 + count(inner, depth + 1),
        name if FIELDS.contains(&name) && matches!(inner.json, Json::Object(_)) => {
            inner.members().len().max(1)
        }
        _ => 1,
    };
    value.members().iter().map(one).sum()
}

/// Refuses what is no object, or an empty one; says whether it may go on.
fn is_filled_object(asked: &mut Asked<'_>, value: &Node<'_>, path: &str) -> bool {
    if !matches!(value.json, Json::Object(_)) {
        asked.wrong_type(KEY, path, value);
        return false;
    }
    if value.is_empty() {
        asked.refuse(KEY, Problem::echoing("invalid_filter", path, value.raw));
    }
    !value.is_empty()
}

fn node(asked: &mut Asked<'_>, value: &Node<'_>, path: &str, depth: usize) -> Tree {
    if depth > 16 && matches!(value.json, Json::Object(_)) {
        asked.refuse(KEY, Problem::bare("too_deep_filter", path));
        return Tree::refused();
    }
    if !is_filled_object(asked, value, path) {
        return Tree::refused();
    }
    let mut all = Vec::new();
    for (name, inner) in value.members() {
        let path = at_key(path, name);
        all.push(match name.as_str() {
            "and" => Tree::And(nodes(asked, inner, &path, depth + 1)),
            "or" => Tree::Or(nodes(asked, inner, &path, depth + 1)),
            "not" => Tree::Not(Box::new(node(asked, inner, &path, depth + 1))),
            name if FIELDS.contains(&name) => leaf(asked, name, inner, &path),
            _ => {
                asked.refuse(KEY, Problem::echoing("unknown_field", &path, inner.raw));
                Tree::refused()
            }
        });
    }
    Tree::And(all)
}

fn nodes(asked: &mut Asked<'_>, value: &Node<'_>, path: &str, depth: usize) -> Vec<Tree> {
    let Json::List(list) = &value.json else {
        asked.wrong_type(KEY, path, value);
        return Vec::new();
    };
    if list.is_empty() {
        asked.refuse(KEY, Problem::echoing("invalid_filter", path, value.raw));
    }
    let each = list.iter().enumerate();
    each.map(|(index, value)| node(asked, value, &format!("{path}[{index}]"), depth)).collect()
}

fn leaf(asked: &mut Asked<'_>, field: &str, value: &Node<'_>, path: &str) -> Tree {
    let is_flag = ["unresolved", "unassigned", "mycase"].contains(&field);
    if let (true, Json::Bool(wanted)) = (is_flag, &value.json) {
        return flag(asked, field, *wanted, path);
    }
    if !is_filled_object(asked, value, path) {
        return Tree::refused();
    }
    let operators: &[&str] = match field {
        _ if is_flag => &["eq", "exists"],
        "text" => &["contains", "exists"],
        "name" => &["startsWith", "exists"],
        "refId" | "_id" => &["in", "startsWith", "exists"],
        "created" | "updated" | "due" | "priorityScore" => {
            &["gte", "gt", "lte", "lt", "on", "exists"]
        }
        _ => &["in", "exists"],
    };
    let mut all = Vec::new();
    for (operator, value) in value.members() {
        let inner = at_key(path, operator);
        all.push(match operator.as_str() {
            name if !operators.contains(&name) => {
                asked.refuse(KEY, Problem::echoing("unknown_operator", &inner, value.raw));
                Tree::refused()
            }
            "exists" | "eq" => match value.json {
                Json::Bool(wanted) if operator == "eq" => flag(asked, field, wanted, path),
                Json::Bool(wanted) => {
                    let field = field.to_string();
                    Tree::test(move |document| has_value(document, &field) == wanted)
                }
                _ => {
                    asked.wrong_type(KEY, &inner, value);
                    Tree::refused()
                }
            },
            "in" => any_of(asked, field, value, &inner),
            "contains" | "startsWith" => text(asked, (field, operator), value, &inner),
            _ if field == "priorityScore" => number(asked, operator, value, &inner),
            _ => date(asked, field, operator, value, &inner),
        });
    }
    Tree::And(all)
}

fn has_value(d: &Document, field: &str) -> bool {
    match field {
        "status" => !d.statuses.is_empty() || d.category.is_some(),
        "statusCategory" => d.category.is_some(),
        "priority" => !d.priorities.is_empty(),
        "channel" => !d.channels.is_empty(),
        "queue" => !d.queues.is_empty(),
        "assignee" => !d.agents.is_empty(),
        "text" => d.name.is_some() || d.title.is_some(),
        "name" => d.name.is_some(),
        "created" => d.created.is_some(),
        "updated" => d.updated.is_some(),
        "due" => d.due.is_some(),
        "priorityScore" => d.score.is_some(),
        "refId" => d.ref_id.is_some(),
        _ => true,
    }
}

/// `path` is the field's.
fn flag(asked: &mut Asked<'_>, field: &str, wanted: bool, path: &str) -> Tree {
    match field {
        "unresolved" => Tree::test(move |document| document.resolved != wanted),
        "unassigned" => Tree::test(move |document| document.unassigned == wanted),
        _ => {
            let Some(user) = asked.user() else {
                let problem = Problem::bare("missing_current_user", path);
                asked.wrong.push((About::Several, problem));
                return Tree::refused();
            };
            Tree::test(move |document| document.holders.contains(&user) == wanted)
        }
    }
}

fn any_of(asked: &mut Asked<'_>, field: &str, value: &Node<'_>, path: &str) -> Tree {
    let mut wanted = Vec::new();
    match &value.json {
        Json::Text(text) => wanted.push(text.clone()),
        Json::List(list) if list.len() > 1000 => {
            asked.refuse(KEY, Problem::bare("too_many_values", path));
        }
        Json::List(list) => {
            for (index, value) in list.iter().enumerate() {
                match value.text() {
                    Some(text) => wanted.push(text.to_string()),
                    None => asked.wrong_type(KEY, &format!("{path}[{index}]"), value),
                }
            }
        }
        _ => asked.wrong_type(KEY, path, value),
    }
    for text in &mut wanted {
        *text = match field {
            "_id" => text.clone(),
            "status" | "statusCategory" => status_key_of(text),
            _ => key_of(text),
        };
    }
    wanted.retain(|key| !key.is_empty());
    let field = field.to_string();
    Tree::test(move |d| {
        let own = match field.as_str() {
            "status" => d.statuses.clone(),
            "statusCategory" => d.category.iter().cloned().collect(),
            "priority" => d.priorities.clone(),
            "channel" => d.channels.clone(),
            "queue" => d.queues.clone(),
            "assignee" => d.agents.clone(),
            "refId" => d.ref_id.iter().map(|own| own.trim().to_string()).collect(),
            _ => vec![d.id.clone()],
        };
        own.iter().any(|key| wanted.contains(key))
    })
}

fn text(
    asked: &mut Asked<'_>,
    (field, operator): (&str, &str),
    value: &Node<'_>,
    path: &str,
) -> Tree {
    let Some(text) = value.text() else {
        asked.wrong_type(KEY, path, value);
        return Tree::refused();
    };
    let text = if operator == "contains" { text.trim() } else { text };
    if text.is_empty() {
        asked.refuse(KEY, Problem::echoing("invalid_filter", path, value.raw));
    } else if text.chars().count() > 1024 {
        asked.refuse(KEY, Problem::echoing("text_too_long", path, value.raw));
    }
    let (exact, text) = (text.to_string(), folded(text));
    let begins =
        |own: &Option<String>, text: &str| own.as_ref().is_some_and(|t| t.starts_with(text));
    match (field, operator) {
        ("text", "contains") => Tree::test(move |d| {
            [&d.name, &d.title].into_iter().flatten().any(|own| own.contains(&text))
        }),
        ("name", "startsWith") => Tree::test(move |d| begins(&d.name, &text)),
        ("refId", "startsWith") => Tree::test(move |d| begins(&d.ref_id, &text)),
        ("_id", "startsWith") => Tree::test(move |d| d.id.starts_with(&exact)),
        _ => panic!("what {operator} of {field} means is not said here"),
    }
}

fn number(asked: &mut Asked<'_>, operator: &str, value: &Node<'_>, path: &str) -> Tree {
    let Json::Number(raw) = value.json else {
        asked.wrong_type(KEY, path, value);
        return Tree::refused();
    };
    let wanted: f64 = raw.parse().unwrap();
    if wanted.is_infinite() {
        asked.refuse(KEY, Problem::echoing("invalid_number", path, raw));
    }
    let operator = operator.to_string();
    Tree::test(move |d| {
        d.score.is_some_and(|score| match operator.as_str() {
            "gte" => score >= wanted,
            "gt" => score > wanted,
            "lte" => score <= wanted,
            "lt" => score < wanted,
            _ => score == wanted,
        })
    })
}

fn date(asked: &mut Asked<'_>, field: &str, operator: &str, value: &Node<'_>, path: &str) -> Tree {
    let Some((first, last)) = span(value, asked.context.offset) else {
        match value.json {
            Json::Text(_) | Json::Number(_) => {
                asked.refuse(KEY, Problem::echoing("invalid_date", path, value.raw));
            }
            _ => asked.wrong_type(KEY, path, value),
        }
        return Tree::refused();
    };
    let (field, operator) = (field.to_string(), operator.to_string());
    Tree::test(move |d| {
        let at = match field.as_str() {
            "created" => d.created,
            "updated" => d.updated,
            _ => d.due,
        };
        at.is_some_and(|at| match operator.as_str() {
            "gte" => at >= first,
            "gt" => at > last,
            "lte" => at <= last,
            "lt" => at < first,
            _ => first <= at && at <= last,
        })
    })
}
