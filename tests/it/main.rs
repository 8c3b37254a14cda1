//! The one integration binary.
#![allow(unreachable_pub)]

mod compare;
mod contract;
mod differential;
mod generate;
mod oracle;
mod seed;
mod tidy;
mod writes;
