//! The wide loops: AVX-512 or AVX2 where the machine has them, else 64 cases one by one.
//!
//! Membership of a byte in a set of bytes is two table look-ups: the low four bits choose a row of
//! eight, the high four bits the place in it. It costs the same for one value as for two hundred.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Cases of one word of a bitmap.
pub(super) const LANES: usize = 64;
/// Cases whose bitmap is kept in the cache while clauses meet in it.
pub(super) const BLOCK: usize = 4096;

/// What the machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Avx512,
    Avx2,
    Scalar,
}

/// A set of bytes, as tables of rows and as a bitmap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    /// Bit h of entry l: whether the byte (h, l) is in, for high parts h of 0 to 7.
    low: [u8; 16],
    /// The same for high parts of 8 to 15.
    high: [u8; 16],
    bitmap: [u64; 4],
}

/// The bit of each high part in its row.
const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

impl Level {
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vpopcntdq");
            if has_avx512 {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                return Self::Avx2;
            }
        }
        Self::Scalar
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Scalar => "scalar",
        }
    }

    /// Every level that this machine has.
    #[cfg(test)]
    fn all() -> Vec<Self> {
        match Self::detect() {
            Self::Avx512 => vec![Self::Avx512, Self::Avx2, Self::Scalar],
            Self::Avx2 => vec![Self::Avx2, Self::Scalar],
            Self::Scalar => vec![Self::Scalar],
        }
    }
}

impl Set {
    pub(super) fn new(codes: impl Iterator<Item = u8>) -> Self {
        let mut set = Self { low: [0; 16], high: [0; 16], bitmap: [0; 4] };
        for code in codes {
            let (high, low) = (code >> 4, usize::from(code & 15));
            let row = if high < 8 { &mut set.low } else { &mut set.high };
            row[low] |= 1 << (high % 8);
            set.bitmap[usize::from(code / 64)] |= 1 << (code % 64);
        }
        set
    }

    fn has(&self, code: u8) -> u64 {
        self.bitmap[usize::from(code / 64)] >> (code % 64) & 1
    }
}

/// Keeps the bits of cases whose byte is in the set.
pub(super) fn keep(level: Level, column: &[u8], set: &Set, words: &mut [u64]) {
    assert_eq!(column.len(), words.len() * LANES, "a column as long as its bitmap");
    match level {
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { keep_512([column, column], false, set, words) },
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { keep_256([column, column], false, set, words) },
        _ => each(words, |at| set.has(column[at])),
    }
}

/// Keeps the bits of cases of whose two bytes one is in the set.
pub(super) fn keep_either(level: Level, columns: [&[u8]; 2], set: &Set, words: &mut [u64]) {
    for column in columns {
        assert_eq!(column.len(), words.len() * LANES, "a column as long as its bitmap");
    }
    match level {
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { keep_512(columns, true, set, words) },
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { keep_256(columns, true, set, words) },
        _ => each(words, |at| set.has(columns[0][at]) | set.has(columns[1][at])),
    }
}

/// Keeps the bits of cases whose number is at least `low` and below `high`.
pub(super) fn keep_range(level: Level, column: &[u32], low: u32, high: u32, words: &mut [u64]) {
    assert_eq!(column.len(), words.len() * LANES, "a column as long as its bitmap");
    let Some(last) = high.checked_sub(low).and_then(|length| length.checked_sub(1)) else {
        words.fill(0);
        return;
    };
    match level {
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { keep_range_512(column, low, last, words) },
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { keep_range_256(column, low, last, words) },
        _ => each(words, |at| u64::from(column[at].wrapping_sub(low) <= last)),
    }
}

/// How many bits are set.
pub(super) fn count(level: Level, words: &[u64]) -> u64 {
    match level {
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { count_512(words) },
        // SAFETY: the level was detected on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { count_256(words) },
        _ => ones(words),
    }
}

fn each(words: &mut [u64], has: impl Fn(usize) -> u64) {
    for (at, word) in words.iter_mut().enumerate() {
        let found = (0..LANES).map(|lane| has(at * LANES + lane) << lane);
        *word &= found.fold(0, |all, bit| all | bit);
    }
}

#[inline(always)]
fn ones(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,popcnt")]
fn count_512(words: &[u64]) -> u64 {
    ones(words)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn count_256(words: &[u64]) -> u64 {
    ones(words)
}

/// The columns must be as long as the bitmap, 64 a word.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn keep_512(columns: [&[u8]; 2], both: bool, set: &Set, words: &mut [u64]) {
    let table = |entries: &[u8; 16]| {
        // SAFETY: 16 bytes are read of an array of 16.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(entries.as_ptr().cast()) })
    };
    let (low, high, bits) = (table(&set.low), table(&set.high), table(&BITS));
    let nibble = _mm512_set1_epi8(15);
    let found = |column: &[u8], at: usize| {
        // SAFETY: the column has 64 bytes for each word, and `at` is a word's number.
        let bytes = unsafe { _mm512_loadu_si512(column.as_ptr().add(at * LANES).cast()) };
        let below = _mm512_and_si512(bytes, nibble);
        let above = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble);
        let rows = _mm512_shuffle_epi8(low, below);
        // The highest bit of a byte says which of the tables its row is in.
        let rows = _mm512_mask_shuffle_epi8(rows, _mm512_movepi8_mask(bytes), high, below);
        _mm512_test_epi8_mask(rows, _mm512_shuffle_epi8(bits, above))
    };
    for (at, word) in words.iter_mut().enumerate() {
        let mut all = found(columns[0], at);
        if both {
            all |= found(columns[1], at);
        }
        *word &= all;
    }
}

/// The columns must be as long as the bitmap, 64 a word.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn keep_256(columns: [&[u8]; 2], both: bool, set: &Set, words: &mut [u64]) {
    let table = |entries: &[u8; 16]| {
        // SAFETY: 16 bytes are read of an array of 16.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(entries.as_ptr().cast()) })
    };
    let (low, high, bits) = (table(&set.low), table(&set.high), table(&BITS));
    let nibble = _mm256_set1_epi8(15);
    let half = |column: &[u8], at: usize| {
        // SAFETY: the column has 64 bytes for each word, and `at` begins one of their halves.
        let bytes = unsafe { _mm256_loadu_si256(column.as_ptr().add(at).cast()) };
        let below = _mm256_and_si256(bytes, nibble);
        let above = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
        let (one, two) = (_mm256_shuffle_epi8(low, below), _mm256_shuffle_epi8(high, below));
        let bit = _mm256_shuffle_epi8(bits, above);
        let hit = _mm256_and_si256(_mm256_blendv_epi8(one, two, bytes), bit);
        u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, bit)) as u32)
    };
    let found = |column: &[u8], at: usize| half(column, at) | half(column, at + 32) << 32;
    for (at, word) in words.iter_mut().enumerate() {
        let mut all = found(columns[0], at * LANES);
        if both {
            all |= found(columns[1], at * LANES);
        }
        *word &= all;
    }
}

/// The column must be as long as the bitmap, 64 a word.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn keep_range_512(column: &[u32], low: u32, last: u32, words: &mut [u64]) {
    let (low, last) = (_mm512_set1_epi32(low as i32), _mm512_set1_epi32(last as i32));
    for (at, word) in words.iter_mut().enumerate() {
        let mut all = 0;
        for part in 0..4 {
            // SAFETY: the column has 64 numbers for each word: four times sixteen.
            let numbers =
                unsafe { _mm512_loadu_si512(column.as_ptr().add(at * LANES + part * 16).cast()) };
            let within = _mm512_cmple_epu32_mask(_mm512_sub_epi32(numbers, low), last);
            all |= u64::from(within) << (part * 16);
        }
        *word &= all;
    }
}

/// The column must be as long as the bitmap, 64 a word.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn keep_range_256(column: &[u32], low: u32, last: u32, words: &mut [u64]) {
    let (low, last) = (_mm256_set1_epi32(low as i32), _mm256_set1_epi32(last as i32));
    for (at, word) in words.iter_mut().enumerate() {
        let mut all = 0;
        for part in 0..8 {
            // SAFETY: the column has 64 numbers for each word: eight times eight.
            let numbers =
                unsafe { _mm256_loadu_si256(column.as_ptr().add(at * LANES + part * 8).cast()) };
            let over = _mm256_sub_epi32(numbers, low);
            let within = _mm256_cmpeq_epi32(_mm256_min_epu32(over, last), over);
            let mask = _mm256_movemask_ps(_mm256_castsi256_ps(within)) as u32;
            all |= u64::from(mask) << (part * 8);
        }
        *word &= all;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(count: usize) -> Vec<u32> {
        (0..count as u32).map(|at| at.wrapping_mul(2_654_435_761) >> 7).collect()
    }

    #[test]
    fn every_level_keeps_the_same() {
        let numbers = column(BLOCK);
        let bytes: Vec<u8> = numbers.iter().map(|number| *number as u8).collect();
        let others: Vec<u8> = numbers.iter().map(|number| (number >> 8) as u8).collect();
        for codes in [vec![], vec![0], vec![127, 128, 255], (0..=255).step_by(3).collect()] {
            let set = Set::new(codes.iter().copied());
            let is_in = |byte: u8| codes.contains(&byte);
            for level in Level::all() {
                let mut words = vec![u64::MAX; BLOCK / LANES];
                keep(level, &bytes, &set, &mut words);
                let bit = |words: &[u64], at: usize| words[at / LANES] >> (at % LANES) & 1 == 1;
                assert!((0..BLOCK).all(|at| bit(&words, at) == is_in(bytes[at])), "{level:?}");
                let right = bytes.iter().filter(|byte| is_in(**byte)).count() as u64;
                assert_eq!(count(level, &words), right, "{level:?}");
                words.fill(u64::MAX);
                keep_either(level, [&bytes, &others], &set, &mut words);
                let either = |at: usize| is_in(bytes[at]) || is_in(others[at]);
                assert!((0..BLOCK).all(|at| bit(&words, at) == either(at)), "{level:?}");
            }
        }
    }

    #[test]
    fn every_level_keeps_the_same_range() {
        let numbers = column(BLOCK);
        for (low, high) in [(0, 0), (0, u32::MAX), (5, 5), (1 << 20, 1 << 24), (9, 3)] {
            for level in Level::all() {
                let mut words = vec![u64::MAX; BLOCK / LANES];
                keep_range(level, &numbers, low, high, &mut words);
                let within = |at: usize| (low..high).contains(&numbers[at]);
                let bit = |at: usize| words[at / LANES] >> (at % LANES) & 1 == 1;
                assert!((0..BLOCK).all(|at| bit(at) == within(at)), "{level:?} {low} {high}");
            }
        }
    }
}
