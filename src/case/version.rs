//! Which state of a case it is.

use std::fmt;
use std::str::FromStr;

use siphasher::sip128::{Hasher128, SipHasher24};

use super::Case;

/// A version of a case: a hash of its document's text, in 128 bits. The same text has the same one,
/// whoever stored it and when, also after a restart: what depends on a version depends on what the
/// case is. It shows as, and reads from, 32 hexadecimal digits.
///
/// ```
/// use getcases::{Engine, Scope, Version};
///
/// let (engine, desk) = (Engine::new(), Scope::new("account", "stream"));
/// engine.write(|batch| batch.upsert(&desk, r#"{"_id":"1","status":"open"}"#))?;
/// let version = engine.snapshot(&desk).version("1").unwrap();
/// assert_eq!(version.to_string().parse(), Ok(version));
/// engine.write(|batch| batch.upsert(&desk, r#"{ "_id": "1", "status": "open" }"#))?;
/// assert_eq!(engine.snapshot(&desk).version("1"), Some(version));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(u128);

impl Version {
    /// Of a whole document without insignificant white space, as
    /// [`Document::json`](crate::Document::json) gives it. Cost grows with its length.
    #[must_use]
    pub fn of(document: &str) -> Self {
        let mut hasher = SipHasher24::new();
        std::hash::Hasher::write(&mut hasher, document.as_bytes());
        Self(hasher.finish128().as_u128())
    }
}

impl Case {
    /// Its version. Cost grows with the document's length.
    #[must_use]
    pub fn version(&self) -> Version {
        Version::of(&self.document)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

/// As a text.
#[cfg(feature = "serde")]
impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a text is no [`Version`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits, in lower case")]
#[non_exhaustive]
pub struct VersionError;

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(VersionError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| VersionError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hosts keep versions: they are the same in every release.
    #[test]
    fn a_version_is_always_the_same() {
        assert_eq!(Version::of(r#"{"_id":"1"}"#).to_string(), "1cf3ca8cbea2afe0db18e06b7e3542ff");
        assert_eq!("00000000000000000000000000000001".parse(), Ok(Version(1)));
        for wrong in
            ["", "1", "+0000000000000000000000000000001", "ABCDEF00000000000000000000000001"]
        {
            assert_eq!(wrong.parse::<Version>(), Err(VersionError), "{wrong}");
        }
    }
}
