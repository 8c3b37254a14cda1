//! What can be changed while a server runs: who may ask, and how much.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::auth::Access;
use crate::settings::Limits;

/// Who may ask, and how much. A request is judged by those that hold when it comes.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) accounts: Arc<Accounts>,
}

impl Rules {
    pub(crate) fn new(access: Access, limits: Limits) -> Self {
        let accounts = Arc::new(Accounts::new(&limits));
        Self { access, limits, accounts }
    }

    /// Those that come after these. What accounts have asked for is not forgotten where as much may
    /// be asked for as before.
    pub(crate) fn next(&self, access: Access, limits: Limits) -> Self {
        if !self.accounts.is_for(&limits) {
            return Self::new(access, limits);
        }
        Self { access, limits, accounts: self.accounts.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_an_account_has_under_way_outlives_a_change() {
        let everybody = || Access::Everybody { user: None };
        let limits = Limits { account_concurrency: 1, ..Limits::default() };
        let rules = Rules::new(everybody(), limits.clone());
        let permit = rules.accounts.enter("a").unwrap();
        let next = rules.next(everybody(), Limits { body_bytes: 2048, ..limits.clone() });
        assert_eq!(next.limits.body_bytes, 2048);
        assert!(next.accounts.enter("a").is_err());
        drop(permit);
        assert!(next.accounts.enter("a").is_ok());
        let more = next.next(everybody(), Limits { account_concurrency: 2, ..limits });
        let both = [more.accounts.enter("a"), more.accounts.enter("a")];
        assert!(both.iter().all(Result::is_ok));
    }
}
