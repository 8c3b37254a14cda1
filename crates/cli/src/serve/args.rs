//! What `serve`, `config` and `token` are told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use getcases_server::Limits;

use crate::args::Reading;

/// What stands below the help of `serve`.
pub(crate) const HELP: &str = "\
One of --config, --insecure-local and --demo says who may ask. Flags win over the environment, and
that over the configuration: GETCASES_LISTEN, GETCASES_CASES (files, as in PATH), GETCASES_STORE,
GETCASES_THREADS, and GETCASES_LIMITS_HEADER_SECONDS and so on for each limit. SIGHUP reads the
configuration again: who may ask, and the limits of requests. SIGTERM and Ctrl-C end what runs, and
the server. docs/server.md tells all of it, by tasks.";

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Files of cases, read at the start; cases live in memory alone.
    #[arg(value_name = "FILE", conflicts_with = "demo")]
    pub(super) files: Vec<PathBuf>,
    /// Files of cases, as by their bare names.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "demo")]
    pub(super) cases: Vec<PathBuf>,
    /// A store: what is written is kept there, and answered once it is on the disk. It is made
    /// where there is none.
    #[cfg(feature = "store")]
    #[arg(long, value_name = "DIR", env = "GETCASES_STORE", conflicts_with = "demo")]
    pub(super) store: Option<PathBuf>,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// Where cases belong that name no account.
    #[arg(long, value_name = "A", conflicts_with = "demo")]
    pub(super) account: Option<String>,
    /// Where cases belong that name no stream.
    #[arg(long, value_name = "S", conflicts_with = "demo")]
    pub(super) stream: Option<String>,
    /// Fail where a case is refused.
    #[arg(long)]
    pub(super) strict_load: bool,
    /// A configuration: `getcases config example` prints one.
    #[arg(long, value_name = "FILE", env = "GETCASES_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Ask for no token: everybody on this machine may ask for everything. Loopback addresses only.
    #[arg(long, conflicts_with = "config")]
    pub(super) insecure_local: bool,
    /// Serve made cases and the sample's own, to whom --insecure-local does.
    #[arg(long, conflicts_with = "config")]
    pub(super) demo: bool,
    /// The current user's id for `mycase`, where no token is asked for.
    #[arg(long, value_name = "U", conflicts_with = "config")]
    pub(super) user: Option<String>,
    /// Where to listen; port 0 takes a free one. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", env = "GETCASES_LISTEN")]
    pub(super) listen: Option<SocketAddr>,
    /// How many threads answer; as many as there are cores unless set.
    #[arg(long, value_name = "N", env = "GETCASES_THREADS", value_parser = threads())]
    pub(super) threads: Option<u64>,
    /// A limit, as in the configuration: body_seconds=5. Several, each behind its own --limit.
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    pub(super) limits: Vec<(&'static str, u64)>,
    /// What the log is written as, on the standard error.
    #[arg(long, value_enum, default_value_t = LogForm::Pretty)]
    pub(super) log: LogForm,
    /// How much the log tells: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "GETCASES_LOG_LEVEL")]
    pub(super) log_level: tracing::Level,
}

impl ServeArgs {
    /// The folder of the store, if cases are kept in one.
    pub(super) fn store(&self) -> Option<&Path> {
        #[cfg(feature = "store")]
        return self.store.as_deref();
        #[cfg(not(feature = "store"))]
        None
    }

    /// Whether nobody is asked for a token.
    pub(super) fn is_open(&self) -> bool {
        self.insecure_local || self.demo
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// Lines for people.
    Pretty,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether a configuration can be used: its keys, values, secrets and keys.
    Check {
        /// The configuration.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a configuration that says everything, with the defaults.
    Example,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The configuration that has the app.
    #[arg(long, value_name = "FILE", env = "GETCASES_CONFIG")]
    pub(super) config: PathBuf,
    /// The app's id.
    #[arg(long, value_name = "ID")]
    pub(super) app: String,
    /// The current user's id, for `mycase`.
    #[arg(long, value_name = "U")]
    pub(super) user: Option<String>,
    /// After how long it ends: 30s, 15m, 1h, 7days; `never` for an app that needs no end.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = expires)]
    pub(super) expires: Expires,
}

/// When a token ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expires {
    After(Duration),
    Never,
}

fn threads() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=1024)
}

fn expires(text: &str) -> Result<Expires, String> {
    if text == "never" {
        return Ok(Expires::Never);
    }
    humantime::parse_duration(text).map(Expires::After).map_err(|error| error.to_string())
}

fn limit(text: &str) -> Result<(&'static str, u64), String> {
    let (name, value) = text.split_once('=').ok_or("a limit is NAME=N")?;
    let known = Limits::ALL.iter().map(|(own, _)| *own);
    let Some(name) = known.clone().find(|own| *own == name) else {
        let known: Vec<_> = known.collect();
        return Err(format!("no limit {name:?}; there are {}", known.join(", ")));
    };
    value.parse().map(|value| (name, value)).map_err(|_| format!("{value:?} is no number"))
}
