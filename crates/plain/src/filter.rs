//! Filters: trees of clauses, as far as measuring needs them.

use serde_json::{Map, Value};

use crate::request::{Unsupported, key, span, status_key, trimmed_text};

/// A node of a filter.
#[derive(Clone, Debug)]
pub enum Filter {
    /// Each of these.
    And(Vec<Self>),
    /// Any of these.
    Or(Vec<Self>),
    /// The complement.
    Not(Box<Self>),
    /// One of some keys of a field.
    Keys(Keyed, Vec<String>),
    /// Neither resolved nor closed.
    Unresolved,
    /// Nobody's.
    Unassigned,
    /// What the name or the title holds, folded.
    Text(String),
    /// Created within two milliseconds, both included.
    Created(i64, i64),
    /// Due within two milliseconds, both included.
    Due(i64, i64),
}

/// A field with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// Of the status.
    Status,
    /// Of the priority.
    Priority,
    /// Of the channel.
    Channel,
    /// Of any queue.
    Queue,
    /// Of the assignee.
    Assignee,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Where it has a form that is not measured.
    pub(crate) fn read(node: &Value) -> Result<Self, Unsupported> {
        let unknown = || Unsupported::new(format!("the filter {node}"));
        let members = node.as_object().ok_or_else(unknown)?;
        let mut parts = Vec::new();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("and", Value::Array(nodes)) => parts.push(Self::And(Self::all(nodes)?)),
                ("or", Value::Array(nodes)) => parts.push(Self::Or(Self::all(nodes)?)),
                ("not", inner) => parts.push(Self::Not(Box::new(Self::read(inner)?))),
                ("unresolved", Value::Bool(true)) => parts.push(Self::Unresolved),
                ("unassigned", Value::Bool(true)) => parts.push(Self::Unassigned),
                (field, Value::Object(operators)) => {
                    parts.push(Self::of_field(field, operators).ok_or_else(unknown)??);
                }
                _ => return Err(unknown()),
            }
        }
        Ok(match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                Self::And(parts)
            }
        })
    }

    fn all(nodes: &[Value]) -> Result<Vec<Self>, Unsupported> {
        nodes.iter().map(Self::read).collect()
    }

    fn of_field(field: &str, operators: &Map<String, Value>) -> Option<Result<Self, Unsupported>> {
        let keyed = match field {
            "status" => Keyed::Status,
            "priority" => Keyed::Priority,
            "channel" => Keyed::Channel,
            "queue" => Keyed::Queue,
            "assignee" => Keyed::Assignee,
            "text" => {
                return operators
                    .get("contains")?
                    .as_str()
                    .map(|text| Ok(Self::Text(trimmed_text(text))));
            }
            "created" | "due" => return Some(Self::of_dates(field, operators)),
            _ => return None,
        };
        let of = if keyed == Keyed::Status { status_key } else { key };
        let values = match operators.get("in")? {
            Value::String(only) => vec![of(only)],
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(of).collect(),
            _ => return None,
        };
        Some(Ok(Self::Keys(keyed, values)))
    }

    fn of_dates(field: &str, operators: &Map<String, Value>) -> Result<Self, Unsupported> {
        let (mut first, mut last) = (i64::MIN + 1, i64::MAX);
        for (operator, date) in operators {
            let (start, end) = span(date.as_str().unwrap_or_default())?;
            match operator.as_str() {
                "gte" => first = first.max(start),
                "gt" => first = first.max(end.saturating_add(1)),
                "lte" => last = last.min(end),
                "lt" => last = last.min(start.saturating_sub(1)),
                "on" => (first, last) = (first.max(start), last.min(end)),
                _ => return Err(Unsupported::new(format!("the operator {operator}"))),
            }
        }
        Ok(if field == "created" { Self::Created(first, last) } else { Self::Due(first, last) })
    }
}
