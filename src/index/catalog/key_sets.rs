//! Which top-level keys documents have: distinct keys, and distinct sets of them.
//!
//! Useful for whether any live case has a key, by one look. Not for which cases have it.

use crate::case;
use crate::index::collections::{Dictionary, Interner, Memo, Ordinal, Owned, Paged};

/// The keys of a scope's documents; it only grows.
#[derive(Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct KeySets {
    /// Each set has its keys ascending.
    sets: Dictionary<Box<[Ordinal]>>,
    /// The keys as texts, their escapes read. They are seldom looked at.
    keys: Interner<16>,
    #[cfg_attr(feature = "checkpoint", serde(skip))]
    spellings: Memo<Ordinal>,
}

impl Owned for Box<[Ordinal]> {
    fn owned(&self) -> usize {
        size_of_val(&**self)
    }
}

impl KeySets {
    /// The set of a case's keys, as the case spells them. Cost: a look-up; where they were not
    /// spelled so before, one a key.
    pub(crate) fn intern(&self, columns: &str, both: &mut String) -> Ordinal {
        self.spellings.get([columns, ""], both, |[columns, _]| {
            self.set(case::keys(columns).iter().map(|key| &**key))
        })
    }

    fn set<'k>(&self, keys: impl Iterator<Item = &'k str> + Clone) -> Ordinal {
        self.keys.expect(keys.clone());
        let mut set: Vec<Ordinal> = keys.map(|key| self.keys.intern(key).0).collect();
        set.sort_unstable();
        self.sets.intern(set.into()).0
    }

    /// The set that has the same keys as one of another scope's.
    pub(crate) fn translate(&self, set: Ordinal, from: &Self) -> Ordinal {
        self.set(from.sets.get(set).iter().map(|key| from.keys.get(*key)))
    }

    /// How many keys there are, or if that is more, sets.
    pub(crate) fn len(&self) -> usize {
        self.keys.len().max(self.sets.len())
    }

    /// About how many bytes the keys and sets take. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.keys.value_bytes() + self.sets.value_bytes()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.bytes() + self.sets.bytes() + self.spellings.bytes()
    }
}

/// How many live cases have each set, and how many of those sets each key. A clone costs a few
/// pointers.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct KeyCounts {
    cases: Paged<u32, 64>,
    sets: Paged<u32, 64>,
}

impl KeyCounts {
    /// A case has other keys now, or came, or went. Cost: its keys where it is the first or the
    /// last case that has these; else nothing to speak of.
    pub(crate) fn count(&mut self, old: Option<Ordinal>, new: Option<Ordinal>, all: &KeySets) {
        if old == new {
            return;
        }
        for (set, change) in [(old, -1), (new, 1)] {
            let Some(set) = set else { continue };
            let cases = self.cases.add(set as usize, change);
            if cases == u32::from(change > 0) {
                for key in all.sets.get(set) {
                    self.sets.add(*key as usize, change);
                }
            }
        }
    }

    /// Whether any live case has a key. Cost: a look-up.
    pub(crate) fn has(&self, key: &str, all: &KeySets) -> bool {
        let count = all.keys.find(key).and_then(|key| self.sets.get(key as usize));
        count.is_some_and(|count| *count > 0)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.cases.bytes() + self.sets.bytes()
    }

    /// Checks the counts against the sets of all live cases.
    pub(crate) fn validate(
        &self,
        live: impl Iterator<Item = Ordinal>,
        all: &KeySets,
    ) -> Result<(), String> {
        let mut counted = Self::default();
        live.for_each(|set| counted.count(None, Some(set), all));
        let same = |own: &Paged<u32, 64>, other: &Paged<u32, 64>| {
            let count = |all: &Paged<u32, 64>, at| all.get(at).copied().unwrap_or(0);
            (0..own.len().max(other.len())).all(|at| count(own, at) == count(other, at))
        };
        if same(&self.cases, &counted.cases) && same(&self.sets, &counted.sets) {
            return Ok(());
        }
        Err("the counts of keys".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_there_while_a_live_case_has_it() {
        let (all, both) = (KeySets::default(), &mut String::new());
        let mut set = |columns: &str| all.intern(columns, both);
        let (one, other) = (set(r#""_id","a.b","c","#), set(r#""_id","d","#));
        assert_eq!(one, set(r#""c","\u005fid","a\u002eb","#));
        let mut counts = KeyCounts::default();
        let mut changed = |old, new| {
            counts.count(old, new, &all);
            ["_id", "a.b", "d", "none"].map(|key| counts.has(key, &all))
        };
        assert_eq!(changed(None, Some(one)), [true, true, false, false]);
        assert_eq!(changed(None, Some(one)), [true, true, false, false]);
        assert_eq!(changed(Some(one), Some(other)), [true, true, true, false]);
        assert_eq!(changed(Some(one), Some(other)), [true, false, true, false]);
        assert_eq!(changed(Some(other), None), [true, false, true, false]);
        counts.validate([other].into_iter(), &all).unwrap();
        assert!(counts.validate([one].into_iter(), &all).is_err());
    }

    #[test]
    fn sets_take_little_however_many_there_are() {
        let (all, both) = (KeySets::default(), &mut String::new());
        let (mut counts, mut text) = (KeyCounts::default(), 0);
        for case in 0..20_000 {
            let keys = (0..20).map(|key| format!("\"key{case}_{key}\","));
            let columns: String = keys.collect();
            text += columns.len();
            counts.count(None, Some(all.intern(&columns, both)), &all);
        }
        let bytes = all.bytes() + counts.bytes();
        assert!(bytes < 5 * text, "{bytes} for {text}");
        assert!(counts.has("key19999_7", &all) && !counts.has("key19999_20", &all));
    }
}
