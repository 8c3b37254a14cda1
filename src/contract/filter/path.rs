//! Where a part of a filter stands in a body.

use crate::value::json::push_key;

/// A path, as steps from the part up to the filter: only what is wrong has it written out.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// `$.filter`.
    pub(super) const ROOT: Self = Self { above: None, step: Step::Key("filter") };

    pub(super) fn key(&'p self, key: &'p str) -> Self {
        Self { above: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'p self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }

    /// Cost: its steps.
    pub(super) fn written(&self) -> String {
        let mut path = self.above.map_or_else(|| String::from("$"), Path::written);
        match self.step {
            Step::Key(key) => push_key(&mut path, key),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_keys_and_indices() {
        let list = Path::ROOT.key("and");
        let node = list.index(2);
        assert_eq!(node.key("a b").written(), "$.filter.and[2][\"a b\"]");
        assert_eq!(Path::ROOT.written(), "$.filter");
    }
}
