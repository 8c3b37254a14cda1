//! The slots of a segment that have some signatures: counted, or handed on one by one.

use super::signatures::Signatures;
use crate::index::{BitSet, MAX_COUNTED, NONE, Ordinal, PostingList, Segment, code};

impl Signatures {
    /// How many live cases of a segment have one of them. Cost: the segment's counts; of signatures
    /// that these do not tell one by one, their lists.
    pub(super) fn count_in(&self, segment: &Segment) -> u64 {
        if self.is_all {
            return segment.live().into();
        }
        match self.run_mask() {
            Some(mask) => mask.count(segment.counts()),
            None => self.lists(segment).map(PostingList::len).sum(),
        }
    }

    /// Their lists, of which a segment may have few.
    fn lists<'i>(&self, segment: &'i Segment) -> impl Iterator<Item = &'i PostingList> {
        let lists = &segment.lists().by_signature;
        lists.among(self.len(), self.iter(), |own| self.has(own))
    }

    /// Hands on the live slots that have one of them: by their lists where these are short, else by
    /// the column.
    pub(super) fn for_each_in(&self, segment: &Segment, mut each: impl FnMut(u16)) {
        if is_listed(segment, self.count_in(segment)) {
            return self.lists(segment).for_each(|list| list.each(&mut each));
        }
        let mut slot = 0;
        for page in segment.signatures() {
            for signature in page {
                if *signature != NONE && self.has(*signature) {
                    each(slot as u16);
                }
                slot += 1;
            }
        }
    }

    /// The live slots that have one of them.
    pub(super) fn docs_in(&self, segment: &Segment) -> BitSet {
        if self.is_all {
            return live_docs(segment);
        }
        if is_listed(segment, self.count_in(segment)) {
            let mut set = BitSet::default();
            self.lists(segment).for_each(|list| list.each(|slot| set.insert(slot)));
            return set;
        }
        let Some(mask) = self.run_mask() else {
            return column_docs(segment, |signature| self.has(signature));
        };
        let codes = mask.codes();
        let table: [bool; MAX_COUNTED + 1] = std::array::from_fn(|own| codes.has(own as u16));
        let mut set = column_docs(segment, |signature| table[usize::from(code(signature))]);
        // A deleted case has the code of what is past the counted signatures.
        if segment.live() as usize != segment.slots() {
            set.intersect(&live_docs(segment));
        }
        set
    }
}

/// Whether so many slots of some signatures are found by their lists, and not by the column.
pub(super) fn is_listed(segment: &Segment, count: u64) -> bool {
    count < segment.slots() as u64 / 8
}

/// Every live slot of a segment. Cost: where a case was deleted, a look at each slot.
pub(super) fn live_docs(segment: &Segment) -> BitSet {
    if segment.live() as usize == segment.slots() {
        return BitSet::up_to(segment.slots());
    }
    column_docs(segment, |signature| signature != NONE)
}

/// The slots whose signature is as asked, 64 at a time, without a branch for each; of a deleted
/// case that is `NONE`.
fn column_docs(segment: &Segment, has: impl Fn(Ordinal) -> bool) -> BitSet {
    let mut set = BitSet::default();
    let mut first = 0;
    for page in segment.signatures() {
        let (words, rest) = page.as_chunks::<64>();
        for (at, some) in words.iter().enumerate() {
            set.insert_word((first + at * 64) as u16, word_of(some, &has));
        }
        for (at, _) in rest.iter().enumerate().filter(|(_, own)| has(**own)) {
            set.insert((first + words.len() * 64 + at) as u16);
        }
        first += page.len();
    }
    set
}

/// A bit for each of 64 signatures. Four parts of the word grow beside one another: a part waits
/// for its last bit, and not for those of the others.
#[inline]
fn word_of(some: &[Ordinal; 64], has: impl Fn(Ordinal) -> bool) -> u64 {
    let mut parts = [0_u64; 4];
    for at in (0..16).rev() {
        for (part, word) in parts.iter_mut().enumerate() {
            *word = *word << 1 | u64::from(has(some[part * 16 + at]));
        }
    }
    parts[0] | parts[1] << 16 | parts[2] << 32 | parts[3] << 48
}
