//! Numbers and texts in bytes, as encoded documents have them.

/// Appends a number, seven bits a byte, the lowest first.
pub(super) fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Reads what `put` wrote, from the front. What is not there reads as zero: encoded documents
/// are this library's own, and a reader of them has nobody to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteReader<'p> {
    rest: &'p [u8],
}

impl<'p> ByteReader<'p> {
    pub(super) fn new(packed: &'p [u8]) -> Self {
        Self { rest: packed }
    }

    #[inline]
    pub(super) fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        while let [byte, rest @ ..] = self.rest {
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 || shift > 63 {
                break;
            }
        }
        number
    }

    pub(super) fn bytes(&mut self, length: usize) -> &'p [u8] {
        let (bytes, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    /// A number that was a length or a place in memory.
    pub(super) fn length(&mut self) -> usize {
        self.number() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_come_back() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, 1 << 35, u64::MAX];
        let mut packed = Vec::new();
        numbers.iter().for_each(|number| put(&mut packed, *number));
        packed.extend_from_slice(b"text");
        let mut reader = ByteReader::new(&packed);
        assert_eq!(numbers.map(|_| reader.number()), numbers);
        let rest = (reader.bytes(4), reader.number(), reader.bytes(9));
        assert_eq!(rest, (&b"text"[..], 0, &b""[..]));
    }
}
