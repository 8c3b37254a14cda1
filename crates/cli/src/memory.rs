//! What this process takes in memory, and giving back what it does not need.
//!
//! One of the few files with `unsafe` code: a call of the allocator's.

#![allow(unsafe_code)]

use std::fs;

/// Writers copy small parts and free them again, all the time: what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives back to the system what is free: after a load that is much, and nothing else asks for it.
pub(crate) fn release() {
    // SAFETY: `mi_collect` has no preconditions; it touches nothing that is in use.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// Bytes of this process, as the system tells them: `VmRSS:` those in memory, `VmHWM:` the most
/// that ever were; 0 where it does not.
pub(crate) fn bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
