//! The slots of a segment that have some signatures: counted, or handed on one by one.

use super::signatures::Signatures;
use crate::index::{BitSet, MAX_COUNTED, NONE, PostingList, Segment, code};

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
        for list in lists(segment, signatures) {
            list.unresolved().each(&mut each);
            list.done().each(&mut each);
        }
        return;
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
    column_docs(segment, |_| true)
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
    if signatures.are_counted() {
        return counted_docs(segment, signatures);
    }
    column_docs(segment, |signature| signatures.has(signature))
}

/// The same by a table of what is left of codes: a look for each slot, and nothing else. A deleted
/// case has the code of what is past the counted ones.
fn counted_docs(segment: &Segment, signatures: &Signatures) -> BitSet {
    let codes = signatures.codes();
    let table: [u8; MAX_COUNTED + 1] = std::array::from_fn(|own| codes.has(own as u16).into());
    let mut set = BitSet::default();
    let mut first = 0;
    for page in segment.signatures() {
        for (at, some) in page.chunks(64).enumerate() {
            let word = some.iter().rev().fold(0, |word, signature| {
                word << 1 | u64::from(table[usize::from(code(*signature))])
            });
            set.insert_word((first + at * 64) as u16, word);
        }
        first += page.len();
    }
    if segment.live() as usize != segment.slots() {
        set.intersect(&live_docs(segment));
    }
    set
}

/// The live slots whose signature is as asked, 64 at a time, without a branch for each.
fn column_docs(segment: &Segment, has: impl Fn(u32) -> bool) -> BitSet {
    let mut set = BitSet::default();
    let mut first = 0;
    for page in segment.signatures() {
        for (at, some) in page.chunks(64).enumerate() {
            let mut word = 0;
            for (bit, signature) in some.iter().enumerate() {
                let is_one = *signature != NONE && has(*signature);
                word |= u64::from(is_one) << bit;
            }
            set.insert_word((first + at * 64) as u16, word);
        }
        first += page.len();
    }
    set
}
