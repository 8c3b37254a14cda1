//! What is answered where.

mod admit;
mod batch;
mod case;
mod get_cases;
mod probes;
mod stats;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method};
use axum::routing::{MethodRouter, get, post};
use getcases::{Code, Problem};

use crate::Server;
use crate::refused::Refused;

/// The endpoint of the API's page.
const DOCUMENTED: &str = "/caseManagement/api/public/analytics/{streamId}/getCases";

/// Every path that is answered at.
pub(crate) fn router(server: Server) -> Router {
    Router::new()
        .route(DOCUMENTED, only(post(get_cases::documented), "POST"))
        .route("/v1/{account}/{stream}/getCases", only(post(get_cases::own), "POST"))
        .route(
            "/v1/{account}/{stream}/cases/{id}",
            only(get(case::get).put(case::put).delete(case::delete), "GET, HEAD, PUT, DELETE"),
        )
        .route("/v1/{account}/{stream}/cases:batch", only(post(batch::write), "POST"))
        .route("/v1/{account}/{stream}/cases:get", only(post(batch::get), "POST"))
        .route("/v1/{account}/{stream}/stats", only(get(stats::stats), "GET, HEAD"))
        .route("/livez", only(get(probes::live), "GET, HEAD"))
        .route("/readyz", only(get(probes::ready), "GET, HEAD"))
        .route("/metrics", only(get(probes::metrics), "GET, HEAD"))
        .fallback(unknown_path)
        .with_state(server)
}

/// A path with its methods; any other is told which there are.
fn only(methods: MethodRouter<Server>, names: &'static str) -> MethodRouter<Server> {
    methods.fallback(move |method: Method| async move {
        let problem = Problem::new(Code::MethodNotAllowed, "$", "the path has no such method");
        let problem = problem.with_value(method.as_str()).accepts(names);
        Refused::from(problem).allow(HeaderValue::from_static(names))
    })
}

async fn unknown_path(request: Request) -> Refused {
    let problem = Problem::new(Code::UnknownPath, "$", "nothing is answered at this path");
    problem.with_value(request.uri().path()).accepts(DOCUMENTED).into()
}
