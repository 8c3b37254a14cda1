//! Collections that know no case: what lock-free readers share, and sets of slots.
//!
//! Useful for whoever tunes tables that are read without waiting, bit sets or their kernels. Not
//! for anything that names a field.

mod append_vec;
mod arena;
mod bitset;
#[cfg(feature = "checkpoint")]
mod by_serde;
mod dictionary;
mod hash_index;
mod interner;
mod kernels;
mod memo;
mod ordinal;
mod paged;
mod sized;
mod sparse;

pub(crate) use append_vec::{Numbers, Values};
pub(crate) use arena::Arena;
pub(crate) use bitset::{BitSet, KeptBitSet};
#[cfg(feature = "checkpoint")]
pub(crate) use by_serde::{bytes, each_text, exact, serialize_texts};
pub(crate) use dictionary::{Dictionary, Owned};
pub(crate) use hash_index::{HashIndex, hash_one};
pub(crate) use interner::Interner;
pub(crate) use kernels::{masked_sum, spread_bits, sum_of_bits};
pub(crate) use memo::Memo;
pub(crate) use ordinal::{NONE, Ordinal};
pub(crate) use paged::{ARC, PageValue, Paged, prefetch};
pub(crate) use sized::sized;
pub(crate) use sparse::Sparse;
