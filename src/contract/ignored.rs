//! What a request names and nothing reads, told in a bounded list.

use crate::value::shown::cut;

/// How many names are listed; what comes after them is counted.
const LISTED: usize = 100;

/// Names that nothing reads, in the order they are met: the first ones, and how many more.
///
/// Useful for telling what was ignored. Not for asking whether a name was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ignored {
    names: Vec<String>,
    more: usize,
}

impl Ignored {
    pub(crate) fn push(&mut self, name: &str) {
        if self.names.len() < LISTED {
            self.names.push(cut(name).into_owned());
        } else {
            self.more += 1;
        }
    }

    /// A selected column that no case has.
    pub(crate) fn push_column(&mut self, name: &str) {
        self.push(&format!("selectedColumns.{name}"));
    }

    /// The names; where there are more than are listed, the last one says how many.
    pub(crate) fn into_names(self) -> Vec<String> {
        let mut names = self.names;
        if self.more > 0 {
            names.push(format!("… and {} more", self.more));
        }
        names
    }
}
