//! The segments of a scope by their best keys.
//!
//! Useful for a merge that opens a segment only when its turn comes, and for the segments that a
//! range of dates meets: neither looks at the others, however many there are. Not for what a
//! segment holds.

use std::sync::Arc;

use super::catalog::Field;
use super::collections::ARC;
use super::segment::MinMaxKeys;

/// A segment and the best key in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Zone {
    pub(crate) key: u64,
    pub(crate) segment: u32,
}

/// How many lists there are: one for each field and direction.
const LISTS: usize = Field::ALL.len() * 2;

/// For each field and direction every segment, the best key first. A clone costs one pointer.
#[derive(Clone, Debug, Default)]
pub(crate) enum ZoneMap {
    #[default]
    None,
    /// The first segment alone, by list.
    One(Arc<[Zone; LISTS]>),
    Many(Arc<[Arc<Vec<Zone>>; LISTS]>),
}

fn list(field: Field, is_reversed: bool) -> usize {
    field as usize * 2 + usize::from(is_reversed)
}

impl ZoneMap {
    /// The segments by the best key of a field, in its kept direction or the other one.
    pub(crate) fn by(&self, field: Field, is_reversed: bool) -> &[Zone] {
        let list = list(field, is_reversed);
        match self {
            Self::None => &[],
            Self::One(own) => std::slice::from_ref(&own[list]),
            Self::Many(lists) => &lists[list],
        }
    }

    /// The segments of which some key may lie within bounds, both included, and perhaps others.
    pub(crate) fn within(&self, field: Field, first: u64, last: u64) -> &[Zone] {
        let until = |is_reversed: bool, bound: u64| {
            let zones = self.by(field, is_reversed);
            &zones[..zones.partition_point(|zone| zone.key <= bound)]
        };
        let (one, other) = (until(false, last), until(true, !first));
        if one.len() <= other.len() { one } else { other }
    }

    /// Adds an empty segment, whose number is that of those before it.
    pub(super) fn add(&mut self, segment: u32) {
        let empty = Zone { key: MinMaxKeys::EMPTY.best(false), segment };
        match self {
            Self::None => *self = Self::One(Arc::new([empty; LISTS])),
            Self::One(own) => {
                let lists = own.map(|own| Arc::new(vec![own, empty]));
                *self = Self::Many(Arc::new(lists));
            }
            Self::Many(lists) => {
                let lists = Arc::make_mut(lists).iter_mut();
                // No key is greater, and no segment's number.
                lists.for_each(|list| Arc::make_mut(list).push(empty));
            }
        }
    }

    /// Notes a segment's ends, in the place of those noted before. Cost grows with the segments,
    /// some nanoseconds for many.
    pub(super) fn note(&mut self, field: Field, segment: u32, ends: MinMaxKeys) {
        for is_reversed in [false, true] {
            let zone = Zone { key: ends.best(is_reversed), segment };
            let known = self.by(field, is_reversed).iter().position(|own| own.segment == segment);
            let Some(known) = known else { continue };
            if self.by(field, is_reversed)[known] == zone {
                continue;
            }
            match self {
                Self::None => {}
                Self::One(own) => Arc::make_mut(own)[list(field, is_reversed)] = zone,
                Self::Many(lists) => {
                    let zones = &mut Arc::make_mut(lists)[list(field, is_reversed)];
                    let zones = Arc::make_mut(zones);
                    zones.remove(known);
                    let at = zones.partition_point(|other| *other < zone);
                    zones.insert(at, zone);
                }
            }
        }
    }

    /// Bytes that are allocated. Cost: none that grows but by the number of lists.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => ARC + size_of::<[Zone; LISTS]>(),
            Self::Many(lists) => {
                let list = |list: &Arc<Vec<Zone>>| {
                    ARC + size_of::<Vec<Zone>>() + list.capacity() * size_of::<Zone>()
                };
                ARC + size_of::<[usize; LISTS]>() + lists.iter().map(list).sum::<usize>()
            }
        }
    }

    /// Checks the lists against the segments' ends.
    pub(super) fn validate(&self, ends: impl Fn(Field) -> Vec<MinMaxKeys>) -> Result<(), String> {
        for field in Field::ALL {
            for is_reversed in [false, true] {
                let ends = ends(field).into_iter().zip(0..);
                let mut right: Vec<_> = ends
                    .map(|(ends, segment)| Zone { key: ends.best(is_reversed), segment })
                    .collect();
                right.sort_unstable();
                if self.by(field, is_reversed) != right {
                    return Err(format!("the zones of {field:?}, reversed {is_reversed}"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_every_segment_within_bounds() {
        let ends = |first, last| MinMaxKeys { first, last, has_missing: false };
        let all = [ends(0, 10), ends(10, 20), ends(u64::MAX, 0), ends(5, 30), ends(40, 40)];
        let mut zones = ZoneMap::default();
        for (segment, ends) in (0..).zip(all) {
            zones.add(segment);
            zones.note(Field::Due, segment, ends);
        }
        for (first, last) in [(0, 4), (11, 12), (25, 60), (31, 39), (40, 40), (0, u64::MAX - 1)] {
            let given: Vec<_> =
                zones.within(Field::Due, first, last).iter().map(|zone| zone.segment).collect();
            let meets = |ends: &MinMaxKeys| ends.first <= last && ends.last >= first;
            let met = (0..).zip(all).filter(|(_, ends)| meets(ends));
            assert!(met.into_iter().all(|(segment, _)| given.contains(&segment)), "{first} {last}");
        }
        assert_eq!(zones.within(Field::Due, 0, 4).len(), 1);
        zones.note(Field::Due, 1, ends(3, 50));
        let order: Vec<_> = zones.by(Field::Due, true).iter().map(|zone| zone.segment).collect();
        assert_eq!(order, [1, 4, 3, 0, 2]);
    }
}
