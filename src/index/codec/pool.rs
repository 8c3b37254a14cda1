//! What is costly to make and large to keep, lent to whoever needs one for a moment.
//!
//! Useful for contexts of zstd, of some hundred KiB each: as many as are at work at once, and a few
//! at rest, however many threads and scopes there are. Nobody waits: who finds the pool taken, or
//! empty, makes one.

use std::sync::Mutex;

/// How many are at rest at most, and how large they may be.
const AT_REST: usize = 8;
const KEPT_BYTES: usize = 256 << 10;

/// What a pool has.
pub(super) trait Lent: Default {
    /// Bytes that are allocated.
    fn bytes(&self) -> usize;
}

#[derive(Debug)]
pub(super) struct ContextPool<T>(Mutex<Vec<T>>);

impl<T: Lent> ContextPool<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Drops those at rest.
    pub(super) fn clear(&self) {
        if let Ok(mut all) = self.0.try_lock() {
            *all = Vec::new();
        }
    }

    /// Lends one.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let at_rest = self.0.try_lock().ok().and_then(|mut all| all.pop());
        let mut own = at_rest.unwrap_or_default();
        let result = work(&mut own);
        if own.bytes() <= KEPT_BYTES
            && let Ok(mut all) = self.0.try_lock()
            && all.len() < AT_REST
        {
            all.push(own);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Lent for Vec<u8> {
        fn bytes(&self) -> usize {
            self.capacity()
        }
    }

    #[test]
    fn what_rests_is_lent_again_unless_it_is_large() {
        let pool = ContextPool::<Vec<u8>>::new();
        pool.with(|own| {
            own.push(1);
            // Another one.
            pool.with(|other| assert_eq!(other.len(), 0));
        });
        pool.with(|own| {
            assert_eq!(*own, [1]);
            own.reserve(KEPT_BYTES + 1);
        });
        let at_rest = || pool.0.lock().unwrap().len();
        assert_eq!(at_rest(), 1);
        pool.clear();
        assert_eq!(at_rest(), 0);
    }
}
