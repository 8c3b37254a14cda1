//! From the start of a server to its end.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use getcases::Engine;
use getcases_server::{Access, Apps, Limits, Server, Tls};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

use crate::client::Connection;
use crate::endpoint::asking;
use crate::setup::{app, soon};
use crate::tokens::key_file;
use crate::*;

fn apps() -> Access {
    Access::Apps(Apps::new(&[app()]).unwrap())
}

#[test]
fn nothing_is_answered_before_the_cases_are_there() {
    let engine = Arc::new(Engine::new());
    let server = Server::new(apps(), Limits::default());
    let router = server.router();
    let started = Started::serve(server, engine.clone(), router, None);
    let get = |path: &str| Request::new("GET", path).send(started.address);
    assert_eq!(get("/livez").status, 200);
    for answer in [get("/readyz"), asking("{}").send(started.address)] {
        assert_eq!((answer.status, answer.codes()), (503, vec!["not_ready".to_owned()]));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    // Whoever is not known is told nothing.
    let unknown = Request::new("POST", "/v1/a/s/getCases").json("{}").send(started.address);
    assert_eq!(unknown.status, 401);
    assert_eq!(started.metric("getcases_cases"), 0);
    assert!(started.server.open(engine) && !started.server.open(Arc::new(Engine::new())));
    assert_eq!(get("/readyz").status, 200);
    assert_eq!(asking("{}").send(started.address).codes(), ["unknown_stream"]);
}

#[test]
fn new_rules_hold_from_the_next_request_on() {
    let started = Started::new();
    let mut connection = Connection::open(started.address);
    assert_eq!(connection.ask(&asking("{}")).status, 200);
    let none = || Access::Apps(Apps::default());
    started.server.set_rules(none(), Limits::default());
    assert_eq!(connection.ask(&asking("{}")).codes(), ["unauthenticated"]);
    started.server.set_rules(apps(), Limits { body_bytes: 1024, ..Limits::default() });
    assert_eq!(connection.ask(&asking("{}")).status, 200);
    assert_eq!(connection.ask(&asking(&" ".repeat(1025))).codes(), ["body_too_large"]);
    // A request that was let in is answered by the rules that it was let in by.
    let mut slow = Connection::open(started.address);
    let bytes = asking("{}").to_bytes();
    slow.stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    started.server.set_rules(none(), Limits::default());
    slow.stream.write_all(&bytes[bytes.len() - 1..]).unwrap();
    assert_eq!(slow.answer(false).unwrap().status, 200);
}

/// Labels are of the server's own words: nothing that somebody sent, and nobody's name.
#[test]
fn metrics_have_nobodys_words() {
    let started = Started::new();
    for request in [
        asking("{}"),
        asking(r#"{"status":["private"],"limit":-1}"#),
        asking("private"),
        Request::new("GET", "/v1/private/private/stats"),
        Request::new("PRIVATE", "/private/path"),
        Request::new("POST", "/v1/private/private/getCases").header("auth", "private").json("{}"),
        Request::new("GET", "/v1/a/s/cases/private").header("auth", &token()),
    ] {
        request.send(started.address);
    }
    let answer = Request::new("GET", "/metrics").send(started.address);
    assert_eq!(answer.status, 200);
    let mut labels = std::collections::BTreeSet::new();
    for line in answer.text().lines().filter(|line| !line.starts_with('#')) {
        let (_, rest) = line.split_once('{').unwrap_or_default();
        let pairs = rest.split("\",").filter_map(|pair| pair.split_once("=\""));
        labels.extend(pairs.map(|(name, _)| name.to_owned()));
    }
    let own = ["code", "le", "method", "reason", "route", "status", "version"];
    assert!(labels.iter().all(|label| own.contains(&&**label)), "{labels:?}");
    assert!(labels.contains("route") && labels.contains("status"), "{labels:?}");
    let text = answer.text().to_ascii_lowercase();
    for word in ["private", ACCOUNT, STREAM] {
        assert!(!text.contains(&word.to_ascii_lowercase()), "{word}: {text}");
    }
}

#[test]
fn what_runs_is_ended_before_the_server_is() {
    let mut started = Started::new();
    let mut silent = Connection::open(started.address);
    let mut idle = Connection::open(started.address);
    assert_eq!(idle.ask(&asking("{}")).status, 200);
    let mut slow = Connection::open(started.address);
    let bytes = asking("{}").to_bytes();
    slow.stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    soon("all are there", || started.metric("getcases_http_connections") == 4);
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    started.stop();
    for connection in [&mut silent, &mut idle] {
        assert!(connection.answer(false).is_none());
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    soon("nobody is taken in", || std::net::TcpStream::connect(started.address).is_err());
    slow.stream.write_all(&bytes[bytes.len() - 1..]).unwrap();
    let answer = slow.answer(false).unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(slow.answer(false).is_none());
    started.wait();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn what_does_not_end_is_not_waited_for() {
    let mut started = Started::with(Limits { shutdown_seconds: 1, ..Limits::default() }, &[app()]);
    let mut slow = Connection::open(started.address);
    let bytes = asking("{}").to_bytes();
    slow.stream.write_all(&bytes[..bytes.len() - 1]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let began = Instant::now();
    started.stop();
    started.wait();
    assert!((900..5000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[test]
fn pages_of_the_named_origins_may_ask() {
    let engine = Arc::new(Engine::new());
    let server = Server::new(apps(), Limits::default());
    server.open(engine.clone());
    let router = server.router_for(&["https://desk.example".to_owned()]);
    let started = Started::serve(server, engine, router, None);
    let path = crate::endpoint::path();
    let preflight = |origin: &str| {
        Request::new("OPTIONS", &path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,accountid,content-type")
            .send(started.address)
    };
    let answer = preflight("https://desk.example");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://desk.example"));
    // `*` would leave `authorization` out.
    let headers = answer.header("access-control-allow-headers");
    assert_eq!(headers, Some("authorization,accountid,content-type"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    for origin in ["https://elsewhere.example", "null", "https://desk.example.elsewhere.example"] {
        assert_eq!(preflight(origin).header("access-control-allow-origin"), None, "{origin}");
    }
    // Refusals can be read by the page too.
    let request = asking("{}").header("Origin", "https://desk.example");
    let answer = request.send(started.address);
    assert_eq!((answer.status, answer.codes().len()), (404, 1));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://desk.example"));
    assert!(answer.header("access-control-expose-headers").is_some());
}

#[test]
fn a_server_over_tls_speaks_nothing_else() {
    let engine = Arc::new(Engine::new());
    let server = Server::new(apps(), Limits { header_seconds: 1, ..Limits::default() });
    server.open(engine.clone());
    let certificate = key_file("tls.crt.pem");
    let tls = Tls::from_files(&certificate, &key_file("tls.pem")).unwrap();
    let router = server.router();
    let started = Started::serve(server, engine, router, Some(tls));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let ask = || {
        let client = ClientConnection::new(Arc::new(config.clone()), name.clone()).unwrap();
        let stream = std::net::TcpStream::connect(started.address).unwrap();
        let mut stream = StreamOwned::new(client, stream);
        let request = Request::new("GET", "/readyz").header("Connection", "close");
        stream.write_all(&request.to_bytes()).unwrap();
        let mut text = String::new();
        // An end without a farewell would be an error.
        stream.read_to_string(&mut text).unwrap();
        assert!(text.ends_with("{\"status\":\"ready\"}"), "{text}");
    };
    ask();
    // Plain text, and a handshake that never comes, harm nobody.
    let mut plain = Connection::open(started.address);
    plain.stream.write_all(&asking("{}").to_bytes()).unwrap();
    let mut taken = Vec::new();
    let _ = plain.stream.read_to_end(&mut taken);
    assert!(!taken.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&taken));
    let mut silent = Connection::open(started.address);
    let began = Instant::now();
    let _ = silent.stream.read(&mut [0]);
    assert!((900..10_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    ask();
    // A key of another certificate is told at the start.
    assert!(Tls::from_files(&certificate, &key_file("rsa.pem")).is_err());
    assert!(Tls::from_files(&key_file("tls.pem"), &certificate).is_err());
}
