//! A body's filter, as a program makes it.

use getcases::{Comparison, Filter, FilterField, RequestDate};

use super::super::oracle::json::{Json, Node};

/// A node that a body may have; nothing where some part of it cannot be made.
pub(super) fn typed(node: &Node<'_>) -> Option<Filter> {
    let members = node.members().iter().map(|(key, value)| match key.as_str() {
        "and" => Some(Filter::all(nodes(value)?)),
        "or" => Some(Filter::any(nodes(value)?)),
        "not" => Some(!typed(value)?),
        field => asked(field, value),
    });
    joined(members)
}

fn nodes(list: &Node<'_>) -> Option<Vec<Filter>> {
    list.elements().iter().map(typed).collect()
}

/// All of them in one node.
fn joined(filters: impl Iterator<Item = Option<Filter>>) -> Option<Filter> {
    filters.reduce(|all, one| Some(all? & one?))?
}

fn asked(field: &str, value: &Node<'_>) -> Option<Filter> {
    if let Json::Bool(wanted) = value.json {
        return flag(field, wanted);
    }
    joined(value.members().iter().map(|(operator, value)| leaf(field, operator, value)))
}

fn flag(field: &str, wanted: bool) -> Option<Filter> {
    match field {
        "unresolved" => Some(Filter::unresolved(wanted)),
        "unassigned" => Some(Filter::unassigned(wanted)),
        "mycase" => Some(Filter::mycase(wanted)),
        _ => None,
    }
}

fn leaf(field: &str, operator: &str, value: &Node<'_>) -> Option<Filter> {
    match (operator, &value.json) {
        ("eq", Json::Bool(wanted)) => flag(field, *wanted),
        ("exists", Json::Bool(true)) => Some(Filter::exists(named(field)?)),
        ("exists", Json::Bool(false)) => Some(Filter::missing(named(field)?)),
        ("in", Json::Text(text)) => any_of(field, vec![text]),
        ("in", Json::List(list)) => any_of(field, list.iter().filter_map(Node::text).collect()),
        ("contains", Json::Text(needle)) => Some(Filter::text_contains(needle)),
        ("startsWith", Json::Text(prefix)) => match field {
            "name" => Some(Filter::name_starts_with(prefix)),
            "refId" => Some(Filter::ref_id_starts_with(prefix)),
            _ => Some(Filter::id_starts_with(prefix)),
        },
        (_, Json::Number(number)) if field == "priorityScore" => {
            Some(Filter::priority_score([compared(operator, number.parse().ok()?)?]))
        }
        _ => {
            let how = compared(operator, ());
            assert!(how.is_some(), "no program is said to make {operator} of {field}");
            let date = match &value.json {
                Json::Number(number) => RequestDate::from_millis(number.parse().ok()?).ok()?,
                _ => value.text()?.parse().ok()?,
            };
            let date = [compared(operator, date)?];
            match field {
                "created" => Some(Filter::created(date)),
                "updated" => Some(Filter::updated(date)),
                "due" => Some(Filter::due(date)),
                _ => None,
            }
        }
    }
}

fn any_of<T: Into<String>>(field: &str, any: Vec<T>) -> Option<Filter> {
    Some(match field {
        "status" => Filter::status(any),
        "statusCategory" => Filter::status_category(any),
        "priority" => Filter::priority(any),
        "channel" => Filter::channel(any),
        "queue" => Filter::queue(any),
        "assignee" => Filter::assignee(any),
        "refId" => Filter::ref_id(any),
        "_id" => Filter::id(any),
        _ => return None,
    })
}

fn compared<T>(operator: &str, value: T) -> Option<Comparison<T>> {
    Some(match operator {
        "gte" => Comparison::Gte(value),
        "gt" => Comparison::Gt(value),
        "lte" => Comparison::Lte(value),
        "lt" => Comparison::Lt(value),
        "on" => Comparison::On(value),
        _ => return None,
    })
}

fn named(field: &str) -> Option<FilterField> {
    Some(match field {
        "status" => FilterField::Status,
        "statusCategory" => FilterField::StatusCategory,
        "priority" => FilterField::Priority,
        "channel" => FilterField::Channel,
        "queue" => FilterField::Queue,
        "assignee" => FilterField::Assignee,
        "unresolved" => FilterField::Unresolved,
        "unassigned" => FilterField::Unassigned,
        "mycase" => FilterField::Mycase,
        "text" => FilterField::Text,
        "name" => FilterField::Name,
        "created" => FilterField::Created,
        "updated" => FilterField::Updated,
        "due" => FilterField::Due,
        "priorityScore" => FilterField::PriorityScore,
        "refId" => FilterField::RefId,
        "_id" => FilterField::Id,
        _ => return None,
    })
}
