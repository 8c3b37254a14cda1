//! Sets of matches: the slots of one segment, in whichever form they were found.
//!
//! Useful for whoever goes through matches, counts or tests them: what form they have is asked here
//! and where they are walked (`merge`). Not for how they are found: `scan` does that.

use super::interval::{Interval, each_listed_within, is_sooner_listed, nearer};
use super::plan::Plan;
use super::signature_docs::{counted, each_of_signatures};
use super::signatures::Signatures;
use crate::index::{BitSet, Half, MAX_COUNTED, Ordinal, Segment, code};

/// The matches of one segment.
#[derive(Debug)]
pub(super) struct SegmentMatches<'i> {
    pub(super) segment: &'i Segment,
    pub(super) matches: DocSet<'i>,
    /// How many.
    pub(super) count: u64,
}

/// Matches of a segment, borrowed from whoever found them.
#[derive(Clone, Copy, Debug)]
pub(super) struct MatchesRef<'a> {
    pub(super) segment: &'a Segment,
    pub(super) matches: &'a DocSet<'a>,
    /// The greatest number where nobody counted yet.
    pub(super) count: u64,
}

impl<'a> MatchesRef<'a> {
    /// Whatever has the signatures in a segment.
    pub(super) fn all_of(segment: &'a Segment) -> Self {
        static ALL: DocSet<'static> = DocSet::Signatures;
        Self { segment, matches: &ALL, count: u64::MAX }
    }
}

impl<'a> From<&'a SegmentMatches<'a>> for MatchesRef<'a> {
    fn from(SegmentMatches { segment, matches, count }: &'a SegmentMatches<'a>) -> Self {
        Self { segment, matches, count: *count }
    }
}

/// Some slots of a segment.
#[derive(Clone, Debug)]
pub(super) enum DocSet<'i> {
    /// Every live slot whose signature is left.
    Signatures,
    /// Those of them between two positions of an order.
    Range(Interval),
    /// A posting list, whole.
    Postings(Half<'i>),
    /// These, each once.
    Slots(Vec<u16>),
    /// Many.
    Bitmap(BitSet),
    /// Every live slot whose signature is left and whose texts have what is searched: each is
    /// tested when its turn comes, until that has cost `most` nanoseconds, which is what finding
    /// them by the text's terms would. Only of segments that are opened.
    TwoPhase { most: u64 },
}

impl DocSet<'_> {
    /// The same, if it was found by a text alone, without what it borrows.
    pub(super) fn of_text(self) -> DocSet<'static> {
        match self {
            Self::Slots(slots) => DocSet::Slots(slots),
            Self::Bitmap(set) => DocSet::Bitmap(set),
            // A text is asked, so its matches are one of these.
            _ => DocSet::Slots(Vec::new()),
        }
    }
}

impl MatchesRef<'_> {
    /// Hands on each match, where they were found one by one.
    fn each_found(&self, plan: &Plan<'_>, mut each: impl FnMut(u16)) {
        match self.matches {
            DocSet::Slots(slots) => {
                plan.meter.examine(slots.len());
                slots.iter().for_each(|slot| each(*slot));
            }
            DocSet::Bitmap(set) => {
                plan.meter.examine(set.len());
                set.each(each);
            }
            DocSet::Postings(list) => {
                plan.meter.examine(list.len() as usize);
                list.each(each);
            }
            DocSet::Signatures | DocSet::Range(_) | DocSet::TwoPhase { .. } => {}
        }
    }

    /// Hands on each match whose signature is among some. Cost, which the plan hears of: the
    /// matches; of an interval all slots in it, or all that have the signatures, whichever is less.
    pub(super) fn each(&self, plan: &Plan<'_>, signatures: &Signatures, mut each: impl FnMut(u16)) {
        // Slots that have the signatures, where these are gone through.
        let mut with_signature = 0;
        match self.matches {
            DocSet::Slots(_) | DocSet::Bitmap(_) | DocSet::Postings(_) => {
                // Of all signatures that the plan leaves, these are what was found already.
                if std::ptr::eq(signatures, &plan.signatures) {
                    return self.each_found(plan, each);
                }
                self.each_found(plan, |slot| {
                    if signatures.has(self.segment.signature(slot)) {
                        each(slot);
                    }
                });
            }
            DocSet::Range(own) if is_sooner_listed(self.segment, signatures, own) => {
                plan.meter.examine(counted(self.segment, signatures) as usize);
                each_listed_within(plan, self.segment, signatures, own, each);
            }
            DocSet::Range(own @ Interval { field, from, to, .. }) => {
                plan.meter.examine(own.len(self.segment) as usize);
                let order = self.segment.order(*field);
                let parts = order.parts(*from, *to);
                if signatures.is_all {
                    parts.flat_map(|part| part.slots()).for_each(|slot| each(*slot));
                } else if order.is_counted() && signatures.are_counted() {
                    let left = signatures.codes();
                    let pairs = parts.flat_map(|part| part.slots().iter().zip(part.codes()));
                    pairs.filter(|(_, code)| left.has(**code)).for_each(|(s, _)| each(*s));
                } else {
                    let has = |slot: &&u16| signatures.has(self.segment.signature(**slot));
                    parts.flat_map(|part| part.slots()).filter(has).for_each(|s| each(*s));
                }
            }
            DocSet::Signatures => each_of_signatures(self.segment, signatures, |slot| {
                with_signature += 1;
                each(slot);
            }),
            DocSet::TwoPhase { .. } => {
                let has_text = |slot: u16| {
                    plan.text.as_ref().is_none_or(|text| text.is_in(self.segment.row(slot)))
                };
                each_of_signatures(self.segment, signatures, |slot| {
                    with_signature += 1;
                    if has_text(slot) {
                        each(slot);
                    }
                });
            }
        }
        plan.meter.examine(with_signature);
    }
}

impl SegmentMatches<'_> {
    /// Adds how many matches have each counted signature to others, all past them as one; `past`
    /// is given the signature of each of these. The first may count some that are not left.
    pub(super) fn count_codes(
        &self,
        plan: &Plan<'_>,
        counts: &mut [u32],
        mut past: impl FnMut(Ordinal),
    ) {
        let segment = self.segment;
        let has_past = segment.counts().flatten().nth(MAX_COUNTED).is_some_and(|count| *count > 0);
        let count = |slot: u16| {
            let signature = segment.signature(slot);
            if let Some(count) = counts.get_mut(usize::from(code(signature))) {
                *count += 1;
            }
            if signature as usize >= MAX_COUNTED {
                past(signature);
            }
        };
        match &self.matches {
            DocSet::Signatures if !has_past => add_pages(counts, segment.counts()),
            DocSet::Range(Interval { field, from, to, .. })
                if !has_past && segment.order(*field).is_counted() =>
            {
                let order = segment.order(*field);
                let (is_most, parts) = nearer(order, *from, *to);
                // Of most of an order, what lies beside it is taken off all.
                if is_most {
                    add_pages(counts, segment.counts());
                }
                let change = |count: &mut u32, by: u32| {
                    *count = count.wrapping_add(if is_most { by.wrapping_neg() } else { by });
                };
                for part in parts.into_iter().flat_map(|(from, to)| order.parts(from, to)) {
                    if part.is_whole() {
                        let both = counts.iter_mut().zip(part.run.counts());
                        both.for_each(|(count, times)| change(count, u32::from(*times)));
                    } else {
                        let codes = part.codes().iter();
                        codes.for_each(|code| change(&mut counts[usize::from(*code)], 1));
                    }
                }
            }
            _ => MatchesRef::from(self).each(plan, &plan.signatures, count),
        }
    }
}

/// Adds numbers to others, in pages.
fn add_pages<'c>(mut sums: &mut [u32], pages: impl Iterator<Item = &'c [u32]>) {
    for page in pages {
        let (own, rest) = sums.split_at_mut(page.len().min(sums.len()));
        own.iter_mut().zip(page).for_each(|(sum, count)| *sum += count);
        sums = rest;
    }
}
