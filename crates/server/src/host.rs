//! The host that a request names.

use axum::http::header::HOST;
use axum::http::{HeaderValue, Request, Version};
use getcases::{Code, Problem};

use crate::refused::Refused;

/// Lets the host be the one of the target, where that is a whole URI (RFC 9112, 3.2.2).
///
/// # Errors
/// Where HTTP/1.1 names no host, or several (RFC 9112, 3.2).
pub(crate) fn settle<B>(request: &mut Request<B>) -> Result<(), Refused> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (first, second) = (hosts.next().is_some(), hosts.next().is_some());
    let target = request.uri().authority().map(|own| HeaderValue::try_from(own.as_str()));
    let problem = match target {
        _ if second => Problem::new(Code::RepeatedHeader, "Host", "the header is there twice"),
        Some(Ok(host)) => {
            request.headers_mut().insert(HOST, host);
            return Ok(());
        }
        _ if !first && request.version() >= Version::HTTP_11 => {
            Problem::new(Code::MissingHeader, "Host", "the header is missing")
        }
        _ => return Ok(()),
    };
    Err(problem.accepts("one host").into())
}
