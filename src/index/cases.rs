//! The cases of one scope, as a plain list.
//!
//! Useful for walking every case, and for finding one by its `_id`. Not for finding few among many:
//! whatever is asked, the whole list is walked.

use std::collections::HashMap;
use std::sync::Arc;

use crate::case::Case;

/// Where a case stands in the list. Good for one snapshot only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place(u32);

/// Every case of a scope. A clone shares the cases themselves; cost grows with their number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cases {
    list: Vec<Arc<Case>>,
    /// `_id` to place: one entry for each case of the list.
    places: HashMap<Box<str>, Place>,
    /// How many cases have a top-level key; none has 0.
    columns: HashMap<Box<str>, usize>,
}

impl Cases {
    /// How many cases there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Every place, in no order that means anything.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.list.len() as u32).map(Place)
    }

    pub(crate) fn case(&self, place: Place) -> &Case {
        &self.list[place.0 as usize]
    }

    pub(crate) fn find(&self, id: &str) -> Option<Place> {
        self.places.get(id).copied()
    }

    /// Whether any case has this top-level key.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// Stores a case in place of the one with its `_id`, if there is one; says whether there was.
    pub(crate) fn upsert(&mut self, case: Arc<Case>) -> bool {
        for column in &case.columns {
            *self.columns.entry(column.clone()).or_default() += 1;
        }
        if let Some(place) = self.find(&case.id) {
            let old = std::mem::replace(&mut self.list[place.0 as usize], case);
            self.drop_columns(&old);
            return true;
        }
        self.places.insert(case.id.clone(), Place(self.list.len() as u32));
        self.list.push(case);
        false
    }

    /// Takes a case out; says whether it was there.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        let Some(place) = self.places.remove(id) else { return false };
        let old = self.list.swap_remove(place.0 as usize);
        self.drop_columns(&old);
        if let Some(moved) = self.list.get(place.0 as usize) {
            self.places.insert(moved.id.clone(), place);
        }
        true
    }

    fn drop_columns(&mut self, case: &Case) {
        for column in &case.columns {
            if let Some(count) = self.columns.get_mut(column) {
                *count -= 1;
                if *count == 0 {
                    self.columns.remove(column);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str, more: &str) -> Arc<Case> {
        Arc::new(Case::from_json(format!(r#"{{"_id":"{id}"{more}}}"#).as_bytes()).unwrap())
    }

    #[test]
    fn a_deleted_case_takes_its_columns_along() {
        let mut cases = Cases::default();
        assert!(!cases.upsert(case("1", r#","a":0"#)));
        assert!(!cases.upsert(case("2", "")));
        assert!(cases.upsert(case("1", r#","b":0"#)));
        assert!(!cases.has_column("a") && cases.has_column("b") && cases.has_column("_id"));
        assert!(cases.delete("1") && !cases.delete("1"));
        assert_eq!(cases.find("2").map(|place| cases.case(place).id()), Some("2"));
        assert!(!cases.has_column("b"));
    }
}
