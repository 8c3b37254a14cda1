//! The apps whose tokens are taken, with their keys.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use getcases::Scope;
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};

use crate::settings::{Algorithm, AppSettings, SettingsError};

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;
/// How long a secret of HS256 is at least, by RFC 7518.
const SECRET_BYTES: usize = 32;

/// The apps whose tokens are taken.
#[derive(Debug, Default)]
pub struct Apps {
    by_id: HashMap<String, Arc<App>>,
}

/// An app with its key.
pub(crate) struct App {
    pub(super) key: DecodingKey,
    pub(super) validation: Validation,
    /// What tokens are made with; nothing where the key is public.
    pub(super) signing: Option<EncodingKey>,
    pub(super) user_claim: String,
    accounts: Names,
    streams: Names,
    scopes: Vec<String>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { accounts, streams, scopes, .. } = self;
        f.debug_struct("App")
            .field("accounts", accounts)
            .field("streams", streams)
            .field("scopes", scopes)
            .finish_non_exhaustive()
    }
}

/// Some names, or all.
#[derive(Debug)]
enum Names {
    All,
    These(HashSet<String>),
}

impl Names {
    fn new(names: &[String]) -> Self {
        if names.iter().any(|name| name == "*") {
            Self::All
        } else {
            Self::These(names.iter().cloned().collect())
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(name),
        }
    }
}

impl Apps {
    /// The apps of a configuration; reads their secrets and keys.
    ///
    /// # Errors
    /// Where one cannot be read, or is none.
    pub fn new(settings: &[AppSettings]) -> Result<Self, SettingsError> {
        let read = |(at, own): (usize, &AppSettings)| Ok((own.id.clone(), Arc::new(app(at, own)?)));
        let by_id = settings.iter().enumerate().map(read).collect::<Result<_, SettingsError>>()?;
        Ok(Self { by_id })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &App> {
        self.by_id.values().map(AsRef::as_ref)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<App>> {
        self.by_id.get(id)
    }
}

impl App {
    pub(super) fn holds(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    pub(super) fn may(&self, scope: &Scope) -> bool {
        self.accounts.has(scope.account()) & self.streams.has(scope.stream())
    }
}

fn app(at: usize, settings: &AppSettings) -> Result<App, SettingsError> {
    let (key, signing) = keys(at, settings)?;
    let algorithms: Vec<_> = settings.algorithms.iter().map(|own| algorithm(*own)).collect();
    let mut validation = Validation::new(*algorithms.first().unwrap_or(&Default::default()));
    validation.algorithms = algorithms;
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    // Whom a token is made for is said by its app.
    validation.validate_aud = false;
    if !settings.require_exp {
        validation.required_spec_claims.clear();
    }
    Ok(App {
        key,
        validation,
        signing,
        user_claim: settings.user_claim.clone(),
        accounts: Names::new(&settings.accounts),
        streams: Names::new(&settings.streams),
        scopes: settings.scopes.clone(),
    })
}

/// What tokens are checked with and, where it is a secret, made with.
fn keys(
    at: usize,
    settings: &AppSettings,
) -> Result<(DecodingKey, Option<EncodingKey>), SettingsError> {
    let read = |file: &Path| fs::read(file).map_err(|error| SettingsError::unreadable(file, error));
    let of_secret = |secret: &[u8]| {
        if secret.len() < SECRET_BYTES {
            tracing::warn!(app = settings.id, "a secret below {SECRET_BYTES} bytes can be guessed");
        }
        (DecodingKey::from_secret(secret), Some(EncodingKey::from_secret(secret)))
    };
    if let Some(secret) = &settings.secret {
        return Ok(of_secret(secret.as_bytes()));
    }
    if let Some(file) = &settings.secret_file {
        let text = read(file)?;
        let line = text.strip_suffix(b"\n").unwrap_or(&text);
        let secret = line.strip_suffix(b"\r").unwrap_or(line);
        if secret.is_empty() {
            let wrong = format!("{} is empty", file.display());
            return Err(SettingsError::invalid(format!("app[{at}].secret_file"), wrong));
        }
        // Whoever has a public key would sign with it.
        if secret.starts_with(b"-----BEGIN ") {
            let wrong = format!("{} is a key in PEM, and no secret", file.display());
            return Err(SettingsError::invalid(format!("app[{at}].secret_file"), wrong));
        }
        return Ok(of_secret(secret));
    }
    let Some(file) = &settings.public_key_file else {
        return Err(SettingsError::invalid(format!("app[{at}]"), "it has no key"));
    };
    let pem = read(file)?;
    let key = match settings.algorithms.first() {
        Some(Algorithm::ES256) => DecodingKey::from_ec_pem(&pem),
        _ => DecodingKey::from_rsa_pem(&pem),
    };
    let wrong = |error| {
        let at = format!("app[{at}].public_key_file");
        SettingsError::invalid(at, format!("{} has no such key: {error}", file.display()))
    };
    Ok((key.map_err(wrong)?, None))
}

fn algorithm(own: Algorithm) -> jsonwebtoken::Algorithm {
    match own {
        Algorithm::HS256 => jsonwebtoken::Algorithm::HS256,
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
    }
}
