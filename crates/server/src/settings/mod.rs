//! What a server is told: where it listens, what it reads, its limits, and the apps that may ask.

mod app;
mod limits;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use app::{Algorithm, AppSettings, CONFIGURATION, Secret, WRITE};
pub use limits::Limits;

/// A configuration that says everything, with the defaults: what `getcases config example` prints.
pub const EXAMPLE: &str = include_str!("example.toml");

/// The settings of a server.
///
/// Files that are named in it are looked for beside the file it was read from.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Files of cases that are read at the start.
    pub cases: Vec<PathBuf>,
    /// The folder of a store that keeps the cases, instead of files that are read at the start.
    pub store: Option<PathBuf>,
    /// How many threads answer; as many as there are cores where it is not told.
    pub threads: Option<usize>,
    /// Which origins a browser may ask from: `https://desk.example.com`, or `*`.
    pub cors_origins: Vec<String>,
    /// A certificate chain in PEM; with the key, the server speaks TLS alone.
    pub tls_certificate_file: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    pub tls_key_file: Option<PathBuf>,
    /// What nobody may go beyond.
    pub limits: Limits,
    /// Who may ask.
    #[serde(rename = "app")]
    pub apps: Vec<AppSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            cases: Vec::new(),
            store: None,
            threads: None,
            cors_origins: Vec::new(),
            tls_certificate_file: None,
            tls_key_file: None,
            limits: Limits::default(),
            apps: Vec::new(),
        }
    }
}

/// What is wrong with a configuration, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no configuration: TOML, a key or a value is wrong.
    #[error("{message}")]
    Malformed {
        /// What is wrong, with the line.
        message: String,
    },
    /// A value is of the right kind and cannot be honoured.
    #[error("{at}: {wrong}")]
    Invalid {
        /// The key.
        at: String,
        /// What is wrong, and what would be accepted.
        wrong: String,
    },
}

impl SettingsError {
    pub(crate) fn invalid(at: impl Into<String>, wrong: impl fmt::Display) -> Self {
        Self::Invalid { at: at.into(), wrong: wrong.to_string() }
    }

    /// Tells the line by its number alone: it may have a secret in it.
    fn malformed(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1));
        Self::Malformed { message: line.unwrap_or_default() + error.message() }
    }

    pub(crate) fn unreadable(file: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { file: file.to_owned(), source }
    }
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or says what cannot be honoured. Files that it names are not read
    /// yet, but for secrets and keys, which [`Apps`](crate::Apps) are made of.
    pub fn from_file(file: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| SettingsError::unreadable(file, error))?;
        Self::of_file(&text, file)
    }

    /// Reads the text of a file that was read by whoever asks: [`Settings::from_file`] without the
    /// reading.
    ///
    /// # Errors
    /// Where it says what cannot be honoured.
    pub fn of_file(text: &str, file: &Path) -> Result<Self, SettingsError> {
        let mut settings = Self::from_toml(text)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        settings.files().for_each(|own| *own = folder.join(&*own));
        Ok(settings)
    }

    /// Reads a text of TOML.
    ///
    /// # Errors
    /// Where it says what cannot be honoured.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        let settings: Self =
            toml::from_str(text).map_err(|error| SettingsError::malformed(text, &error))?;
        settings.check()?;
        Ok(settings)
    }

    /// Judges what is of the right kind.
    ///
    /// # Errors
    /// The first that cannot be honoured.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.limits.check()?;
        if self.threads == Some(0) {
            return Err(SettingsError::invalid("threads", "at least one thread answers"));
        }
        if self.store.is_some() && !self.cases.is_empty() {
            let wrong = "cases are kept in the store: those of files are put there by \
                         `getcases load`";
            return Err(SettingsError::invalid("store, cases", wrong));
        }
        if self.tls_certificate_file.is_some() != self.tls_key_file.is_some() {
            let wrong = "a certificate and its key come together";
            return Err(SettingsError::invalid("tls_certificate_file, tls_key_file", wrong));
        }
        for (at, origin) in self.cors_origins.iter().enumerate() {
            if origin != "*" && !is_origin(origin) {
                let wrong = format!("{origin:?} is no origin: https://desk.example.com, or \"*\"");
                return Err(SettingsError::invalid(format!("cors_origins[{at}]"), wrong));
            }
        }
        self.apps.iter().enumerate().try_for_each(|(at, app)| app.check(at, &self.apps))
    }

    /// What can be honoured, and is most likely not meant: apps that may ask for nothing, and
    /// secrets that are short or that others may read.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        self.apps.iter().enumerate().flat_map(|(at, app)| app.doubts(at)).collect()
    }

    /// Every file that is named.
    fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let own = self.cases.iter_mut().filter(|file| file.as_os_str() != "-");
        let tls = self.tls_certificate_file.iter_mut().chain(&mut self.tls_key_file);
        own.chain(&mut self.store)
            .chain(tls)
            .chain(self.apps.iter_mut().flat_map(AppSettings::files))
    }
}

/// Whether a text is a scheme and a host, with a port or without, and nothing behind it.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<axum::http::Uri>() else { return false };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    is_web && uri.authority().is_some() && uri.path() == "/" && !text.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_read_and_says_the_defaults() {
        let settings = Settings::from_toml(EXAMPLE).unwrap();
        assert_eq!(settings.limits, Limits::default());
        assert_eq!(settings.listen, Settings::default().listen);
        assert_eq!(settings.apps.len(), 1);
    }

    #[test]
    fn what_cannot_be_honoured_is_told_with_its_place() {
        let app = "[[app]]\nid=\"a\"\nalgorithms=[\"HS256\"]\naccounts=[\"*\"]\nstreams=[\"*\"]\n\
                   scopes=[\"Case Management Configuration\"]\n";
        let with = |more: &str| format!("{app}{more}");
        for (text, expected) in [
            ("listn = 1".to_owned(), "listn"),
            ("threads = 0".to_owned(), "threads"),
            ("tls_key_file = \"k\"".to_owned(), "tls_certificate_file"),
            ("store = \"s\"\ncases = [\"c\"]".to_owned(), "store, cases"),
            ("cors_origins = [\"desk\"]".to_owned(), "cors_origins[0]"),
            ("[limits]\nheader_seconds = 0".to_owned(), "limits.header_seconds"),
            (app.to_owned(), "app[0]"),
            (with("secret=\"\""), "app[0].secret"),
            (with("secret=\"s\"\npublic_key_file=\"k\""), "app[0]"),
            (with("public_key_file=\"k\""), "app[0].algorithms"),
            (with(&format!("secret=\"s\"\n{app}secret=\"t\"")), "app[1].id"),
        ] {
            let error = Settings::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn files_are_looked_for_beside_the_configuration() {
        let folder = std::env::temp_dir().join(format!("getcases-settings-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("getcases.toml");
        std::fs::write(&file, "cases = [\"a.ndjson\", \"/b.ndjson\", \"-\"]").unwrap();
        let cases = Settings::from_file(&file).unwrap().cases;
        let expected = [folder.join("a.ndjson"), "/b.ndjson".into(), "-".into()];
        assert_eq!(cases, expected);
        std::fs::write(&file, "store = \"cases\"").unwrap();
        assert_eq!(Settings::from_file(&file).unwrap().store, Some(folder.join("cases")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
