//! The part of an input that is looked at: bounded, whatever the input, and the same whatever
//! pieces the input comes in.

use std::io::{self, Read};

/// How long a case may be, in bytes: what the library reads.
pub(crate) const LONGEST: usize = 1 << 20;
/// How much is kept of what was begun. A key or a bracket that starts within the first `LONGEST`
/// bytes is seen whole.
const KEPT: usize = LONGEST + (4 << 10);
/// How many bytes there is room for: moving what is kept to the front costs a fraction of reading.
const ROOM: usize = 4 << 20;
/// How much is read at a time.
const READ: usize = 256 << 10;

/// Where something stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
}

impl Place {
    /// The first place of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place behind some bytes that stand here. Cost grows with them.
    #[must_use]
    pub fn after(self, bytes: &[u8]) -> Self {
        let (line, column, rest) = match memchr::memrchr(b'\n', bytes) {
            None => (self.line, self.column, bytes),
            Some(newline) => {
                let (lines, rest) = bytes.split_at(newline + 1);
                (self.line + memchr::memchr_iter(b'\n', lines).count() as u64, 1, rest)
            }
        };
        // Continuation bytes are no characters of their own.
        let characters = rest.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        Self { line, column: column + characters as u64 }
    }
}

/// A window over an input. What was begun last is kept until it is longer than a case can be; then
/// the window is full, and goes on only once that is forgotten.
///
/// Useful for cutting an input of any length into pieces. Not for going back further than to what
/// was begun.
pub(crate) struct Window<R> {
    input: R,
    bytes: Vec<u8>,
    /// Where what was begun stands in `bytes`, and in the input.
    begun: usize,
    place: Place,
    /// What comes next. `begun <= at <= bytes.len()`.
    at: usize,
    has_ended: bool,
    /// Whether some of what was begun is forgotten.
    is_cut: bool,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(input: R) -> Self {
        let (begun, at, place) = (0, 0, Place::START);
        Self { input, bytes: Vec::new(), begun, place, at, has_ended: false, is_cut: false }
    }

    /// Reads some more; says whether there is more. Reads nothing where the window is full.
    fn fill(&mut self) -> io::Result<bool> {
        if self.has_ended || self.bytes.len() - self.begun > KEPT {
            return Ok(false);
        }
        if self.bytes.len() + LONGEST > ROOM {
            self.bytes.drain(..self.begun);
            self.at -= self.begun;
            self.begun = 0;
        }
        let (start, count) = (self.bytes.len(), READ.min(ROOM - self.bytes.len()));
        self.input.by_ref().take(count as u64).read_to_end(&mut self.bytes)?;
        self.has_ended = self.bytes.len() - start < count;
        Ok(self.bytes.len() > start)
    }

    /// What has been read and comes next: nothing only at the end, or where the window is full.
    pub(crate) fn rest(&mut self) -> io::Result<&[u8]> {
        if self.at == self.bytes.len() {
            self.fill()?;
        }
        Ok(&self.bytes[self.at..])
    }

    /// The next bytes, so many where there are as many: at most `LONGEST`, behind what was begun.
    pub(crate) fn look(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.bytes.len() - self.at < count && self.fill()? {}
        let end = self.bytes.len().min(self.at + count);
        Ok(&self.bytes[self.at..end])
    }

    /// Goes past bytes that `rest` or `look` has shown.
    pub(crate) fn pass(&mut self, count: usize) {
        self.at += count;
        debug_assert!(self.at <= self.bytes.len(), "only what was shown is passed");
    }

    /// Whether reading stopped because what was begun is too long to be kept.
    pub(crate) fn is_full(&self) -> bool {
        self.at == self.bytes.len() && !self.has_ended && self.at - self.begun > KEPT
    }

    /// Forgets what was begun, but for where it did, so that reading goes on.
    pub(crate) fn forget(&mut self) {
        let place = self.place.after(&self.bytes[self.begun..self.at]);
        (self.begun, self.place, self.is_cut) = (self.at, place, true);
    }

    /// Begins something here; says where that is.
    pub(crate) fn begin(&mut self) -> Place {
        self.forget();
        self.is_cut = false;
        self.place
    }

    /// Goes past bytes that count for nothing in the places of what follows.
    pub(crate) fn leave_out(&mut self, count: usize) {
        self.pass(count);
        self.begun = self.at;
    }

    /// How much has been passed of what was begun and is kept.
    pub(crate) fn passed(&self) -> usize {
        self.at - self.begun
    }

    /// Goes back to a place within what was begun and is kept.
    pub(crate) fn back_to(&mut self, passed: usize) {
        self.at = self.bytes.len().min(self.begun + passed);
    }

    /// What was passed since so much of what was begun had been.
    pub(crate) fn since(&self, passed: usize) -> &[u8] {
        self.bytes.get(self.begun + passed..self.at).unwrap_or_default()
    }

    /// What was begun and passed; nothing where it is longer than a case can be.
    pub(crate) fn taken(&self) -> Option<&[u8]> {
        let taken = &self.bytes[self.begun..self.at];
        (!self.is_cut && taken.len() <= LONGEST).then_some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines() {
        let after = |bytes: &str| {
            let place = Place::START.after(bytes.as_bytes());
            (place.line, place.column)
        };
        assert_eq!(after(""), (1, 1));
        assert_eq!(after("aé客"), (1, 4));
        assert_eq!(after("a\n\né"), (3, 2));
        assert_eq!(after("a\r\n"), (2, 1));
    }

    #[test]
    fn a_window_stays_bounded() {
        let mut window = Window::new(io::repeat(b' '));
        window.begin();
        for _ in 0..100 {
            let length = window.rest().unwrap().len();
            window.pass(length);
            assert!(window.bytes.capacity() <= 2 * ROOM);
            if window.is_full() {
                assert_eq!(window.taken(), None);
                window.forget();
            }
        }
        assert!(window.place.column > 50_000);
    }
}
