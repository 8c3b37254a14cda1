//! What may be asked, and what comes back.
//!
//! A body is read into a [`Request`] (`body`), a request is proved valid and becomes a [`Query`]
//! (`query`), and its answer is a [`Page`] (`response`). Nothing here sees a case.

mod body;
#[cfg(feature = "serde")]
mod by_serde;
mod clause;
mod context;
mod cursor;
mod field;
mod filter;
mod ignored;
mod limits;
mod member;
mod paging;
mod query;
mod request;
mod response;
mod sort;
mod to_json;
mod values;

pub(crate) use clause::{Clause, Condition, Parameter, Span};
pub use context::{Context, Severity};
pub use cursor::Cursor;
pub(crate) use cursor::{CursorKey, LastSeen, Position, Sealer, SortText, SortValue};
pub(crate) use field::{DateField, TextField};
pub use field::{FilterField, ValueField};
pub use filter::{Comparison, Filter};
pub use member::Member;
pub(crate) use query::Columns;
pub use query::Query;
pub use request::{DateError, Request, RequestDate};
pub(crate) use response::Envelope;
pub use response::{Document, Hits, Page, Response, ValueCount};
pub use sort::{Direction, Order, SortError, SortField, SortKey};
