//! A server under load: open loop, so that an answer's time counts from when it was to be asked.
//!
//! The server has a core of its own, and so has this. First what the server can do is measured,
//! with as many connections as keep it busy; then it is asked for a part of that, for long; then
//! for three times as much, and again for the part.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use getcases_workload::{ACCOUNT_ID, STREAM_ID, Shape, Workload};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{sleep, sleep_until, timeout};

/// How many accounts the cases are spread over.
const ACCOUNTS: u64 = 100;
/// How many connections keep the server busy while it is measured, and how many there are else.
const BUSY: usize = 64;
const CONNECTIONS: usize = 1024;
/// How long is measured what the server can do, and how long it is asked for too much.
const MEASURED: Duration = Duration::from_secs(10);
const FLOODED: Duration = Duration::from_secs(30);
const RECOVERY: Duration = Duration::from_secs(20);
/// What an answer may take.
const LATE: Duration = Duration::from_millis(20);
/// After how long a request that nobody could send is given up.
const GIVEN_UP: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command that serves, built for release.
    #[arg(long, value_name = "PATH")]
    bin: PathBuf,
    /// How many seed-shaped cases, over 100 accounts.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    cases: u64,
    /// For how many seconds 60 % of what it can do is asked.
    #[arg(long, value_name = "S", default_value_t = 300)]
    seconds: u64,
    /// Where the cases are written; a file that is there is used again.
    #[arg(long, value_name = "FILE", default_value = "load-cases.ndjson")]
    file: PathBuf,
    /// End with one JSON object.
    #[arg(long)]
    json: bool,
}

#[allow(clippy::print_stdout)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if !args.file.is_file() {
        write_cases(&args.file, args.cases)?;
    }
    let server = Served::start(args)?;
    // This has the other core.
    let own = std::process::id().to_string();
    Command::new("taskset").args(["-acp", "1", &own]).stdout(Stdio::null()).status()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let bodies = Rc::new(Bodies::new(args.cases));
    let phase = |rate, time| {
        let asked = ask(server.address.clone(), bodies.clone(), rate, time);
        LocalSet::new().block_on(&runtime, asked)
    };
    let closed = phase(None, MEASURED)?;
    let capacity = closed.good.len() as f64 / MEASURED.as_secs_f64();
    let before = server.memory();
    let steady = phase(Some(capacity * 0.6), Duration::from_secs(args.seconds))?;
    let flood = phase(Some(capacity * 3.0), FLOODED)?;
    let most = server.memory();
    let after = phase(Some(capacity * 0.6), RECOVERY)?;
    let goodput = flood.good.len() as f64 / FLOODED.as_secs_f64() / capacity;
    let recovered = after.recovered();
    let told = recovered.map_or("never".into(), |second| format!("after {second} s"));
    if args.json {
        let figures = json!({
            "capacity": capacity, "steady": steady.figures(), "flood": flood.figures(),
            "goodput": goodput, "memoryRatio": most as f64 / before as f64,
            "recoveredSeconds": recovered, "after": after.figures(),
        });
        println!("{figures}");
        return Ok(());
    }
    println!("capacity {capacity:.0} requests/s");
    println!("at 60 %  {}", steady.line());
    println!("at 300 % {}; goodput {:.0} %", flood.line(), goodput * 100.0);
    println!("memory {} MB, then {} MB", before >> 20, most >> 20);
    println!("at 60 %  {}; good again {told}", after.line());
    Ok(())
}

/// Writes the cases, each of one of the accounts.
fn write_cases(file: &Path, cases: u64) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    let workload = Workload::new(cases, 1, Shape::Seed);
    let mut case = Vec::new();
    for number in 0..cases {
        case.clear();
        workload.write_case(number, &mut case);
        writeln!(out, "{}", of_account(std::str::from_utf8(&case)?, number % ACCOUNTS))?;
    }
    Ok(out.flush()?)
}

/// A made case in the scope of an account.
fn of_account(case: &str, account: u64) -> String {
    let stream = format!("{STREAM_ID:?}");
    case.replacen(ACCOUNT_ID, &format!("a-{account}"), 1).replacen(&stream, "\"s\"", 1)
}

/// A server that ends with this.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(args: &Args) -> anyhow::Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(&args.bin)
            .args(["serve", "--insecure-local", "--threads", "1", "--listen", "127.0.0.1:0"])
            .arg(&args.file)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let out = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let listening =
            lines.find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
        let Some(address) = listening else { bail!("the server does not listen") };
        if !lines.any(|line| line.starts_with("ready")) {
            bail!("the server has not loaded the cases");
        }
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }

    /// Its bytes in memory.
    fn memory(&self) -> u64 {
        let file = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is asked: nine of ten requests are questions for 50 cases, one stores a case anew.
struct Bodies {
    workload: Workload,
    cases: u64,
}

const QUESTIONS: [&str; 6] = [
    r#"{"unresolved":true,"limit":50}"#,
    r#"{"status":["open","new"],"sortBy":"dueDate","limit":50}"#,
    r#"{"priority":["urgent"],"unresolved":true,"limit":50}"#,
    r#"{"searchText":"refund","limit":50}"#,
    r#"{"queues":["Queue 3"],"sortBy":"updatedDate","limit":50}"#,
    r#"{"unassigned":true,"channel":["email"],"limit":50}"#,
];

impl Bodies {
    fn new(cases: u64) -> Self {
        Self { workload: Workload::new(cases, 1, Shape::Seed), cases }
    }

    /// The request of a number, as bytes.
    fn request(&self, number: u64) -> Vec<u8> {
        // An odd multiplier goes through all numbers.
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let (method, path, body) = if number % 10 == 9 {
            let case = mixed % self.cases;
            let account = case % ACCOUNTS;
            let mut text = Vec::new();
            self.workload.write_case(case, &mut text);
            let text = of_account(&String::from_utf8_lossy(&text), account);
            ("POST", format!("/v1/a-{account}/s/cases:batch"), text)
        } else {
            let question = QUESTIONS[(mixed % QUESTIONS.len() as u64) as usize];
            let path = format!("/v1/a-{}/s/getCases", mixed / 7 % ACCOUNTS);
            ("POST", path, question.to_owned())
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        (head + &body).into_bytes()
    }
}

/// How long requests took, in microseconds, from when they were to be asked.
#[derive(Default)]
struct Asked {
    good: Vec<u32>,
    /// The same, from when they were sent.
    served: Vec<u32>,
    /// Refused because of too much, from when they were sent.
    refused: Vec<u32>,
    errors: u64,
    /// Which were never sent.
    given_up: u64,
    /// Of each second from the beginning: the times of its answers, and how many were refused.
    seconds: Vec<(Vec<u32>, u64)>,
}

impl Asked {
    fn at(times: &[u32], part: f64) -> f64 {
        let mut times = times.to_vec();
        times.sort_unstable();
        let at = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
        times.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }

    fn line(&self) -> String {
        format!(
            "{} answered, median {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, from when they were sent \
             p99 {:.2} ms; {} refused, p99 {:.2} ms; {} not sent; {} errors",
            self.good.len(),
            Self::at(&self.good, 0.5),
            Self::at(&self.good, 0.99),
            Self::at(&self.good, 0.999),
            Self::at(&self.served, 0.99),
            self.refused.len(),
            Self::at(&self.refused, 0.99),
            self.given_up,
            self.errors,
        )
    }

    fn figures(&self) -> serde_json::Value {
        json!({
            "answered": self.good.len(), "medianMs": Self::at(&self.good, 0.5),
            "p99Ms": Self::at(&self.good, 0.99), "p999Ms": Self::at(&self.good, 0.999),
            "servedP99Ms": Self::at(&self.served, 0.99), "refused": self.refused.len(),
            "refusedP99Ms": Self::at(&self.refused, 0.99), "notSent": self.given_up,
            "errors": self.errors,
        })
    }

    /// The first second whose p99 is in time, and in which nothing was refused.
    fn recovered(&self) -> Option<usize> {
        let late = LATE.as_secs_f64() * 1000.0;
        let is_good = |(times, refused): &(Vec<u32>, u64)| {
            *refused == 0 && !times.is_empty() && Self::at(times, 0.99) <= late
        };
        self.seconds.iter().position(is_good)
    }

    /// Notes an answer that was due in a second.
    fn note(&mut self, second: usize, answer: Noted) {
        if self.seconds.len() <= second {
            self.seconds.resize_with(second + 1, Default::default);
        }
        let own = &mut self.seconds[second];
        match answer {
            Noted::Good { since_due, since_sent } => {
                own.0.push(since_due);
                self.good.push(since_due);
                self.served.push(since_sent);
            }
            Noted::Refused { since_sent } => {
                own.1 += 1;
                self.refused.push(since_sent);
            }
        }
    }
}

/// An answer, and how long it took in microseconds.
#[derive(Clone, Copy)]
enum Noted {
    Good { since_due: u32, since_sent: u32 },
    Refused { since_sent: u32 },
}

/// What connections share.
struct Shared {
    address: String,
    bodies: Rc<Bodies>,
    asked: RefCell<Asked>,
    /// When what waits was to be asked.
    waiting: RefCell<VecDeque<(Instant, u64)>>,
    ready: tokio::sync::Notify,
    ended: Cell<bool>,
}

/// Asks what waits, one after the other, on a connection that is opened anew where it breaks.
async fn connection(shared: Rc<Shared>, mut open: Option<TcpStream>, started: Instant) {
    let mut buffer = vec![0; 256 << 10];
    while let Some((due, number)) = shared.next().await {
        let sent = Instant::now();
        let status = one(&shared, &mut open, number, &mut buffer).await;
        let second = due.duration_since(started).as_secs() as usize;
        let mut asked = shared.asked.borrow_mut();
        match status {
            Ok(200 | 201) => {
                let [since_due, since_sent] = [due, sent].map(micros);
                asked.note(second, Noted::Good { since_due, since_sent });
            }
            Ok(429 | 503) => asked.note(second, Noted::Refused { since_sent: micros(sent) }),
            _ => {
                open = None;
                asked.errors += 1;
            }
        }
    }
}

fn micros(since: Instant) -> u32 {
    since.elapsed().as_micros() as u32
}

async fn opened(address: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads its answer; gives the status.
async fn one(
    shared: &Shared,
    open: &mut Option<TcpStream>,
    number: u64,
    buffer: &mut [u8],
) -> anyhow::Result<u16> {
    if open.is_none() {
        *open = Some(opened(&shared.address).await?);
    }
    let Some(stream) = open else { bail!("no connection") };
    stream.write_all(&shared.bodies.request(number)).await?;
    let mut read = 0;
    loop {
        let more = stream.read(&mut buffer[read..]).await?;
        if more == 0 {
            bail!("the connection ends");
        }
        read += more;
        let Some(end) = buffer[..read].windows(4).position(|own| own == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])?;
        let status = head.get(9..12).context("no status")?.parse()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut left = length.context("no length")?.parse::<usize>()? + end + 4 - read;
        while left > 0 {
            let more = stream.read(buffer).await?;
            if more == 0 {
                bail!("the connection ends");
            }
            left -= more;
        }
        return Ok(status);
    }
}

/// Asks at a rate, or where there is none as often as it is answered.
async fn ask(
    address: String,
    bodies: Rc<Bodies>,
    rate: Option<f64>,
    time: Duration,
) -> anyhow::Result<Asked> {
    let shared = Rc::new(Shared {
        address,
        bodies,
        asked: RefCell::default(),
        waiting: RefCell::default(),
        ready: tokio::sync::Notify::new(),
        ended: Cell::new(false),
    });
    // Before the clock starts: what is measured is requests.
    let mut open = Vec::new();
    for _ in 0..if rate.is_some() { CONNECTIONS } else { BUSY } {
        open.push(opened(&shared.address).await?);
    }
    let started = Instant::now();
    let all: Vec<_> = open
        .into_iter()
        .map(|open| tokio::task::spawn_local(connection(shared.clone(), Some(open), started)))
        .collect();
    let mut number = 0;
    while started.elapsed() < time {
        match rate {
            Some(rate) => {
                let due = started + Duration::from_secs_f64(number as f64 / rate);
                if due > Instant::now() {
                    sleep_until(due.into()).await;
                }
                shared.push(due, number);
            }
            None => {
                while shared.waiting.borrow().len() < BUSY {
                    shared.push(Instant::now(), number);
                    number += 1;
                }
                sleep(Duration::from_micros(200)).await;
                continue;
            }
        }
        number += 1;
        if number % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    shared.ended.set(true);
    shared.ready.notify_waiters();
    for one in all {
        let _ = timeout(Duration::from_secs(5), one).await;
    }
    Ok(shared.asked.take())
}

impl Shared {
    fn push(&self, due: Instant, number: u64) {
        self.waiting.borrow_mut().push_back((due, number));
        self.ready.notify_one();
    }

    /// The next that is to be asked; nothing once it is over.
    async fn next(&self) -> Option<(Instant, u64)> {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            match next {
                _ if self.ended.get() => return None,
                Some((due, _)) if due.elapsed() > GIVEN_UP => self.asked.borrow_mut().given_up += 1,
                Some(next) => return Some(next),
                None => self.ready.notified().await,
            }
        }
    }
}
