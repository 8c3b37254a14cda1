//! The runs of an order, side by side.
//!
//! Useful for the run in which a key stands: a search among their last keys looks at no slot. Not
//! for where in a run it stands.

use std::ops::Range;
use std::sync::Arc;

use super::run::{Key, Run, upper};
use crate::index::collections::{ARC, Paged};

/// Runs, none of them empty, and the key of the last slot of each: a search among them looks at no
/// slot. A clone costs one pointer.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Runs {
    #[default]
    None,
    /// In few cases, the run alone.
    One(Arc<Run>, [u64; 1]),
    Many(Arc<ManyRuns>),
}

/// Two runs or more.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "checkpoint", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct ManyRuns {
    last_keys: Vec<u64>,
    list: Paged<Arc<Run>, 8>,
}

impl Runs {
    fn of(last_keys: Vec<u64>, mut runs: Vec<Arc<Run>>) -> Self {
        match (&*last_keys, runs.len()) {
            ([last], 1) => runs.pop().map_or(Self::None, |run| Self::One(run, [*last])),
            ([], _) => Self::None,
            _ => Self::Many(Arc::new(ManyRuns { last_keys, list: runs.into_iter().collect() })),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.last_keys().len()
    }

    #[inline]
    pub(super) fn last_keys(&self) -> &[u64] {
        match self {
            Self::None => &[],
            Self::One(_, last) => last,
            Self::Many(many) => &many.last_keys,
        }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&Arc<Run>> {
        match self {
            Self::Many(many) => many.list.get(at),
            Self::One(run, _) if at == 0 => Some(run),
            _ => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Run>> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(run, _) => (Some(run), None),
            Self::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|many| many.list.iter()))
    }

    /// The first run of a range that is not as asked, where those that are come first.
    pub(super) fn partition_point(
        &self,
        range: Range<usize>,
        mut is: impl FnMut(&Run) -> bool,
    ) -> usize {
        match self {
            Self::Many(many) => many.list.partition_point(range, |run| is(run)),
            _ => range.start + usize::from(!range.is_empty() && self.get(0).is_some_and(|r| is(r))),
        }
    }

    /// The run to change, a clone where it is shared.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Run> {
        let run = match self {
            Self::Many(many) => Arc::make_mut(many).list.get_mut(at)?,
            Self::One(run, _) if at == 0 => run,
            _ => return None,
        };
        Some(Arc::make_mut(run))
    }

    /// Tells the key of a run's last slot.
    pub(super) fn set_last_key(&mut self, at: usize, key: u64) {
        let last_keys = match self {
            Self::None => return,
            Self::One(_, last) => &mut last[..],
            Self::Many(many) => &mut Arc::make_mut(many).last_keys,
        };
        last_keys[at] = key;
    }

    /// Puts runs in the place of others. Cost: all runs.
    pub(super) fn replace(
        &mut self,
        range: Range<usize>,
        runs: Vec<Arc<Run>>,
        key: impl Fn(u16) -> Key,
    ) {
        let mut last_keys = self.last_keys().to_vec();
        let new = runs.iter().filter_map(|run| run.slots().last()).map(|last| upper(key(*last)));
        last_keys.splice(range.clone(), new.collect::<Vec<_>>());
        let mut all: Vec<_> = self.iter().cloned().collect();
        all.splice(range, runs);
        *self = Self::of(last_keys, all);
    }

    pub(super) fn references(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(run, _) => Arc::strong_count(run),
            Self::Many(many) => Arc::strong_count(many),
        }
    }

    /// Bytes that are allocated beside the runs. Cost: none that grows.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Many(many) => {
                let last_keys = many.last_keys.capacity() * size_of::<u64>();
                ARC + size_of::<ManyRuns>() + last_keys + many.list.bytes()
            }
            _ => 0,
        }
    }
}
