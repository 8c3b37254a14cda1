//! What the server has done, in numbers. No label is anything that somebody wrote: neither an
//! account nor a stream nor a text.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use getcases::Code;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::cases::Totals;

/// The bounds of the time of a request: 50 µs, doubled up to 26 s.
const FIRST: f64 = 0.000_05;
const BUCKETS: u16 = 20;
/// Of how much time one part at most is spent on counting what all scopes hold: anybody may ask for
/// that, and its cost grows with the scopes.
const SHARE: u32 = 20;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusals {
    code: &'static str,
}

/// Counters of a server.
pub(crate) struct Metrics {
    registry: Registry,
    seconds: Family<Answered, Histogram, fn() -> Histogram>,
    refusals: Family<Refusals, Counter>,
    connections: Gauge,
    panics: Counter,
    scopes: Gauge<u64, AtomicU64>,
    cases: Gauge<u64, AtomicU64>,
    bytes: Gauge<u64, AtomicU64>,
    kept_bytes: Gauge<u64, AtomicU64>,
    /// Until when the totals stay as they were counted last.
    counted: Mutex<Option<Instant>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let histogram: fn() -> Histogram =
            || Histogram::new(exponential_buckets(FIRST, 2.0, BUCKETS));
        let mut own = Self {
            registry: Registry::with_prefix("getcases"),
            seconds: Family::new_with_constructor(histogram),
            refusals: Family::default(),
            connections: Gauge::default(),
            panics: Counter::default(),
            scopes: Gauge::default(),
            cases: Gauge::default(),
            bytes: Gauge::default(),
            kept_bytes: Gauge::default(),
            counted: Mutex::default(),
        };
        let registry = &mut own.registry;
        registry.register(
            "http_request_seconds",
            "Time from the head of a request to the head of its answer",
            own.seconds.clone(),
        );
        registry.register("http_refusals", "Refused requests by code", own.refusals.clone());
        registry.register("http_connections", "Open connections", own.connections.clone());
        registry.register("http_panics", "Requests that ended in a panic", own.panics.clone());
        registry.register("scopes", "Scopes with cases", own.scopes.clone());
        registry.register("cases", "Cases in all scopes", own.cases.clone());
        registry.register("index_bytes", "Memory of all scopes, counted", own.bytes.clone());
        let help = "Memory of documents that are kept as they were written";
        registry.register("document_cache_bytes", help, own.kept_bytes.clone());
        own
    }

    /// Counts an answer, of a route as it is declared.
    pub(crate) fn answered(
        &self,
        route: &str,
        method: &axum::http::Method,
        status: u16,
        time: Duration,
    ) {
        // Methods that are no standard's are one, so that nobody makes labels.
        let method = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
            .into_iter()
            .find(|own| *own == method.as_str())
            .unwrap_or("other");
        let answered = Answered { route: route.to_owned(), method, status };
        self.seconds.get_or_create(&answered).observe(time.as_secs_f64());
    }

    pub(crate) fn refused(&self, code: Code) {
        self.refusals.get_or_create(&Refusals { code: code.as_str() }).inc();
    }

    pub(crate) fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts a connection for as long as what is given lives.
    pub(crate) fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// Everything, as a text; documents that are kept take so many bytes.
    pub(crate) fn text(
        &self,
        kept_bytes: u64,
        count: impl FnOnce() -> Totals,
    ) -> Result<String, fmt::Error> {
        self.kept_bytes.set(kept_bytes);
        if let Ok(mut counted) = self.counted.try_lock()
            && counted.is_none_or(|until| until <= Instant::now())
        {
            let started = Instant::now();
            let totals = count();
            self.scopes.set(totals.scopes);
            self.cases.set(totals.cases);
            self.bytes.set(totals.bytes);
            *counted = Some(Instant::now() + started.elapsed() * SHARE);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// An open connection.
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}
