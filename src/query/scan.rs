//! The matches of one segment: an access path is chosen (`access_path`), what is sooner united than
//! tested is united, and the clauses that are left are tested on each candidate (`residual`).

use std::cell::OnceCell;

use super::access_path::{AccessPath, PredicateSet, SHORT, SegmentStats, choose};
use super::cost::{CANDIDATE, INSERT, LIST, PASS, ROW_TEST, SIGNATURE_TEST, column_cost};
use super::docset::{Form, SegmentMatches};
use super::interval::Interval;
use super::listed::Listed;
use super::plan::Plan;
use super::predicate::Estimate;
use super::residual::{Residual, TOGETHER};
use super::signature_docs::is_listed;
use super::text::{Slots, Text};
use super::value_range::{created_keys, due_keys, positions};
use crate::index::{BitSet, Field, Half, Position, PostingList, Segment};

/// A plan over one segment.
struct Scan<'p, 'i> {
    plan: &'p Plan<'p>,
    segment: &'i Segment,
    /// Where a range stands in its order; nothing where all of the segment is in it.
    created: Option<(Position, Position)>,
    due: Option<(Position, Position)>,
    /// How many live cases have one of the signatures, once it is asked.
    counted: OnceCell<u64>,
}

/// Finds the matches of one segment; nothing where no clause can leave any.
pub(super) fn in_segment<'i>(plan: &Plan<'_>, segment: &'i Segment) -> Option<SegmentMatches<'i>> {
    if let Some((field, ordinal)) = plan.only_half_list() {
        let list = half_of(plan, field.lists(segment).get(ordinal)?);
        return Some(SegmentMatches { segment, count: list.len(), form: Form::Postings(list) });
    }
    let scan = Scan::new(plan, segment)?;
    scan.by_counts().or_else(|| scan.by_lists()).or_else(|| scan.matches())
}

impl SegmentStats for Scan<'_, '_> {
    fn created(&self) -> Option<u64> {
        self.created.map(|(from, to)| self.segment.order(Field::Created).distance(from, to) as u64)
    }

    fn due(&self) -> Option<u64> {
        self.due.map(|(from, to)| self.segment.order(Field::Due).distance(from, to) as u64)
    }

    fn lists(&self, field: Listed) -> Option<u64> {
        self.plan.values(field).map(|values| field.looked_at(self.segment, values))
    }

    fn listed(&self, field: Listed) -> u64 {
        listed_len(self.plan, self.segment, field)
    }

    fn of_signatures(&self) -> u64 {
        self.counted()
    }
}

impl<'p, 'i> Scan<'p, 'i> {
    /// Nothing where a range leaves none of the segment.
    fn new(plan: &'p Plan<'p>, segment: &'i Segment) -> Option<Self> {
        // A segment that a range covers need not be asked about it.
        let within = |field: Field, keys: Option<(u64, u64)>| {
            let order = segment.order(field);
            let range = keys.map(|keys| positions(plan.index.catalog(), segment, field, keys));
            range.filter(|(from, to)| *from != order.start() || *to != order.end())
        };
        let created = within(Field::Created, plan.created.map(created_keys));
        let due = within(Field::Due, plan.due.map(due_keys));
        let is_empty = [created, due].into_iter().flatten().any(|(from, to)| from >= to);
        (!is_empty).then_some(Self { plan, segment, created, due, counted: OnceCell::new() })
    }

    /// How many live cases have one of the signatures.
    fn counted(&self) -> u64 {
        *self.counted.get_or_init(|| self.plan.signatures.count_in(self.segment))
    }

    /// The matches where signatures and at most one range of dates are asked, if counting them is
    /// cheaper than looking at those of the signatures.
    fn by_counts(&self) -> Option<SegmentMatches<'i>> {
        let Self { plan, segment, .. } = *self;
        if !plan.asks_only_dates() {
            return None;
        }
        let (field, range) = match (self.created, self.due) {
            (None, None) => {
                let count = self.counted();
                return Some(SegmentMatches { segment, form: Form::Signatures, count });
            }
            (Some(range), None) => (Field::Created, range),
            (None, Some(range)) => (Field::Due, range),
            _ => return None,
        };
        let interval = Interval::new(segment, field, range)?;
        // Where counts do not tell, few cases are sooner looked at than signatures.
        if plan.signatures.run_mask().is_none() && interval.len(segment) <= SHORT {
            return None;
        }
        // Few cases of the signatures are looked at one by one.
        let listed = self.counted().saturating_mul(ROW_TEST);
        (interval.counting_cost(segment, &plan.signatures) <= listed).then(|| {
            let count = interval.count_of(plan.context(segment), &plan.signatures);
            SegmentMatches { segment, form: Form::Range(interval), count }
        })
    }

    /// The matches where nothing is asked but the plan's rest, and lists tell how many these are.
    fn by_lists(&self) -> Option<SegmentMatches<'i>> {
        let Self { plan, segment, created: None, due: None, .. } = *self else { return None };
        let rest = plan.only_rest()?;
        let count = rest.count(plan.context(segment))?;
        plan.meter.spend(LIST);
        Some(SegmentMatches { segment, form: Form::Counted(OnceCell::new()), count })
    }

    /// Every clause that is asked.
    fn asked(&self) -> PredicateSet {
        let plan = self.plan;
        PredicateSet {
            signatures: !plan.signatures.is_all,
            created: self.created.is_some(),
            due: self.due.is_some(),
            queues: plan.queues.is_some(),
            assignees: plan.assignees.is_some(),
            text: plan.text.is_some(),
            rest: plan.rest.is_some(),
        }
    }

    fn matches(&self) -> Option<SegmentMatches<'i>> {
        let Self { plan, segment, .. } = *self;
        let (count, path) = choose(self)?;
        let mut left = self.asked();
        let (mut set, few) = match self.by_terms(count) {
            Some(Slots::Many(set)) => (Some(set), None),
            Some(Slots::Few(few)) => (None, Some(few)),
            None => (None, None),
        };
        left.text &= set.is_none() && few.is_none();
        left.signatures &= !set.as_mut().is_some_and(|set| self.leave_half(set));
        if few.is_none() {
            self.cover_rest(count, &mut set, &mut left)?;
            self.cover(path, count, &mut set, &mut left);
        }
        let matching = set.as_ref().map_or(u64::MAX, |set| set.len() as u64);
        let is_led = few.is_none() && left.is_sooner_led(path, count, matching);
        let path = if is_led { path } else { AccessPath::Bitmap };
        left = left.without(path, plan.halves_say_all);
        if left.is_none() {
            match (path, set.take()) {
                (AccessPath::Bitmap, Some(set)) => {
                    let form = Form::Bitmap(set);
                    return Some(SegmentMatches { segment, count: matching, form });
                }
                (_, None) if let Some(list) = self.only_list(path) => {
                    return Some(SegmentMatches { segment, count, form: Form::Postings(list) });
                }
                (_, unused) => set = unused,
            }
        }
        let has_many = left.signatures && count.min(matching) > SHORT;
        let (candidates, tested) = match path {
            AccessPath::Bitmap => (set.as_ref(), None),
            _ => (None, set.as_ref()),
        };
        let residual = Residual {
            plan,
            segment,
            left,
            pages: if has_many { segment.signatures().collect() } else { Vec::new() },
            set: tested,
        };
        let slots = self.scan(path, candidates, few.as_deref(), &residual);
        let (count, form) = (slots.len() as u64, Form::Slots(slots));
        Some(SegmentMatches { segment, count, form })
    }

    /// The slots that have the text, where its terms tell sooner than so many candidates are
    /// tested. It is given up where that turns out to cost more.
    fn by_terms(&self, count: u64) -> Option<Slots> {
        let Self { plan, segment, .. } = *self;
        let text_cost = |text: &Text<'_>| text.terms_cost(segment).min(text.test_cost(count));
        plan.meter.spend(count * CANDIDATE + plan.text.as_ref().map_or(0, text_cost));
        let text = plan.text.as_ref()?;
        let most = text.test_cost(count);
        let is_wanted = |slot: u16| plan.signatures.has(segment.signature(slot));
        let is_cheap = text.terms_cost(segment) < most;
        is_cheap.then(|| text.slots(plan.context(segment), most, is_wanted)).flatten()
    }

    /// Leaves of a set the unresolved slots, or the done ones, where that is what signatures ask;
    /// tells whether it is.
    fn leave_half(&self, set: &mut BitSet) -> bool {
        let plan = self.plan;
        if !plan.halves_say_all || plan.halves.0 == plan.halves.1 {
            return false;
        }
        let unresolved = &self.segment.lists().unresolved;
        if plan.halves.0 {
            set.intersect_kept(unresolved);
        } else {
            set.subtract_kept(unresolved);
        }
        true
    }

    /// Lets the set tell of the plan's rest, where that is sooner listed than tested on `count`
    /// candidates; and then of signatures that many of the set would be tested for. Nothing where
    /// the rest leaves no slot.
    fn cover_rest(
        &self,
        count: u64,
        set: &mut Option<BitSet>,
        left: &mut PredicateSet,
    ) -> Option<()> {
        let Self { plan, segment, .. } = *self;
        let (Some(rest), context) = (&plan.rest, plan.context(segment)) else { return Some(()) };
        let candidates = set.as_ref().map_or(count, |set| count.min(set.len() as u64));
        let Estimate { slots, cost } = rest.estimate(context);
        let test = candidates * rest.test_cost();
        plan.meter.spend(cost.min(test));
        if slots == 0 {
            return None;
        }
        if test <= cost {
            return Some(());
        }
        match set {
            Some(set) => rest.restrict(context, set),
            None => *set = Some(rest.docs(context)),
        }
        left.rest = false;
        let column = column_cost(segment) + PASS;
        if let Some(set) = set.as_mut().filter(|_| left.signatures)
            && column < count.min(set.len() as u64) * SIGNATURE_TEST
        {
            set.intersect(&plan.signatures.docs_in(segment));
            left.signatures = false;
        }
        Some(())
    }

    /// Lets the set tell of those clauses whose lists are sooner united than `count` candidates
    /// are tested.
    fn cover(
        &self,
        path: AccessPath,
        count: u64,
        set: &mut Option<BitSet>,
        left: &mut PredicateSet,
    ) {
        let Self { plan, segment, .. } = *self;
        let candidates = set.as_ref().map_or(count, |set| count.min(set.len() as u64));
        let is_worth_it = |lists: u64, slots: &dyn Fn() -> u64, test: u64| {
            let (cost, most) = (lists * LIST + PASS, candidates * test);
            cost < most && cost + slots() * INSERT < most
        };
        let lists = plan.signatures.len() as u64;
        let posted = path != AccessPath::SignatureColumn && left.signatures;
        let by_lists = matches!(path, AccessPath::Postings(_)) && plan.halves_say_all;
        if posted && !by_lists && lists * LIST + PASS < candidates * SIGNATURE_TEST {
            let listed = self.counted();
            if is_listed(segment, listed) && is_worth_it(lists, &|| listed, SIGNATURE_TEST) {
                unite(set, |own| {
                    plan.signatures.for_each_in(segment, |slot| own.insert(slot));
                });
                left.signatures = false;
            }
        }
        for (asked, field) in
            [(&mut left.queues, Listed::Queues), (&mut left.assignees, Listed::Assignees)]
        {
            let leads = path == AccessPath::Postings(field);
            let values = plan.values(field).unwrap_or_default();
            let slots = || listed_len(plan, segment, field);
            // Several lists of queues that lead are united in any case: none of their slots may
            // come twice. A case has one assignee.
            let is_whole = || plan.halves_say_all && slots() > SHORT;
            let is_united = leads && values.len() > 1 && (field == Listed::Queues || is_whole());
            let lists = looked_at(plan, segment, field);
            if *asked && (is_united || !leads && is_worth_it(lists, &slots, ROW_TEST)) {
                unite(set, |own| each_listed(plan, segment, field, |slot| own.insert(slot)));
                *asked = false;
                // Only halves that are asked are taken up.
                left.signatures &= !plan.halves_say_all;
            }
        }
    }

    /// The posting list that is the whole path, where it is one.
    fn only_list(&self, path: AccessPath) -> Option<Half<'i>> {
        let AccessPath::Postings(field) = path else { return None };
        let mut split = listed(self.plan, self.segment, field);
        let (list, None) = (split.next()?, split.next()) else { return None };
        match self.plan.halves {
            (true, false) | (false, true) => Some(half_of(self.plan, list)),
            _ if list.done().is_empty() => Some(list.unresolved()),
            _ if list.unresolved().is_empty() => Some(list.done()),
            _ => None,
        }
    }

    /// The slots of a range in its order.
    fn between(
        &self,
        field: Field,
        range: Option<(Position, Position)>,
    ) -> impl Iterator<Item = u16> {
        let order = self.segment.order(field);
        range.into_iter().flat_map(|(from, to)| order.between(from, to))
    }

    /// The slots of a path that pass the rest; of the bitmap path those of a set, or a few.
    fn scan(
        &self,
        path: AccessPath,
        set: Option<&BitSet>,
        few: Option<&[u16]>,
        residual: &Residual<'_, '_>,
    ) -> Vec<u16> {
        let Self { plan, segment, .. } = *self;
        let mut slots = Vec::new();
        let mut examined = 0;
        let (mut some, mut count) = ([0; TOGETHER], 0);
        let mut test = |slot: u16| {
            some[count] = slot;
            count += 1;
            if count == TOGETHER {
                if !plan.meter.is_over() {
                    residual.filter(&mut some, &mut slots);
                }
                examined += TOGETHER;
                count = 0;
            }
        };
        match path {
            AccessPath::Created => self.between(Field::Created, self.created).for_each(&mut test),
            AccessPath::Due => self.between(Field::Due, self.due).for_each(&mut test),
            AccessPath::Bitmap => {
                few.into_iter().flatten().for_each(|slot| test(*slot));
                set.into_iter().for_each(|set| set.each(&mut test));
            }
            AccessPath::SignatureColumn => {
                plan.signatures.for_each_in(segment, &mut test);
            }
            // One list of queues: several are united.
            AccessPath::Postings(field) => each_listed(plan, segment, field, &mut test),
        }
        residual.filter(&mut some[..count], &mut slots);
        plan.meter.examine(examined + count);
        slots
    }
}

/// Leaves of a set what `insert` puts into another one, which it is where there is none yet.
fn unite(set: &mut Option<BitSet>, insert: impl FnOnce(&mut BitSet)) {
    let mut united = BitSet::default();
    insert(&mut united);
    match set {
        Some(set) => _ = set.intersect(&united),
        None => *set = Some(united),
    }
}

/// The lists of a field's values that are asked.
fn listed<'i>(
    plan: &Plan<'_>,
    segment: &'i Segment,
    field: Listed,
) -> impl Iterator<Item = &'i PostingList> {
    field.among(segment, plan.values(field).unwrap_or_default())
}

/// How many lists `listed` looks at.
fn looked_at(plan: &Plan<'_>, segment: &Segment, field: Listed) -> u64 {
    field.looked_at(segment, plan.values(field).unwrap_or_default())
}

/// The half that is asked, where one is.
fn half_of<'i>(plan: &Plan<'_>, list: &'i PostingList) -> Half<'i> {
    if plan.halves.0 { list.unresolved() } else { list.done() }
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

/// How many slots the asked halves of a field's lists have, those of several as often.
fn listed_len(plan: &Plan<'_>, segment: &Segment, field: Listed) -> u64 {
    listed(plan, segment, field).map(|list| half_len(plan, list)).sum()
}

fn half_len(plan: &Plan<'_>, list: &PostingList) -> u64 {
    let half = |asked: bool, half: Half<'_>| if asked { half.len() } else { 0 };
    half(plan.halves.0, list.unresolved()) + half(plan.halves.1, list.done())
}
