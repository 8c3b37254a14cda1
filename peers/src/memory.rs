//! What the process takes.

use std::fs;

/// The allocator of every peer that is written in Rust; SQLite and DuckDB have the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    fn mi_collect(force: bool);
    #[cfg(target_env = "gnu")]
    fn malloc_trim(pad: usize) -> std::ffi::c_int;
}

/// Resident bytes, once both allocators have given back what is free; 0 where the system does not
/// say.
#[must_use]
pub fn resident() -> u64 {
    // SAFETY: the allocator is linked, and takes the call at any time.
    unsafe { mi_collect(true) };
    #[cfg(target_env = "gnu")]
    // SAFETY: the C library takes the call at any time, from any thread.
    unsafe {
        malloc_trim(0);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
