//! A dictionary for zstd, made of texts in a fraction of a millisecond.
//!
//! A dictionary is a content, where texts that come again are found, and codes for letters and for
//! how they are found, which a frame then need not describe. zstd trains one in 10 to 40 ms and
//! with 10 MB at hand. Here the content are the texts as they are, and the codes are those of a
//! frame that zstd has made of the same texts: it describes them as a dictionary does (RFC 8878,
//! sections 3.1.1.3 and 5). Frames are 5 % longer so than by training.

/// How a dictionary begins: a mark, and no number, which each frame would have to name.
const HEAD: [u8; 8] = [0x37, 0xA4, 0x30, 0xEC, 0, 0, 0, 0];

/// How far back a frame finds again, before anything is found.
const DISTANCES: [u32; 3] = [1, 4, 8];

/// What a frame has to be of that a dictionary is made of: all letters, so that each has a code,
/// and then the texts.
pub(super) fn sample(texts: &[u8]) -> Vec<u8> {
    (0..=u8::MAX).chain(texts.iter().copied()).collect()
}

/// A dictionary of some length at most, of texts and a frame of their sample. Nothing where the
/// frame has no codes of its own, as one of few texts.
pub(super) fn dictionary(texts: &[u8], frame: &[u8], most: usize) -> Option<Vec<u8>> {
    let (literals, rest) = literals(block(frame)?)?;
    let mut dictionary = HEAD.to_vec();
    dictionary.extend_from_slice(letter_code(literals)?);
    let [literal_lengths, offsets, match_lengths] = sequence_codes(rest)?;
    for code in [offsets, match_lengths, literal_lengths] {
        dictionary.extend_from_slice(code);
    }
    DISTANCES.iter().for_each(|own| dictionary.extend_from_slice(&own.to_le_bytes()));
    let length = texts.len().min(most.checked_sub(dictionary.len())?);
    // What stands at the end is found at the least distance.
    dictionary.extend_from_slice(&texts[texts.len() - length..]);
    Some(dictionary)
}

/// The first block of a frame that has no dictionary's number, if it is compressed.
fn block(frame: &[u8]) -> Option<&[u8]> {
    const COMPRESSED: u8 = 2;
    let descriptor = *frame.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    let size = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
    let block = frame.get(5 + usize::from(!is_single) + size..)?;
    (block.first()? >> 1 & 3 == COMPRESSED).then(|| block.get(3..))?
}

/// The letters of a block that were found nowhere before, after their sizes, and what follows.
fn literals(block: &[u8]) -> Option<(&[u8], &[u8])> {
    const COMPRESSED: usize = 2;
    let mut bits = Bits { bytes: block, at: 0 };
    let kind = bits.read(2);
    let (head, size) = match bits.read(2) {
        0 | 1 => (3, 10),
        2 => (4, 14),
        _ => (5, 18),
    };
    bits.read(size);
    let size = bits.read(size);
    (kind == COMPRESSED).then(|| block.get(head..)?.split_at_checked(size))?
}

/// What describes the code of letters: one byte says how long.
fn letter_code(literals: &[u8]) -> Option<&[u8]> {
    let length = match usize::from(*literals.first()?) {
        compressed @ 0..128 => compressed,
        plain => (plain - 127).div_ceil(2),
    };
    literals.get(..=length)
}

/// What describes the codes of how texts are found: how many letters come first, where, and how
/// many are taken.
fn sequence_codes(block: &[u8]) -> Option<[&[u8]; 3]> {
    /// All three are described.
    const DESCRIBED: u8 = 0b1010_1000;
    let count = match block.first()? {
        0..128 => 1,
        128..255 => 2,
        255 => 3,
    };
    let mut rest = block.get(count + 1..)?;
    let mut code = || {
        let (own, after) = rest.split_at_checked(code_length(rest)?)?;
        rest = after;
        Some(own)
    };
    (*block.get(count)? == DESCRIBED).then(|| Some([code()?, code()?, code()?]))?
}

/// How many bytes describe a code: how probable each of its symbols is (RFC 8878, section 4.1.1).
fn code_length(bytes: &[u8]) -> Option<usize> {
    let mut bits = Bits { bytes, at: 0 };
    // Of probabilities that are not given out yet.
    let mut left = 1 << (bits.read(4) + 5);
    while left > 0 && bits.at < bytes.len() * 8 {
        let width = usize::BITS - (left + 1_usize).leading_zeros();
        let (low, high) = ((1 << (width - 1)) - 1, (1 << width) - 1);
        // The least values take a bit less.
        let short = high - (left + 1);
        let mut value = bits.read(width);
        if value & low < short {
            bits.at -= 1;
            value &= low;
        } else if value > low {
            value -= short;
        }
        match value {
            // Of a symbol that is as improbable as may be.
            0 => left -= 1,
            // Of none; how many more follow is said in twos.
            1 => while bits.read(2) == 3 {},
            _ => left = left.checked_sub(value - 1)?,
        }
    }
    (left == 0).then(|| bits.at.div_ceil(8))
}

/// Bits from the lowest of each byte on; past the end they are zero.
struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> usize {
        (0..count).fold(0, |number, bit| {
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or(0);
            let own = usize::from(byte >> (self.at % 8) & 1);
            self.at += 1;
            number | own << bit
        })
    }
}

#[cfg(test)]
mod tests {
    use zstd::zstd_safe::{CCtx, CDict, DCtx, DDict, compress_bound};

    use super::*;

    /// Texts of some words, no two the same.
    fn texts(from: u64, to: u64) -> Vec<Vec<u8>> {
        let word = |number: u64| format!("{:x} ", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        let text = |at: u64| (0..30).map(|own| word((at * 7 + own * own * at) % 200)).collect();
        (from..to).map(|at| String::into_bytes(text(at))).collect()
    }

    fn made(texts: &[u8], most: usize) -> Option<Vec<u8>> {
        let sample = sample(texts);
        let mut frame = Vec::with_capacity(compress_bound(sample.len()));
        CCtx::create().compress(&mut frame, &sample, 1).unwrap();
        dictionary(texts, &frame, most)
    }

    /// How long texts become with a dictionary, each by itself; they come back.
    fn length(texts: &[Vec<u8>], dictionary: &[u8]) -> usize {
        let (compress, decompress) = (CDict::create(dictionary, 1), DDict::create(dictionary));
        let (mut compressor, mut decompressor) = (CCtx::create(), DCtx::create());
        let each = texts.iter().map(|text| {
            let mut frame = Vec::with_capacity(compress_bound(text.len()));
            compressor.compress_using_cdict(&mut frame, text, &compress).unwrap();
            let mut back = Vec::with_capacity(text.len());
            decompressor.decompress_using_ddict(&mut back, &frame, &decompress).unwrap();
            assert_eq!(back, *text);
            frame.len()
        });
        each.sum()
    }

    #[test]
    fn a_dictionary_is_worth_more_than_its_content() {
        let known = texts(0, 300).concat();
        let made = made(&known, 8 << 10).unwrap();
        assert!(made.len() == 8 << 10 && known.ends_with(&made[made.len() - 4096..]));
        let texts = texts(1000, 1200);
        let (own, content) = (length(&texts, &made), length(&texts, &made[1000..]));
        let without = length(&texts, b"");
        assert!(own < content && own * 4 < without * 3, "{own}, {content} and {without}");
    }

    #[test]
    fn few_texts_make_none() {
        assert!(made(b"", 4096).is_none() && made(b"a text", 4096).is_none());
        assert!(made(&texts(0, 300).concat(), 16).is_none());
    }

    #[test]
    fn any_bytes_are_no_frame_or_some() {
        let known = texts(0, 300).concat();
        let sample = sample(&known);
        let mut frame = Vec::with_capacity(compress_bound(sample.len()));
        CCtx::create().compress(&mut frame, &sample, 1).unwrap();
        for length in 0..frame.len().min(700) {
            dictionary(&known, &frame[..length], 4096);
            let mut other = frame.clone();
            other[length] ^= 0x55;
            dictionary(&known, &other, 4096);
        }
    }
}
