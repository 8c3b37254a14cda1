//! How much one scope may hold, and whether changes fit before any of them is entered.
//!
//! Values are kept under 32-bit numbers. Changes reserve as much as they can bring at most, so that
//! none of them finds its dictionary full half-way. Useful for a batch that is whole or absent. Not
//! for how much a scope holds in bytes: `Bytes` tells that.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::case::{Case, Part};

/// How many numbers there are: the greatest one stands for no value.
const NUMBERS: u64 = u32::MAX as u64;

/// What a scope holds up to a limit. Values that no case has any more count until upkeep has built
/// the scope anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Cases.
    Cases,
    /// Statuses, and their names, `lname`s and ids all together. Of other fields, keys count as
    /// well.
    Statuses,
    /// Priorities.
    Priorities,
    /// Sets of channels.
    Channels,
    /// Combinations of a status, a priority, channels, and whether somebody has the case.
    Signatures,
    /// Names of queues, and sets of them.
    Queues,
    /// Assignees.
    Assignees,
    /// Pairs of a name and a title.
    Names,
    /// Bytes of distinct words in names and titles, and of what lies around the white space between
    /// two words.
    Words,
    /// Reference numbers.
    RefIds,
    /// Top-level keys, and sets of them.
    Columns,
}

impl Resource {
    pub(super) const ALL: [Self; 11] = [
        Self::Cases,
        Self::Statuses,
        Self::Priorities,
        Self::Channels,
        Self::Signatures,
        Self::Queues,
        Self::Assignees,
        Self::Names,
        Self::Words,
        Self::RefIds,
        Self::Columns,
    ];
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cases => "cases",
            Self::Statuses => "statuses",
            Self::Priorities => "priorities",
            Self::Channels => "channels",
            Self::Signatures => "combinations of status, priority and channels",
            Self::Queues => "queues",
            Self::Assignees => "assignees",
            Self::Names => "names and titles",
            Self::Words => "bytes of words",
            Self::RefIds => "reference numbers",
            Self::Columns => "top-level keys",
        })
    }
}

/// How much each scope of an engine may hold. What is greater than the index can number is lowered
/// to that: 2³² - 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many cases there may be, those included that were deleted since the scope was built anew
    /// last. Each upsert of a batch needs room as if its case were new, also one that replaces: up
    /// to 4,096 changes at a time.
    pub cases: u64,
    /// How many distinct values each field may have.
    pub values: u64,
    /// How many bytes the distinct words of names and titles may take.
    pub words: u64,
}

impl Default for Limits {
    /// As much as the index can number.
    fn default() -> Self {
        Self { cases: NUMBERS, values: NUMBERS, words: NUMBERS }
    }
}

impl Limits {
    pub(super) fn of(self, resource: Resource) -> u64 {
        let asked = match resource {
            Resource::Cases => self.cases,
            Resource::Words => self.words,
            _ => self.values,
        };
        asked.min(NUMBERS)
    }

    pub(super) fn check(self, used: impl Fn(Resource) -> u64, demand: Demand) -> Result<(), Full> {
        for resource in Resource::ALL {
            let limit = self.of(resource);
            let (used, more) = (used(resource), demand.get(resource));
            if used.saturating_add(more) > limit {
                return Err(Full { what: resource, used, more, limit });
            }
        }
        Ok(())
    }
}

/// What a scope has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    pub(crate) what: Resource,
    pub(crate) used: u64,
    pub(crate) more: u64,
    pub(crate) limit: u64,
}

/// How much changes can bring of each resource, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand([u64; Resource::ALL.len()]);

/// How many keys a status or a priority has at most, and an assignee: its names and ids.
const KEYS: u64 = 3;
const AGENT_KEYS: u64 = 4;

/// How many texts a JSON text has at most. Cost: a walk over its bytes.
fn texts(json: &str) -> u64 {
    memchr::memchr_iter(b'"', json.as_bytes()).count() as u64 / 2
}

impl Demand {
    /// What a case can bring. Cost: a walk over a small part of its document.
    pub(crate) fn of(case: &Case) -> Self {
        let texts_of = |part| case.spelling(part).iter().map(|own| texts(own)).sum::<u64>();
        let names = [&case.name, &case.title].into_iter().flatten();
        let length = names.map(|name| name.len() as u64).sum::<u64>();
        let mut own = Self::default();
        for resource in Resource::ALL {
            own.0[resource as usize] = match resource {
                Resource::Cases | Resource::Signatures | Resource::Names => 1,
                // Each has a category, or none, which is a key as well.
                Resource::Statuses => texts_of(Part::Status).min(KEYS) + 1,
                // None at all is one as well.
                Resource::Priorities => texts_of(Part::Priority).clamp(1, KEYS),
                // A source can name a second one.
                Resource::Channels => texts_of(Part::Channels) + 1,
                Resource::Queues => texts_of(Part::Queues) + 1,
                Resource::Assignees => texts_of(Part::Assignee).min(AGENT_KEYS),
                // Words; what lies around white space, which has parts of two words; and how long
                // each is.
                Resource::Words => length * 4,
                Resource::RefIds => u64::from(case.ref_id.is_some()),
                Resource::Columns => texts(&case.columns) + 1,
            };
        }
        own
    }

    pub(super) fn get(self, resource: Resource) -> u64 {
        self.0[resource as usize]
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own = own.saturating_add(other));
    }

    pub(super) fn without_cases(mut self) -> Self {
        self.0[Resource::Cases as usize] = 0;
        self
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own = own.saturating_sub(other));
    }
}

/// What is reserved of a catalog, by changes that are under way.
#[derive(Debug, Default)]
pub(crate) struct Reserved(Mutex<Option<Box<Demand>>>);

impl Reserved {
    /// Nothing where nothing is reserved.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Box<Demand>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
