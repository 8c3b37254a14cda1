//! Loops over the words of blocks and the counts of runs, built for what the processor has.
//!
//! Whoever embeds the library builds it for any processor of a kind: without wide registers, and
//! without an instruction that counts bits. So each loop stands here once, in plain code, and is
//! compiled for several kinds of processors; which one is there is found out once.
//!
//! This is one of the few files with `unsafe` code: calls of what is compiled for a processor that
//! was found to be there.

#![allow(unsafe_code)]

/// How many words a block has.
pub(crate) const BLOCK_WORDS: usize = 1 << 10;

/// The bits of a block.
pub(crate) type BlockWords = [u64; BLOCK_WORDS];

/// What a processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isa {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The best that is there, each feature that its functions are compiled for found by itself;
    /// the levels below it are there too.
    #[inline]
    fn found() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            // Each look is one at a word that the standard library keeps.
            let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
            if has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vpopcntdq")
            {
                return Self::Avx512;
            }
            if has_avx2 {
                return Self::Avx2;
            }
        }
        Self::Plain
    }
}

/// Compiles plain loops for each level.
macro_rules! kernels {
    ($(
        $(#[$about:meta])*
        fn $name:ident($($own:ident: $type:ty),*) -> $result:ty $body:block
    )*) => {
        mod plain {
            use super::BlockWords;
            $(#[inline(always)] pub(crate) fn $name($($own: $type),*) -> $result $body)*
        }

        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            use super::{BlockWords, plain};
            $(
                #[target_feature(enable = "avx2,popcnt")]
                pub(crate) fn $name($($own: $type),*) -> $result { plain::$name($($own),*) }
            )*
        }

        #[cfg(target_arch = "x86_64")]
        mod avx512 {
            use super::{BlockWords, plain};
            $(
                #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq,popcnt")]
                pub(crate) fn $name($($own: $type),*) -> $result { plain::$name($($own),*) }
            )*
        }

        impl Isa {
            $(
                #[inline]
                fn $name(self, $($own: $type),*) -> $result {
                    match self {
                        Self::Plain => plain::$name($($own),*),
                        // SAFETY: a level is only made by `found`, which found it to be there.
                        #[cfg(target_arch = "x86_64")]
                        Self::Avx2 => unsafe { avx2::$name($($own),*) },
                        // SAFETY: a level is only made by `found`, which found it to be there.
                        #[cfg(target_arch = "x86_64")]
                        Self::Avx512 => unsafe { avx512::$name($($own),*) },
                    }
                }
            )*
        }

        $(
            $(#[$about])*
            #[inline]
            pub(crate) fn $name($($own: $type),*) -> $result {
                Isa::found().$name($($own),*)
            }
        )*
    };
}

kernels! {
    /// How many bits are set.
    fn count(words: &BlockWords) -> usize {
        words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Adds the bits of another block; gives how many are set then.
    fn unite(own: &mut BlockWords, other: &BlockWords) -> usize {
        let both = own.iter_mut().zip(other);
        both.map(|(own, other)| { *own |= other; own.count_ones() as usize }).sum()
    }

    /// Keeps the bits that another block has; gives how many are left.
    fn intersect(own: &mut BlockWords, other: &BlockWords) -> usize {
        let both = own.iter_mut().zip(other);
        both.map(|(own, other)| { *own &= other; own.count_ones() as usize }).sum()
    }

    /// Keeps the bits that another block has not; gives how many are left.
    fn subtract(own: &mut BlockWords, other: &BlockWords) -> usize {
        let both = own.iter_mut().zip(other);
        both.map(|(own, other)| { *own &= !other; own.count_ones() as usize }).sum()
    }

    /// The sum of those numbers whose bits are set. Callers count cases, of which a scope has fewer
    /// than 2³²: it never overflows.
    fn sum_of_bits(numbers: &[u32], words: &[u64]) -> u32 {
        let (eights, rest) = numbers.as_chunks::<8>();
        let mut bytes = words.iter().flat_map(|word| word.to_le_bytes());
        let own = |byte: u8, bit: usize, own: u32| if byte & 1 << bit != 0 { own } else { 0 };
        let mut sums = [0_u32; 8];
        for (eight, byte) in eights.iter().zip(bytes.by_ref()) {
            for bit in 0..8 {
                sums[bit] = sums[bit].wrapping_add(own(byte, bit, eight[bit]));
            }
        }
        let last = bytes.next().unwrap_or(0);
        let rest = rest.iter().enumerate().map(|(bit, number)| own(last, bit, *number));
        sums.into_iter().chain(rest).fold(0, u32::wrapping_add)
    }

    /// Makes a number of each bit: all bits of it where that is set, else none. There are 64
    /// numbers for each word that is looked at.
    fn spread_bits(words: &[u64], numbers: &mut [u16]) -> () {
        for (own, word) in numbers.as_chunks_mut::<64>().0.iter_mut().zip(words) {
            for (eight, byte) in own.as_chunks_mut::<8>().0.iter_mut().zip(word.to_le_bytes()) {
                for (bit, own) in eight.iter_mut().enumerate() {
                    *own = if byte & 1 << bit != 0 { u16::MAX } else { 0 };
                }
            }
        }
    }

    /// The sum of those counts whose mask has all bits set; the other masks have none. Callers
    /// count the slots of a run, of which there are at most `RUN`: it never overflows.
    fn masked_sum(counts: &[u16], mask: &[u16]) -> u16 {
        let left = counts.iter().zip(mask).map(|(count, mask)| count & mask);
        left.fold(0, u16::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Join = fn(Isa, &mut BlockWords, &BlockWords) -> usize;

    fn levels() -> Vec<Isa> {
        let mut levels = vec![Isa::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            let found = Isa::found();
            levels.extend((found != Isa::Plain).then_some(Isa::Avx2));
            levels.extend((found == Isa::Avx512).then_some(Isa::Avx512));
        }
        levels
    }

    #[test]
    fn every_level_says_the_same() {
        let words = |seed: u64| -> BlockWords {
            std::array::from_fn(|at| {
                (at as u64 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(at as u32 % 61)
            })
        };
        let (a, b) = (words(1), words(77));
        for level in levels() {
            let bits: usize = a.iter().map(|word| word.count_ones() as usize).sum();
            assert_eq!(level.count(&a), bits);
            let joined = |join: fn(u64, u64) -> u64| -> BlockWords {
                std::array::from_fn(|at| join(a[at], b[at]))
            };
            let (mut united, mut met, mut less) = (a, a, a);
            for (own, count, right) in [
                (&mut united, Isa::unite as Join, joined(|a, b| a | b)),
                (&mut met, Isa::intersect, joined(|a, b| a & b)),
                (&mut less, Isa::subtract, joined(|a, b| a & !b)),
            ] {
                assert_eq!(count(level, own, &b), level.count(&right), "{level:?}");
                assert!(*own == right, "{level:?}");
            }
            for length in [0, 1, 7, 31, 32, 33, 377, 1025] {
                let counts: Vec<u16> = (0..length).map(|at| at % 61).collect();
                let mask: Vec<u16> =
                    (0..length).map(|at| if at % 3 == 0 { u16::MAX } else { 0 }).collect();
                let right = (0..length).step_by(3).map(|at| at % 61).sum::<u16>();
                assert_eq!(level.masked_sum(&counts, &mask), right, "{level:?} {length}");
                let mut words = vec![0_u64; usize::from(length).div_ceil(64)];
                (0..length).step_by(3).for_each(|at| words[usize::from(at) / 64] |= 1 << (at % 64));
                let counts: Vec<u32> = counts.into_iter().map(u32::from).collect();
                assert_eq!(level.sum_of_bits(&counts, &words), u32::from(right), "{level:?}");
                let mut spread = vec![1; words.len() * 64];
                level.spread_bits(&words, &mut spread);
                assert_eq!(spread[..mask.len()], mask, "{level:?} {length}");
            }
        }
    }
}
