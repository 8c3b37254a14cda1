//! Which values of a scope a filter names, and how new ones are noted for that.
//!
//! Cost of each look-up: one a key, and the ordinals that it finds.

use super::key_index::KeyIndex;
use super::{Catalog, Column};
use crate::case::{Keys, NO_CATEGORY, ValueKeys};
use crate::index::collections::{Dictionary, Ordinal};

/// What stands for the key of a value that has none: no key begins with white space.
const NO_KEY: &str = " ";

/// A key of a value by its ordinal and its place there.
fn key_of<'d, T>(
    values: &'d Dictionary<T>,
    keys: fn(&T) -> &Keys,
) -> impl Fn(Ordinal, usize) -> &'d str {
    move |own, at| keys(values.get(own)).get(at).map_or(NO_KEY, |key| key)
}

/// Notes the keys of a new value.
fn note<T>(names: &KeyIndex, values: &Dictionary<T>, keys: fn(&T) -> &Keys, ordinal: Ordinal) {
    let key_of = key_of(values, keys);
    (0..keys(values.get(ordinal)).len()).for_each(|place| names.add(ordinal, place, &key_of));
}

impl Catalog {
    // Who finds a value finds its keys: another writer may publish a case of it at once.
    pub(super) fn note_status(&self, own: Ordinal) {
        let places = 0..=self.statuses.get(own).keys.len();
        places.for_each(|place| self.status_names.add(own, place, self.status_key_of()));
    }

    /// One without keys is noted where it has a score: without both there is only one.
    pub(super) fn note_priority(&self, own: Ordinal) {
        note(&self.priority_names, &self.priorities, |own| &own.keys, own);
        let priority = self.priorities.get(own);
        if priority.keys.is_empty() && priority.score.is_some() {
            self.priority_names.add(own, 0, key_of(&self.priorities, |own| &own.keys));
        }
    }

    pub(super) fn note_channels(&self, own: Ordinal) {
        note(&self.channel_names, &self.channels, |own| &own.all, own);
    }

    pub(super) fn note_assignee(&self, own: Ordinal) {
        note(&self.holders, &self.assignees, |own| &own.ids, own);
        note(&self.agents, &self.assignees, |own| &own.agents, own);
    }

    /// The ordinal of a folded reference number.
    pub(super) fn ref_id_of(&self, ref_id: &str) -> Ordinal {
        let (own, is_new) = self.ref_ids.intern(ref_id);
        if is_new {
            self.note_ref_id(own, ref_id);
        }
        own
    }

    pub(super) fn note_ref_id(&self, own: Ordinal, ref_id: &str) {
        if ref_id.trim().len() < ref_id.len() {
            self.padded_ref_ids.add(own, 0, self.trimmed_ref_id());
        }
    }

    /// A status's category comes after its keys.
    fn status_key_of<'c>(&'c self) -> impl Fn(Ordinal, usize) -> &'c str {
        |own, at| {
            let status = self.statuses.get(own);
            status.keys.get(at).unwrap_or(&status.category)
        }
    }

    /// How many values a column has.
    pub(crate) fn values(&self, column: Column) -> usize {
        match column {
            Column::Status => self.statuses.len(),
            Column::Priority => self.priorities.len(),
            Column::Channels => self.channels.len(),
        }
    }

    fn trimmed_ref_id<'c>(&'c self) -> impl Fn(Ordinal, usize) -> &'c str {
        |own, _| self.ref_ids.get(own).trim()
    }

    /// The statuses that have one of some keys; sorted, distinct. So is every list of ordinals
    /// here.
    pub(crate) fn statuses_named<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Ordinal> {
        self.status_names.find(keys, self.status_key_of())
    }

    /// The statuses whose category is one of some keys.
    pub(crate) fn statuses_of<'k>(
        &self,
        categories: impl Iterator<Item = &'k str>,
    ) -> Vec<Ordinal> {
        let spaced: Vec<String> = categories.map(|category| format!(" {category}")).collect();
        self.statuses_named(spaced.iter().map(String::as_str))
    }

    /// The statuses without a category.
    pub(crate) fn statuses_of_no_category(&self) -> Vec<Ordinal> {
        self.statuses_named(std::iter::once(NO_CATEGORY))
    }

    /// The statuses that say nothing: no name, id or category.
    pub(crate) fn missing_statuses(&self) -> Vec<Ordinal> {
        let mut missing = self.statuses_of_no_category();
        missing.retain(|own| self.statuses.get(*own).keys.is_empty());
        missing
    }

    pub(crate) fn priorities_named<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Ordinal> {
        self.priority_names.find(keys, key_of(&self.priorities, |own| &own.keys))
    }

    /// The priorities without a name or an id.
    pub(crate) fn missing_priorities(&self) -> Vec<Ordinal> {
        let none = super::Priority { keys: Keys::default(), score: None };
        let mut missing = self.priorities_named(std::iter::once(NO_KEY));
        missing.extend(self.priorities.find(&none));
        missing
    }

    pub(crate) fn channels_named<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Ordinal> {
        self.channel_names.find(keys, key_of(&self.channels, |own| &own.all))
    }

    /// The set of no channels, if a case has it.
    pub(crate) fn no_channels(&self) -> Option<Ordinal> {
        self.channels.find(&ValueKeys::default())
    }

    /// The queues of some keys.
    pub(crate) fn queues_named<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Ordinal> {
        let mut queues: Vec<_> = keys.filter_map(|key| self.queues.find(key)).collect();
        queues.sort_unstable();
        queues
    }

    /// The assignees that have one of the keys which `agents` asks for.
    pub(crate) fn agents<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Ordinal> {
        self.agents.find(keys, key_of(&self.assignees, |own| &own.agents))
    }

    /// The assignees that have the exact id which `mycase` asks for.
    pub(crate) fn holders(&self, id: &str) -> Vec<Ordinal> {
        self.holders.find(std::iter::once(id), key_of(&self.assignees, |own| &own.ids))
    }

    /// The reference numbers of some keys.
    pub(crate) fn ref_ids_named<'k>(
        &self,
        keys: impl Iterator<Item = &'k str> + Clone,
    ) -> Vec<Ordinal> {
        let mut found = self.padded_ref_ids.find(keys.clone(), self.trimmed_ref_id());
        found.extend(keys.filter_map(|key| self.ref_ids.find(key)));
        found.sort_unstable();
        found
    }
}
