//! Whose cases.

use std::fmt;
use std::sync::Arc;

/// By serde an object of `account` and `stream`.
#[cfg(feature = "serde")]
mod by_serde {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    use super::Scope;

    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename = "Scope", deny_unknown_fields)]
    struct Names<T> {
        account: T,
        stream: T,
    }

    impl Serialize for Scope {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Names { account: self.account(), stream: self.stream() }.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Scope {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let Names { account, stream } = Names::<String>::deserialize(deserializer)?;
            Ok(Self::new(&account, &stream))
        }
    }
}

/// The pair of an account and a stream. Every query has exactly one, and nothing reaches across.
///
/// ```
/// use getcases::{Engine, Scope};
///
/// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
/// engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1"}"#))?;
/// assert_eq!(engine.scopes(), [desk]);
/// assert!(engine.snapshot(&Scope::new("account", "other")).is_empty());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
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
