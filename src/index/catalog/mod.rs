//! What the segments of a scope share: dictionaries of everything that repeats.
//!
//! It only grows. Useful for "which ordinals does this filter name", once a query. Not
//! for anything about single cases.

mod capacity;
mod changes;
mod code;
mod ids;
mod key_index;
mod key_sets;
mod lookup;
mod prefix;
mod reservation;
mod row;
mod signature_set;
mod signature_sets;
mod sort_key;
mod titles;
mod value_order;
mod vocabulary;

pub(crate) use capacity::{Demand, Full};
pub use capacity::{Limits, Resource};
pub(crate) use changes::{Change, ChangeBlock, Entered, Entry, Packer, Unpacked, unpacked};
pub(crate) use code::{MAX_COUNTED, code};
pub(crate) use key_sets::KeyCounts;
pub(crate) use row::{DocAddress, DocRef, Row, SEGMENT};
pub(crate) use signature_set::SignatureSet;
pub(crate) use signature_sets::{SignatureFilter, SignatureSets};
pub(crate) use sort_key::{Field, FieldSet};
pub(crate) use value_order::ValueOrder;
pub(crate) use vocabulary::{Anchor, Needle, SubPattern, Vocabulary, gap_of};

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use once_cell::race::OnceBox;
use smallvec::SmallVec;

use crate::case::{self, Case, Holder, Keys, Part, Status, ValueKeys};
use crate::index::codec::{Codec, Scratch};
use crate::index::collections::{
    Dictionary, HashIndex, Interner, Memo, NONE, Ordinal, Owned, PageValue, sized,
};
use capacity::Reserved;
use ids::Ids;
use key_index::KeyIndex;
use key_sets::KeySets;
use prefix::prefix;
use row::NO_DATE;
use titles::Titles;

/// A priority as queries see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Priority {
    pub(crate) keys: Keys,
    /// The score's order-preserving bits.
    pub(crate) score: Option<u64>,
}

/// One combination of what few values describe. Cases have few of them, so a filter over these
/// fields is judged once a signature and not once a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Signature {
    pub(crate) status: Ordinal,
    pub(crate) priority: Ordinal,
    pub(crate) channels: Ordinal,
    pub(crate) unassigned: bool,
    /// Follows from the status.
    pub(crate) unresolved: bool,
}

impl PageValue for Signature {}

impl Owned for Signature {
    fn owned(&self) -> usize {
        0
    }
}

impl Owned for Keys {
    fn owned(&self) -> usize {
        size_of_val(&**self) + self.iter().map(|key| key.len()).sum::<usize>()
    }
}

impl Owned for ValueKeys {
    fn owned(&self) -> usize {
        self.owned()
    }
}

impl Owned for QueueSet {
    fn owned(&self) -> usize {
        let spilled = if self.all.spilled() { self.all.capacity() } else { 0 };
        (spilled + self.others.len()) * size_of::<Ordinal>()
    }
}

impl Owned for Status {
    fn owned(&self) -> usize {
        self.keys.owned()
            + self.category.len()
            + self.sort.as_ref().map_or(0, |(_, name)| name.len())
    }
}

impl Owned for Priority {
    fn owned(&self) -> usize {
        self.keys.owned()
    }
}

impl Owned for Assignee {
    fn owned(&self) -> usize {
        let name = self.name.as_ref().map_or(0, |name| name.len());
        self.ids.owned() + self.agents.owned() + name
    }
}

/// What of a signature filters ask for by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Status,
    Priority,
    Channels,
}

impl Column {
    pub(crate) const ALL: [Self; 3] = [Self::Status, Self::Priority, Self::Channels];
}

impl Signature {
    pub(crate) fn value(&self, column: Column) -> Ordinal {
        match column {
            Column::Status => self.status,
            Column::Priority => self.priority,
            Column::Channels => self.channels,
        }
    }
}

/// Who has a case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Assignee {
    /// The name's first bytes, as a title has them.
    pub(crate) prefix: u64,
    /// The name, folded.
    pub(crate) name: Option<Box<str>>,
    pub(crate) ids: Keys,
    pub(crate) agents: Keys,
}

/// Some queue ordinals, sorted.
type Queues = SmallVec<[Ordinal; 4]>;

/// The queues of one case, a queue for each key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct QueueSet {
    all: Queues,
    /// Those that only name a queue besides its first key; sorted.
    others: Box<[Ordinal]>,
}

impl QueueSet {
    /// Whether a queue of the set is shown by this key.
    pub(crate) fn is_first(&self, queue: Ordinal) -> bool {
        self.others.binary_search(&queue).is_err()
    }
}

impl Deref for QueueSet {
    type Target = [Ordinal];

    fn deref(&self) -> &[Ordinal] {
        &self.all
    }
}

/// Everything that the cases of a scope share.
#[derive(Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Catalog {
    // In a checkpoint what names others comes before them, so that it has those too which came
    // while it was written.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    pub(crate) ids: Ids,
    pub(crate) signatures: Dictionary<Signature>,
    pub(crate) statuses: Dictionary<Status>,
    pub(crate) priorities: Dictionary<Priority>,
    pub(crate) channels: Dictionary<ValueKeys>,
    pub(crate) queue_sets: Dictionary<QueueSet>,
    pub(crate) queues: Interner<4>,
    pub(crate) assignees: Dictionary<Assignee>,
    pub(crate) titles: Titles,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) ref_ids: Interner,
    /// Reference numbers with white space around them, by what they are without it.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    padded_ref_ids: KeyIndex,
    pub(crate) key_sets: KeySets,
    /// Statuses by their keys, and by their category.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    status_names: KeyIndex,
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    priority_names: KeyIndex,
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    channel_names: KeyIndex,
    /// Assignees by the keys that `agents` asks for.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    agents: KeyIndex,
    /// Assignees by the exact ids that `mycase` asks for.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    holders: KeyIndex,
    /// What documents have in common.
    pub(crate) codec: Codec,
    /// Once some cases were entered.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    spellings: OnceBox<Spellings>,
    /// How many cases were entered before that.
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    unremembered: AtomicU32,
    /// About how many bytes came with changes that were never applied, and were not told yet.
    abandoned: AtomicU64,
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    pub(crate) limits: Limits,
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    pub(crate) reserved: Reserved,
}

/// Ordinals of what few values describe, by how documents spell it.
#[derive(Debug, Default)]
struct Spellings {
    statuses: Memo<Ordinal>,
    priorities: Memo<Ordinal>,
    channels: Memo<Ordinal>,
    queues: Memo<Ordinal>,
    /// And whether nobody has the case.
    assignees: Memo<(Ordinal, bool)>,
}

impl Spellings {
    fn bytes(&self) -> usize {
        let Self { statuses, priorities, channels, queues, assignees } = self;
        let of = [statuses, priorities, channels, queues].map(Memo::bytes);
        of.iter().sum::<usize>() + assignees.bytes()
    }
}

/// After how many cases it is remembered how cases spell their values.
const MEMO_AFTER: u32 = sized(4, 2) as u32;

/// Bits that order as the numbers do.
pub(crate) fn ordered_bits(score: f64) -> u64 {
    let bits = score.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Catalog {
    /// What was read of spellings; nothing for the first few cases, which should cost little.
    fn spellings(&self) -> Option<&Spellings> {
        if let Some(own) = self.spellings.get() {
            return Some(own);
        }
        let is_first = self.unremembered.fetch_add(1, Ordering::Relaxed) < MEMO_AFTER;
        (!is_first).then(|| self.spellings.get_or_init(Box::default))
    }

    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What finds values by their keys, made anew for all values that were read from a checkpoint.
    #[cfg(feature = "checkpoint")]
    pub(crate) fn restored(mut self, ids: Interner, limits: Limits) -> Self {
        (self.ids, self.limits) = (ids.into(), limits);
        (0..self.statuses.len() as Ordinal).for_each(|own| self.note_status(own));
        (0..self.priorities.len() as Ordinal).for_each(|own| self.note_priority(own));
        (0..self.channels.len() as Ordinal).for_each(|own| self.note_channels(own));
        (0..self.assignees.len() as Ordinal).for_each(|own| self.note_assignee(own));
        self.ref_ids.iter().for_each(|(own, ref_id)| self.note_ref_id(own, ref_id));
        self
    }

    /// How much there is of what is limited; keys of values count beside them. Cost: none that
    /// grows.
    pub(crate) fn used(&self, resource: Resource) -> u64 {
        let used = match resource {
            Resource::Cases => self.ids.len(),
            Resource::Statuses => self.statuses.len().max(self.status_names.len()),
            Resource::Priorities => self.priorities.len().max(self.priority_names.len()),
            Resource::Channels => self.channels.len().max(self.channel_names.len()),
            Resource::Signatures => self.signatures.len(),
            Resource::Queues => self.queues.len().max(self.queue_sets.len()),
            Resource::Assignees => {
                self.assignees.len().max(self.agents.len()).max(self.holders.len())
            }
            Resource::Names => self.titles.len(),
            Resource::Words => self.vocabulary.text_bytes(),
            Resource::RefIds => self.ref_ids.len(),
            Resource::Columns => self.key_sets.len(),
        };
        used as u64
    }

    /// Whether there is half as much of something as there may be, or more.
    pub(crate) fn is_half_full(&self) -> bool {
        Resource::ALL.into_iter().any(|own| self.used(own) * 2 > self.limits.of(own))
    }

    /// The row of a case, its values added to the dictionaries; appends its encoded document. Of
    /// one writer many cases may be entered at once. Cost grows with the document.
    pub(crate) fn enter(&self, case: &Case, scratch: &mut Scratch, into: &mut Vec<u8>) -> Row {
        let none = Spellings::default();
        let Spellings { statuses, priorities, channels, queues, assignees } =
            self.spellings().unwrap_or(&none);
        self.codec.encode(&case.document, &case.id, scratch, into);
        let spelling = |part| case.spelling(part);
        let both = &mut scratch.text;
        let status =
            statuses.get(spelling(Part::Status), both, |text| self.status(case::status(text)));
        let priority = priorities.get(spelling(Part::Priority), both, |text| {
            let (keys, score) = case::priority(text);
            self.priority(Priority { keys, score: score.map(ordered_bits) })
        });
        let channels = channels
            .get(spelling(Part::Channels), both, |text| self.channel_set(case::channels(text)));
        let queues = queues
            .get(spelling(Part::Queues), both, |text| self.queue_set(case::queues(text).iter()));
        let (assignee, unassigned) = assignees.get(spelling(Part::Assignee), both, |text| {
            let Holder { ids, agents, name, unassigned } = case::holder(text);
            let prefix = prefix(name.as_deref());
            (self.assignee(Assignee { prefix, name, ids, agents }), unassigned)
        });
        Row {
            created: case.created.unwrap_or(NO_DATE),
            updated: case.updated.unwrap_or(NO_DATE),
            due: case.due.unwrap_or(NO_DATE),
            signature: self.signature(status, priority, channels, unassigned),
            title: self.title(case.name.as_deref(), case.title.as_deref()),
            assignee,
            ref_id: case.ref_id.as_ref().map_or(NONE, |ref_id| self.ref_id_of(ref_id)),
            queues,
            key_set: self.key_sets.intern(&case.columns, both),
        }
    }

    /// Hears of bytes that came with changes which will not be applied.
    pub(super) fn abandon(&self, bytes: u64) {
        self.abandoned.fetch_add(bytes, Ordering::Relaxed);
    }

    /// About how many bytes those are that it was not asked for yet.
    pub(crate) fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// How many those are since it was asked last.
    pub(crate) fn take_abandoned(&self) -> u64 {
        self.abandoned.swap(0, Ordering::Relaxed)
    }

    // Who finds a value finds its keys: another writer may publish a case of it at once.
    fn status(&self, status: Status) -> Ordinal {
        self.statuses.intern_with(status, |own| self.note_status(own)).0
    }

    fn priority(&self, priority: Priority) -> Ordinal {
        self.priorities.intern_with(priority, |own| self.note_priority(own)).0
    }

    fn channel_set(&self, channels: ValueKeys) -> Ordinal {
        self.channels.intern_with(channels, |own| self.note_channels(own)).0
    }

    fn signature(
        &self,
        status: Ordinal,
        priority: Ordinal,
        channels: Ordinal,
        unassigned: bool,
    ) -> Ordinal {
        let unresolved = self.statuses.get(status).unresolved;
        self.signatures.intern(Signature { status, priority, channels, unassigned, unresolved }).0
    }

    fn title(&self, name: Option<&str>, title: Option<&str>) -> Ordinal {
        let texts = || [name, title].into_iter().flatten();
        self.titles.intern(name, title, || self.vocabulary.intern(texts()))
    }

    fn assignee(&self, assignee: Assignee) -> Ordinal {
        if assignee.agents.is_empty() {
            return NONE;
        }
        self.assignees.intern_with(assignee, |own| self.note_assignee(own)).0
    }

    /// Each key of a queue is a queue of its own: a filter names keys. With each it is said whether
    /// it is the first of its queue.
    fn queue_set<'k>(&self, keys: impl Iterator<Item = (&'k str, bool)> + Clone) -> Ordinal {
        self.queues.expect(keys.clone().map(|(key, _)| key));
        let keys = keys.map(|(key, is_first)| (self.queues.intern(key).0, !is_first));
        let mut keys: SmallVec<[(Ordinal, bool); 8]> = keys.collect();
        // One that is the first of some queue is first.
        keys.sort_unstable();
        keys.dedup_by_key(|(queue, _)| *queue);
        let others = keys.iter().filter(|(_, is_other)| *is_other).map(|(queue, _)| *queue);
        let others = others.collect();
        let all = keys.iter().map(|(queue, _)| *queue).collect();
        self.queue_sets.intern(QueueSet { all, others }).0
    }

    /// The row that stands for a row of another catalog. What was translated before is not looked
    /// up again.
    pub(crate) fn translate(&self, row: &Row, from: &Self, known: &mut Translation) -> Row {
        let Translation { signatures, titles, assignees, ref_ids, queue_sets, key_sets } = known;
        Row {
            signature: kept(signatures, row.signature, |own| {
                let own = from.signatures.get(own);
                self.signature(
                    self.status(from.statuses.get(own.status).clone()),
                    self.priority(from.priorities.get(own.priority).clone()),
                    self.channel_set(from.channels.get(own.channels).clone()),
                    own.unassigned,
                )
            }),
            title: kept(titles, row.title, |own| {
                let own = from.titles.get(own);
                self.title(own.name, own.title)
            }),
            assignee: kept(assignees, row.assignee, |own| {
                self.assignee(from.assignees.get(own).clone())
            }),
            ref_id: kept(ref_ids, row.ref_id, |own| self.ref_id_of(from.ref_ids.get(own))),
            queues: kept(queue_sets, row.queues, |own| {
                let set = from.queue_sets.get(own);
                let key = |queue: &Ordinal| (from.queues.get(*queue), set.is_first(*queue));
                self.queue_set(set.iter().map(key))
            }),
            key_set: kept(key_sets, row.key_set, |own| {
                self.key_sets.translate(own, &from.key_sets)
            }),
            ..*row
        }
    }

    /// How many distinct channels cases have or had.
    pub(crate) fn distinct_channels(&self) -> usize {
        self.channel_names.len()
    }

    /// What a value of a column sorts by, in the ascending direction; nothing where it comes last.
    pub(crate) fn sort_key(&self, column: Column, value: Ordinal) -> Option<(u64, &str)> {
        match column {
            Column::Status => {
                let sort = self.statuses.get(value).sort.as_ref();
                sort.map(|(rank, name)| (u64::from(*rank), &**name))
            }
            Column::Priority => self.priorities.get(value).score.map(|score| (score, "")),
            // No order is by them.
            Column::Channels => None,
        }
    }

    pub(crate) fn unresolved(&self, signature: Ordinal) -> bool {
        self.signatures.get(signature).unresolved
    }

    #[inline]
    pub(crate) fn name(&self, row: &Row) -> Option<&str> {
        self.titles.name(row.title)
    }

    pub(crate) fn assignee_name(&self, row: &Row) -> Option<&str> {
        if row.assignee == NONE { None } else { self.assignees.get(row.assignee).name.as_deref() }
    }

    pub(crate) fn ref_id(&self, row: &Row) -> Option<&str> {
        if row.ref_id == NONE { None } else { Some(self.ref_ids.get(row.ref_id)) }
    }

    /// About how many bytes the values take, those that no case has any more included. Cost: none
    /// that grows.
    pub(crate) fn value_bytes(&self) -> u64 {
        let values = [
            self.ids.value_bytes(),
            self.titles.value_bytes(),
            self.vocabulary.value_bytes(),
            self.ref_ids.value_bytes(),
            self.assignees.value_bytes(),
            self.queue_sets.value_bytes(),
            self.queues.value_bytes(),
            self.signatures.value_bytes(),
            self.statuses.value_bytes(),
            self.priorities.value_bytes(),
            self.channels.value_bytes(),
            self.key_sets.value_bytes(),
            self.codec.value_bytes(),
        ];
        values.iter().map(|bytes| *bytes as u64).sum()
    }

    /// About how many bytes the texts take that most cases have of their own: titles, and reference
    /// numbers. Cost: none that grows.
    pub(crate) fn own_texts(&self) -> u64 {
        (self.titles.value_bytes() + self.ref_ids.value_bytes()) as u64
    }

    /// How many of those bytes a case needs, if no other one shares them.
    pub(crate) fn needed(&self, row: &Row) -> u64 {
        let ref_id =
            self.ref_id(row).map_or(0, |own| own.len() + size_of::<u64>() + HashIndex::ENTRY);
        (self.titles.bytes_of(row.title) + ref_id) as u64
    }

    /// Bytes of the dictionaries: of ids, of texts, of documents, and of the rest. Cost: none that
    /// grows.
    pub(crate) fn bytes(&self) -> [usize; 4] {
        let names = [
            &self.status_names,
            &self.padded_ref_ids,
            &self.priority_names,
            &self.channel_names,
            &self.agents,
            &self.holders,
        ];
        let rest = [
            self.assignees.bytes(),
            self.ref_ids.bytes(),
            self.queues.bytes(),
            self.queue_sets.bytes(),
            self.signatures.bytes(),
            self.statuses.bytes(),
            self.priorities.bytes(),
            self.channels.bytes(),
            self.key_sets.bytes(),
            names.iter().map(|names| names.bytes()).sum(),
            self.spellings.get().map_or(0, |own| own.bytes()),
            size_of::<Self>(),
        ];
        let texts = self.titles.bytes() + self.vocabulary.bytes();
        [self.ids.bytes(), texts, self.codec.bytes(), rest.iter().sum()]
    }

    /// Checks ids, words, and each title's words.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.ids.validate()?;
        self.vocabulary.validate()?;
        self.titles.validate(|own| self.vocabulary.intern(own.texts()))
    }
}

/// Ordinals of one catalog as those of another, where they are known.
#[derive(Debug, Default)]
pub(crate) struct Translation {
    signatures: Vec<Ordinal>,
    titles: Vec<Ordinal>,
    assignees: Vec<Ordinal>,
    ref_ids: Vec<Ordinal>,
    queue_sets: Vec<Ordinal>,
    key_sets: Vec<Ordinal>,
}

fn kept(known: &mut Vec<Ordinal>, own: Ordinal, find: impl FnOnce(Ordinal) -> Ordinal) -> Ordinal {
    if own == NONE {
        return NONE;
    }
    let at = own as usize;
    if known.len() <= at {
        known.resize(at + 1, NONE);
    }
    if known[at] == NONE {
        known[at] = find(own);
    }
    known[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_order_as_numbers_do() {
        let scores = [f64::MIN, -1.5, -1e-300, 0.0, 1e-300, 2.0, f64::MAX].map(ordered_bits);
        assert!(scores.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_translated_row_means_the_same() {
        let case = |json: &str| Case::from_json(json.as_bytes()).unwrap();
        let json = r#"{"_id":"1","name":"Some Name","refId":"R","status":"Open","dueDate":7,
            "priority":{"name":"P","score":2},"queues":["Q","R"],"channel":"web",
            "currAssignee":{"_id":"a","name":"A"}}"#;
        let (from, to) = (Catalog::default(), Catalog::default());
        let enter = |catalog: &Catalog, json| {
            catalog.enter(&case(json), &mut Scratch::default(), &mut vec![])
        };
        enter(&from, r#"{"_id":"0","name":"other","status":"closed"}"#);
        let own = enter(&from, json);
        let mut known = Translation::default();
        let translated = to.translate(&own, &from, &mut known);
        assert_eq!(translated, enter(&to, json));
        assert_eq!(translated, to.translate(&own, &from, &mut known));
        assert_ne!(translated, own);
        to.validate().unwrap();
    }
}
