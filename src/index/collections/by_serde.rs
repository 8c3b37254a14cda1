//! Collections as sequences of their values, for checkpoints.
//!
//! What finds values is made anew where they are read: hashes are of one process alone.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bitset::BitSet;
use super::dictionary::{Dictionary, Owned};
use super::interner::Interner;
use super::ordinal::Ordinal;
use super::paged::{PageValue, Paged};
use super::sparse::Sparse;

/// A text of a sequence, not copied where that can be.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// Hands on each value of a sequence.
struct Each<T, F>(F, PhantomData<T>);

impl<'de, T, F> Visitor<'de> for Each<T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), &'static str>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut all: A) -> Result<(), A::Error> {
        while let Some(own) = all.next_element()? {
            (self.0)(own).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Reads a sequence value by value.
fn each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    each: impl FnMut(T) -> Result<(), &'static str>,
) -> Result<(), D::Error> {
    deserializer.deserialize_seq(Each(each, PhantomData))
}

/// Reads a sequence of texts.
pub(crate) fn each_text<'de, D: Deserializer<'de>>(
    deserializer: D,
    mut take: impl FnMut(&str),
) -> Result<(), D::Error> {
    each(deserializer, |Text(text)| {
        take(&text);
        Ok(())
    })
}

/// Refuses what is not new.
fn is_new(is_new: bool) -> Result<(), &'static str> {
    if is_new { Ok(()) } else { Err("a value is there twice") }
}

impl<const EVERY: usize> Serialize for Interner<EVERY> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Exact(self.len(), self.iter().map(|(_, text)| text)))
    }
}

impl<'de, const EVERY: usize> Deserialize<'de> for Interner<EVERY> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(|take| each_text(deserializer, |text| take(text)))
    }
}

impl<T: Serialize> Serialize for Dictionary<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = self.len();
        serializer.collect_seq(Exact(length, (0..length as Ordinal).map(|own| self.get(own))))
    }
}

impl<'de, T: Deserialize<'de> + Hash + Eq + Owned> Deserialize<'de> for Dictionary<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let own = Self::default();
        each(deserializer, |value| is_new(own.intern(value).1))?;
        Ok(own)
    }
}

impl<T: PageValue + Serialize, const PAGE: usize> Serialize for Paged<T, PAGE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Exact(self.len(), self.iter()))
    }
}

impl<'de, T: PageValue + Deserialize<'de>, const PAGE: usize> Deserialize<'de> for Paged<T, PAGE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut own, mut page) = (Self::default(), Vec::with_capacity(PAGE));
        each(deserializer, |value| {
            page.push(value);
            if page.len() == PAGE {
                own.extend(page.drain(..));
            }
            Ok(())
        })?;
        own.extend(page);
        Ok(own)
    }
}

impl<T: PageValue + Default + Serialize> Serialize for Sparse<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Exact(self.len(), self.iter()))
    }
}

impl<'de, T: PageValue + Default + Deserialize<'de>> Deserialize<'de> for Sparse<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut own = Self::default();
        each(deserializer, |(key, value): (Ordinal, T)| {
            let before = own.len();
            *own.get_or_add(key) = value;
            is_new(own.len() > before)
        })?;
        Ok(own)
    }
}

impl Serialize for BitSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(Exact(self.words().len(), self.words().iter()))
    }
}

impl<'de> Deserialize<'de> for BitSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut own, mut first) = (Self::default(), 0_u32);
        each(deserializer, |word: u64| {
            let slot = u16::try_from(first).map_err(|_| "a set has too many words")?;
            own.insert_word(slot, word);
            first += u64::BITS;
            Ok(())
        })?;
        Ok(own)
    }
}

/// An iterator that tells its length, which some formats write before the values.
struct Exact<I>(usize, I);

impl<I: Iterator> IntoIterator for Exact<I> {
    type Item = I::Item;
    type IntoIter = ExactIter<I>;

    fn into_iter(self) -> ExactIter<I> {
        ExactIter { left: self.0, values: self.1 }
    }
}

/// As many values as were told.
struct ExactIter<I> {
    left: usize,
    values: I,
}

impl<I: Iterator> Iterator for ExactIter<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.left = self.left.checked_sub(1)?;
        self.values.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Bytes in one piece.
pub(crate) mod bytes {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes.as_ref())
    }

    struct Bytes<T>(PhantomData<T>);

    impl<T: for<'b> From<&'b [u8]>> Visitor<'_> for Bytes<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
            Ok(bytes.into())
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: for<'b> From<&'b [u8]>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        deserializer.deserialize_bytes(Bytes(PhantomData))
    }
}

/// A vector that has no room for more than it has.
pub(crate) fn exact<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let mut own = Vec::deserialize(deserializer)?;
    own.shrink_to_fit();
    Ok(own)
}

/// Some of an iterator's values, as many as are told.
pub(crate) fn serialize_texts<'t, S: Serializer>(
    serializer: S,
    count: usize,
    texts: impl Iterator<Item = &'t str>,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(Exact(count, texts))
}
