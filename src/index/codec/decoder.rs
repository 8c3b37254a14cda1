//! One document on its way back.

use super::bytes::ByteReader;
use super::dictionaries::Dictionaries;
use super::format::Tag;
use super::template::Template;
use super::value;
use super::window::{REFERABLE, Window};
use crate::index::collections::Ordinal;

/// Writes one document: what its template has, and the leaves that an `Encoder` appended.
pub(super) struct Decoder<'o> {
    dictionaries: &'o Dictionaries,
    encoded: ByteReader<'o>,
    texts: ByteReader<'o>,
    id: &'o [u8],
    /// The date before, in milliseconds.
    date: i64,
    /// Where values stand in `out`.
    window: Window<(usize, usize)>,
    out: &'o mut Vec<u8>,
}

impl<'o> Decoder<'o> {
    pub(super) fn new(
        dictionaries: &'o Dictionaries,
        encoded: ByteReader<'o>,
        texts: &'o [u8],
        id: &'o str,
        out: &'o mut Vec<u8>,
    ) -> Self {
        let (texts, id, window) = (ByteReader::new(texts), id.as_bytes(), Window::default());
        Self { dictionaries, encoded, texts, id, date: 0, window, out }
    }

    pub(super) fn write(&mut self, template: &Template) {
        for group in template.groups() {
            if group.count > 1 {
                let entry = self.encoded.number();
                if entry > 0 {
                    self.out.extend_from_slice(template.before(group.first));
                    self.write_entry((entry - 1) as Ordinal);
                    continue;
                }
            }
            for varying in group.first..group.first + group.count {
                self.out.extend_from_slice(template.before(varying));
                self.write_leaf();
            }
        }
        self.out.extend_from_slice(template.tail());
    }

    fn write_entry(&mut self, entry: Ordinal) {
        let entry = self.dictionaries.values.get(entry);
        self.out.extend_from_slice(entry.as_bytes());
    }

    fn write_leaf(&mut self) {
        let start = self.out.len();
        match Tag::read(&mut self.encoded) {
            Tag::Id => {
                self.out.push(b'"');
                self.out.extend_from_slice(self.id);
                return self.out.push(b'"');
            }
            Tag::Whole => return value::write_whole(self.encoded.number(), self.out),
            Tag::Millis => {
                let millis = value::read_after(&mut self.encoded, &mut self.date);
                return value::write_whole(millis as u64, self.out);
            }
            Tag::Date => {
                let millis = value::read_after(&mut self.encoded, &mut self.date);
                return value::write_date(millis, self.out);
            }
            Tag::Repeat => return self.repeat(),
            Tag::Lowercase => {
                self.repeat();
                return self.out[start..].make_ascii_lowercase();
            }
            Tag::Text => {
                let length = self.encoded.length();
                self.out.extend_from_slice(self.texts.bytes(length));
            }
            Tag::Pattern => {
                let pattern = self.dictionaries.values.get(self.encoded.number() as Ordinal);
                value::write_pattern(pattern.as_bytes(), &mut self.encoded, self.out);
            }
            Tag::Entry(entry) => return self.write_entry(entry),
        }
        if self.out.len() - start >= REFERABLE {
            self.window.push((start, self.out.len()));
        }
    }

    /// Writes a value of the window again.
    fn repeat(&mut self) {
        let (from, to) = self.window.get(self.encoded.length()).unwrap_or_default();
        self.out.extend_from_within(from..to);
    }
}
