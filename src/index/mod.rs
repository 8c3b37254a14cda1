//! Where cases are kept: what one scope holds at one instant.
//!
//! An [`Index`] is a catalog, which all segments share and which only grows, and segments, which
//! never change once they are published. An [`IndexWriter`] makes another one of it; [`Rebuild`]
//! builds a scope anew where its catalog has grown old.

mod catalog;
#[cfg(feature = "checkpoint")]
mod checkpoint;
mod codec;
mod collections;
mod index;
mod rebuild;
mod segment;
mod substring;
mod writer;
mod zone_map;

pub(crate) use catalog::{
    Catalog, Change, Column, Demand, DocAddress, DocRef, Entered, Field, Full, MAX_COUNTED, Needle,
    Row, SignatureFilter, SignatureSet, SubPattern, ValueOrder, code, ordered_bits,
};
pub use catalog::{Limits, Resource};
#[cfg(feature = "checkpoint")]
pub(crate) use checkpoint::{Part, RestoredPart};
pub(crate) use codec::{decoded_len, free_contexts};
pub(crate) use collections::{
    BitSet, KeptBitSet, NONE, Ordinal, masked_sum, sized, spread_bits, sum_of_bits,
};
pub(crate) use index::{Bytes, Index};
pub(crate) use rebuild::Rebuild;
#[cfg(feature = "document-cache")]
pub use segment::DocumentCache;
#[cfg(not(feature = "document-cache"))]
pub(crate) use segment::DocumentCache;
pub(crate) use segment::{
    Half, KeptDocument, Order, Position, PostingList, Postings, Run, RunPart, SIGNATURES, Segment,
};
pub(crate) use substring::Estimate;
pub(crate) use writer::{Changed, IndexWriter};
pub(crate) use zone_map::Zone;
