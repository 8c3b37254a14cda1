//! Each example is run, and prints what it says it does.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn printed(example: &str, arguments: &[&str]) -> String {
    let output = Command::new(example).args(arguments).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{errors}");
    printed
}

#[test]
fn load_loads_the_seed() {
    let printed = printed(env!("CARGO_BIN_EXE_load"), &[]);
    assert!(printed.starts_with("1 cases of "), "{printed}");
    assert!(printed.contains("; 0 refused, 0 replaced\n1 of 1 are unresolved"), "{printed}");
}

#[test]
fn typed_finds_explains_and_refuses() {
    let printed = printed(env!("CARGO_BIN_EXE_typed"), &[]);
    assert!(printed.starts_with("2 unresolved cases are due in May"), "{printed}");
    let (first, last) = (printed.find("Late delivery"), printed.find("Broken screen"));
    assert!(first.is_some() && first < last, "{printed}");
    assert!(!printed.contains("Late again"), "{printed}");
    assert!(printed.contains("refused: ") && printed.contains("conflicting_paging"), "{printed}");
}

#[test]
fn upkeep_leaves_nothing() {
    let printed = printed(env!("CARGO_BIN_EXE_upkeep"), &[]);
    assert!(printed.starts_with("70000 of 70000 cases are of the last round"), "{printed}");
    assert!(printed.contains("nothing is left"), "{printed}");
}

#[test]
fn drop_down_counts_every_value() {
    let printed = printed(env!("CARGO_BIN_EXE_drop_down"), &[]);
    let counts = |title: &str| -> Vec<u64> {
        let lines = printed.lines().skip_while(|line| *line != title).skip(1);
        let lines = lines.take_while(|line| line.starts_with(' '));
        lines.filter_map(|line| line.split_whitespace().last()?.parse().ok()).collect()
    };
    for title in ["Status", "Priority", "Channel", "Queue", "Assignee"] {
        let counts = counts(title);
        assert!(!counts.is_empty() && counts.is_sorted_by(|a, b| a >= b), "{title}: {printed}");
    }
    // A case has one status, and there are no more of them than are shown and some.
    assert!(counts("Status").iter().sum::<u64>() <= 10_000, "{printed}");
}

#[test]
fn threads_end_with_every_case_closed() {
    printed(env!("CARGO_BIN_EXE_threads"), &[]);
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server on a free port; gives the lines that it prints first.
fn started(example: &str, lines: usize) -> (Server, Vec<String>) {
    let mut command = Command::new(example);
    let mut server = Server(command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap());
    let printed = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let printed = printed.take(lines).map(Result::unwrap).collect();
    (server, printed)
}

/// Sends the head of a request and its body; gives all that comes back.
fn ask(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n"
    )
    .unwrap();
    write!(stream, "\r\n{body}").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn handler_answers_refuses_and_stores() {
    let (_server, lines) = started(env!("CARGO_BIN_EXE_handler"), 1);
    let address = lines[0].strip_prefix("listening on http://").unwrap();
    let (address, path) = address.split_once('/').unwrap();
    let desk = path.strip_suffix("/getCases").unwrap();
    let ask = |head: &str, body: &str| ask(address, head, body);
    let found = ask(&format!("POST /{path}"), r#"{"unresolved":true,"limit":2,"colour":"red"}"#);
    assert!(found.starts_with("HTTP/1.1 200 ") && found.contains("\"totalResults\":"), "{found}");
    assert!(found.contains("x-getcases-ignored: colour"), "{found}");
    let refused = ask(&format!("POST /{path}"), r#"{"limit":-1}"#);
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains("invalid_"), "{refused}");
    let head = format!("POST /{path} HTTP/1.1\r\nX-Timezone-Offset: east\r\nX-Ignored: ");
    let refused = ask(&head, "{}");
    assert!(refused.contains("invalid_offset"), "{refused}");
    let stored = ask(&format!("PUT /{desk}/cases"), "{\"_id\":\"new-1\",\"name\":\"Zebra\"}\n");
    assert!(stored.contains("\"inserted\": 1"), "{stored}");
    let hits = ask(&format!("POST /{desk}/ids"), r#"{"searchText":"zebra"}"#);
    assert!(hits.ends_with("1 new-1\n"), "{hits}");
}

#[test]
fn mount_answers_beside_a_route_of_its_own() {
    let (_server, lines) = started(env!("CARGO_BIN_EXE_mount"), 2);
    let address = lines[0].strip_prefix("listening on http://").unwrap();
    let (address, path) = address.split_once('/').unwrap();
    let auth = &lines[1];
    let version = " HTTP/1.1\r\n";
    // The last header is one that `ask` ends.
    let head = |line: &str| format!("{line}{version}{auth}\r\nX-Last: 1");
    while !ask(address, "GET /desk/readyz", "").starts_with("HTTP/1.1 200 ") {}
    let found = ask(address, &head(&format!("POST /{path}")), "{}");
    assert!(found.contains("\"totalResults\":1"), "{found}");
    let written = ask(address, "POST /hook", "{\"_id\":\"2\"}");
    assert!(written.ends_with("1 new\n"), "{written}");
    let found = ask(address, &head(&format!("POST /{path}")), "{}");
    assert!(found.contains("\"totalResults\":2"), "{found}");
    let refused = ask(address, &format!("POST /{path}"), "{}");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let document = ask(address, "GET /desk/openapi.json", "");
    assert!(document.contains("\"openapi\": \"3.1.0\""), "{document}");
    let unknown = ask(address, "GET /desk/nowhere", "");
    assert!(unknown.contains("unknown_path"), "{unknown}");
}
