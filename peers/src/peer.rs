//! What is measured: something that holds the cases and answers requests.

use anyhow::Result;

use crate::ask::Ask;

/// Something that holds the cases and answers requests over them.
pub trait Peer {
    /// As it stands in tables.
    fn name(&self) -> &'static str;

    /// Its version, and how it is driven.
    fn about(&self) -> String;

    /// Makes a request ready: what is timed begins after it. Nothing where the peer has no exact
    /// answer, with the reason.
    ///
    /// # Errors
    /// Where the peer itself fails.
    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>>;
}

/// A request that is ready to be run.
pub enum Ready<'p> {
    /// Runs it.
    Run(Box<dyn FnMut() -> Result<Found<'p>> + 'p>),
    /// Why there is no exact answer.
    No(&'static str),
}

/// What a request finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'p> {
    /// How many cases match.
    pub total: u64,
    /// The page, in order.
    pub page: Page<'p>,
}

/// The cases of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page<'p> {
    /// By their numbers in the usual order.
    Numbers(Vec<u32>),
    /// By how many came before them.
    Arrivals(Vec<u32>),
    /// By their places in the columns.
    Places(Vec<u32>),
    /// By their ids.
    Ids(Vec<&'p str>),
}

impl<'p> Ready<'p> {
    /// Boxes what runs.
    pub fn run(run: impl FnMut() -> Result<Found<'p>> + 'p) -> Self {
        Self::Run(Box::new(run))
    }
}
