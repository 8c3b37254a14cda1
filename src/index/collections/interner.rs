//! Distinct texts and their ordinals: a dictionary that keeps its texts in an arena.
//!
//! Read without waiting while one writer adds: an ordinal, once given, means the same for ever.
//! Empty it allocates nothing.

use once_cell::race::OnceBox;
use smallvec::SmallVec;

use super::arena::Arena;
use super::hash_index::{HashIndex, hash_one};
use super::ordinal::Ordinal;

/// Distinct texts, each with its ordinal; one in `EVERY` is found at once, and others a few texts
/// further on.
#[derive(Debug, Default)]
pub(crate) struct Interner<const EVERY: usize = 1> {
    store: OnceBox<Store<EVERY>>,
}

#[derive(Debug, Default)]
struct Store<const EVERY: usize> {
    arena: Arena<EVERY>,
    known: HashIndex,
}

impl<const EVERY: usize> Interner<EVERY> {
    /// The ordinal of a text, and whether it is new.
    pub(crate) fn intern(&self, text: &str) -> (Ordinal, bool) {
        self.intern_hashed(text, self.hash(text))
    }

    fn intern_hashed(&self, text: &str, hash: u64) -> (Ordinal, bool) {
        let Store { arena, known } = self.store.get_or_init(Box::default);
        let is_it = |text: &&str, own| arena.get(own as usize) == *text;
        let hash_of = |own| self.hash(arena.get(own as usize));
        let add = |text: &str| arena.push(text) as Ordinal;
        known.find_or_add(hash, text, is_it, hash_of, add)
    }

    /// The ordinals of some texts, in their order. Useful where most are there already: memory that
    /// is far is waited for together.
    pub(crate) fn intern_all(&self, texts: &[&str]) -> Vec<Ordinal> {
        let Store { arena, known } = self.store.get_or_init(Box::default);
        let hashes: SmallVec<[u64; 32]> = texts.iter().map(|text| self.hash(text)).collect();
        // Mostly a hash has no entry, or that of its text.
        let likely = hashes.iter().map(|hash| known.find(*hash, |_| true));
        let likely: SmallVec<[_; 32]> = likely.collect();
        let mut there = arena.get_all(likely.iter().flatten().map(|own| *own as usize));
        let each = texts.iter().zip(hashes).zip(&likely);
        let ordinal = |((text, hash), likely): ((&&str, _), &Option<_>)| {
            let own = likely.filter(|_| there.next() == Some(*text));
            own.unwrap_or_else(|| self.intern_hashed(text, hash).0)
        };
        each.map(ordinal).collect()
    }

    /// Those of a sequence of distinct texts.
    #[cfg(feature = "checkpoint")]
    pub(super) fn of<E>(
        each: impl FnOnce(&mut dyn FnMut(&str)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let (own, arena, mut hashes) = (Self::default(), Arena::default(), Vec::new());
        each(&mut |text| {
            hashes.push(own.hash(text));
            arena.push(text);
        })?;
        if hashes.is_empty() {
            return Ok(own);
        }
        let store = Box::new(Store { arena, known: HashIndex::of(&hashes) });
        Ok(Self { store: OnceBox::with_value(store) })
    }

    /// Hears of texts that are about to come: if they are the first, they are kept side by side.
    pub(crate) fn expect<'t>(&self, texts: impl Iterator<Item = &'t str>) {
        if self.store.get().is_none() {
            // Most are so short that one byte says how long.
            let bytes = texts.map(|text| text.len() + 1).sum();
            self.store.get_or_init(Box::default).arena.make_room(bytes);
        }
    }

    /// The ordinal of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<Ordinal> {
        self.find_hashed(text, self.hash(text))
    }

    /// What `find_hashed` goes by.
    pub(crate) fn hash(&self, text: &str) -> u64 {
        hash_one(text)
    }

    pub(crate) fn find_hashed(&self, text: &str, hash: u64) -> Option<Ordinal> {
        self.store.get()?.known.find(hash, |own| self.get(own) == text)
    }

    /// # Panics
    /// Where the ordinal was not given.
    #[inline]
    pub(crate) fn get(&self, ordinal: Ordinal) -> &str {
        match self.store.get() {
            Some(store) => store.arena.get(ordinal as usize),
            None => panic!("nothing has ordinal {ordinal}"),
        }
    }

    /// Whether so many texts are there that only such should be added which have to be.
    pub(crate) fn has_enough(&self) -> bool {
        self.store.get().is_some_and(|store| store.arena.has_enough())
    }

    pub(crate) fn len(&self) -> usize {
        self.store.get().map_or(0, |store| store.arena.len())
    }

    /// How many bytes the texts are, their lengths included.
    pub(crate) fn text_bytes(&self) -> usize {
        self.store.get().map_or(0, |store| store.arena.text_bytes())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ordinal, &str)> {
        (0..self.len() as Ordinal).map(|ordinal| (ordinal, self.get(ordinal)))
    }

    /// About how many bytes the texts take, and what finds them. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.store
            .get()
            .map_or(0, |own| own.arena.value_bytes() + own.arena.len() * HashIndex::ENTRY)
    }

    /// Bytes that are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        self.store
            .get()
            .map_or(0, |own| size_of::<Store<EVERY>>() + own.arena.bytes() + own.known.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_ordinal() {
        let texts: Interner = Interner::default();
        assert_eq!((texts.find("none"), texts.len(), texts.bytes()), (None, 0, 0));
        for round in 0..2 {
            for number in 0..1000 {
                assert_eq!(texts.intern(&format!("t{number}")), (number, round == 0));
            }
        }
        assert_eq!((texts.find("t77"), texts.find("none"), texts.len()), (Some(77), None, 1000));
        assert!(texts.iter().all(|(ordinal, text)| text == format!("t{ordinal}")));
    }

    #[test]
    fn texts_that_are_asked_together_have_the_same_ordinals() {
        let (together, singly) = (Interner::<4>::default(), Interner::<4>::default());
        for round in 0..200 {
            // Some that are there, some that are new, and some of both that come twice.
            let texts = (round..round + 40).map(|at| format!("t{}", at * 7 % 300 / 2));
            let texts: Vec<_> = texts.collect();
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let expected: Vec<_> = texts.iter().map(|text| singly.intern(text).0).collect();
            assert_eq!(together.intern_all(&texts), expected);
        }
        assert!(together.intern_all(&[]).is_empty() && together.iter().eq(singly.iter()));
    }
}
