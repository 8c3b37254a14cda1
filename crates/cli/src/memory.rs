//! What this process takes in memory, and giving back what it does not need.
//!
//! One of the few files with `unsafe` code: calls of the allocator's.

#![allow(unsafe_code)]

use std::fs;
use std::time::Duration;

/// Writers copy small parts and free them again, all the time: what this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The allocator's option for how many milliseconds free memory waits before it is given back; the
/// crate names it not.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// From how many bytes of cases on memory is taken in large pieces.
const LARGE: u64 = 256 << 20;

/// How many milliseconds free memory waits otherwise: giving it back stops every thread for a
/// moment, and taking it anew costs as much as filling it.
const PATIENT: i64 = 1000;

/// Has free memory given back at once, for a start. Called once, before there are threads.
pub(crate) fn settle() {
    wait_for(0);
    large_pieces(false);
}

/// Lets the system give memory in pieces of two megabytes to large loads, where what is far is
/// found sooner so, and keeps what is free for a while; not of small ones, which would leave the
/// pieces half empty.
pub(crate) fn expect(bytes: u64) {
    if bytes >= LARGE {
        wait_for(PATIENT);
        large_pieces(true);
    }
}

fn wait_for(milliseconds: i64) {
    // SAFETY: an option is a number of the machine's width; who reads the old one or the new one
    // meanwhile gives memory back sooner or later.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, milliseconds as std::ffi::c_long) };
}

fn large_pieces(are_wanted: bool) {
    // Where the system knows no such pieces there are none.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(!are_wanted);
}

/// Runs a load on a thread of its own, and gives back to the system what is free then: the thread
/// ends, and those that the load started, so that nothing is kept for them.
pub(crate) fn loading<T: Send>(
    load: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let loaded = std::thread::scope(|threads| threads.spawn(load).join());
    // Threads that have done their work take a moment to end.
    std::thread::sleep(Duration::from_millis(5));
    // SAFETY: `mi_collect` has no preconditions; it touches nothing that is in use.
    unsafe { libmimalloc_sys::mi_collect(true) };
    wait_for(PATIENT);
    loaded.unwrap_or_else(|_| Err(anyhow::anyhow!("the load panicked")))
}

/// Bytes of this process, as the system tells them: `VmRSS:` those in memory, `VmHWM:` the most
/// that ever were; 0 where it does not.
pub(crate) fn bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
