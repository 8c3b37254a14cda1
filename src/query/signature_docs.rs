//! The slots of a segment that have some signatures: counted, or handed on one by one.

use super::signatures::Signatures;
use crate::index::{BitSet, MAX_COUNTED, NONE, Ordinal, PostingList, Segment, code};

/// How many live cases of a segment have one of the signatures.
pub(super) fn counted(segment: &Segment, signatures: &Signatures) -> u64 {
    if signatures.is_all {
        return segment.live().into();
    }
    if signatures.are_counted() {
        return signatures.count(segment.counts());
    }
    lists(segment, signatures).map(PostingList::len).sum()
}

/// The lists of some signatures, of which a segment may have few.
fn lists<'i>(
    segment: &'i Segment,
    signatures: &Signatures,
) -> impl Iterator<Item = &'i PostingList> {
    let lists = &segment.lists().by_signature;
    lists.among(signatures.len(), signatures.iter(), |own| signatures.has(own))
}

/// Whether the slots of signatures are found by their lists, and not by the column.
pub(super) fn is_listed(segment: &Segment, count: u64) -> bool {
    count < segment.slots() as u64 / 8
}

/// Hands on the live slots of some signatures: by their lists where these are short, else by the
/// column.
pub(super) fn each_of_signatures(
    segment: &Segment,
    signatures: &Signatures,
    mut each: impl FnMut(u16),
) {
    if is_listed(segment, counted(segment, signatures)) {
        return lists(segment, signatures).for_each(|list| list.each(&mut each));
    }
    let mut slot = 0;
    for page in segment.signatures() {
        for signature in page {
            if *signature != NONE && signatures.has(*signature) {
                each(slot as u16);
            }
            slot += 1;
        }
    }
}

/// Every live slot of a segment. Cost: where a case was deleted, a look at each slot.
pub(super) fn live_docs(segment: &Segment) -> BitSet {
    if segment.live() as usize == segment.slots() {
        return BitSet::up_to(segment.slots());
    }
    column_docs(segment, |signature| signature != NONE)
}

/// The live slots of some signatures.
pub(super) fn docs_of_signatures(segment: &Segment, signatures: &Signatures) -> BitSet {
    if signatures.is_all {
        return live_docs(segment);
    }
    if is_listed(segment, counted(segment, signatures)) {
        let mut set = BitSet::default();
        each_of_signatures(segment, signatures, |slot| set.insert(slot));
        return set;
    }
    if !signatures.are_counted() {
        return column_docs(segment, |signature| signatures.has(signature));
    }
    let codes = signatures.codes();
    let table: [bool; MAX_COUNTED + 1] = std::array::from_fn(|own| codes.has(own as u16));
    let mut set = column_docs(segment, |signature| table[usize::from(code(signature))]);
    // A deleted case has the code of what is past the counted signatures.
    if segment.live() as usize != segment.slots() {
        set.intersect(&live_docs(segment));
    }
    set
}

/// The slots whose signature is as asked, 64 at a time, without a branch for each; of a deleted
/// case that is `NONE`.
fn column_docs(segment: &Segment, has: impl Fn(Ordinal) -> bool) -> BitSet {
    let mut set = BitSet::default();
    let mut first = 0;
    for page in segment.signatures() {
        for (at, some) in page.chunks(64).enumerate() {
            let word = some.iter().rev().fold(0, |word, own| word << 1 | u64::from(has(*own)));
            set.insert_word((first + at * 64) as u16, word);
        }
        first += page.len();
    }
    set
}
