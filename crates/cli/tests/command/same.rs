//! The same requests by the library, by the command and over HTTP: the same bytes.

use std::io::{BufRead, BufReader};
use std::process::Child;

use arbitrary::Unstructured;
use getcases::{Context, Engine, Scope};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::client::{Connection, Request};
use super::generate::{self, Vocabulary};
use super::*;

const CASES: usize = 300;
const REQUESTS: usize = 10_000;
/// In how many lights the requests are read; of each kind of user there is a server.
const USERS: [Option<&str>; 2] = [None, Some("u-1")];
const OFFSETS: [i64; 4] = [0, -330, 300, 721];
/// How many bytes of randomness a document and a request may use.
const BYTES: usize = 1024;

/// A server that ends with the test.
struct Serving(Child, std::net::SocketAddr);

impl Serving {
    fn start(file: &str, user: Option<&str>) -> Self {
        let mut words = vec!["serve", file, "--insecure-local", "--listen", "127.0.0.1:0"];
        words.extend(["--account", "a", "--stream", "s"]);
        words.extend(user.iter().flat_map(|user| ["--user", user]));
        let mut child = Command::new(env!("CARGO_BIN_EXE_getcases"))
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address =
            lines.find_map(|line| line.strip_prefix("listening on http://")?.parse().ok());
        assert!(lines.any(|line| line.starts_with("ready")));
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, address.unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn documents(random: &mut ChaCha8Rng, vocabulary: &Vocabulary) -> Vec<String> {
    let mut bytes = vec![0; BYTES];
    let engine = Engine::new();
    let mut documents = Vec::new();
    while documents.len() < CASES {
        random.fill_bytes(&mut bytes);
        let mut u = Unstructured::new(&bytes);
        let Ok(document) = generate::document(&mut u, vocabulary) else { continue };
        // A line each, and none that a load leaves out.
        let scope = Scope::new("a", "s");
        let is_line = !document.contains(['\n', '\r']);
        if is_line && engine.write(|batch| batch.upsert(&scope, &document)).is_ok() {
            documents.push(document);
        }
    }
    documents
}

fn requests(random: &mut ChaCha8Rng, vocabulary: &Vocabulary, count: usize) -> Vec<String> {
    let mut bytes = vec![0; BYTES];
    let mut requests = Vec::new();
    while requests.len() < count {
        random.fill_bytes(&mut bytes);
        let Ok(body) = generate::request(&mut Unstructured::new(&bytes), vocabulary) else {
            continue;
        };
        if !body.contains(['\n', '\r']) {
            requests.push(body);
        }
    }
    requests
}

#[test]
fn the_library_the_command_and_http_give_the_same_bytes() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let vocabulary = Vocabulary::odd();
    let documents = documents(&mut random, &vocabulary);
    let file = write(&folder("same"), "cases.ndjson", documents.join("\n").as_bytes());
    let (engine, scope) = (Engine::new(), Scope::new("a", "s"));
    for document in &documents {
        engine.write(|batch| batch.upsert(&scope, document)).unwrap();
    }
    let snapshot = engine.snapshot(&scope);
    let lights = USERS.len() * OFFSETS.len() * 2;
    let (mut found, mut refused) = (0, 0);
    for user in USERS {
        let serving = Serving::start(&file, user);
        for (offset, strict) in OFFSETS.into_iter().flat_map(|own| [(own, false), (own, true)]) {
            let requests = requests(&mut random, &vocabulary, REQUESTS.div_ceil(lights));
            // Beyond what the command takes for an offset.
            let is_zone = (-840..=720).contains(&offset);
            let printed = is_zone.then(|| printed(&file, user, offset, strict, &requests));
            let mut connection = Connection::open(serving.1);
            for (at, body) in requests.iter().enumerate() {
                let user = user.map(str::to_owned);
                let context =
                    Context { user, offset_minutes: offset, strict, ..Context::default() };
                let (status, expected) = match snapshot.search_json(body.as_bytes(), &context) {
                    Ok(found) => (200, found.json),
                    Err(refusal) => (refusal.http_status(), refusal.to_json()),
                };
                *(if status == 200 { &mut found } else { &mut refused }) += 1;
                let request = Request::new("POST", "/v1/a/s/getCases")
                    .header("X-Timezone-Offset", &offset.to_string())
                    .header("X-GetCases-Strict", if strict { "1" } else { "0" })
                    .json(body);
                let answer = connection.ask(&request);
                if answer.header("connection") == Some("close") {
                    connection = Connection::open(serving.1);
                }
                let expected = String::from_utf8(expected).unwrap();
                let is_same =
                    (answer.status, less_cursor(answer.text())) == (status, less_cursor(&expected));
                assert!(is_same, "{body}: {status} {} {}", answer.status, answer.text());
                if let Some(printed) = &printed {
                    assert_eq!(less_cursor(&printed[at]), less_cursor(&expected), "{body}");
                }
            }
        }
    }
    assert!(found > REQUESTS / 4 && refused > REQUESTS / 20, "{found} {refused}");
}

/// A response less the text of its cursor, which each engine seals with a key of its own; and
/// whether it has one.
fn less_cursor(response: &str) -> (&str, bool) {
    match response.rsplit_once(r#","nextCursor":""#) {
        Some((page, _)) => (page, true),
        None => (response, false),
    }
}

/// What the command prints for requests, a line each.
fn printed(
    file: &str,
    user: Option<&str>,
    offset: i64,
    strict: bool,
    requests: &[String],
) -> Vec<String> {
    let offset = offset.to_string();
    let mut words = vec!["query", file, "--account", "a", "--stream", "s", "--tz-offset", &offset];
    words.extend(user.iter().flat_map(|user| ["--user", user]));
    words.extend(strict.then_some("--strict"));
    let requests_file = write(&folder("same"), "requests.ndjson", requests.join("\n").as_bytes());
    words.extend(["--requests", &requests_file]);
    let output = getcases(&words, b"");
    let lines: Vec<_> = out(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), requests.len(), "{}", err(&output));
    lines
}
