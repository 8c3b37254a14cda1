//! The values of a field, counted: by signatures, or by the lengths of lists.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::vec::IntoIter;

use foldhash::fast::RandomState;

use super::page;
use crate::case::{Case, NO_CATEGORY, Part};
use crate::contract::{ValueCount, ValueField};
use crate::index::{Catalog, DocAddress, Index, Ordinal, PostingList};

/// The values of a field, the most frequent first; what
/// [`Snapshot::values`](crate::Snapshot::values) gives.
pub struct Values<'s> {
    index: &'s Index,
    field: ValueField,
    listed: IntoIter<Listed<'s>>,
    missing: u64,
    unassigned: u64,
}

struct Listed<'s> {
    key: &'s str,
    count: u64,
    sample: Sample,
}

/// A live case that has a key first.
#[derive(Clone, Copy)]
enum Sample {
    /// Any with this signature.
    Signature(Ordinal),
    At(DocAddress),
}

impl Sample {
    fn address(self, index: &Index) -> Option<DocAddress> {
        let signature = match self {
            Self::At(address) => return Some(address),
            Self::Signature(signature) => signature,
        };
        index.segments().iter().find_map(|segment| {
            let list = segment.lists().by_signature.get(signature)?;
            slots(list).next().map(|slot| segment.address(slot))
        })
    }
}

/// Keys, how many live cases have each, and where one has it first.
#[derive(Default)]
struct Counts<'s> {
    keys: HashMap<&'s str, (u64, Option<Sample>), RandomState>,
    missing: u64,
}

impl<'s> Counts<'s> {
    /// Counts cases that have these keys, each with whether it is the first of a value.
    fn add(&mut self, keys: impl Iterator<Item = (&'s str, bool)>, count: u64, sample: Sample) {
        let mut keys: Vec<_> = keys.map(|(key, is_first)| (key, !is_first)).collect();
        // One that is the first of some value is first.
        keys.sort_unstable();
        keys.dedup_by_key(|(key, _)| *key);
        for (key, is_other) in keys {
            let (all, known) = self.keys.entry(key).or_default();
            *all += count;
            *known = known.or((!is_other).then_some(sample));
        }
    }

    /// By signatures, each of which has one value. Cost: the signatures.
    fn by_signatures(index: &'s Index, field: ValueField) -> Self {
        let catalog = index.catalog();
        let mut of_value: HashMap<Ordinal, (u64, Ordinal), RandomState> = HashMap::default();
        let counted = index.signatures().iter().zip(index.counts().iter());
        for (ordinal, (signature, count)) in counted.enumerate().filter(|(_, own)| *own.1 > 0) {
            let value = match field {
                ValueField::Priority => signature.priority,
                ValueField::Channel => signature.channels,
                _ => signature.status,
            };
            let (all, sample) = of_value.entry(value).or_default();
            *all += u64::from(*count);
            *sample = ordinal as Ordinal;
        }
        let mut counts = Self::default();
        for (value, (count, signature)) in of_value {
            if is_missing(catalog, field, value) {
                counts.missing += count;
            }
            let sample = Sample::Signature(signature);
            match field {
                ValueField::StatusCategory => {
                    let category = &*catalog.statuses.get(value).category;
                    let category = Some(category).filter(|own| *own != NO_CATEGORY);
                    // It stands behind a space.
                    let key = category.and_then(|own| own.get(1..));
                    counts.add(key.into_iter().map(|key| (key, true)), count, sample);
                }
                ValueField::Channel => {
                    counts.add(catalog.channels.get(value).iter(), count, sample);
                }
                _ => {
                    let keys = match field {
                        ValueField::Priority => &catalog.priorities.get(value).keys,
                        _ => &catalog.statuses.get(value).keys,
                    };
                    let keys = keys.iter().enumerate().map(|(at, key)| (&**key, at == 0));
                    counts.add(keys, count, sample);
                }
            }
        }
        counts
    }

    /// Cost: the queues of each segment, and the sets of them that cases have or had; a key that
    /// only dead cases had first is looked for in all cases that have it.
    fn by_queues(index: &'s Index) -> Self {
        let catalog = index.catalog();
        let mut may_be_first = vec![false; catalog.queues.len()];
        for set in (0..catalog.queue_sets.len()).map(|at| catalog.queue_sets.get(at as Ordinal)) {
            for queue in set.iter().filter(|queue| set.is_first(**queue)) {
                may_be_first.get_mut(*queue as usize).into_iter().for_each(|own| *own = true);
            }
        }
        let mut found: HashMap<Ordinal, (u64, Option<Sample>), RandomState> = HashMap::default();
        let mut missing = 0;
        for segment in index.segments().iter() {
            missing += segment.lists().no_queue.len() as u64;
            for (queue, list) in segment.lists().queues.iter() {
                let (count, sample) = found.entry(queue).or_default();
                *count += list.len();
                if sample.is_none() && may_be_first.get(queue as usize) == Some(&true) {
                    let is_first = |slot: &u16| {
                        catalog.queue_sets.get(segment.row(*slot).queues).is_first(queue)
                    };
                    let first = slots(list).find(is_first);
                    *sample = first.map(|slot| Sample::At(segment.address(slot)));
                }
            }
        }
        let keys = found.into_iter().map(|(queue, own)| (catalog.queues.get(queue), own));
        Self { keys: keys.filter(|(_, own)| own.0 > 0).collect(), missing }
    }

    /// Cost: the assignees of each segment.
    fn by_assignees(index: &'s Index) -> Self {
        let mut found: HashMap<Ordinal, (u64, Sample), RandomState> = HashMap::default();
        let mut counts = Self::default();
        for segment in index.segments().iter() {
            counts.missing += segment.lists().nobody.len() as u64;
            for (assignee, list) in segment.lists().assignees.iter() {
                let Some(slot) = slots(list).next() else { continue };
                let sample = Sample::At(segment.address(slot));
                found.entry(assignee).or_insert((0, sample)).0 += list.len();
            }
        }
        for (assignee, (count, sample)) in found {
            let own = index.catalog().assignees.get(assignee);
            // A name comes after the ids.
            let first = own.name.as_ref().map_or(0, |_| own.agents.len().saturating_sub(1));
            let keys = own.agents.iter().enumerate().map(|(at, key)| (&**key, at == first));
            counts.add(keys, count, sample);
        }
        counts
    }
}

fn is_missing(catalog: &Catalog, field: ValueField, value: Ordinal) -> bool {
    match field {
        ValueField::Priority => catalog.priorities.get(value).keys.is_empty(),
        ValueField::Channel => catalog.channels.get(value).all.is_empty(),
        _ => {
            let status = catalog.statuses.get(value);
            let has_none = &*status.category == NO_CATEGORY;
            has_none && (field == ValueField::StatusCategory || status.keys.is_empty())
        }
    }
}

fn slots(list: &PostingList) -> impl Iterator<Item = u16> {
    list.unresolved().iter().chain(list.done().iter())
}

impl<'s> Values<'s> {
    /// About how many there are: those that cases had before, too; of a category no more than of
    /// statuses.
    pub(crate) fn about(index: &Index, field: ValueField) -> usize {
        let catalog = index.catalog();
        match field {
            ValueField::Status | ValueField::StatusCategory => catalog.statuses.len(),
            ValueField::Priority => catalog.priorities.len(),
            ValueField::Channel => catalog.distinct_channels(),
            ValueField::Queue => catalog.queues.len(),
            ValueField::Assignee => catalog.assignees.len(),
        }
    }

    pub(crate) fn new(index: &'s Index, field: ValueField) -> Self {
        let Counts { keys, missing } = match field {
            ValueField::Queue => Counts::by_queues(index),
            ValueField::Assignee => Counts::by_assignees(index),
            _ => Counts::by_signatures(index, field),
        };
        let listed = keys.into_iter().filter_map(|(key, (count, sample))| {
            // Nothing finds an empty key.
            Some(Listed { key, count, sample: sample.filter(|_| !key.is_empty())? })
        });
        let mut listed: Vec<_> = listed.collect();
        listed.sort_unstable_by_key(|own| (Reverse(own.count), own.key));
        let counted = index.signatures().iter().zip(index.counts().iter());
        let unassigned = counted.filter(|(own, _)| own.unassigned);
        let unassigned = unassigned.map(|(_, count)| u64::from(*count)).sum();
        Self { index, field, listed: listed.into_iter(), missing, unassigned }
    }

    /// How many live cases have no value: what [`Filter::missing`](crate::Filter::missing) finds.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// How many live cases nobody has: what [`Filter::unassigned`](crate::Filter::unassigned)
    /// finds, whatever the field is.
    #[must_use]
    pub fn unassigned(&self) -> u64 {
        self.unassigned
    }

    /// How a live case spells a key.
    fn shown(&self, key: &str, sample: Sample) -> Option<String> {
        let address = sample.address(self.index)?;
        let document = page::get(address, self.index);
        let case = Case::from_json(document.json().as_bytes()).ok()?;
        match self.field {
            ValueField::Status => case.shown(Part::Status, key),
            ValueField::StatusCategory => case.status_category(),
            ValueField::Priority => case.shown(Part::Priority, key),
            ValueField::Channel => case.shown(Part::Channels, key),
            ValueField::Queue => case.shown(Part::Queues, key),
            ValueField::Assignee => case.shown(Part::Assignee, key),
        }
    }
}

impl Iterator for Values<'_> {
    type Item = ValueCount;

    fn next(&mut self) -> Option<ValueCount> {
        let Listed { key, count, sample } = self.listed.next()?;
        // A channel that follows from another one is spelled nowhere.
        let shown = self.shown(key, sample).unwrap_or_else(|| key.to_owned());
        Some(ValueCount { key: key.to_owned(), shown, count })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.listed.size_hint()
    }
}

impl ExactSizeIterator for Values<'_> {}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("field", &self.field)
            .field("left", &self.listed.len())
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}
