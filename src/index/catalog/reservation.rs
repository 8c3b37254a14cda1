//! Room in a catalog that changes have reserved.

use std::sync::Arc;

use super::Catalog;
use super::capacity::{Demand, Full};

/// Room in a catalog for changes, given back when it is dropped: what they brought is then counted
/// by the catalog itself.
#[derive(Debug)]
pub(super) struct Reservation {
    pub(crate) catalog: Arc<Catalog>,
    /// What is reserved now.
    demand: Demand,
    /// What was ever asked for.
    all: Demand,
}

impl Reservation {
    /// Room for nothing.
    pub(crate) fn none(catalog: &Arc<Catalog>) -> Self {
        let catalog = Arc::clone(catalog);
        Self { catalog, demand: Demand::default(), all: Demand::default() }
    }

    /// Reserves room for more, if there is as much; what it was asked for before is entered by
    /// now, and only its cases still need numbers. What others have entered and reserve still
    /// counts twice until they are done.
    pub(crate) fn add(&mut self, more: Demand) -> Result<(), Full> {
        let mut reserved = self.catalog.reserved.lock();
        let entered = self.demand.without_cases();
        let mut others = reserved.as_deref().copied().unwrap_or_default();
        others.subtract(entered);
        let used = |resource| self.catalog.used(resource).saturating_add(others.get(resource));
        self.catalog.limits.check(used, more)?;
        let own = reserved.get_or_insert_default();
        **own = others;
        own.add(more);
        self.demand.subtract(entered);
        self.demand.add(more);
        self.all.add(more);
        Ok(())
    }

    /// As much room in another catalog.
    pub(crate) fn again(&self, catalog: &Arc<Catalog>) -> Result<Self, Full> {
        let mut own = Self::none(catalog);
        own.add(self.all)?;
        Ok(own)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.catalog.reserved.lock();
        if let Some(own) = reserved.as_deref_mut() {
            own.subtract(self.demand);
        }
        reserved.take_if(|own| **own == Demand::default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::capacity::{Limits, Resource};
    use super::*;
    use crate::case::Case;
    use crate::index::{Change, Index, IndexWriter};
    use crate::threads::Threads;

    fn applied(index: Index, entered: super::super::Entered) -> Index {
        let mut writer = IndexWriter::new(index);
        writer.apply(entered, &Threads::NONE);
        writer.finish().0
    }

    fn case(json: &str) -> Change {
        Change::Upsert(Box::new(Case::from_json(json.as_bytes()).unwrap()))
    }

    #[test]
    fn no_case_brings_more_than_was_reserved() {
        let text = |n: usize| format!("a{n} b{n}  c{n} é\u{3000}{n}");
        for n in 0..40 {
            let json = format!(
                r#"{{"_id":"{n}","name":"{0}",
                "fields":[{{"lname":"title","selectedValue":"t {0}"}}],
                "status":{{"name":"s{n}","lname":"l{n}","_id":"i{n}"}},"refId":"r{n}","k{n}":1,"":2,
                "priority":{{"name":"s{n}","lname":"l{n}","_id":"i{n}","score":{n}}},
                "currAssignee":{{"agentId":"a{n}","aId":"b{n}","_id":"c{n}","name":"d{n}"}},
                "queues":[{{"name":"q{n}","lname":"r{n}","_id":"s{n}"}},"t{n}"],"currQueue":"u{n}",
                "source":"emailInst-{n}"}}"#,
                text(n)
            );
            for json in [json.clone(), format!(r#"{{"_id":"o{n}","channel":["c{n}","d{n}"]}}"#)] {
                let index = Index::default();
                let changes = vec![case(&json)];
                let demand = changes[0].demand();
                let mut entered = index.entered();
                entered.reserve(demand).unwrap();
                entered.enter(changes, &Threads::NONE);
                let index = applied(index, entered);
                for resource in Resource::ALL {
                    let used = index.used(resource);
                    assert!(used <= demand.get(resource), "{used} of {resource}: {json}");
                }
            }
        }
    }

    #[test]
    fn what_is_reserved_is_nobody_elses() {
        let index = Index::new(Limits { cases: 3, ..Limits::default() });
        let changes = |count: usize| -> Vec<Change> {
            (0..count).map(|n| case(&format!(r#"{{"_id":"{n}"}}"#))).collect()
        };
        let demand = |count: usize| {
            let mut all = Demand::default();
            changes(count).iter().for_each(|change| all.add(change.demand()));
            all
        };
        let two = demand(2);
        let reserve = |index: &Index, demand| {
            let mut entered = index.entered();
            entered.reserve(demand).map(|()| entered)
        };
        let room = reserve(&index, two).unwrap();
        let full = |used| Full { what: Resource::Cases, used, more: 2, limit: 3 };
        assert_eq!(reserve(&index, two).unwrap_err(), full(2));
        drop(room);
        let mut entered = reserve(&index, two).unwrap();
        entered.enter(changes(2), &Threads::NONE);
        // What is entered is counted, and its cases are still reserved.
        assert_eq!(entered.reserve(two).unwrap_err(), full(2));
        assert_eq!(reserve(&index, two).unwrap_err(), full(2));
        let index = applied(index, entered);
        assert_eq!(reserve(&index, two).unwrap_err(), full(2));
        assert!(reserve(&index, demand(1)).is_ok());
    }
}
