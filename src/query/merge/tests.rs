//! Scans, the search for a rank and whole pages, beside a plain sort.

use proptest::prelude::*;

use super::*;
use crate::contract::{Query, SortField};
use crate::index::BitSet;
use crate::query::after::{After, last_seen};
use crate::query::docset::SegmentMatches;
use crate::query::made::{index, query};
use crate::query::{execute, top_k};
use crate::threads::Pool;

fn body() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#"{"sortBy":["SORT"]}"#,
        r#"{"sortBy":["SORT"],"unresolved":true}"#,
        r#"{"sortBy":["SORT"],"status":["open","closed"]}"#,
        r#"{"sortBy":["SORT"],"queues":["b"]}"#,
        r#"{"sortBy":["SORT"],"queues":["a"],"unresolved":true}"#,
        r#"{"sortBy":["SORT"],"startDate":1500,"endDate":2500}"#,
        r#"{"sortBy":["SORT"],"dueDate":1500,"status":["on hold"]}"#,
        r#"{"sortBy":["SORT"],"searchText":"parcel"}"#,
        r#"{"sortBy":["SORT"],"searchText":"late","priority":["high"]}"#,
        r#"{"sortBy":["SORT"],"filter":{"not":{"queue":{"in":["a"]}}}}"#,
    ])
}

fn sort() -> impl Strategy<Value = String> {
    let names =
        ["created", "updatedDate", "dueDate", "priority", "status", "name", "refId", "assignee"];
    let name = prop::sample::select(names.to_vec());
    let key = (name, any::<bool>()).prop_map(|(name, is_descending)| {
        format!("{name}:{}", ["asc", "desc"][usize::from(is_descending)])
    });
    prop::collection::vec(key, 1..4).prop_map(|keys| keys.join(r#"",""#))
}

/// A scope, a question and what is to be skipped.
fn asked(body: &str, sort: &str) -> Query {
    query(&body.replace("SORT", sort))
}

/// Every match in the order of a query, by a sort of all of them.
fn sorted(plan: &Plan<'_>, keys: Keys<'_>) -> Vec<DocAddress> {
    let matched = execute::in_segments(plan);
    let mut all = Vec::new();
    for docs in matched.docs(plan) {
        docs.for_each(|slot| all.push(docs.segment.address(slot)));
    }
    let compare = Compare::new(plan, keys).unwrap();
    all.sort_by(|a, b| compare.all(*a, *b));
    all
}

proptest! {
    #[test]
    fn a_page_is_a_part_of_a_sort(
        body in body(),
        sort in sort(),
        count in prop_oneof![1..60_u32, 900..1400_u32],
        skip in prop_oneof![0..40_usize, 250..700_usize],
        limit in 1..50_usize,
    ) {
        let (index, query, pool) = (index(count), asked(body, &sort), Pool::lasting("test", 1));
        let plan = Plan::new(query.clauses(), query.filter(), &index, &pool);
        let keys = query.order().keys();
        let right: Vec<_> = sorted(&plan, keys).into_iter().skip(skip).take(limit).collect();
        let matched = execute::execute(&plan);
        let window = skip as u128..(skip + limit) as u128;
        prop_assert_eq!(top_k::addresses(&plan, &matched, keys, window, None), right);
    }

    #[test]
    fn a_page_goes_on_behind_a_case(
        body in body(),
        sort in sort(),
        count in prop_oneof![1..60_u32, 900..1400_u32],
        behind in any::<prop::sample::Index>(),
        limit in prop_oneof![1..50_usize, 200..500_usize],
    ) {
        let (index, query, pool) = (index(count), asked(body, &sort), Pool::lasting("test", 1));
        let plan = Plan::new(query.clauses(), query.filter(), &index, &pool);
        let keys = query.order().keys();
        // Whether it matches or not.
        let addresses: Vec<_> = index.addresses().collect();
        prop_assume!(!addresses.is_empty());
        let behind = addresses[behind.index(addresses.len())];
        let last = last_seen(&index, keys, behind);
        let compare = Compare::new(&plan, keys).unwrap();
        let right = sorted(&plan, keys).into_iter();
        let right = right.filter(|address| compare.all(*address, behind).is_gt());
        let right: Vec<_> = right.take(limit).collect();
        let matched = execute::execute(&plan);
        let after = Some(After::new(&index, keys, &last));
        let page = top_k::addresses(&plan, &matched, keys, 0..limit as u128, after);
        prop_assert_eq!(page, right);
    }

    #[test]
    fn a_rank_is_found_where_a_sort_has_it(
        body in body(),
        sort in sort(),
        count in prop_oneof![1..60_u32, 900..1400_u32],
        skip in 0..900_usize,
    ) {
        let (index, query, pool) = (index(count), asked(body, &sort), Pool::lasting("test", 1));
        let plan = Plan::new(query.clauses(), query.filter(), &index, &pool);
        let keys = query.order().keys();
        prop_assume!(!matches!(keys[0].0, SortField::Priority | SortField::Status));
        let matched = execute::execute(&plan);
        let compare = Compare::new(&plan, keys).unwrap();
        let ranking = Ranking { plan: &plan, matched: &matched, group: None, keys, after: None };
        let skip = skip.min(matched.total as usize);
        let mut merge = Merge::new(&ranking, &compare, &(skip..skip + 1), |_, _, _| {});
        merge.seek();
        prop_assert!(merge.skip <= skip);
        // What the cursors have passed is what comes before all that they have not.
        let (mut passed, mut ahead) = (Vec::new(), Vec::new());
        for cursor in &merge.cursors {
            let (docs, order) = (cursor.docs, cursor.docs.segment.order(compare.field));
            let bounds = docs.bounds(compare.field);
            let end = bounds.1.min(docs.missing(compare.field));
            let start = if compare.is_reversed { end } else { bounds.0 };
            let at = cursor.scan.as_ref().map_or(start, Scan::at);
            let before = if compare.is_reversed { (at, start) } else { (start, at) };
            let before: BitSet = order.between(before.0, before.1).collect();
            docs.for_each(|slot| {
                let list = if before.has(slot) { &mut passed } else { &mut ahead };
                list.push(docs.segment.address(slot));
            });
        }
        prop_assert_eq!(passed.len(), skip - merge.skip);
        let first = |address: &DocAddress| compare.doc(*address);
        for a in &passed {
            for b in ahead.iter().step_by(7) {
                prop_assert!(compare.first(first(a), first(b)).is_le());
            }
        }
    }

    #[test]
    fn a_scan_hands_on_what_a_sort_does(
        body in body(),
        sort in sort(),
        count in prop_oneof![1..60_u32, 900..1400_u32],
        left in prop_oneof![Just(u64::MAX), 0..4000_u64],
        wanted in prop_oneof![Just(usize::MAX), 1..400_usize],
    ) {
        let (index, query, pool) = (index(count), asked(body, &sort), Pool::lasting("test", 1));
        let plan = Plan::new(query.clauses(), query.filter(), &index, &pool);
        let keys = query.order().keys();
        let compare = Compare::new(&plan, &keys[..1]).unwrap();
        for found in &execute::in_segments(&plan).found {
            let SegmentMatches { segment, .. } = found;
            let docs = DocSet::of(&plan, found);
            let mut right = Vec::new();
            docs.for_each(|slot| right.push(slot));
            right.sort_by(|a, b| compare.as_kept(segment.doc(*a), segment.doc(*b)));
            right.truncate(wanted);
            for is_first in [false, true] {
                let mut cursor = Cursor::new(docs);
                cursor.open(&compare, wanted, is_first);
                cursor.limit_to(left);
                let mut own = Vec::new();
                while own.len() < right.len() {
                    if cursor.is_spent() {
                        cursor.gather_rest(&compare, wanted - own.len().min(wanted));
                    }
                    match cursor.next(None) {
                        Step::Match(slot) => own.push(slot),
                        Step::Paused(_) => {}
                        Step::End => break,
                    }
                }
                prop_assert_eq!(&own, &right);
            }
        }
    }
}
