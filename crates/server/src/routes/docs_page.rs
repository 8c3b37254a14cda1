//! A page that shows the API and asks it; every file of it is in the program.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::{MethodRouter, get};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::{Config, serve};

use super::no_such_path;
use crate::Server;
use crate::refused::Refused;

/// Where the document is, seen from `/docs/`, also where the router is mounted below another path.
const DOCUMENT: &str = "../openapi.json";
/// What the page may load: nothing from elsewhere.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'";

/// Adds the page at `/docs/`.
pub(super) fn add(
    router: Router<Server>,
    only: impl Fn(MethodRouter<Server>) -> MethodRouter<Server>,
) -> Router<Server> {
    let to_page = || async { moved("docs/") };
    router
        .route("/docs", only(get(to_page)))
        .route(
            "/docs/",
            only(get(async |headers: HeaderMap, uri: Uri| file("index.html", &uri, &headers))),
        )
        .route(
            "/docs/{file}",
            only(get(async |Path(name): Path<String>, headers: HeaderMap, uri: Uri| {
                file(&name, &uri, &headers)
            })),
        )
}

fn file(name: &str, uri: &Uri, asked: &HeaderMap) -> Result<Response<Body>, Refused> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from(DOCUMENT).try_it_out_enabled(true).doc_expansion("list");
        Arc::new(config.default_models_expand_depth(0))
    });
    let file = serve(name, CONFIG.clone()).map_err(|_| Refused::internal())?;
    let file = file.ok_or_else(|| no_such_path(uri))?;
    let is_packed = file.gzpipped && takes_gzip(asked);
    let mut bytes = file.bytes.into_owned();
    if file.gzpipped && !is_packed {
        let mut plain = Vec::new();
        let unpacked = GzDecoder::new(&*bytes).read_to_end(&mut plain);
        unpacked.map_err(|_| Refused::internal())?;
        bytes = plain;
    }
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::try_from(file.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Whether a client takes what is packed by gzip: it must say so.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let values = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values.filter_map(|own| own.to_str().ok()).flat_map(|own| own.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|own| own.trim().parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_none_or(|own: f32| own > 0.0)
    })
}

fn moved(to: &'static str) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    response
}
