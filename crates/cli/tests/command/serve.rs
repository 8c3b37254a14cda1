//! `getcases serve`, `config` and `token` as their users meet them.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::*;

const SECRET: &str = "a-secret-that-is-shown-to-nobody";
const CASES: &[u8] = b"{\"_id\":\"1\",\"accountId\":\"a\",\"iId\":\"s\"}\n";

/// A server that runs for as long as this lives.
struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    address: SocketAddr,
    /// What it said before where it listens.
    first: String,
    log: Receiver<String>,
}

impl Served {
    /// Starts one on a free port, and waits until it is ready.
    fn start(words: &[&str]) -> Self {
        Self::start_as(&mut Command::new(env!("CARGO_BIN_EXE_getcases")), words)
    }

    /// As [`Served::start`], by a command that has the program and its words behind its own.
    #[cfg(target_os = "linux")]
    fn start_by(command: &mut Command, words: &[&str]) -> Self {
        Self::start_as(command.arg(env!("CARGO_BIN_EXE_getcases")), words)
    }

    fn start_as(command: &mut Command, words: &[&str]) -> Self {
        let mut child = command
            .arg("serve")
            .args(words)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = channel();
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let [mut first, mut second] = [String::new(), String::new()];
        out.read_line(&mut first).unwrap();
        out.read_line(&mut second).unwrap();
        let address = second.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
        let served = Self { child, out, address, first, log };
        served.soon("it is ready", || served.get("/readyz", &[]).0 == 200);
        served
    }

    /// Asks, and gives the status and all of the answer.
    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        self.send("GET", path, headers, "")
    }

    fn stats(&self, token: &str) -> u16 {
        self.get("/v1/a/s/stats", &[("auth", token)]).0
    }

    /// Reads on to what it says to paste into a shell, and gives that.
    fn pasted(&mut self) -> String {
        let (mut line, mut pasted) = (String::new(), String::new());
        let mut next = || {
            line.clear();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "it tells nothing to paste");
            line.clone()
        };
        while next() != "try:\n" {}
        loop {
            pasted += &next();
            if !pasted.ends_with("\\\n") {
                return pasted;
            }
        }
    }

    fn soon(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < Duration::from_secs(120), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for a line of the log that has a text, and gives all lines up to it.
    fn logged(&self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(20));
            let line = line.unwrap_or_else(|_| panic!("no {text:?} in {all}"));
            all += &line;
            if line.contains(text) {
                return all;
            }
            all.push('\n');
        }
    }

    /// Ends it as one who asks politely, and gives its exit code and what is left of its output.
    fn end(mut self) -> (i32, String, String) {
        self.signal("TERM");
        let code = self.child.wait().unwrap().code().unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let log: Vec<_> = self.log.iter().collect();
        (code, rest, log.join("\n"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration with one app.
fn config(folder: &Path, more: &str) -> String {
    let app = "[[app]]\nid = \"app\"\nalgorithms = [\"HS256\"]\naccounts = [\"*\"]\n\
               streams = [\"*\"]\nscopes = [\"Case Management Configuration\"]\n";
    let text = format!("cases = [\"cases.ndjson\"]\n{app}secret = \"{SECRET}\"\n{more}");
    write(folder, "getcases.toml", text.as_bytes())
}

fn token(config: &str) -> String {
    let output = getcases(&["token", "--config", config, "--app", "app"], b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    out(&output).trim().to_owned()
}

#[test]
fn a_file_is_served_to_this_machine() {
    let file = write(&folder("served"), "cases.ndjson", CASES);
    let served = Served::start(&["--insecure-local", &file]);
    assert!(served.first.contains("cases live in memory"), "{}", served.first);
    let headers = [("accountId", "a"), ("Content-Type", "application/json")];
    let path = "/caseManagement/api/public/analytics/s/getCases";
    let (status, answer) = served.send("POST", path, &headers, "{}");
    assert!(status == 200 && answer.contains("\"totalResults\":1"), "{answer}");
    if cfg!(feature = "docs-page") {
        // Whoever does not say that it takes what is packed gets it as it is.
        let (status, page) = served.get("/docs/", &[]);
        assert!(status == 200 && page.contains("<html") && !page.contains("content-encoding"));
    }
    let (code, rest, log) = served.end();
    assert_eq!(code, 0, "{log}");
    assert!(rest.contains("ready: 1 case of 1 scope") && rest.contains("try:\n  curl "), "{rest}");
}

/// The value of a header of an answer.
fn header(answer: &str, name: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// What was answered is there after the process was killed, and after it was ended politely.
#[test]
fn a_store_is_served_and_keeps_what_it_answered() {
    let store = folder("served-store").join("store");
    let _ = fs::remove_dir_all(&store);
    let store = store.to_str().unwrap();
    let words = ["--insecure-local", "--store", store];
    let (path, json) = ("/v1/a/s/cases/1", ("Content-Type", "application/json"));
    let tag = |answer: &str| header(answer, "etag: ");
    let generation = |answer: &str| header(answer, "x-getcases-generation: ");

    let mut served = Served::start(&words);
    assert!(served.first.contains("cases are kept in"), "{}", served.first);
    let (status, first) = served.send("PUT", path, &[json], "{\"_id\":\"1\",\"n\":1.0}");
    assert_eq!(status, 201, "{first}");
    let expected = tag(&first);
    let patch = "{\"status\":\"open\"}";
    let (status, second) = served.send("PATCH", path, &[json, ("If-Match", &expected)], patch);
    assert_eq!(status, 200, "{second}");
    // Somebody else was faster.
    let (status, late) = served.send("PATCH", path, &[json, ("If-Match", &expected)], patch);
    assert!(status == 412 && late.contains("version_conflict"), "{late}");
    let another = getcases(&["serve", "--insecure-local", "--store", store], b"");
    assert!(code(&another) == 1 && err(&another).contains("another process"), "{}", err(&another));
    // Nobody is told of a server that is none.
    assert_eq!(out(&another), "");
    served.child.kill().unwrap();
    served.child.wait().unwrap();

    let served = Served::start(&words);
    let written = generation(&second);
    let (status, answer) = served.get(path, &[("X-GetCases-Min-Generation", &written)]);
    assert_eq!(status, 200, "{answer}");
    let seen = generation(&answer);
    assert!(answer.ends_with("{\"_id\":\"1\",\"n\":1.0,\"status\":\"open\"}"), "{answer}");
    assert_eq!(tag(&answer), tag(&second));
    let (status, answer) = served.send("DELETE", path, &[("If-Match", &expected)], "");
    assert_eq!(status, 412, "{answer}");
    let (status, answer) = served.send("DELETE", path, &[("If-Match", &tag(&second))], "");
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = served.get(&format!("/v1/a/s/changes?since={seen}"), &[]);
    assert!(status == 200 && answer.contains("\"deleted\":[\"1\"]"), "{answer}");
    let (status, answer) = served.get("/v1/a/s/changes?since=0", &[]);
    assert!(status == 410 && answer.contains("generation_too_old"), "{answer}");
    let (code_of_end, rest, log) = served.end();
    assert!(code_of_end == 0 && rest.contains("ready: 1 case of 1 scope"), "{rest}{log}");
    let verified = getcases(&["verify", "--store", store], b"");
    assert_eq!(code(&verified), 0, "{}", out(&verified));
}

/// A configuration may name the store; what nobody may see is told.
#[test]
fn a_store_of_the_configuration_is_served() {
    let folder = folder("configured-store");
    let _ = fs::remove_dir_all(folder.join("kept"));
    let store = folder.join("kept");
    let words = ["upsert", "--store", store.to_str().unwrap()];
    let cases = b"{\"_id\":\"1\",\"accountId\":\"a\",\"iId\":\"s\"}\n\
                  {\"_id\":\"1\",\"accountId\":\"b\",\"iId\":\"s\"}\n\
                  {\"_id\":\"1\",\"accountId\":\"c\",\"iId\":\"s\"}\n";
    assert_eq!(code(&getcases(&words, cases)), 0);
    let text = format!(
        "store = \"kept\"\n[[app]]\nid = \"app\"\nsecret = \"{SECRET}\"\nalgorithms = [\"HS256\"]\n\
         accounts = [\"a\"]\nstreams = [\"*\"]\nscopes = [\"Case Management Configuration\"]\n"
    );
    let config = write(&folder, "store.toml", text.as_bytes());
    let served = Served::start(&["--config", &config]);
    assert!(served.first.contains("cases are kept in"), "{}", served.first);
    assert_eq!(served.stats(&token(&config)), 200);
    let (code_of_end, rest, log) = served.end();
    assert!(code_of_end == 0, "{log}");
    assert!(rest.contains("no app may read 2 of 3, such as account b, stream s"), "{rest}");
    let by_flag = ["serve", "--insecure-local", "--store", store.to_str().unwrap()];
    for start in [&["serve", "--config", &config][..], &by_flag] {
        for (words, told) in [
            (&["cases.ndjson"][..], "cases are kept in the store"),
            (&["--account", "a"], "the cases of a store have theirs"),
        ] {
            let output = getcases(&[start, words].concat(), b"");
            assert_eq!(code(&output), 2, "{words:?}: {}", err(&output));
            assert!(err(&output).contains(told), "{words:?}: {}", err(&output));
        }
    }
}

/// Runs what was told to be pasted; nothing where there is no curl.
fn paste(pasted: &str) -> Option<String> {
    Command::new("curl").arg("--version").output().ok()?;
    let shell = Command::new("sh").args(["-c", pasted]).output().unwrap();
    assert_eq!(code(&shell), 0, "{pasted}{}", err(&shell));
    Some(out(&shell))
}

/// What is told to be pasted finds the cases, whatever their account and stream are called.
#[test]
fn what_is_pasted_works() {
    let folder = folder("pasted");
    for (at, (account, stream)) in [
        ("a", "s"),
        ("it's $HOME `id` \"x\" \\ {a,b} [1-9] é %41", "it's/$HOME?#&[1-9]{a} é %41\u{1}"),
        ("-", "-"),
        ("{{accountId}}", "{{streamId}}"),
    ]
    .into_iter()
    .enumerate()
    {
        let case = serde_json::json!({"_id": "1", "accountId": account, "iId": stream});
        // Of these none can be pasted.
        let others = "{\"_id\":\"1\",\"accountId\":\"\\n\\u001b\",\"iId\":\"s\"}\n\
            {\"_id\":\"1\",\"accountId\":\" a\",\"iId\":\"s\"}\n\
            {\"_id\":\"1\",\"accountId\":\" \",\"iId\":\"..\"}\n";
        let file = write(&folder, &format!("{at}.ndjson"), format!("{others}{case}").as_bytes());
        let mut served = Served::start(&["--insecure-local", &file]);
        let pasted = served.pasted();
        if let Some(answer) = paste(&pasted) {
            assert!(answer.contains("\"totalResults\":1"), "{pasted}{answer}");
        }
        assert_eq!(served.end().0, 0);
    }
}

/// Names may have any characters, which harm nobody who reads what the server and the command say.
#[test]
fn names_of_control_characters_are_names() {
    let store = folder("odd-names").join("store");
    let _ = fs::remove_dir_all(&store);
    let words = ["--insecure-local", "--store", store.to_str().unwrap(), "--log-level", "trace"];
    let own = "/v1/a%0Aready:%1B%5B2J%00/s%09%C2%9B%7F";
    let served = Served::start(&words);
    let json = ("Content-Type", "application/json");
    let (status, answer) =
        served.send("PUT", &format!("{own}/cases/1"), &[json], "{\"_id\":\"1\"}");
    assert_eq!(status, 201, "{answer}");
    let (_, metrics) = served.get("/metrics", &[]);
    assert_eq!(served.send("PUT", &format!("{own}/cases/1"), &[json], "{\"_id\":7}").0, 400);
    assert_eq!(served.end().0, 0);
    let served = Served::start(&words);
    assert_eq!(served.get(&format!("{own}/cases/1"), &[]).0, 200);
    let (status, answer) = served.send("POST", &format!("{own}/getCases"), &[json], "{}");
    assert!(status == 200 && answer.contains("\"totalResults\":1"), "{answer}");
    let (code, rest, log) = served.end();
    let scopes = getcases(&["scopes", "--store", words[2]], b"");
    let found = getcases(&["get", "1", "--store", words[2]], b"");
    assert_eq!(out(&found), "{\"_id\":\"1\"}\n", "{}", err(&found));
    assert_eq!((code, out(&scopes).lines().count()), (0, 1), "{log}");
    assert_eq!(rest.lines().filter(|line| line.starts_with("ready:")).count(), 1, "{rest}");
    for told in [rest, log, metrics.replace('\r', ""), out(&scopes).replace('\t', "")] {
        assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
    }
}

/// The demo has a store of its own, which goes with it.
#[test]
fn a_demo_is_kept_until_it_ends() {
    let mut served = Served::start(&["--demo"]);
    let pasted = served.pasted();
    assert!(!pasted.contains("{{"), "{pasted}");
    if let Some(answer) = paste(&pasted) {
        assert!(answer.contains("\"results\":[{"), "{answer}");
    }
    let folder = served.first.trim().strip_prefix("cases are kept in ").unwrap();
    let folder = Path::new(folder.strip_suffix(" until this ends").unwrap()).to_owned();
    assert!(folder.join("cases.sqlite").is_file());
    let (status, answer) = served.send("PUT", "/v1/a/s/cases/1", &[], "{\"_id\":\"1\"}");
    assert_eq!(status, 201, "{answer}");
    let (code, rest, log) = served.end();
    assert!(code == 0 && rest.is_empty(), "{rest}{log}");
    assert!(!folder.exists());
}

/// So it is where it is ended before its cases are there.
#[test]
fn a_demo_that_is_ended_early_leaves_nothing() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_getcases"))
        .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let [mut first, mut second] = [String::new(), String::new()];
    out.read_line(&mut first).unwrap();
    out.read_line(&mut second).unwrap();
    assert!(second.starts_with("listening"), "{second}");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let folder = first.trim().strip_prefix("cases are kept in ").unwrap();
    let folder = Path::new(folder.strip_suffix(" until this ends").unwrap());
    assert!(!folder.exists());
}

/// A disk that takes no more ends writes, and not reads.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_is_told_and_reads_go_on() {
    let store = folder("failed-store").join("store");
    let _ = fs::remove_dir_all(&store);
    // What is written beyond a file's limit fails.
    let script = "trap '' XFSZ; ulimit -f 20000; exec \"$0\" \"$@\"";
    let words = ["--insecure-local", "--store", store.to_str().unwrap()];
    let served = Served::start_by(Command::new("sh").args(["-c", script]), &words);
    let json = ("Content-Type", "application/json");
    let put = |number: usize| {
        let case = format!("{{\"_id\":\"{number}\",\"a\":\"{}\"}}", "x".repeat(500_000));
        served.send("PUT", &format!("/v1/a/s/cases/{number}"), &[json], &case)
    };
    let mut kept = 0;
    let refused = loop {
        let (status, answer) = put(kept);
        if status != 201 {
            break answer;
        }
        kept += 1;
        assert!(kept < 60, "the limit holds");
    };
    assert!(kept > 0 && refused.contains("\"storage_"), "{kept} {refused}");
    assert!(put(kept).1.contains("\"storage_"));
    let read = |number: usize| served.get(&format!("/v1/a/s/cases/{number}"), &[]).0;
    assert!((0..kept).all(|number| read(number) == 200) && read(kept) == 404);
    drop(served);
    let served = Served::start(&words);
    assert!((0..kept).all(|number| served.get(&format!("/v1/a/s/cases/{number}"), &[]).0 == 200));
}

/// A disk that is full refuses writes, reads go on, and writes too once it has room again.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let place = folder("full-store");
    let place = place.to_str().unwrap();
    // A small disk that only this process sees; not everywhere may one be had.
    let script = "mount -t tmpfs -o size=8m disk \"$PLACE\" && \
                  head -c 4000000 /dev/zero > \"$PLACE/other\" && exec \"$@\"";
    let on_disk = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-Urm", "sh", "-c", script, "sh"]).args(words).env("PLACE", place);
        command
    };
    if !on_disk(&["true"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("no disk of its own: nothing is tested");
        return;
    }
    let store = format!("{place}/store");
    let served = Served::start_by(&mut on_disk(&[]), &["--insecure-local", "--store", &store]);
    let json = ("Content-Type", "application/json");
    let put = |number: usize| {
        let case = format!("{{\"_id\":\"{number}\",\"a\":\"{}\"}}", "x".repeat(500_000));
        served.send("PUT", &format!("/v1/a/s/cases/{number}"), &[json], &case)
    };
    let read = |number: usize| served.get(&format!("/v1/a/s/cases/{number}"), &[]).0;
    let kept = (0..40).find(|number| put(*number).0 != 201).unwrap();
    assert!(kept > 0, "{}", put(kept).1);
    for _ in 0..2 {
        let (status, answer) = put(kept);
        assert!(status == 507 && answer.contains("\"storage_full\""), "{kept}: {answer}");
        assert!((0..kept).all(|number| read(number) == 200) && read(kept) == 404);
    }
    let other = format!("/proc/{}/root{place}/other", served.child.id());
    fs::remove_file(other).unwrap();
    let (status, answer) = put(kept);
    assert_eq!(status, 201, "{answer}");
    assert!((0..=kept).all(|number| read(number) == 200));
    let (code, _, log) = served.end();
    assert_eq!(code, 0, "{log}");
}

#[test]
fn who_may_ask_must_be_said() {
    let file = write(&folder("unsaid"), "cases.ndjson", CASES);
    let config = config(&folder("unsaid"), "");
    for (words, told) in [
        (&["serve", &file][..], "who may ask?"),
        (&["serve", &file, "--insecure-local", "--listen", "0.0.0.0:0"], "no loopback address"),
        (&["serve", "--demo", "--listen", "[::]:0"], "no loopback address"),
        (&["serve", "--demo", "--listen", "192.0.2.1:80"], "no loopback address"),
        (&["serve", "--demo", "--config", &config], "cannot be used with"),
        (&["serve", "--insecure-local", "--config", &config], "cannot be used with"),
        (&["serve", "--demo", "--limit", "body_seconds=0"], "limits.body_seconds"),
        (&["serve", "--demo", "--limit", "bodies=1"], "no limit \"bodies\""),
        (&["serve", "--demo", "--threads", "0"], "--threads"),
    ] {
        let output = getcases(words, b"");
        assert_eq!(code(&output), 2, "{words:?}: {}", err(&output));
        assert!(err(&output).contains(told), "{words:?}: {}", err(&output));
    }
}

#[test]
fn a_wrong_configuration_is_told_with_its_line_and_without_its_secret() {
    let folder = folder("wrong-config");
    let app =
        "[[app]]\nid = \"a\"\nalgorithms = [\"HS256\"]\naccounts = []\nstreams = []\nscopes = []\n";
    for (text, told) in [
        ("listen = \"127.0.0.1:0\"\n\nlistn = 1\n".to_owned(), "line 3: unknown field `listn`"),
        (format!("{app}secret = {SECRET}\n"), "line 7: "),
        (format!("{app}secret = \"{SECRET}\n"), "line 7: "),
        (format!("{app}secret = [\"{SECRET}\"]\n"), "line 7: a secret is a text in quotes"),
        (format!("{app}secret = 1234567890\n"), "line 7: a secret is a text in quotes"),
        (format!("{app}secrets = \"{SECRET}\"\n"), "line 7: unknown field `secrets`"),
        (format!("{app}secret = \"{SECRET}\"\nsecret = \"{SECRET}\"\n"), "line 8: "),
        (format!("{app}secret = \"{SECRET}\"\nsecret_file = \"x\"\n"), "app[0]: one of secret"),
        (format!("{app}secret_file = \"no-such-file\"\n"), "no-such-file"),
    ] {
        let file = write(&folder, "wrong.toml", text.as_bytes());
        for words in [&["config", "check", &file][..], &["serve", "--config", &file]] {
            let output = getcases(words, b"");
            assert_eq!(code(&output), 1, "{text}");
            let told_all = err(&output);
            assert!(told_all.contains(told) && told_all.contains("wrong.toml"), "{told_all}");
            assert!(!told_all.contains(SECRET) && !told_all.contains("1234567890"), "{told_all}");
        }
    }
}

#[test]
fn the_example_can_be_used() {
    let folder = folder("example-config");
    let example = out(&getcases(&["config", "example"], b""));
    let file = write(&folder, "getcases.toml", example.as_bytes());
    write(&folder, "app.secret", format!("{SECRET}\n").as_bytes());
    let output = getcases(&["config", "check", &file], b"");
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains(": good, 1 app"), "{}", out(&output));
    // Whoever reads the secret makes tokens; so does whoever guesses it.
    let doubts = err(&output);
    assert!(doubts.contains("others may read") && !doubts.contains("shorter"), "{doubts}");
    let lax = example.replace("secret_file = \"app.secret\"", "secret = \"short\"");
    let lax = lax.replace("streams = [\"*\"]", "streams = []");
    let output = getcases(&["config", "check", &write(&folder, "lax.toml", lax.as_bytes())], b"");
    let doubts = err(&output);
    assert!(doubts.contains("app[0].streams: it is empty"), "{doubts}");
    assert!(doubts.contains("app[0].secret: it is shorter than the 32 bytes"), "{doubts}");
    let nowhere = folder.join("nowhere.toml").display().to_string();
    let told = err(&getcases(&["config", "check", &nowhere], b""));
    assert_eq!(told.matches("nowhere.toml").count(), 1, "{told}");
    let app = "cs-00000000-0000-0000-0000-000000000000";
    let words = ["token", "--config", &file, "--app", app, "--user", "u", "--expires", "5m"];
    assert_eq!(out(&getcases(&words, b"")).split('.').count(), 3);
    let unknown = getcases(&["token", "--config", &file, "--app", "nobody"], b"");
    assert_eq!(code(&unknown), 1);
    assert!(err(&unknown).contains("no app \"nobody\""), "{}", err(&unknown));
}

/// What was written before a restart without a store is gone, and nobody is told otherwise.
#[test]
fn generations_of_an_earlier_server_are_known_by_none() {
    let path = |id: u64| format!("/v1/a/s/cases/{id}");
    let write = |served: &Served, ids: std::ops::Range<u64>| {
        let mut last = String::new();
        for id in ids {
            let body = format!("{{\"_id\":\"{id}\"}}");
            let json = ("Content-Type", "application/json");
            let (status, answer) = served.send("PUT", &path(id), &[json], &body);
            assert_eq!(status, 201, "{answer}");
            last = header(&answer, "x-getcases-generation: ");
        }
        last
    };
    let served = Served::start(&["--insecure-local"]);
    let known = write(&served, 0..2);
    assert_eq!(served.end().0, 0);
    let served = Served::start(&["--insecure-local"]);
    write(&served, 10..20);
    let least = [("X-GetCases-Min-Generation", &*known)];
    let (status, answer) = served.get(&path(10), &least);
    assert!(status == 412 && answer.contains("unknown_generation"), "{answer}");
    let (status, answer) = served.get(&format!("/v1/a/s/changes?since={known}"), &[]);
    assert!(status == 410 && answer.contains("generation_too_old"), "{answer}");
    assert_eq!(served.end().0, 0);
}

/// A slow question is explained to the log once it is answered.
#[test]
fn a_slow_question_is_logged() {
    let line =
        |at: u32| format!("{{\"_id\":\"{at}\",\"name\":\"case {at}\",\"updatedAt\":{at}}}\n");
    let cases: String = (0..20_000).map(line).collect();
    let file = write(&folder("slow"), "cases.ndjson", cases.as_bytes());
    let mut command = Command::new(env!("CARGO_BIN_EXE_getcases"));
    command.env("GETCASES_LIMITS_SLOW_MILLISECONDS", "1");
    let words = ["--insecure-local", &file, "--account", "a", "--stream", "s"];
    let served = Served::start_as(&mut command, &words);
    let part = |at: u32| {
        let name = format!(r#"{{"name":{{"startsWith":"case {at}"}}}}"#);
        format!(r#"{{"and":[{name},{{"updated":{{"gt":{at}}}}}]}}"#)
    };
    let parts: Vec<String> = (0..300).map(part).collect();
    let body = format!(r#"{{"filter":{{"or":[{}]}}}}"#, parts.join(","));
    let headers = [("Content-Type", "application/json")];
    let (status, answer) = served.send("POST", "/v1/a/s/getCases", &headers, &body);
    assert!(status == 200 && answer.contains("\"totalResults\":"), "{answer}");
    let told = served.logged("slow question");
    assert!(told.contains("getCases") && told.contains("explain="), "{told}");
}

/// A variable of a limit that there is not is refused, as such a key is.
#[test]
fn a_limit_that_there_is_not_is_told() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_getcases"));
    serve.args(["serve", "--insecure-local"]).env("GETCASES_LIMITS_BODY_SECNDS", "3");
    let output = serve.stdin(Stdio::null()).output().unwrap();
    let told = "GETCASES_LIMITS_BODY_SECNDS: there is no such limit; \
        did you mean GETCASES_LIMITS_BODY_SECONDS?";
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains(told), "{}", err(&output));
}

#[test]
fn tokens_are_taken_until_their_app_is_gone() {
    let folder = folder("tokens");
    write(&folder, "cases.ndjson", CASES);
    let file = config(&folder, "");
    let token = token(&file);
    let served = Served::start(&["--config", &file, "--log-level", "trace"]);
    assert_eq!((served.stats(&token), served.stats("none")), (200, 401));
    // A configuration that is wrong changes nothing.
    fs::write(&file, "listn = 1").unwrap();
    served.signal("HUP");
    let mut log = served.logged("the one before stays");
    assert_eq!(served.stats(&token), 200);
    fs::write(&file, "\n").unwrap();
    served.signal("HUP");
    log += &served.logged("the one before stays");
    assert_eq!(served.stats(&token), 200);
    fs::write(&file, "cases = []").unwrap();
    served.signal("HUP");
    log += &served.logged("nobody may ask");
    log += &served.logged("is read again");
    assert_eq!(served.stats(&token), 401);
    config(&folder, "[limits]\naccount_rate = 1\n");
    served.signal("HUP");
    log += &served.logged("is read again");
    let statuses: Vec<_> = (0..4).map(|_| served.stats(&token)).collect();
    assert!(statuses[0] == 200 && statuses.contains(&429), "{statuses:?}");
    let (code, rest, rest_of_log) = served.end();
    assert_eq!(code, 0, "{rest_of_log}");
    for told in [log, rest, rest_of_log] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!told.contains(SECRET) && !told.contains(signature), "{told}");
    }
}

/// A file that changes while it is read again is taken as it was at one moment: what can be read
/// only once is enough.
#[test]
fn a_configuration_is_read_once() {
    let folder = folder("read-once");
    write(&folder, "cases.ndjson", CASES);
    let file = config(&folder, "");
    let token = token(&file);
    let served = Served::start(&["--config", &file]);
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    served.signal("HUP");
    fs::write(&file, text + "[limits]\nbody_bytes = 2000\n").unwrap();
    served.logged("is read again");
    assert_eq!(served.stats(&token), 200);
    let long = format!("{{{}}}", " ".repeat(2000));
    assert_eq!(served.send("POST", "/v1/a/s/getCases", &[("auth", &token)], &long).0, 413);
    assert_eq!(served.end().0, 0);
    fs::remove_file(&file).unwrap();
}

/// What a collector is sent: the heads of requests and their bodies, as they come.
#[cfg(feature = "opentelemetry")]
fn collector() -> (SocketAddr, Receiver<(String, Vec<u8>)>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut reading = BufReader::new(&stream);
                loop {
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") {
                        if reading.read_line(&mut head).unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let head = head.to_ascii_lowercase();
                    let length = header(&head, "content-length: ").parse().unwrap();
                    let mut body = vec![0; length];
                    reading.read_exact(&mut body).unwrap();
                    sender.send((head, body)).unwrap();
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    (address, received)
}

/// `cargo test -p getcases-cli --features opentelemetry --test command spans_are_sent`
#[cfg(feature = "opentelemetry")]
#[test]
fn spans_are_sent_to_a_collector() {
    let (address, received) = collector();
    let has = |body: &[u8], text: &str| body.windows(text.len()).any(|own| own == text.as_bytes());
    let sent = |what: &str| loop {
        let (head, body) = received.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|error| {
            panic!("{what} is not sent: {error}");
        });
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        assert!(head.contains("\r\ncontent-type: application/x-protobuf\r\n"), "{head}");
        if has(&body, what) {
            return body;
        }
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_getcases"));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"));
    let served =
        Served::start_as(command.env("OTEL_BSP_SCHEDULE_DELAY", "50"), &["--insecure-local"]);
    let path = "/v1/a/s/cases/private";
    let ask =
        |id: &str| served.send("PUT", path, &[("X-Request-Id", id)], "{\"_id\":\"private\"}").0;
    assert_eq!(ask("first-of-a-test"), 201);
    let body = sent("first-of-a-test");
    for text in ["service.name", "getcases", "request", "/v1/{account}/{stream}/cases/{id}", "PUT"]
    {
        assert!(has(&body, text), "{text}: {}", String::from_utf8_lossy(&body));
    }
    // Of what somebody wrote there is no more than the name that a request was given.
    assert!(!has(&body, "private"), "{}", String::from_utf8_lossy(&body));
    // The last ones come before the process ends.
    assert_eq!(ask("last-of-a-test"), 200);
    let (code, _, log) = served.end();
    assert_eq!(code, 0, "{log}");
    sent("last-of-a-test");
}

/// The most memory that a process has had, in kilobytes.
#[cfg(target_os = "linux")]
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn what_clients_send_takes_little_memory() {
    let file = write(&folder("abused"), "cases.ndjson", CASES);
    let served = Served::start(&["--insecure-local", &file]);
    let before = peak(&served.child);
    let own = "POST /v1/a/s/getCases HTTP/1.1\r\nHost: localhost\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(1 << 16));
    let heads: [(&str, &str); 3] = [
        // A body, a head and a name of each without an end.
        ("Transfer-Encoding: chunked\r\n\r\n", &chunk),
        ("", "x: 0123456789\r\n"),
        ("x-", "0123456789abcdef"),
    ];
    let threads: Vec<_> = (0..30)
        .map(|at| {
            let (begin, more) = heads[at % 3];
            let (begin, more) = (format!("{own}{begin}"), more.repeat(1 + (1 << 16) / more.len()));
            let address = served.address;
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                let mut is_taken = stream.write_all(begin.as_bytes()).is_ok();
                for _ in 0..1000 {
                    is_taken = is_taken && stream.write_all(more.as_bytes()).is_ok();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(served.get("/readyz", &[]).0, 200);
    let grown = peak(&served.child) - before;
    assert!(grown < 64 << 10, "{grown} kB");
    assert_eq!(served.end().0, 0);
}
