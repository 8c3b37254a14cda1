//! Random filters: nested trees of every field, about one in eight of which must be refused.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

use super::super::oracle::filter::FIELDS;
use super::body::{needle, values};
use super::{Vocabulary, number, one, raw, varied, written_date, wrong_date, wrong_kind};

/// A tree; now and then one that is about as deep or as large as it may be.
pub(super) fn filter(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    let mut tree = node(u, v, 1)?;
    if u.ratio(1, 60)? {
        for level in 0..u.int_in_range(11..=16)? {
            tree = if level % 5 == 4 { json!({"and": [tree]}) } else { json!({"not": tree}) };
        }
    }
    if u.ratio(1, 200)? {
        let count = *one(u, &[996, 998, 999, 1000])?;
        let mut list = vec![json!({"unresolved": true}); count];
        list.push(tree);
        tree = json!({"or": list});
    }
    if u.ratio(1, 8)? {
        spoil(u, &mut tree)?;
    }
    Ok(tree)
}

fn node(u: &mut Unstructured<'_>, v: &Vocabulary, depth: u32) -> Result<Value> {
    let mut map = Map::new();
    let count = if u.ratio(1, 6)? { 2 } else { 1 };
    for _ in 0..count {
        let (name, value) = match u.int_in_range(0..=7)? {
            0 | 1 if depth < 4 => ("or", nodes(u, v, depth)?),
            2 if depth < 4 => ("and", nodes(u, v, depth)?),
            3 if depth < 4 => ("not", node(u, v, depth + 1)?),
            _ => {
                let field = *one(u, &FIELDS)?;
                (field, leaf(u, v, field)?)
            }
        };
        map.insert(name.to_owned(), value);
    }
    Ok(Value::Object(map))
}

fn nodes(u: &mut Unstructured<'_>, v: &Vocabulary, depth: u32) -> Result<Value> {
    let mut list = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        list.push(node(u, v, depth + 1)?);
    }
    Ok(Value::Array(list))
}

fn leaf(u: &mut Unstructured<'_>, v: &Vocabulary, field: &str) -> Result<Value> {
    if u.ratio(1, 8)? {
        return Ok(json!({"exists": u.arbitrary::<bool>()?}));
    }
    let is_number = |score: &&Value| score.is_number() || *score == &raw("5e-324");
    let numbers: Vec<_> = v.scores.iter().filter(is_number).cloned().collect();
    let any_of = |u: &mut Unstructured<'_>, list: &[String]| Ok(json!({"in": any_of(u, list)?}));
    match field {
        "status" => any_of(u, &v.statuses),
        "statusCategory" => any_of(u, &v.categories),
        "priority" => any_of(u, &v.priorities),
        "channel" => any_of(u, &v.channels),
        "queue" => any_of(u, &v.queues),
        "assignee" => any_of(u, &v.agents),
        "text" => Ok(json!({"contains": needle(u, v)?})),
        "name" => Ok(json!({"startsWith": prefix(u, &v.titles)?})),
        "refId" if u.ratio(1, 2)? => any_of(u, &v.ref_ids),
        "refId" => Ok(json!({"startsWith": prefix(u, &v.ref_ids)?})),
        "_id" if u.ratio(1, 2)? => Ok(json!({"in": ids(u, v)?})),
        "_id" => Ok(json!({"startsWith": prefix(u, &v.ids)?})),
        "priorityScore" => comparisons(u, |u| match u.ratio(1, 8)? {
            true => number(u),
            false => Ok(one(u, &numbers)?.clone()),
        }),
        "created" | "updated" | "due" => comparisons(u, |u| match u.ratio(1, 12)? {
            true => written_date(u),
            false => Ok(one(u, &v.dates)?.clone()),
        }),
        _ if u.ratio(1, 4)? => Ok(json!({"eq": u.arbitrary::<bool>()?})),
        _ => Ok(json!(u.arbitrary::<bool>()?)),
    }
}

fn any_of(u: &mut Unstructured<'_>, list: &[String]) -> Result<Value> {
    if u.ratio(1, 20)? { Ok(json!([])) } else { values(u, list) }
}

/// Exact ones, most of them.
fn ids(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    if u.ratio(1, 8)? {
        return values(u, &v.ids);
    }
    let mut ids = Vec::new();
    for _ in 0..u.int_in_range(1..=6)? {
        ids.push(json!(one(u, &v.ids)?));
    }
    Ok(Value::Array(ids))
}

/// What some text begins with, in some letter case.
fn prefix(u: &mut Unstructured<'_>, list: &[String]) -> Result<String> {
    let text = if u.ratio(1, 3)? { varied(u, list)? } else { one(u, list)?.clone() };
    let length = if u.ratio(1, 8)? { text.len() } else { u.int_in_range(1..=4)? };
    Ok(text.chars().take(length).collect())
}

fn comparisons(
    u: &mut Unstructured<'_>,
    mut value: impl FnMut(&mut Unstructured<'_>) -> Result<Value>,
) -> Result<Value> {
    let mut map = Map::new();
    for _ in 0..u.int_in_range(1..=2)? {
        let operator = *one(u, &["gte", "gt", "lte", "lt", "on"])?;
        map.insert(operator.to_owned(), value(u)?);
    }
    if u.ratio(1, 12)? {
        map.insert("exists".to_owned(), json!(u.arbitrary::<bool>()?));
    }
    Ok(Value::Object(map))
}

/// Makes something in a tree wrong: goes down some way, and puts what must be refused there.
fn spoil(u: &mut Unstructured<'_>, tree: &mut Value) -> Result<()> {
    let mut at = tree;
    while u.ratio(3, 4)? {
        // Only what has children is gone into; what has none is replaced.
        let count = match at {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if count == 0 {
            break;
        }
        let child = u.int_in_range(0..=count - 1)?;
        let inner = match at {
            Value::Object(map) => map.values_mut().nth(child),
            Value::Array(list) => list.get_mut(child),
            _ => None,
        };
        match inner {
            Some(inner) => at = inner,
            None => return Ok(()),
        }
    }
    match at {
        Value::Object(map) if u.ratio(1, 2)? => {
            let names =
                ["in", "like", "And", "searchText", "queues", "exists", "a b", "on", "", "eq"];
            map.insert((*one(u, &names)?).to_owned(), wrong_kind(u)?);
        }
        _ => {
            *at = match u.int_in_range(0..=8)? {
                0 => json!({}),
                1 => json!([]),
                2 => json!(null),
                3 => json!(*one(u, &["", " ", "x"])?),
                4 => json!("é".repeat(1025)),
                5 => wrong_date(u)?,
                6 => number(u)?,
                7 => Value::Array(vec![json!({}); *one(u, &[1, 99, 101, 1001])?]),
                _ => wrong_kind(u)?,
            };
        }
    }
    Ok(())
}
