//! The slots of a segment that have some signatures: counted, or handed on one by one.

use super::plan::Signatures;
use crate::index::{NONE, PostingList, Segment};

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
