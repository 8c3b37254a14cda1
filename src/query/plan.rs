//! The plan of a query: what is tested, in which order results come, and which of them are wanted.

use std::fmt;
use std::ops::Range;

use crate::contract::{Clause, Order, Query};

/// What `execute` and `top_k` are to do.
pub(super) struct Plan<'q> {
    query: &'q Query,
}

impl<'q> Plan<'q> {
    pub(super) fn new(query: &'q Query) -> Self {
        Self { query }
    }

    /// Every clause, all of which must hold.
    pub(super) fn clauses(&self) -> &'q [Clause] {
        self.query.clauses()
    }

    pub(super) fn order(&self) -> &'q Order {
        self.query.order()
    }

    /// The ranks of the wanted results, from 0.
    pub(super) fn window(&self) -> Range<u128> {
        let paging = self.query.paging();
        paging.skip..paging.skip + u128::from(paging.limit)
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.window();
        if start == end {
            write!(f, "count every match of a walk over all cases")
        } else {
            write!(f, "walk all cases, order the matches, take those from {start} to {end}")
        }
    }
}
