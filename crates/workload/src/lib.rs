//! The workload that every figure of getcases is measured on: cases, and the query classes that
//! run over them.
//!
//! ```
//! use getcases_workload::{Shape, Workload};
//!
//! let workload = Workload::new(1_000, 42, Shape::Lean);
//! let mut line = Vec::new();
//! workload.write_case(17, &mut line);
//! assert!(line.starts_with(br#"{"_id":"ci-"#));
//! ```
//! The same count, seed, shape and number give the same bytes on every machine, in any order:
//! each case is drawn from a random stream of its own, with integers, and with `libm` where a
//! logarithm or an exponential is needed. The seed makes the words, the queues' ids and the users
//! as well, so cases of two seeds share neither.
//!
//! # The workload's rules
//! The generator is part of the measure, so its entropy is fixed. Case i of N, in created order:
//! - **Dates.** Created: 2024-01-01T00:00Z plus 730 days · i / N. Updated: created plus an
//!   exponential of mean 5 days. Due: absent for 20 %, else created plus 10, 5, 2, 1 days (low,
//!   medium, high, urgent) plus a uniform part of a day.
//! - **Status.** With age = 1 - i/N, open with probability 0.03 + 0.6·exp(-25·age): then new, open,
//!   in progress, pending, on hold, reopened with weights 4, 8, 6, 5, 2, 1 (categories open, open,
//!   in progress, on hold, on hold, open). Else resolved, closed with weights 1, 2.
//! - **Priority.** Low, medium, high, urgent with weights 30, 45, 20, 5; scores 5, 10, 13, 15.
//! - **Channel.** Email, chat, voice, web, social, sms with weights 45, 25, 15, 8, 5, 2.
//! - **Queues.** None for 10 %, two different ones for 10 %, else one, of "Queue 0" to "Queue 199",
//!   Zipf (1/rank).
//! - **Assignee.** None for 50 % of new and open, else for 8 %; else "agent-0" to "agent-1999",
//!   Zipf.
//! - **Name.** 3 to 7 words, Zipf, of 20,000: 20 real ones first, the rest of 2 to 4
//!   consonant-vowel syllables, half of them with a last consonant. No word contains `nisavo`,
//!   though each of its trigrams occurs. One name in fifty is in another script, one in a hundred
//!   repeats an earlier one. The title field is the name for 80 %, else another 3 to 7 words.
//! - **[`Shape::Seed`]** only: ids in the seed's forms and unique (case, task, requester),
//!   createdBy and updatedBy of 2,000 users, descriptions of 15 to 35 words, the seed's
//!   fields with their metadata.
//!
//! `zstd -10 --long=27` over 100,000 cases of the seed's shape leaves at least 240 B a case: a
//! generator that compresses better is not this one.

// The road: `draw` (random integers) ▶ `world` (what all cases share) ▶ `case` ▶ `template` (its
// text). `vocabulary`, `people`, `labels`, `id` and `instant` are what they are made of.
mod case;
mod classes;
mod draw;
mod id;
mod instant;
mod labels;
mod more;
mod people;
mod template;
mod variants;
mod vocabulary;
mod world;

pub use classes::{Class, classes};

use case::Case;
use template::Template;
use world::World;

/// The `accountId` that every case of [`Shape::Seed`] names.
pub const ACCOUNT_ID: &str = "64f1c9a3e8b72d50419fa6c3";

/// The stream (`iId`) that every case of [`Shape::Seed`] names.
pub const STREAM_ID: &str = "st-5393141c-723b-579d-8265-27dd9b7f40e6";

/// How much of a case is written. Case i has the same values in both shapes, but for the ids of
/// its status, priority and queues, which the lean one cuts after their first group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The keys that the contract reads, about 600 bytes. The cases name no account or stream.
    Lean,
    /// Every key of the seed's case in its order, about 3 kB. The cases name [`ACCOUNT_ID`] and
    /// [`STREAM_ID`]. Keys of a due date that is absent are left out.
    Seed,
}

/// The cases of one count, seed and shape.
#[derive(Debug)]
pub struct Workload {
    shape: Shape,
    world: World,
    template: Template,
}

impl Workload {
    /// Makes what all cases share: 20,000 words, the users, the queues. Takes some milliseconds,
    /// whatever the count.
    pub fn new(cases: u64, seed: u64, shape: Shape) -> Self {
        Self { shape, world: World::new(cases, seed), template: Template::new(shape) }
    }

    /// How many cases there are.
    pub fn len(&self) -> u64 {
        self.world.cases
    }

    /// Whether there are no cases.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A class with other values, `count` times: as many statuses or queues, days of the same span,
    /// parts of names as needles. The same count gives the same variants.
    ///
    /// # Errors
    /// Where the class's body is no JSON.
    pub fn variants(&self, class: &Class, count: u64) -> serde_json::Result<Vec<Class>> {
        let draw = self.world.variants(&class.name);
        let vary = |number| variants::vary(class, &self.world, &mut draw.stream(number));
        (0..count).map(vary).collect()
    }

    /// More classes than the seventeen, each as `bodies` bodies: needles of each length and of
    /// other scripts, far pages of every order, long lists, orders that begin where no match is.
    /// Bodies that come out the same one after the other are one. The same count gives the same
    /// bodies.
    pub fn more(&self, bodies: u64) -> Vec<Vec<Class>> {
        more::more(&self.world, bodies)
    }

    /// Appends case `number`, counted from 0 and the oldest first, as one compact JSON object
    /// without a newline.
    ///
    /// # Panics
    /// If `number` is not below [`len`](Self::len).
    pub fn write_case(&self, number: u64, out: &mut Vec<u8>) {
        assert!(number < self.len(), "case {number} of {}", self.len());
        self.template.write(&Case::draw(&self.world, number, self.shape), out);
    }
}
