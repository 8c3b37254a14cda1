//! Some signatures of a scope, in the forms that counts, columns and walks test them by.

use std::sync::OnceLock;

use crate::index::{
    MAX_COUNTED, Ordinal, RunPart, SignatureSet, masked_sum, spread_bits, sum_of_bits,
};

/// Some signatures.
///
/// Useful for what counts and codes of segments and runs tell (`RunMask`): they know the first
/// `MAX_COUNTED` signatures one by one, and all past them as one.
#[derive(Debug)]
pub(super) struct Signatures {
    set: SignatureSet,
    /// Whether it is every signature.
    pub(super) is_all: bool,
    /// How many signatures there are, left or not.
    length: usize,
    /// Made where they are first asked for.
    mask: OnceLock<Box<[u16]>>,
    codes: OnceLock<Codes>,
}

impl Signatures {
    /// `length` is that of all signatures.
    pub(super) fn of(set: SignatureSet, length: usize) -> Self {
        let is_all = set.len() == length;
        Self { set, is_all, length, mask: OnceLock::new(), codes: OnceLock::new() }
    }

    pub(super) fn set(&self) -> &SignatureSet {
        &self.set
    }

    pub(super) fn into_set(self) -> SignatureSet {
        self.set
    }

    /// Those that some case may have, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Ordinal> {
        self.set.counted().chain(self.set.past())
    }

    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// These as counts and codes tell them: of those past the counted ones all are in it, or none.
    /// Nothing where some are.
    pub(super) fn run_mask(&self) -> Option<RunMask<'_>> {
        let past = self.set.past_len();
        (past == 0 || past == self.length - MAX_COUNTED).then_some(RunMask(self))
    }

    /// Whether a live case's signature is left.
    #[inline]
    pub(super) fn has(&self, signature: Ordinal) -> bool {
        self.set.has(signature)
    }

    /// By code, all bits where the signature is left, else none. The last is of all signatures past
    /// the counted ones, set where every one of them is left. It may be shorter than codes go:
    /// those past it are not left.
    fn mask(&self) -> &[u16] {
        self.mask.get_or_init(|| {
            let words = (self.length.min(MAX_COUNTED) + 1).div_ceil(64);
            let mut mask = vec![0; words * 64].into_boxed_slice();
            spread_bits(&self.codes().0, &mut mask);
            mask
        })
    }

    fn codes(&self) -> &Codes {
        self.codes.get_or_init(|| Codes::of(&self.set))
    }
}

/// Signatures of which codes and counts tell all.
///
/// Useful for the runs of an order that counts signatures, and for the counts of a segment or a
/// scope: there is no other way to read them. Not for signatures of which only some past the
/// counted ones are left; it cannot be made of these.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunMask<'s>(&'s Signatures);

impl<'s> RunMask<'s> {
    /// A bit for each code, for walks over many of them.
    pub(super) fn codes(self) -> &'s Codes {
        self.0.codes()
    }

    /// How many of some slots of a run are left, and how many had to be looked at for that.
    pub(super) fn count_part(self, part: &RunPart<'_>) -> (usize, usize) {
        if part.is_whole() {
            return (self.count_run(part.run.counts()), 0);
        }
        let (left, codes) = (self.codes(), part.codes());
        (codes.iter().filter(|code| left.has(**code)).count(), codes.len())
    }

    /// How many of a run's slots are left, by its counts.
    fn count_run(self, counts: &[u16]) -> usize {
        // A run has so few slots that their number fits: sums stay narrow, and many fit a register.
        masked_sum(counts, self.0.mask()).into()
    }

    /// How many cases are left, by counts of codes, in pages of whole words of bits.
    pub(super) fn count<'c>(self, counts: impl Iterator<Item = &'c [u32]>) -> u64 {
        let mut words = &self.codes().0[..];
        let mut sum = 0;
        for page in counts {
            sum += u64::from(sum_of_bits(page, words));
            words = words.get(page.len() / 64..).unwrap_or_default();
        }
        sum
    }
}

/// How many words hold a bit for each code, made up to a power of two.
const CODE_WORDS: usize = (MAX_COUNTED + 1).div_ceil(64).next_power_of_two();

/// Which codes are left, for walks over many of them: a bit each.
#[derive(Debug)]
pub(super) struct Codes([u64; CODE_WORDS]);

impl Codes {
    fn of(set: &SignatureSet) -> Self {
        let mut words = [0; CODE_WORDS];
        words.iter_mut().zip(set.words()).for_each(|(own, word)| *own = *word);
        if set.past_len() > 0 {
            words[MAX_COUNTED / 64] |= 1 << (MAX_COUNTED % 64);
        }
        Self(words)
    }

    /// Whether a code's signatures are left.
    #[inline]
    pub(super) fn has(&self, code: u16) -> bool {
        // No code is as great as that: there is nothing to check.
        self.0[usize::from(code >> 6) % CODE_WORDS] >> (code & 63) & 1 == 1
    }
}
