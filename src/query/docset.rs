//! Sets of matches: the slots of one segment, in whichever form they were found, and all that is
//! done with them.
//!
//! Useful for whoever orders, counts or pages through matches: none of them asks in which form
//! these are. Not for how they are found: `scan` does that, and what it tests while it does is a
//! plain bit set.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::cost::{INSERT, LISTED_SLOT, WALKED_ROW, WALKED_SIGNATURE, column_cost};
use super::expression::Expression;
use super::interval::{Interval, add_pages, docs_between};
use super::plan::Plan;
use super::signature_docs::live_docs;
use super::signatures::{RunMask, Signatures};
use crate::index::{
    BitSet, Field, Half, MAX_COUNTED, Order, Ordinal, Position, RunPart, Segment, code,
};

#[cfg(test)]
mod tests;

/// The matches of one segment, as they were found.
#[derive(Debug)]
pub(super) struct SegmentMatches<'i> {
    pub(super) segment: &'i Segment,
    pub(super) form: Form<'i>,
    /// How many.
    pub(super) count: u64,
}

/// Some slots of a segment.
#[derive(Clone, Debug)]
pub(super) enum Form<'i> {
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
    /// Whatever the plan's rest admits, of which nothing else is asked: counted, and listed once
    /// somebody goes through them.
    Counted(OnceCell<BitSet>),
    /// Every live slot whose signature is left and whose texts have what is searched: each is
    /// tested when its turn comes, until that has cost `most` nanoseconds, which is what finding
    /// them by the text's terms would. Only of segments that are opened.
    TwoPhase { most: u64 },
}

impl Form<'_> {
    /// What a text alone found, without what it borrows.
    pub(super) fn of_text(self) -> Form<'static> {
        match self {
            Self::Slots(slots) => Form::Slots(slots),
            Self::Bitmap(set) => Form::Bitmap(set),
            // A text is asked, so its matches are one of these.
            _ => Form::Slots(Vec::new()),
        }
    }
}

/// The matches of one segment, for whoever goes through them; of a group of them, those that have
/// its signatures.
///
/// The operations below are all that is done with matches, whatever their form. None of them gives
/// a slot twice, or a slot that is not live.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocSet<'a> {
    plan: &'a Plan<'a>,
    pub(super) segment: &'a Segment,
    form: &'a Form<'a>,
    /// How many there are, of any group, where that is known; of a text that is tested, about.
    known: Option<u64>,
    /// Of all signatures that the plan leaves, those of a group.
    group: Option<&'a Signatures>,
}

impl<'a> DocSet<'a> {
    pub(super) fn of(plan: &'a Plan<'a>, found: &'a SegmentMatches<'a>) -> Self {
        let SegmentMatches { segment, form, count } = found;
        Self { plan, segment, form, known: Some(*count), group: None }
    }

    /// Whatever the plan's signatures leave in a segment.
    pub(super) fn of_signatures(plan: &'a Plan<'a>, segment: &'a Segment) -> Self {
        Self { plan, segment, form: &Form::Signatures, known: None, group: None }
    }

    /// What was found in a segment that is opened, and how many that is, about.
    pub(super) fn opened(
        plan: &'a Plan<'a>,
        segment: &'a Segment,
        form: &'a Form<'a>,
        count: u64,
    ) -> Self {
        Self { plan, segment, form, known: Some(count), group: None }
    }

    /// Those that have the signatures of a group, if one is given.
    pub(super) fn of_group(self, group: Option<&'a Signatures>) -> Self {
        Self { group, ..self }
    }

    /// The signatures that they may have.
    pub(super) fn signatures(&self) -> &'a Signatures {
        self.group.unwrap_or(&self.plan.signatures)
    }

    /// How many there are, of any group; where nobody counted, how many have the signatures.
    pub(super) fn at_most(&self) -> u64 {
        self.known.unwrap_or_else(|| self.signatures().count_in(self.segment))
    }

    /// How many there are, of any group, where somebody counted.
    pub(super) fn known(&self) -> Option<u64> {
        self.known
    }

    /// How many there are. Cost: that of counting, where counts tell; else of going through them.
    pub(super) fn count(&self) -> u64 {
        match self.form {
            Form::Signatures => self.signatures().count_in(self.segment),
            Form::Range(own) => own.count_of(self.plan.context(self.segment), self.signatures()),
            _ => {
                let mut count = 0;
                self.for_each(|_| count += 1);
                count
            }
        }
    }

    /// How many slots are looked at to go through them, about.
    pub(super) fn looked_at(&self) -> u64 {
        match self.form {
            Form::Range(own) => own.len(self.segment),
            _ => self.at_most(),
        }
    }

    /// Hands on each of them. Cost, which the plan hears of: the matches; of an interval all slots
    /// in it, or all that have the signatures, whichever is less.
    pub(super) fn for_each(&self, mut each: impl FnMut(u16)) {
        let (meter, segment) = (&self.plan.meter, self.segment);
        // What was found one by one has the plan's signatures, and perhaps not a group's.
        let is_left = |slot: u16| self.group.is_none_or(|group| group.has(segment.signature(slot)));
        match self.form {
            Form::Slots(slots) => {
                meter.examine(slots.len());
                slots.iter().filter(|slot| is_left(**slot)).for_each(|slot| each(*slot));
            }
            Form::Bitmap(_) | Form::Counted(_) => {
                if let Some(set) = self.set() {
                    meter.examine(set.len());
                    set.each(|slot| {
                        if is_left(slot) {
                            each(slot);
                        }
                    });
                }
            }
            Form::Postings(list) => {
                meter.examine(list.len() as usize);
                list.each(|slot| {
                    if is_left(slot) {
                        each(slot);
                    }
                });
            }
            Form::Range(own) => {
                own.for_each_of(self.plan.context(segment), self.signatures(), each);
            }
            Form::Signatures | Form::TwoPhase { .. } => {
                let is_tested = matches!(self.form, Form::TwoPhase { .. });
                let mut examined = 0;
                self.signatures().for_each_in(segment, |slot| {
                    examined += 1;
                    if !is_tested || self.has_text(slot) {
                        each(slot);
                    }
                });
                meter.examine(examined);
            }
        }
    }

    /// All of them, of any group, where that is a bit set. Cost: of those that were counted alone,
    /// the list of the plan's rest, once.
    fn set(&self) -> Option<&'a BitSet> {
        match self.form {
            Form::Bitmap(set) => Some(set),
            Form::Counted(set) => Some(set.get_or_init(|| {
                let docs = |rest: &Expression<'_>| rest.docs(self.plan.context(self.segment));
                self.plan.rest.as_ref().map(docs).unwrap_or_default()
            })),
            _ => None,
        }
    }

    /// The live slots that are none of them, of any group, where these are fewer than they are, and
    /// they are a bit set.
    fn others(&self) -> Option<BitSet> {
        let is_most = self.known.is_some_and(|count| count * 2 > self.segment.live().into());
        let set = self.set().filter(|_| is_most)?;
        let mut others = live_docs(self.segment);
        others.subtract(set);
        Some(others)
    }

    pub(super) fn has_text(&self, slot: u16) -> bool {
        self.plan.text.as_ref().is_none_or(|text| text.is_in(self.segment.row(slot)))
    }

    /// What finds texts by their terms would cost, where they are tested as their turn comes.
    pub(super) fn most_tested(&self) -> Option<u64> {
        match self.form {
            Form::TwoPhase { most } => Some(*most),
            _ => None,
        }
    }

    /// The positions of an order between which they stand.
    pub(super) fn bounds(&self, field: Field) -> (Position, Position) {
        match self.form {
            Form::Range(own) if field == own.field => (own.from, own.to),
            _ => (self.order(field).start(), self.order(field).end()),
        }
    }

    /// Whether they are all slots between their bounds in an order that have the signatures.
    fn is_by_signature(&self, field: Field) -> bool {
        match self.form {
            Form::Signatures => true,
            Form::Range(own) => field == own.field,
            _ => false,
        }
    }

    fn order(&self, field: Field) -> &'a Order {
        self.segment.order(field)
    }

    /// How many slots stand between their bounds in an order, where these tell anything.
    pub(super) fn width(&self, field: Field) -> u64 {
        match self.form {
            Form::Range(own) if field == own.field => own.len(self.segment),
            _ => self.segment.live().into(),
        }
    }

    /// What tells them from other slots between their bounds in an order, by its codes; nothing
    /// where these do not.
    pub(super) fn run_mask(&self, field: Field) -> Option<RunMask<'a>> {
        let is_counted = self.order(field).is_counted() && self.is_by_signature(field);
        self.signatures().run_mask().filter(|_| is_counted)
    }

    /// Where those without a value begin in an order, within their bounds.
    pub(super) fn missing(&self, field: Field) -> Position {
        match self.form {
            // All between two positions have one.
            Form::Range(own) if field == own.field => self.order(field).end(),
            _ => self.segment.present_end(self.plan.index.catalog(), field),
        }
    }

    /// Counts them between positions of an order.
    pub(super) fn counts_along(self, field: Field) -> RangeCounts<'a> {
        RangeCounts { docs: self, field, counting: Rc::default() }
    }

    /// Those of them in an interval; nothing where there are none. Cost: where they are listed
    /// already, a look at each.
    pub(super) fn within(&self, interval: Interval) -> Option<SegmentMatches<'a>> {
        let (segment, field) = (self.segment, interval.field);
        let order = self.order(field);
        let form = match self.form {
            whole if (interval.from, interval.to) == (order.start(), order.end()) => whole.clone(),
            Form::Signatures => Form::Range(interval),
            Form::Range(own) if own.field == field => {
                let both = (interval.from.max(own.from), interval.to.min(own.to));
                Form::Range(Interval::new(segment, field, both)?)
            }
            _ => {
                let mut slots = Vec::new();
                self.for_each(|slot| {
                    if interval.has(self.plan.index.catalog(), segment, slot) {
                        slots.push(slot);
                    }
                });
                Form::Slots(slots)
            }
        };
        let Self { plan, group, .. } = *self;
        let count = DocSet { plan, segment, form: &form, known: None, group }.count();
        (count > 0).then_some(SegmentMatches { segment, form, count })
    }

    /// Tests slots of a walk along an order that looks at so many, within their bounds. Cost: where
    /// that makes the walk shorter, going through them once.
    pub(super) fn test_along(self, field: Field, walked: u64) -> SlotTest<'a> {
        if let Some(mask) = self.run_mask(field) {
            return SlotTest { docs: self, test: Test::Code(mask) };
        }
        if let Some(set) = self.set().filter(|_| self.group.is_none()) {
            return SlotTest { docs: self, test: Test::In(set) };
        }
        let test = match self.form {
            Form::Slots(_) | Form::Postings(_) | Form::Bitmap(_) | Form::Counted(_) => {
                Test::InOwn(self.to_set())
            }
            Form::Range(own) if own.field != field => {
                let listed = own.len(self.segment) * LISTED_SLOT + self.at_most() * INSERT;
                if listed < walked * WALKED_ROW {
                    Test::InOwn(self.to_set())
                } else {
                    Test::Within(own)
                }
            }
            Form::Signatures | Form::Range(_)
                if column_cost(self.segment) < walked.saturating_mul(WALKED_SIGNATURE) =>
            {
                Test::InOwn(self.signatures().docs_in(self.segment))
            }
            Form::Signatures | Form::Range(_) => Test::Signature,
            Form::TwoPhase { .. } => Test::Text,
        };
        SlotTest { docs: self, test }
    }

    fn to_set(self) -> BitSet {
        if let Form::Range(own) = self.form
            && self.signatures().is_all
        {
            return docs_between(self.plan.context(self.segment), own.field, own.from, own.to);
        }
        let mut set = BitSet::default();
        self.for_each(|slot| set.insert(slot));
        set
    }

    /// Adds how many of them have each counted signature to others, all past them as one; `past` is
    /// given the signature of each of these. The first may count some that are not left.
    pub(super) fn count_codes(&self, counts: &mut [u32], mut past: impl FnMut(Ordinal)) {
        let segment = self.segment;
        let has_past = segment.counts().flatten().nth(MAX_COUNTED).is_some_and(|count| *count > 0);
        match self.form {
            Form::Signatures if !has_past => add_pages(counts, segment.counts()),
            Form::Range(own) if !has_past && self.order(own.field).is_counted() => {
                own.count_codes(segment, counts);
            }
            _ if !has_past && let Some(others) = self.others() => {
                self.plan.meter.examine(others.len());
                add_pages(counts, segment.counts());
                others.each(|slot| {
                    counts[usize::from(code(segment.signature(slot)))] -= 1;
                });
            }
            _ => self.for_each(|slot| {
                let signature = segment.signature(slot);
                if let Some(count) = counts.get_mut(usize::from(code(signature))) {
                    *count += 1;
                }
                if signature as usize >= MAX_COUNTED {
                    past(signature);
                }
            }),
        }
    }
}

/// Counts matches between positions of an order, within their bounds.
///
/// Useful for a search that counts again and again: what tells matches is made once. Not for
/// counting all of them: `DocSet::count` does.
#[derive(Clone, Debug)]
pub(super) struct RangeCounts<'a> {
    docs: DocSet<'a>,
    field: Field,
    /// Clones share it.
    counting: Rc<RefCell<Counting<'a>>>,
}

/// What slots are told by that a search counts.
#[derive(Debug, Default)]
struct Counting<'a> {
    test: Option<SlotTest<'a>>,
    /// How many were looked at so far.
    slots: u64,
}

impl RangeCounts<'_> {
    /// How many matches stand between two positions. Cost: the runs where codes tell; else a look
    /// at each slot, and once at all matches where these are listed: as soon as that is less than
    /// what all looks cost.
    pub(super) fn between(&self, from: Position, to: Position) -> usize {
        let Self { docs, field, counting } = self;
        let (order, meter) = (docs.order(*field), &docs.plan.meter);
        if docs.is_by_signature(*field) && docs.signatures().is_all {
            return order.distance(from, to);
        }
        if let Some(mask) = docs.run_mask(*field) {
            let count = order.parts(from, to).map(|part| {
                let (count, examined) = mask.count_part(&part);
                meter.examine(examined);
                count
            });
            return count.sum();
        }
        let slots = order.distance(from, to);
        if slots == 0 {
            return 0;
        }
        meter.examine(slots);
        let mut counting = counting.borrow_mut();
        // A search comes to about as many again.
        let looks = counting.slots + 2 * slots as u64;
        counting.slots += slots as u64;
        // What was chosen for few looks is chosen anew for as many as there are by now.
        if counting.test.as_ref().is_some_and(SlotTest::may_be_listed) {
            counting.test = None;
        }
        let test = counting.test.get_or_insert_with(|| docs.test_along(*field, looks));
        order.parts(from, to).map(|part| test.count(part.slots())).sum()
    }
}

/// Tests slots for being matches.
///
/// Useful for walks along an order, which come to many slots that are none. Not for going through
/// the matches: `DocSet::for_each` does.
#[derive(Debug)]
pub(super) struct SlotTest<'a> {
    docs: DocSet<'a>,
    test: Test<'a>,
}

/// How a live slot within the bounds of a walk is known to be a match.
#[derive(Debug)]
enum Test<'a> {
    In(&'a BitSet),
    InOwn(BitSet),
    /// By the code that stands beside it, or by its signature.
    Code(RunMask<'a>),
    /// By its signature.
    Signature,
    /// By its signature, and then by its value.
    Within(&'a Interval),
    /// By its signature, and then by its name and title.
    Text,
}

impl<'a> SlotTest<'a> {
    /// Whether a live slot is a match.
    #[inline]
    pub(super) fn has(&self, slot: u16) -> bool {
        let DocSet { plan, segment, .. } = self.docs;
        let is_left = || self.docs.signatures().has(segment.signature(slot));
        match &self.test {
            Test::In(set) => set.has(slot),
            Test::InOwn(set) => set.has(slot),
            Test::Signature | Test::Code(_) => is_left(),
            Test::Within(own) => is_left() && own.has(plan.index.catalog(), segment, slot),
            Test::Text => is_left() && self.docs.has_text(slot),
        }
    }

    fn set(&self) -> Option<&BitSet> {
        match &self.test {
            Test::In(set) => Some(set),
            Test::InOwn(set) => Some(set),
            Test::Code(_) | Test::Signature | Test::Within(_) | Test::Text => None,
        }
    }

    /// What tells matches by the codes of the order, where it does.
    #[inline]
    pub(super) fn mask(&self) -> Option<RunMask<'a>> {
        match self.test {
            Test::Code(mask) => Some(mask),
            _ => None,
        }
    }

    /// How far it is to the first match of a part of a run.
    #[inline]
    pub(super) fn position(&self, part: &RunPart<'_>) -> Option<usize> {
        if let Some(mask) = self.mask() {
            let left = mask.codes();
            return part.codes().iter().position(|code| left.has(*code));
        }
        match self.set() {
            Some(set) => part.slots().iter().position(|slot| set.has(*slot)),
            None => part.slots().iter().position(|slot| self.has(*slot)),
        }
    }

    /// How many matches a part of a run has.
    #[inline]
    pub(super) fn count_part(&self, part: &RunPart<'_>) -> usize {
        match self.mask() {
            Some(mask) => mask.count_part(part).0,
            None => self.count(part.slots()),
        }
    }

    /// How many of some live slots are matches.
    fn count(&self, slots: &[u16]) -> usize {
        match self.set() {
            Some(set) => slots.iter().filter(|slot| set.has(**slot)).count(),
            None => slots.iter().filter(|slot| self.has(**slot)).count(),
        }
    }

    /// Whether rows of slots are looked at.
    pub(super) fn asks_row(&self) -> bool {
        matches!(self.test, Test::Within(_))
    }

    /// Whether slots are looked at one by one, where all matches could be listed once.
    fn may_be_listed(&self) -> bool {
        matches!(self.test, Test::Within(_) | Test::Signature)
    }

    pub(super) fn asks_text(&self) -> bool {
        matches!(self.test, Test::Text)
    }

    /// What texts that were tested have cost so far, of all walks of the query, in nanoseconds.
    pub(super) fn text_cost(&self) -> u64 {
        match (&self.test, &self.docs.plan.text) {
            (Test::Text, Some(text)) => text.test_cost(text.tested()),
            _ => 0,
        }
    }
}
