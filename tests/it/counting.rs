//! How much memory some work takes: an allocator that counts, and what it counted.
//!
//! Useful for bounds on bytes, which are the same on each machine and in each run. Not for the
//! memory that a process takes as the system sees it: what allocators add is not in it, and each
//! block here has a few bytes more.
//!
//! One of the few files with `unsafe` code: calls of the system's allocator.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use rayon::ThreadPoolBuilder;

/// The system's allocator, which counts for the threads that have an account.
#[derive(Debug)]
pub struct Counting;

/// What the threads of one measurement took and gave back.
#[derive(Debug, Default)]
struct Account {
    allocated: AtomicU64,
    live: AtomicI64,
    peak: AtomicI64,
}

/// Bytes that some work took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// All that was asked of the allocator, whether it was given back or not; what grows counts
    /// whole each time.
    pub allocated: u64,
    /// The most that was held at once.
    pub peak: u64,
    /// What is still held; less than nothing where more was given back than taken.
    pub held: i64,
}

thread_local! {
    static ACCOUNT: Cell<Option<&'static Account>> = const { Cell::new(None) };
}

impl Account {
    fn of_this_thread() -> Option<&'static Self> {
        // A thread that ends may free memory when its variables are gone.
        ACCOUNT.try_with(Cell::get).ok().flatten()
    }

    fn take(&self, bytes: usize) {
        self.allocated.fetch_add(bytes as u64, Relaxed);
        self.add(bytes as i64);
    }

    fn add(&self, bytes: i64) {
        let live = self.live.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(live, Relaxed);
    }
}

/// What stands before a block of memory: the account that it was taken on, so that it is given back
/// there, whoever frees it.
type Owner = Option<&'static Account>;

/// A block with room for its owner before it, and how far its memory begins behind that.
fn with_owner(layout: Layout, size: usize) -> Option<(Layout, usize)> {
    let before = layout.align().max(size_of::<Owner>());
    Some((Layout::from_size_align(size.checked_add(before)?, before).ok()?, before))
}

impl Counting {
    /// Takes a block, and notes who owns it.
    fn take(layout: Layout, take: impl FnOnce(Layout) -> *mut u8) -> *mut u8 {
        let Some((whole, before)) = with_owner(layout, layout.size()) else {
            return std::ptr::null_mut();
        };
        let start = take(whole);
        if start.is_null() {
            return start;
        }
        let owner = Account::of_this_thread();
        if let Some(owner) = owner {
            owner.take(layout.size());
        }
        // SAFETY: the block begins with `before` bytes, room for an owner at their end; it is as
        // aligned as an owner, and so is that place.
        unsafe {
            let memory = start.add(before);
            memory.cast::<Owner>().sub(1).write(owner);
            memory
        }
    }
}

// SAFETY: every block is the system's allocator's, and greater by what stands before it; what is
// handed out is as large and as aligned as was asked. Counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: a block with an owner is never empty.
        Self::take(layout, |whole| unsafe { System.alloc(whole) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: a block with an owner is never empty.
        Self::take(layout, |whole| unsafe { System.alloc_zeroed(whole) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let Some((whole, before)) = with_owner(layout, layout.size()) else { return };
        // SAFETY: the memory was handed out by `take` for this layout.
        unsafe {
            if let Some(owner) = memory.cast::<Owner>().sub(1).read() {
                owner.add(-(layout.size() as i64));
            }
            System.dealloc(memory.sub(before), whole);
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (Some((whole, before)), Some((new, _))) =
            (with_owner(layout, layout.size()), with_owner(layout, size))
        else {
            return std::ptr::null_mut();
        };
        // SAFETY: the memory was handed out by `take` for this layout; its owner moves with it.
        unsafe {
            let start = System.realloc(memory.sub(before), whole, new.size());
            if start.is_null() {
                return start;
            }
            let memory = start.add(before);
            if let Some(owner) = memory.cast::<Owner>().sub(1).read() {
                owner.add(-(layout.size() as i64));
                owner.take(size);
            }
            memory
        }
    }
}

/// Bytes that are held on this thread's account.
pub fn live() -> i64 {
    Account::of_this_thread().map_or(0, |account| account.live.load(Relaxed))
}

/// Does some work on a thread of its own, whose memory is counted, and that of nothing else. What
/// the work spreads over cores it does on that thread too, so that each run counts the same.
pub fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let account: &'static Account = Box::leak(Box::default());
    let join = move |_| ACCOUNT.set(Some(account));
    let pool = ThreadPoolBuilder::new().num_threads(1).start_handler(join).build();
    pool.expect("a thread can be started").install(work)
}

/// What some work gives, and the bytes it took. For threads that are `alone`.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Used) {
    let account = Account::of_this_thread().expect("this thread's memory is counted");
    let (allocated, live) = (account.allocated.load(Relaxed), account.live.load(Relaxed));
    account.peak.store(live, Relaxed);
    let done = work();
    let used = Used {
        allocated: account.allocated.load(Relaxed) - allocated,
        peak: (account.peak.load(Relaxed) - live).max(0) as u64,
        held: account.live.load(Relaxed) - live,
    };
    (done, used)
}

/// A test that lives where its subject does: also `xtask` counts with this file.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted() {
        alone(|| {
            let (kept, used) = counted(|| {
                drop(vec![0_u8; 1000]);
                let mut grown = Vec::<u8>::with_capacity(100);
                grown.reserve_exact(200);
                std::hint::black_box(grown)
            });
            assert_eq!(used, Used { allocated: 1300, peak: 1000, held: 200 });
            let ((), used) = counted(|| drop(kept));
            assert_eq!(used, Used { allocated: 0, peak: 0, held: -200 });
        });
    }
}
