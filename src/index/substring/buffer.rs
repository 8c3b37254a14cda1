//! Deltas that are not counted yet, and their texts.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::spelling::MARK;
use crate::index::collections::{Ordinal, sized};

/// How many deltas share a part.
const DELTAS_A_PAGE: usize = sized(32, 3);

/// A case that came, or went: its title, and of which half it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Delta {
    pub(super) title: Ordinal,
    pub(super) unresolved: bool,
    /// 1 or -1.
    pub(super) sign: i32,
}

impl Delta {
    pub(super) fn half(&self) -> usize {
        usize::from(!self.unresolved)
    }
}

/// Some deltas and their texts, closed by a mark each.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
struct DeltaPage {
    deltas: Vec<Delta>,
    #[cfg_attr(feature = "checkpoint", serde(with = "crate::index::collections::bytes"))]
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// Deltas in their order. Useful for texts that are searched as they are; not for many of them.
/// A clone costs a pointer for each part.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Buffer {
    parts: Vec<Arc<DeltaPage>>,
    length: usize,
    text: usize,
}

impl Buffer {
    /// How many deltas there are.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// How many bytes of text they have.
    pub(super) fn text(&self) -> usize {
        self.text
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Delta> {
        self.parts.iter().flat_map(|part| &part.deltas)
    }

    pub(super) fn push<'t>(&mut self, delta: Delta, texts: impl Iterator<Item = &'t str> + Clone) {
        if self.parts.last().is_none_or(|part| part.deltas.len() >= DELTAS_A_PAGE) {
            // Many a scope has one alone.
            self.parts.reserve_exact(if self.parts.is_empty() { 1 } else { 4 });
            self.parts.push(Arc::default());
        }
        if let Some(part) = self.parts.last_mut() {
            let part = Arc::make_mut(part);
            let before = part.text.len();
            if before == 0 {
                let length = texts.clone().map(|text| text.len() + 1).sum();
                part.text.reserve_exact(length);
                part.deltas.reserve_exact(1);
                part.ends.reserve_exact(1);
            }
            for text in texts {
                part.text.extend_from_slice(text.as_bytes());
                part.text.push(MARK);
            }
            part.deltas.push(delta);
            part.ends.push(part.text.len());
            self.length += 1;
            self.text += part.text.len() - before;
        }
    }

    /// Takes out the oldest deltas, until no more than so many of them and bytes of text are left.
    pub(super) fn take_oldest(&mut self, changes: usize, text: usize) -> Vec<Delta> {
        let mut taken = Vec::new();
        let mut parts = std::mem::take(&mut self.parts).into_iter();
        while self.length > changes || self.text > text {
            let Some(part) = parts.next() else { break };
            self.length -= part.deltas.len();
            self.text -= part.text.len();
            taken.extend_from_slice(&part.deltas);
        }
        self.parts = parts.collect();
        taken
    }

    /// Hands on each delta whose texts contain the needle, once.
    pub(super) fn find(&self, finder: &Finder<'_>, mut each: impl FnMut(&Delta)) {
        self.parts.iter().for_each(|part| part.find(finder, &mut each));
    }

    pub(super) fn bytes(&self) -> usize {
        self.text + self.length * (size_of::<Delta>() + size_of::<usize>())
    }
}

impl DeltaPage {
    fn find(&self, finder: &Finder<'_>, mut each: impl FnMut(&Delta)) {
        let (mut from, mut change) = (0, 0);
        while let Some(offset) = self.text.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + offset;
            while self.ends.get(change).is_some_and(|end| *end <= at) {
                change += 1;
            }
            let (Some(delta), Some(end)) = (self.deltas.get(change), self.ends.get(change)) else {
                return;
            };
            each(delta);
            from = *end;
            change += 1;
        }
    }
}
