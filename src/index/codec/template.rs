//! What documents of one shape share: a reference document, and which of its leaves differ in
//! others.

use std::sync::Arc;

use super::leaves::Leaf;
use crate::index::collections::sized;

/// Up to how many leaves a template is widened by no more than those that differ.
const SINGLY: usize = sized(256, 8);

/// Leaves that are encoded together: those of one object, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct LeafGroup {
    /// Among the template's leaves that vary.
    pub(super) first: u32,
    pub(super) count: u32,
}

/// Documents are the reference with other values in some leaves.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) reference: Arc<Reference>,
    /// Which leaves vary, in order.
    pub(super) varying: Box<[u32]>,
    pub(super) groups: Box<[LeafGroup]>,
}

/// One document, which templates of its shape share.
#[derive(Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Reference {
    #[cfg_attr(feature = "checkpoint", serde(with = "crate::index::collections::bytes"))]
    pub(super) text: Box<[u8]>,
    pub(super) leaves: Box<[Leaf]>,
}

impl Template {
    /// A template of one document: no leaf varies.
    pub(super) fn new(document: &[u8], leaves: &[Leaf]) -> Self {
        let reference = Arc::new(Reference { text: document.into(), leaves: leaves.into() });
        Self { reference, varying: Box::default(), groups: Box::default() }
    }

    /// A template of these documents and one more, whose leaves are as many. Where many leaves
    /// vary, more of them vary from now on than need be: a shape gets few templates, however its
    /// documents differ.
    pub(super) fn widened(&self, document: &[u8], leaves: &[Leaf]) -> Self {
        let reference = &*self.reference;
        let mut varies = vec![false; reference.leaves.len()];
        self.varying.iter().for_each(|at| varies[*at as usize] = true);
        let mut first = None;
        for (at, (own, other)) in reference.leaves.iter().zip(leaves).enumerate() {
            if !varies[at] && own.of(&reference.text) != other.of(document) {
                varies[at] = true;
                first.get_or_insert(at);
            }
        }
        if self.varying.len() >= SINGLY {
            let same = varies.iter_mut().skip(first.unwrap_or(0)).filter(|varies| !**varies);
            same.take(self.varying.len() / 4).for_each(|varies| *varies = true);
        }
        let varying: Vec<u32> =
            (0..).zip(&varies).filter(|(_, varies)| **varies).map(|(at, _)| at).collect();
        let groups = groups(reference, &varying);
        Self { reference: Arc::clone(&self.reference), varying: varying.into(), groups }
    }

    /// Whether a document is the reference with other values in leaves that vary.
    pub(super) fn fits(&self, document: &[u8], leaves: &[Leaf]) -> bool {
        let reference = &*self.reference;
        if leaves.len() != reference.leaves.len() {
            return false;
        }
        let mut from = (0, 0);
        for varying in &self.varying {
            let (own, other) = (reference.leaves[*varying as usize], leaves[*varying as usize]);
            if reference.text[from.0..own.start as usize] != document[from.1..other.start as usize]
            {
                return false;
            }
            from = (own.end as usize, other.end as usize);
        }
        reference.text[from.0..] == document[from.1..]
    }

    pub(super) fn groups(&self) -> &[LeafGroup] {
        &self.groups
    }

    /// Which leaves of a document a group has, by number.
    pub(super) fn of(&self, group: LeafGroup) -> &[u32] {
        &self.varying[group.first as usize..(group.first + group.count) as usize]
    }

    /// What stands before a leaf that varies: since the one before it, or the beginning.
    pub(super) fn before(&self, varying: u32) -> &[u8] {
        let from = varying.checked_sub(1).map_or(0, |before| self.leaf(before).end);
        &self.reference.text[from as usize..self.leaf(varying).start as usize]
    }

    /// What stands after the last leaf that varies.
    pub(super) fn tail(&self) -> &[u8] {
        let leaves = &self.reference.leaves;
        let from = self.varying.last().map_or(0, |last| leaves[*last as usize].end);
        &self.reference.text[from as usize..]
    }

    fn leaf(&self, varying: u32) -> Leaf {
        self.reference.leaves[self.varying[varying as usize] as usize]
    }

    /// Bytes of the template; of the reference too where it is the only one to have it.
    pub(super) fn bytes(&self) -> usize {
        let Reference { text, leaves } = &*self.reference;
        let reference = size_of::<Reference>() + text.len() + size_of_val(&**leaves);
        let is_shared = Arc::strong_count(&self.reference) > 1;
        let own = size_of::<Self>() + size_of_val(&*self.varying) + size_of_val(&*self.groups);
        own + if is_shared { 0 } else { reference }
    }
}

/// The leaves that vary, those of one object together.
fn groups(reference: &Reference, varying: &[u32]) -> Box<[LeafGroup]> {
    let objects = objects(&reference.text, &reference.leaves);
    let mut groups: Vec<LeafGroup> = Vec::new();
    let mut last = None;
    for (at, leaf) in (0..).zip(varying) {
        let object = objects[*leaf as usize];
        match groups.last_mut() {
            Some(group) if object.is_some() && object == last => group.count += 1,
            _ => groups.push(LeafGroup { first: at, count: 1 }),
        }
        last = object;
    }
    groups.into()
}

/// For each leaf the object that holds it, where that holds nothing but leaves and is not the
/// whole document: objects often repeat as a whole.
fn objects(reference: &[u8], leaves: &[Leaf]) -> Vec<Option<u32>> {
    let is_brace = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']');
    let between = |at: usize| {
        let from = at.checked_sub(1).map_or(0, |before| leaves[before].end as usize);
        &reference[from..leaves.get(at).map_or(reference.len(), |leaf| leaf.start as usize)]
    };
    let mut objects = vec![None; leaves.len()];
    let mut start = 0;
    for end in 1..=leaves.len() {
        let last = between(end);
        if end < leaves.len() && !last.iter().any(is_brace) {
            continue;
        }
        let opens = between(start).iter().rfind(|byte| is_brace(byte)) == Some(&b'{');
        let closes = last.iter().find(|byte| is_brace(byte)) == Some(&b'}');
        if opens && closes && (start, end) != (0, leaves.len()) {
            objects[start..end].fill(Some(start as u32));
        }
        start = end;
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::super::leaves::cut;
    use super::*;

    fn leaves(document: &str) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        cut(document.as_bytes(), &mut leaves);
        leaves
    }

    fn of(document: &str) -> Template {
        Template::new(document.as_bytes(), &leaves(document))
    }

    fn widened(template: &Template, document: &str) -> Template {
        template.widened(document.as_bytes(), &leaves(document))
    }

    fn fits(template: &Template, document: &str) -> bool {
        template.fits(document.as_bytes(), &leaves(document))
    }

    #[test]
    fn a_template_learns_which_leaves_vary() {
        let texts = [
            r#"{"a":1,"b":{"c":2,"d":3,"e":4},"f":5}"#,
            r#"{"a":1,"b":{"c":7,"d":3,"e":8},"f":5}"#,
            r#"{"a":9,"b":{"c":2,"d":3,"e":4},"f":5}"#,
            r#"{"a":9,"b":{"c":2,"d":3,"e":4},"g":5}"#,
        ];
        let template = of(texts[0]);
        assert_eq!(texts.map(|text| fits(&template, text)), [true, false, false, false]);
        let template = widened(&template, texts[1]);
        assert_eq!(texts.map(|text| fits(&template, text)), [true, true, false, false]);
        assert_eq!(template.groups(), [LeafGroup { first: 0, count: 2 }]);
        let (before, tail) = (&br#","d":3,"e":"#[..], &br#"},"f":5}"#[..]);
        assert_eq!((template.before(1), template.tail()), (before, tail));
        let template = widened(&template, texts[2]);
        assert_eq!(texts.map(|text| fits(&template, text)), [true, true, true, false]);
        let groups = [LeafGroup { first: 0, count: 1 }, LeafGroup { first: 1, count: 2 }];
        assert_eq!((template.groups(), template.of(groups[1])), (&groups[..], &[1, 3][..]));
    }

    #[test]
    fn a_flat_document_is_no_group() {
        let template = widened(&of(r#"{"a":1,"b":2}"#), r#"{"a":3,"b":4}"#);
        assert_eq!(template.groups().len(), 2);
    }

    #[test]
    fn leaves_that_vary_one_after_the_other_make_few_templates() {
        let document = |varies: usize| {
            let leaves = (0..3000).map(|at| format!("\"k{at}\":{}", u8::from(at == varies)));
            format!("{{{}}}", leaves.collect::<Vec<_>>().join(","))
        };
        let mut templates = vec![of(&document(usize::MAX))];
        for varies in 0..3000 {
            let (document, last) = (document(varies), &templates[templates.len() - 1]);
            if !fits(last, &document) {
                templates.push(widened(last, &document));
                assert!(fits(&templates[templates.len() - 1], &document));
            }
        }
        let bytes: usize = templates.iter().map(Template::bytes).sum();
        let (count, text) = (templates.len(), document(0).len());
        assert!(count < SINGLY + 50 && bytes < 20 * text, "{count} of {bytes} bytes");
    }
}
