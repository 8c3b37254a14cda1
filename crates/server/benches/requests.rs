//! Requests a second, beside the same router answering the same bytes from memory:
//! `cargo bench -p getcases-server --bench requests` (needs `wrk`: `apt-get install wrk`).
//!
//! Both servers are this program, one after the other, each with one thread on the first core;
//! wrk has the second. What is answered from memory goes through the same connections, the same
//! surroundings and the same reading of the body: what is left out is judging, finding and writing.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, header};
use bytes::Bytes;
use getcases::{Engine, Scope};
use getcases_server::{Access, Limits, Server};
use getcases_workload::{ACCOUNT_ID, STREAM_ID, Shape, Workload};
use http_body_util::BodyExt;
use tokio::net::TcpListener;

type Failure = Box<dyn Error + Send + Sync>;

/// What says which server this is to be, and the file of the bytes that it has in memory.
const ROLE: &str = "GETCASES_BENCH_MEMORY";
const CASES: u64 = 20_000;
const ROUNDS: usize = 5;
const SECONDS: u64 = 3;
const CONNECTIONS: usize = 32;
const QUESTIONS: [(&str, &str); 4] = [
    ("limit 0", r#"{"unresolved":true,"limit":0}"#),
    ("page of 1", r#"{"unresolved":true,"limit":1}"#),
    ("page of 50", r#"{"unresolved":true,"limit":50}"#),
    ("page of 50, due first", r#"{"status":["open","new"],"sortBy":"dueDate","limit":50}"#),
];

fn main() -> Result<(), Failure> {
    if let Some(file) = std::env::var_os(ROLE) {
        let answer = if file.is_empty() { None } else { Some(std::fs::read(file)?) };
        return serve(answer);
    }
    // A test run of benches asks only whether they start.
    if std::env::args().any(|arg| arg == "--test") {
        return Ok(());
    }
    println!(
        "{:<24}{:>12}{:>12}{:>8}{:>10}{:>10}",
        "", "engine/s", "memory/s", "ratio", "p99 ms", "bytes"
    );
    for (name, question) in QUESTIONS {
        let answer = Served::start(None)?.answer(question)?;
        let file = std::env::temp_dir().join(format!("getcases-{}.json", std::process::id()));
        std::fs::write(&file, &answer)?;
        let path = file.to_str().ok_or("no UTF-8")?;
        let (mut engine, mut memory, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let own = Served::start(None)?.measure(question)?;
            let other = Served::start(Some(path))?;
            assert_eq!(other.answer(question)?, answer, "the same bytes");
            let other = other.measure(question)?;
            ratios.push(own.0 / other.0);
            engine.push(own);
            memory.push(other.0);
        }
        std::fs::remove_file(&file)?;
        let late = median(engine.iter().map(|own| own.1));
        let engine = median(engine.iter().map(|own| own.0));
        println!(
            "{name:<24}{engine:>12.0}{:>12.0}{:>8.2}{late:>10.2}{:>10}",
            median(memory.into_iter()),
            median(ratios.into_iter()),
            answer.len(),
        );
    }
    Ok(())
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// A server in a process of its own, which ends with this.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(memory: Option<&str>) -> Result<Self, Failure> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(std::env::current_exe()?)
            .env(ROLE, memory.unwrap_or_default())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    fn path() -> String {
        format!("/v1/{ACCOUNT_ID}/{STREAM_ID}/getCases")
    }

    /// The body of an answer.
    fn answer(&self, question: &str) -> Result<Vec<u8>, Failure> {
        use std::io::Read;
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\
             \r\n{question}",
            Self::path(),
            question.len(),
        )?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        let end = all.windows(4).position(|own| own == b"\r\n\r\n").ok_or("no head")?;
        if !all.starts_with(b"HTTP/1.1 200 ") {
            return Err("not answered".into());
        }
        Ok(all.split_off(end + 4))
    }

    /// Requests a second, and the milliseconds within which 99 % were answered.
    fn measure(&self, question: &str) -> Result<(f64, f64), Failure> {
        let script = std::env::temp_dir().join(format!("getcases-{}.lua", std::process::id()));
        let lua = format!(
            "wrk.method = 'POST'\nwrk.body = '{question}'\n\
             wrk.headers['Content-Type'] = 'application/json'\n\
             function done(summary, latency, requests)\n\
             local bad = summary.errors.status + summary.errors.read + summary.errors.timeout\n\
             print('figures', summary.requests / summary.duration * 1e6, \
             latency:percentile(99) / 1e3, bad)\nend\n"
        );
        std::fs::write(&script, lua)?;
        let output = Command::new("taskset")
            .args(["-c", "1", "wrk", "-t", "1", "-c", &CONNECTIONS.to_string()])
            .args(["-d", &format!("{SECONDS}s"), "-s"])
            .arg(&script)
            .arg(format!("http://{}{}", self.address, Self::path()))
            .output()?;
        std::fs::remove_file(&script)?;
        let text = String::from_utf8(output.stdout)?;
        let figures = text.lines().find_map(|line| line.strip_prefix("figures"));
        let figures = figures.ok_or("wrk has no figures; is it there?")?.split_whitespace();
        let figures = figures.map(str::parse::<f64>).collect::<Result<Vec<_>, _>>()?;
        match figures[..] {
            [a_second, late, 0.0] => Ok((a_second, late)),
            _ => Err(format!("not all were answered: {text}").into()),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves cases, or what is in memory.
fn serve(memory: Option<Vec<u8>>) -> Result<(), Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).event_interval(8).enable_all().build()?.block_on(async {
        let server = Server::new(Access::Everybody { user: None }, Limits::default());
        let router = match memory {
            None => {
                server.open(Arc::new(cases()?));
                server.router()
            }
            Some(answer) => {
                let answers = axum::routing::post(from_memory).with_state(Bytes::from(answer));
                let router = Router::new().route("/v1/{account}/{stream}/getCases", answers);
                server.surround(router, &[])
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        getcases_server::serve(listener, server, router, None, std::future::pending()).await?;
        Ok(())
    })
}

async fn from_memory(State(answer): State<Bytes>, request: Request) -> Response<Body> {
    // A connection goes on only behind a body that was read.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Body::from(answer));
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn cases() -> Result<Engine, Failure> {
    let engine = Engine::new();
    let (scope, workload) =
        (Scope::new(ACCOUNT_ID, STREAM_ID), Workload::new(CASES, 1, Shape::Seed));
    engine.write(|batch| {
        let mut case = Vec::new();
        (0..CASES).try_for_each(|number| {
            case.clear();
            workload.write_case(number, &mut case);
            batch.upsert(&scope, &case)
        })
    })?;
    // So that the server does not go on with it meanwhile.
    while engine.maintain(1 << 20).left > 0 {}
    Ok(engine)
}
