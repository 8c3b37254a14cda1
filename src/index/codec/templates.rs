//! The templates of a scope, and which one a document has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::fast::RandomState;

use super::doorkeeper::Doorkeeper;
use super::leaves::Leaf;
use super::template::Template;
use crate::index::collections::Values;

/// Templates by number; it only grows, and is read without waiting.
#[derive(Debug, Default)]
pub(super) struct Templates {
    by_number: Values<Template>,
    /// The widest template of each shape, by the shape's hash.
    widest: RwLock<HashMap<u64, u32, RandomState>>,
    /// Written by whoever holds `widest`.
    bytes: AtomicUsize,
}

impl Templates {
    /// All of them, by number.
    #[cfg(feature = "checkpoint")]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Template> {
        (0..self.by_number.len()).map(|number| self.by_number.get(number))
    }

    /// Adds a template that another process made of a shape; the last one of each is the widest.
    #[cfg(feature = "checkpoint")]
    pub(super) fn restore(&self, shape: u64, template: Template) {
        let mut widest = self.widest.write().unwrap_or_else(PoisonError::into_inner);
        self.bytes.fetch_add(template.bytes(), Ordering::Relaxed);
        widest.insert(shape, self.by_number.push(template) as u32);
    }

    /// # Panics
    /// Where the number was not given.
    pub(super) fn get(&self, number: u32) -> &Template {
        self.by_number.get(number as usize)
    }

    /// The template that a document has, made or widened where there is none. Nothing where its
    /// shape is new to the doorkeeper, where templates would take more than `most` bytes, or where
    /// hardly any number is left.
    pub(super) fn find_or_add(
        &self,
        shape: u64,
        document: &[u8],
        leaves: &[Leaf],
        most: u64,
        seen: &Doorkeeper,
    ) -> Option<u32> {
        let fits = |number: &u32| self.get(*number).fits(document, leaves);
        let known = {
            let widest = self.widest.read().unwrap_or_else(PoisonError::into_inner);
            widest.get(&shape).copied()
        };
        match known {
            Some(number) if fits(&number) => return Some(number),
            _ if self.by_number.has_enough() => return None,
            None if !seen.again(shape) => return None,
            _ => {}
        }
        let mut widest = self.widest.write().unwrap_or_else(PoisonError::into_inner);
        let template = match widest.get(&shape) {
            // Another thread was faster.
            Some(number) if fits(number) => return Some(*number),
            Some(number) => self.get(*number).widened(document, leaves),
            None => Template::new(document, leaves),
        };
        let bytes = self.bytes() + template.bytes();
        // It does not fit where two shapes share a hash.
        (bytes as u64 <= most && template.fits(document, leaves)).then(|| {
            let number = self.by_number.push(template) as u32;
            self.bytes.store(bytes, Ordering::Relaxed);
            widest.insert(shape, number);
            number
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}
