//! A client that sends what it is told to, right or wrong.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that is made bit by bit.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { method, path, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// A body of JSON.
    pub(crate) fn json(self, body: impl AsRef<[u8]>) -> Self {
        self.body(body).header("Content-Type", "application/json")
    }

    /// The bytes that are sent.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it on a connection of its own.
    pub(crate) fn send(&self, address: SocketAddr) -> Answer {
        Connection::open(address).ask(self)
    }
}

/// An open connection.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
    /// Why there is no more to read, where that is an error.
    ended: Option<std::io::Error>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new(), ended: None }
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        self.stream.write_all(&request.to_bytes()).unwrap();
        let answer = self.answer(request.method == "HEAD");
        answer.unwrap_or_else(|| panic!("ended ({:?}) before its answer: {request:?}", self.ended))
    }

    /// The next answer; nothing where the connection ends before it.
    pub(crate) fn answer(&mut self, is_head: bool) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|own| own == b"\r\n\r\n") {
                break end;
            }
            if !self.more() {
                return None;
            }
        };
        let head: Vec<u8> = self.read.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: Vec<_> = lines.map(header).collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if !is_head && !matches!(status, 204 | 304) {
            answer.body = self.body(&answer);
        }
        Some(answer)
    }

    fn body(&mut self, answer: &Answer) -> Vec<u8> {
        if answer.header("transfer-encoding") == Some("chunked") {
            return self.chunks();
        }
        let length = answer.header("content-length").map(|length| length.parse().unwrap());
        while length.is_none_or(|length: usize| self.read.len() < length) && self.more() {}
        let length = length.unwrap_or(self.read.len());
        self.read.drain(..length).collect()
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match self.read.windows(2).position(|own| own == b"\r\n") {
                    Some(end) => break end,
                    None => assert!(self.more(), "the answer ends early"),
                }
            };
            let line: Vec<u8> = self.read.drain(..end + 2).collect();
            let length = usize::from_str_radix(std::str::from_utf8(&line[..end]).unwrap(), 16);
            let length = length.unwrap();
            while self.read.len() < length + 2 {
                assert!(self.more(), "the answer ends early");
            }
            body.extend(self.read.drain(..length));
            self.read.drain(..2);
            if length == 0 {
                return body;
            }
        }
    }

    /// Reads on; says whether there was more.
    fn more(&mut self) -> bool {
        let mut bytes = [0; 64 << 10];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(length) => {
                    self.read.extend_from_slice(&bytes[..length]);
                    return length > 0;
                }
                // A process that was halted for a while.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = Some(error);
                    return false;
                }
            }
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The codes of its errors.
    pub(crate) fn codes(&self) -> Vec<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        let errors = body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
    }
}
