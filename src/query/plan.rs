//! The plan of a query: its clauses bound to the ordinals of a scope's catalog.

use std::fmt;
use std::time::Instant;

use super::binding::{Binder, Bound, distinct};
use super::expression::Expression;
use super::listed::Listed;
use super::meter::Meter;
use super::predicate::Predicate;
use super::segment_context::SegmentContext;
use super::signatures::Signatures;
use super::text::Text;
use crate::contract::{Clause, Condition, DateField, FilterField, Span};
use crate::index::{Column, Index, Ordinal, Segment, SignatureFilter, SignatureSet};
use crate::threads::Pool;

/// What a case must be, in ordinals and instants. Nothing in a field: it is not asked.
#[derive(Debug)]
pub(super) struct Plan<'i> {
    pub(super) index: &'i Index,
    pub(super) signatures: Signatures,
    /// Whether unresolved, and whether done cases can match: the two halves that posting lists are
    /// split into.
    pub(super) halves: (bool, bool),
    /// Whether every case of those halves has a signature that is left.
    pub(super) halves_say_all: bool,
    /// Both bounds included, as the next.
    pub(super) created: Option<(i64, i64)>,
    pub(super) due: Option<(i64, i64)>,
    /// Ascending; so the next.
    pub(super) queues: Option<Vec<Ordinal>>,
    pub(super) assignees: Option<Vec<Ordinal>>,
    pub(super) text: Option<Text<'i>>,
    /// What must hold besides, whatever it is.
    pub(super) rest: Option<Expression<'i>>,
    /// What long questions are spread over.
    pub(super) pool: &'i Pool,
    pub(super) meter: Meter,
}

/// The conjunction of a query while it is bound, clause by clause.
#[derive(Default)]
struct Conjunction<'i> {
    /// What parameters ask of signatures, and what else is known of them.
    signatures: SignatureFilter,
    set: Option<SignatureSet>,
    created: Option<Span<i64>>,
    due: Option<Span<i64>>,
    queues: Option<Vec<Ordinal>>,
    assignees: Option<Vec<Ordinal>>,
    text: Option<Text<'i>>,
    rest: Vec<Bound<'i>>,
}

impl<'i> Conjunction<'i> {
    /// Adds a condition, or its complement, of which each part must hold.
    fn add(&mut self, condition: &Condition, is_negated: bool, binder: Binder<'i, '_>) {
        if binder.meter.is_over() {
            return;
        }
        match condition {
            Condition::Not(inner) => self.add(inner, !is_negated, binder),
            Condition::And(parts) if !is_negated => {
                distinct(parts).for_each(|part| self.add(part, false, binder));
            }
            Condition::Or(parts) if is_negated => {
                distinct(parts).for_each(|part| self.add(part, true, binder));
            }
            Condition::And(parts) | Condition::Or(parts) if let Some(only) = only(parts) => {
                self.add(only, is_negated, binder);
            }
            Condition::Clause(clause) if !is_negated => self.add_clause(clause, binder.index),
            _ => self.rest.push(Bound::of(condition, is_negated, binder)),
        }
    }

    fn add_clause(&mut self, clause: &Clause, index: &'i Index) {
        let catalog = index.catalog();
        match clause {
            Clause::Unresolved => self.signatures.unresolved = true,
            Clause::Unassigned => self.signatures.unassigned = true,
            Clause::Status(any) => {
                keep(self.signatures.of(Column::Status), catalog.statuses_named(any.iter()));
            }
            Clause::Priority(any) => {
                keep(self.signatures.of(Column::Priority), catalog.priorities_named(any.iter()));
            }
            Clause::Channel(any) => {
                keep(self.signatures.of(Column::Channels), catalog.channels_named(any.iter()));
            }
            Clause::Mine(user) => keep(&mut self.assignees, catalog.holders(user)),
            Clause::Agents(any) => keep(&mut self.assignees, catalog.agents(any.iter())),
            // A case may have several queues: two lists of them are two clauses.
            Clause::Queues(any) if self.queues.is_none() => {
                self.queues = Some(catalog.queues_named(any.iter()));
            }
            Clause::Text(needle) if self.text.is_none() => {
                self.text = Some(Text::of(needle, index));
            }
            Clause::Date(DateField::Created, span) => meet(&mut self.created, *span),
            Clause::Date(DateField::Due, span) => meet(&mut self.due, *span),
            Clause::Exists(FilterField::Created) => meet(&mut self.created, Span::ALWAYS),
            Clause::Exists(FilterField::Due) => meet(&mut self.due, Span::ALWAYS),
            _ => self.rest.push(Bound::of_clause(clause, index)),
        }
    }

    /// What is left of the rest once its signatures are taken out.
    fn resolve(&mut self, binder: Binder<'i, '_>) -> Option<Expression<'i>> {
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() {
            return None;
        }
        let parts = match Bound::join(true, rest).resolved(binder) {
            Expression::And(parts) => parts,
            only => vec![only],
        };
        let mut others = Vec::new();
        for part in parts {
            match part {
                Expression::Leaf(Predicate::Signatures(own)) => self.set = Some(own.into_set()),
                part => others.push(part),
            }
        }
        (!others.is_empty()).then(|| Expression::of_parts(true, others))
    }

    /// The signatures that it leaves.
    fn left(&self, index: &Index) -> SignatureSet {
        let mut left = if self.signatures.is_nothing() {
            SignatureSet::up_to(index.signatures().len())
        } else {
            index.signatures_as(&self.signatures)
        };
        if let Some(set) = &self.set {
            left.intersect(set);
        }
        left
    }
}

/// The part that all parts of a node are equal to.
fn only(parts: &[Condition]) -> Option<&Condition> {
    let mut parts = distinct(parts);
    parts.next().filter(|_| parts.next().is_none())
}

/// Keeps the values that are known already, or all where none are.
fn keep(known: &mut Option<Vec<Ordinal>>, mut wanted: Vec<Ordinal>) {
    if let Some(known) = known {
        wanted.retain(|own| known.binary_search(own).is_ok());
    }
    *known = Some(wanted);
}

fn meet(known: &mut Option<Span<i64>>, span: Span<i64>) {
    *known = Some(known.unwrap_or(Span::ALWAYS).and(span));
}

impl<'i> Plan<'i> {
    /// Binds clauses, and a filter, to the catalog; all must hold. Cost: the signatures of the
    /// values that are asked; without such a clause none.
    pub(super) fn new<'c>(
        clauses: impl IntoIterator<Item = &'c Clause>,
        filter: Option<&Condition>,
        index: &'i Index,
        pool: &'i Pool,
    ) -> Self {
        Self::until(None, clauses, filter, index, pool)
    }

    /// The same, to be bound and found until a deadline if there is one.
    pub(super) fn until<'c>(
        deadline: Option<Instant>,
        clauses: impl IntoIterator<Item = &'c Clause>,
        filter: Option<&Condition>,
        index: &'i Index,
        pool: &'i Pool,
    ) -> Self {
        let meter = Meter::until(deadline);
        let binder = Binder { index, meter: &meter };
        let mut all = Conjunction::default();
        clauses.into_iter().for_each(|clause| all.add_clause(clause, index));
        filter.into_iter().for_each(|filter| all.add(filter, false, binder));
        let length = index.signatures().len();
        let rest = all.resolve(binder);
        let left = all.left(index);
        let (halves, halves_say_all) = halves(&left, index);
        let both = |span: Span<i64>| (span.first, span.last);
        Self {
            index,
            signatures: Signatures::of(left, length),
            halves,
            halves_say_all,
            created: all.created.map(both),
            due: all.due.map(both),
            queues: all.queues,
            assignees: all.assignees,
            text: all.text,
            rest,
            pool,
            meter,
        }
    }

    /// Where the rest is evaluated.
    pub(super) fn context<'a>(&'a self, segment: &'a Segment) -> SegmentContext<'a> {
        SegmentContext { index: self.index, segment, meter: &self.meter }
    }

    /// Whether counts of signatures say all.
    pub(super) fn is_counted(&self) -> bool {
        self.asks_only_dates() && self.asks_no_date()
    }

    /// Whether nothing is asked but signatures and dates.
    pub(super) fn asks_only_dates(&self) -> bool {
        self.asks_no_list() && self.text.is_none() && self.rest.is_none()
    }

    /// The rest, where nothing is asked but that, and perhaps dates.
    pub(super) fn only_rest(&self) -> Option<&Expression<'i>> {
        let is_alone = self.signatures.is_all && self.asks_no_list() && self.text.is_none();
        self.rest.as_ref().filter(|_| is_alone)
    }

    fn asks_no_date(&self) -> bool {
        self.created.is_none() && self.due.is_none()
    }

    /// The values of a field with lists that are asked; ascending.
    pub(super) fn values(&self, field: Listed) -> Option<&[Ordinal]> {
        match field {
            Listed::Queues => self.queues.as_deref(),
            Listed::Assignees => self.assignees.as_deref(),
        }
    }

    /// The value whose list's unresolved half, or done half, is all that is asked in any segment.
    pub(super) fn only_half_list(&self) -> Option<(Listed, Ordinal)> {
        let is_half = self.halves_say_all && self.halves.0 != self.halves.1;
        let is_alone = self.text.is_none() && self.rest.is_none() && self.asks_no_date();
        match (self.queues.as_deref(), self.assignees.as_deref()) {
            (Some([queue]), None) if is_half && is_alone => Some((Listed::Queues, *queue)),
            (None, Some([own])) if is_half && is_alone => Some((Listed::Assignees, *own)),
            _ => None,
        }
    }

    fn asks_no_list(&self) -> bool {
        self.queues.is_none() && self.assignees.is_none()
    }

    /// How many cases match, where a text is asked whose own counts tell.
    pub(super) fn counted_text(&self) -> Option<u64> {
        let text = self.text.as_ref()?;
        let is_alone = self.asks_no_list() && self.rest.is_none() && self.asks_no_date();
        let [unresolved, done] = text.counts().filter(|_| is_alone && self.halves_say_all)?;
        let (takes_unresolved, takes_done) = self.halves;
        Some(u64::from(takes_unresolved) * unresolved + u64::from(takes_done) * done)
    }

    /// Whether no case can match, whatever the segments hold.
    pub(super) fn is_empty(&self) -> bool {
        let none = |list: &Option<Vec<Ordinal>>| list.as_ref().is_some_and(Vec::is_empty);
        self.signatures.is_empty()
            || none(&self.queues)
            || none(&self.assignees)
            || [self.created, self.due].into_iter().flatten().any(|(first, last)| first > last)
            || self.text.as_ref().is_some_and(|text| text.at_most() == 0)
    }
}

/// Whether unresolved, and whether done cases have some signatures; and whether every case of these
/// halves has one.
fn halves(left: &SignatureSet, index: &Index) -> ((bool, bool), bool) {
    let (length, sets) = (index.signatures().len(), index.signature_sets());
    if left.len() == length {
        return ((true, true), true);
    }
    let unresolved = sets.unresolved_among(left);
    let done = left.len() - unresolved;
    let (all_unresolved, all_done) = (sets.unresolved_len(), length - sets.unresolved_len());
    let halves = [(unresolved, all_unresolved), (done, all_done)];
    let say_all = halves.into_iter().all(|(left, all)| left == 0 || left == all);
    ((unresolved > 0, done > 0), say_all)
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, all) = (self.signatures.len(), self.index.signatures().len());
        if self.is_empty() {
            return f.write_str("nothing can match");
        }
        write!(f, "{left} of {all} signatures left; ")?;
        if self.is_counted() {
            return f.write_str("total from their counts");
        }
        if self.counted_text().is_some() {
            return f.write_str("total from the counts of the text; segments as the page needs");
        }
        let asked = [
            (self.created.is_some(), "created order"),
            (self.due.is_some(), "due order"),
            (self.queues.is_some(), "queue lists"),
            (self.assignees.is_some(), "assignee lists"),
            (self.text.is_some(), "words"),
            (self.rest.is_some(), "the filter's other parts"),
        ];
        let by: Vec<_> = asked.iter().filter(|(asked, _)| *asked).map(|(_, by)| *by).collect();
        let segments = self.index.segments().len();
        write!(f, "matches of {segments} segments by the shortest of signatures, {}", by.join(", "))
    }
}
