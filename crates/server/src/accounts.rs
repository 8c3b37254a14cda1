//! What one account may ask for at once, and in a second.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use getcases::{Code, Problem};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refused::Refused;
use crate::settings::Limits;

/// From how many accounts on those that ask nothing are forgotten.
const KEPT: usize = 1024;

/// Counts what accounts ask for. Only accounts that may ask come here, so that strangers take up no
/// memory.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// How much at once, and how much in a second.
    limits: (u64, u64),
    running: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
    rate: Option<DefaultKeyedRateLimiter<Box<str>>>,
}

impl Accounts {
    pub(crate) fn new(limits: &Limits) -> Self {
        let rate = u32::try_from(limits.account_rate).ok().and_then(NonZeroU32::new);
        Self {
            limits: Self::of(limits),
            running: Mutex::default(),
            rate: rate.map(|rate| RateLimiter::keyed(Quota::per_second(rate))),
        }
    }

    fn of(limits: &Limits) -> (u64, u64) {
        (limits.account_concurrency, limits.account_rate)
    }

    /// Whether limits are those that are counted for.
    pub(crate) fn is_for(&self, limits: &Limits) -> bool {
        self.limits == Self::of(limits)
    }

    /// Lets one more request of an account in, for as long as what is given lives.
    pub(crate) fn enter(&self, account: &str) -> Result<OwnedSemaphorePermit, Refused> {
        if let Some(rate) = &self.rate
            && let Err(early) = rate.check_key(&Box::from(account))
        {
            let wait = early.wait_time_from(DefaultClock::default().now());
            return Err(too_many("the account has asked too often")
                .retry_after(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        let permit = self.semaphore(account).try_acquire_owned();
        permit.map_err(|_| too_many("too much of the account is under way").retry_after(1))
    }

    fn semaphore(&self, account: &str) -> Arc<Semaphore> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = running.get(account) {
            return own.clone();
        }
        if running.len() >= KEPT.max(running.capacity() / 2) {
            running.retain(|_, own| Arc::strong_count(own) > 1);
            if let Some(rate) = &self.rate {
                rate.retain_recent();
            }
        }
        let own = Arc::new(Semaphore::new(usize::try_from(self.limits.0).unwrap_or(usize::MAX)));
        running.insert(account.into(), own.clone());
        own
    }
}

fn too_many(msg: &'static str) -> Refused {
    Problem::new(Code::TooManyRequests, "accountId", msg).into()
}
