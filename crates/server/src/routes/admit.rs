//! Who is let in: the steps that come before a request's body is read, in the contract's order.

use axum::http::HeaderMap;
use tokio::sync::OwnedSemaphorePermit;

use crate::Server;
use crate::auth::{Caller, Reader, Writer};
use crate::cases::Cases;
use crate::refused::Refused;
use crate::rules::Rules;

/// Someone who is let in, and what there is to be asked.
pub(super) struct Admitted<'s, Who> {
    pub(super) who: Who,
    pub(super) cases: &'s Cases,
    /// That this is under way, until all of the answer is taken.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Lets somebody read a scope, by the token of a request.
pub(super) fn reader<'s>(
    server: &'s Server,
    rules: &Rules,
    headers: &HeaderMap,
    (account, stream): (&str, &str),
) -> Result<Admitted<'s, Reader>, Refused> {
    known_reader(server, rules, rules.access.caller(headers)?, (account, stream))
}

/// As [`reader`], where it is known who asks.
pub(super) fn known_reader<'s>(
    server: &'s Server,
    rules: &Rules,
    caller: Caller,
    (account, stream): (&str, &str),
) -> Result<Admitted<'s, Reader>, Refused> {
    let cases = server.cases()?;
    let who = caller.reader(cases, account, stream)?;
    Ok(Admitted { who, cases, permit: rules.accounts.enter(account)? })
}

/// Lets somebody write into a scope, by the token of a request.
pub(super) fn writer<'s>(
    server: &'s Server,
    rules: &Rules,
    headers: &HeaderMap,
    (account, stream): (&str, &str),
) -> Result<Admitted<'s, Writer>, Refused> {
    let caller = rules.access.caller(headers)?;
    let cases = server.cases()?;
    let who = caller.writer(account, stream)?;
    Ok(Admitted { who, cases, permit: rules.accounts.enter(account)? })
}
