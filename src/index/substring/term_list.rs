//! Distinct terms in the order they came, with a tag each: two bytes where they lie close.

use crate::index::collections::Ordinal;

/// A tag that stands for any.
pub(super) const ANY: u8 = 0;

/// How many tags there are, the one for any included.
pub(super) const TAGS: usize = 32;

/// The tag of the symbol that follows a gram, or of the end: letters have tags of their own.
pub(super) fn tag(next: Option<u32>) -> u8 {
    (next.map_or(0, |next| next % (TAGS as u32 - 1)) + 1) as u8
}

/// How many bits of a distance stand beside the tag, in two bytes; and the bit that more follow.
const FIRST_BITS: u32 = 10;
const MORE: u16 = 1 << 15;

/// Some terms, kept as distances, and their tags. Useful for short lists that are read whole. Not
/// for "is it in".
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct TermList {
    /// The tag and the first bits of the distance from the term before, in two bytes; then the
    /// rest, 7 bits a byte. A term below the one before it is as far as counting goes around.
    #[cfg_attr(feature = "checkpoint", serde(with = "crate::index::collections::bytes"))]
    bytes: Box<[u8]>,
    last: Ordinal,
    length: u32,
}

impl TermList {
    pub(super) fn len(&self) -> usize {
        self.length as usize
    }

    /// Appends terms, ascending places with a tag each: one that comes several times in a row is
    /// one. Cost: those, and a copy of the list.
    pub(super) fn extend(&mut self, terms: impl IntoIterator<Item = (Ordinal, u8)>) {
        let mut bytes: Vec<u8> = Vec::new();
        let mut terms = terms.into_iter().peekable();
        while let Some((term, mut tag)) = terms.next() {
            while let Some((_, other)) = terms.next_if(|(other, _)| *other == term) {
                tag = if other == tag { tag } else { ANY };
            }
            let distance = term.wrapping_sub(self.last);
            let rest = distance >> FIRST_BITS;
            let more = if rest > 0 { MORE } else { 0 };
            let first = (distance as u16 & ((1 << FIRST_BITS) - 1)) << (TAGS.ilog2());
            bytes.extend((more | first | u16::from(tag)).to_le_bytes());
            put(rest, &mut bytes);
            (self.last, self.length) = (term, self.length + 1);
        }
        self.bytes = [&*self.bytes, &*bytes].concat().into();
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
    pub(super) fn tagged(&self) -> impl Iterator<Item = (Ordinal, u8)> {
        let (mut rest, mut term) = (&self.bytes[..], 0_u32);
        std::iter::from_fn(move || {
            let (first, after) = rest.split_first_chunk()?;
            rest = after;
            let first = u16::from_le_bytes(*first);
            let mut distance = u32::from(first & !MORE) >> TAGS.ilog2();
            if first & MORE != 0 {
                distance |= number(&mut rest)? << FIRST_BITS;
            }
            term = term.wrapping_add(distance);
            Some((term, first as u8 & (TAGS as u8 - 1)))
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Appends a number that is not 0, or nothing.
fn put(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    if number > 0 {
        bytes.push(number as u8);
    }
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
}

/// Puts distinct terms first, ascending, and gives how many they are: many by way of a set.
pub(super) fn sort_distinct(terms: &mut [Ordinal]) -> usize {
    let bounds =
        |(least, most): (Ordinal, Ordinal), own: &Ordinal| (least.min(*own), most.max(*own));
    let (least, most) = terms.iter().fold((Ordinal::MAX, 0), bounds);
    let words = most.saturating_sub(least) as usize / 64 + 1;
    let mut length = 0;
    if terms.len() < 64 || words > terms.len() * 8 {
        terms.sort_unstable();
        for at in 0..terms.len() {
            if at == 0 || terms[at] != terms[length - 1] {
                terms[length] = terms[at];
                length += 1;
            }
        }
        return length;
    }
    let mut set = vec![0_u64; words];
    for term in &*terms {
        let at = term - least;
        set[at as usize / 64] |= 1 << (at % 64);
    }
    for (at, word) in (0..).zip(set) {
        let mut rest = word;
        while rest != 0 {
            terms[length] = least + at * 64 + rest.trailing_zeros();
            length += 1;
            rest &= rest - 1;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_back_in_their_order() {
        let terms = [5, 0, Ordinal::MAX, 7, 8, 1031, 1032, 1 << 30, 1, 63, 64, 128];
        let mut list = TermList::default();
        list.extend(terms.into_iter().map(|term| (term, 1 + (term % 2) as u8)));
        assert!(list.iter().eq(terms));
        let with = |list: &TermList, tag: u8| {
            let mut terms = Vec::new();
            list.each_with(tag, |term| terms.push(term));
            terms
        };
        let even: Vec<_> = terms.into_iter().filter(|term| term % 2 == 0).collect();
        assert_eq!(with(&list, 1), even);
        list.extend([(200, 1), (200, 1), (300, 1), (300, 3)]);
        assert_eq!(list.len(), terms.len() + 2);
        assert!(with(&list, 1).ends_with(&[128, 200, 300]) && with(&list, 3) == [300]);
        assert!(list.bytes() < 60);
    }

    #[test]
    fn close_terms_take_two_bytes() {
        let mut list = TermList::default();
        list.extend((0..1000).map(|term| (term * 1023, 31)));
        assert_eq!(list.bytes(), 2000);
    }

    #[test]
    fn letters_have_tags_of_their_own() {
        let mut tags: Vec<_> = ('a'..='z').map(|letter| tag(Some(letter.into()))).collect();
        tags.sort_unstable();
        tags.dedup();
        assert!(tags.len() == 26 && !tags.contains(&ANY));
        assert!((0..2000).all(|next| usize::from(tag(Some(next))) < TAGS));
    }
}
