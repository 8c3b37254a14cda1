//! The one strict JSON reader, for requests and documents alike.
//!
//! It checks everything everywhere, also in what nobody reads: grammar, UTF-8, surrogates, depth
//! and repeated keys. What it returns borrows the text, so numbers and escapes keep their spelling.
//! Useful for walking one small text once. Not for building or changing JSON.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::shown::quoted;

/// How deep arrays and objects may nest; the outermost is 1.
pub(crate) const MAX_DEPTH: usize = 128;
/// How long a request body or a document may be, in bytes.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// Objects of up to this many members compare their keys in pairs, larger ones by a hash set.
const PAIRWISE: usize = 12;

/// Why a text is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// The text is longer than `MAX_BYTES`.
    TooLong,
    /// The text is no strict JSON: what was met, at which line and column (in characters, from 1),
    /// and at which byte.
    Syntax { line: usize, column: usize, at: usize, what: &'static str },
    /// Arrays and objects nest deeper than `MAX_DEPTH`: where the first that does begins.
    TooDeep { at: usize },
    /// A key stands twice in one object: the path of the second and where it begins, and whether
    /// the text is an object.
    DuplicateKey { path: String, at: usize, in_object: bool },
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Number,
    Text,
    Array,
    Object,
}

/// One value of the text. The nodes stand in reading order: a container, then all that is in it; in
/// an object each key is a `Text` node before its value. Places are `u32`: a text has at most
/// `MAX_BYTES` bytes, and fewer nodes. Each is between characters: the reader stops at ASCII only.
#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// The node after all that is in this one.
    next: u32,
    kind: Kind,
    /// A text that holds escapes, and so differs from its spelling.
    escaped: bool,
}

/// A text proved to be strict JSON, with its values.
#[derive(Clone, Debug)]
pub(crate) struct Json<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    spaced: bool,
}

impl<'t> Json<'t> {
    /// Reads one JSON value. Cost grows with the length of the text.
    pub(crate) fn read(bytes: &'t [u8]) -> Result<Self, JsonError> {
        if bytes.len() > MAX_BYTES {
            return Err(JsonError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            syntax(valid, valid.len(), "bytes that are no UTF-8")
        })?;
        let nodes = Vec::with_capacity(bytes.len() / 12 + 4);
        let mut reader = Reader { text, bytes, at: 0, depth: 0, nodes, spaced: false, twice: None };
        reader.document()?;
        let Reader { nodes, spaced, twice, .. } = reader;
        let json = Self { text, nodes, spaced };
        match twice {
            Some(offset) => Err(JsonError::DuplicateKey {
                path: json.path_at(offset),
                at: offset as usize,
                in_object: json.root().kind() == Kind::Object,
            }),
            None => Ok(json),
        }
    }

    /// The whole value.
    pub(crate) fn root(&self) -> Value<'_, 't> {
        Value { json: self, at: 0 }
    }

    /// The spelling of each number, in reading order.
    #[cfg(feature = "serde")]
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &'t str> {
        let numbers = self.nodes.iter().filter(|node| node.kind == Kind::Number);
        numbers.map(|node| &self.text[node.start as usize..node.end as usize])
    }

    /// The text less insignificant white space; every other byte as it came. Marks, which are
    /// places where values begin or end, are moved to where these do so then.
    pub(crate) fn compact<'m>(&self, marks: impl Iterator<Item = &'m mut u32>) -> Cow<'t, str> {
        if !self.spaced {
            return Cow::Borrowed(self.text);
        }
        let mut marks: Vec<_> = marks.collect();
        marks.sort_unstable();
        let mut marks = marks.into_iter().peekable();
        let mut compact = String::with_capacity(self.text.len());
        let mut at = 0;
        while at < self.text.len() {
            let (end, next) = self.piece(at);
            while let Some(mark) = marks.next_if(|mark| **mark as usize <= end) {
                let into = (*mark as usize).saturating_sub(at);
                *mark = (compact.len() + into) as u32;
            }
            compact.push_str(&self.text[at..end]);
            at = next;
        }
        marks.for_each(|mark| *mark = compact.len() as u32);
        Cow::Owned(compact)
    }

    /// Where a piece without insignificant white space ends, and where the next one begins.
    fn piece(&self, start: usize) -> (usize, usize) {
        let bytes = self.text.as_bytes();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let mut at = start;
        while let Some(byte) = bytes.get(at).filter(|byte| !is_space(byte)) {
            at = if *byte == b'"' { string_end(bytes, at) } else { at + 1 };
        }
        let spaces = bytes[at..].iter().take_while(|byte| is_space(byte)).count();
        (at, at + spaces)
    }

    /// The path of the key that starts at an offset of the text.
    fn path_at(&self, offset: u32) -> String {
        let mut path = String::from("$");
        let mut value = self.root();
        'down: loop {
            for (key, member) in value.members() {
                if key.node().start == offset {
                    push_key(&mut path, &key.text_or_empty());
                    return path;
                }
                if member.node().start <= offset && offset < member.node().end {
                    push_key(&mut path, &key.text_or_empty());
                    value = member;
                    continue 'down;
                }
            }
            for (index, element) in value.elements().enumerate() {
                if element.node().start <= offset && offset < element.node().end {
                    path.push_str(&format!("[{index}]"));
                    value = element;
                    continue 'down;
                }
            }
            return path;
        }
    }
}

/// Appends `.key`, or `["a key"]` where the key is no ASCII identifier.
pub(crate) fn push_key(path: &mut String, key: &str) {
    let mut chars = key.chars();
    let head = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if head && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        path.push('.');
        path.push_str(key);
    } else {
        path.push('[');
        path.push_str(&quoted(key));
        path.push(']');
    }
}

/// One value inside a text that was read: the number of a node that is there.
#[derive(Clone, Copy)]
pub(crate) struct Value<'j, 't> {
    json: &'j Json<'t>,
    at: u32,
}

impl<'j, 't> Value<'j, 't> {
    fn node(self) -> &'j Node {
        &self.json.nodes[self.at as usize]
    }

    /// What the value is.
    pub(crate) fn kind(self) -> Kind {
        self.node().kind
    }

    /// The spelling of the value, white space inside it and all.
    pub(crate) fn raw(self) -> &'t str {
        &self.json.text[self.node().start as usize..self.node().end as usize]
    }

    /// Where the value stands in the text.
    pub(crate) fn range(self) -> std::ops::Range<u32> {
        self.node().start..self.node().end
    }

    /// The text, its escapes read; nothing if the value is of another kind.
    pub(crate) fn text(self) -> Option<Cow<'t, str>> {
        let node = self.node();
        if node.kind != Kind::Text {
            return None;
        }
        let inner = &self.json.text[node.start as usize + 1..node.end as usize - 1];
        Some(if node.escaped { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    fn text_or_empty(self) -> Cow<'t, str> {
        self.text().unwrap_or_default()
    }

    /// The members of an object in written order, as key and value; none for another kind.
    pub(crate) fn members(self) -> impl Iterator<Item = (Value<'j, 't>, Value<'j, 't>)> {
        let mut children = self.children(Kind::Object);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The elements of an array in order; none for another kind.
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'j, 't>> {
        self.children(Kind::Array)
    }

    /// The member of an object under a key; nothing where there is none. Cost grows with the
    /// members.
    pub(crate) fn get(self, key: &str) -> Option<Value<'j, 't>> {
        self.members().find(|(name, _)| name.is_text(key)).map(|(_, value)| value)
    }

    /// Whether the value is this text.
    pub(crate) fn is_text(self, text: &str) -> bool {
        let node = self.node();
        let length = (node.end - node.start) as usize;
        (node.escaped || length == text.len() + 2) && self.text().is_some_and(|own| own == text)
    }

    /// Whether it is an array or an object with nothing in it.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self.kind(), Kind::Array | Kind::Object) && self.node().next == self.at + 1
    }

    fn children(self, kind: Kind) -> impl Iterator<Item = Value<'j, 't>> {
        let end = if self.kind() == kind { self.node().next } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = Value { json: self.json, at };
                at = child.node().next;
                child
            })
        })
    }
}

/// Where a text ends that begins here, with its closing quote.
pub(crate) fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return (at + 1).min(bytes.len()),
            Some(_) => at += 1,
        }
    }
}

/// Where the first quote, backslash or control character stands, from a place on; the end where
/// there is none. Cost: eight bytes a step.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(eight) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        let word = u64::from_le_bytes(eight);
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        // A borrow marks bytes behind a found one at most: the first mark is right.
        let found = controls | quotes | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    end.map_or(bytes.len().max(at), |length| at + length)
}

/// Reads the escapes of a text that the reader has checked.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (c, length) = escape(after);
        plain.push(c);
        rest = &after[length..];
    }
    plain.push_str(rest);
    plain
}

/// The character that an escape stands for, and the escape's length after its backslash.
fn escape(after: &str) -> (char, usize) {
    match after.as_bytes() {
        [b'u', ..] => {
            let high = hex4(after, 1);
            if !(0xD800..0xDC00).contains(&high) {
                return (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5);
            }
            let code = 0x10000 + ((high - 0xD800) << 10) + hex4(after, 7).wrapping_sub(0xDC00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        [b'b', ..] => ('\u{8}', 1),
        [b'f', ..] => ('\u{c}', 1),
        [b'n', ..] => ('\n', 1),
        [b'r', ..] => ('\r', 1),
        [b't', ..] => ('\t', 1),
        [plain, ..] => (char::from(*plain), 1),
        [] => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn hex4(text: &str, from: usize) -> u32 {
    text.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0)
}

fn syntax(text: &str, at: usize, what: &'static str) -> JsonError {
    let before = &text.as_bytes()[..at];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline + 1);
    // Continuation bytes are no characters of their own.
    let column = before[line_start..].iter().filter(|b| **b & 0xC0 != 0x80).count() + 1;
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    JsonError::Syntax { line, column, at, what }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    nodes: Vec<Node>,
    /// Whether there is insignificant white space.
    spaced: bool,
    /// Where the first repeated key starts.
    twice: Option<u32>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        if self.text.starts_with('\u{feff}') {
            return Err(self.wrong("a byte order mark"));
        }
        self.white_space();
        self.value()?;
        self.white_space();
        if self.at < self.bytes.len() {
            Err(self.wrong("something after the value"))
        } else {
            Ok(())
        }
    }

    fn wrong(&self, what: &'static str) -> JsonError {
        syntax(
            self.text,
            self.at,
            if self.at >= self.bytes.len() { "the end of the text" } else { what },
        )
    }

    fn peek(&self) -> u8 {
        // A NUL stands nowhere in JSON, so it serves as the end of the text.
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
            self.spaced = true;
        }
    }

    fn value(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            b'"' => self.string(),
            b'{' => self.container(Kind::Object),
            b'[' => self.container(Kind::Array),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Kind::True),
            b'f' => self.word("false", Kind::False),
            b'n' => self.word("null", Kind::Null),
            _ => Err(self.wrong("no value")),
        }
    }

    /// Opens a node that ends where `close` is called on it.
    fn open(&mut self, kind: Kind) -> usize {
        let start = self.at as u32;
        self.nodes.push(Node { start, end: 0, next: 0, kind, escaped: false });
        self.nodes.len() - 1
    }

    fn close(&mut self, node: usize) {
        let next = self.nodes.len() as u32;
        self.nodes[node].end = self.at as u32;
        self.nodes[node].next = next;
    }

    fn word(&mut self, word: &'static str, kind: Kind) -> Result<(), JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("no value"));
        }
        let node = self.open(kind);
        self.at += word.len();
        self.close(node);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek().is_ascii_digit() {
            return Err(self.wrong("no digit where a number needs one"));
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let node = self.open(Kind::Number);
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        self.close(node);
        Ok(())
    }

    fn string(&mut self) -> Result<(), JsonError> {
        let node = self.open(Kind::Text);
        self.at += 1;
        loop {
            self.at = plain_end(self.bytes, self.at);
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    self.nodes[node].escaped = true;
                    self.escape()?;
                }
                _ => return Err(self.wrong("a control character in a text")),
            }
        }
        self.at += 1;
        self.close(node);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 1;
                Ok(())
            }
            b'u' => match self.unicode()? {
                0xDC00..0xE000 => Err(syntax(self.text, start, "a lone surrogate")),
                0xD800..0xDC00 => {
                    let low = self.bytes[self.at..].starts_with(b"\\u");
                    self.at += 1;
                    if low && (0xDC00..0xE000).contains(&self.unicode()?) {
                        Ok(())
                    } else {
                        Err(syntax(self.text, start, "a lone surrogate"))
                    }
                }
                _ => Ok(()),
            },
            _ => Err(self.wrong("an unknown escape")),
        }
    }

    /// The code of a `uXXXX`.
    fn unicode(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.peek()).to_digit(16) else {
                return Err(self.wrong("no hexadecimal digit in an escape"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn container(&mut self, kind: Kind) -> Result<(), JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(JsonError::TooDeep { at: self.at });
        }
        let close = if kind == Kind::Object { b'}' } else { b']' };
        let node = self.open(kind);
        self.depth += 1;
        self.at += 1;
        self.white_space();
        if self.peek() != close {
            self.items(kind, close)?;
        }
        self.at += 1;
        self.depth -= 1;
        self.close(node);
        if kind == Kind::Object {
            self.note_repeated_key(node);
        }
        Ok(())
    }

    fn items(&mut self, kind: Kind, close: u8) -> Result<(), JsonError> {
        loop {
            if kind == Kind::Object {
                self.key()?;
            }
            self.value()?;
            self.white_space();
            match self.peek() {
                b',' => self.at += 1,
                byte if byte == close => return Ok(()),
                _ => return Err(self.wrong("neither a comma nor the end of an array or object")),
            }
            self.white_space();
        }
    }

    fn key(&mut self) -> Result<(), JsonError> {
        if self.peek() != b'"' {
            return Err(self.wrong("no key where an object needs one"));
        }
        self.string()?;
        self.white_space();
        if self.peek() != b':' {
            return Err(self.wrong("no colon after a key"));
        }
        self.at += 1;
        self.white_space();
        Ok(())
    }

    /// Remembers the first key of the text that stood before in its object. Inner objects close
    /// before outer ones, so the smallest offset is the first.
    fn note_repeated_key(&mut self, object: usize) {
        let json = Json { text: self.text, nodes: std::mem::take(&mut self.nodes), spaced: false };
        let object = Value { json: &json, at: object as u32 };
        let repeated = if object.members().count() <= PAIRWISE {
            object.members().enumerate().map(|(index, (key, _))| (index, key)).find(
                |(index, key)| {
                    object.members().take(*index).any(|(earlier, _)| same_key(earlier, *key))
                },
            )
        } else {
            let mut seen = HashSet::with_capacity_and_hasher(64, RandomState::default());
            object
                .members()
                .map(|(key, _)| (0, key))
                .find(|(_, key)| !seen.insert(key.text_or_empty()))
        };
        if let Some((_, key)) = repeated {
            let start = key.node().start;
            self.twice = Some(self.twice.map_or(start, |twice| twice.min(start)));
        }
        self.nodes = json.nodes;
    }
}

fn same_key(one: Value<'_, '_>, other: Value<'_, '_>) -> bool {
    if one.node().escaped || other.node().escaped {
        one.text_or_empty() == other.text_or_empty()
    } else {
        one.raw() == other.raw()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> JsonError {
        Json::read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn walks_members_and_elements() {
        let json = Json::read(br#" {"a": [1, "x\u00e9\ud83d\ude00\n"], "b c": {}} "#).unwrap();
        let a = json.root().get("a").unwrap();
        let texts: Vec<_> = a.elements().map(|e| (e.raw(), e.text())).collect();
        assert_eq!(texts[0], ("1", None));
        assert_eq!(texts[1].1.as_deref(), Some("xé😀\n"));
        assert!(json.root().get("b c").unwrap().is_empty());
        let list = a.elements().nth(1).unwrap();
        let mut ends = [a.range(), list.range(), 0..0];
        let marks = ends.iter_mut().flat_map(|range| [&mut range.start, &mut range.end]);
        let compact = json.compact(marks);
        assert_eq!(compact, r#"{"a":[1,"x\u00e9\ud83d\ude00\n"],"b c":{}}"#);
        let moved = ends.map(|range| &compact[range.start as usize..range.end as usize]);
        let text = r#""x\u00e9\ud83d\ude00\n""#;
        assert_eq!(moved, [&*format!("[1,{text}]"), text, ""]);
    }

    #[test]
    fn plain_text_ends_where_a_plain_search_says() {
        let special = [b'"', b'\\', 0, 0x1f];
        for length in 0..40 {
            for byte in special {
                for place in 0..length {
                    let mut bytes = vec![0xe9; length];
                    bytes.iter_mut().step_by(3).for_each(|byte| *byte = b' ');
                    bytes[place] = byte;
                    // Another one behind it says nothing.
                    bytes[length - 1] = byte;
                    assert_eq!(plain_end(&bytes, 0), place);
                    assert_eq!(plain_end(&bytes, place), place);
                }
            }
            assert_eq!(plain_end(&vec![b'#'; length], 0), length);
        }
    }

    #[test]
    fn white_space_inside_texts_stays() {
        let json = Json::read(b"{\"a b\" : \"\\\\\\\" c \" }").unwrap();
        assert_eq!(json.compact(std::iter::empty()), "{\"a b\":\"\\\\\\\" c \"}");
    }

    #[test]
    fn says_where_it_went_wrong() {
        let wrong = error("{\"é\": 1,\n  \"b\": tru}");
        let what = "no value";
        assert_eq!(wrong, JsonError::Syntax { line: 2, column: 8, at: 17, what });
        // Half of a pair is told where its escape begins.
        for text in [r#"{"a":"\ud800"}"#, r#"{"a":"\ud800\u0041"}"#, r#"{"a":"\udc00"}"#] {
            let wrong = Json::read(text.as_bytes()).unwrap_err();
            let what = "a lone surrogate";
            assert_eq!(wrong, JsonError::Syntax { line: 1, column: 7, at: 6, what });
        }
    }

    #[test]
    fn names_the_first_repeated_key() {
        let path = |text: &str| match error(text) {
            JsonError::DuplicateKey { path, .. } => path,
            other => panic!("{other:?}"),
        };
        assert_eq!(path(r#"{"a":1,"\u0061":2}"#), "$.a");
        assert_eq!(path(r#"{"a":[0,{"b c":1,"b c":2}],"a":1}"#), r#"$.a[1]["b c"]"#);
        let many: Vec<_> = (0..40).map(|n| format!("\"k{n}\":0")).collect();
        assert_eq!(path(&format!("{{{},\"k7\":1}}", many.join(","))), "$.k7");
    }

    #[test]
    fn broken_text_wins_over_a_repeated_key() {
        assert!(matches!(error(r#"{"a":1,"a":2"#), JsonError::Syntax { .. }));
    }

    fn texts(folder: &str) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json").join(folder);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
    }

    #[test]
    fn accepts_what_is_json_and_nothing_else() {
        let accepts = |text: &[u8]| Json::read(text).is_ok();
        let (accept, reject, free) = (texts("accept"), texts("reject"), texts("free"));
        assert!(accept.len() + reject.len() + free.len() >= 300);
        let wrong: Vec<_> = (accept.iter().filter(|(_, text)| !accepts(text)))
            .chain(reject.iter().filter(|(_, text)| accepts(text)))
            .map(|(file, _)| file)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        for (_, text) in &free {
            // Either answer will do, so long as there is one.
            let _ = accepts(text);
        }
    }

    #[test]
    fn what_is_compact_means_the_same() {
        for (file, text) in texts("accept") {
            let json = Json::read(&text).unwrap();
            let compact = json.compact(std::iter::empty());
            let again = Json::read(compact.as_bytes()).unwrap();
            assert_eq!(again.compact(std::iter::empty()), compact, "{}", file.display());
            assert!(!again.spaced, "{}", file.display());
            let shape =
                |json: &Json<'_>| json.nodes.iter().map(|node| node.kind).collect::<Vec<_>>();
            assert_eq!(shape(&again), shape(&json), "{}", file.display());
        }
    }
}
