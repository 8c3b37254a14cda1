//! Tokens: checked, and made to try with.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Header, decode, encode, get_current_timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::apps::{App, Apps};

/// What a token says before anything of it is believed: whose it may be.
#[derive(Deserialize)]
struct Unproven {
    #[serde(rename = "appId")]
    app: String,
}

/// What a token says. `exp` and `nbf` are judged by the library.
#[derive(Deserialize)]
struct Claims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

/// The app that has signed a token, and the user whom it names. Says why it has not, for the log.
pub(super) fn check(token: &str, apps: &Apps) -> Result<(Arc<App>, Option<String>), &'static str> {
    let unproven: Unproven = insecure_decode_claims(token).map_err(|_| "the token is malformed")?;
    let app = apps.get(&unproven.app).ok_or("no such app")?;
    let proven = decode::<Claims>(token, &app.key, &app.validation).map_err(|error| {
        use jsonwebtoken::errors::ErrorKind::{
            ExpiredSignature, ImmatureSignature, InvalidAlgorithm, InvalidSignature,
        };
        match error.kind() {
            InvalidSignature => "the signature is wrong",
            ExpiredSignature => "the token has ended",
            ImmatureSignature => "the token has not begun",
            InvalidAlgorithm => "another algorithm",
            _ => "the token is wrong",
        }
    })?;
    // What must be understood, and is not, makes a token invalid (RFC 7515, 4.1.11).
    if proven.header.crit.is_some() {
        return Err("it asks for an extension");
    }
    let claims = proven.claims.all;
    // Of a claim that is there twice the last one counts; both readings must be of one app.
    if claims.get("appId").and_then(Value::as_str) != Some(&unproven.app) {
        return Err("it names two apps");
    }
    let user = claims.get(&app.user_claim).and_then(Value::as_str).map(str::to_owned);
    Ok((app.clone(), user))
}

/// Why no token can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// No app has this id.
    #[error("no app {0:?} is configured")]
    UnknownApp(String),
    /// The server has only the public key of the app: whoever has the private one makes tokens.
    #[error("app {0:?} has a public key, and tokens are made with the private one")]
    PublicKey(String),
    /// The app takes only tokens that end.
    #[error("app {0:?} takes only tokens that end (require_exp)")]
    NoEnd(String),
    /// Signing failed.
    #[error("the token cannot be signed: {0}")]
    Signing(String),
}

/// A token of an app to try with, which ends after a time; where the app asks for none, it may have
/// no end.
///
/// # Errors
/// Where the app is not there, has no secret, or takes only tokens that end.
pub fn make_token(
    apps: &Apps,
    app: &str,
    user: Option<&str>,
    expires: Option<Duration>,
) -> Result<String, TokenError> {
    #[derive(Serialize)]
    struct Made<'t> {
        sub: &'t str,
        #[serde(rename = "appId")]
        app: &'t str,
        #[serde(flatten)]
        more: Map<String, Value>,
    }
    let own = apps.get(app).ok_or_else(|| TokenError::UnknownApp(app.to_owned()))?;
    let key = own.signing.as_ref().ok_or_else(|| TokenError::PublicKey(app.to_owned()))?;
    if expires.is_none() && own.validation.required_spec_claims.contains("exp") {
        return Err(TokenError::NoEnd(app.to_owned()));
    }
    let mut more = Map::new();
    let now = get_current_timestamp();
    more.insert("iat".to_owned(), now.into());
    if let Some(expires) = expires {
        more.insert("exp".to_owned(), now.saturating_add(expires.as_secs()).into());
    }
    let sub = match user {
        Some(user) if own.user_claim == "sub" => user,
        Some(user) => {
            more.insert(own.user_claim.clone(), user.into());
            app
        }
        None => app,
    };
    let header = Header::new(jsonwebtoken::Algorithm::HS256);
    encode(&header, &Made { sub, app, more }, key)
        .map_err(|error| TokenError::Signing(error.to_string()))
}
