//! An app: who signs tokens, and what these allow.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::SettingsError;

/// The scope that reading needs, as the API's page names it.
pub const CONFIGURATION: &str = "Case Management Configuration";
/// The scope that writing needs.
pub const WRITE: &str = "Case Management Write";

/// A text that is shown nowhere.
#[derive(Clone)]
pub struct Secret(String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The error of the reader itself would show the value.
        let text = String::deserialize(deserializer);
        text.map(Self).map_err(|_| Error::custom("a secret is a text in quotes"))
    }
}

impl Secret {
    /// A secret of a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How many bytes a key of HS256 has at least.
const SECRET: usize = 32;

/// By what a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// A secret that both sides have.
    HS256,
    /// An RSA key pair.
    RS256,
    /// A key pair of the curve P-256.
    ES256,
}

/// An app as it is configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    /// The `appId` of its tokens.
    pub id: String,
    /// The secret of HS256.
    pub secret: Option<Secret>,
    /// A file with the secret; one line break at its end is not part of it.
    pub secret_file: Option<PathBuf>,
    /// A file with the public key of RS256 or ES256, in PEM.
    pub public_key_file: Option<PathBuf>,
    /// By what its tokens may be signed; a token has no say in it.
    pub algorithms: Vec<Algorithm>,
    /// Which accounts it may ask for; `*` for all.
    pub accounts: Vec<String>,
    /// Which streams it may ask for; `*` for all.
    pub streams: Vec<String>,
    /// What it may do: [`CONFIGURATION`] to read, [`WRITE`] to write.
    pub scopes: Vec<String>,
    /// The claim that names the user of `mycase`.
    #[serde(default = "user_claim")]
    pub user_claim: String,
    /// Whether a token must end.
    #[serde(default = "require_exp")]
    pub require_exp: bool,
}

fn user_claim() -> String {
    "userId".to_owned()
}

fn require_exp() -> bool {
    true
}

impl AppSettings {
    /// Judges the app at a place among all.
    pub(super) fn check(&self, at: usize, all: &[Self]) -> Result<(), SettingsError> {
        let invalid = |key: &str, wrong: String| {
            let dot = if key.is_empty() { "" } else { "." };
            Err(SettingsError::invalid(format!("app[{at}]{dot}{key}"), wrong))
        };
        if self.id.trim().is_empty() {
            return invalid("id", "it is blank".to_owned());
        }
        if all.iter().take(at).any(|other| other.id == self.id) {
            return invalid("id", format!("{:?} is there twice", self.id));
        }
        let keys =
            [self.secret.is_some(), self.secret_file.is_some(), self.public_key_file.is_some()];
        if keys.iter().filter(|is_there| **is_there).count() != 1 {
            let wrong = "one of secret, secret_file and public_key_file, and only one";
            return invalid("", wrong.to_owned());
        }
        if self.secret.as_ref().is_some_and(|secret| secret.as_bytes().is_empty()) {
            return invalid("secret", "it is empty".to_owned());
        }
        let is_public = self.public_key_file.is_some();
        let fits = |own: &Algorithm| (*own == Algorithm::HS256) != is_public;
        let is_one_kind = self.algorithms.iter().all(|own| Some(own) == self.algorithms.first());
        if self.algorithms.is_empty() || !is_one_kind || !self.algorithms.iter().all(fits) {
            let wrong = if is_public { "RS256 or ES256, by the key" } else { "HS256" };
            return invalid("algorithms", format!("accepted here: {wrong}"));
        }
        for (key, list) in [("accounts", &self.accounts), ("streams", &self.streams)] {
            if list.iter().any(|name| name.is_empty()) {
                return invalid(key, "a name is empty".to_owned());
            }
        }
        if let Some(unknown) = self.scopes.iter().find(|own| *own != CONFIGURATION && *own != WRITE)
        {
            let wrong = format!("{unknown:?} is neither {CONFIGURATION:?} nor {WRITE:?}");
            return invalid("scopes", wrong);
        }
        if self.user_claim.is_empty() {
            return invalid("user_claim", "it is empty".to_owned());
        }
        Ok(())
    }

    /// What is most likely not meant of the app at a place.
    pub(super) fn doubts(&self, at: usize) -> Vec<String> {
        let mut doubts = Vec::new();
        let lists =
            [("accounts", &self.accounts), ("streams", &self.streams), ("scopes", &self.scopes)];
        for (key, _) in lists.iter().filter(|(_, list)| list.is_empty()) {
            doubts.push(format!("app[{at}].{key}: it is empty, so the app may ask for nothing"));
        }
        let of_file = self.secret_file.as_deref().and_then(|file| std::fs::read(file).ok());
        let length = self.secret.as_ref().map(|own| own.as_bytes().len());
        if length.or(of_file.map(|own| own.trim_ascii_end().len())).is_some_and(|own| own < SECRET)
        {
            let key = if self.secret.is_some() { "secret" } else { "secret_file" };
            doubts.push(format!(
                "app[{at}].{key}: it is shorter than the {SECRET} bytes that HS256 wants of a key \
                 (RFC 7518, 3.2): openssl rand -hex 32 makes one"
            ));
        }
        if let Some(file) = self.secret_file.as_deref().filter(|file| others_may_read(file)) {
            let file = file.display();
            doubts.push(format!("app[{at}].secret_file: others may read {file}: chmod o-r {file}"));
        }
        doubts
    }

    /// Every file that is named.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.secret_file.iter_mut().chain(&mut self.public_key_file)
    }
}

/// Whether a file may be read by others than its owner and its group, which may be the service's.
#[cfg(unix)]
fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    std::fs::metadata(file).is_ok_and(|own| own.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}
