//! Random draws that are the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The stream of what all cases share; a case's own stream is its number.
const SHARED: u64 = u64::MAX;

/// One stream of random integers.
#[derive(Clone, Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key)).stream(SHARED)
    }

    /// The start of another stream of the same seed.
    pub(crate) fn stream(&self, stream: u64) -> Self {
        let mut draw = self.0.clone();
        draw.set_stream(stream);
        draw.set_word_pos(0);
        Self(draw)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform integer below `end`. The bias, under `end` / 2^64, is too small to measure.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A uniform integer of `first..=last`.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// A uniform number above 0, up to 1, in steps of 2^-53: exact in a double.
    fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() <= probability
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// An exponential of this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(self.unit())
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// One of a few items, each as often as its weight says.
    pub(crate) fn weighted<T>(&mut self, items: &'static [(u64, T)]) -> &'static T {
        let total = items.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.below(total);
        for (weight, item) in items {
            match rest.checked_sub(*weight) {
                None => return item,
                Some(less) => rest = less,
            }
        }
        unreachable!("the draw is below the sum of the weights")
    }
}

/// Ranks from 0, each as often as 1 / (rank + 1).
#[derive(Debug)]
pub(crate) struct Zipf {
    /// Sums of the weights up to each rank: ascending, and below 2^32 for 20,000 ranks.
    sums: Vec<u32>,
}

impl Zipf {
    pub(crate) fn new(ranks: u32) -> Self {
        const FIRST: u32 = 1 << 28;
        let sums = (1..=ranks).scan(0, |sum, rank| {
            *sum += FIRST / rank;
            Some(*sum)
        });
        Self { sums: sums.collect() }
    }

    pub(crate) fn draw(&self, draw: &mut Draw) -> usize {
        let total = self.sums.last().copied().unwrap_or(0);
        let drawn = draw.below(u64::from(total)) as u32;
        self.sums.partition_point(|&sum| sum <= drawn)
    }
}
