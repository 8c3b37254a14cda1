//! Where cases are kept: what one scope holds at one instant.
//!
//! An [`Index`] is a catalog, which all segments share and which only grows, and segments, which
//! never change once they are published. `revise` changes a segment that is not published yet;
//! `rebuild` builds a scope anew where its catalog has grown old.

mod append_vec;
mod arena;
mod block;
mod capacity;
mod catalog;
mod changes;
mod codec;
mod dictionary;
mod documents;
mod field;
mod fronts;
mod ids;
mod kernel;
mod key_sets;
mod known;
mod lists;
mod names;
mod order;
mod paged;
mod postings;
mod rebuild;
mod revise;
mod row;
mod run;
mod segment;
mod signatures;
mod sized;
mod snapshot;
mod sparse;
mod spelled;
mod substring;
mod terms;
mod texts;
mod titles;
mod value_order;
mod vocabulary;

pub(crate) use block::Block;
pub(crate) use capacity::{Demand, Full};
pub use capacity::{Limits, Resource};
pub(crate) use catalog::{Catalog, Column};
pub(crate) use changes::{Change, Entered};
pub(crate) use codec::decoded_len;
pub(crate) use dictionary::{NONE, Ordinal};
pub(crate) use field::Field;
pub(crate) use fronts::Front;
pub(crate) use kernel::{masked_sum, spread_bits, sum_of_bits};
pub(crate) use order::{Order, Position};
pub(crate) use postings::{Half, PostingList, Postings};
pub(crate) use rebuild::Rebuild;
pub(crate) use row::{Place, Row, Spot};
pub(crate) use run::{COUNTED, Run, RunPart, code};
pub(crate) use segment::{SIGNATURES, Segment};
pub(crate) use signatures::{SignatureFilter, SignatureSet};
pub(crate) use sized::sized;
pub(crate) use snapshot::{Bytes, Changed, Index};
pub(crate) use substring::Weight;
pub(crate) use value_order::ValueOrder;
pub(crate) use vocabulary::{Needle, Piece};
