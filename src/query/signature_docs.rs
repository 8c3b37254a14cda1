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
    let mut count = 0;
    each_list(segment, signatures, |list| count += list.len());
    count
}

/// Hands on the lists of some signatures, of which a segment may have few. Cost: the signatures, or
/// the segment's, whichever are fewer.
fn each_list<'i>(
    segment: &'i Segment,
    signatures: &Signatures,
    mut each: impl FnMut(&'i PostingList),
) {
    let lists = &segment.lists().by_signature;
    if lists.len() < signatures.len() {
        lists.iter().filter(|(own, _)| signatures.has(*own)).for_each(|(_, list)| each(list));
    } else {
        signatures.iter().filter_map(|own| lists.get(own)).for_each(each);
    }
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
        each_list(segment, signatures, |list| {
            list.unresolved().each(&mut each);
            list.done().each(&mut each);
        });
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
