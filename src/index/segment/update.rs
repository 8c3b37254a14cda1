//! Changes of a segment that is not published yet: its clone shares every part with the published
//! one, and what changes is copied.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::order::{Order, Seek};
use super::run::Key;
use super::{Ends, Rows, Segment, Signatures, SlotWords};
use crate::index::catalog::code;
use crate::index::catalog::{Catalog, Entry, Field, Place, Row, Spot};
use crate::index::collections::{NONE, sized};
use crate::threads::Threads;

/// From how many new cases on orders are merged instead of searched case by case.
const MANY: usize = sized(32, 4);

/// From how many new cases on the parts of one segment take them up on several cores.
const PARALLEL: usize = sized(8192, 32);

/// A case for a slot.
pub(crate) struct Revision<'e> {
    pub(crate) slot: u16,
    pub(crate) row: Row,
    /// Encoded.
    pub(crate) document: &'e [u8],
}

impl<'e> Revision<'e> {
    pub(crate) fn of(slot: u16, entry: &'e Entry) -> Self {
        Self { slot, row: *entry.row(), document: entry.document() }
    }
}

/// Whether a case stands elsewhere in an order than the one that was there, or may.
fn moves(field: Field, old: Option<&Row>, new: &Row) -> bool {
    old.is_none_or(|old| {
        let has_other = match field {
            // An `_id` never changes, and no two are the same.
            Field::Id => return false,
            Field::Created => false,
            Field::Updated => old.updated != new.updated,
            Field::Due => old.due != new.due,
            Field::Name => old.title != new.title,
            Field::RefId => old.ref_id != new.ref_id,
            Field::Assignee => old.assignee != new.assignee,
        };
        // Ties are broken by creation.
        has_other || old.created != new.created
    })
}

impl Segment {
    /// The segment to change, a clone where it is published.
    pub(crate) fn to_change(shared: &mut Arc<Self>) -> &mut Self {
        shared.near();
        Arc::make_mut(shared)
    }

    /// Puts cases into their slots, none of them twice; gives the rows of those that were there.
    /// One part of the segment after the other takes up all cases: what it touches is then near.
    pub(crate) fn upsert(&mut self, catalog: &Catalog, cases: &[Revision<'_>]) -> Vec<Option<Row>> {
        let old: Vec<Option<Row>> = cases
            .iter()
            .map(|case| self.is_live(case.slot).then(|| *self.row(case.slot)))
            .collect();
        let both = || cases.iter().zip(&old);
        for field in Field::ALL {
            for (case, old) in both().filter(|(case, old)| moves(field, old.as_ref(), &case.row)) {
                let place = self.place(case.slot);
                let old = old.as_ref().map(|row| Spot { place, row });
                self.move_ends(catalog, field, old, Spot { place, row: &case.row });
                if let Some(old) = old {
                    let wanted = Wanted::new(catalog, field, &self.rows, old);
                    self.orders[field as usize].remove(case.slot, &wanted);
                }
            }
        }
        for (case, old) in both() {
            if let Some(old) = old {
                self.lists.remove(catalog, case.slot, old, Some(&case.row));
            }
            self.set_row(case.slot, &case.row);
            self.lists.insert(catalog, case.slot, &case.row, old.as_ref());
            self.live += u32::from(old.is_none());
        }
        for field in Field::ALL {
            for (Revision { slot, row, .. }, old) in both() {
                let order = &mut self.orders[field as usize];
                let moves = moves(field, old.as_ref(), row);
                let recodes =
                    order.is_counted() && old.is_some_and(|o| o.signature != row.signature);
                if !moves && !recodes {
                    continue;
                }
                let spot = Spot { place: Place::of(self.number, *slot), row };
                let wanted = Wanted::new(catalog, field, &self.rows, spot);
                if moves {
                    order.insert(*slot, code(row.signature), &wanted);
                } else {
                    order.recode(*slot, code(row.signature), &wanted);
                }
            }
        }
        for (case, old) in both() {
            if old.is_none_or(|old| old.title != case.row.title) {
                let words = SlotWords::new(catalog, &self.rows, &self.signatures);
                self.terms.touch(case.slot, &words);
            }
        }
        for case in cases {
            self.documents.set(case.slot.into(), case.document);
        }
        old
    }

    /// Keeps an order's ends up to a case that moves in it, where that can be told by its keys.
    fn move_ends(&mut self, catalog: &Catalog, field: Field, old: Option<Spot<'_>>, new: Spot<'_>) {
        let (ends, bit) = (self.ends(field), 1 << field as u8);
        if old.is_some_and(|old| !ends.surround(field.key(catalog, old))) {
            (self.lost, self.unsettled) = (self.lost | bit, self.unsettled | bit);
        }
        let with = ends.with(field.key(catalog, new));
        if with != ends {
            self.ends[field as usize] = with;
            self.unsettled |= bit;
        }
    }

    fn set_row(&mut self, slot: u16, row: &Row) {
        self.rows.grow(usize::from(slot) + 1, row);
        self.signatures.grow(usize::from(slot) + 1, &NONE);
        if let Some(kept) = self.rows.get_mut(slot.into()) {
            *kept = *row;
        }
        if let Some(signature) = self.signatures.get_mut(slot.into()) {
            *signature = row.signature;
        }
    }

    /// Gives a slot that no case is in.
    pub(crate) fn push_empty(&mut self) {
        self.rows.push(Row::EMPTY);
        self.signatures.push(NONE);
    }

    /// Takes a case out of its slot; gives its row, if it was there.
    pub(crate) fn delete(&mut self, catalog: &Catalog, slot: u16) -> Option<Row> {
        let old = self.is_live(slot).then(|| *self.row(slot))?;
        (self.unsettled, self.lost) = (u8::MAX, u8::MAX);
        let place = self.place(slot);
        for field in Field::ALL {
            let wanted = Wanted::new(catalog, field, &self.rows, Spot { place, row: &old });
            self.orders[field as usize].remove(slot, &wanted);
        }
        self.lists.remove(catalog, slot, &old, None);
        if let Some(signature) = self.signatures.get_mut(slot.into()) {
            *signature = NONE;
        }
        let words = SlotWords::new(catalog, &self.rows, &self.signatures);
        self.terms.touch(slot, &words);
        self.live -= 1;
        self.documents.set(slot.into(), &[]);
        Some(old)
    }

    /// Adds cases in slots never given before. Cost: a search a case where they are few; the parts
    /// of orders that they go into where they are many.
    pub(crate) fn extend(&mut self, catalog: &Catalog, entries: &[Entry], threads: &Threads) {
        let first = self.slots();
        if entries.len() < MANY {
            let cases: Vec<_> =
                (first..).zip(entries).map(|(slot, own)| Revision::of(slot as u16, own)).collect();
            self.upsert(catalog, &cases);
            return;
        }
        for row in entries.iter().map(Entry::row) {
            self.rows.push(*row);
            self.signatures.push(row.signature);
        }
        self.live += entries.len() as u32;
        (self.unsettled, self.lost) = (u8::MAX, u8::MAX);
        let slots = first..self.slots();
        let Self { rows, signatures, number, orders, lists, terms, documents, .. } = self;
        let all = Slots { catalog, rows, signatures, number: *number };
        let (by_id, ranks) = all.rank(slots.clone());
        // The parts know nothing of one another; the longest work first.
        let mut parts: Vec<Box<dyn FnOnce() + Send + '_>> = Vec::new();
        parts.push(Box::new(|| {
            terms.extend(slots.clone(), &SlotWords::new(catalog, rows, signatures));
        }));
        parts.push(Box::new(|| {
            for (slot, row) in slots.clone().zip(entries.iter().map(Entry::row)) {
                lists.insert(catalog, slot as u16, row, None);
            }
        }));
        for (field, order) in Field::ALL.into_iter().zip(orders) {
            let (slots, by_id, ranks) = (slots.clone(), &by_id, &ranks);
            parts.push(Box::new(move || match field {
                Field::Id => all.put(by_id, field, order),
                _ => all.put(&all.sort(slots, field, ranks), field, order),
            }));
        }
        parts.push(Box::new(|| {
            documents.extend(slots.clone(), |slot, into| {
                into.extend_from_slice(entries[slot - first].document());
            });
        }));
        let are_many = entries.len() >= PARALLEL;
        let threads = if are_many { threads } else { &Threads::NONE };
        threads.map(parts, |part| part());
    }

    /// Hands on the ends of the orders that changed, once all changes are made.
    pub(crate) fn settle(&mut self, catalog: &Catalog, mut each: impl FnMut(Field, Ends)) {
        let has = |bits: u8, field: Field| bits >> field as u8 & 1 == 1;
        for field in Field::ALL.into_iter().filter(|field| has(self.unsettled, *field)) {
            if has(self.lost, field) {
                self.ends[field as usize] = self.find_ends(catalog, field);
            }
            each(field, self.ends(field));
        }
        (self.unsettled, self.lost) = (0, 0);
    }
}

/// The slots of a segment under its new rows.
#[derive(Clone, Copy)]
struct Slots<'a> {
    catalog: &'a Catalog,
    rows: &'a Rows,
    signatures: &'a Signatures,
    number: usize,
}

impl Slots<'_> {
    fn spot(&self, slot: u16) -> Option<Spot<'_>> {
        let place = Place::of(self.number, slot);
        self.rows.get(slot.into()).map(|row| Spot { place, row })
    }

    fn key(&self, field: Field, slot: u16) -> Key {
        self.spot(slot).map_or(Key::MAX, |spot| field.long_key(self.catalog, spot))
    }

    fn compare(
        &self,
        a: u16,
        b: u16,
        compare: impl Fn(&Catalog, Spot<'_>, Spot<'_>) -> Ordering,
    ) -> Ordering {
        match (self.spot(a), self.spot(b)) {
            (Some(a), Some(b)) => compare(self.catalog, a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    /// New slots by a field; those with equal values by their ranks, a number a slot.
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

    /// New slots by `_id`, and how each of them ranks by creation and then by `_id`: so ties are
    /// broken in every order, and no text is compared anew for them.
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

    /// Puts sorted new ones into an order.
    fn put(&self, sorted: &[u16], field: Field, order: &mut Order) {
        let code = |slot: u16| code(self.signatures.get(slot.into()).copied().unwrap_or(NONE));
        let precedes = |a: u16, b: u16| {
            self.compare(a, b, |catalog, a, b| field.compare_all(catalog, a, b)).is_lt()
        };
        order.merge(sorted, |slot| self.key(field, slot), code, precedes);
    }
}

/// A slot that is looked for in an order, by a row of its own.
struct Wanted<'a> {
    catalog: &'a Catalog,
    field: Field,
    rows: &'a Rows,
    spot: Spot<'a>,
    key: Key,
}

impl<'a> Wanted<'a> {
    fn new(catalog: &'a Catalog, field: Field, rows: &'a Rows, spot: Spot<'a>) -> Self {
        Self { catalog, field, rows, spot, key: field.long_key(catalog, spot) }
    }

    fn other(&self, slot: u16) -> Option<Spot<'a>> {
        let place = self.spot.place.beside(slot);
        if place == self.spot.place {
            return Some(self.spot);
        }
        self.rows.get(slot.into()).map(|row| Spot { place, row })
    }
}

impl Seek for Wanted<'_> {
    fn key(&self, slot: u16) -> Key {
        self.other(slot).map_or(Key::MAX, |spot| self.field.long_key(self.catalog, spot))
    }

    fn wanted(&self) -> Key {
        self.key
    }

    fn compare(&self, slot: u16) -> Ordering {
        let Some(other) = self.other(slot) else { return Ordering::Less };
        let by_key = self.field.key(self.catalog, other).cmp(&((self.key >> 64) as u64));
        by_key.then_with(|| self.field.compare_all(self.catalog, other, self.spot))
    }
}
