//! Each operation on each form of matches, beside a plain bit set.

use proptest::prelude::*;
use proptest::sample::Index as Pick;

use super::*;
use crate::index::{Column, Index};
use crate::query::made::{index, query};
use crate::query::plan::Plan;
use crate::query::signature_docs::live_docs;
use crate::threads::Pool;

/// What is chosen of a segment.
#[derive(Clone, Debug)]
struct Choice {
    field: usize,
    ends: [Pick; 2],
    slots: Vec<Pick>,
    group: Option<u64>,
}

fn choice() -> impl Strategy<Value = Choice> {
    let slots = prop::collection::vec(any::<Pick>(), 0..40);
    (0..Field::ALL.len(), any::<[Pick; 2]>(), slots, any::<Option<u64>>())
        .prop_map(|(field, ends, slots, group)| Choice { field, ends, slots, group })
}

/// The slots between two values of an order, both included, that have one.
fn interval(index: &Index, segment: &Segment, field: Field, ends: [Pick; 2]) -> Option<Interval> {
    let (catalog, order) = (index.catalog(), segment.order(field));
    let end = segment.present_end(catalog, field);
    let width = order.distance(order.start(), end);
    if width == 0 {
        return None;
    }
    let mut ends = ends.map(|own| own.index(width));
    ends.sort_unstable();
    let [first, last] = ends.map(|at| order.get(order.on(order.start(), at)).unwrap());
    let compare = |slot: u16, own: u16| field.compare(catalog, segment.doc(slot), segment.doc(own));
    let from = order.lower(|slot| compare(slot, first));
    let to = order.lower(|slot| compare(slot, last).then(std::cmp::Ordering::Less));
    Interval::new(segment, field, (from, to))
}

fn slots_of(interval: &Interval, segment: &Segment) -> BitSet {
    segment.order(interval.field).between(interval.from, interval.to).collect()
}

/// Each form that matches of a plan may have in a segment, and which slots that is.
fn forms<'i>(plan: &Plan<'i>, segment: &'i Segment, choice: &Choice) -> Vec<(Form<'i>, BitSet)> {
    let has = |slot: &u16| plan.signatures.has(segment.signature(*slot));
    let left: BitSet = live_docs(segment).iter().filter(has).collect();
    let all: Vec<u16> = left.iter().collect();
    let mut forms = Vec::new();
    if let Some(rest) = &plan.rest {
        let right = rest.docs(plan.context(segment));
        forms.push((Form::Counted(OnceCell::new()), right));
        return forms;
    }
    if let Some(text) = &plan.text {
        let right = left.iter().filter(|slot| text.is_in(segment.row(*slot))).collect();
        forms.push((Form::TwoPhase { most: 0 }, right));
        return forms;
    }
    if !all.is_empty() {
        let mut some: Vec<u16> = choice.slots.iter().map(|own| *own.get(&all)).collect();
        some.sort_unstable();
        some.dedup();
        let set: BitSet = some.iter().copied().collect();
        forms.push((Form::Bitmap(set.clone()), set.clone()));
        forms.push((Form::Slots(some), set));
    }
    if plan.halves == (true, false) && plan.halves_say_all {
        let list = segment.lists().queues.get(0).map(|list| list.unresolved());
        let has_queue = |slot: &u16| {
            let queues = plan.index.catalog().queue_sets.get(segment.row(*slot).queues);
            queues.contains(&0)
        };
        let right = left.iter().filter(has_queue).collect();
        forms.extend(list.map(|list| (Form::Postings(list), right)));
    }
    let field = Field::ALL[choice.field];
    if let Some(own) = interval(plan.index, segment, field, choice.ends) {
        let mut right = left.clone();
        right.intersect(&slots_of(&own, segment));
        forms.push((Form::Range(own), right));
    }
    forms.push((Form::Signatures, left));
    forms
}

/// Holds every operation against the slots that it should tell.
fn check(docs: DocSet<'_>, right: &BitSet, choice: &Choice, other: &Choice) {
    let (index, segment) = (docs.plan.index, docs.segment);
    let mut listed = BitSet::default();
    docs.for_each(|slot| {
        assert!(!listed.has(slot), "{slot} twice");
        listed.insert(slot);
    });
    assert_eq!(&listed, right, "{docs:?}");
    let count = right.len() as u64;
    assert_eq!(docs.count(), count);
    assert!(docs.at_most() >= count && docs.looked_at() >= count);
    for field in Field::ALL {
        let order = segment.order(field);
        let (from, to) = docs.bounds(field);
        let within: BitSet = order.between(from, to).collect();
        assert!(right.iter().all(|slot| within.has(slot)), "{field:?}");
        assert!(docs.width(field) >= count);
        for walked in [0, u64::MAX / WALKED_ROW] {
            let test = docs.test_along(field, walked);
            assert!(within.iter().all(|slot| test.has(slot) == right.has(slot)), "{field:?}");
            for part in order.parts(from, to) {
                let first = part.slots().iter().position(|slot| right.has(*slot));
                assert_eq!(test.position(&part), first, "{field:?}");
            }
        }
        if let Some(mask) = docs.run_mask(field) {
            for part in order.parts(from, to) {
                let pairs = part.slots().iter().zip(part.codes());
                pairs.for_each(|(slot, code)| {
                    assert_eq!(mask.codes().has(*code), right.has(*slot));
                });
            }
        }
        let width = order.distance(from, to);
        if width > 0 {
            let mut ends = choice.ends.map(|own| order.on(from, own.index(width)));
            ends.sort_unstable();
            let between = order.between(ends[0], ends[1]).filter(|slot| right.has(*slot)).count();
            assert_eq!(docs.counts_along(field).between(ends[0], ends[1]), between, "{field:?}");
        }
        if let Some(own) = interval(index, segment, field, other.ends) {
            let mut both = right.clone();
            both.intersect(&slots_of(&own, segment));
            let found = docs.within(own);
            let slots = found.as_ref().map(|found| {
                assert_eq!(found.count, both.len() as u64);
                DocSet::of(docs.plan, found).of_group(docs.group).to_set()
            });
            assert_eq!(slots.unwrap_or_default(), both, "{field:?}");
        }
    }
}

/// How many matches have each signature that is left.
fn check_codes(docs: DocSet<'_>, right: &BitSet) {
    let length = docs.plan.index.signatures().len();
    let mut counts = vec![0; length.min(MAX_COUNTED) + 1];
    let mut others = vec![0; length];
    docs.count_codes(&mut counts, |signature| others[signature as usize] += 1);
    for signature in docs.plan.signatures.iter() {
        let has = |slot: &u16| docs.segment.signature(*slot) == signature;
        let right = right.iter().filter(has).count();
        let own = match (signature as usize) < MAX_COUNTED {
            true => counts[signature as usize],
            false => others[signature as usize],
        };
        assert_eq!(own as usize, right, "{signature}");
    }
}

proptest! {
    #[test]
    fn each_form_does_what_a_bit_set_does(
        body in prop::sample::select(vec![
            "{}",
            r#"{"unresolved":true}"#,
            r#"{"status":["closed","on hold"]}"#,
            r#"{"unassigned":true,"priority":["high"]}"#,
            r#"{"searchText":"parcel"}"#,
            r#"{"searchText":"late","status":["open"]}"#,
            r#"{"filter":{"not":{"queue":{"in":["a"]}}}}"#,
            r#"{"filter":{"or":[{"queue":{"in":["a"]}},{"assignee":{"in":["x"]}}]}}"#,
        ]),
        count in 1..300_u32,
        choice in choice(),
        other in choice(),
    ) {
        let (index, query) = (index(count), query(body));
        let pool = Pool::lasting("test", 1);
        let plan = Plan::new(query.clauses(), query.filter(), &index, &pool);
        let some = |bits: u64| {
            let values = (0..64).filter(|value| bits >> value & 1 == 1);
            let values = values.filter(|value| *value < index.catalog().statuses.len() as Ordinal);
            let mut set = index.signature_sets().any(Column::Status, values);
            set.intersect(plan.signatures.set());
            Signatures::of(set, index.signatures().len())
        };
        let group = choice.group.map(some);
        for segment in index.segments().iter() {
            for (form, right) in forms(&plan, segment, &choice) {
                let found = SegmentMatches { segment, count: right.len() as u64, form };
                let docs = DocSet::of(&plan, &found);
                check(docs, &right, &choice, &other);
                check_codes(docs, &right);
                if let Some(group) = &group {
                    let has = |slot: &u16| group.has(segment.signature(*slot));
                    let right = right.iter().filter(has).collect();
                    check(docs.of_group(Some(group)), &right, &choice, &other);
                }
            }
        }
    }
}

/// A search looks at slots one by one while that is less than listing the matches, and then lists
/// them: it never costs much more than that.
#[test]
fn a_search_that_goes_on_lists_the_matches() {
    let (index, query) = (index(20_000), query("{}"));
    let pool = Pool::lasting("test", 1);
    let plan = Plan::new(query.clauses(), None, &index, &pool);
    let segment = index.segments().iter().next().unwrap();
    let order = segment.order(Field::Due);
    let range = (order.start(), segment.present_end(index.catalog(), Field::Due));
    let interval = Interval::new(segment, Field::Due, range).unwrap();
    let count = interval.len(segment);
    let found = SegmentMatches { segment, count, form: Form::Range(interval) };
    let counts = DocSet::of(&plan, &found).counts_along(Field::Name);
    let order = segment.order(Field::Name);
    let next = |at| order.on(at, 8.min(order.distance(at, order.end())));
    let (mut at, mut looks, mut all) = (order.start(), Vec::new(), 0);
    while at < order.end() {
        all += counts.between(at, next(at)) as u64;
        at = next(at);
        looks.push(counts.counting.borrow().test.as_ref().unwrap().asks_row());
    }
    assert_eq!(all, count);
    let alone = looks.iter().filter(|asks_row| **asks_row).count() as u64 * 8;
    let listed = count * (LISTED_SLOT + INSERT);
    assert_eq!(looks[0], listed >= 2 * 8 * WALKED_ROW);
    assert!(alone * WALKED_ROW <= listed, "{alone} of {count}");
}
