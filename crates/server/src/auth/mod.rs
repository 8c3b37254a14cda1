//! Who asks, and which scope that gives.
//!
//! [`Reader`] and [`Writer`] are made here alone, from a token and a scope: the cases of a scope
//! are reached through them, so no handler can be written that asks nobody.

mod apps;
mod token;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use getcases::{Code, Problem, Scope};

use crate::cases::Cases;
use crate::refused::Refused;
use crate::settings::{CONFIGURATION, WRITE};
use apps::App;

pub use apps::Apps;
pub use token::{TokenError, make_token};

/// How long a token may be, in bytes.
const TOKEN_BYTES: usize = 8 << 10;
/// The header of the API's page. `Authorization` is read too.
const AUTH: &str = "auth";

/// Who may ask.
#[derive(Debug)]
#[non_exhaustive]
pub enum Access {
    /// Whoever has a token of one of these.
    Apps(Apps),
    /// Everybody, for every scope, as this user. For a machine of one's own alone: what a browser
    /// asks for a page of elsewhere, or by a name that is not this machine's, is refused.
    Everybody {
        /// The user of `mycase`.
        user: Option<String>,
    },
}

/// Who asks: known, and with no right to anything yet.
pub(crate) struct Caller {
    /// Nothing where everybody may ask.
    app: Option<Arc<App>>,
    user: Option<String>,
}

/// Someone who may read a scope.
#[derive(Debug)]
pub(crate) struct Reader {
    scope: Scope,
    user: Option<String>,
}

/// Someone who may write into a scope.
#[derive(Debug)]
pub(crate) struct Writer {
    scope: Scope,
}

impl Access {
    /// Whether there is anybody who may read a scope.
    pub(crate) fn has_reader_of(&self, scope: &Scope) -> bool {
        match self {
            Self::Everybody { .. } => true,
            Self::Apps(apps) => apps.iter().any(|app| app.holds(CONFIGURATION) && app.may(scope)),
        }
    }

    /// Who asks, by the token.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refused> {
        match self {
            Self::Everybody { .. } if is_from_elsewhere(headers) => Err(from_elsewhere()),
            Self::Everybody { user } => Ok(Caller { app: None, user: user.clone() }),
            Self::Apps(apps) => {
                let checked = token_of(headers).and_then(|token| token::check(token, apps));
                let (app, user) = checked.map_err(unauthenticated)?;
                Ok(Caller { app: Some(app), user })
            }
        }
    }
}

impl Caller {
    /// The right to read a scope, which is there.
    pub(crate) fn reader(
        self,
        cases: &Cases,
        account: &str,
        stream: &str,
    ) -> Result<Reader, Refused> {
        self.must_hold(CONFIGURATION)?;
        let scope = Scope::new(account, stream);
        // Both are looked at whatever one says: what is foreign takes the time of what is unknown.
        let is_there = cases.has(&scope);
        if self.may(&scope) & is_there {
            Ok(Reader { scope, user: self.user })
        } else {
            Err(unknown_stream())
        }
    }

    /// The right to write into a scope, whether it is there or begins with this.
    pub(crate) fn writer(self, account: &str, stream: &str) -> Result<Writer, Refused> {
        self.must_hold(WRITE)?;
        let scope = Scope::new(account, stream);
        if self.may(&scope) { Ok(Writer { scope }) } else { Err(unknown_stream()) }
    }

    fn must_hold(&self, scope: &'static str) -> Result<(), Refused> {
        if self.app.as_ref().is_none_or(|app| app.holds(scope)) {
            return Ok(());
        }
        let msg = "the app does not have the scope that this needs";
        Err(Problem::new(Code::MissingScope, AUTH, msg).accepts(scope).into())
    }

    fn may(&self, scope: &Scope) -> bool {
        self.app.as_ref().is_none_or(|app| app.may(scope))
    }
}

impl Reader {
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The user of `mycase`.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

impl Writer {
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// The one token of a request.
fn token_of(headers: &HeaderMap) -> Result<&str, &'static str> {
    let mut tokens =
        headers.get_all(AUTH).iter().chain(headers.get_all(header::AUTHORIZATION).iter());
    let token = tokens.next().ok_or("there is no token")?;
    if tokens.next().is_some() {
        return Err("there are several tokens");
    }
    let token = token.to_str().map_err(|_| "the token is no text")?.trim();
    let token = match token.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer ") => token.trim_start(),
        _ => token,
    };
    if token.len() > TOKEN_BYTES { Err("the token is too long") } else { Ok(token) }
}

/// Whether a browser asks for a page of elsewhere, or for one whose name was made to mean this
/// machine.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let own = headers.get_all(header::ORIGIN).iter().chain(headers.get_all(header::HOST).iter());
    own.into_iter().any(|value| !value.to_str().is_ok_and(is_this_machine))
}

/// Whether an origin or a host is a loopback address, or `localhost`.
fn is_this_machine(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, authority)| authority);
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn from_elsewhere() -> Refused {
    let msg = "without tokens, only pages and programs of this machine may ask";
    let problem = Problem::new(Code::Unauthenticated, "Origin, Host", msg);
    problem.accepts("localhost, or a loopback address").into()
}

/// The answer to every token that is none. Which of the ways it is wrong in is not for whoever
/// sends it.
fn unauthenticated(why: &'static str) -> Refused {
    let problem = Problem::new(Code::Unauthenticated, AUTH, "who asks is not known")
        .accepts("one token of a configured app, signed by it, that has begun and not ended");
    Refused::from(problem).because(why)
}

/// One answer for what is foreign and what is not there.
fn unknown_stream() -> Refused {
    let msg = "no such account and stream, or they are not yours";
    Problem::new(Code::UnknownStream, "streamId", msg).into()
}
