//! A scope built anew, with a catalog of what its live cases have, and where it is worth it in the
//! order of their creation; a little at a time, while the old one is read and written.
//!
//! The source is scanned, by address or by creation, and each case that the scan passes is put into
//! the target. Cases that change meanwhile are caught up with by their ids, in batches. After each
//! batch: a case that is in the target is there as it was when the scan or a batch came to it last,
//! and a live case that is in neither the target nor ahead of the scan is in a batch to come. So
//! when the scan has passed all and no batch is left, both hold the same cases.

use std::collections::{BTreeSet, BinaryHeap};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::catalog::{DocAddress, Field, Packer, SEGMENT, Translation};
use super::codec::Scratch;
use super::index::Index;
use super::segment::{Position, Segment};
use super::writer::IndexWriter;
use crate::threads::Threads;

/// A rebuild under way.
#[derive(Debug)]
pub(crate) struct Rebuild {
    /// What is built so far.
    target: IndexWriter,
    translation: Translation,
    scratch: Scratch,
    scan: Scan,
}

/// How far the source was scanned.
#[derive(Debug)]
enum Scan {
    /// By address, up to this one.
    Addresses(usize),
    /// By time of creation, the oldest first: cases that are asked for together then stand
    /// together. The cases from the watermark on are passed: the kept order has the newest first.
    Created { watermark: Option<CreationKey>, passed: usize },
}

/// Where a case stands in the kept order of creation, across segments: no two cases stand equally.
type CreationKey = (u64, Box<str>);

fn creation_key(source: &Index, address: DocAddress) -> (u64, &str) {
    let doc = source.segment(address).doc(address.slot());
    (Field::Created.key(source.catalog(), doc), source.catalog().ids.id(address))
}

impl Scan {
    /// The live addresses of the next slots, and how many slots these are: fewer than asked where
    /// they are the last.
    fn next(&mut self, source: &Index, slots: usize) -> (Vec<DocAddress>, usize) {
        match self {
            Self::Addresses(next) => {
                let start = *next;
                *next = source.slots().min(start.saturating_add(slots));
                let addresses = (start..*next).map(|address| DocAddress(address as u32));
                (addresses.filter(|address| source.is_live(*address)).collect(), *next - start)
            }
            Self::Created { watermark, passed } => {
                let addresses = oldest(source, watermark.as_ref(), slots);
                if let Some(last) = addresses.last() {
                    let (key, id) = creation_key(source, *last);
                    *watermark = Some((key, id.into()));
                }
                *passed += addresses.len();
                let count = addresses.len();
                (addresses, count)
            }
        }
    }

    /// Whether a live address is passed.
    fn has_passed(&self, source: &Index, address: DocAddress) -> bool {
        match self {
            Self::Addresses(next) => (address.0 as usize) < *next,
            Self::Created { watermark, .. } => watermark
                .as_ref()
                .is_some_and(|(key, id)| creation_key(source, address) >= (*key, &**id)),
        }
    }
}

/// The oldest addresses before a watermark, as many as asked or all there are: a merge of the
/// segments' orders, each from its end on. The heap has of each segment the last of those that were
/// not taken, so the greatest of them is the greatest of all.
fn oldest(source: &Index, watermark: Option<&CreationKey>, count: usize) -> Vec<DocAddress> {
    let segments = source.segments().iter();
    let ends = segments.map(|segment| {
        let order = segment.order(Field::Created);
        let end = watermark.map_or(order.end(), |(key, id)| {
            let compare = |address| creation_key(source, address).cmp(&(*key, &**id));
            order.lower(|slot| compare(segment.address(slot)))
        });
        (segment, end)
    });
    let before = |(segment, end): (&Arc<Segment>, Position)| {
        let (at, slot) = segment.order(Field::Created).before(end)?;
        Some((creation_key(source, segment.address(slot)), segment.address(slot), at))
    };
    let mut heap: BinaryHeap<_> = ends.filter_map(before).collect();
    let mut addresses = Vec::new();
    while addresses.len() < count
        && let Some((_, address, at)) = heap.pop()
    {
        addresses.push(address);
        let segment = source.segments().get(address.segment());
        heap.extend(segment.and_then(|segment| before((segment, at))));
    }
    addresses
}

impl Rebuild {
    /// A rebuild of an index that holds too much which no case needs: what is worth a writer's
    /// while.
    pub(crate) fn of_wasteful(source: &Index) -> Option<Self> {
        source.is_wasteful().then(|| Self::new(source, Scan::Addresses(0)))
    }

    /// A rebuild of an index that holds too much which no case needs, or whose segments each hold
    /// cases of all times.
    pub(crate) fn of(source: &Index) -> Option<Self> {
        let by_creation = || Self::new(source, Scan::Created { watermark: None, passed: 0 });
        source.is_disordered().then(by_creation).or_else(|| Self::of_wasteful(source))
    }

    /// What is built needs no room reserved: all its values are in the source.
    fn new(source: &Index, scan: Scan) -> Self {
        Self {
            target: IndexWriter::new(Index::new(source.limits())),
            translation: Translation::default(),
            scratch: Scratch::default(),
            scan,
        }
    }

    /// Whether a few slots can be gone on for at little cost.
    pub(crate) fn goes_by_place(&self) -> bool {
        matches!(self.scan, Scan::Addresses(_))
    }

    /// Goes on for a number of slots, and then with what makes the new texts quick to search. Gives
    /// how many are left over once nothing is left to do. Cost: the slots.
    pub(crate) fn step(
        &mut self,
        source: &Index,
        slots: usize,
        threads: &Threads,
    ) -> Option<NonZeroUsize> {
        let mut remaining = slots;
        while remaining > 0 {
            let asked = remaining.min(SEGMENT);
            let (addresses, passed) = self.scan.next(source, asked);
            self.take(source, &addresses, threads);
            remaining -= passed;
            if passed < asked {
                return NonZeroUsize::new(self.target.merge_aside(remaining));
            }
        }
        None
    }

    /// What was built.
    pub(crate) fn finish(self) -> Index {
        self.target.finish().0
    }

    /// Puts the cases at addresses that are passed now into the target, but for those that are
    /// there: they were passed before they changed, and were caught up with.
    fn take(&mut self, source: &Index, addresses: &[DocAddress], threads: &Threads) {
        let mut packer = Packer::default();
        for address in addresses {
            if self.target.index().find(source.catalog().ids.id(*address)).is_none() {
                self.pack(source, *address, &mut packer);
            }
        }
        self.target.apply_blocks(packer.finish(), threads);
    }

    fn pack(&mut self, source: &Index, address: DocAddress, packer: &mut Packer) {
        let (from, segment) = (source.catalog(), source.segment(address));
        let (to, id) = (self.target.index().catalog(), from.ids.id(address));
        let document = segment.document(from, address.slot());
        packer.upsert(id, |into| {
            to.codec.encode(&document, id, &mut self.scratch, into);
            to.translate(segment.row(address.slot()), from, &mut self.translation)
        });
    }

    /// Brings the target up to what changed in the source: cases of these ids, each as it is there,
    /// however often it changed. One that the scan has still to come to is left to it.
    pub(crate) fn catch_up<'c>(
        &mut self,
        source: &Index,
        ids: impl Iterator<Item = &'c str>,
        threads: &Threads,
    ) {
        let mut packer = Packer::default();
        for id in ids.collect::<BTreeSet<_>>() {
            let is_built = self.target.index().find(id).is_some();
            match source.find(id) {
                Some(address) if is_built || self.scan.has_passed(source, address) => {
                    self.pack(source, address, &mut packer);
                }
                None if is_built => packer.delete(id),
                _ => {}
            }
        }
        self.target.apply_blocks(packer.finish(), threads);
    }

    /// How many slots are still to be gone through, those of the merge debt included.
    pub(crate) fn remaining(&self, source: &Index) -> usize {
        let slots = match self.scan {
            Scan::Addresses(next) => source.slots() - next,
            Scan::Created { passed, .. } => (source.len() as usize).saturating_sub(passed),
        };
        slots + self.target.index().merge_debt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::index::catalog::Change;
    use crate::index::collections::sized;

    const NONE: &Threads = &Threads::NONE;

    fn write(index: &mut Index, changes: Vec<Change>) {
        let mut entered = index.entered();
        entered.enter(changes, NONE);
        let mut writer = IndexWriter::new(std::mem::take(index));
        writer.apply(entered, NONE);
        (*index, _) = writer.finish();
    }

    fn changed(change: &Change) -> Box<str> {
        match change {
            Change::Upsert(case) => case.id().into(),
            Change::Delete(id) => id.clone(),
        }
    }

    /// Goes on; gives what was built once it is whole.
    fn whole(mut rebuild: Rebuild, index: &Index, slots: usize) -> Index {
        assert!(rebuild.step(index, slots, NONE).is_some());
        rebuild.finish()
    }

    fn upsert(id: usize, name: usize) -> Change {
        let json = format!(r#"{{"_id":"{id}","name":"name {name}","queues":["q{}"]}}"#, id % 7);
        Change::Upsert(Box::new(Case::from_json(json.as_bytes()).unwrap()))
    }

    #[test]
    fn a_rebuilt_index_is_small_and_says_the_same() {
        let mut index = Index::default();
        write(&mut index, (0..70_000).map(|id| upsert(id, id)).collect());
        let fresh = index.bytes();
        assert!(Rebuild::of(&index).is_none());
        for round in 1..4 {
            write(&mut index, (0..70_000).map(|id| upsert(id, id + round * 100_000)).collect());
        }
        write(&mut index, (0..30_000).map(|id| Change::Delete(id.to_string().into())).collect());
        let mut rebuild = Rebuild::of(&index).unwrap();
        assert!(rebuild.goes_by_place());
        assert!(rebuild.step(&index, 50_000, NONE).is_none());
        // Changes on both sides of what is done, in the middle of it.
        let changes =
            || vec![upsert(40_000, 1), upsert(60_000, 2), upsert(5, 3), upsert(99_999, 4)];
        let deletes = || ["45000", "65000"].map(|id| Change::Delete(id.into()));
        write(&mut index, changes().into_iter().chain(deletes()).collect());
        let ids: Vec<_> = changes().iter().chain(&deletes()).map(changed).collect();
        rebuild.catch_up(&index, ids.iter().map(|id| &**id), NONE);
        assert!(rebuild.remaining(&index) > 0);
        let rebuilt = whole(rebuild, &index, usize::MAX - 65_536);
        rebuilt.validate().unwrap();
        index.validate().unwrap();
        assert_eq!(rebuilt.len(), index.len());
        for id in (0..100_000).map(|id| id.to_string()) {
            let document = |index: &Index| {
                let address = index.find(&id)?;
                Some(index.segment(address).document(index.catalog(), address.slot()))
            };
            assert_eq!(document(&rebuilt), document(&index), "{id}");
        }
        let (now, was) = (rebuilt.bytes(), index.bytes());
        // Small nodes take more beside their terms.
        let tenths = sized(30, 25);
        assert!(now.text < fresh.text && now.ids < fresh.ids);
        assert!(now.text * tenths < was.text * 10, "{} of {}", now.text, was.text);
    }

    fn created(id: usize, day: usize) -> Change {
        let json = format!(r#"{{"_id":"{id}","name":"case {id}","createdAt":{}}}"#, day * 1000);
        Change::Upsert(Box::new(Case::from_json(json.as_bytes()).unwrap()))
    }

    #[test]
    fn cases_in_no_order_come_to_stand_by_creation() {
        const CASES: usize = SEGMENT * 4;
        let mut index = Index::default();
        // Every segment gets cases of all times.
        write(&mut index, (0..CASES).map(|id| created(id, id * 7919 % CASES)).collect());
        let mut rebuild = Rebuild::of(&index).unwrap();
        assert!(!rebuild.goes_by_place() && Rebuild::of_wasteful(&index).is_none());
        assert!(rebuild.step(&index, CASES / 2, NONE).is_none());
        // Of what is done and what is not: one leaves, one goes to the other side of the watermark,
        // one leaves and comes back on the other side, and one is new.
        let id_of = |day: usize| (0..CASES).find(|id| id * 7919 % CASES == day).unwrap();
        let (low, high) = (|n: usize| id_of(10 + n), |n: usize| id_of(CASES - 10 - n));
        for changes in [
            vec![
                Change::Delete(low(0).to_string().into()),
                Change::Delete(high(0).to_string().into()),
            ],
            vec![created(low(1), CASES), created(high(1), 1)],
            vec![
                Change::Delete(low(2).to_string().into()),
                Change::Delete(high(2).to_string().into()),
            ],
            vec![created(low(2), CASES), created(high(2), 1)],
            vec![created(CASES + 1, 0), created(CASES + 2, CASES)],
        ] {
            let ids: Vec<Box<str>> = changes.iter().map(changed).collect();
            write(&mut index, changes);
            rebuild.catch_up(&index, ids.iter().map(|id| &**id), NONE);
        }
        let mut rebuilt = whole(rebuild, &index, usize::MAX);
        rebuilt.validate().unwrap();
        // What moved meanwhile may be worth another one, and no more.
        if let Some(again) = Rebuild::of(&rebuilt) {
            rebuilt = whole(again, &rebuilt, usize::MAX);
        }
        assert!(Rebuild::of(&rebuilt).is_none(), "nothing is left to be done");
        rebuilt.validate().unwrap();
        assert_eq!(rebuilt.len(), index.len());
        for id in (0..CASES + 3).map(|id| id.to_string()) {
            let document = |index: &Index| {
                let address = index.find(&id)?;
                Some(index.segment(address).document(index.catalog(), address.slot()))
            };
            assert_eq!(document(&rebuilt), document(&index), "{id}");
        }
    }
}
