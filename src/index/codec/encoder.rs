//! One document on its way into its encoded form.

use super::bytes::{put, put_text};
use super::dictionaries::{Dictionaries, tag};
use super::leaves::Leaf;
use super::template::Template;
use super::value;
use super::window::{NAMED, Window};

/// A text without its digits, and these; buffers that serve many documents.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    text: Vec<u8>,
    digits: Vec<u8>,
}

/// Appends the leaves of one document that its template does not have.
pub(super) struct Encoder<'d> {
    dictionaries: &'d Dictionaries,
    document: &'d [u8],
    id: &'d [u8],
    /// The date before, in milliseconds.
    date: i64,
    window: Window<&'d [u8]>,
    pattern: &'d mut Pattern,
    into: &'d mut Vec<u8>,
}

/// Whether a value is another one in small ASCII letters.
fn is_lower(value: &[u8], other: &[u8]) -> bool {
    let pairs = || value.iter().zip(other);
    value.len() == other.len() && pairs().all(|(own, other)| *own == other.to_ascii_lowercase())
}

impl<'d> Encoder<'d> {
    pub(super) fn new(
        dictionaries: &'d Dictionaries,
        document: &'d [u8],
        id: &'d str,
        pattern: &'d mut Pattern,
        into: &'d mut Vec<u8>,
    ) -> Self {
        let (id, window) = (id.as_bytes(), Window::default());
        Self { dictionaries, document, id, date: 0, window, pattern, into }
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
            if let Some(entry) = self.dictionaries.entry(whole.of(self.document)) {
                return put(self.into, u64::from(entry) + 1);
            }
            self.into.push(0);
        }
        for number in group {
            self.put_leaf(leaf(*number).of(self.document));
        }
    }

    fn put_leaf(&mut self, leaf: &'d [u8]) {
        if let [b'"', inner @ .., b'"'] = leaf
            && inner == self.id
        {
            return put(self.into, tag::ID);
        }
        if self.put_number(leaf) {
            return;
        }
        let is_named = leaf.len() >= NAMED;
        if is_named && let Some(at) = self.window.position(|named| *named == leaf) {
            put(self.into, tag::AGAIN);
            return put(self.into, at as u64);
        }
        if let Some(entry) = self.dictionaries.entry(leaf) {
            return put(self.into, tag::ENTRY + u64::from(entry));
        }
        if is_named {
            if let Some(at) = self.window.position(|named| is_lower(leaf, named)) {
                put(self.into, tag::LOWER);
                return put(self.into, at as u64);
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
                    put(self.into, tag::MILLIS);
                    value::put_after(self.into, &mut self.date, millis);
                }
                None => {
                    put(self.into, tag::WHOLE);
                    put(self.into, number);
                }
            }
            return true;
        }
        let date = value::date(leaf);
        if let Some(millis) = date {
            put(self.into, tag::DATE);
            value::put_after(self.into, &mut self.date, millis);
        }
        date.is_some()
    }

    /// Appends a leaf of many digits whose other letters are an entry.
    fn put_pattern(&mut self, leaf: &[u8]) -> bool {
        let Pattern { text, digits } = &mut *self.pattern;
        if leaf.contains(&b' ') || !value::pattern(leaf, text, digits) {
            return false;
        }
        let entry = self.dictionaries.entry(text);
        if let Some(entry) = entry {
            put(self.into, tag::PATTERN);
            put(self.into, u64::from(entry));
            value::put_digits(self.into, digits);
        }
        entry.is_some()
    }

    /// Appends a leaf as words, or as it is where that is shorter.
    fn put_text(&mut self, leaf: &[u8]) {
        let start = self.into.len();
        put(self.into, tag::WORDS);
        self.dictionaries.words.put(leaf, &self.dictionaries.seen, self.into);
        if self.into.len() - start > leaf.len() + 2 {
            self.into.truncate(start);
            put(self.into, tag::PLAIN);
            put_text(self.into, leaf);
        }
    }
}
