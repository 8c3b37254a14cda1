//! Where the candidates of a segment come from: the clause that leaves fewest slots, as far as
//! finding that out costs less than it saves.

use super::cost::{CANDIDATE, ROW_TEST};
use super::listed::Listed;

/// Up to how many candidates no shorter path is looked for among the signatures.
pub(super) const SHORT: u64 = 512;

/// By how many times a case of the signatures costs more than one of a list: who is in the list of
/// a case is told by its row, and the signature of a listed case is near at hand.
const BY_ROW: u64 = 8;

/// Where candidates come from: the slots that one clause leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessPath {
    /// The order by creation, between two positions.
    Created,
    Due,
    Postings(Listed),
    SignatureColumn,
    /// What was united before, by the text and other clauses.
    Bitmap,
}

/// What is known of the clauses in one segment, each told when it is asked: a clause that is not
/// asked, or leaves all of the segment, has nothing.
pub(super) trait SegmentStats {
    /// How many cases a range of dates has.
    fn created(&self) -> Option<u64>;
    fn due(&self) -> Option<u64>;
    /// How many lists of a field are looked at.
    fn lists(&self, field: Listed) -> Option<u64>;
    /// How many slots these have. Cost: a look at each list.
    fn listed(&self, field: Listed) -> u64;
    /// How many live cases have one of the signatures. Cost: as much as some cases looked at.
    fn of_signatures(&self) -> u64;
}

/// The path with the fewest candidates, and how many these are; nothing where there are none.
pub(super) fn choose(stats: &impl SegmentStats) -> Option<(u64, AccessPath)> {
    let created = stats.created().map(|count| (count, AccessPath::Created));
    let due = stats.due().map(|count| (count, AccessPath::Due));
    let mut best = created.into_iter().chain(due).min_by_key(|(count, _)| *count);
    for field in [Listed::Queues, Listed::Assignees] {
        // Summing the lengths of many lists costs more than looking at few candidates.
        let lists = stats.lists(field);
        let is_worth_it = |lists: &u64| best.is_none_or(|(count, _)| count >= *lists);
        if lists.filter(is_worth_it).is_some() {
            let count = stats.listed(field);
            if best.is_none_or(|(least, _)| count < least) {
                best = Some((count, AccessPath::Postings(field)));
            }
        }
    }
    if best.is_none_or(|(count, _)| count > SHORT) {
        let count = stats.of_signatures();
        let by_list = matches!(best, Some((_, AccessPath::Postings(_))));
        let cost = if by_list { count.saturating_mul(BY_ROW) } else { count };
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((count, AccessPath::SignatureColumn));
        }
    }
    best.filter(|(count, _)| *count > 0)
}

/// Some predicates of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PredicateSet {
    pub(super) signatures: bool,
    pub(super) created: bool,
    pub(super) due: bool,
    pub(super) queues: bool,
    pub(super) assignees: bool,
    pub(super) text: bool,
    /// What a plan holds besides.
    pub(super) rest: bool,
}

impl PredicateSet {
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Whether one of them is told by a case's row.
    pub(super) fn asks_row(self) -> bool {
        self.created || self.due || self.queues || self.assignees || self.text
    }

    /// Whether a path of so many candidates, each looked up among the matching slots of a set, is
    /// shorter than the set, of whose slots the rows are asked for what the path tells.
    pub(super) fn is_sooner_led(self, path: AccessPath, count: u64, matching: u64) -> bool {
        let asks_row = match path {
            AccessPath::Created => self.created,
            AccessPath::Due => self.due,
            AccessPath::Postings(Listed::Queues) => self.queues,
            AccessPath::Postings(Listed::Assignees) => self.assignees,
            AccessPath::SignatureColumn | AccessPath::Bitmap => false,
        };
        let test = if asks_row { ROW_TEST } else { CANDIDATE };
        matching.saturating_mul(test) > count.saturating_mul(CANDIDATE)
    }

    /// Leaves those that a path does not tell; where lists of halves say all of the signatures,
    /// posting lists tell these too.
    pub(super) fn without(mut self, path: AccessPath, halves_say_all: bool) -> Self {
        match path {
            AccessPath::Created => self.created = false,
            AccessPath::Due => self.due = false,
            AccessPath::Postings(field) => {
                match field {
                    Listed::Queues => self.queues = false,
                    Listed::Assignees => self.assignees = false,
                }
                self.signatures &= !halves_say_all;
            }
            AccessPath::SignatureColumn => self.signatures = false,
            AccessPath::Bitmap => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Numbers, and how often those were asked that cost something.
    #[derive(Default)]
    struct Stats {
        created: Option<u64>,
        due: Option<u64>,
        /// Of queues and of assignees: lists, and slots.
        lists: [Option<(u64, u64)>; 2],
        of_signatures: u64,
        sums: Cell<u32>,
    }

    impl SegmentStats for Stats {
        fn created(&self) -> Option<u64> {
            self.created
        }

        fn due(&self) -> Option<u64> {
            self.due
        }

        fn lists(&self, field: Listed) -> Option<u64> {
            self.lists[field as usize].map(|(lists, _)| lists)
        }

        fn listed(&self, field: Listed) -> u64 {
            self.sums.set(self.sums.get() + 1);
            self.lists[field as usize].map_or(0, |(_, slots)| slots)
        }

        fn of_signatures(&self) -> u64 {
            self.sums.set(self.sums.get() + 1);
            self.of_signatures
        }
    }

    #[test]
    fn the_fewest_candidates_lead() {
        let (queues, assignees) = (Listed::Queues, Listed::Assignees);
        let all = 60_000;
        // Created, due, queues, assignees, signatures; then what leads, and how many sums it took.
        type Row = (
            Option<u64>,
            Option<u64>,
            Option<(u64, u64)>,
            Option<(u64, u64)>,
            u64,
            Option<(u64, AccessPath)>,
            u32,
        );
        let table: [Row; 12] = [
            // Nothing but signatures.
            (None, None, None, None, all, Some((all, AccessPath::SignatureColumn)), 1),
            (None, None, None, None, 0, None, 1),
            // The shorter of two ranges; a short one asks for no sum.
            (Some(900), Some(300), None, None, all, Some((300, AccessPath::Due)), 0),
            (Some(300), Some(900), None, None, all, Some((300, AccessPath::Created)), 0),
            // A long one is compared with the signatures.
            (Some(900), None, None, None, 20, Some((20, AccessPath::SignatureColumn)), 1),
            (Some(900), None, None, None, 901, Some((900, AccessPath::Created)), 1),
            // More lists than candidates are not summed.
            (Some(40), None, Some((50, 10)), None, all, Some((40, AccessPath::Created)), 0),
            (
                Some(400),
                None,
                Some((50, 10)),
                None,
                all,
                Some((10, AccessPath::Postings(queues))),
                1,
            ),
            // Both lists; signatures must be eight times fewer than a list.
            (
                None,
                None,
                Some((1, 600)),
                Some((1, 590)),
                80,
                Some((590, AccessPath::Postings(assignees))),
                3,
            ),
            (None, None, Some((1, 600)), None, 70, Some((70, AccessPath::SignatureColumn)), 2),
            // An empty list leaves nothing, whatever else is asked.
            (None, None, Some((1, 0)), None, all, None, 1),
            (Some(0), None, None, None, all, None, 0),
        ];
        for (created, due, queues, assignees, of_signatures, leads, sums) in table {
            let lists = [queues, assignees];
            let stats = Stats { created, due, lists, of_signatures, sums: Cell::default() };
            let told = format!("{created:?} {due:?} {lists:?} {of_signatures}");
            assert_eq!((choose(&stats), stats.sums.get()), (leads, sums), "{told}");
        }
    }

    #[test]
    fn a_path_leads_where_its_set_is_not_much_shorter() {
        let left = PredicateSet { queues: true, ..PredicateSet::default() };
        let queues = AccessPath::Postings(Listed::Queues);
        // The rows of a set's slots would be asked for their queues.
        assert!(left.is_sooner_led(queues, 600, 590));
        assert!(!left.is_sooner_led(queues, 600, 50));
        // Signatures need no row.
        assert!(!left.is_sooner_led(AccessPath::SignatureColumn, 600, 590));
        assert!(left.is_sooner_led(AccessPath::SignatureColumn, 600, 601));
        // Where nothing was united there is no set.
        assert!(left.is_sooner_led(queues, 60_000, u64::MAX));
    }

    #[test]
    fn a_path_tells_its_own_clause() {
        let all = PredicateSet {
            signatures: true,
            queues: true,
            created: true,
            ..PredicateSet::default()
        };
        let queues = AccessPath::Postings(Listed::Queues);
        assert_eq!(all.without(queues, false), PredicateSet { queues: false, ..all });
        assert_eq!(
            all.without(queues, true),
            PredicateSet { queues: false, signatures: false, ..all }
        );
        assert_eq!(all.without(AccessPath::Created, true), PredicateSet { created: false, ..all });
        assert_eq!(all.without(AccessPath::Bitmap, true), all);
        assert!(
            PredicateSet::default().is_none()
                && !PredicateSet { rest: true, ..PredicateSet::default() }.is_none()
        );
    }
}
