//! Clients that are slow, wrong, greedy or hostile, over real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use getcases::{Engine, Scope};
use getcases_server::{Access, Apps, Limits};
use serde_json::Value;

use crate::client::Connection;
use crate::endpoint::{asking, path};
use crate::setup::{app, soon};
use crate::*;

/// Times of a second each.
fn short() -> Limits {
    Limits {
        header_seconds: 1,
        body_seconds: 1,
        idle_seconds: 1,
        write_seconds: 1,
        ..Limits::default()
    }
}

/// Sends bytes as they are, and reads all that comes back: the statuses, and whether the server
/// ended the connection after them.
fn statuses(address: SocketAddr, bytes: &[u8]) -> (Vec<u16>, bool) {
    let mut connection = Connection::open(address);
    // What is answered early may end the connection before all is sent.
    let _ = connection.stream.write_all(bytes);
    let patience = Duration::from_millis(400);
    connection.stream.set_read_timeout(Some(patience)).unwrap();
    let mut statuses = Vec::new();
    while let Some(answer) = connection.answer(bytes.starts_with(b"HEAD")) {
        statuses.push(answer.status);
    }
    let ended = match connection.stream.read(&mut [0]) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    };
    (statuses, ended)
}

fn is_alive(started: &Started) -> bool {
    asking("{}").send(started.address).status == 200
}

/// How long it takes until the server ends a connection.
fn time_to_end(connection: &mut Connection) -> Duration {
    let started = Instant::now();
    while matches!(connection.stream.read(&mut [0; 4096]), Ok(length) if length > 0) {}
    started.elapsed()
}

/// A head that is right but for some of its lines.
fn head(lines: &str) -> String {
    format!("POST {} HTTP/1.1\r\nHost: h\r\n{lines}", path())
}

#[test]
fn whoever_says_nothing_or_drips_is_cut_off() {
    let started = Started::with(short(), &[app()]);
    let cut = |send: &'static [u8]| {
        let address = started.address;
        std::thread::spawn(move || {
            let mut connection = Connection::open(address);
            let mut drip = connection.stream.try_clone().unwrap();
            // One byte after the other, until nobody takes it.
            std::thread::spawn(move || {
                for byte in send.iter().cycle().take(if send.is_empty() { 0 } else { 300 }) {
                    if drip.write_all(&[*byte]).is_err() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
            time_to_end(&mut connection)
        })
    };
    let drips: [&[u8]; 4] = [b"", b"G", b"GET /livez HTTP/1.1\r\nA: ", b"\r\n"];
    for (send, cut) in drips.map(|send| (send, cut(send))) {
        let time = cut.join().unwrap();
        let expected = Duration::from_millis(900)..Duration::from_secs(6);
        assert!(expected.contains(&time), "{:?}: {time:?}", String::from_utf8_lossy(send));
    }
    assert!(is_alive(&started));
}

#[test]
fn each_request_has_its_own_time() {
    let started = Started::with(Limits { idle_seconds: 4, ..short() }, &[app()]);
    let mut connection = Connection::open(started.address);
    // Alive for longer than a head may take, and than a connection may be silent.
    for _ in 0..4 {
        assert_eq!(connection.ask(&Request::new("GET", "/livez")).status, 200);
        std::thread::sleep(Duration::from_millis(1300));
    }
    assert_eq!(connection.ask(&asking("{}")).status, 200);
    assert!(time_to_end(&mut connection) > Duration::from_secs(3));
    // A head that begins after an answer has the time of a head.
    let mut connection = Connection::open(started.address);
    assert_eq!(connection.ask(&Request::new("GET", "/livez")).status, 200);
    connection.stream.write_all(b"GET /li").unwrap();
    assert!(time_to_end(&mut connection) < Duration::from_secs(3));
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let started = Started::with(short(), &[app()]);
    for lines in ["Content-Length: 10\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"] {
        let mut connection = Connection::open(started.address);
        let lines = format!("auth: {}\r\naccountId: {ACCOUNT}\r\n{lines}", token());
        connection.stream.write_all(head(&lines).as_bytes()).unwrap();
        let answer = connection.answer(false).unwrap();
        assert_eq!((answer.status, answer.codes()), (408, vec!["request_timeout".to_owned()]));
        assert!(connection.answer(false).is_none());
        // Broken off in the middle: whoever has only ended to send is told.
        let mut connection = Connection::open(started.address);
        connection.stream.write_all(head(&lines).as_bytes()).unwrap();
        connection.stream.shutdown(Shutdown::Write).unwrap();
        let answer = connection.answer(false).unwrap();
        assert_eq!((answer.status, answer.codes()), (400, vec!["invalid_json".to_owned()]));
    }
    assert!(is_alive(&started));
}

#[test]
fn whoever_ends_sending_is_answered() {
    let started = Started::new();
    for _ in 0..20 {
        let mut connection = Connection::open(started.address);
        connection.stream.write_all(&asking("{}").to_bytes()).unwrap();
        connection.stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(connection.answer(false).unwrap().status, 200);
    }
    // Gone altogether, in the middle of anything.
    for length in [0, 1, 40, 300] {
        let mut connection = Connection::open(started.address);
        connection.stream.write_all(&asking("{}").to_bytes()[..length]).unwrap();
    }
    soon("those who are gone are let go", || started.metric("getcases_http_connections") == 1);
    assert!(is_alive(&started));
}

/// How many files this process may open, where that is told.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    soft.unwrap_or(256)
}

#[test]
fn idle_connections_are_in_nobodys_way() {
    // However long a busy machine takes to open them all.
    let started = Started::with(Limits { header_seconds: 600, ..Limits::default() }, &[app()]);
    // Both ends of each are files of this process, and other tests have theirs.
    let count = (open_files() / 3).min(5000);
    let mut idle: Vec<_> = (0..count).map(|_| Connection::open(started.address)).collect();
    for connection in idle.iter_mut().step_by(2) {
        connection.stream.write_all(b"POST /x HTTP/1.1\r\nA: ").unwrap();
    }
    let began = Instant::now();
    for _ in 0..50 {
        assert!(is_alive(&started));
    }
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(started.metric("getcases_http_connections") as usize > count);
    drop(idle);
    soon("all are let go", || started.metric("getcases_http_connections") == 1);
}

#[test]
fn an_endless_body_ends() {
    let started = Started::with(Limits { body_bytes: 10_000, ..Limits::default() }, &[app()]);
    for is_known in [true, false] {
        let mut connection = Connection::open(started.address);
        let auth = if is_known { token() } else { "none".to_owned() };
        let lines =
            format!("auth: {auth}\r\naccountId: {ACCOUNT}\r\nTransfer-Encoding: chunked\r\n\r\n");
        connection.stream.write_all(head(&lines).as_bytes()).unwrap();
        let mut sending = connection.stream.try_clone().unwrap();
        let endless = std::thread::spawn(move || {
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
            let began = Instant::now();
            while sending.write_all(chunk.as_bytes()).is_ok() {
                assert!(began.elapsed() < Duration::from_secs(20), "it is read for ever");
            }
        });
        let answer = connection.answer(false).unwrap();
        let expected = if is_known { (413, "body_too_large") } else { (401, "unauthenticated") };
        assert_eq!((answer.status, &*answer.codes()[0]), expected);
        endless.join().unwrap();
    }
    assert!(is_alive(&started));
}

#[test]
fn what_is_sent_at_once_is_answered_in_order() {
    let started = Started::new();
    let mut connection = Connection::open(started.address);
    let mut bytes = Vec::new();
    for limit in 1..=40 {
        bytes.extend(asking(&format!("{{\"limit\":{limit}}}")).to_bytes());
        bytes.extend(Request::new("GET", "/livez").to_bytes());
    }
    connection.stream.write_all(&bytes).unwrap();
    for limit in 1..=40 {
        let answer = connection.answer(false).unwrap();
        assert!(answer.text().contains(&format!("\"limit\":{limit},")), "{}", answer.text());
        assert_eq!(connection.answer(false).unwrap().text(), "{\"status\":\"alive\"}");
    }
}

#[test]
fn a_packed_body_is_not_unpacked() {
    let started = Started::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b' '; 200 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    for encoding in ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "x"] {
        let request = asking("").body(&packed[..1000]).header("Content-Encoding", encoding);
        assert_eq!(request.send(started.address).codes(), ["unsupported_media_type"], "{encoding}");
    }
    for encoding in ["identity", "Identity"] {
        let request = asking("{}").header("Content-Encoding", encoding);
        assert_eq!(request.send(started.address).status, 200, "{encoding}");
    }
    // Said to be plain, it is no JSON.
    let request = asking("").body(&packed).send(started.address);
    assert_eq!(request.codes(), ["invalid_json"]);
}

#[test]
fn heads_have_bounds() {
    let started = Started::new();
    let own = format!("auth: {}\r\naccountId: {ACCOUNT}\r\nContent-Length: 2\r\n", token());
    let many = |count: usize| (0..count).map(|at| format!("x-{at}: 1\r\n")).collect::<String>();
    for (name, lines, status) in [
        ("one of a megabyte", format!("x: {}\r\n", "x".repeat(1 << 20)), 431),
        ("a name of a megabyte", format!("{}: x\r\n", "x".repeat(1 << 20)), 431),
        ("a thousand", many(1000), 431),
        ("some", many(60), 200),
        ("one of some kilobytes", format!("x: {}\r\n", "x".repeat(20_000)), 200),
    ] {
        let told = statuses(started.address, (head(&own) + &lines + "\r\n{}").as_bytes());
        assert_eq!(told.0, [status], "{name}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(70_000));
    let told = statuses(started.address, long.as_bytes());
    assert!(matches!(told.0[..], [414 | 431]), "{told:?}");
    assert!(is_alive(&started));
}

/// Heads that two servers might read in two ways: each is refused, or read in the one way that
/// RFC 9112 gives it and followed by the end of the connection.
#[test]
fn nothing_is_smuggled() {
    let started = Started::new();
    let own = format!("auth: {}\r\naccountId: {ACCOUNT}\r\n", token());
    let hidden = "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n";
    let refused: Vec<u16> = vec![400];
    for (name, lines) in [
        ("two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ("two lengths in one", "Content-Length: 2, 3\r\n\r\n{}"),
        ("a length with a sign", "Content-Length: +2\r\n\r\n{}"),
        ("a negative length", "Content-Length: -1\r\n\r\n{}"),
        ("a length of no number", "Content-Length: 0x2\r\n\r\n{}"),
        ("a length beyond all", "Content-Length: 99999999999999999999999\r\n\r\n{}"),
        ("an empty length", "Content-Length: \r\n\r\n{}"),
        ("chunked that is not last", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        ("identity", "Transfer-Encoding: identity\r\n\r\n{}"),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("a coding by a vertical tab", "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
        ("a folded line", "Content-Length: 2\r\nX: a\r\n b\r\n\r\n{}"),
        ("a folded first line", " Content-Length: 2\r\n\r\n{}"),
        ("a space before the colon", "Content-Length : 2\r\n\r\n{}"),
        ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
        ("a line without a colon", "Content-Length\r\n\r\n{}"),
        ("no name", ": 2\r\n\r\n{}"),
        ("NUL in a value", "X: a\0b\r\n\r\n"),
        ("CR in a value", "X: a\rContent-Length: 2\r\n\r\n{}"),
        ("NUL in a name", "X\0: a\r\n\r\n"),
    ] {
        let bytes = head(&own) + lines + hidden;
        let (told, ended) = statuses(started.address, bytes.as_bytes());
        assert_eq!((told, ended), (refused.clone(), true), "{name}");
    }
    // Both a length and chunks: the chunks count, and the connection ends.
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        let bytes = head(&own) + lines + hidden;
        assert_eq!(statuses(started.address, bytes.as_bytes()), (vec![200], true), "{lines}");
    }
    for (name, lines, status) in [
        ("no size of a chunk", "x\r\n{}\r\n0\r\n\r\n", 400),
        ("a size with a sign", "+2\r\n{}\r\n0\r\n\r\n", 400),
        ("a chunk longer than its size", "1\r\n{}\r\n0\r\n\r\n", 400),
        ("a size beyond all", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400),
        ("a size by 0x", "0x2\r\n{}\r\n0\r\n\r\n", 400),
    ] {
        let bytes = head(&own) + "Transfer-Encoding: chunked\r\n\r\n" + lines + hidden;
        let (told, ended) = statuses(started.address, bytes.as_bytes());
        assert_eq!((told, ended), (vec![status], true), "{name}");
    }
    let same = head(&own) + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + hidden;
    assert_eq!(statuses(started.address, same.as_bytes()).0, [200, 200]);
    assert!(is_alive(&started));
}

/// Only chunks are undone: what names another coding before them is no text that could be read.
#[test]
fn a_body_packed_on_its_way_is_refused() {
    let started = Started::new();
    let own = format!("auth: {}\r\naccountId: {ACCOUNT}\r\n", token());
    let body = "\r\n2\r\n{}\r\n0\r\n\r\n";
    for lines in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity,chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked;q=1, chunked\r\n",
    ] {
        let mut connection = Connection::open(started.address);
        let bytes = head(&own) + lines + body;
        connection.stream.write_all(bytes.as_bytes()).unwrap();
        let answer = connection.answer(false).unwrap();
        let expected = (415, vec!["unsupported_media_type".to_owned()]);
        assert_eq!((answer.status, answer.codes()), expected, "{lines}");
        let told = "\"path\":\"Transfer-Encoding\"";
        assert!(answer.text().contains(told) && answer.text().contains("\"accepted\":\"chunked\""));
        assert!(connection.answer(false).is_none(), "{lines}");
    }
    for lines in ["Transfer-Encoding: Chunked\r\n", "Transfer-Encoding: , chunked\r\n"] {
        let bytes = head(&own) + lines + body;
        assert_eq!(statuses(started.address, bytes.as_bytes()).0, [200], "{lines}");
    }
}

/// First lines of any kind. No answer is one: the connection ends.
#[test]
fn first_lines_are_read_or_refused() {
    let started = Started::new();
    for (line, expected) in [
        ("GET http://another.host/livez HTTP/1.1", &[200][..]),
        ("GET http://another.host HTTP/1.1", &[404]),
        ("GET //livez HTTP/1.1", &[404]),
        ("GET /livez?x=%ff HTTP/1.1", &[200]),
        ("GET livez HTTP/1.1", &[404]),
        ("CONNECT another.host:443 HTTP/1.1", &[404]),
        ("OPTIONS * HTTP/1.1", &[404]),
        ("BREW /livez HTTP/1.1", &[405]),
        ("get /livez HTTP/1.1", &[405]),
        ("GET /livez HTTP/1.0", &[200]),
        ("GET /livez HTTP/0.9", &[400]),
        ("GET /livez HTTP/1.2", &[400]),
        ("GET /livez HTTP/2.0", &[400]),
        ("PRI * HTTP/2.0", &[400]),
        ("GET /livez", &[400]),
        ("GET", &[400]),
        ("GET /li vez HTTP/1.1", &[400]),
        ("GET /livez#x HTTP/1.1", &[200]),
        ("GET /\u{1}livez HTTP/1.1", &[400]),
        ("\u{16}\u{3}\u{1}\u{2}", &[400]),
    ] {
        let bytes = format!("{line}\r\nHost: h\r\nConnection: close\r\n\r\n");
        let (told, ended) = statuses(started.address, bytes.as_bytes());
        assert_eq!((&told[..], ended), (expected, true), "{line:?}");
    }
    // A line feed alone ends a line, as RFC 9112 lets it, and hides nothing.
    let told = statuses(started.address, b"GET /livez HTTP/1.1\nHost: h\nConnection: close\n\n");
    assert_eq!(told, (vec![200], true));
    assert!(is_alive(&started));
}

#[test]
fn odd_paths_have_answers_of_json() {
    let started = Started::new();
    let json = |method: &str, path: &str| {
        let request = Request::new(method, path).header("auth", &token());
        let answer = request.header("accountId", ACCOUNT).send(started.address);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
        (answer.status, answer.codes().remove(0))
    };
    for path in [
        "/v1/%ff/s/stats",
        "/v1/a/%c3%28/stats",
        "/v1/a/s/cases/%80",
        "/v1//s/stats",
        "/v1/a//stats",
        "/v1",
        "/",
        "/v1/a/s/cases/",
        "/v1/a/s/stats/",
        "/V1/a/s/stats",
        "/../livez",
        "/%2e%2e/livez",
        "/v1/a/b/../s/stats",
        "/livez%00",
        "/livez/",
        "/%6civez/x",
    ] {
        assert_eq!(json("GET", path), (404, "unknown_path".to_owned()), "{path}");
    }
    for path in [
        "/v1/%00/s/stats",
        "/v1/../s/stats",
        "/v1/%2e%2e/%2f/stats",
        "/v1/%/s/stats",
        "/v1/a/%zz/stats",
        "/v1/%25ff/s/stats",
        "/v1/%F0%9F%98%80/s/stats",
        "/v1/a%0d%0ax:%20y/s/stats",
    ] {
        assert_eq!(json("GET", path), (404, "unknown_stream".to_owned()), "{path}");
    }
    assert_eq!(json("POST", "/caseManagement/api/public/analytics/%ff/getCases").1, "unknown_path");
    // What a name is, encoded or not, is one name.
    let encoded = format!("/v1/{}/{STREAM}/getCases", ACCOUNT.replace('6', "%36"));
    let request = Request::new("POST", &encoded).header("auth", &token()).json("{}");
    assert_eq!(request.send(started.address).status, 200);
}

/// A server whose one scope has cases of half a megabyte.
pub(crate) fn with_large_cases(count: usize, limits: Limits) -> Started {
    let engine = Arc::new(Engine::new());
    let scope = Scope::new(ACCOUNT, STREAM);
    for at in 0..count {
        // What does not repeat is not made small on the way.
        let case = format!("{{\"_id\":\"{at}\",\"text\":\"{}\"}}", "x".repeat(500_000));
        engine.write(|batch| batch.upsert(&scope, case)).unwrap();
    }
    Started::of(engine, Access::Apps(Apps::new(&[app()]).unwrap()), limits)
}

#[test]
fn whoever_takes_no_answer_is_let_go() {
    let started = with_large_cases(50, short());
    let mut connection = Connection::open(started.address);
    connection.stream.write_all(&asking("{}").to_bytes()).unwrap();
    soon("it is there", || started.metric("getcases_http_connections") == 2);
    soon("it is let go", || started.metric("getcases_http_connections") == 1);
    // What it took in is not all.
    let mut taken = Vec::new();
    let _ = connection.stream.read_to_end(&mut taken);
    assert!(taken.len() < 25_000_000, "{}", taken.len());
    assert!(is_alive(&started));
}

/// Longer than a connection may be idle, and never longer than an answer may be left untaken.
#[test]
fn whoever_takes_an_answer_slowly_gets_all_of_it() {
    let limits = Limits { write_seconds: 5, ..short() };
    let started = with_large_cases(50, limits);
    let mut connection = Connection::open(started.address);
    connection.stream.write_all(&asking("{}").to_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(2500));
    let answer = connection.answer(false).unwrap();
    let page: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(page["results"].as_array().unwrap().len(), 50);
}

#[test]
fn a_page_of_elsewhere_has_no_way_in_without_tokens() {
    let engine = Arc::new(Engine::new());
    let started = Started::of(engine, Access::Everybody { user: None }, Limits::default());
    let batch = Request::new("POST", "/v1/a/s/cases:batch").body("{\"_id\":\"1\"}");
    let own = started.address.to_string();
    for origin in ["https://elsewhere.example", "null", "http://127.0.0.1.elsewhere.example", "x y"]
    {
        let answer = batch.clone().header("Origin", origin).send(started.address);
        assert_eq!(answer.codes(), ["unauthenticated"], "{origin}");
    }
    for origin in
        [format!("http://{own}"), "http://localhost:3000".to_owned(), "http://[::1]".to_owned()]
    {
        assert_eq!(batch.clone().header("Origin", &origin).send(started.address).status, 200);
    }
    // A name that somebody has made to mean this machine.
    let rebound =
        "GET /v1/a/s/stats HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n";
    assert_eq!(statuses(started.address, rebound.as_bytes()).0, [401]);
    let right = rebound.replace("elsewhere.example", &own);
    assert_eq!(statuses(started.address, right.as_bytes()).0, [200]);
    // A target that is a whole URI is asked of its host, whatever the header says.
    let whole = right.replace("/v1/a", "http://elsewhere.example/v1/a");
    assert_eq!(statuses(started.address, whole.as_bytes()).0, [401]);
}

#[test]
fn a_request_names_one_host() {
    let started = Started::of(Arc::new(Engine::new()), Access::Everybody { user: None }, short());
    let sent = |head: &str| {
        let request = format!("GET /livez HTTP/{head}\r\nConnection: close\r\n\r\n");
        statuses(started.address, request.as_bytes()).0
    };
    assert_eq!(sent("1.1\r\nHost: localhost"), [200]);
    assert_eq!(sent("1.0"), [200]);
    assert_eq!(sent("1.1"), [400]);
    let twice = "1.1\r\nHost: localhost\r\nHost: localhost";
    assert_eq!(sent(twice), [400]);
    let whole = format!("GET http://localhost/livez HTTP/{twice}\r\nConnection: close\r\n\r\n");
    assert_eq!(statuses(started.address, whole.as_bytes()).0, [400]);
}
