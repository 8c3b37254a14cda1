//! Guesses of a search for a rank: how far the next one aims, and which of some sampled slots is
//! taken for it.
//!
//! Useful for a search that counts the matches up to each guess. Not for the counting.

use crate::index::Position;

/// How many slots sums of shares may be off.
const ROUNDED: f64 = 0.5;

/// The share of matches that the next guess aims at, where so many of those ahead are wanted.
///
/// Matches may stand unevenly: the second guess in a row that fell short aims as far past the rank
/// as it is away, and the second one past it as far before it as the last one was past it; each
/// further one twice as far.
pub(super) fn share(wanted: f64, ahead: f64, same_side: i32) -> f64 {
    let times = 2_f64.powi((same_side.abs() - 1).max(0));
    let aim = if same_side < 0 {
        let past = (ahead - wanted).max(0.0);
        (wanted - (times - 1.0) * past).max(wanted / times)
    } else {
        wanted * times
    };
    aim / ahead
}

/// A slot of a span whose key is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) key: u64,
    /// How many slots lie between it and the sample before it in its span, or the beginning; and
    /// how many up to the next one, or the end.
    pub(super) before: f64,
    pub(super) behind: f64,
    /// The number of its span, and where it stands there.
    pub(super) span: usize,
    pub(super) at: Position,
}

/// What is known of how the keys of some spans lie.
#[derive(Debug, Default)]
pub(super) struct Samples {
    all: Vec<Sample>,
    /// How many slots all spans have.
    pub(super) slots: usize,
    /// How many of them lie before the first sample of each.
    first: f64,
}

impl Samples {
    /// Adds a sample; those of a span come one after the other, in its order.
    pub(super) fn add(&mut self, sample: Sample) {
        if self.all.last().is_none_or(|last| last.span != sample.span) {
            self.first += sample.before;
        }
        self.all.push(sample);
    }

    /// The sample with a share of all slots before it, about.
    ///
    /// Of each span some slots are known to come before a sample, and some not to: those between
    /// its own samples on both sides may. So a range of samples may be what is looked for, and
    /// where spans are alike that is one of each. The middle of these is taken: the last would be
    /// too far by as much as a single span ever errs.
    pub(super) fn middle(mut self, share: f64) -> Option<Sample> {
        self.all.sort_unstable_by_key(|own| own.key);
        let wanted = self.slots as f64 * share;
        // How many slots come before a sample at least, and at most.
        let (mut least, mut most) = (0.0, self.first);
        let (mut from, mut to) = (0, 0);
        for (at, Sample { before, behind, .. }) in self.all.iter().enumerate() {
            least += before;
            from += usize::from(most + ROUNDED < wanted && from == at);
            to = if least <= wanted + ROUNDED { at + 1 } else { to };
            most += behind;
        }
        // Where none may be it, the first one past it is taken.
        let last = self.all.len().checked_sub(1)?;
        let may_be = &self.all[from.min(last)..to.max(from + 1).min(last + 1)];
        let half = may_be.iter().map(|own| own.before).sum::<f64>() / 2.0;
        let mut passed = 0.0;
        may_be.iter().copied().find(|own| {
            passed += own.before;
            passed >= half
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(key: u64, before: f64, behind: f64, span: usize) -> Sample {
        Sample { key, before, behind, span, at: Position { run: 0, index: 0 } }
    }

    #[test]
    fn a_guess_on_the_same_side_goes_as_far_beyond_the_rank() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        near(share(100.0, 1000.0, 0), 0.1);
        near(share(100.0, 1000.0, 1), 0.1);
        near(share(100.0, 1000.0, 2), 0.2);
        near(share(100.0, 1000.0, 3), 0.4);
        // Of 110 up to the last guess 100 are wanted: 10 before them, then 30.
        near(share(100.0, 110.0, -1), 100.0 / 110.0);
        near(share(100.0, 110.0, -2), 90.0 / 110.0);
        near(share(100.0, 110.0, -3), 70.0 / 110.0);
        // Never less than by halves.
        near(share(100.0, 1000.0, -2), 0.05);
    }

    #[test]
    fn where_spans_are_alike_the_middle_sample_is_taken() {
        // A tenth of each of nine spans: the last sample would have almost all tenths before it.
        let mut samples = Samples { slots: 9 * 1000, ..Samples::default() };
        for span in 0..9 {
            samples.add(sample(100 + span as u64 * 7 % 9, 100.0, 900.0, span));
        }
        assert_eq!(samples.middle(0.1).map(|own| own.key), Some(104));
    }

    #[test]
    fn where_spans_follow_one_another_the_one_with_the_rank_is_taken() {
        for wanted in [0.05, 0.3, 0.55, 0.8, 0.95] {
            let mut samples = Samples { slots: 10 * 1000, ..Samples::default() };
            for span in 0..10 {
                let key = |part: u64| span as u64 * 1000 + part;
                samples.add(sample(key(0), 0.0, 250.0, span));
                for quarter in 1..4 {
                    samples.add(sample(key(quarter * 250), 250.0, 250.0, span));
                }
                samples.add(sample(key(999), 250.0, 0.0, span));
            }
            let right = (wanted * 10_000.0) as u64;
            let key = samples.middle(wanted).map_or(0, |own| own.key);
            assert!(key.abs_diff(right) <= 251, "{key} for {right}");
        }
    }

    #[test]
    fn without_samples_there_is_no_pivot() {
        assert!(Samples::default().middle(0.5).is_none());
        let mut one = Samples { slots: 4, ..Samples::default() };
        one.add(sample(7, 1.0, 3.0, 0));
        assert_eq!(one.middle(1.0).map(|own| own.key), Some(7));
    }
}
