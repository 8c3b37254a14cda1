//! What can be changed while a server runs: who may ask, and how much.

use crate::accounts::Accounts;
use crate::auth::Access;
use crate::settings::Limits;

/// Who may ask, and how much. A request is judged by those that hold when it comes.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) accounts: Accounts,
}

impl Rules {
    pub(crate) fn new(access: Access, limits: Limits) -> Self {
        let accounts = Accounts::new(&limits);
        Self { access, limits, accounts }
    }
}
