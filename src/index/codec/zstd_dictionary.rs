//! A dictionary for zstd, made of texts in a fraction of a millisecond.
//!
//! A dictionary is a content, where texts that come again are found, and codes for letters and for
//! how they are found, which a frame then need not describe. zstd trains one in 10 to 40 ms and
//! with 10 MB at hand. Here the content are the texts as they are, and the codes are those of a
//! frame that zstd has made of the same texts: it describes them as a dictionary does (RFC 8878,
//! sections 3.1.1.3 and 5). Codes of how texts are found are completed: zstd uses those of a
//! dictionary only where they can say everything, and makes some anew for each frame else.

/// How a dictionary begins: a mark, and no number, which each frame would have to name.
const HEAD: [u8; 8] = [0x37, 0xA4, 0x30, 0xEC, 0, 0, 0, 0];

/// How far back a frame finds again, before anything is found.
const DISTANCES: [u32; 3] = [1, 4, 8];

/// How many symbols there are for how many letters come first, how many are taken, and where they
/// are found in a dictionary of these lengths or a block before: within 256 KiB.
const LITERAL_LENGTHS: usize = 36;
const MATCH_LENGTHS: usize = 53;
const OFFSETS: usize = 19;

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
    for (code, log, symbols) in [
        (offsets, 8, OFFSETS),
        (match_lengths, 9, MATCH_LENGTHS),
        (literal_lengths, 9, LITERAL_LENGTHS),
    ] {
        dictionary.extend(code.completed(log, symbols)?.described());
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
    let (kind, literals, rest) = literals_section(block)?;
    (kind == COMPRESSED).then_some((literals, rest))
}

/// How the letters of a block are kept, they, and what follows; where they are compressed.
fn literals_section(block: &[u8]) -> Option<(usize, &[u8], &[u8])> {
    let mut bits = Bits { bytes: block, at: 0 };
    let kind = bits.read(2);
    let (head, size) = match bits.read(2) {
        0 | 1 => (3, 10),
        2 => (4, 14),
        _ => (5, 18),
    };
    bits.read(size);
    let size = bits.read(size);
    let (literals, rest) = block.get(head..)?.split_at_checked(size)?;
    (kind >= 2).then_some((kind, literals, rest))
}

/// What describes the code of letters: one byte says how long.
fn letter_code(literals: &[u8]) -> Option<&[u8]> {
    let length = match usize::from(*literals.first()?) {
        compressed @ 0..128 => compressed,
        plain => (plain - 127).div_ceil(2),
    };
    literals.get(..=length)
}

/// The codes of how texts are found: how many letters come first, where, and how many are taken.
fn sequence_codes(block: &[u8]) -> Option<[Code; 3]> {
    /// All three are described.
    const DESCRIBED: u8 = 0b1010_1000;
    let count = match block.first()? {
        0..128 => 1,
        128..255 => 2,
        255 => 3,
    };
    let mut rest = block.get(count + 1..)?;
    let mut code = || {
        let (own, length) = Code::read(rest)?;
        rest = rest.get(length..)?;
        Some(own)
    };
    (*block.get(count)? == DESCRIBED).then(|| Some([code()?, code()?, code()?]))?
}

/// How probable each symbol of a code is, in cells of a table of two to the power of `log`. One
/// that is less probable than a cell has -1, and takes one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Code {
    log: u32,
    cells: Vec<i32>,
}

impl Code {
    /// The code that bytes begin with, and how many of them describe it (RFC 8878, section 4.1.1).
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut bits = Bits { bytes, at: 0 };
        let log = bits.read(4) as u32 + 5;
        let mut cells = Vec::new();
        // Of cells that are not given out yet.
        let mut left = 1 << log;
        while left > 0 && bits.at < bytes.len() * 8 {
            let (width, short) = Self::width(left);
            let low = (1 << (width - 1)) - 1;
            let mut value = bits.read(width);
            if value & low < short {
                bits.at -= 1;
                value &= low;
            } else if value > low {
                value -= short;
            }
            match value {
                0 => left -= 1,
                // How many more follow that have none is said in twos.
                1 => loop {
                    let more = bits.read(2);
                    cells.resize(cells.len() + more, 0);
                    if more < 3 || bits.at >= bytes.len() * 8 {
                        break;
                    }
                },
                _ => left = left.checked_sub(value - 1)?,
            }
            cells.push(value as i32 - 1);
        }
        (left == 0).then(|| (Self { log, cells }, bits.at.div_ceil(8)))
    }

    /// How many bits say how many of the cells that are left a symbol has, and how many of the
    /// least values take one bit less.
    fn width(left: usize) -> (u32, usize) {
        let width = usize::BITS - (left + 1).leading_zeros();
        (width, (1 << width) - 1 - (left + 1))
    }

    /// The same of a larger table, with a cell for each of the symbols that has none.
    fn completed(&self, log: u32, symbols: usize) -> Option<Self> {
        let more = log.checked_sub(self.log)?;
        let mut cells = self.cells.clone();
        cells.resize(symbols.max(cells.len()), 0);
        for own in &mut cells {
            *own = if *own > 0 { *own << more } else { -1 };
        }
        let mut left = (1 << log) - cells.iter().map(|own| own.abs()).sum::<i32>();
        // The most probable ones make room for the others.
        while left != 0 {
            let most = cells.iter_mut().max()?;
            let change = if left > 0 { left } else { -1 };
            *most = Some(*most + change).filter(|own| *own > 0)?;
            left -= change;
        }
        Some(Self { log, cells })
    }

    /// What describes it. Each symbol has a cell.
    fn described(&self) -> Vec<u8> {
        let mut bits = BitWriter::default();
        bits.write(self.log as usize - 5, 4);
        let mut left = 1_usize << self.log;
        for own in &self.cells {
            let (width, short) = Self::width(left);
            let value = (own + 1) as usize;
            let half = 1 << (width - 1);
            match value {
                _ if value < short => bits.write(value, width - 1),
                _ if value < half => bits.write(value, width),
                _ => bits.write(value + short, width),
            }
            left -= own.unsigned_abs() as usize;
        }
        bits.bytes
    }
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

/// The same, written.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    at: usize,
}

impl BitWriter {
    fn write(&mut self, number: usize, count: u32) {
        for bit in 0..count {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let own = (number >> bit & 1) as u8;
            if let Some(last) = self.bytes.last_mut() {
                *last |= own << (self.at % 8);
            }
            self.at += 1;
        }
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

    /// zstd makes codes of its own for every frame where those of a dictionary cannot say
    /// everything.
    #[test]
    fn frames_have_the_codes_of_their_dictionary() {
        const DICTIONARY: u8 = 3;
        const SYMBOL: u8 = 1;
        let mut used = 0;
        let made = made(&texts(0, 300).concat(), 8 << 10).unwrap();
        let compress = CDict::create(&made, 1);
        let mut compressor = CCtx::create();
        for text in texts(1000, 1200) {
            let mut frame = Vec::with_capacity(compress_bound(text.len()));
            compressor.compress_using_cdict(&mut frame, &text, &compress).unwrap();
            let block = block(&frame).unwrap();
            let sequences = match block[0] & 0b111 {
                // Few letters, as they are.
                0b000 | 0b100 => &block[1 + usize::from(block[0] >> 3)..],
                _ => literals_section(block).unwrap().2,
            };
            let [count, modes, ..] = *sequences else { panic!("no sequences") };
            // Of one symbol alone a code is that symbol, and two are too few for a dictionary's.
            let is_own = |at: u8| matches!(modes >> at & 3, DICTIONARY | SYMBOL);
            assert!(count <= 2 || [2, 4, 6].into_iter().all(is_own), "{count} {modes:b}");
            used += usize::from(modes & 0b11_1100 == DICTIONARY << 2 | DICTIONARY << 4);
        }
        assert!(used > 150, "{used}");
    }

    #[test]
    fn a_code_is_described_as_it_was_read() {
        for cells in [&[20, 3, -1, 7, 1][..], &[31, 1], &[1; 32], &[-1, 25, -1, 5]] {
            let code = Code { log: 5, cells: cells.to_vec() };
            let described = code.described();
            assert_eq!(Code::read(&described), Some((code.clone(), described.len())));
            let completed = code.completed(9, 53).unwrap();
            assert_eq!(completed.cells.len(), 53);
            assert!(completed.cells.iter().all(|own| *own != 0));
            let described = completed.described();
            assert_eq!(Code::read(&described), Some((completed, described.len())));
        }
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
