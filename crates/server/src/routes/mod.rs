//! What is answered where.

mod admit;
mod batch;
mod case;
mod changes;
#[cfg(feature = "docs-page")]
mod docs_page;
mod get_cases;
mod openapi;
mod probes;
mod stats;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Uri};
use axum::routing::{MethodRouter, get};
use getcases::{Code, Problem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::Server;
use crate::refused::Refused;
use crate::request;

/// The endpoint of the API's page.
const DOCUMENTED: &str = "/caseManagement/api/public/analytics/{streamId}/getCases";

/// The same, under a path of our own; /openapi.json tells of the others.
const OWN: &str = "/v1/{account}/{stream}/getCases; /openapi.json has every path";

/// Every path that is answered at. Those of the API come with its document.
pub(crate) fn router(server: Server) -> Router {
    let read = |own| only(own, "GET, HEAD");
    let post = |own| only(own, "POST");
    let (router, document) = OpenApiRouter::with_openapi(openapi::document())
        .routes(routes!(get_cases::documented).map(post))
        .routes(routes!(get_cases::own).map(post))
        .routes(
            routes!(case::get, case::put, case::patch, case::delete)
                .map(|own| only(own, "GET, HEAD, PUT, PATCH, DELETE")),
        )
        .routes(routes!(batch::write_cases).map(post))
        .routes(routes!(batch::get).map(post))
        .routes(routes!(changes::changes).map(read))
        .routes(routes!(stats::stats).map(read))
        .routes(routes!(probes::live).map(read))
        .routes(routes!(probes::ready).map(read))
        .routes(routes!(probes::metrics).map(read))
        .split_for_parts();
    let text = openapi::text(&document).ok();
    let described = get(async move || openapi::answer(text.clone()));
    let router = router.route("/openapi.json", only(described, "GET, HEAD"));
    #[cfg(feature = "docs-page")]
    let router = docs_page::add(router, |own| only(own, "GET, HEAD"));
    router.fallback(unknown_path).with_state(server)
}

/// A path with its methods; any other is told which there are.
fn only(methods: MethodRouter<Server>, names: &'static str) -> MethodRouter<Server> {
    methods.fallback(move |method: Method, uri: Uri| async move {
        if let Err(refused) = request::check_path(&uri) {
            return refused;
        }
        let problem = Problem::new(Code::MethodNotAllowed, "$", "the path has no such method");
        let problem = problem.with_value(method.as_str()).accepts(names);
        Refused::from(problem).allow(HeaderValue::from_static(names))
    })
}

async fn unknown_path(request: Request) -> Refused {
    no_such_path(request.uri())
}

fn no_such_path(uri: &Uri) -> Refused {
    let problem = Problem::new(Code::UnknownPath, "$", "nothing is answered at this path");
    let is_own = uri.path().starts_with("/v1");
    problem.with_value(uri.path()).accepts(if is_own { OWN } else { DOCUMENTED }).into()
}
