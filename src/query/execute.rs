//! Which cases match, in the whole scope: segment by segment, or not at all where counts tell.

use std::cell::{Cell, OnceCell};

use super::cost::STEP;
use super::docset::{DocSet, Form, SegmentMatches};
use super::plan::Plan;
use super::scan::in_segment;
use super::spread;
use super::value_range::{created_keys, due_keys};
use crate::index::{Field, MAX_COUNTED, Segment, Zone};

/// What was found in the whole scope.
#[derive(Debug, Default)]
pub(super) struct Matched<'i> {
    /// The segments that have matches, where they had to be gone through.
    pub(super) found: Vec<SegmentMatches<'i>>,
    /// Whether matches are whatever has the signatures, and the text if one is asked, in any
    /// segment: those that are needed are opened.
    pub(super) is_everywhere: bool,
    pub(super) total: u64,
    /// Where a text's counts tell the total, how many cases have one of the signatures.
    candidates: u64,
    /// Whether more texts had to be tested somewhere than was expected: matches and signatures
    /// hang together, and what is left is found by terms.
    is_misjudged: Cell<bool>,
    /// What was found in segments that were opened.
    opened: OnceCell<Box<boxcar::Vec<Form<'static>>>>,
}

impl<'i> Matched<'i> {
    /// What was found, segment by segment.
    pub(super) fn of(found: Vec<SegmentMatches<'i>>) -> Self {
        let total = found.iter().map(|found| found.count).sum();
        Self { found, total, ..Self::default() }
    }

    /// Every segment's matches; of a text that is asked everywhere, whatever has the signatures.
    pub(super) fn docs<'a>(&'a self, plan: &'a Plan<'a>) -> impl Iterator<Item = DocSet<'a>> {
        let segments = self.is_everywhere.then(|| plan.index.segments().iter());
        let all = segments.into_iter().flatten();
        let all = all.map(move |segment| DocSet::of_signatures(plan, segment));
        let all = all.chain(self.found.iter().map(move |found| DocSet::of(plan, found)));
        all.take_while(|_| !plan.meter.is_over())
    }
}

impl Matched<'_> {
    /// A segment to go through, `wanted` matches of it if it has as many; nothing where it has
    /// none. Whether its texts are tested one by one, or found by their terms, is a guess from the
    /// total: a walk that tests gives up (`find`) once it has cost as much as the other way.
    pub(super) fn open<'a>(
        &'a self,
        plan: &'a Plan<'a>,
        segment: &'a Segment,
        wanted: u64,
    ) -> Option<DocSet<'a>> {
        if plan.meter.is_over() {
            return None;
        }
        let Some(text) = &plan.text else { return Some(DocSet::of_signatures(plan, segment)) };
        let candidates = plan.signatures.count_in(segment);
        let expected = u128::from(self.total) * u128::from(candidates);
        let expected = expected.div_ceil(u128::from(self.candidates.max(1))) as u64;
        let share = |part: u64| {
            let walked = u128::from(part) * u128::from(wanted);
            walked.checked_div(u128::from(expected)).map_or(part, |own| part.min(own as u64))
        };
        // A walk goes past those of other signatures, and tests the rest.
        let walk = text.test_cost(share(candidates)) + share(segment.live().into()) * STEP;
        let most = text.terms_cost(segment);
        if walk >= most || self.is_misjudged.get() {
            return self.find(plan, segment);
        }
        Some(DocSet::opened(plan, segment, self.keep(Form::TwoPhase { most }), expected.max(1)))
    }

    /// A segment's matches, found by the text's terms; nothing where it has none.
    pub(super) fn find<'a>(
        &'a self,
        plan: &'a Plan<'a>,
        segment: &'a Segment,
    ) -> Option<DocSet<'a>> {
        let SegmentMatches { form, count, .. } =
            in_segment(plan, segment).filter(|found| found.count > 0)?;
        Some(DocSet::opened(plan, segment, self.keep(form.of_text()), count))
    }

    fn keep(&self, form: Form<'static>) -> &Form<'static> {
        let opened = self.opened.get_or_init(Box::default);
        &opened[opened.push(form)]
    }

    /// Hears that a walk has given up.
    pub(super) fn misjudged(&self) {
        self.is_misjudged.set(true);
    }
}

/// Finds every match. Where counts say all, no segment is looked at.
pub(super) fn execute<'i>(plan: &Plan<'i>) -> Matched<'i> {
    let mut matched = Matched::default();
    if plan.is_empty() {
        return matched;
    }
    if plan.is_counted() {
        matched.total = counted_in_scope(plan);
        matched.is_everywhere = true;
        return matched;
    }
    if let Some(total) = plan.counted_text() {
        matched.total = total;
        matched.candidates = counted_in_scope(plan);
        matched.is_everywhere = total > 0;
        return matched;
    }
    in_segments(plan)
}

/// Finds every match, segment by segment.
pub(super) fn in_segments<'i>(plan: &Plan<'i>) -> Matched<'i> {
    let segments: Vec<&'i Segment> = match zones_within(plan) {
        Some(zones) => zones.iter().filter_map(|zone| plan.index.at(zone)).collect(),
        None => plan.index.segments().iter().map(|segment| &**segment).collect(),
    };
    let find = |segment: &&'i Segment| {
        let is_on = !plan.meter.is_over();
        is_on.then(|| in_segment(plan, segment)).flatten().filter(|found| found.count > 0)
    };
    Matched::of(spread::each(&segments, plan.pool, || plan.meter.spent(), find))
}

/// The segments that a range of dates meets, and perhaps others; nothing where no range is asked.
fn zones_within<'i>(plan: &Plan<'i>) -> Option<&'i [Zone]> {
    let zones = plan.index.zone_map();
    let created = plan.created.map(created_keys);
    let due = plan.due.map(due_keys);
    let within = [(Field::Created, created), (Field::Due, due)].into_iter();
    let within = within.filter_map(|(field, keys)| keys.map(|(f, l)| zones.within(field, f, l)));
    within.min_by_key(|zones| zones.len())
}

/// How many live cases of the scope have one of the signatures that are left. Cost: past the
/// counted signatures those that are left, or where these are all unresolved or all done ones, the
/// segments.
fn counted_in_scope(plan: &Plan<'_>) -> u64 {
    let (signatures, counts) = (&plan.signatures, plan.index.counts());
    if signatures.is_all {
        return plan.index.len();
    }
    if let Some(mask) = signatures.run_mask().filter(|_| counts.len() <= MAX_COUNTED) {
        return mask.count(counts.pages());
    }
    if plan.halves_say_all && plan.halves.0 != plan.halves.1 {
        let segments = plan.index.segments().iter();
        let unresolved = segments.map(|segment| segment.lists().unresolved.len() as u64).sum();
        return if plan.halves.0 { unresolved } else { plan.index.len() - unresolved };
    }
    let count = |ordinal: u32| counts.get(ordinal as usize).copied().unwrap_or(0);
    signatures.iter().map(|ordinal| u64::from(count(ordinal))).sum()
}
