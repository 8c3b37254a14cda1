//! A filter as a body has it.

use super::operator::{CONTAINS, EQ, EXISTS, IN, STARTS_WITH};
use super::{Comparison, Filter, Leaf, Member};
use crate::contract::field::FilterField;
use crate::contract::to_json::texts;
use crate::value::shown::quoted;

/// A node while it is written: each key once, in the order they are met.
#[derive(Default)]
struct Node {
    parts: Vec<Part>,
    /// What has a key that is there already: nodes of their own.
    others: Vec<String>,
}

enum Part {
    Field(FilterField, Vec<(&'static str, String)>),
    And(Vec<String>),
    Or(String),
    Not(String),
}

impl Filter {
    /// The filter of a body that holds for the same cases.
    pub(in crate::contract) fn to_json(&self) -> String {
        let mut node = Node::default();
        let nodes = |own: &[Self]| own.iter().map(Self::to_json).collect::<Vec<_>>();
        for member in &self.members {
            let part = match member {
                Member::And(own) => Part::And(nodes(own)),
                Member::Or(own) => Part::Or(format!("[{}]", nodes(own).join(","))),
                Member::Not(own) => Part::Not(own.to_json()),
                Member::Leaf(leaf) => {
                    node.add_field(leaf.field(), leaf.operators());
                    continue;
                }
            };
            node.add(part);
        }
        node.written()
    }
}

impl Node {
    fn add(&mut self, part: Part) {
        let is_there = self.parts.iter().any(|own| own.key() == part.key());
        // An empty list is refused, whatever else there is.
        let is_empty = matches!(&part, Part::And(list) if list.is_empty());
        match is_there || is_empty {
            true => self.others.push(format!("{{{}}}", part.written())),
            false => self.parts.push(part),
        }
    }

    fn add_field(&mut self, field: FilterField, operators: Vec<(&'static str, String)>) {
        let is_it = |part: &Part| matches!(part, Part::Field(own, _) if *own == field);
        let Some(at) = self.parts.iter().position(is_it).filter(|_| !operators.is_empty()) else {
            let mut distinct: Vec<(&'static str, String)> = Vec::new();
            for (name, value) in operators {
                match distinct.iter().any(|(known, _)| *known == name) {
                    true => self.others.push(alone(field, name, &value)),
                    false => distinct.push((name, value)),
                }
            }
            return self.add(Part::Field(field, distinct));
        };
        for (name, value) in operators {
            match self.parts.get_mut(at) {
                Some(Part::Field(_, own)) if own.iter().all(|(known, _)| *known != name) => {
                    own.push((name, value));
                }
                _ => self.others.push(alone(field, name, &value)),
            }
        }
    }

    fn written(mut self) -> String {
        let others = std::mem::take(&mut self.others);
        let and = self.parts.iter_mut().find_map(|part| match part {
            Part::And(list) => Some(list),
            _ => None,
        });
        match and {
            Some(list) => list.extend(others),
            None if others.is_empty() => {}
            None => self.parts.push(Part::And(others)),
        }
        let parts: Vec<_> = self.parts.iter().map(Part::written).collect();
        format!("{{{}}}", parts.join(","))
    }
}

impl Part {
    fn key(&self) -> &'static str {
        match self {
            Self::Field(field, _) => field.as_str(),
            Self::And(_) => "and",
            Self::Or(_) => "or",
            Self::Not(_) => "not",
        }
    }

    fn written(&self) -> String {
        let value = match self {
            Self::Field(_, operators) => {
                let operators = operators.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", operators.collect::<Vec<_>>().join(","))
            }
            Self::And(nodes) => format!("[{}]", nodes.join(",")),
            Self::Or(own) | Self::Not(own) => own.clone(),
        };
        format!("\"{}\":{value}", self.key())
    }
}

/// A node of one operator.
fn alone(field: FilterField, operator: &str, value: &str) -> String {
    format!("{{\"{}\":{{\"{operator}\":{value}}}}}", field.as_str())
}

impl Leaf {
    /// Its operators and their values as JSON texts; none where nothing is compared.
    fn operators(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Flag(_, wanted) => vec![(EQ, wanted.to_string())],
            Self::Exists(_, wanted) => vec![(EXISTS, wanted.to_string())],
            Self::In(_, values) => vec![(IN, texts(values))],
            Self::Contains(needle) => vec![(CONTAINS, quoted(needle))],
            Self::StartsWith(_, prefix) => vec![(STARTS_WITH, quoted(prefix))],
            Self::Dates(_, all) => {
                all.iter().map(|own| (own.name(), quoted(&own.value().to_string()))).collect()
            }
            Self::Scores(all) => all.iter().map(|own| (own.name(), number(own))).collect(),
        }
    }
}

/// What no JSON number is refused as one that overflows.
fn number(own: &Comparison<f64>) -> String {
    match own.value() {
        finite if finite.is_finite() => format!("{finite:?}"),
        _ => "1e999".to_owned(),
    }
}
