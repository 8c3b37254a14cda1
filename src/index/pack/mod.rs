//! Documents made small: what repeats within a scope is kept once.
//!
//! Documents of one kind have the same keys in the same order, and the same value in most leaves.
//! A kind is kept as a form: one document, and which leaves differ in others. A packed document is
//! its form and those leaves: objects and values that come again are entries of a dictionary, dates
//! and digits are numbers, texts are words. Unpacking gives back every byte.
//!
//! Useful for keeping many documents of few kinds, each fetched by itself in a few microseconds at
//! most. Not for documents that have nothing in common: those stay about as long as they
//! are. A [`Pack`] only grows, and is read without waiting.

mod bytes;
mod form;
mod leaves;
mod out;
mod seen;
mod value;
mod words;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use foldhash::fast::FixedState;
use smallvec::SmallVec;

use super::append_vec::Values;
use super::dictionary::Ordinal;
use super::sized::sized;
use super::texts::Texts;
use bytes::{Reader, put, put_text};
use form::Form;
use leaves::Leaf;
pub(crate) use out::Out;
use seen::Seen;
use words::Words;

/// How many kinds of documents get a form at first sight, and how many at most.
const FIRST_KINDS: usize = sized(64, 4);
const MOST_KINDS: usize = sized(4096, 32);
/// How long a value may be that gets an entry.
const LONGEST: usize = 1024;
/// From which length on a value may be named again by its number in the document.
const NAMED: usize = 6;

/// How a leaf is packed; from `ENTRY` on it is an entry of the dictionary.
mod kind {
    pub(super) const PLAIN: u64 = 0;
    pub(super) const WORDS: u64 = 1;
    pub(super) const PATTERN: u64 = 2;
    pub(super) const DATE: u64 = 3;
    pub(super) const WHOLE: u64 = 4;
    pub(super) const MILLIS: u64 = 5;
    pub(super) const AGAIN: u64 = 6;
    pub(super) const ID: u64 = 7;
    pub(super) const LOWER: u64 = 8;
    pub(super) const ENTRY: u64 = 9;
}

/// What the documents of a scope have in common.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    forms: Values<Form>,
    /// The widest form of each kind, by the skeleton's hash.
    kinds: RwLock<HashMap<u64, u32, FixedState>>,
    /// Values, objects and patterns that came more than once.
    values: Texts,
    words: Words,
    seen: Seen,
}

/// What packing writes into by the way; one serves many documents.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Any text, for whoever needs one.
    pub(super) text: String,
    leaves: Vec<Leaf>,
    pattern: Vec<u8>,
    digits: Vec<u8>,
    packed: Vec<u8>,
}

/// What was met in a document so far.
struct Met<S> {
    before: i64,
    /// Values that may be named again.
    named: SmallVec<[S; 24]>,
}

impl<S> Default for Met<S> {
    fn default() -> Self {
        Self { before: 0, named: SmallVec::new() }
    }
}

/// Whether a value is another one in small ASCII letters.
fn is_lower(value: &[u8], other: &[u8]) -> bool {
    let pairs = || value.iter().zip(other);
    value.len() == other.len() && pairs().all(|(own, other)| *own == other.to_ascii_lowercase())
}

impl Pack {
    /// A document, packed. Cost grows with its length; values that come again are added to what
    /// all share.
    pub(crate) fn pack(&self, document: &str, id: &str, scratch: &mut Scratch) -> Box<[u8]> {
        let mut packed = std::mem::take(&mut scratch.packed);
        packed.clear();
        self.put(document, id, scratch, &mut packed);
        scratch.packed = packed;
        scratch.packed.as_slice().into()
    }

    fn put(&self, document: &str, id: &str, scratch: &mut Scratch, into: &mut Vec<u8>) {
        let document = document.as_bytes();
        scratch.leaves.clear();
        leaves::cut(document, &mut scratch.leaves);
        let leaves = std::mem::take(&mut scratch.leaves);
        match self.form(document, &leaves) {
            None => {
                into.push(0);
                self.words.put(document, &self.seen, into);
            }
            Some(number) => {
                put(into, u64::from(number) + 1);
                let form = self.forms.get(number as usize);
                let mut met = Met::default();
                for unit in form.units() {
                    self.put_unit(form.of(*unit), document, id, &leaves, &mut met, scratch, into);
                }
            }
        }
        scratch.leaves = leaves;
    }

    /// The form that a document has, made or widened where there is none; nothing where its kind is
    /// seen for the first time and there are many kinds.
    fn form(&self, document: &[u8], leaves: &[Leaf]) -> Option<u32> {
        let skeleton = leaves::skeleton(document, leaves);
        let known = {
            let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
            kinds.get(&skeleton).copied()
        };
        if let Some(number) = known
            && self.forms.get(number as usize).fits(document, leaves)
        {
            return Some(number);
        }
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        let form = match kinds.get(&skeleton).map(|number| self.forms.get(*number as usize)) {
            Some(form) => form.widened(document, leaves),
            None => {
                let wanted = kinds.len() < FIRST_KINDS || self.seen.again(skeleton);
                if kinds.len() >= MOST_KINDS || !wanted {
                    return None;
                }
                Form::new(document, leaves, Vec::new())
            }
        };
        // It does not where two skeletons share a hash.
        form.fits(document, leaves).then(|| {
            let number = self.forms.push(form) as u32;
            kinds.insert(skeleton, number);
            number
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one document, taken apart")]
    fn put_unit<'d>(
        &self,
        unit: &[u32],
        document: &'d [u8],
        id: &str,
        leaves: &[Leaf],
        met: &mut Met<&'d [u8]>,
        scratch: &mut Scratch,
        into: &mut Vec<u8>,
    ) {
        let leaf = |number: u32| leaves[number as usize];
        if let [first, .., last] = unit {
            let whole = Leaf { start: leaf(*first).start, end: leaf(*last).end }.of(document);
            if let Some(entry) = self.entry(whole) {
                put(into, u64::from(entry) + 1);
                return;
            }
            into.push(0);
        }
        for number in unit {
            self.put_leaf(leaf(*number).of(document), id, met, scratch, into);
        }
    }

    /// The entry of a value, given now if it comes again.
    fn entry(&self, value: &[u8]) -> Option<Ordinal> {
        // A part of a document between two ASCII characters is a text.
        let value = std::str::from_utf8(value).ok().filter(|value| value.len() <= LONGEST)?;
        let hash = self.values.hash(value);
        self.values
            .find_hashed(value, hash)
            .or_else(|| self.seen.again(hash).then(|| self.values.intern(value).0))
    }

    fn put_leaf<'d>(
        &self,
        leaf: &'d [u8],
        id: &str,
        met: &mut Met<&'d [u8]>,
        scratch: &mut Scratch,
        into: &mut Vec<u8>,
    ) {
        if let [b'"', inner @ .., b'"'] = leaf
            && inner == id.as_bytes()
        {
            return put(into, kind::ID);
        }
        if let Some(number) = value::whole(leaf) {
            match value::millis(number) {
                Some(millis) => {
                    put(into, kind::MILLIS);
                    value::put_after(into, &mut met.before, millis);
                }
                None => {
                    put(into, kind::WHOLE);
                    put(into, number);
                }
            }
            return;
        }
        if let Some(millis) = value::date(leaf) {
            put(into, kind::DATE);
            return value::put_after(into, &mut met.before, millis);
        }
        if leaf.len() >= NAMED
            && let Some(at) = met.named.iter().position(|named| *named == leaf)
        {
            put(into, kind::AGAIN);
            return put(into, at as u64);
        }
        if let Some(entry) = self.entry(leaf) {
            return put(into, kind::ENTRY + u64::from(entry));
        }
        if let Some(at) = met.named.iter().position(|named| is_lower(leaf, named)) {
            put(into, kind::LOWER);
            return put(into, at as u64);
        }
        if leaf.len() >= NAMED {
            met.named.push(leaf);
        }
        let Scratch { pattern, digits, .. } = scratch;
        if !leaf.contains(&b' ')
            && value::pattern(leaf, pattern, digits)
            && let Some(entry) = self.entry(pattern)
        {
            put(into, kind::PATTERN);
            put(into, u64::from(entry));
            return value::put_digits(into, digits);
        }
        let start = into.len();
        put(into, kind::WORDS);
        self.words.put(leaf, &self.seen, into);
        if into.len() - start > leaf.len() + 2 {
            into.truncate(start);
            put(into, kind::PLAIN);
            put_text(into, leaf);
        }
    }

    /// Writes a document that was packed, under the id it was packed with. Cost grows with its
    /// length.
    pub(crate) fn unpack(&self, packed: &[u8], id: &str, out: &mut Out<'_>) {
        let mut packed = Reader::new(packed);
        let form = match packed.number() {
            0 => return self.words.write(&mut packed, out),
            number => self.forms.get(number as usize - 1),
        };
        let mut met = Met::default();
        for unit in form.units() {
            if unit.count > 1 {
                let entry = packed.number();
                if entry > 0 {
                    out.extend(form.before(unit.first));
                    out.extend(self.values.get(entry as Ordinal - 1).as_bytes());
                    continue;
                }
            }
            for varying in unit.first..unit.first + unit.count {
                out.extend(form.before(varying));
                self.write_leaf(&mut packed, id, &mut met, out);
            }
        }
        out.extend(form.tail());
    }

    fn write_leaf(
        &self,
        packed: &mut Reader<'_>,
        id: &str,
        met: &mut Met<(usize, usize)>,
        out: &mut Out<'_>,
    ) {
        let start = out.len();
        match packed.number() {
            kind::ID => {
                out.push(b'"');
                out.extend(id.as_bytes());
                return out.push(b'"');
            }
            kind::WHOLE => return value::write_whole(packed.number(), out),
            kind::MILLIS => {
                let millis = value::read_after(packed, &mut met.before);
                return value::write_whole(millis as u64, out);
            }
            kind::DATE => {
                let millis = value::read_after(packed, &mut met.before);
                return value::write_date(millis, out);
            }
            kind::AGAIN => {
                let named = met.named.get(packed.number() as usize).copied();
                let (from, to) = named.unwrap_or_default();
                return out.repeat(from, to);
            }
            kind::LOWER => {
                let named = met.named.get(packed.number() as usize).copied();
                let (from, to) = named.unwrap_or_default();
                return out.repeat_lower(from, to);
            }
            kind::PLAIN => out.extend(packed.text()),
            kind::WORDS => self.words.write(packed, out),
            kind::PATTERN => {
                let pattern = self.values.get(packed.number() as Ordinal);
                value::write_pattern(pattern.as_bytes(), packed, out);
            }
            entry => {
                let entry = self.values.get((entry - kind::ENTRY) as Ordinal);
                return out.extend(entry.as_bytes());
            }
        }
        if out.len() - start >= NAMED {
            met.named.push((start, out.len()));
        }
    }

    /// How many values all documents share.
    pub(super) fn len(&self) -> usize {
        self.forms.len() + self.values.len() + self.words.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let forms = (0..self.forms.len()).map(|at| self.forms.get(at).bytes()).sum::<usize>();
        let values = self.values.bytes();
        forms + values + self.words.bytes() + self.seen.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::json::Json;

    fn round_trip(pack: &Pack, document: &str, id: &str) -> usize {
        let mut unpacked = Vec::new();
        let packed = pack.pack(document, id, &mut Scratch::default());
        let mut out = Out::after(&mut unpacked);
        pack.unpack(&packed, id, &mut out);
        out.finish();
        assert_eq!(String::from_utf8(unpacked).unwrap(), document);
        packed.len()
    }

    fn document(number: usize) -> (String, String) {
        let id = format!("ci-{:08x}-0f", number * 0x9e37_79b9 % 0xffff_ffff);
        let words = ["refund", "order", "late", "broken"];
        let text = (0..6).map(|at| words[(number * 7 + at * number) % 4]);
        let text = text.collect::<Vec<_>>().join(" ");
        let open = number.is_multiple_of(3);
        let status = if open { "Open" } else { "Closed" };
        let document = format!(
            r#"{{"_id":"{id}","name":"A {text}","lname":"a {text}","desc":"{text}",
                "status":{{"name":"{status}","open":{open},"constant":"with a long text"}},
                "queues":[{{"name":"Q{}"}}],"refId":"CS{number:06}",
                "created":"2024-05-{:02}T10:00:00.{:03}Z","due":{},
                "fields":[{{"meta":{{"type":"always the same"}},"value":{}}}]}}"#,
            number % 9,
            number % 28 + 1,
            number % 1000,
            1_735_540_000_000_usize + number * 977,
            if number.is_multiple_of(5) { "null".to_owned() } else { number.to_string() },
        );
        // The lines are this file's.
        let json = Json::read(document.as_bytes()).unwrap();
        let compact = json.compact(std::iter::empty()).into_owned();
        (compact, id)
    }

    #[test]
    fn documents_of_one_kind_come_back_and_are_small() {
        let pack = Pack::default();
        let mut last = 0;
        for number in 0..5000 {
            let (document, id) = document(number);
            last = round_trip(&pack, &document, &id);
        }
        let plain = document(4999).0.len();
        assert!(last * 7 < plain, "{last} of {plain}");
        assert!(pack.kinds.read().unwrap().len() == 1 && pack.len() < 200);
    }

    #[test]
    fn documents_of_many_kinds_come_back() {
        let pack = Pack::default();
        for round in 0..3 {
            for kind in 0..200 {
                let document = format!(r#"{{"k{kind}":{round},"b":["x y",{kind}],"c":"{kind}"}}"#);
                round_trip(&pack, &document, "none");
            }
        }
    }

    #[test]
    fn any_text_comes_back() {
        let pack = Pack::default();
        for text in ["", "{}", "null", "{\"a\":\"", "}}]", r#"{"a":"\\","b":"\u0041 x"}"#] {
            for _ in 0..3 {
                round_trip(&pack, text, "");
            }
        }
    }
}
