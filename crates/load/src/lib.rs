//! Files of cases for [`getcases`]: unpacked, cut into the texts of single cases, and told of where
//! they are wrong.
//!
//! ```text
//! file ──unpack──▶ text ──read──▶ Blocks of Records ──Record::read──▶ Case, or Refused
//! ```
//! A [`Loader`] does all of it on every core, and puts the cases into an engine.
//!
//! A text is NDJSON, or values one after the other: arrays of cases, responses
//! (`{"results":[…]}`), cases; or a table (CSV), or JSON of another system, of which a [`Mapping`]
//! tells what is what in a case. It is never held whole: readers keep some megabytes of it,
//! whatever it is, and what they hand on is the same in whatever pieces it comes.

mod block;
mod cut;
mod kind;
mod loader;
mod mapping;
mod outline;
mod pack;
mod path;
mod refused;
mod rows;
mod scan;
mod scopes;
mod shape;
mod sink;
mod text;
mod window;

pub use block::{Block, Record};
pub use loader::{Held, Loaded, Loader, Report};
pub use mapping::{Mapping, nearest};
pub use outline::Outline;
pub use pack::unpack;
pub use path::JsonPath;
pub use refused::{Fault, Refused, describe, plain, told};
pub use scopes::{NOWHERE, Named, ScopeError, Scopes};
pub use sink::{Fill, Sink};
pub use text::{Options, read};
pub use window::Place;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading failed, or what is compressed is broken.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is of another kind than those that are read.
    #[error("it is {what}; cases are read from NDJSON, JSON or CSV: {wanted}")]
    Kind {
        /// What it is.
        what: &'static str,
        /// What is to be done about it.
        wanted: &'static str,
    },
    /// It is of a kind that is read, and broken as a whole.
    #[error("{0}")]
    Content(String),
    /// It cannot be read as is asked: a mapping is wrong, or one is needed.
    #[error("{0}")]
    Usage(String),
    /// The engine has no room for what is read.
    #[error(transparent)]
    Write(#[from] getcases::WriteError<getcases::Refusal>),
    /// What cases are put into does not take them.
    #[error(transparent)]
    Sink(Box<dyn std::error::Error + Send + Sync>),
}
