//! What a filter asks beyond the one conjunction that a plan is: a tree in negation normal form.
//!
//! Subtrees over signature fields are folded to one set of signatures when they are bound, whatever
//! their nesting. What stays is evaluated a segment at a time: an `And` begins with its cheapest
//! part and lets each other one restrict what is left, by testing the slots or by listing its own,
//! whichever costs less; an `Or` unites. Useful for any nesting of any fields. Not for what a plan
//! knows by itself: its signatures, ranges, lists and text lead a scan, and need no set.

use super::cost::JOIN;
use super::leaf::{Estimate, Leaf, Scope};
use super::signature_docs::live_docs;
use crate::contract::Condition;
use crate::index::{BitSet, Index, SignatureSet};

/// A bound filter.
#[derive(Debug)]
pub(super) enum Expression<'i> {
    /// Each of these; by what a test costs, the cheapest first. Never empty.
    And(Vec<Self>),
    /// Any of these; as above.
    Or(Vec<Self>),
    Leaf(Leaf<'i>),
    Not(Leaf<'i>),
}

impl<'i> Expression<'i> {
    /// Binds a condition, or its complement, to a catalog. Cost: the values that are asked, and
    /// the signatures that have them. A condition is at most 16 deep.
    pub(super) fn of(condition: &Condition, is_negated: bool, index: &'i Index) -> Self {
        match condition {
            Condition::Not(inner) => Self::of(inner, !is_negated, index),
            Condition::And(parts) | Condition::Or(parts) => {
                let is_and = matches!(condition, Condition::And(_)) != is_negated;
                let parts = parts.iter().map(|part| Self::of(part, is_negated, index));
                Self::join(is_and, parts.collect(), index)
            }
            Condition::Clause(clause) => match Leaf::of(clause, index) {
                Leaf::Signatures(own) if is_negated => {
                    let mut set = SignatureSet::up_to(index.signatures().len());
                    set.subtract(own.set());
                    Self::Leaf(Leaf::signatures(set, index))
                }
                leaf if is_negated => Self::Not(leaf),
                leaf => Self::Leaf(leaf),
            },
        }
    }

    /// Holds where each of some does; nothing where there are none.
    pub(super) fn all(parts: Vec<Self>, index: &'i Index) -> Option<Self> {
        (!parts.is_empty()).then(|| Self::join(true, parts, index))
    }

    /// Joins parts by one operator; those of the same operator within it are its own, and all that
    /// signatures tell becomes one set.
    fn join(is_and: bool, mut open: Vec<Self>, index: &'i Index) -> Self {
        let all = index.signatures().len();
        let mut set: Option<SignatureSet> = None;
        let mut parts = Vec::new();
        while let Some(part) = open.pop() {
            match part {
                Self::And(inner) if is_and => open.extend(inner),
                Self::Or(inner) if !is_and => open.extend(inner),
                Self::Leaf(Leaf::Signatures(own)) => match &mut set {
                    Some(set) if is_and => set.intersect(own.set()),
                    Some(set) => set.unite(own.set()),
                    None => set = Some(own.set().clone()),
                },
                part => parts.push(part),
            }
        }
        if let Some(set) = set {
            // All signatures ask nothing of an `And`, and none leave nothing; of an `Or` it is the
            // other way round.
            let (is_idle, decides) = if is_and {
                (set.len() == all, set.is_empty())
            } else {
                (set.is_empty(), set.len() == all)
            };
            if decides || parts.is_empty() {
                return Self::Leaf(Leaf::signatures(set, index));
            }
            if !is_idle {
                parts.push(Self::Leaf(Leaf::signatures(set, index)));
            }
        }
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

    /// How many slots of a segment are as asked at most, and what it costs to list them.
    pub(super) fn estimate(&self, scope: Scope<'_>) -> Estimate {
        let live = u64::from(scope.segment.live());
        match self {
            Self::And(parts) | Self::Or(parts) => {
                let is_and = matches!(self, Self::And(_));
                let mut all = Estimate { slots: if is_and { live } else { 0 }, cost: 0 };
                for Estimate { slots, cost } in parts.iter().map(|part| part.estimate(scope)) {
                    let slots = if is_and { all.slots.min(slots) } else { all.slots + slots };
                    all = Estimate { slots: slots.min(live), cost: all.cost + cost + JOIN };
                }
                all
            }
            Self::Leaf(leaf) => leaf.estimate(scope),
            Self::Not(leaf) => Estimate { slots: live, ..leaf.estimate(scope) },
        }
    }

    /// Whether a live slot is as asked.
    pub(super) fn has(&self, scope: Scope<'_>, slot: u16) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.has(scope, slot)),
            Self::Or(parts) => parts.iter().any(|part| part.has(scope, slot)),
            Self::Leaf(leaf) => leaf.has(scope, slot),
            Self::Not(leaf) => !leaf.has(scope, slot),
        }
    }

    /// The live slots that are as asked.
    pub(super) fn docs(&self, scope: Scope<'_>) -> BitSet {
        match self {
            Self::And(parts) => {
                let mut parts: Vec<&Self> = parts.iter().collect();
                parts.sort_by_cached_key(|part| part.estimate(scope).cost);
                let mut parts = parts.into_iter();
                let mut set = parts.next().map(|part| part.docs(scope)).unwrap_or_default();
                parts.for_each(|part| part.restrict(scope, &mut set));
                set
            }
            Self::Or(parts) => {
                let mut parts = parts.iter();
                let mut set = parts.next().map(|part| part.docs(scope)).unwrap_or_default();
                parts.for_each(|part| part.extend(scope, &mut set));
                set
            }
            Self::Leaf(leaf) => leaf.docs(scope),
            Self::Not(leaf) => {
                let mut set = live_docs(scope.segment);
                set.subtract(&leaf.docs(scope));
                set
            }
        }
    }

    /// Leaves of some live slots those that are as asked. Cost: a test of each, or the list of its
    /// own, whichever is less.
    pub(super) fn restrict(&self, scope: Scope<'_>, set: &mut BitSet) {
        let count = set.len() as u64;
        if count * self.test_cost() <= self.estimate(scope).cost {
            scope.meter.examine(count as usize);
            let failed: Vec<u16> = set.iter().filter(|slot| !self.has(scope, *slot)).collect();
            failed.into_iter().for_each(|slot| set.remove(slot));
            return;
        }
        match self {
            Self::And(parts) => parts.iter().for_each(|part| part.restrict(scope, set)),
            Self::Not(leaf) => _ = set.subtract(&leaf.docs(scope)),
            Self::Or(_) | Self::Leaf(_) => _ = set.intersect(&self.docs(scope)),
        }
    }

    /// Adds to some live slots those that are as asked. Cost: as above, of those that are not
    /// among them.
    fn extend(&self, scope: Scope<'_>, set: &mut BitSet) {
        let others = u64::from(scope.segment.live()).saturating_sub(set.len() as u64);
        if others * self.test_cost() <= self.estimate(scope).cost {
            scope.meter.examine(others as usize);
            let mut left = live_docs(scope.segment);
            left.subtract(set);
            left.each(|slot| {
                if self.has(scope, slot) {
                    set.insert(slot);
                }
            });
            return;
        }
        match self {
            Self::Or(parts) => parts.iter().for_each(|part| part.extend(scope, set)),
            _ => _ = set.unite(&self.docs(scope)),
        }
    }
}
