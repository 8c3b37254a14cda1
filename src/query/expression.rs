//! What a filter asks beyond the one conjunction that a plan is: a tree in negation normal form.
//!
//! It is evaluated a segment at a time: an `And` begins with its cheapest part and lets each other
//! one restrict what is left, by testing the slots or by listing its own, whichever costs less; an
//! `Or` unites. Each part is begun only while there is time: past a query's deadline sets are
//! whatever they are by then, and nobody may use them. Useful for any nesting of any fields. Not
//! for what a plan knows by itself: its signatures, ranges, lists and text lead a scan, and need no
//! set.

use super::cost::JOIN;
use super::predicate::{Estimate, Predicate, tested};
use super::segment_context::SegmentContext;
use super::signature_docs::live_docs;
use crate::index::BitSet;

/// A bound filter.
#[derive(Debug)]
pub(super) enum Expression<'i> {
    /// Each of these; by what a test costs, the cheapest first. Never empty.
    And(Vec<Self>),
    /// Any of these; as above.
    Or(Vec<Self>),
    Leaf(Predicate<'i>),
    Not(Predicate<'i>),
}

impl<'i> Expression<'i> {
    /// One of some parts is itself; those of several are in the order of what a test costs.
    pub(super) fn of_parts(is_and: bool, mut parts: Vec<Self>) -> Self {
        parts.sort_by_cached_key(Self::test_cost);
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            last => {
                parts.extend(last);
                if is_and { Self::And(parts) } else { Self::Or(parts) }
            }
        }
    }

    /// What it costs to test a slot at most.
    pub(super) fn test_cost(&self) -> u64 {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::test_cost).sum(),
            Self::Leaf(leaf) | Self::Not(leaf) => leaf.test_cost(),
        }
    }

    /// How many live slots of a segment are as asked, where lists and positions tell without going
    /// through any.
    pub(super) fn count(&self, context: SegmentContext<'_>) -> Option<u64> {
        let others = |count: u64| u64::from(context.segment.live()) - count;
        match self {
            Self::Leaf(leaf) => leaf.count(context),
            Self::Not(leaf) => leaf.count(context).map(others),
            Self::Or(parts) if let [Self::Leaf(one), Self::Leaf(other)] = &parts[..] => {
                united_count(one, other, context)
            }
            Self::And(parts) if let [Self::Not(one), Self::Not(other)] = &parts[..] => {
                united_count(one, other, context).map(others)
            }
            Self::And(_) | Self::Or(_) => None,
        }
    }

    /// How many slots of a segment are as asked at most, and what it costs to list them.
    pub(super) fn estimate(&self, context: SegmentContext<'_>) -> Estimate {
        let live = u64::from(context.segment.live());
        match self {
            Self::And(parts) | Self::Or(parts) => {
                let is_and = matches!(self, Self::And(_));
                let mut all = Estimate { slots: if is_and { live } else { 0 }, cost: 0 };
                for Estimate { slots, cost } in parts.iter().map(|part| part.estimate(context)) {
                    let slots = if is_and { all.slots.min(slots) } else { all.slots + slots };
                    all = Estimate { slots: slots.min(live), cost: all.cost + cost + JOIN };
                }
                all
            }
            Self::Leaf(leaf) => leaf.estimate(context),
            Self::Not(leaf) => Estimate { slots: live, ..leaf.estimate(context) },
        }
    }

    /// Whether a live slot is as asked.
    pub(super) fn has(&self, context: SegmentContext<'_>, slot: u16) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.has(context, slot)),
            Self::Or(parts) => parts.iter().any(|part| part.has(context, slot)),
            Self::Leaf(leaf) => leaf.has(context, slot),
            Self::Not(leaf) => !leaf.has(context, slot),
        }
    }

    /// The live slots that are as asked.
    pub(super) fn docs(&self, context: SegmentContext<'_>) -> BitSet {
        match self {
            Self::And(parts) => {
                let mut parts: Vec<&Self> = parts.iter().collect();
                parts.sort_by_cached_key(|part| part.estimate(context).cost);
                let mut parts = parts.into_iter();
                let mut set = parts.next().map(|part| part.docs(context)).unwrap_or_default();
                in_time(context, parts).for_each(|part| part.restrict(context, &mut set));
                set
            }
            Self::Or(parts) => {
                let mut parts = parts.iter();
                let mut set = parts.next().map(|part| part.docs(context)).unwrap_or_default();
                in_time(context, parts).for_each(|part| part.extend(context, &mut set));
                set
            }
            Self::Leaf(leaf) => leaf.docs(context),
            Self::Not(leaf) => {
                let mut set = live_docs(context.segment);
                set.subtract(&leaf.docs(context));
                set
            }
        }
    }

    /// Leaves of some live slots those that are as asked. Cost: a test of each, or the list of its
    /// own, whichever is less.
    pub(super) fn restrict(&self, context: SegmentContext<'_>, set: &mut BitSet) {
        let count = set.len() as u64;
        if count * self.test_cost() <= self.estimate(context).cost {
            *set = tested(context, set, |slot| self.has(context, slot));
            return;
        }
        match self {
            Self::And(parts) => {
                in_time(context, parts.iter()).for_each(|part| part.restrict(context, set));
            }
            Self::Not(leaf) => _ = set.subtract(&leaf.docs(context)),
            Self::Or(_) | Self::Leaf(_) => _ = set.intersect(&self.docs(context)),
        }
    }

    /// Adds to some live slots those that are as asked. Cost: as above, of those that are not
    /// among them.
    fn extend(&self, context: SegmentContext<'_>, set: &mut BitSet) {
        let others = u64::from(context.segment.live()).saturating_sub(set.len() as u64);
        if others * self.test_cost() <= self.estimate(context).cost {
            let mut left = live_docs(context.segment);
            left.subtract(set);
            set.unite(&tested(context, &left, |slot| self.has(context, slot)));
            return;
        }
        match self {
            Self::Or(parts) => {
                in_time(context, parts.iter()).for_each(|part| part.extend(context, set));
            }
            _ => _ = set.unite(&self.docs(context)),
        }
    }
}

/// Parts, for as long as the query has time.
fn in_time<T>(
    context: SegmentContext<'_>,
    parts: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    parts.take_while(move |_| !context.meter.is_over())
}

/// How many live slots of a segment pass one of two tests, where their lists tell.
fn united_count(
    one: &Predicate<'_>,
    other: &Predicate<'_>,
    context: SegmentContext<'_>,
) -> Option<u64> {
    let shared = one.shared_count(other, context.segment)?;
    Some(one.count(context)? + other.count(context)? - shared)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::{Clause, Condition, Context, Query};
    use crate::query::binding::{Binder, Bound};
    use crate::query::made::index;
    use crate::query::meter::Meter;

    fn leaf() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            r#"{"status":{"in":["open","on hold"]}}"#,
            r#"{"status":{"exists":false}}"#,
            r#"{"unresolved":true}"#,
            r#"{"unassigned":true}"#,
            r#"{"priorityScore":{"gte":3}}"#,
            r#"{"channel":{"in":"ch1"}}"#,
            r#"{"queue":{"in":["b"]}}"#,
            r#"{"queue":{"exists":true}}"#,
            r#"{"assignee":{"in":["x","y"]}}"#,
            r#"{"assignee":{"exists":true}}"#,
            r#"{"text":{"contains":"parcel"}}"#,
            r#"{"text":{"contains":"late"}}"#,
            r#"{"text":{"exists":true}}"#,
            r#"{"name":{"startsWith":"late"}}"#,
            r#"{"created":{"gt":1000}}"#,
            r#"{"created":{"exists":true}}"#,
            r#"{"due":{"on":1500}}"#,
            r#"{"updated":{"exists":true}}"#,
            r#"{"refId":{"in":["r1","r2"]}}"#,
            r#"{"refId":{"startsWith":" "}}"#,
            r#"{"_id":{"in":["c1","c5","c77","none"]}}"#,
            r#"{"_id":{"startsWith":"c1"}}"#,
        ])
        .prop_map(str::to_owned)
    }

    fn tree() -> impl Strategy<Value = String> {
        leaf().prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4)
                    .prop_map(|parts| format!(r#"{{"and":[{}]}}"#, parts.join(","))),
                prop::collection::vec(inner.clone(), 1..4)
                    .prop_map(|parts| format!(r#"{{"or":[{}]}}"#, parts.join(","))),
                inner.prop_map(|inner| format!(r#"{{"not":{inner}}}"#)),
            ]
        })
    }

    fn query(filter: &str) -> Query {
        let body = format!(r#"{{"filter":{filter}}}"#);
        Query::from_json(body.as_bytes(), &Context::default()).unwrap()
    }

    /// Whether a slot is as a condition asks, clause by clause.
    fn holds(condition: &Condition, context: SegmentContext<'_>, slot: u16) -> bool {
        match condition {
            Condition::And(parts) => parts.iter().all(|part| holds(part, context, slot)),
            Condition::Or(parts) => parts.iter().any(|part| holds(part, context, slot)),
            Condition::Not(inner) => !holds(inner, context, slot),
            Condition::Clause(clause) => {
                let SegmentContext { index, meter, .. } = context;
                let own = Bound::of_clause(clause, index).resolved(Binder { index, meter });
                own.has(context, slot)
            }
        }
    }

    /// Whether only leaves have a complement, and signatures stand nowhere but in one leaf of a
    /// node.
    fn is_folded(expression: &Expression<'_>) -> bool {
        let is_set =
            |part: &Expression<'_>| matches!(part, Expression::Leaf(Predicate::Signatures(_)));
        match expression {
            Expression::And(parts) | Expression::Or(parts) => {
                let is_and = matches!(expression, Expression::And(_));
                let is_alike = |part: &Expression<'_>| match part {
                    Expression::And(_) => is_and,
                    Expression::Or(_) => !is_and,
                    _ => false,
                };
                parts.len() > 1
                    && parts.iter().filter(|part| is_set(part)).count() < 2
                    && parts.iter().all(|part| !is_alike(part) && is_folded(part))
            }
            Expression::Leaf(_) => true,
            Expression::Not(leaf) => !matches!(leaf, Predicate::Signatures(_)),
        }
    }

    proptest! {
        #[test]
        fn slots_are_listed_tested_restricted_and_added_alike(
            filter in tree(),
            count in 1..200_u32,
            some in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let index = index(count);
            let query = query(&filter);
            let condition = query.filter().unwrap();
            let meter = Meter::default();
            let binder = Binder { index: &index, meter: &meter };
            for is_negated in [false, true] {
                let own = Bound::of(condition, is_negated, binder).resolved(binder);
                prop_assert!(is_folded(&own), "{filter}: {own:?}");
                for segment in index.segments().iter() {
                    let context = SegmentContext { index: &index, segment, meter: &meter };
                    let live = live_docs(segment);
                    let is_right = |slot: &u16| holds(condition, context, *slot) != is_negated;
                    let right: BitSet = live.iter().filter(is_right).collect();
                    prop_assert_eq!(&own.docs(context), &right, "{}", filter);
                    prop_assert!(own.estimate(context).slots >= right.len() as u64, "{}", filter);
                    if let Some(count) = own.count(context) {
                        prop_assert_eq!(count, right.len() as u64, "{}", filter);
                    }
                    prop_assert!(live.iter().all(|slot| own.has(context, slot) == right.has(slot)));
                    let mut set: BitSet =
                        some.iter().map(|own| u16::from(*own)).filter(|s| live.has(*s)).collect();
                    let (mut less, mut more) = (right.clone(), right);
                    less.intersect(&set);
                    more.unite(&set);
                    let mut restricted = set.clone();
                    own.restrict(context, &mut restricted);
                    prop_assert_eq!(restricted, less, "{}", filter);
                    own.extend(context, &mut set);
                    prop_assert_eq!(set, more, "{}", filter);
                }
            }
        }
    }

    #[test]
    fn any_nesting_of_signature_fields_is_one_set() {
        let index = index(60);
        let filter = r#"{"or":[{"not":{"or":[{"status":{"in":["open"]}},{"unassigned":true}]}},
            {"and":[{"priorityScore":{"lt":9}},{"not":{"channel":{"in":["ch1"]}}}]}]}"#;
        let query = query(filter);
        let binder = Binder { index: &index, meter: &Meter::default() };
        let own = Bound::of(query.filter().unwrap(), false, binder).resolved(binder);
        assert!(matches!(own, Expression::Leaf(Predicate::Signatures(_))), "{own:?}");
        // What all signatures have, or none, leaves nothing to be asked.
        let all = r#"{"or":[{"unresolved":true},{"unresolved":false},{"queue":{"in":"a"}}]}"#;
        let query = self::query(all);
        match Bound::of(query.filter().unwrap(), false, binder).resolved(binder) {
            Expression::Leaf(Predicate::Signatures(own)) => assert!(own.is_all),
            other => panic!("{other:?}"),
        }
        let own = Bound::of_clause(&Clause::Unresolved, &index).resolved(binder);
        assert!(matches!(own, Expression::Leaf(Predicate::Signatures(own)) if !own.is_all));
    }
}
