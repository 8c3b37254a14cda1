//! Bytes that are written piece by piece, most of them short.

/// How long a piece may be that is written as a whole of fixed length.
pub(super) const SHORT: usize = 16;

/// A buffer that is a little ahead of what is written: a short piece is then one store.
#[derive(Debug)]
pub(crate) struct Out<'b> {
    bytes: &'b mut Vec<u8>,
    written: usize,
}

impl<'b> Out<'b> {
    /// Goes on behind what is there.
    pub(crate) fn after(bytes: &'b mut Vec<u8>) -> Self {
        let written = bytes.len();
        Self { bytes, written }
    }

    pub(crate) fn finish(self) {
        self.bytes.truncate(self.written);
    }

    pub(crate) fn len(&self) -> usize {
        self.written
    }

    /// Makes room for as much again, so many times.
    pub(crate) fn reserve(&mut self, times: usize) {
        self.bytes.reserve(self.written * times);
    }

    #[inline]
    fn ahead(&mut self, length: usize) {
        let needed = self.written + length;
        if needed > self.bytes.len() {
            self.bytes.resize(needed.max(self.bytes.capacity()).max(1024), 0);
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.ahead(1);
        self.bytes[self.written] = byte;
        self.written += 1;
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.ahead(bytes.len());
        self.bytes[self.written..self.written + bytes.len()].copy_from_slice(bytes);
        self.written += bytes.len();
    }

    /// The first bytes of a piece that is longer than what is meant of it.
    #[inline]
    pub(crate) fn extend_short(&mut self, bytes: &[u8; SHORT], length: usize) {
        self.ahead(SHORT);
        self.bytes[self.written..self.written + SHORT].copy_from_slice(bytes);
        self.written += length.min(SHORT);
    }

    /// What was written before, again.
    pub(crate) fn repeat(&mut self, from: usize, to: usize) {
        self.ahead(to - from);
        self.bytes.copy_within(from..to, self.written);
        self.written += to - from;
    }

    /// The same in small ASCII letters.
    pub(crate) fn repeat_lower(&mut self, from: usize, to: usize) {
        let start = self.written;
        self.repeat(from, to);
        self.bytes[start..self.written].make_ascii_lowercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_behind_what_is_there() {
        let mut bytes = b"start ".to_vec();
        let mut out = Out::after(&mut bytes);
        out.extend(b"two ");
        out.push(b'-');
        out.extend_short(b" three..........", 6);
        out.repeat(6, 9);
        assert_eq!(out.len(), 20);
        out.finish();
        assert_eq!(String::from_utf8(bytes).unwrap(), "start two - threetwo");
    }
}
