//! Changes of a scope, on their way from a batch into segments.
//!
//! What is kept of a case whose values are in a catalog is its row, its id and its encoded
//! document, packed with those of others: a batch of any size takes little more than its cases will
//! take, in few pieces of memory, and gives them back one after the other as they are applied.

use std::sync::Arc;

use super::capacity::{Demand, Full};
use super::reservation::Reservation;
use super::row::Row;
use super::{Catalog, Translation};
use crate::case::Case;
use crate::index::codec::{Scratch, decoded_len};
use crate::index::collections::sized;
use crate::threads::Threads;

/// How many changes are packed together: at most as many documents, far below 4 GiB.
const PACKED: usize = sized(256, 4);

/// One change of a scope.
#[derive(Debug)]
pub(crate) enum Change {
    Upsert(Box<Case>),
    Delete(Box<str>),
}

impl Change {
    /// What it can bring. Cost: a walk over a small part of its document.
    pub(crate) fn demand(&self) -> Demand {
        match self {
            Self::Upsert(case) => Demand::of(case),
            Self::Delete(_) => Demand::default(),
        }
    }

    /// How many bytes its document has.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Upsert(case) => case.document().len(),
            Self::Delete(_) => 0,
        }
    }
}

/// Some changes whose values are in a catalog.
#[derive(Debug, Default)]
pub(crate) struct ChangeBlock {
    changes: Vec<Packed>,
    /// Ids and encoded documents, each one after the other.
    ids: String,
    documents: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Packed {
    /// Nothing where the case is deleted.
    row: Option<Row>,
    /// Where its id ends, and its document.
    id_end: u32,
    end: u32,
}

impl ChangeBlock {
    fn id(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.changes[before].id_end);
        &self.ids[start as usize..self.changes[at].id_end as usize]
    }

    fn document(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.changes[before].end);
        &self.documents[start as usize..self.changes[at].end as usize]
    }

    fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.changes.len()).map(|at| self.id(at))
    }
}

/// A case of which only the row and the document are left to be stored. It keeps the block that it
/// is in.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    block: Arc<ChangeBlock>,
    at: u32,
}

impl Entry {
    pub(crate) fn id(&self) -> &str {
        self.block.id(self.at as usize)
    }

    pub(crate) fn row(&self) -> &Row {
        self.block.changes[self.at as usize].row.as_ref().unwrap_or(&Row::EMPTY)
    }

    /// Its encoded document.
    pub(crate) fn document(&self) -> &[u8] {
        self.block.document(self.at as usize)
    }
}

/// A change out of a block.
pub(crate) enum Unpacked<'b> {
    Upsert(Entry),
    /// The case with this id.
    Delete(&'b str),
}

/// The changes of a block, in order.
pub(crate) fn unpacked(block: &Arc<ChangeBlock>) -> impl Iterator<Item = Unpacked<'_>> {
    block.changes.iter().enumerate().map(|(at, own)| match own.row {
        Some(_) => Unpacked::Upsert(Entry { block: Arc::clone(block), at: at as u32 }),
        None => Unpacked::Delete(block.id(at)),
    })
}

/// Packs changes into blocks.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    full: Vec<Arc<ChangeBlock>>,
    open: ChangeBlock,
}

impl Packer {
    /// Packs a case; `enter` appends its encoded document, and gives its row.
    pub(crate) fn upsert(&mut self, id: &str, enter: impl FnOnce(&mut Vec<u8>) -> Row) {
        let row = enter(&mut self.open.documents);
        self.push(id, Some(row));
    }

    pub(crate) fn delete(&mut self, id: &str) {
        self.push(id, None);
    }

    fn push(&mut self, id: &str, row: Option<Row>) {
        let open = &mut self.open;
        open.ids.push_str(id);
        // A block has few documents of at most 1 MiB each.
        let (id_end, end) = (open.ids.len() as u32, open.documents.len() as u32);
        open.changes.push(Packed { row, id_end, end });
        if open.changes.len() >= PACKED {
            self.close();
        }
    }

    fn close(&mut self) {
        let mut block = std::mem::take(&mut self.open);
        block.changes.shrink_to_fit();
        block.ids.shrink_to_fit();
        block.documents.shrink_to_fit();
        self.full.push(Arc::new(block));
    }

    pub(crate) fn finish(mut self) -> Vec<Arc<ChangeBlock>> {
        if !self.open.changes.is_empty() {
            self.close();
        }
        self.full
    }
}

/// Changes whose values are in a catalog. Where they are never applied, the catalog hears of it.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Until they are applied: each new case takes a number then.
    room: Reservation,
    blocks: Vec<Arc<ChangeBlock>>,
    length: usize,
    /// About how many bytes came to the catalog with them.
    grown: u64,
    /// How many bytes they are packed in.
    packed: u64,
}

/// About how many bytes a case takes beside its document, its id and its texts: its row, and its
/// places in orders and lists.
const BESIDE_DOCUMENT: i64 = 128;

impl Entered {
    /// None yet, for a catalog.
    pub(crate) fn new(catalog: &Arc<Catalog>) -> Self {
        Self::of(Reservation::none(catalog))
    }

    fn of(room: Reservation) -> Self {
        Self { room, blocks: Vec::new(), length: 0, grown: 0, packed: 0 }
    }

    /// Reserves room for changes that bring so much at most.
    ///
    /// # Errors
    /// What there is no room for.
    pub(crate) fn reserve(&mut self, demand: Demand) -> Result<(), Full> {
        self.room.add(demand)
    }

    /// Encodes documents and adds the values of changes to the catalog, for which room was
    /// reserved. Many may do so at once, while others read and apply changes. Cost grows with the
    /// documents.
    pub(crate) fn enter(&mut self, changes: Vec<Change>, threads: &Threads) {
        let catalog = &self.room.catalog;
        let before = catalog.value_bytes();
        self.length += changes.len();
        let pack = |scratch: &mut Scratch, changes: Vec<Change>| pack(catalog, changes, scratch);
        let blocks = threads.map_with(chunks(changes), Scratch::default, pack);
        for block in blocks.into_iter().flatten() {
            self.packed += (block.documents.len() + block.ids.len()) as u64;
            self.blocks.push(block);
        }
        self.grown += catalog.value_bytes() - before;
    }

    /// The cases that change, some more than once.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.blocks.iter().flat_map(|block| block.ids())
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many bytes the changes are packed in.
    pub(crate) fn bytes(&self) -> u64 {
        self.packed
    }

    /// About how many bytes more there are once they are applied, beside the values that are
    /// entered by now; nothing where they only take cases out. `old` tells how long the document of
    /// a case is that is there. Cost: a look-up a change.
    pub(crate) fn growth(&self, old: impl Fn(&str) -> Option<usize>) -> Option<i64> {
        let (mut growth, mut has_upserts) = (0, false);
        for block in &self.blocks {
            for (at, change) in block.changes.iter().enumerate() {
                let (id, document) = (block.id(at), block.document(at));
                let old = old(id);
                growth -= old.unwrap_or(0) as i64;
                if change.row.is_some() {
                    has_upserts = true;
                    growth += document.len() as i64;
                    growth += if old.is_none() { BESIDE_DOCUMENT + id.len() as i64 } else { 0 };
                }
            }
        }
        has_upserts.then_some(growth)
    }

    /// The changes, which are applied now.
    pub(crate) fn take(&mut self) -> Vec<Arc<ChangeBlock>> {
        std::mem::take(&mut self.blocks)
    }

    pub(crate) fn is_of(&self, catalog: &Arc<Catalog>) -> bool {
        Arc::ptr_eq(&self.room.catalog, catalog)
    }

    /// These changes, entered into another catalog.
    ///
    /// # Errors
    /// What there is no room for there.
    pub(crate) fn again(&mut self, catalog: &Arc<Catalog>) -> Result<Self, Full> {
        let mut own = Self::of(self.room.again(catalog)?);
        let before = catalog.value_bytes();
        let (mut known, mut scratch) = (Translation::default(), Scratch::default());
        for block in self.take() {
            let mut packer = Packer::default();
            for change in unpacked(&block) {
                match change {
                    Unpacked::Delete(id) => packer.delete(id),
                    Unpacked::Upsert(entry) => packer.upsert(entry.id(), |into| {
                        let from = &self.room.catalog;
                        let mut text = Vec::with_capacity(decoded_len(entry.document()));
                        from.codec.decode(entry.document(), entry.id(), &mut text);
                        // Every document was a text when it came.
                        let text = String::from_utf8(text).unwrap_or_default();
                        catalog.codec.encode(&text, entry.id(), &mut scratch, into);
                        catalog.translate(entry.row(), from, &mut known)
                    }),
                }
            }
            own.blocks.extend(packer.finish());
        }
        (own.length, own.packed) = (self.length, self.packed);
        own.grown = catalog.value_bytes() - before;
        Ok(own)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if !self.blocks.is_empty() {
            self.room.catalog.abandon(self.grown);
        }
    }
}

/// Changes in pieces that are packed together.
fn chunks(changes: Vec<Change>) -> Vec<Vec<Change>> {
    if changes.len() <= PACKED {
        return vec![changes];
    }
    let mut changes = changes.into_iter();
    let next = || Some(changes.by_ref().take(PACKED).collect::<Vec<_>>());
    std::iter::from_fn(next).take_while(|chunk| !chunk.is_empty()).collect()
}

fn pack(catalog: &Catalog, changes: Vec<Change>, scratch: &mut Scratch) -> Vec<Arc<ChangeBlock>> {
    let mut packer = Packer::default();
    for change in changes {
        match change {
            Change::Upsert(case) => {
                packer.upsert(&case.id, |into| catalog.enter(&case, scratch, into));
            }
            Change::Delete(id) => packer.delete(&id),
        }
    }
    packer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_back_as_they_were_packed() {
        let mut packer = Packer::default();
        let text = |at: usize| format!("{at}").repeat(at % 4).into_bytes();
        for at in 0..PACKED * 2 + 1 {
            let created = at as i64;
            match at % 3 {
                0 => packer.delete(&at.to_string()),
                _ => packer.upsert(&at.to_string(), |into| {
                    into.extend_from_slice(&text(at));
                    Row { created, ..Row::EMPTY }
                }),
            }
        }
        let blocks = packer.finish();
        assert_eq!(blocks.len(), 3);
        for (at, change) in blocks.iter().flat_map(unpacked).enumerate() {
            match change {
                Unpacked::Delete(id) => assert_eq!((at % 3, id), (0, &*at.to_string())),
                Unpacked::Upsert(entry) => {
                    let own = (entry.id(), entry.row().created, entry.document());
                    assert_eq!(own, (&*at.to_string(), at as i64, &*text(at)));
                }
            }
        }
        assert!(blocks[1].ids().eq((PACKED..PACKED * 2).map(|at| at.to_string())));
    }
}
