//! A filter that a program made, judged as one that is read from a body is.

use std::collections::HashSet;

use super::operator::{CONTAINS, IN, STARTS_WITH};
use super::path::Path;
use super::wrong::{
    NODES, invalid_number, nothing, operators, too_deep, too_many_nodes, wrong_text,
};
use super::{Filter, Leaf, MAX_DEPTH, MAX_NODES, Member};
use crate::contract::field::{FilterField, Flag};
use crate::contract::limits::{MAX_VALUES, too_many_values};
use crate::refusal::{Problem, Problems};
use crate::value::shown::quoted;

impl Filter {
    /// Judges all but who asks. Cost: the nodes, and the texts.
    pub(in crate::contract) fn check(&self, problems: &mut Problems) {
        if self.nodes(1) > MAX_NODES {
            problems.add(too_many_nodes);
        }
        self.judge(problems, |path, member| match member {
            None => vec![too_deep(path)],
            Some(Member::And(list)) if list.is_empty() => {
                vec![nothing(&path.key("and"), "[]", NODES)]
            }
            Some(Member::Or(list)) if list.is_empty() => {
                vec![nothing(&path.key("or"), "[]", NODES)]
            }
            Some(Member::Leaf(leaf)) => leaf.check(path),
            Some(_) => Vec::new(),
        });
    }

    /// Refuses each `mycase`: nobody knows who asks.
    pub(in crate::contract) fn refuse_mine(&self, problems: &mut Problems) {
        self.judge(problems, |path, member| match member {
            Some(Member::Leaf(Leaf::Flag(Flag::Mycase, _))) => {
                let path = path.key(FilterField::Mycase.as_str());
                vec![Problem::missing_current_user(path.written())]
            }
            _ => Vec::new(),
        });
    }

    /// Adds what is wrong with each member, each code and path once (`&` can ask one field twice in
    /// one place); of a filter with too many nodes nothing is judged.
    fn judge(
        &self,
        problems: &mut Problems,
        wrong: impl Fn(&Path<'_>, Option<&Member>) -> Vec<Problem>,
    ) {
        if self.nodes(1) > MAX_NODES {
            return;
        }
        let mut told = HashSet::new();
        self.walk(&Path::ROOT, 1, &mut |path, member| {
            for problem in wrong(path, member) {
                if told.insert((problem.code(), problem.path().to_owned())) {
                    problems.add(|| problem);
                }
            }
        });
    }

    /// Goes through the members with their nodes' paths, in the order of a body; a node that is too
    /// deep is met in place of its members.
    fn walk(
        &self,
        path: &Path<'_>,
        depth: usize,
        each: &mut dyn FnMut(&Path<'_>, Option<&Member>),
    ) {
        if depth > MAX_DEPTH {
            each(path, None);
            return;
        }
        for member in &self.members {
            each(path, Some(member));
            let (key, list) = match member {
                Member::And(list) => ("and", &list[..]),
                Member::Or(list) => ("or", &list[..]),
                Member::Not(own) => {
                    own.walk(&path.key("not"), depth + 1, each);
                    continue;
                }
                Member::Leaf(_) => continue,
            };
            let path = path.key(key);
            for (at, own) in list.iter().enumerate() {
                own.walk(&path.index(at), depth + 1, each);
            }
        }
    }
}

impl Filter {
    /// How many nodes there are, each that is too deep or asks nothing as one.
    fn nodes(&self, depth: usize) -> usize {
        if depth > MAX_DEPTH {
            return 1;
        }
        let list = |list: &[Self]| list.iter().map(|own| own.nodes(depth + 1)).sum::<usize>();
        let of = |member: &Member| match member {
            Member::And(own) | Member::Or(own) => 1 + list(own),
            Member::Not(own) => 1 + own.nodes(depth + 1),
            Member::Leaf(Leaf::Dates(_, all)) => all.len().max(1),
            Member::Leaf(Leaf::Scores(all)) => all.len().max(1),
            Member::Leaf(_) => 1,
        };
        self.members.iter().map(of).sum()
    }
}

impl Leaf {
    /// What is wrong with it; `path` is that of its node.
    fn check(&self, path: &Path<'_>) -> Vec<Problem> {
        let field = self.field();
        let path = path.key(field.as_str());
        let is_empty = match self {
            Self::Dates(_, all) => all.is_empty(),
            Self::Scores(all) => all.is_empty(),
            _ => false,
        };
        if is_empty {
            return vec![nothing(&path, "{}", operators(field))];
        }
        match self {
            Self::Flag(..) | Self::Exists(..) | Self::Dates(..) => Vec::new(),
            Self::In(_, values) => {
                let is_too_long = values.len() > MAX_VALUES;
                let path = path.key(IN);
                is_too_long.then(|| too_many_values(&path.written())).into_iter().collect()
            }
            Self::Contains(needle) => {
                let wrong = wrong_text(needle.trim(), &path.key(CONTAINS), || quoted(needle));
                wrong.into_iter().collect()
            }
            Self::StartsWith(_, prefix) => {
                let wrong = wrong_text(prefix, &path.key(STARTS_WITH), || quoted(prefix));
                wrong.into_iter().collect()
            }
            Self::Scores(all) => {
                let wrong = all.iter().filter(|own| !own.value().is_finite());
                let value = |number: &f64| quoted(&number.to_string());
                let wrong =
                    wrong.map(|own| invalid_number(&path.key(own.name()), &value(own.value())));
                wrong.collect()
            }
        }
    }
}
