//! Changes of a segment that is not published yet: its clone shares every part with the published
//! one, and what changes is copied.
//!
//! A batch goes through the parts of a segment one after the other, each of which takes up all its
//! updates: what it touches is then near. Orders compare a slot with others by their rows. So one
//! rule holds for all of them: **removals compare by old rows, insertions by new ones, and no order
//! holds a moved slot in between.** Updates that are unlinked before any row is stored, and linked
//! after all are, find every other slot under the row that its order has it by.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::order::{Order, Seek};
use super::run::Key;
use super::{MinMaxKeys, RowTerms, Rows, Segment, Signatures};
use crate::index::catalog::code;
use crate::index::catalog::{Catalog, DocAddress, DocRef, Entry, Field, FieldSet, Row};
use crate::index::collections::{NONE, sized};
use crate::threads::Threads;

/// From how many new cases on orders are merged instead of searched case by case.
const MERGE_FROM: usize = sized(32, 4);

/// From how many new cases on the parts of one segment take them up on several cores.
const PARALLEL_CASES: usize = sized(8192, 32);

/// What becomes of a slot: a case in it, or none any more.
#[derive(Clone, Copy)]
pub(crate) struct Revision<'e> {
    slot: u16,
    row: Option<&'e Row>,
    /// Encoded; empty where there is no case.
    document: &'e [u8],
}

impl<'e> Revision<'e> {
    pub(crate) fn upsert(slot: u16, entry: &'e Entry) -> Self {
        Self { slot, row: Some(entry.row()), document: entry.document() }
    }

    pub(crate) fn delete(slot: u16) -> Self {
        Self { slot, row: None, document: &[] }
    }
}

/// A revision of a segment, and what it changes there.
pub(crate) struct Update<'e> {
    slot: u16,
    /// The row of the case that was there, if there was one.
    pub(crate) old: Option<Row>,
    /// The row of the one that is, if there is one.
    pub(crate) new: Option<&'e Row>,
    /// The orders in which the slot has, or may have, another position.
    moved: FieldSet,
    /// Whether it counts under another signature in the orders that keep its position.
    recoded: bool,
    document: &'e [u8],
}

impl<'e> Update<'e> {
    fn of(segment: &Segment, revision: &Revision<'e>) -> Self {
        let Revision { slot, row: new, document } = *revision;
        let old = segment.is_live(slot).then(|| *segment.row(slot));
        let (moved, recoded) = match (&old, new) {
            (Some(old), Some(new)) => (moved(old, new), old.signature != new.signature),
            (None, None) => (FieldSet::default(), false),
            _ => (FieldSet::ALL, false),
        };
        Self { slot, old, new, moved, recoded, document }
    }

    /// Whether the slot has other words now.
    fn is_reworded(&self) -> bool {
        self.old.map(|old| old.title) != self.new.map(|new| new.title)
    }
}

/// The orders in which a case that changes may have another position.
fn moved(old: &Row, new: &Row) -> FieldSet {
    let has_moved = |field: &Field| match field {
        // An `_id` never changes, and no two are the same.
        Field::Id => false,
        // Ties are broken by creation.
        _ if old.created != new.created => true,
        Field::Created => false,
        Field::Updated => old.updated != new.updated,
        Field::Due => old.due != new.due,
        Field::Name => old.title != new.title,
        Field::RefId => old.ref_id != new.ref_id,
        Field::Assignee => old.assignee != new.assignee,
    };
    Field::ALL.into_iter().filter(has_moved).collect()
}

impl Segment {
    /// The segment to change, a clone where it is published.
    pub(crate) fn to_change(shared: &mut Arc<Self>) -> &mut Self {
        shared.prefetch();
        Arc::make_mut(shared)
    }

    /// Applies revisions, no two of them of one slot; gives what each of them changed. Cost: a
    /// search for each in each order that it moves in.
    pub(crate) fn update<'e>(
        &mut self,
        catalog: &Catalog,
        revisions: &[Revision<'e>],
    ) -> Vec<Update<'e>> {
        let updates: Vec<_> = revisions.iter().map(|own| Update::of(self, own)).collect();
        self.unlink_moved(catalog, &updates);
        self.store_rows(catalog, &updates);
        self.link_moved(catalog, &updates);
        self.touch_terms(catalog, &updates);
        self.store_documents(&updates);
        updates
    }

    /// Takes moved slots out of their orders, which compare all slots by old rows.
    fn unlink_moved(&mut self, catalog: &Catalog, updates: &[Update<'_>]) {
        for field in Field::ALL {
            for update in updates.iter().filter(|update| update.moved.has(field)) {
                let address = self.address(update.slot);
                let old = update.old.as_ref().map(|row| DocRef { address, row });
                let new = update.new.map(|row| DocRef { address, row });
                self.move_ends(catalog, field, old, new);
                if let Some(old) = old {
                    let wanted = Wanted::new(catalog, field, &self.rows, old);
                    self.orders[field as usize].remove(update.slot, &wanted);
                }
            }
        }
    }

    /// Keeps an order's ends up to a slot that moves in it, where that can be told by its keys.
    fn move_ends(
        &mut self,
        catalog: &Catalog,
        field: Field,
        old: Option<DocRef<'_>>,
        new: Option<DocRef<'_>>,
    ) {
        let ends = self.ends(field);
        if old.is_some_and(|old| !ends.surround(field.key(catalog, old))) {
            self.unknown_ends.insert(field);
            self.changed_ends.insert(field);
        }
        let with = new.map_or(ends, |new| ends.with(field.key(catalog, new)));
        if with != ends {
            self.ends[field as usize] = with;
            self.changed_ends.insert(field);
        }
    }

    /// Stores the rows and signatures of all slots, and counts and lists the slots by them.
    fn store_rows(&mut self, catalog: &Catalog, updates: &[Update<'_>]) {
        for Update { slot, old, new, .. } in updates {
            if let Some(old) = old {
                self.lists.remove(catalog, *slot, old, *new);
            }
            match new {
                Some(row) => self.store_row(*slot, row),
                // The row stays: a deleted case has its last one.
                None => self.signatures.set(usize::from(*slot), NONE),
            }
            if let Some(new) = new {
                self.lists.insert(catalog, *slot, new, old.as_ref());
            }
            self.live = self.live + u32::from(new.is_some()) - u32::from(old.is_some());
        }
    }

    fn store_row(&mut self, slot: u16, row: &Row) {
        let at = usize::from(slot);
        self.rows.grow(at + 1, row);
        self.rows.set(at, *row);
        self.signatures.grow(at + 1, &NONE);
        self.signatures.set(at, row.signature);
    }

    /// Puts moved slots into their orders, which compare all slots by new rows.
    fn link_moved(&mut self, catalog: &Catalog, updates: &[Update<'_>]) {
        for field in Field::ALL {
            for Update { slot, new, moved, recoded, .. } in updates {
                let order = &mut self.orders[field as usize];
                let moves = moved.has(field);
                let recodes = *recoded && order.is_counted();
                let Some(row) = new.filter(|_| moves || recodes) else { continue };
                let doc = DocRef { address: DocAddress::of(self.number, *slot), row };
                let wanted = Wanted::new(catalog, field, &self.rows, doc);
                if moves {
                    order.insert(*slot, code(row.signature), &wanted);
                } else {
                    order.recode(*slot, code(row.signature), &wanted);
                }
            }
        }
    }

    /// Tells the lists of words which slots have other ones.
    fn touch_terms(&mut self, catalog: &Catalog, updates: &[Update<'_>]) {
        let words = RowTerms::new(catalog, &self.rows, &self.signatures);
        for update in updates.iter().filter(|update| update.is_reworded()) {
            self.terms.touch(update.slot, &words);
        }
    }

    fn store_documents(&mut self, updates: &[Update<'_>]) {
        for update in updates {
            self.documents.set(update.slot.into(), update.document);
        }
    }

    /// Gives a slot that no case is in.
    pub(crate) fn push_empty(&mut self) {
        self.rows.push(Row::EMPTY);
        self.signatures.push(NONE);
    }

    /// Adds cases in slots never given before. Cost: a search a case where they are few; the parts
    /// of orders that they go into where they are many.
    pub(crate) fn extend(&mut self, catalog: &Catalog, entries: &[Entry], threads: &Threads) {
        let first = self.slots();
        if entries.len() < MERGE_FROM {
            let slots = (first..).map(|slot| slot as u16);
            let revisions: Vec<_> =
                slots.zip(entries).map(|(slot, own)| Revision::upsert(slot, own)).collect();
            self.update(catalog, &revisions);
            return;
        }
        for row in entries.iter().map(Entry::row) {
            self.rows.push(*row);
            self.signatures.push(row.signature);
        }
        self.live += entries.len() as u32;
        (self.changed_ends, self.unknown_ends) = (FieldSet::ALL, FieldSet::ALL);
        let threads = if entries.len() >= PARALLEL_CASES { threads } else { &Threads::NONE };
        self.index_new(catalog, first, entries, threads);
    }

    /// Has every part take up the slots from one on, whose rows are stored. The parts know nothing
    /// of one another.
    fn index_new(&mut self, catalog: &Catalog, first: usize, entries: &[Entry], threads: &Threads) {
        let slots = first..self.slots();
        let Self { rows, signatures, number, orders, lists, terms, documents, .. } = self;
        let view = RowView { catalog, rows, signatures, number: *number };
        let (by_id, ranks) = view.rank(slots.clone());
        // The longest work first.
        let mut parts: Vec<Box<dyn FnOnce() + Send + '_>> = Vec::new();
        parts.push(Box::new(|| {
            terms.extend(slots.clone(), &RowTerms::new(catalog, rows, signatures));
        }));
        parts.push(Box::new(|| {
            for (slot, row) in slots.clone().zip(entries.iter().map(Entry::row)) {
                lists.insert(catalog, slot as u16, row, None);
            }
        }));
        for (field, order) in Field::ALL.into_iter().zip(orders) {
            let (slots, by_id, ranks) = (slots.clone(), &by_id, &ranks);
            parts.push(Box::new(move || match field {
                Field::Id => view.merge_into(order, by_id, field),
                _ => view.merge_into(order, &view.sort(slots, field, ranks), field),
            }));
        }
        parts.push(Box::new(|| {
            documents.extend(slots.clone(), |slot, into| {
                into.extend_from_slice(entries[slot - first].document());
            });
        }));
        threads.map(parts, |part| part());
    }

    /// Hands on the ends of the orders that changed, once all changes are made.
    pub(crate) fn settle_ends(
        &mut self,
        catalog: &Catalog,
        mut each: impl FnMut(Field, MinMaxKeys),
    ) {
        for field in Field::ALL.into_iter().filter(|field| self.changed_ends.has(*field)) {
            if self.unknown_ends.has(field) {
                self.ends[field as usize] = self.find_ends(catalog, field);
            }
            each(field, self.ends(field));
        }
        (self.changed_ends, self.unknown_ends) = Default::default();
    }
}

/// The slots of a segment as its rows are by now.
#[derive(Clone, Copy)]
struct RowView<'a> {
    catalog: &'a Catalog,
    rows: &'a Rows,
    signatures: &'a Signatures,
    number: usize,
}

impl RowView<'_> {
    fn doc(&self, slot: u16) -> Option<DocRef<'_>> {
        let address = DocAddress::of(self.number, slot);
        self.rows.get(slot.into()).map(|row| DocRef { address, row })
    }

    fn key(&self, field: Field, slot: u16) -> Key {
        self.doc(slot).map_or(Key::MAX, |doc| field.long_key(self.catalog, doc))
    }

    fn compare(
        &self,
        a: u16,
        b: u16,
        compare: impl Fn(&Catalog, DocRef<'_>, DocRef<'_>) -> Ordering,
    ) -> Ordering {
        match (self.doc(a), self.doc(b)) {
            (Some(a), Some(b)) => compare(self.catalog, a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    /// New slots sorted by a field; those with equal values by their ranks, a number a slot.
    fn sort(&self, slots: Range<usize>, field: Field, ranks: &[u16]) -> Vec<u16> {
        let ranks = ranks.iter().copied().chain(std::iter::repeat(0));
        let mut keyed: Vec<(Key, u16, u16)> = slots
            .zip(ranks)
            .map(|(slot, rank)| (self.key(field, slot as u16), rank, slot as u16))
            .collect();
        keyed.sort_unstable_by(|a, b| {
            let by_key = a.0.cmp(&b.0);
            // A key tells all of a date, and that there is no text; texts may go on behind it.
            if by_key.is_ne() || !field.is_text() || a.0 == Key::MAX {
                return by_key.then(a.1.cmp(&b.1));
            }
            self.compare(a.2, b.2, |catalog, a, b| field.compare(catalog, a, b)).then(a.1.cmp(&b.1))
        });
        keyed.into_iter().map(|(.., slot)| slot).collect()
    }

    /// New slots sorted by `_id`, and how each of them ranks by creation and then by `_id`: so ties
    /// are broken in every order, and no text is compared anew for them.
    fn rank(&self, slots: Range<usize>) -> (Vec<u16>, Vec<u16>) {
        let ranks_of = |sorted: &[u16]| {
            let mut ranks = vec![0; sorted.len()];
            for (rank, slot) in sorted.iter().enumerate() {
                ranks[usize::from(*slot) - slots.start] = rank as u16;
            }
            ranks
        };
        let by_id = self.sort(slots.clone(), Field::Id, &[]);
        let by_creation = self.sort(slots.clone(), Field::Created, &ranks_of(&by_id));
        (by_id, ranks_of(&by_creation))
    }

    /// Merges sorted new slots into an order.
    fn merge_into(&self, order: &mut Order, sorted: &[u16], field: Field) {
        let code = |slot: u16| code(self.signatures.get(slot.into()).copied().unwrap_or(NONE));
        let precedes = |a: u16, b: u16| {
            self.compare(a, b, |catalog, a, b| field.compare_all(catalog, a, b)).is_lt()
        };
        order.merge(sorted, |slot| self.key(field, slot), code, precedes);
    }
}

/// A slot that is looked for in an order, by a row of its own: the old one or the new one, whatever
/// is stored.
struct Wanted<'a> {
    catalog: &'a Catalog,
    field: Field,
    rows: &'a Rows,
    doc: DocRef<'a>,
    key: Key,
}

impl<'a> Wanted<'a> {
    fn new(catalog: &'a Catalog, field: Field, rows: &'a Rows, doc: DocRef<'a>) -> Self {
        Self { catalog, field, rows, doc, key: field.long_key(catalog, doc) }
    }

    fn other(&self, slot: u16) -> Option<DocRef<'a>> {
        let address = self.doc.address.beside(slot);
        if address == self.doc.address {
            return Some(self.doc);
        }
        self.rows.get(slot.into()).map(|row| DocRef { address, row })
    }
}

impl Seek for Wanted<'_> {
    fn key(&self, slot: u16) -> Key {
        self.other(slot).map_or(Key::MAX, |doc| self.field.long_key(self.catalog, doc))
    }

    fn wanted(&self) -> Key {
        self.key
    }

    fn compare(&self, slot: u16) -> Ordering {
        let Some(other) = self.other(slot) else { return Ordering::Less };
        let by_key = self.field.key(self.catalog, other).cmp(&((self.key >> 64) as u64));
        by_key.then_with(|| self.field.compare_all(self.catalog, other, self.doc))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::Case;
    use crate::index::catalog::{ChangeBlock, Packer, Unpacked, unpacked};
    use crate::index::codec::Scratch;

    /// How many slots revisions go to.
    const SLOTS: u16 = 50;

    /// A case of few values in each field, so that many are equal, and keys alike where texts are.
    fn json(slot: u16, values: [u8; 7]) -> String {
        let date = |value: u8| if value == 0 { "null".into() } else { (value / 2).to_string() };
        let text = |value: u8| match value {
            0 => "null".to_owned(),
            _ => format!("\"of one beginning {}\"", value / 2),
        };
        let [created, updated, due, name, ref_id, assignee, status] = values;
        format!(
            r#"{{"_id":"a slot {slot}","createdAt":{},"updatedAt":{},"dueDate":{},"name":{},
            "refId":{},"currAssignee":{},"status":{{"name":"s{status}","category":"{}"}},
            "queues":["q{status}"]}}"#,
            date(created),
            date(updated),
            date(due),
            text(name),
            text(ref_id),
            text(assignee),
            if status > 2 { "resolved" } else { "open" },
        )
    }

    /// The revisions of a batch: for some slots a case, or none.
    type Batch = std::collections::BTreeMap<u16, Option<[u8; 7]>>;

    fn batches() -> impl Strategy<Value = Vec<Batch>> {
        let revision = prop::option::weighted(0.8, prop::array::uniform7(0..6u8));
        prop::collection::vec(prop::collection::btree_map(0..SLOTS, revision, 0..30), 0..12)
    }

    fn packed(catalog: &Catalog, batch: &Batch) -> Vec<Arc<ChangeBlock>> {
        let (mut packer, mut scratch) = (Packer::default(), Scratch::default());
        for (slot, values) in batch.iter().filter_map(|(slot, own)| Some((slot, (*own)?))) {
            let case = Case::from_json(json(*slot, values).as_bytes()).unwrap();
            packer.upsert(case.id(), |into| catalog.enter(&case, &mut scratch, into));
        }
        packer.finish()
    }

    proptest! {
        /// No order loses a slot, or holds it where its old row was, whatever moves at once.
        #[test]
        fn orders_and_lists_follow_every_batch(batches in batches()) {
            let catalog = Catalog::default();
            (0..SLOTS).for_each(|slot| _ = catalog.ids.address(&format!("a slot {slot}")));
            let mut segment = Arc::new(Segment::new(0));
            let mut plain = Batch::new();
            for batch in batches {
                let published = Arc::clone(&segment);
                let before: Vec<_> = (0..SLOTS).map(|slot| published.is_live(slot)).collect();
                let blocks = packed(&catalog, &batch);
                let entry = |own| match own {
                    Unpacked::Upsert(entry) => Some(entry),
                    Unpacked::Delete(_) => None,
                };
                let entries: Vec<_> =
                    blocks.iter().flat_map(unpacked).filter_map(entry).collect();
                let mut upserted = entries.iter();
                let revision = |(slot, values): (&u16, &Option<_>)| match values {
                    Some(_) => upserted.next().map(|entry| Revision::upsert(*slot, entry)),
                    None => Some(Revision::delete(*slot)),
                };
                let revisions: Vec<_> = batch.iter().filter_map(revision).collect();
                let changed = Segment::to_change(&mut segment);
                for update in changed.update(&catalog, &revisions) {
                    prop_assert_eq!(update.old.is_some(), before[usize::from(update.slot)]);
                }
                changed.settle_ends(&catalog, |_, _| {});
                plain.extend(batch);
                prop_assert_eq!(segment.validate(&catalog), Ok(()));
                prop_assert_eq!(published.validate(&catalog), Ok(()));
                for slot in 0..SLOTS {
                    let right = plain.get(&slot).copied().flatten().map(|own| json(slot, own));
                    let right = right.map(|own| own.split_whitespace().collect::<String>());
                    let own = segment.is_live(slot).then(|| segment.document(&catalog, slot));
                    let own = own.map(|own| own.split_whitespace().collect::<String>());
                    prop_assert_eq!(own, right);
                }
            }
        }
    }
}
