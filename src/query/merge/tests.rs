//! Scans, the search for a rank and whole pages, beside a plain sort.

use proptest::prelude::*;

use super::*;
use crate::case::Case;
use crate::contract::{Query, SortField};
use crate::index::{BitSet, Change};
use crate::query::after::{After, last_seen};
use crate::query::docset::{Form, SegmentMatches};
use crate::query::made::{index, index_of, query};
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
            let ranges = cursor.scan.as_ref().map(Scan::passed).into_iter().flatten();
            let ranges = ranges.filter(|(from, to)| from < to);
            let before: BitSet = ranges.flat_map(|(from, to)| order.between(from, to)).collect();
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

    /// Names whose keys say nothing, of which few are wanted or all.
    #[test]
    fn equal_keys_are_sorted_by_values(
        sort in prop::sample::select(vec!["name", "-name", "-refId", "dueDate", "-dueDate"]),
        tail in prop::sample::select(vec!["", r#","priority""#]),
        names in prop::collection::vec(0..9_usize, 1..400),
        every in 1..5_usize,
        wanted in prop_oneof![Just(usize::MAX), 1..300_usize],
    ) {
        let index = index_of(names.iter().enumerate().map(named).collect());
        let query = query(&format!(r#"{{"sortBy":["{sort}"{tail}]}}"#));
        let pool = Pool::lasting("test", 1);
        let plan = Plan::new(query.clauses(), query.filter(), &index, &pool);
        let compare = Compare::new(&plan, query.order().keys()).unwrap();
        for segment in index.segments().iter() {
            let some: BitSet = (0..segment.slots() as u16).step_by(every).collect();
            let (count, form) = (some.len() as u64, Form::Bitmap(some));
            let found = SegmentMatches { segment, count, form };
            let docs = DocSet::of(&plan, &found);
            let mut right = Vec::new();
            docs.for_each(|slot| right.push(slot));
            right.sort_by(|a, b| compare.as_kept(segment.doc(*a), segment.doc(*b)));
            let mut run = SortedRun::gather(&compare, &docs, wanted, None);
            let mut own = Vec::new();
            while let Step::Match(slot) = run.next() {
                own.push(slot);
            }
            prop_assert!(own.len() >= wanted.min(right.len()));
            if compare.has_kept_tail {
                right.truncate(wanted);
                prop_assert_eq!(own, right);
                continue;
            }
            // Equal ones may stand in any order, and none of the last ones is left out.
            let equal = |a: u16, b: u16| compare.first(segment.doc(a), segment.doc(b)).is_eq();
            prop_assert!(own.iter().zip(&right).all(|(a, b)| equal(*a, *b)));
            let next = right.get(own.len());
            prop_assert!(next.is_none_or(|next| !equal(*next, own[own.len() - 1])));
        }
    }
}

/// A case with a name that begins as others do, or with none.
fn named((at, name): (usize, &usize)) -> Change {
    let name = match name {
        0 => "null".to_owned(),
        1 => r#""""#.to_owned(),
        2 => r#""another""#.to_owned(),
        // Its key is the least one, and against the order that of none.
        3 => r#""\u0000""#.to_owned(),
        name => format!(r#""incident {}""#, name % 5),
    };
    let case = format!(
        r#"{{"_id":"c{at}","name":{name},"refId":{name},"dueDate":{due},"createdAt":{created}}}"#,
        due = ["null", "1500", "1600"][at % 3],
        created = at * 7919 % 1009,
    );
    Change::Upsert(Box::new(Case::from_json(case.as_bytes()).unwrap()))
}
