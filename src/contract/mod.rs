//! What may be asked, and what comes back.
//!
//! A body is read into a [`Request`] (`body`), a request is proved valid and becomes a [`Query`]
//! (`query`), and its answer is a [`Page`] (`response`). Nothing here sees a case.

mod body;
mod context;
mod filter;
mod ignored;
mod limits;
mod paging;
mod query;
mod request;
mod response;
mod sort;

pub use context::{Context, Severity};
pub(crate) use filter::{AnyOf, Clause};
pub(crate) use query::Columns;
pub use query::Query;
pub use request::{DateError, Request, RequestDate};
pub(crate) use response::Envelope;
pub use response::{Document, Hits, Page};
pub use sort::{Direction, Order, SortError, SortField, SortKey};
