//! The endpoint of the Get Cases API in an axum application, over made cases:
//! `cargo run --release -p getcases-examples --bin handler -- 127.0.0.1:8080`
//!
//! A question takes microseconds, so it is answered right on the thread that has the connection;
//! what reads megabytes, such as a large batch, goes to a thread that may block. Who may ask what
//! is left out here: a host checks its token before it makes a [`Scope`] of the path.
//!
//! How many it answers a second, with Debian's `wrk`:
//!
//! ```sh
//! echo 'wrk.method="POST"
//! wrk.body=[[{"unresolved":true,"sortBy":"dueDate","limit":50}]]' > page.lua
//! wrk -t1 -c16 -d5s -s page.lua http://127.0.0.1:8080/account/stream/getCases
//! ```
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{post, put};
use axum::{Router, response::IntoResponse};
use getcases::{Batch, Code, Context, Engine, Problem, Query, Refusal, Scope};
use getcases_workload::{Shape, Workload};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

/// The account and the stream that made cases go to.
const ACCOUNT: &str = "account";
const STREAM: &str = "stream";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let engine = Arc::new(Engine::new());
    fill(&engine, 10_000).await?;
    let app = Router::new()
        .route("/{account}/{stream}/getCases", post(get_cases))
        .route("/{account}/{stream}/ids", post(ids))
        .route("/{account}/{stream}/cases", put(put_cases))
        .with_state(engine);
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}/{ACCOUNT}/{STREAM}/getCases", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// A batch that is filled bit by bit, as from a stream, and seen whole.
async fn fill(engine: &Engine, cases: u64) -> Result<(), Box<dyn Error>> {
    let workload = Workload::new(cases, 1, Shape::Lean);
    let desk = Scope::new(ACCOUNT, STREAM);
    let (mut batch, mut document) = (Batch::new(), Vec::new());
    for number in 0..cases {
        document.clear();
        workload.write_case(number, &mut document);
        batch.upsert(&desk, &document)?;
        tokio::task::yield_now().await;
    }
    engine.commit(batch)?;
    Ok(())
}

type Engines = State<Arc<Engine>>;
type Names = Path<(String, String)>;

/// Body to body: documents are copied once.
async fn get_cases(
    State(engine): Engines,
    Path((account, stream)): Names,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Refused> {
    let snapshot = engine.snapshot(&Scope::new(&account, &stream));
    let found = snapshot.search_json(&body, &context(&headers)?)?;
    let mut response = json(StatusCode::OK, found.json);
    if let Ok(ignored) = found.ignored.join(", ").parse::<axum::http::HeaderValue>()
        && !ignored.is_empty()
    {
        response.headers_mut().insert("x-getcases-ignored", ignored);
    }
    Ok(response)
}

/// The ids and the total alone, for a host that has the documents itself.
async fn ids(
    State(engine): Engines,
    Path((account, stream)): Names,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, Refused> {
    let snapshot = engine.snapshot(&Scope::new(&account, &stream));
    let query = Query::from_json(&body, &context(&headers)?)?;
    let hits = snapshot.search_ids(&query);
    Ok(json(StatusCode::OK, format!("{} {}\n", hits.total_results, hits.ids.join(" "))))
}

/// Stores cases, one a line; all of them, or where one is wrong none.
async fn put_cases(
    State(engine): Engines,
    Path((account, stream)): Names,
    body: Bytes,
) -> Result<Response<Body>, Refused> {
    let written = spawn_blocking(move || {
        let desk = Scope::new(&account, &stream);
        let mut batch = Batch::new();
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            batch.upsert(&desk, line)?;
        }
        let full = |error: getcases::WriteError| {
            Refusal::from(Problem::new(Code::TooManyValues, "$", error.to_string()))
        };
        engine.commit(batch).map_err(full)
    });
    match written.await {
        Ok(written) => {
            let written = written?;
            let told =
                HashMap::from([("inserted", written.inserted), ("replaced", written.replaced)]);
            Ok(json(StatusCode::OK, format!("{told:?}\n")))
        }
        Err(_) => Ok(json(StatusCode::INTERNAL_SERVER_ERROR, Vec::new())),
    }
}

/// What the headers say; a wrong one is refused as a wrong body is.
fn context(headers: &HeaderMap) -> Result<Context, Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut context = Context { user: text("x-user").map(str::to_owned), ..Context::default() };
    if let Some(offset) = text("x-timezone-offset") {
        context.offset_minutes = offset.trim().parse().map_err(|_| {
            let problem = Problem::new(Code::InvalidOffset, "X-Timezone-Offset", "no offset");
            Refused(problem.accepts("minutes from -840 to 720, where utc = local + offset").into())
        })?;
    }
    Ok(context)
}

/// A refusal as a response.
struct Refused(Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.0.http_status());
        json(status.unwrap_or(StatusCode::BAD_REQUEST), self.0.to_json())
    }
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
