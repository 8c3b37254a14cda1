//! Distinct terms in the order they came, with a tag each: two or three bytes.

use super::super::dictionary::Ordinal;

/// A tag that stands for any.
pub(super) const ANY: u8 = 0;

/// Some terms, kept as distances, and their tags. Useful for short lists that are read whole. Not
/// for "is it in".
#[derive(Clone, Debug, Default)]
pub(super) struct TermList {
    /// The distance of each from the one before, its sign in the lowest bit, 7 bits a byte; and
    /// then its tag.
    bytes: Vec<u8>,
    last: Ordinal,
    length: u32,
}

impl TermList {
    pub(super) fn len(&self) -> usize {
        self.length as usize
    }

    pub(super) fn last(&self) -> Option<Ordinal> {
        (self.length > 0).then_some(self.last)
    }

    /// Appends a term. Where it is the last one already, that one's tag stands for both.
    pub(super) fn push(&mut self, term: Ordinal, tag: u8) {
        if self.last() == Some(term) {
            if let Some(own) = self.bytes.last_mut().filter(|own| **own != tag) {
                *own = ANY;
            }
            return;
        }
        let distance = i64::from(term) - i64::from(self.last);
        let mut number = (distance << 1 ^ distance >> 63) as u64;
        if self.bytes.capacity() - self.bytes.len() < 6 {
            self.bytes.reserve_exact(6.max(self.bytes.len() / 8));
        }
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.extend([number as u8, tag]);
        (self.last, self.length) = (term, self.length + 1);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Ordinal> {
        self.tagged().map(|(term, _)| term)
    }

    /// Hands on the terms whose tag is the given one, or stands for any.
    #[inline]
    pub(super) fn each_with(&self, tag: u8, mut each: impl FnMut(Ordinal)) {
        for (term, own) in self.tagged() {
            if own == tag || own == ANY {
                each(term);
            }
        }
    }

    #[inline]
    fn tagged(&self) -> impl Iterator<Item = (Ordinal, u8)> {
        let (mut bytes, mut term) = (self.bytes.iter(), 0);
        std::iter::from_fn(move || {
            let mut byte = *bytes.next()?;
            let (mut number, mut shift) = (u64::from(byte & 0x7f), 7);
            while byte & 0x80 != 0 {
                byte = *bytes.next()?;
                number |= u64::from(byte & 0x7f) << shift;
                shift += 7;
            }
            term += (number >> 1) as i64 ^ -((number & 1) as i64);
            Some((term as Ordinal, *bytes.next()?))
        })
    }

    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_back_in_their_order() {
        let terms = [5, 0, Ordinal::MAX, 7, 8, 200, 1 << 30, 1, 63, 64, 128];
        let mut list = TermList::default();
        terms.into_iter().for_each(|term| list.push(term, 1 + (term % 2) as u8));
        assert!(list.iter().eq(terms));
        let with = |list: &TermList, tag: u8| {
            let mut terms = Vec::new();
            list.each_with(tag, |term| terms.push(term));
            terms
        };
        let even: Vec<_> = terms.into_iter().filter(|term| term % 2 == 0).collect();
        assert_eq!(with(&list, 1), even);
        list.push(128, 1);
        assert_eq!((list.len(), with(&list, 2).last()), (terms.len(), Some(&63)));
        list.push(128, 2);
        assert_eq!((list.len(), with(&list, 2).last()), (terms.len(), Some(&128)));
        assert!(list.bytes() < 60);
        assert_eq!(TermList::default().last(), None);
    }
}
