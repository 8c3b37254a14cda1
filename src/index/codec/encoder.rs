//! One document on its way into its encoded form.

use super::bytes::put;
use super::dictionaries::Dictionaries;
use super::format::Tag;
use super::leaves::Leaf;
use super::template::Template;
use super::value;
use super::window::{REFERABLE, Window};

/// Buffers that serve many documents.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// A text without its digits, and these.
    pattern: Vec<u8>,
    digits: Vec<u8>,
    /// Encoded leaves of a document, and its texts.
    pub(super) leaves: Vec<u8>,
    pub(super) texts: Vec<u8>,
}

/// Appends the leaves of one document that its template does not have.
pub(super) struct Encoder<'d, 'b> {
    dictionaries: &'d Dictionaries,
    document: &'d [u8],
    id: &'d [u8],
    /// The date before, in milliseconds.
    date: i64,
    window: Window<&'d [u8]>,
    buffers: &'b mut Buffers,
}

/// Whether a value is another one in small ASCII letters.
fn is_lower(value: &[u8], other: &[u8]) -> bool {
    let pairs = || value.iter().zip(other);
    value.len() == other.len() && pairs().all(|(own, other)| *own == other.to_ascii_lowercase())
}

impl<'d, 'b> Encoder<'d, 'b> {
    pub(super) fn new(
        dictionaries: &'d Dictionaries,
        document: &'d [u8],
        id: &'d str,
        buffers: &'b mut Buffers,
    ) -> Self {
        buffers.leaves.clear();
        buffers.texts.clear();
        let (id, window) = (id.as_bytes(), Window::default());
        Self { dictionaries, document, id, date: 0, window, buffers }
    }

    pub(super) fn put_document(&mut self, template: &Template, leaves: &[Leaf]) {
        for group in template.groups() {
            self.put_group(template.of(*group), leaves);
        }
    }

    fn put_group(&mut self, group: &[u32], leaves: &[Leaf]) {
        let leaf = |number: u32| leaves[number as usize];
        if let [first, .., last] = group {
            let whole = Leaf { start: leaf(*first).start, end: leaf(*last).end };
            let is_new = || !self.repeats(group.iter().map(|own| leaf(*own)));
            if let Some(entry) = self.dictionaries.entry_if(whole.of(self.document), is_new) {
                return put(&mut self.buffers.leaves, u64::from(entry) + 1);
            }
            self.buffers.leaves.push(0);
        }
        for number in group {
            self.put_leaf(leaf(*number).of(self.document));
        }
    }

    /// Whether leaves repeat values of this document: they need no entry of their own.
    fn repeats(&self, leaves: impl Iterator<Item = Leaf>) -> bool {
        let leaves = leaves.map(|leaf| leaf.of(self.document));
        let mut referable = leaves.filter(|own| own.len() >= REFERABLE);
        let mut repeats = |leaf: &[u8]| self.window.position(|own| *own == leaf).is_some();
        referable.next().is_some_and(&mut repeats) && referable.all(repeats)
    }

    fn put_leaf(&mut self, leaf: &'d [u8]) {
        if let [b'"', inner @ .., b'"'] = leaf
            && inner == self.id
        {
            return Tag::Id.put(&mut self.buffers.leaves);
        }
        if self.put_number(leaf) {
            return;
        }
        let is_referable = leaf.len() >= REFERABLE;
        if is_referable && let Some(at) = self.window.position(|own| *own == leaf) {
            Tag::Repeat.put(&mut self.buffers.leaves);
            return put(&mut self.buffers.leaves, at as u64);
        }
        if let Some(entry) = self.dictionaries.entry(leaf) {
            return Tag::Entry(entry).put(&mut self.buffers.leaves);
        }
        if is_referable {
            if let Some(at) = self.window.position(|own| is_lower(leaf, own)) {
                Tag::Lowercase.put(&mut self.buffers.leaves);
                return put(&mut self.buffers.leaves, at as u64);
            }
            self.window.push(leaf);
        }
        if !self.put_pattern(leaf) {
            self.put_text(leaf);
        }
    }

    /// Appends a date or a number, where the leaf is one.
    fn put_number(&mut self, leaf: &[u8]) -> bool {
        if let Some(number) = value::whole(leaf) {
            match value::millis(number) {
                Some(millis) => {
                    Tag::Millis.put(&mut self.buffers.leaves);
                    value::put_after(&mut self.buffers.leaves, &mut self.date, millis);
                }
                None => {
                    Tag::Whole.put(&mut self.buffers.leaves);
                    put(&mut self.buffers.leaves, number);
                }
            }
            return true;
        }
        let date = value::date(leaf);
        if let Some(millis) = date {
            Tag::Date.put(&mut self.buffers.leaves);
            value::put_after(&mut self.buffers.leaves, &mut self.date, millis);
        }
        date.is_some()
    }

    /// Appends a leaf of many digits whose other letters are an entry.
    fn put_pattern(&mut self, leaf: &[u8]) -> bool {
        let Buffers { pattern, digits, leaves, .. } = &mut *self.buffers;
        if leaf.contains(&b' ') || !value::pattern(leaf, pattern, digits) {
            return false;
        }
        let entry = self.dictionaries.entry(pattern);
        if let Some(entry) = entry {
            Tag::Pattern.put(leaves);
            put(leaves, u64::from(entry));
            value::put_digits(leaves, digits);
        }
        entry.is_some()
    }

    /// Appends a leaf to the texts, and how long it is.
    fn put_text(&mut self, leaf: &[u8]) {
        let Buffers { leaves, texts, .. } = &mut *self.buffers;
        Tag::Text.put(leaves);
        put(leaves, leaf.len() as u64);
        texts.extend_from_slice(leaf);
    }
}
