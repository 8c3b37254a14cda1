//! Where JSON values end, judged by their brackets and quotes only: what is no JSON is left to the
//! strict reader.

use std::io::{self, Read};
use std::ops::Range;

use crate::window::Window;

/// How the scan of a value ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Behind the value.
    Whole,
    /// Where no value goes on: at the end of the text, or at what no value begins with.
    Torn,
    /// In a value that is longer than what is kept.
    Full,
}

/// A scan over one text: the whole input, or one line of it.
pub(crate) struct Scan<'w, R> {
    pub(crate) window: &'w mut Window<R>,
    /// Whether the text ends at a newline.
    pub(crate) by_line: bool,
    /// Whether a value that is too long to be kept is forgotten, and gone past.
    pub(crate) forgets: bool,
}

impl<R: Read> Scan<'_, R> {
    /// What comes next; nothing at the end of the text, or where the window is full.
    fn rest(&mut self) -> io::Result<&[u8]> {
        if self.forgets && self.window.rest()?.is_empty() && self.window.is_full() {
            self.window.forget();
        }
        self.window.rest()
    }

    /// The next byte of the text.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        let by_line = self.by_line;
        Ok(self.rest()?.first().copied().filter(|byte| !(by_line && *byte == b'\n')))
    }

    /// Goes past white space of the text; says what comes next.
    pub(crate) fn skip_space(&mut self) -> io::Result<Option<u8>> {
        let by_line = self.by_line;
        let is_passed = |byte: &&u8| is_space(**byte) && !(by_line && **byte == b'\n');
        loop {
            let rest = self.rest()?;
            let (spaces, length) = (rest.iter().take_while(is_passed).count(), rest.len());
            self.window.pass(spaces);
            if spaces < length || length == 0 {
                return self.peek();
            }
        }
    }

    /// Goes past one byte, if it comes next.
    pub(crate) fn pass_if(&mut self, byte: u8) -> io::Result<bool> {
        let is_next = self.peek()? == Some(byte);
        self.window.pass(usize::from(is_next));
        Ok(is_next)
    }

    /// Goes to the end of the text.
    pub(crate) fn pass_all(&mut self) -> io::Result<()> {
        loop {
            let by_line = self.by_line;
            let rest = self.rest()?;
            let newline = if by_line { memchr::memchr(b'\n', rest) } else { None };
            let length = rest.len();
            self.window.pass(newline.unwrap_or(length));
            if newline.is_some() || length == 0 {
                return Ok(());
            }
        }
    }

    /// Goes past the newline that ends the text; says whether there was one.
    pub(crate) fn pass_line(&mut self) -> io::Result<bool> {
        let is_more = self.rest()?.first() == Some(&b'\n');
        self.window.pass(usize::from(is_more));
        Ok(is_more)
    }

    /// The key that comes next, where one does with a value; goes past it to the value.
    pub(crate) fn key(&mut self) -> io::Result<Option<String>> {
        let start = self.window.passed();
        if self.peek()? != Some(b'"') || self.text()? != Ended::Whole {
            return Ok(None);
        }
        // A key that is no JSON, or too long to be kept, is nobody's.
        let key = serde_json::from_slice(self.window.since(start)).unwrap_or_default();
        self.skip_space()?;
        let has_value = self.pass_if(b':')?;
        self.skip_space()?;
        Ok(has_value.then_some(key))
    }

    /// Goes past the value that begins here.
    pub(crate) fn value(&mut self) -> io::Result<Ended> {
        match self.peek()? {
            Some(b'"' | b'{' | b'[') => self.nested(),
            Some(b',' | b':' | b']' | b'}') => Ok(Ended::Torn),
            Some(_) => self.word(),
            None => Ok(self.stopped()),
        }
    }

    /// Why nothing comes next.
    fn stopped(&self) -> Ended {
        if self.window.is_full() { Ended::Full } else { Ended::Torn }
    }

    /// Goes past a number, `true`, or whatever stands there, to what ends it.
    fn word(&mut self) -> io::Result<Ended> {
        let ends = |byte: &u8| is_space(*byte) || matches!(byte, b',' | b']' | b'}');
        loop {
            let rest = self.rest()?;
            let (end, length) = (rest.iter().position(ends), rest.len());
            self.window.pass(end.unwrap_or(length));
            if end.is_some() {
                return Ok(Ended::Whole);
            }
            if length == 0 {
                return Ok(if self.window.is_full() { Ended::Full } else { Ended::Whole });
            }
        }
    }

    /// Goes past a text, an array or an object.
    fn nested(&mut self) -> io::Result<Ended> {
        let (mut depth, by_line) = (0usize, self.by_line);
        let counts = |byte: &u8| {
            matches!(byte, b'"' | b'{' | b'[' | b'}' | b']') || by_line && *byte == b'\n'
        };
        loop {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Ok(self.stopped());
            }
            let Some(at) = rest.iter().position(counts) else {
                let length = rest.len();
                self.window.pass(length);
                continue;
            };
            let byte = rest[at];
            self.window.pass(at);
            match byte {
                b'"' => match self.text()? {
                    Ended::Whole => {}
                    torn => return Ok(torn),
                },
                b'\n' => return Ok(Ended::Torn),
                b'{' | b'[' => {
                    depth += 1;
                    self.window.pass(1);
                }
                _ => {
                    depth -= 1;
                    self.window.pass(1);
                }
            }
            if depth == 0 {
                return Ok(Ended::Whole);
            }
        }
    }

    /// Goes past the text whose quote comes next.
    pub(crate) fn text(&mut self) -> io::Result<Ended> {
        self.window.pass(1);
        let mut is_escaped = false;
        loop {
            let by_line = self.by_line;
            let rest = self.rest()?;
            if rest.is_empty() {
                return Ok(self.stopped());
            }
            if std::mem::take(&mut is_escaped) && !(by_line && rest[0] == b'\n') {
                self.window.pass(1);
                continue;
            }
            let found = match by_line {
                true => memchr::memchr3(b'"', b'\\', b'\n', rest),
                false => memchr::memchr2(b'"', b'\\', rest),
            };
            let (byte, length) = (found.map(|at| rest[at]), found.unwrap_or(rest.len()));
            self.window.pass(length);
            match byte {
                Some(b'"') => {
                    self.window.pass(1);
                    return Ok(Ended::Whole);
                }
                Some(b'\n') => return Ok(Ended::Torn),
                Some(_) => {
                    self.window.pass(1);
                    is_escaped = true;
                }
                None => {}
            }
        }
    }
}

/// Where the value of a top-level key stands in the text of an object, as far as brackets tell.
pub(crate) fn member(text: &[u8], key: &str) -> Option<Range<usize>> {
    members(text, |own, value, ended| (own == key && ended == Ended::Whole).then_some(value))
}

/// Goes through the members of an object, as far as brackets tell, until one gives something: of
/// each its key, where its value stands, and how that ends; one that is torn is the last.
pub(crate) fn members<T>(
    text: &[u8],
    mut each: impl FnMut(&str, Range<usize>, Ended) -> Option<T>,
) -> Option<T> {
    let mut window = Window::new(text);
    let mut scan = Scan { window: &mut window, by_line: false, forgets: false };
    if !scan.pass_if(b'{').ok()? {
        return None;
    }
    loop {
        scan.skip_space().ok()?;
        let key = scan.key().ok()??;
        let start = scan.window.passed();
        let ended = scan.value().ok()?;
        if let Some(found) = each(&key, start..scan.window.passed(), ended) {
            return Some(found);
        }
        scan.skip_space().ok()?;
        if ended != Ended::Whole || !scan.pass_if(b',').ok()? {
            return None;
        }
    }
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
