//! What an answer may be packed by.

use axum::extract::Request;
use axum::http::{HeaderValue, header};

/// Takes out of a request that no answer may come as it is. What was asked for is done when the
/// answer is packed, and a 406 would hide what became of it: where a client takes none of our
/// encodings, it is answered without one, which RFC 9110 (12.5.3) leaves to a server.
pub(crate) async fn take_identity(mut request: Request) -> Request {
    let headers = request.headers_mut();
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let accepted: Vec<_> = accepted.filter_map(|own| own.to_str().ok()).collect();
    let codings = accepted.iter().flat_map(|own| own.split(',')).map(str::trim);
    let kept: Vec<_> = codings.clone().filter(|own| !refuses_identity(own)).collect();
    if kept.len() == codings.count() {
        return request;
    }
    let kept = HeaderValue::try_from(kept.join(", "));
    headers.remove(header::ACCEPT_ENCODING);
    if let Ok(kept) = kept
        && !kept.is_empty()
    {
        headers.insert(header::ACCEPT_ENCODING, kept);
    }
    request
}

/// Whether a coding with its weight is `identity` or any, and is not taken.
fn refuses_identity(coding: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let is_identity =
        parts.next().is_some_and(|own| own == "*" || own.eq_ignore_ascii_case("identity"));
    let weight = parts.find_map(|own| own.strip_prefix("q=").or_else(|| own.strip_prefix("Q=")));
    is_identity && weight.is_some_and(|own| own.trim().parse() == Ok(0.0_f32))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn identity_is_always_taken() {
        for (given, kept) in [
            ("identity;q=0", None),
            ("*; q=0.000", None),
            ("gzip;q=0.5, *;q=0", Some("gzip;q=0.5")),
            ("gzip, identity;q=0.5", Some("gzip, identity;q=0.5")),
            ("br;q=0, gzip;q=0", Some("br;q=0, gzip;q=0")),
        ] {
            let request = Request::builder().header("accept-encoding", given).body(Body::empty());
            let request = take_identity(request.unwrap()).await;
            let own = request.headers().get("accept-encoding").map(|own| own.to_str().unwrap());
            assert_eq!(own, kept, "{given}");
        }
    }
}
