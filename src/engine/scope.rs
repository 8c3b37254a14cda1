//! Whose cases.

use std::fmt;
use std::sync::Arc;

/// The pair of an account and a stream. Every query has exactly one, and nothing reaches across.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    account: Arc<str>,
    stream: Arc<str>,
}

impl Scope {
    /// The scope of an account's stream, both compared as they are.
    #[must_use]
    pub fn new(account: &str, stream: &str) -> Self {
        Self { account: account.into(), stream: stream.into() }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.stream)
    }
}
