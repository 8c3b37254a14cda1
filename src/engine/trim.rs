//! Free memory given back to the system.
//!
//! The allocator of glibc keeps what is free among what is used: after a large load that is a
//! multiple of what the cases take. Others give it back by themselves, some of them (mimalloc) only
//! while they are used, a second after it became free.
//!
//! One of the few files with `unsafe` code: a call of the allocator's.

#![allow(unsafe_code)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::index::free_contexts;

/// How long it waits, so that many who ask are served at once.
const PAUSE: Duration = Duration::from_millis(400);

/// For how long nobody writes at a calm moment, and how many times it is looked for one.
const CALM: Duration = Duration::from_millis(100);
const LOOKS: usize = 50;

/// How long after that other allocators have forgotten what is free, and how many bytes they are
/// then asked for: more than a thread keeps at hand.
const FORGOTTEN: Duration = Duration::from_millis(800);
const ASKED: usize = 1 << 20;

/// How many writes there were, of all engines.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Counts a write.
pub(super) fn note_write() {
    WRITES.fetch_add(1, Ordering::Relaxed);
}

/// Waits until nobody has written for a while, or for some seconds.
fn wait_for_calm() {
    let mut before = WRITES.load(Ordering::Relaxed);
    for _ in 0..LOOKS {
        thread::sleep(CALM);
        let now = WRITES.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}

/// Has free memory given back soon, by a thread that ends with it; at most a few times a second.
/// Cost: a thread is begun. While it gives back, who asks the allocator for memory may wait: 1 ms
/// after a batch of 10,000, and 30 to 110 ms after some 100 MB became free. So it waits for a calm
/// moment, where there is one.
pub(super) fn soon() {
    static IS_AWAITED: AtomicBool = AtomicBool::new(false);
    if IS_AWAITED.swap(true, Ordering::Relaxed) {
        return;
    }
    let begun = thread::Builder::new().name("getcases-trim".to_owned()).spawn(|| {
        thread::sleep(PAUSE);
        wait_for_calm();
        IS_AWAITED.store(false, Ordering::Relaxed);
        free_contexts();
        give_back();
        thread::sleep(FORGOTTEN);
        drop(black_box(Vec::<u8>::with_capacity(ASKED)));
    });
    if begun.is_err() {
        IS_AWAITED.store(false, Ordering::Relaxed);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
fn give_back() {
    // SAFETY: it may be called at any time by any thread, and touches nothing that is in use.
    _ = unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
fn give_back() {}
