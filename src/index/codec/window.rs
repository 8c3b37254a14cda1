//! The last values of a document, which a later one may refer back to.

use smallvec::SmallVec;

/// How long a value is at least that a later one may refer to.
pub(super) const REFERABLE: usize = 6;

/// How many values are remembered: a search looks at no more.
const WINDOW: usize = 32;

/// Values by turns: a new one takes the place of the oldest. Encoding and decoding push the same
/// values, so that a place means the same to both.
#[derive(Debug)]
pub(super) struct Window<V> {
    values: SmallVec<[V; WINDOW]>,
    oldest: usize,
}

impl<V> Default for Window<V> {
    fn default() -> Self {
        Self { values: SmallVec::new(), oldest: 0 }
    }
}

impl<V: Copy> Window<V> {
    pub(super) fn push(&mut self, value: V) {
        if self.values.len() < WINDOW {
            self.values.push(value);
        } else {
            self.values[self.oldest] = value;
            self.oldest = (self.oldest + 1) % WINDOW;
        }
    }

    pub(super) fn position(&self, is_it: impl FnMut(&V) -> bool) -> Option<usize> {
        self.values.iter().position(is_it)
    }

    pub(super) fn get(&self, at: usize) -> Option<V> {
        self.values.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_values_are_remembered() {
        let mut window = Window::default();
        (0..1000).for_each(|value| window.push(value));
        let places: Vec<_> =
            (0..1000).filter_map(|value| window.position(|own| *own == value)).collect();
        assert_eq!(places.len(), WINDOW);
        assert!((1000 - WINDOW..).zip(places).all(|(value, at)| window.get(at) == Some(value)));
    }
}
