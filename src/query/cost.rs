//! What steps of a query cost, in nanoseconds, about: what choices between ways are made by.
//!
//! Useful where two ways give the same and the shorter one is taken. Not for telling how long a
//! query takes: memory that is far, and how many cores there are, are left out.
//!
//! `calibrate` measures the steps and prints what they take beside these numbers. The numbers are
//! older than it: they were chosen so that the workload's classes were answered soonest, and what
//! matters is how they stand to one another.

#[cfg(test)]
mod calibrate;

use crate::index::{Segment, sized};

/// To go through a candidate of a segment.
pub(super) const CANDIDATE: u64 = 3;
/// To test the signature of a slot among others of its segment.
pub(super) const SIGNATURE_TEST: u64 = 6;
/// To test the signatures of 64 slots where all slots of a segment are.
pub(super) const COLUMN_WORD: u64 = 64;
/// To test the code of a signature, which stands beside a slot in an order.
pub(super) const CODE_TEST: u64 = 1;
/// To look for a value in an order.
pub(super) const SEARCH: u64 = sized(300, 1) as u64;
/// To look at a case's row.
pub(super) const ROW_TEST: u64 = 16;
/// To sum the counts of a run.
pub(super) const RUN_SUM: u64 = sized(60, 4) as u64;
/// To take up a posting list, and to put one of its slots into a bit set.
pub(super) const LIST: u64 = sized(100, 1) as u64;
pub(super) const INSERT: u64 = 2;
/// To intersect a bit set with another one, or to unite them.
pub(super) const JOIN: u64 = sized(200, 1) as u64;
/// To go through a bit set.
pub(super) const PASS: u64 = sized(1500, 1) as u64;
/// To go on by a slot along an order, whose signature is looked at: where texts are tested besides;
/// where its code tells; and where another test does.
pub(super) const STEP: u64 = 2;
pub(super) const SLOT_BY_CODE: u64 = 1;
pub(super) const SLOT_BY_TEST: u64 = 4;
/// To go on by a slot against an order, where a row is looked at for equal values; and for equal
/// texts of cases that are far.
pub(super) const ROWS_REVERSED: u64 = 16;
pub(super) const TEXTS_REVERSED: u64 = 128;
/// To gather a match and to sort it among others.
pub(super) const GATHER: u64 = 16;
/// To gather a match of any segment by a text, which is far, and to find its rank among all.
pub(super) const SORTED_TEXT: u64 = 200;
/// To compare two matches whose keys are equal, by their texts.
pub(super) const TIE: u64 = 32;
/// To look at the row of a slot that a walk comes to.
pub(super) const WALKED_ROW: u64 = 32;
/// To test the signature of a slot that a walk along any order comes to.
pub(super) const WALKED_SIGNATURE: u64 = 16;
/// To go through a slot of an interval.
pub(super) const LISTED_SLOT: u64 = 1;
/// To look for a text in a case's name and title; and for how many bytes of them a nanosecond more.
pub(super) const TEXT_TEST: u64 = 150;
pub(super) const SEARCHED: usize = 8;
/// To look up the slots of a term, to take over one of them, and to go through their bit set.
pub(super) const TERM: u64 = 4;
pub(super) const SLOT: u64 = 2;
pub(super) const TERMS_PASS: u64 = 2000;
/// To count a slot of an order, where a bit set tells whether it is a match.
pub(super) const COUNTED_SLOT: u64 = 1;
/// To hand on a match of one segment, among those of others; and where texts of them are compared.
pub(super) const HANDED_ON: u64 = 100;
pub(super) const TEXT_HANDED_ON: u64 = 400;

/// To go through the signatures of all slots of a segment.
pub(super) fn column_cost(segment: &Segment) -> u64 {
    segment.slots().div_ceil(64) as u64 * COLUMN_WORD
}
