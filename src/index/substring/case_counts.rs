//! How many cases have each of some ordinals.

use std::sync::Arc;

use super::buffer::Delta;
use super::trie::Cases;
use crate::index::collections::{ARC, Ordinal, Paged};

/// How many counts are as wide as the widest of them, at least.
const PAGE: usize = 64;

/// Counts of unresolved cases and of done ones by ordinal, in one, two or four bytes each. Useful
/// where most are small. A clone costs a pointer.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct CaseCounts {
    pages: Paged<Arc<[u8]>, 8>,
    /// How many bytes the pages have.
    heap: usize,
}

/// How many bytes a count of a page has.
fn width(page: &[u8]) -> usize {
    page.len() / (2 * PAGE)
}

#[inline]
fn read(page: &[u8], at: usize) -> u32 {
    match width(page) {
        1 => page[at].into(),
        2 => u16::from_le_bytes([page[at * 2], page[at * 2 + 1]]).into(),
        _ => u32::from_le_bytes([0, 1, 2, 3].map(|byte| page[at * 4 + byte])),
    }
}

fn write(page: &mut [u8], at: usize, count: u32) {
    let width = width(page);
    page[at * width..(at + 1) * width].copy_from_slice(&count.to_le_bytes()[..width]);
}

impl CaseCounts {
    /// How many ordinals may have cases.
    pub(super) fn len(&self) -> usize {
        self.pages.len() * PAGE
    }

    #[inline]
    pub(super) fn get(&self, ordinal: Ordinal) -> Cases {
        let (page, at) = (ordinal as usize / PAGE, ordinal as usize % PAGE);
        match self.pages.get(page) {
            Some(page) => [read(page, at * 2), read(page, at * 2 + 1)],
            None => [0; 2],
        }
    }

    /// Counts one case more or less. Cost: a page, or now and then a wider copy of it.
    pub(super) fn count(&mut self, ordinal: Ordinal, own: &Delta) {
        let number = ordinal as usize / PAGE;
        let before = self.pages.len();
        if before <= number {
            self.pages.grow(number + 1, &Arc::from([0; 2 * PAGE]));
            self.heap += (number + 1 - before) * (ARC + 2 * PAGE);
        }
        let Some(page) = self.pages.get_mut(number) else { return };
        let at = ordinal as usize % PAGE * 2 + own.half();
        let count = read(page, at).wrapping_add_signed(own.sign);
        while u64::from(count) >> (8 * width(page)) > 0 {
            let mut wider = vec![0; page.len() * 2];
            (0..2 * PAGE).for_each(|at| write(&mut wider, at, read(page, at)));
            self.heap += page.len();
            *page = wider.into();
        }
        write(Arc::make_mut(page), at, count);
    }

    pub(super) fn bytes(&self) -> usize {
        self.pages.bytes() + self.heap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_any_size_come_back() {
        let mut column = CaseCounts::default();
        let counts = [(3, 70_000), (64, 200), (65, 300), (1000, 1)];
        for (ordinal, count) in counts {
            for unresolved in [true, false, true] {
                let own = Delta { title: 0, unresolved, sign: 1 };
                (0..count).for_each(|_| column.count(ordinal, &own));
            }
        }
        let kept = column.clone();
        column.count(3, &Delta { title: 0, unresolved: true, sign: -1 });
        for (ordinal, count) in counts {
            assert_eq!(kept.get(ordinal), [2 * count, count]);
        }
        assert_eq!((column.get(3), column.get(4)), ([139_999, 70_000], [0; 2]));
        assert_eq!(column.get(Ordinal::MAX), [0; 2]);
        // 16 pages, one of them of four bytes a count and one of two.
        assert_eq!(column.heap, 16 * (ARC + 128) + 384 + 128);
    }
}
