//! A filter while it is bound to a catalog.
//!
//! Negations are pushed to the leaves, and what signatures tell is folded, whatever the nesting: by
//! column to sets of values, of which there are far fewer than signatures, and then (`resolved`) to
//! one set of signatures for each node. Useful for binding alone: an `Expression` is evaluated.

use std::collections::HashSet;

use roaring::RoaringBitmap;

use super::expression::Expression;
use super::listed::Listed;
use super::meter::Meter;
use super::predicate::Predicate;
use super::text::Text;
use super::value_range::ValueRange;
use crate::contract::{Clause, Condition, DateField, FilterField, Span, TextField};
use crate::index::{Column, Field, Index, Ordinal, SignatureFilter, SignatureSet, ordered_bits};

/// Where fewer than one of so many values is asked, they are taken one by one.
const SPARSE: usize = 64;

/// A set of values in any order. Cost: theirs, and where they are many, a bit for each value up to
/// the greatest.
fn set(values: &[Ordinal]) -> RoaringBitmap {
    let length = values.iter().max().map_or(0, |last| *last as usize + 1);
    if values.len() < length / SPARSE {
        return values.iter().copied().collect();
    }
    let mut bits = vec![0_u8; length.div_ceil(8)];
    values.iter().for_each(|value| bits[*value as usize / 8] |= 1 << (value % 8));
    RoaringBitmap::from_lsb0_bytes(0, &bits)
}

/// What a filter is bound to, for as long as there is time: past a query's deadline parts are left
/// out, and nobody may use what is bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binder<'i, 'm> {
    pub(super) index: &'i Index,
    pub(super) meter: &'m Meter,
}

/// A part of a filter.
#[derive(Debug)]
pub(super) enum Bound<'i> {
    And(Vec<Self>),
    Or(Vec<Self>),
    /// One of some values of a column of signatures.
    Values(Column, RoaringBitmap),
    Signatures(SignatureSet),
    Leaf(Predicate<'i>),
    Not(Predicate<'i>),
}

impl<'i> Bound<'i> {
    /// Binds a condition, or its complement. Cost: the values that are asked. A condition is at
    /// most 16 deep.
    pub(super) fn of(condition: &Condition, is_negated: bool, binder: Binder<'i, '_>) -> Self {
        let Binder { index, meter } = binder;
        match condition {
            Condition::Not(inner) => Self::of(inner, !is_negated, binder),
            Condition::And(parts) | Condition::Or(parts) => {
                let is_and = matches!(condition, Condition::And(_)) != is_negated;
                let parts = distinct(parts).take_while(|_| !meter.is_over());
                let parts = parts.map(|part| Self::of(part, is_negated, binder));
                Self::join(is_and, parts.collect())
            }
            Condition::Clause(clause) => {
                let own = Self::of_clause(clause, index);
                if is_negated { own.complement(index) } else { own }
            }
        }
    }

    /// Binds a clause. Cost: the values that are asked.
    pub(super) fn of_clause(clause: &Clause, index: &'i Index) -> Self {
        let catalog = index.catalog();
        let values = |column, values: Vec<Ordinal>| Self::Values(column, set(&values));
        let flagged = |filter| Self::Signatures(index.signatures_as(&filter));
        let listed = |field, values| Self::Leaf(Predicate::Listed(field, values));
        match clause {
            Clause::Text(needle) => Self::Leaf(Predicate::Text(Box::new(Text::of(needle, index)))),
            Clause::Mine(user) => listed(Listed::Assignees, catalog.holders(user)),
            Clause::Agents(any) => listed(Listed::Assignees, catalog.agents(any.iter())),
            Clause::Queues(any) => listed(Listed::Queues, catalog.queues_named(any.iter())),
            Clause::RefId(any) => Self::Leaf(Predicate::RefIds(catalog.ref_ids_named(any.iter()))),
            Clause::Id(any) => {
                let mut addresses: Vec<_> = any.iter().filter_map(|id| index.find(id)).collect();
                addresses.sort_unstable();
                Self::Leaf(Predicate::Docs(addresses))
            }
            Clause::Date(field, Span { first, last }) => {
                Self::range(ValueRange::of_dates(date_field(*field), (*first, *last)))
            }
            Clause::StartsWith(field, prefix) => {
                let field = match field {
                    TextField::Name => Field::Name,
                    TextField::RefId => Field::RefId,
                    TextField::Id => Field::Id,
                };
                Self::range(ValueRange::starting_with(field, prefix))
            }
            Clause::Exists(field) => Self::exists(*field, index),
            Clause::Unresolved => {
                flagged(SignatureFilter { unresolved: true, ..SignatureFilter::default() })
            }
            Clause::Unassigned => {
                flagged(SignatureFilter { unassigned: true, ..SignatureFilter::default() })
            }
            Clause::Status(any) => values(Column::Status, catalog.statuses_named(any.iter())),
            Clause::StatusCategory(any) => values(Column::Status, catalog.statuses_of(any.iter())),
            Clause::Priority(any) => values(Column::Priority, catalog.priorities_named(any.iter())),
            Clause::Channel(any) => values(Column::Channels, catalog.channels_named(any.iter())),
            Clause::Score(Span { first, last }) => {
                let (first, last) = ((ordered_bits(*first), ""), (ordered_bits(*last), ""));
                let key = |value| catalog.sort_key(Column::Priority, value);
                let order = index.signature_sets().order(Column::Priority);
                values(Column::Priority, order.between(&first, &last, key).collect())
            }
        }
    }

    fn exists(field: FilterField, index: &'i Index) -> Self {
        let catalog = index.catalog();
        let without = |column, missing: Vec<Ordinal>| {
            Self::Values(column, missing.into_iter().collect()).complement(index)
        };
        let present = |field| Self::range(ValueRange::present(field));
        match field {
            FilterField::Status => without(Column::Status, catalog.missing_statuses()),
            FilterField::StatusCategory => {
                without(Column::Status, catalog.statuses_of_no_category())
            }
            FilterField::Priority => without(Column::Priority, catalog.missing_priorities()),
            FilterField::PriorityScore => {
                let order = index.signature_sets().order(Column::Priority);
                without(Column::Priority, order.missing().collect())
            }
            FilterField::Channel => {
                without(Column::Channels, Vec::from_iter(catalog.no_channels()))
            }
            FilterField::Queue => Self::Leaf(Predicate::IsListed(Listed::Queues)),
            FilterField::Assignee => Self::Leaf(Predicate::IsListed(Listed::Assignees)),
            FilterField::Text => Self::Leaf(Predicate::HasText(catalog.titles.none())),
            FilterField::Name => present(Field::Name),
            FilterField::RefId => present(Field::RefId),
            FilterField::Created => present(Field::Created),
            FilterField::Updated => present(Field::Updated),
            FilterField::Due => present(Field::Due),
            FilterField::Unresolved
            | FilterField::Unassigned
            | FilterField::Mycase
            | FilterField::Id => without(Column::Status, Vec::new()),
        }
    }

    fn range(range: ValueRange) -> Self {
        Self::Leaf(Predicate::Range(range))
    }

    /// The complement of a clause.
    fn complement(self, index: &Index) -> Self {
        match self {
            Self::Values(column, values) => {
                let mut others = RoaringBitmap::new();
                others.insert_range(0..index.catalog().values(column) as Ordinal);
                Self::Values(column, others - values)
            }
            Self::Signatures(set) => {
                let mut others = SignatureSet::up_to(index.signatures().len());
                others.subtract(&set);
                Self::Signatures(others)
            }
            Self::Leaf(leaf) => Self::Not(leaf),
            Self::Not(leaf) => Self::Leaf(leaf),
            node @ (Self::And(_) | Self::Or(_)) => unreachable!("a clause is no node: {node:?}"),
        }
    }

    /// Joins parts by one operator. Those of the same operator within it are its own; values of one
    /// column become one set of values.
    pub(super) fn join(is_and: bool, mut open: Vec<Self>) -> Self {
        let mut values: [Option<RoaringBitmap>; 3] = [None, None, None];
        let mut parts = Vec::new();
        while let Some(part) = open.pop() {
            match part {
                Self::And(inner) if is_and => open.extend(inner),
                Self::Or(inner) if !is_and => open.extend(inner),
                Self::Values(column, own) => match &mut values[column as usize] {
                    Some(known) if is_and => *known &= own,
                    Some(known) => *known |= own,
                    none => *none = Some(own),
                },
                part => parts.push(part),
            }
        }
        let values = Column::ALL.into_iter().zip(values);
        parts.extend(values.filter_map(|(column, own)| Some(Self::Values(column, own?))));
        if is_and { Self::And(parts) } else { Self::Or(parts) }
    }

    /// What is evaluated: signatures are one set in each node. Cost: the signatures of the values,
    /// for each node.
    pub(super) fn resolved(self, binder: Binder<'i, '_>) -> Expression<'i> {
        let Binder { index, meter } = binder;
        let of_set = |set| Expression::Leaf(Predicate::signatures(set, index));
        let (is_and, parts) = match self {
            Self::And(parts) => (true, parts),
            Self::Or(parts) => (false, parts),
            Self::Values(column, values) => {
                return of_set(index.signature_sets().any(column, values));
            }
            Self::Signatures(set) => return of_set(set),
            Self::Leaf(leaf) => return Expression::Leaf(leaf),
            Self::Not(leaf) => return Expression::Not(leaf),
        };
        let mut set: Option<SignatureSet> = None;
        let mut others = Vec::new();
        for part in parts.into_iter().take_while(|_| !meter.is_over()) {
            match part.resolved(binder) {
                Expression::Leaf(Predicate::Signatures(own)) => match &mut set {
                    Some(set) if is_and => set.intersect(own.set()),
                    Some(set) => set.unite(own.set()),
                    None => set = Some(own.into_set()),
                },
                part => others.push(part),
            }
        }
        if let Some(set) = set {
            // All signatures ask nothing of an `And`, and none leave nothing; of an `Or` it is the
            // other way round.
            let is_all = set.len() == index.signatures().len();
            let (is_idle, decides) =
                if is_and { (is_all, set.is_empty()) } else { (set.is_empty(), is_all) };
            if decides || others.is_empty() {
                return of_set(set);
            }
            if !is_idle {
                others.push(of_set(set));
            }
        }
        Expression::of_parts(is_and, others)
    }
}

fn date_field(field: DateField) -> Field {
    match field {
        DateField::Created => Field::Created,
        DateField::Updated => Field::Updated,
        DateField::Due => Field::Due,
    }
}

/// The parts of a node, of equal clauses one.
pub(super) fn distinct(parts: &[Condition]) -> impl Iterator<Item = &Condition> {
    let mut met = HashSet::new();
    parts.iter().filter(move |part| match part {
        Condition::Clause(_) => met.insert(*part),
        Condition::Not(inner) if matches!(**inner, Condition::Clause(_)) => met.insert(*part),
        _ => true,
    })
}
