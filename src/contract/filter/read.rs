//! Filters as bodies have them.

use super::operator::Operator;
use super::path::Path;
use super::wrong::{
    NODES, an_operator, invalid_number, keys, nothing, operators, too_deep, too_many_nodes,
    unknown_field, unknown_operator, wrong_text,
};
use super::{Filter, Leaf, MAX_DEPTH, MAX_NODES, Member};
use crate::contract::field::FilterField;
use crate::contract::values;
use crate::refusal::{Accepted, Problem, Problems};
use crate::value::json::{Kind, Value};

impl Filter {
    /// Reads a filter that is not absent. What is wrong is among the problems; the rest is read all
    /// the same, each node in its place. Cost grows with its length.
    pub(in crate::contract) fn read(value: Value<'_, '_>, problems: &mut Problems) -> Option<Self> {
        if nodes(value, 1) > MAX_NODES {
            problems.add(too_many_nodes);
            return None;
        }
        Some(Reader { problems }.node(value, &Path::ROOT, 1))
    }
}

/// How many nodes there are, what is refused as a whole as one each.
fn nodes(value: Value<'_, '_>, depth: usize) -> usize {
    if depth > MAX_DEPTH || value.kind() != Kind::Object || value.is_empty() {
        return 1;
    }
    let of = |(key, inner): (Value<'_, '_>, Value<'_, '_>)| match key
        .text()
        .unwrap_or_default()
        .as_ref()
    {
        "and" | "or" => 1 + inner.elements().map(|inner| nodes(inner, depth + 1)).sum::<usize>(),
        "not" => 1 + nodes(inner, depth + 1),
        key if FilterField::named(key).is_some() => inner.members().count().max(1),
        _ => 1,
    };
    value.members().map(of).sum()
}

struct Reader<'p> {
    problems: &'p mut Problems,
}

impl Reader<'_> {
    /// A node; one that must be refused has no members.
    fn node(&mut self, value: Value<'_, '_>, path: &Path<'_>, depth: usize) -> Filter {
        let mut members = Vec::new();
        if value.kind() == Kind::Object && depth > MAX_DEPTH {
            self.problems.add(|| too_deep(path));
        } else if self.has_members(value, path, "an object", keys) {
            for (key, value) in value.members() {
                let key = key.text().unwrap_or_default();
                self.member(&key, value, path, depth, &mut members);
            }
        }
        Filter::of(members)
    }

    /// Refuses what is no object, and what has nothing in it.
    fn has_members(
        &mut self,
        value: Value<'_, '_>,
        path: &Path<'_>,
        wanted: &'static str,
        accepted: impl FnOnce() -> Accepted,
    ) -> bool {
        if value.kind() != Kind::Object {
            self.problems.add(|| Problem::wrong_type(path.written(), value, wanted));
        } else if value.is_empty() {
            self.problems.add(|| nothing(path, value.raw(), accepted()));
        }
        value.kind() == Kind::Object && !value.is_empty()
    }

    /// One key of a node; `path` is the node's.
    fn member(
        &mut self,
        key: &str,
        value: Value<'_, '_>,
        path: &Path<'_>,
        depth: usize,
        members: &mut Vec<Member>,
    ) {
        let path = path.key(key);
        match key {
            "and" => members.push(Member::And(self.nodes(value, &path, depth + 1))),
            "or" => members.push(Member::Or(self.nodes(value, &path, depth + 1))),
            "not" => members.push(Member::Not(Box::new(self.node(value, &path, depth + 1)))),
            _ => match FilterField::named(key) {
                Some(field) => self.field(field, value, &path, members),
                None => self.problems.add(|| unknown_field(&path, value.raw())),
            },
        }
    }

    fn nodes(&mut self, value: Value<'_, '_>, path: &Path<'_>, depth: usize) -> Vec<Filter> {
        if value.kind() != Kind::Array {
            self.problems.add(|| Problem::wrong_type(path.written(), value, NODES));
        } else if value.is_empty() {
            self.problems.add(|| nothing(path, value.raw(), NODES));
        }
        let each = value.elements().enumerate();
        each.map(|(index, value)| self.node(value, &path.index(index), depth)).collect()
    }

    /// A field and what it is asked.
    fn field(
        &mut self,
        field: FilterField,
        value: Value<'_, '_>,
        path: &Path<'_>,
        members: &mut Vec<Member>,
    ) {
        let wanted = match (field.flag(), boolean(value)) {
            (Some(flag), Some(wanted)) => {
                members.push(Member::Leaf(Leaf::Flag(flag, wanted)));
                return;
            }
            (Some(_), None) => "true, false, or an object of operators",
            (None, _) => an_operator(field),
        };
        if !self.has_members(value, path, wanted, || operators(field)) {
            return;
        }
        for (name, value) in value.members() {
            let name = name.text().unwrap_or_default();
            let path = path.key(&name);
            match Operator::of(field, &name) {
                Some(operator) => {
                    let leaf = self.leaf(operator, field, value, &path);
                    leaf.into_iter().for_each(|leaf| put(leaf, members));
                }
                None => self.problems.add(|| unknown_operator(&path, value.raw(), field)),
            }
        }
    }

    /// One operator of a field; nothing where its value is wrong.
    fn leaf(
        &mut self,
        operator: Operator,
        field: FilterField,
        value: Value<'_, '_>,
        path: &Path<'_>,
    ) -> Option<Leaf> {
        let written = || path.written();
        Some(match operator {
            Operator::Exists => Leaf::Exists(field, self.boolean(value, path)?),
            Operator::Eq(flag) => Leaf::Flag(flag, self.boolean(value, path)?),
            Operator::In(field) => Leaf::In(field, values::texts(value, written, self.problems)),
            Operator::Contains => Leaf::Contains(self.text(value, path, str::trim)?),
            Operator::StartsWith(field) => {
                Leaf::StartsWith(field, self.text(value, path, |text| text)?)
            }
            Operator::Date(field, how) => {
                let date = values::date(value, written, self.problems)?;
                Leaf::Dates(field, vec![how.map(|()| date)])
            }
            Operator::Score(how) => {
                let score = self.number(value, path)?;
                Leaf::Scores(vec![how.map(|()| score)])
            }
        })
    }

    fn boolean(&mut self, value: Value<'_, '_>, path: &Path<'_>) -> Option<bool> {
        let own = boolean(value);
        if own.is_none() {
            self.problems.add(|| Problem::wrong_type(path.written(), value, "true or false"));
        }
        own
    }

    /// A text to search for, less what is trimmed of it.
    fn text(
        &mut self,
        value: Value<'_, '_>,
        path: &Path<'_>,
        trimmed: fn(&str) -> &str,
    ) -> Option<String> {
        let Some(text) = value.text() else {
            self.problems.add(|| Problem::wrong_type(path.written(), value, "a text"));
            return None;
        };
        let text = trimmed(&text);
        if let Some(wrong) = wrong_text(text, path, || value.raw().to_owned()) {
            self.problems.add(|| wrong);
        }
        Some(text.to_owned())
    }

    fn number(&mut self, value: Value<'_, '_>, path: &Path<'_>) -> Option<f64> {
        if value.kind() != Kind::Number {
            self.problems.add(|| Problem::wrong_type(path.written(), value, "a number"));
            return None;
        }
        // Every number of JSON parses; one that overflows is infinite.
        let number = value.raw().parse().ok().filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.problems.add(|| invalid_number(path, value.raw()));
        }
        number
    }
}

fn boolean(value: Value<'_, '_>) -> Option<bool> {
    match value.kind() {
        Kind::True => Some(true),
        Kind::False => Some(false),
        _ => None,
    }
}

/// Appends a leaf; comparisons of one field that come one after the other are one leaf.
fn put(leaf: Leaf, members: &mut Vec<Member>) {
    match (leaf, members.last_mut()) {
        (Leaf::Dates(field, more), Some(Member::Leaf(Leaf::Dates(own, all)))) if *own == field => {
            all.extend(more);
        }
        (Leaf::Scores(more), Some(Member::Leaf(Leaf::Scores(all)))) => all.extend(more),
        (leaf, _) => members.push(Member::Leaf(leaf)),
    }
}
