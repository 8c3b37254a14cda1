//! One test of a case, bound to a catalog: which slots of a segment pass it, and what that costs.

use roaring::RoaringBitmap;

use super::cost::{COLUMN_TEST, INSERT, JOIN, LIST, ROW_TEST, SEARCH, SIGNATURE_TEST};
use super::listed::Listed;
use super::meter::Meter;
use super::signature_docs::{counted, docs_of_signatures, live_docs};
use super::signatures::Signatures;
use super::text::{Slots, Text};
use super::value_range::{ValueRange, text_positions};
use crate::contract::{Clause, DateField, FilterField, Span, TextField};
use crate::index::{
    BitSet, Column, Field, Index, Ordinal, Place, Position, PostingList, Segment, SignatureFilter,
    SignatureSet, ordered_bits,
};

/// Where a predicate is evaluated, and who hears what is looked at.
#[derive(Clone, Copy)]
pub(super) struct SegmentContext<'a> {
    pub(super) index: &'a Index,
    pub(super) segment: &'a Segment,
    pub(super) meter: &'a Meter,
}

/// What is known of matches in a segment before they are found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Estimate {
    /// How many there are at most.
    pub(super) slots: u64,
    /// What it costs to list them, in nanoseconds, about.
    pub(super) cost: u64,
}

/// One test of a case.
#[derive(Debug)]
pub(super) enum Predicate<'i> {
    /// One of some values of a column of signatures; `Signatures` once it is resolved.
    Values(Column, RoaringBitmap),
    /// What a signature tells.
    Signatures(Box<Signatures>),
    /// What one order tells.
    Range(ValueRange),
    /// One of some values of a field with lists; ascending.
    Listed(Listed, Vec<Ordinal>),
    /// Any value of such a field.
    IsListed(Listed),
    /// A name or a title: any title but this one, which has neither.
    HasText(Ordinal),
    Text(Box<Text<'i>>),
    /// One of some reference numbers; ascending.
    RefIds(Vec<Ordinal>),
    /// One of some cases; ascending.
    Places(Vec<Place>),
}

impl<'i> Predicate<'i> {
    /// Cost: the values that are asked, and the signatures that have them.
    pub(super) fn of(clause: &Clause, index: &'i Index) -> Self {
        let catalog = index.catalog();
        let values =
            |column, values: Vec<Ordinal>| Self::Values(column, values.into_iter().collect());
        match clause {
            Clause::Text(needle) => Self::Text(Box::new(Text::of(needle, index))),
            Clause::Mine(user) => Self::Listed(Listed::Assignees, catalog.holders(user)),
            Clause::Agents(any) => Self::Listed(Listed::Assignees, catalog.agents(any.iter())),
            Clause::Queues(any) => Self::Listed(Listed::Queues, catalog.queues_named(any.iter())),
            Clause::RefId(any) => Self::RefIds(catalog.ref_ids_named(any.iter())),
            Clause::Id(any) => {
                let mut places: Vec<_> = any.iter().filter_map(|id| index.find(id)).collect();
                places.sort_unstable();
                Self::Places(places)
            }
            Clause::Date(field, Span { first, last }) => {
                Self::Range(ValueRange::of_dates(date_field(*field), (*first, *last)))
            }
            Clause::StartsWith(field, prefix) => {
                let field = match field {
                    TextField::Name => Field::Name,
                    TextField::RefId => Field::RefId,
                    TextField::Id => Field::Id,
                };
                Self::Range(ValueRange::starting_with(field, prefix))
            }
            Clause::Exists(field) => Self::exists(*field, index),
            Clause::Unresolved => {
                Self::flagged(&SignatureFilter { unresolved: true, ..Default::default() }, index)
            }
            Clause::Unassigned => {
                Self::flagged(&SignatureFilter { unassigned: true, ..Default::default() }, index)
            }
            Clause::Status(any) => values(Column::Status, catalog.statuses_named(any.iter())),
            Clause::StatusCategory(any) => values(Column::Status, catalog.statuses_of(any.iter())),
            Clause::Priority(any) => values(Column::Priority, catalog.priorities_named(any.iter())),
            Clause::Channel(any) => values(Column::Channels, catalog.channels_named(any.iter())),
            Clause::Score(Span { first, last }) => {
                let bounds = (ordered_bits(*first), "")..=(ordered_bits(*last), "");
                let key = |value| catalog.sort_key(Column::Priority, value);
                let order = index.signature_sets().order(Column::Priority);
                let within = order.between(bounds.start(), bounds.end(), key);
                values(Column::Priority, within.collect())
            }
        }
    }

    fn exists(field: FilterField, index: &'i Index) -> Self {
        let catalog = index.catalog();
        let without = |column, values| Self::without(column, values, index);
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
            FilterField::Queue => Self::IsListed(Listed::Queues),
            FilterField::Assignee => Self::IsListed(Listed::Assignees),
            FilterField::Text => Self::HasText(catalog.titles.none()),
            FilterField::Name => Self::Range(ValueRange::present(Field::Name)),
            FilterField::RefId => Self::Range(ValueRange::present(Field::RefId)),
            FilterField::Created => Self::Range(ValueRange::present(Field::Created)),
            FilterField::Updated => Self::Range(ValueRange::present(Field::Updated)),
            FilterField::Due => Self::Range(ValueRange::present(Field::Due)),
            FilterField::Unresolved
            | FilterField::Unassigned
            | FilterField::Mycase
            | FilterField::Id => without(Column::Status, Vec::new()),
        }
    }

    pub(super) fn signatures(set: SignatureSet, index: &Index) -> Self {
        Self::Signatures(Box::new(Signatures::of(set, index.signatures().len())))
    }

    fn flagged(filter: &SignatureFilter, index: &Index) -> Self {
        let all = index.signatures();
        let get = |ordinal: Ordinal| all.get(ordinal as usize);
        Self::signatures(index.signature_sets().leave(filter, all.len(), get), index)
    }

    /// The values of a column but for some.
    fn without(column: Column, values: Vec<Ordinal>, index: &Index) -> Self {
        let mut others = RoaringBitmap::new();
        others.insert_range(0..index.catalog().values(column) as Ordinal);
        Self::Values(column, others - values.into_iter().collect::<RoaringBitmap>())
    }

    /// What it costs to test a slot.
    pub(super) fn test_cost(&self) -> u64 {
        match self {
            Self::Values(..) => ROW_TEST,
            Self::Signatures(_) => SIGNATURE_TEST,
            Self::Text(text) => text.test_cost(1),
            Self::Places(_) => 1,
            Self::Range(_)
            | Self::Listed(..)
            | Self::IsListed(_)
            | Self::HasText(_)
            | Self::RefIds(_) => ROW_TEST,
        }
    }

    /// How many slots of a segment pass at most, and what it costs to list them.
    pub(super) fn estimate(&self, context: SegmentContext<'_>) -> Estimate {
        let segment = context.segment;
        let live = u64::from(segment.live());
        let (slots, cost) = match self {
            Self::Values(..) => (live, live * ROW_TEST),
            Self::Signatures(own) => {
                let slots = counted(segment, own);
                let lists = own.len() as u64 * LIST + slots * INSERT;
                (slots, lists.min(segment.slots() as u64 * COLUMN_TEST))
            }
            Self::Range(range) => {
                let (from, to) = range.positions(context.index.catalog(), segment);
                let slots = segment.order(range.field).distance(from, to) as u64;
                (slots, 2 * SEARCH + slots.min(live - slots) * INSERT)
            }
            Self::Listed(field, values) => {
                let slots = field.among(segment, values).map(PostingList::len).sum();
                (slots, field.looked_at(segment, values) * LIST + slots * INSERT)
            }
            Self::IsListed(_) => (live, JOIN),
            Self::HasText(_) => (live, 2 * SEARCH + live * INSERT),
            Self::Text(text) => {
                let slots = text.at_most();
                (slots, text.terms_cost(segment).min(text.test_cost(live)))
            }
            Self::RefIds(own) => (live, (own.len() as u64 * 2 * SEARCH).min(live * ROW_TEST)),
            Self::Places(places) => {
                let slots = in_segment(places, segment).len() as u64;
                (slots, slots * INSERT)
            }
        };
        Estimate { slots: slots.min(live), cost }
    }

    /// Whether a live slot passes.
    #[inline]
    pub(super) fn has(&self, context: SegmentContext<'_>, slot: u16) -> bool {
        let SegmentContext { index, segment, .. } = context;
        match self {
            Self::Values(column, values) => {
                let signature = index.signatures().get(segment.signature(slot) as usize);
                signature.is_some_and(|own| values.contains(own.value(*column)))
            }
            Self::Signatures(own) => own.has(segment.signature(slot)),
            Self::Range(range) => range.has(index.catalog(), segment, slot),
            Self::Listed(Listed::Assignees, values) => {
                values.binary_search(&segment.row(slot).assignee).is_ok()
            }
            Self::Listed(Listed::Queues, values) => {
                let own = index.catalog().queue_sets.get(segment.row(slot).queues);
                own.iter().any(|queue| values.binary_search(queue).is_ok())
            }
            Self::IsListed(field) => !field.unlisted(segment).has(slot),
            Self::HasText(none) => segment.row(slot).title != *none,
            Self::Text(text) => text.is_in(segment.row(slot)),
            Self::RefIds(own) => own.binary_search(&segment.row(slot).ref_id).is_ok(),
            Self::Places(places) => places.binary_search(&segment.place(slot)).is_ok(),
        }
    }

    /// The live slots that pass.
    pub(super) fn docs(&self, context: SegmentContext<'_>) -> BitSet {
        let SegmentContext { index, segment, meter } = context;
        let mut set = BitSet::default();
        match self {
            Self::Values(..) => return self.tested(context, &live_docs(segment)),
            Self::Signatures(own) => {
                meter.examine(counted(segment, own) as usize);
                return docs_of_signatures(segment, own);
            }
            Self::Range(range) => {
                let (from, to) = range.positions(index.catalog(), segment);
                return docs_between(context, range.field, from, to);
            }
            Self::Listed(field, values) => {
                for list in field.among(segment, values) {
                    meter.examine(list.len() as usize);
                    list.unresolved().each(|slot| set.insert(slot));
                    list.done().each(|slot| set.insert(slot));
                }
            }
            Self::IsListed(field) => {
                set = live_docs(segment);
                set.subtract_kept(field.unlisted(segment));
            }
            Self::HasText(_) => {
                // Whoever has a name comes first, and only the others are looked at.
                let (from, to) =
                    ValueRange::present(Field::Name).positions(index.catalog(), segment);
                set = docs_between(context, Field::Name, from, to);
                let mut others = live_docs(segment);
                others.subtract(&set);
                set.unite(&self.tested(context, &others));
            }
            Self::Text(text) => return docs_of_text(context, text),
            Self::RefIds(own) => {
                if own.len() as u64 * 2 * SEARCH >= u64::from(segment.live()) * ROW_TEST {
                    return self.tested(context, &live_docs(segment));
                }
                for own in own {
                    let text = index.catalog().ref_ids.get(*own);
                    let field = Field::RefId;
                    let (from, to) =
                        text_positions(index.catalog(), segment, field, text, |own| own == text);
                    segment.order(field).between(from, to).for_each(|slot| set.insert(slot));
                }
                meter.examine(set.len());
            }
            Self::Places(places) => {
                let own = in_segment(places, segment);
                meter.examine(own.len());
                let slots = own.iter().map(|place| place.slot());
                slots.filter(|slot| segment.is_live(*slot)).for_each(|slot| set.insert(slot));
            }
        }
        set
    }

    /// Those of some live slots that pass, each tested.
    fn tested(&self, context: SegmentContext<'_>, slots: &BitSet) -> BitSet {
        context.meter.examine(slots.len());
        let mut set = BitSet::default();
        slots.each(|slot| {
            if self.has(context, slot) {
                set.insert(slot);
            }
        });
        set
    }
}

/// Those of some places, which ascend, that are in a segment.
fn in_segment<'p>(places: &'p [Place], segment: &Segment) -> &'p [Place] {
    let from = places.partition_point(|own| own.segment() < segment.number);
    let to = places.partition_point(|own| own.segment() <= segment.number);
    &places[from..to]
}

fn date_field(field: DateField) -> Field {
    match field {
        DateField::Created => Field::Created,
        DateField::Updated => Field::Updated,
        DateField::Due => Field::Due,
    }
}

/// The slots between two positions of an order. Cost: these, or where they are most, the others.
fn docs_between(context: SegmentContext<'_>, field: Field, from: Position, to: Position) -> BitSet {
    let SegmentContext { segment, meter, .. } = context;
    let order = segment.order(field);
    let count = order.distance(from, to);
    let others = segment.live() as usize - count;
    meter.examine(count.min(others));
    if count <= others {
        return order.between(from, to).collect();
    }
    let mut set = live_docs(segment);
    order.between(order.start(), from).for_each(|slot| set.remove(slot));
    order.between(to, order.end()).for_each(|slot| set.remove(slot));
    set
}

/// The live slots that have a text: by its terms, or where these have more slots than testing
/// would cost, each live slot tested.
fn docs_of_text(context: SegmentContext<'_>, text: &Text<'_>) -> BitSet {
    let SegmentContext { segment, meter, .. } = context;
    if text.at_most() == 0 {
        return BitSet::default();
    }
    let most = text.test_cost(segment.live().into());
    let is_cheap = text.terms_cost(segment) < most;
    match is_cheap.then(|| text.slots(segment, most, |_| true)).flatten() {
        Some(Slots::Few(few)) => {
            meter.examine(few.len());
            few.into_iter().collect()
        }
        Some(Slots::Many(set)) => {
            meter.examine(set.len());
            set
        }
        None => {
            let mut set = BitSet::default();
            meter.examine(segment.live() as usize);
            live_docs(segment).each(|slot| {
                if text.is_in(segment.row(slot)) {
                    set.insert(slot);
                }
            });
            set
        }
    }
}
