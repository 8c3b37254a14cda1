//! Which cases match, a segment at a time: by the shortest lead, the other clauses tested on it.

use std::cell::{Cell, OnceCell};

use crate::index::{
    BitSet, Field, Half, MAX_COUNTED, NONE, Order, Ordinal, Position, PostingList, Postings, Row,
    SIGNATURES, Segment, Zone, code, sized,
};

use super::interval::Interval;
use super::plan::{Listed, Plan, Signatures};
use super::spread;
use super::text::{Slots, Text};

/// What it costs to look at a case's row, in tests of its signature.
const ROW: u64 = 8;

/// What it costs to go through a candidate; to test the signature of a case among few of its
/// segment, its code in an order, and to look at its row; to sum the counts of a run; to take up a
/// list, to put one of its cases into a bit set, and to go through a bit set: in nanoseconds,
/// about.
const CANDIDATE: u64 = 3;
const SIGNATURE_TEST: u64 = 6;
const CODE_TEST: u64 = 1;
const ROW_TEST: u64 = 16;
const RUN_SUM: u64 = sized(60, 4) as u64;
const LIST: u64 = sized(100, 1) as u64;
const INSERT: u64 = 2;
const PASS: u64 = sized(1500, 1) as u64;

/// What it costs to go on by a slot along an order, in nanoseconds, about.
pub(super) const STEP: u64 = 2;

/// Up to how many candidates no shorter lead is looked for among the signatures.
const SHORT: u64 = 512;

/// How many slots are tested together.
const SOME: usize = 128;

/// The matches of one segment.
#[derive(Debug)]
pub(super) struct Found<'i> {
    pub(super) segment: &'i Segment,
    pub(super) matches: Matches<'i>,
    /// How many.
    pub(super) count: u64,
}

/// The same, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) segment: &'a Segment,
    pub(super) matches: &'a Matches<'a>,
    /// The greatest number where nobody counted yet.
    pub(super) count: u64,
}

impl<'a> Part<'a> {
    /// Whatever has the signatures in a segment.
    pub(super) fn all_of(segment: &'a Segment) -> Self {
        static ALL: Matches<'static> = Matches::Signatures;
        Self { segment, matches: &ALL, count: u64::MAX }
    }
}

impl<'a> From<&'a Found<'a>> for Part<'a> {
    fn from(Found { segment, matches, count }: &'a Found<'a>) -> Self {
        Self { segment, matches, count: *count }
    }
}

/// Some slots of a segment.
#[derive(Clone, Debug)]
pub(super) enum Matches<'i> {
    /// Every live slot whose signature is left.
    Signatures,
    /// Those of them between two positions of an order.
    Between(Interval),
    /// A posting list, whole.
    Posted(Half<'i>),
    /// These, each once.
    Listed(Vec<u16>),
    /// Many.
    BitSet(BitSet),
    /// Every live slot whose signature is left and whose texts have what is searched: each is
    /// tested when its turn comes, until that has cost `most` nanoseconds, which is what finding
    /// them by the text's terms would. Only of segments that are opened.
    Tested { most: u64 },
}

impl Matches<'_> {
    /// The same, if it was found by a text alone, without what it borrows.
    fn of_text(self) -> Matches<'static> {
        match self {
            Self::Listed(slots) => Matches::Listed(slots),
            Self::BitSet(set) => Matches::BitSet(set),
            // A text is asked, so its matches are one of these.
            _ => Matches::Listed(Vec::new()),
        }
    }
}

/// What was found in the whole scope.
#[derive(Debug, Default)]
pub(super) struct Matched<'i> {
    /// The segments that have matches, where they had to be gone through.
    pub(super) found: Vec<Found<'i>>,
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
    opened: OnceCell<Box<boxcar::Vec<Matches<'static>>>>,
}

impl<'i> Matched<'i> {
    /// What was found, segment by segment.
    pub(super) fn of(found: Vec<Found<'i>>) -> Self {
        let total = found.iter().map(|found| found.count).sum();
        Self { found, total, ..Self::default() }
    }

    /// Every segment's matches; of a text that is asked everywhere, whatever has the signatures.
    pub(super) fn parts<'a>(&'a self, plan: &'a Plan<'a>) -> impl Iterator<Item = Part<'a>> {
        let segments = self.is_everywhere.then(|| plan.index.segments().iter());
        let all = segments.into_iter().flatten().map(|segment| Part::all_of(segment));
        all.chain(self.found.iter().map(Part::from))
    }
}

impl Matched<'_> {
    /// A segment to go through, `wanted` matches of it if it has as many; nothing where it has
    /// none. Whether its texts are tested one by one, or found by their terms, is a guess from the
    /// total: a walk that tests gives up (`find`) once it has cost as much as the other way.
    pub(super) fn open<'a>(
        &'a self,
        plan: &Plan<'_>,
        segment: &'a Segment,
        wanted: u64,
    ) -> Option<Part<'a>> {
        let Some(text) = &plan.text else { return Some(Part::all_of(segment)) };
        let candidates = counted(segment, &plan.signatures);
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
        Some(Part { segment, matches: self.keep(Matches::Tested { most }), count: expected.max(1) })
    }

    /// A segment's matches, found by the text's terms; nothing where it has none.
    pub(super) fn find<'a>(&'a self, plan: &Plan<'_>, segment: &'a Segment) -> Option<Part<'a>> {
        let found = in_segment(plan, segment).filter(|found| found.count > 0)?;
        let count = found.count;
        Some(Part { segment, matches: self.keep(found.matches.of_text()), count })
    }

    fn keep(&self, matches: Matches<'static>) -> &Matches<'static> {
        let opened = self.opened.get_or_init(Box::default);
        &opened[opened.push(matches)]
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
    let find = |segment: &&'i Segment| in_segment(plan, segment).filter(|found| found.count > 0);
    Matched::of(spread::each(&segments, plan.pool, || plan.spent(), find))
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
    if counts.len() <= MAX_COUNTED {
        return signatures.count(counts.pages());
    }
    if plan.halves_say_all && plan.halves.0 != plan.halves.1 {
        let segments = plan.index.segments().iter();
        let unresolved = segments.map(|segment| segment.lists().unresolved.len() as u64).sum();
        return if plan.halves.0 { unresolved } else { plan.index.len() - unresolved };
    }
    let count = |ordinal: u32| counts.get(ordinal as usize).copied().unwrap_or(0);
    signatures.iter().map(|ordinal| u64::from(count(ordinal))).sum()
}

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

/// What may lead: the slots that one clause leaves.
enum Lead {
    Created(Position, Position),
    Due(Position, Position),
    List(Listed),
    Signatures,
    /// What was united before, by the text and other clauses.
    BitSet,
}

/// Which clauses are left to be tested.
struct Rest<'a, 'i> {
    plan: &'a Plan<'i>,
    segment: &'a Segment,
    signatures: bool,
    /// The column of signatures by its pages, where many slots are tested: a test is then a look
    /// at one place.
    pages: Vec<&'a [Ordinal]>,
    created: bool,
    due: bool,
    queues: bool,
    assignees: bool,
    /// Where the lists of terms were united, the slots that have them.
    set: Option<&'a BitSet>,
    text: bool,
}

impl Rest<'_, '_> {
    fn is_nothing(&self) -> bool {
        !(self.signatures || self.created || self.due || self.queues || self.assignees || self.text)
            && self.set.is_none()
    }

    #[inline]
    fn signature(&self, slot: u16) -> Ordinal {
        match self.pages.get(usize::from(slot) / SIGNATURES) {
            Some(page) => page[usize::from(slot) % SIGNATURES],
            None => self.segment.signature(slot),
        }
    }

    /// Puts those of some live slots that pass after others; the cheap tests first. Of most
    /// questions some pass and some do not, and nobody can guess which: where tests are cheap, they
    /// are made without a branch.
    fn sift(&self, some: &mut [u16], passed: &mut Vec<u16>) {
        let Self { plan, segment, .. } = self;
        let mut count = some.len();
        if let Some(set) = self.set {
            count = keep(&mut some[..count], |slot| set.has(slot));
        }
        if self.signatures {
            count = if plan.signatures.are_counted() {
                let left = plan.signatures.codes();
                keep(&mut some[..count], |slot| left.has(code(self.signature(slot))))
            } else {
                keep(&mut some[..count], |slot| plan.signatures.has(self.signature(slot)))
            };
        }
        if self.created || self.due || self.queues || self.assignees || self.text {
            count = keep(&mut some[..count], |slot| self.admits(segment.row(slot)));
        }
        passed.extend_from_slice(&some[..count]);
    }

    /// Whether a row is as asked.
    #[inline]
    fn admits(&self, row: &Row) -> bool {
        let plan = self.plan;
        let within = |at: i64, range: Option<(i64, i64)>| {
            range.is_none_or(|(first, last)| first <= at && at <= last)
        };
        let among = |own: u32, list: &Option<Vec<u32>>| {
            list.as_ref().is_none_or(|list| list.binary_search(&own).is_ok())
        };
        (!self.created || within(row.created, plan.created))
            && (!self.due || within(row.due, plan.due))
            && (!self.assignees || among(row.assignee, &plan.assignees))
            && (!self.queues || {
                let own = plan.index.catalog().queue_sets.get(row.queues);
                own.iter().any(|queue| among(*queue, &plan.queues))
            })
            && (!self.text || plan.text.as_ref().is_none_or(|text| text.is_in(row)))
    }
}

/// Moves slots that are as asked to the zone; gives how many they are.
#[inline]
fn keep(slots: &mut [u16], is: impl Fn(u16) -> bool) -> usize {
    let mut count = 0;
    for at in 0..slots.len() {
        let slot = slots[at];
        slots[count] = slot;
        count += usize::from(is(slot));
    }
    count
}

/// Finds the matches of one segment; nothing where no clause can leave any.
fn in_segment<'i>(plan: &Plan<'_>, segment: &'i Segment) -> Option<Found<'i>> {
    if let Some((field, ordinal)) = plan.only_half_list() {
        let list = half_of(plan, lists_of(segment, field).get(ordinal)?);
        return Some(Found { segment, count: list.len(), matches: Matches::Posted(list) });
    }
    let order = segment.order(Field::Created);
    let due_order = segment.order(Field::Due);
    // A segment that a range covers need not be asked about it.
    let within = |field: Field, keys: Option<(u64, u64)>| {
        let order = segment.order(field);
        let range = keys.map(|keys| positions(plan, segment, field, keys));
        range.filter(|(from, to)| *from != order.start() || *to != order.end())
    };
    let created = within(Field::Created, plan.created.map(created_keys));
    let due = within(Field::Due, plan.due.map(due_keys));
    if [created, due].into_iter().flatten().any(|(from, to)| from >= to) {
        return None;
    }
    if plan.asks_only_dates() {
        let only = match (created, due) {
            (None, None) => {
                let count = counted(segment, &plan.signatures);
                return Some(Found { segment, matches: Matches::Signatures, count });
            }
            (Some((from, to)), None) => Some((Field::Created, from, to)),
            (None, Some((from, to))) => Some((Field::Due, from, to)),
            _ => None,
        };
        if let Some((field, from, to)) = only {
            let interval = Interval::new(segment, field, (from, to))?;
            // Few cases of the signatures are looked at one by one.
            let listed = counted(segment, &plan.signatures).saturating_mul(ROW_TEST);
            if counting_cost(segment, &plan.signatures, &interval) <= listed {
                let count = count_between(plan, segment, &plan.signatures, &interval);
                return Some(Found { segment, matches: Matches::Between(interval), count });
            }
        }
    }
    let list = |field: Listed| {
        plan.values(field).map(|_| (listed_len(plan, segment, field), Lead::List(field)))
    };
    let leads = [
        list(Listed::Queues),
        list(Listed::Assignees),
        created.map(|(from, to)| (order.distance(from, to) as u64, Lead::Created(from, to))),
        due.map(|(from, to)| (due_order.distance(from, to) as u64, Lead::Due(from, to))),
    ];
    let mut lead = leads.into_iter().flatten().min_by_key(|(count, _)| *count);
    if lead.as_ref().is_none_or(|(count, _)| *count > SHORT) {
        // Summing counts costs as much as looking at some cases.
        let count = counted(segment, &plan.signatures);
        // Of listed cases the signature is tested first, which is near at hand; who is in the list
        // of a case of the signatures is told by its row.
        let by_list = matches!(lead, Some((_, Lead::List(_))));
        let cost = if by_list { count.saturating_mul(ROW) } else { count };
        if lead.as_ref().is_none_or(|(least, _)| cost < *least) {
            lead = Some((count, Lead::Signatures));
        }
    }
    let (count, lead) = lead.filter(|(count, _)| *count > 0)?;
    // Either the terms tell which slots have the text, or it is looked for in those of the lead.
    let text_cost = |text: &Text<'_>| text.terms_cost(segment).min(text.test_cost(count));
    plan.spend(count * CANDIDATE + plan.text.as_ref().map_or(0, text_cost));
    let is_wanted = |slot: u16| plan.signatures.has(segment.signature(slot));
    let by_terms = plan.text.as_ref().and_then(|text| {
        let most = text.test_cost(count);
        let is_cheap = text.terms_cost(segment) < most;
        is_cheap.then(|| text.slots(segment, most, is_wanted)).flatten()
    });
    let is_tested = plan.text.is_some() && by_terms.is_none();
    let (mut set, few) = match by_terms {
        Some(Slots::Many(set)) => (Some(set), None),
        Some(Slots::Few(few)) => (None, Some(few)),
        None => (None, None),
    };
    // All unresolved, or all done: that is a bit set too.
    let by_half = plan.halves_say_all && plan.halves.0 != plan.halves.1;
    if by_half && let Some(set) = &mut set {
        if plan.halves.0 {
            set.intersect_kept(&segment.lists().unresolved);
        } else {
            set.subtract_kept(&segment.lists().unresolved);
        }
    }
    let mut asked = Asked {
        signatures: !(plan.signatures.is_all || by_half && set.is_some()),
        queues: plan.queues.is_some(),
        assignees: plan.assignees.is_some(),
    };
    if few.is_none() {
        asked.gather(plan, segment, &lead, count, &mut set);
    }
    let matching = set.as_ref().map_or(u64::MAX, |set| set.len() as u64);
    let lead = if matching <= count || few.is_some() { Lead::BitSet } else { lead };
    let by_lists = matches!(lead, Lead::List(_));
    let signatures =
        asked.signatures && !(matches!(lead, Lead::Signatures) || by_lists && plan.halves_say_all);
    let has_many = signatures && count.min(matching) > SHORT;
    let rest = Rest {
        plan,
        segment,
        signatures,
        pages: if has_many { segment.signatures().collect() } else { Vec::new() },
        created: created.is_some() && !matches!(lead, Lead::Created(..)),
        due: due.is_some() && !matches!(lead, Lead::Due(..)),
        queues: asked.queues && !matches!(lead, Lead::List(Listed::Queues)),
        assignees: asked.assignees && !matches!(lead, Lead::List(Listed::Assignees)),
        text: is_tested,
        set: set.as_ref().filter(|_| !matches!(lead, Lead::BitSet)),
    };
    if rest.is_nothing()
        && matches!(lead, Lead::BitSet)
        && let Some(set) = set
    {
        return Some(Found { segment, count: matching, matches: Matches::BitSet(set) });
    }
    if rest.is_nothing()
        && let Some(list) = only_list(plan, segment, &lead)
    {
        return Some(Found { segment, count, matches: Matches::Posted(list) });
    }
    let slots = follow(plan, segment, &lead, set.as_ref(), few.as_deref(), &rest);
    Some(Found { segment, count: slots.len() as u64, matches: Matches::Listed(slots) })
}

/// The lists of a field that has them.
fn lists_of(segment: &Segment, field: Listed) -> &Postings {
    match field {
        Listed::Queues => &segment.lists().queues,
        Listed::Assignees => &segment.lists().assignees,
    }
}

/// The lists of a field's values that are asked.
fn listed<'i>(
    plan: &Plan<'_>,
    segment: &'i Segment,
    field: Listed,
) -> impl Iterator<Item = &'i PostingList> {
    let values = plan.values(field).unwrap_or_default().iter();
    values.filter_map(move |value| lists_of(segment, field).get(*value))
}

/// The half that is asked, where one is.
fn half_of<'i>(plan: &Plan<'_>, list: &'i PostingList) -> Half<'i> {
    if plan.halves.0 { list.unresolved() } else { list.done() }
}

/// Which clauses are asked besides what a bit set says already.
struct Asked {
    signatures: bool,
    queues: bool,
    assignees: bool,
}

impl Asked {
    /// Lets the set tell of those clauses whose lists are sooner united than `count` candidates
    /// are tested.
    fn gather(
        &mut self,
        plan: &Plan<'_>,
        segment: &Segment,
        lead: &Lead,
        count: u64,
        set: &mut Option<BitSet>,
    ) {
        let candidates = set.as_ref().map_or(count, |set| count.min(set.len() as u64));
        let is_worth_it = |lists: usize, slots: u64, test: u64| {
            lists as u64 * LIST + slots * INSERT + PASS < candidates * test
        };
        let lists = plan.signatures.len();
        let posted = !matches!(lead, Lead::Signatures) && self.signatures;
        let by_lists = matches!(lead, Lead::List(_)) && plan.halves_say_all;
        if posted && !by_lists && lists as u64 * LIST + PASS < candidates * SIGNATURE_TEST {
            let listed = counted(segment, &plan.signatures);
            if is_listed(segment, listed) && is_worth_it(lists, listed, SIGNATURE_TEST) {
                unite(set, |own| {
                    each_of_signatures(segment, &plan.signatures, |slot| own.insert(slot));
                });
                self.signatures = false;
            }
        }
        for (asked, field) in
            [(&mut self.queues, Listed::Queues), (&mut self.assignees, Listed::Assignees)]
        {
            let leads = matches!(lead, Lead::List(own) if *own == field);
            let values = plan.values(field).unwrap_or_default();
            let slots = || listed_len(plan, segment, field);
            // Several lists of queues that lead are united in any case: none of their slots may
            // come twice. A case has one assignee.
            let is_whole = || plan.halves_say_all && slots() > SHORT;
            let is_united = leads && values.len() > 1 && (field == Listed::Queues || is_whole());
            if *asked && (is_united || !leads && is_worth_it(values.len(), slots(), ROW_TEST)) {
                unite(set, |own| each_listed(plan, segment, field, |slot| own.insert(slot)));
                *asked = false;
                // Only halves that are asked are taken up.
                self.signatures &= !plan.halves_say_all;
            }
        }
    }
}

/// Leaves of a bit set what `insert` puts into another one, which it is where there is none yet.
fn unite(set: &mut Option<BitSet>, insert: impl FnOnce(&mut BitSet)) {
    let mut united = BitSet::default();
    insert(&mut united);
    match set {
        Some(set) => _ = set.intersect(&united),
        None => *set = Some(united),
    }
}

/// Whether the slots of signatures are found by their lists, and not by the column.
fn is_listed(segment: &Segment, count: u64) -> bool {
    count < segment.slots() as u64 / 8
}

/// The posting list that is the whole lead, where it is one.
fn only_list<'i>(plan: &Plan<'_>, segment: &'i Segment, lead: &Lead) -> Option<Half<'i>> {
    let Lead::List(field) = lead else { return None };
    let mut split = listed(plan, segment, *field);
    let (list, None) = (split.next()?, split.next()) else { return None };
    match plan.halves {
        (true, false) | (false, true) => Some(half_of(plan, list)),
        _ if list.done().is_empty() => Some(list.unresolved()),
        _ if list.unresolved().is_empty() => Some(list.done()),
        _ => None,
    }
}

/// The slots of a lead that pass the rest.
fn follow(
    plan: &Plan<'_>,
    segment: &Segment,
    lead: &Lead,
    set: Option<&BitSet>,
    few: Option<&[u16]>,
    rest: &Rest<'_, '_>,
) -> Vec<u16> {
    let mut slots = Vec::new();
    let mut examined = 0;
    // Some at a time.
    let (mut some, mut count) = ([0; SOME], 0);
    let mut test = |slot: u16| {
        some[count] = slot;
        count += 1;
        if count == SOME {
            rest.sift(&mut some, &mut slots);
            examined += SOME;
            count = 0;
        }
    };
    match lead {
        Lead::Created(from, to) => {
            segment.order(Field::Created).between(*from, *to).for_each(&mut test);
        }
        Lead::Due(from, to) => {
            segment.order(Field::Due).between(*from, *to).for_each(&mut test);
        }
        Lead::BitSet => {
            few.into_iter().flatten().for_each(|slot| test(*slot));
            set.into_iter().for_each(|set| set.each(&mut test));
        }
        Lead::Signatures => each_of_signatures(segment, &plan.signatures, &mut test),
        // One list of queues: several are united.
        Lead::List(field) => each_listed(plan, segment, *field, &mut test),
    }
    rest.sift(&mut some[..count], &mut slots);
    plan.examine(examined + count);
    slots
}

/// Hands on the slots of a half or two of each list; a slot of several lists as often.
fn each_listed(plan: &Plan<'_>, segment: &Segment, field: Listed, mut each: impl FnMut(u16)) {
    let split = listed(plan, segment, field);
    let halves = split.flat_map(|list| {
        let unresolved = plan.halves.0.then(|| list.unresolved());
        unresolved.into_iter().chain(plan.halves.1.then(|| list.done()))
    });
    halves.for_each(|half| half.each(&mut each));
}

/// Hands on the live slots of some signatures: by their lists where these are short, else by the
/// column.
fn each_of_signatures(segment: &Segment, signatures: &Signatures, mut each: impl FnMut(u16)) {
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

/// How many slots the asked halves of a field's lists have, those of several as often.
fn listed_len(plan: &Plan<'_>, segment: &Segment, field: Listed) -> u64 {
    listed(plan, segment, field).map(|list| half_len(plan, list)).sum()
}

fn half_len(plan: &Plan<'_>, list: &PostingList) -> u64 {
    let half = |asked: bool, half: Half<'_>| if asked { half.len() } else { 0 };
    half(plan.halves.0, list.unresolved()) + half(plan.halves.1, list.done())
}

/// The parts of an order that tell of a range: its own, or where it is most of the order, what lies
/// beside it.
fn nearer(order: &Order, from: Position, to: Position) -> (bool, [(Position, Position); 2]) {
    let (start, end) = (order.start(), order.end());
    let is_most = (to.run - from.run) * 2 > end.run;
    (is_most, if is_most { [(start, from), (to, end)] } else { [(from, to), (end, end)] })
}

/// Whether those slots of an interval that have some signatures are sooner found by these than
/// along the order.
fn is_sooner_listed(segment: &Segment, signatures: &Signatures, interval: &Interval) -> bool {
    if signatures.is_all {
        return false;
    }
    let is_by_code = segment.order(interval.field).is_counted() && signatures.are_counted();
    let test = if is_by_code { CODE_TEST } else { SIGNATURE_TEST };
    // Of each listed case and of the interval's ends the rows are looked at.
    let listed = counted(segment, signatures).saturating_mul(3 * ROW_TEST);
    listed < interval.len(segment) * test
}

/// Hands on the slots of some signatures that are in an interval. Cost: a look at each of the
/// signatures' slots.
fn each_listed_within(
    plan: &Plan<'_>,
    segment: &Segment,
    signatures: &Signatures,
    interval: &Interval,
    mut each: impl FnMut(u16),
) {
    each_of_signatures(segment, signatures, |slot| {
        if interval.has(plan.index.catalog(), segment, slot) {
            each(slot);
        }
    });
}

/// What `count_between` costs, in nanoseconds, about.
fn counting_cost(segment: &Segment, signatures: &Signatures, interval: &Interval) -> u64 {
    if signatures.is_all {
        return 0;
    }
    let order = segment.order(interval.field);
    let (_, parts) = nearer(order, interval.from, interval.to);
    let cost = |(from, to): (Position, Position)| {
        let runs = (to.run - from.run) as u64;
        if order.is_counted() && signatures.are_counted() {
            // Of the runs where it begins and ends, codes are looked at.
            runs * RUN_SUM + (from.index + to.index) as u64 * CODE_TEST
        } else {
            order.distance(from, to) as u64 * SIGNATURE_TEST
        }
    };
    parts.into_iter().map(cost).sum()
}

/// How many slots between two positions of an order have one of the signatures. Cost: the runs of
/// the nearer part; where these do not count signatures, its slots or those of the signatures,
/// whichever are fewer.
pub(super) fn count_between(
    plan: &Plan<'_>,
    segment: &Segment,
    signatures: &Signatures,
    interval: &Interval,
) -> u64 {
    let order = segment.order(interval.field);
    if signatures.is_all {
        return interval.len(segment);
    }
    let by_runs = order.is_counted() && signatures.are_counted();
    if !by_runs && is_sooner_listed(segment, signatures, interval) {
        let mut count = 0;
        plan.examine(counted(segment, signatures) as usize);
        each_listed_within(plan, segment, signatures, interval, |_| count += 1);
        return count;
    }
    let (is_most, parts) = nearer(order, interval.from, interval.to);
    let mut count = 0;
    for part in parts.into_iter().flat_map(|(from, to)| order.parts(from, to)) {
        count += if by_runs {
            let (count, examined) = signatures.count_part(&part);
            plan.examine(examined);
            count
        } else {
            let slots = part.slots();
            plan.examine(slots.len());
            slots.iter().filter(|slot| signatures.has(segment.signature(**slot))).count()
        };
    }
    if is_most { counted(segment, signatures) - count as u64 } else { count as u64 }
}

/// The keys of the cases created within a range, first and last. They run against the dates.
fn created_keys((first, last): (i64, i64)) -> (u64, u64) {
    let key = |date: i64| !(date as u64 ^ 1 << 63);
    (key(last), key(first))
}

/// The keys of the cases due within a range, first and last.
fn due_keys((first, last): (i64, i64)) -> (u64, u64) {
    let key = |date: i64| (date as u64 ^ 1 << 63).wrapping_sub(1);
    (key(first), key(last))
}

/// Where the cases with keys within bounds stand in an order.
fn positions(
    plan: &Plan<'_>,
    segment: &Segment,
    field: Field,
    (first, last): (u64, u64),
) -> (Position, Position) {
    let order = segment.order(field);
    // A segment that lies apart, or within, is told by its ends.
    let ends = segment.ends(field);
    if ends.first > last || ends.last < first {
        return (order.end(), order.end());
    }
    if first <= ends.first && ends.last <= last && !ends.has_missing {
        return (order.start(), order.end());
    }
    let of = |slot: u16| field.key(plan.index.catalog(), segment.spot(slot));
    (order.at_key(first, of), order.at_key(last.saturating_add(1), of))
}

impl Part<'_> {
    /// Hands on each match, where they were found one by one.
    fn each_found(&self, mut each: impl FnMut(u16)) {
        match self.matches {
            Matches::Listed(slots) => slots.iter().for_each(|slot| each(*slot)),
            Matches::BitSet(set) => set.each(each),
            Matches::Posted(list) => list.each(each),
            Matches::Signatures | Matches::Between(_) | Matches::Tested { .. } => {}
        }
    }

    /// Hands on each match whose signature is among some. Cost, which the plan hears of: the
    /// matches; of an interval all slots in it, or all that have the signatures, whichever is less.
    pub(super) fn each(&self, plan: &Plan<'_>, signatures: &Signatures, mut each: impl FnMut(u16)) {
        plan.examine(self.looked_at(signatures) as usize);
        match self.matches {
            Matches::Listed(_) | Matches::BitSet(_) | Matches::Posted(_) => {
                // Of all signatures that the plan leaves, these are what was found already.
                if std::ptr::eq(signatures, &plan.signatures) {
                    return self.each_found(each);
                }
                self.each_found(|slot| {
                    if signatures.has(self.segment.signature(slot)) {
                        each(slot);
                    }
                });
            }
            Matches::Between(own) if is_sooner_listed(self.segment, signatures, own) => {
                each_listed_within(plan, self.segment, signatures, own, each);
            }
            Matches::Between(Interval { field, from, to, .. }) => {
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
            Matches::Signatures => each_of_signatures(self.segment, signatures, each),
            Matches::Tested { .. } => {
                let has_text = |slot: u16| {
                    plan.text.as_ref().is_none_or(|text| text.is_in(self.segment.row(slot)))
                };
                each_of_signatures(self.segment, signatures, |slot| {
                    if has_text(slot) {
                        each(slot);
                    }
                });
            }
        }
    }
}

impl Part<'_> {
    /// How many slots `each` looks at.
    fn looked_at(&self, signatures: &Signatures) -> u64 {
        match self.matches {
            Matches::Listed(slots) => slots.len() as u64,
            Matches::BitSet(set) => set.len() as u64,
            Matches::Posted(list) => list.len(),
            Matches::Between(own) if !is_sooner_listed(self.segment, signatures, own) => {
                own.len(self.segment)
            }
            Matches::Between(_) | Matches::Signatures | Matches::Tested { .. } => {
                counted(self.segment, signatures)
            }
        }
    }
}

impl Found<'_> {
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
            Matches::Signatures if !has_past => add_pages(counts, segment.counts()),
            Matches::Between(Interval { field, from, to, .. })
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
            _ => Part::from(self).each(plan, &plan.signatures, count),
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
