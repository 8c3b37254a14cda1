//! One test of a case, bound to a catalog: which slots of a segment pass it, and what that costs.

use super::cost::{INSERT, JOIN, LIST, ROW_TEST, SEARCH, SIGNATURE_TEST, column_cost};
use super::interval::docs_between;
use super::listed::Listed;
use super::segment_context::SegmentContext;
use super::signature_docs::live_docs;
use super::signatures::Signatures;
use super::text::{Slots, Text};
use super::value_range::{ValueRange, text_positions};
use crate::index::{BitSet, DocAddress, Field, Index, Ordinal, PostingList, Segment, SignatureSet};

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
    Docs(Vec<DocAddress>),
}

impl Predicate<'_> {
    pub(super) fn signatures(set: SignatureSet, index: &Index) -> Self {
        Self::Signatures(Box::new(Signatures::of(set, index.signatures().len())))
    }

    /// What it costs to test a slot.
    pub(super) fn test_cost(&self) -> u64 {
        match self {
            Self::Signatures(_) => SIGNATURE_TEST,
            Self::Text(text) => text.test_cost(1),
            Self::Docs(_) => 1,
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
            Self::Signatures(own) => {
                let slots = own.count_in(segment);
                let lists = own.len() as u64 * LIST + slots * INSERT;
                (slots, lists.min(column_cost(segment)))
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
            Self::Docs(addresses) => {
                let slots = in_segment(addresses, segment).len() as u64;
                (slots, slots * INSERT)
            }
        };
        Estimate { slots: slots.min(live), cost }
    }

    /// How many live slots of a segment pass, where lists and positions tell. Cost: a look at each
    /// list, or two searches.
    pub(super) fn count(&self, context: SegmentContext<'_>) -> Option<u64> {
        let segment = context.segment;
        match self {
            Self::Range(range) => {
                let (from, to) = range.positions(context.index.catalog(), segment);
                Some(segment.order(range.field).distance(from, to) as u64)
            }
            Self::Listed(field, values) => {
                // A case has one assignee, and perhaps several queues.
                let is_apart = *field == Listed::Assignees || values.len() < 2;
                is_apart.then(|| field.among(segment, values).map(PostingList::len).sum())
            }
            Self::IsListed(field) => {
                Some(u64::from(segment.live()) - field.unlisted(segment).len() as u64)
            }
            Self::Signatures(own) => Some(own.count_in(segment)),
            Self::HasText(_) | Self::Text(_) | Self::RefIds(_) | Self::Docs(_) => None,
        }
    }

    /// How many live slots of a segment pass this and another one, where the lists of one value
    /// each tell.
    pub(super) fn shared_count(&self, other: &Self, segment: &Segment) -> Option<u64> {
        let (own, other) = (self.only_list(segment)?, other.only_list(segment)?);
        Some(own.zip(other).map_or(0, |(own, other)| own.shared_len(other)))
    }

    /// The list of the one value that is asked, if a segment has it; nothing where another number
    /// of values is asked, or something else.
    fn only_list<'s>(&self, segment: &'s Segment) -> Option<Option<&'s PostingList>> {
        match self {
            Self::Listed(field, values) if let [value] = values[..] => {
                Some(field.lists(segment).get(value))
            }
            _ => None,
        }
    }

    /// Whether a live slot passes.
    #[inline]
    pub(super) fn has(&self, context: SegmentContext<'_>, slot: u16) -> bool {
        let SegmentContext { index, segment, .. } = context;
        match self {
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
            Self::Docs(addresses) => addresses.binary_search(&segment.address(slot)).is_ok(),
        }
    }

    /// The live slots that pass.
    pub(super) fn docs(&self, context: SegmentContext<'_>) -> BitSet {
        let SegmentContext { index, segment, meter } = context;
        let mut set = BitSet::default();
        match self {
            Self::Signatures(own) => {
                meter.examine(own.count_in(segment) as usize);
                return own.docs_in(segment);
            }
            Self::Range(range) => {
                let (from, to) = range.positions(index.catalog(), segment);
                return docs_between(context, range.field, from, to);
            }
            Self::Listed(field, values) => {
                for list in field.among(segment, values) {
                    meter.examine(list.len() as usize);
                    list.each(|slot| set.insert(slot));
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
            Self::Docs(addresses) => {
                let own = in_segment(addresses, segment);
                meter.examine(own.len());
                let slots = own.iter().map(|address| address.slot());
                slots.filter(|slot| segment.is_live(*slot)).for_each(|slot| set.insert(slot));
            }
        }
        set
    }

    fn tested(&self, context: SegmentContext<'_>, slots: &BitSet) -> BitSet {
        tested(context, slots, |slot| self.has(context, slot))
    }
}

/// Those of some live slots that pass, each tested while there is time.
pub(super) fn tested(
    context: SegmentContext<'_>,
    slots: &BitSet,
    passes: impl Fn(u16) -> bool,
) -> BitSet {
    context.meter.examine(slots.len());
    let mut passes = context.meter.in_time(passes);
    let mut set = BitSet::default();
    slots.each(|slot| {
        if passes(slot) {
            set.insert(slot);
        }
    });
    set
}

/// Those of some addresses, which ascend, that are in a segment.
fn in_segment<'p>(addresses: &'p [DocAddress], segment: &Segment) -> &'p [DocAddress] {
    let from = addresses.partition_point(|own| own.segment() < segment.number);
    let to = addresses.partition_point(|own| own.segment() <= segment.number);
    &addresses[from..to]
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
    match is_cheap.then(|| text.slots(context, most, |_| true)).flatten() {
        Some(Slots::Few(few)) => {
            meter.examine(few.len());
            few.into_iter().collect()
        }
        Some(Slots::Many(set)) => {
            meter.examine(set.len());
            set
        }
        None => tested(context, &live_docs(segment), |slot| text.is_in(segment.row(slot))),
    }
}
