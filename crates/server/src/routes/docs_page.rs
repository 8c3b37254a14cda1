//! A page that shows the API and asks it; every file of it is in the program.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::{MethodRouter, get};
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
        .route("/docs/", only(get(async |uri: Uri| file("index.html", &uri))))
        .route(
            "/docs/{file}",
            only(get(async |Path(name): Path<String>, uri: Uri| file(&name, &uri))),
        )
}

fn file(name: &str, uri: &Uri) -> Result<Response<Body>, Refused> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from(DOCUMENT).try_it_out_enabled(true).doc_expansion("list");
        Arc::new(config.default_models_expand_depth(0))
    });
    let file = serve(name, CONFIG.clone()).map_err(|_| Refused::internal())?;
    let file = file.ok_or_else(|| no_such_path(uri))?;
    let mut response = Response::new(Body::from(file.bytes.into_owned()));
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::try_from(file.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if file.gzpipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

fn moved(to: &'static str) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(to));
    response
}
