//! An input of JSON cut into the texts of single cases: lines, or values one after the other.
//!
//! What cannot be cut is a record all the same, for the strict reader to refuse where it stands.

use std::io::{self, Read};
use std::sync::Arc;

use crate::block::Block;
use crate::path::Step;
use crate::scan::{Ended, Scan, is_space};
use crate::shape::Shape;
use crate::window::{LONGEST, Place, Window};

/// How a response begins, as they are printed one a line.
const RESPONSE: &[u8] = b"{\"results\":[";

/// Takes blocks until it says no more.
pub(crate) struct Sink<'e> {
    shape: Arc<Shape>,
    block: Block,
    each: &'e mut dyn FnMut(Block) -> bool,
    is_closed: bool,
}

impl<'e> Sink<'e> {
    pub(crate) fn new(shape: Shape, each: &'e mut dyn FnMut(Block) -> bool) -> Self {
        let shape = Arc::new(shape);
        Self { block: Block::new(Arc::clone(&shape)), shape, each, is_closed: false }
    }

    /// Adds a record; an error where nobody takes more.
    pub(crate) fn push(&mut self, place: Place, text: Option<&[u8]>) -> io::Result<()> {
        self.push_raw(place, text.map(<[u8]>::trim_ascii_end))
    }

    /// Adds a record whose white space counts.
    pub(crate) fn push_raw(&mut self, place: Place, text: Option<&[u8]>) -> io::Result<()> {
        self.block.push(place, text);
        if self.block.is_full() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let next = Block::new(Arc::clone(&self.shape));
        self.is_closed = !(self.each)(std::mem::replace(&mut self.block, next));
        if self.is_closed { Err(io::Error::other("nobody takes more")) } else { Ok(()) }
    }

    /// Hands on what is left, and says how reading ended; nothing where nobody takes more.
    pub(crate) fn finish<T>(mut self, read: io::Result<T>) -> io::Result<Option<T>> {
        if self.is_closed {
            return Ok(None);
        }
        // What was read before an error counts.
        if !self.block.is_empty() {
            let _ = self.flush();
        }
        read.map(Some)
    }
}

/// Cuts an input: the records stand at a path where there is one, else where cases usually do. Says
/// whether the path leads to a record, or to where records would be.
pub(crate) fn cut<R: Read>(
    window: &mut Window<R>,
    path: Option<&[Step]>,
    sink: &mut Sink<'_>,
) -> io::Result<bool> {
    let mut scan = Scan { window, by_line: false, forgets: true };
    scan.skip_space()?;
    scan.window.begin();
    let by_line = is_lines(scan.window.look(LONGEST)?)?;
    scan.by_line = by_line;
    let mut cutter = Cutter { scan, sink, is_found: path.is_none() };
    if by_line {
        cutter.lines(path)?;
    } else {
        cutter.values(path)?;
    }
    Ok(cutter.is_found)
}

/// Whether an input that starts so has one case a line: its first line is a whole value and not all
/// there is, or it is torn. A value goes on in the next line behind a bracket, a comma or a
/// colon; an object does so with another only within an array.
fn is_lines(start: &[u8]) -> io::Result<bool> {
    if start.first() != Some(&b'{') {
        return Ok(start.first() != Some(&b'['));
    }
    let Some(line_end) = memchr::memchr(b'\n', start) else { return Ok(false) };
    let (line, rest) = start.split_at(line_end);
    let Some(next) = rest.iter().find(|byte| !is_space(**byte)) else { return Ok(false) };
    let mut window = Window::new(line);
    let ended = Scan { window: &mut window, by_line: true, forgets: true }.value()?;
    // No line begins so, and what a line ended within goes on so.
    let goes_on = matches!(*next, b',' | b':' | b']' | b'}')
        || match line.trim_ascii_end().last() {
            Some(b'[') => true,
            Some(b'{' | b',' | b':') => *next != b'{' || is_within_array(line),
            _ => false,
        };
    Ok(ended == Ended::Whole || !goes_on)
}

/// Whether a line ends within an array, and not within an object in it.
fn is_within_array(line: &[u8]) -> bool {
    let (mut open, mut is_text, mut is_escaped) = (Vec::new(), false, false);
    for byte in line {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => open.push(*byte),
            b'}' | b']' => _ = open.pop(),
            _ => {}
        }
    }
    open.last() == Some(&b'[')
}

/// What cuts one input. Each step goes past what it is called at, or past all that is left of the
/// text where that is torn; what is left is then a record.
struct Cutter<'w, 's, 'e, R> {
    scan: Scan<'w, R>,
    sink: &'s mut Sink<'e>,
    /// Whether the path leads anywhere.
    is_found: bool,
}

impl<R: Read> Cutter<'_, '_, '_, R> {
    fn lines(&mut self, path: Option<&[Step]>) -> io::Result<()> {
        loop {
            self.scan.skip_space()?;
            self.scan.window.begin();
            let is_response = self.scan.window.look(RESPONSE.len())? == RESPONSE;
            match path {
                _ if self.scan.peek()?.is_none() => {}
                Some(path) => {
                    if self.walk(path)? == Ended::Whole && self.scan.skip_space()?.is_some() {
                        self.torn()?;
                    }
                }
                None if is_response => {
                    if self.object()? == Ended::Whole && self.scan.skip_space()?.is_some() {
                        self.torn()?;
                    }
                }
                None => {
                    self.torn()?;
                }
            }
            if !self.scan.pass_line()? {
                return Ok(());
            }
        }
    }

    fn values(&mut self, path: Option<&[Step]>) -> io::Result<()> {
        while let Some(first) = self.scan.skip_space()? {
            let ended = match path {
                Some(path) => self.walk(path)?,
                None if first == b'[' => self.elements(&|_| true, &[])?,
                None if first == b'{' => self.object()?,
                None => self.record()?,
            };
            if ended != Ended::Whole {
                return Ok(());
            }
        }
        Ok(())
    }

    /// All that is left of the text is one record.
    fn torn(&mut self) -> io::Result<Ended> {
        let place = self.scan.window.begin();
        self.torn_since(place)
    }

    /// All that is left since what was begun at a place.
    fn torn_since(&mut self, place: Place) -> io::Result<Ended> {
        self.scan.pass_all()?;
        self.sink.push(place, self.scan.window.taken())?;
        Ok(Ended::Torn)
    }

    /// The value that comes next is a record.
    fn record(&mut self) -> io::Result<Ended> {
        let place = self.scan.window.begin();
        match self.scan.value()? {
            Ended::Whole => {
                self.sink.push(place, self.scan.window.taken())?;
                Ok(Ended::Whole)
            }
            _ => self.torn_since(place),
        }
    }

    /// The records at a path from the value that comes next.
    fn walk(&mut self, path: &[Step]) -> io::Result<Ended> {
        let first = self.scan.peek()?;
        self.is_found |= match path {
            [] => true,
            [Step::Each] => matches!(first, Some(b'[' | b'{')),
            _ => false,
        };
        match path.split_first() {
            None => self.record(),
            Some((Step::Each, rest)) if first == Some(b'[') => self.elements(&|_| true, rest),
            Some((Step::Each, rest)) if first == Some(b'{') => self.members(&|_| true, rest),
            Some((Step::Key(key), rest)) if first == Some(b'{') => {
                self.members(&|own| own == key, rest)
            }
            Some((Step::Index(index), rest)) if first == Some(b'[') => {
                self.elements(&|at| at == *index, rest)
            }
            Some(_) => self.skip(),
        }
    }

    /// No record is in the value that comes next.
    fn skip(&mut self) -> io::Result<Ended> {
        let place = self.scan.window.begin();
        match self.scan.value()? {
            Ended::Whole => Ok(Ended::Whole),
            _ => self.torn_since(place),
        }
    }

    /// The records of the array that comes next, each at a path from an element that is asked for.
    fn elements(&mut self, is_asked: &dyn Fn(usize) -> bool, path: &[Step]) -> io::Result<Ended> {
        self.scan.window.pass(1);
        if self.scan.skip_space()? == Some(b']') {
            self.scan.window.pass(1);
            return Ok(Ended::Whole);
        }
        for at in 0.. {
            let ended = if is_asked(at) { self.walk(path)? } else { self.skip()? };
            if ended != Ended::Whole {
                return Ok(ended);
            }
            match self.scan.skip_space()? {
                Some(b']') => {
                    self.scan.window.pass(1);
                    return Ok(Ended::Whole);
                }
                Some(b',') => {
                    self.scan.window.pass(1);
                    self.scan.skip_space()?;
                }
                // A comma is missing; nothing is lost by it.
                Some(b'{') => {}
                // The text ends within the array, or is none: an empty record tells of the end.
                _ => break,
            }
        }
        self.torn()
    }

    /// The records of the members that come next, behind a brace or a comma, each at a path from a
    /// member whose key is asked for.
    fn members(&mut self, is_asked: &dyn Fn(&str) -> bool, path: &[Step]) -> io::Result<Ended> {
        self.scan.window.pass(1);
        if self.scan.skip_space()? == Some(b'}') {
            self.scan.window.pass(1);
            return Ok(Ended::Whole);
        }
        loop {
            let place = self.scan.window.begin();
            let Some(key) = self.scan.key()? else { return self.torn_since(place) };
            let ended = if is_asked(&key) { self.walk(path)? } else { self.skip()? };
            if ended != Ended::Whole {
                return Ok(ended);
            }
            match self.scan.skip_space()? {
                Some(b'}') => {
                    self.scan.window.pass(1);
                    return Ok(Ended::Whole);
                }
                Some(b',') => {
                    self.scan.window.pass(1);
                    self.scan.skip_space()?;
                }
                _ => return self.torn(),
            }
        }
    }

    /// The object that comes next is a record, or a response whose results are.
    fn object(&mut self) -> io::Result<Ended> {
        self.scan.window.begin();
        self.scan.forgets = false;
        let results = self.results();
        self.scan.forgets = true;
        let Some(at) = results? else {
            self.scan.window.back_to(0);
            return self.record();
        };
        self.scan.window.back_to(at);
        let ended = self.elements(&|_| true, &[])?;
        if ended != Ended::Whole {
            return Ok(ended);
        }
        match self.scan.skip_space()? {
            Some(b'}') => {
                self.scan.window.pass(1);
                Ok(Ended::Whole)
            }
            // Of what else a response has, only more results are asked for.
            Some(b',') => self.members(&|key| key == "results", &[Step::Each]),
            _ => self.torn(),
        }
    }

    /// Where the first array `results` begins in an object that has one and no `_id`, as far as a
    /// case can go.
    fn results(&mut self) -> io::Result<Option<usize>> {
        let mut found = None;
        self.scan.window.pass(1);
        self.scan.skip_space()?;
        while self.scan.window.passed() <= LONGEST {
            let Some(key) = self.scan.key()? else { break };
            let at = self.scan.window.passed();
            match &*key {
                "_id" => return Ok(None),
                "results" if at <= LONGEST && self.scan.peek()? == Some(b'[') => {
                    found = found.or(Some(at));
                }
                _ => {}
            }
            if self.scan.value()? != Ended::Whole {
                break;
            }
            self.scan.skip_space()?;
            self.scan.pass_if(b',')?;
            self.scan.skip_space()?;
        }
        Ok(found)
    }
}
