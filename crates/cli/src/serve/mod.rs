//! `getcases serve`, and what goes with it: configurations and tokens.

mod args;
#[cfg(feature = "store")]
mod kept;
mod log;

use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use getcases::Scope;
use getcases_server::{
    Access, Apps, Backend, EXAMPLE, Limits, Server, Settings, SettingsError, Tls,
};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Files;
use crate::loaded::{Loaded, shell_text};
use crate::report::FirstRefused;
use crate::{Usage, demo, load, tell};

use args::Expires;
pub(crate) use args::{ConfigCommand, HELP, ServeArgs, TokenArgs};

/// Where cases live: the first line of all.
const IN_MEMORY: &str = "cases live in memory: what is written is lost when this ends";
/// After how many steps of requests the network and the clock are looked at again: a step may take
/// a tenth of a millisecond.
const EVENTS: u32 = 8;
/// How many scopes are told at the start.
const TOLD: usize = 5;

pub(crate) fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = settings(&args)?;
    let _log = log::start(args.log, args.log_level)?;
    allow_connections();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = settings.threads {
        runtime.worker_threads(threads);
    }
    runtime.event_interval(EVENTS);
    runtime.enable_all().build()?.block_on(serve(args, settings))?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the process have as many open connections as the system lets it have: what it begins with
/// is often 1,024.
fn allow_connections() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::warn!(%error, "the limit of open files stays");
        }
    }
}

/// `getcases config`.
pub(crate) fn config(command: &ConfigCommand) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match command {
        ConfigCommand::Example => out.write_all(EXAMPLE.as_bytes())?,
        ConfigCommand::Check { file } => {
            let settings = read(file)?;
            let of_file = || file.display().to_string();
            access(&settings).with_context(of_file)?;
            tls(&settings).with_context(of_file)?;
            for cases in &settings.cases {
                std::fs::File::open(cases)
                    .with_context(|| format!("cannot open {}", cases.display()))?;
            }
            let apps = settings.apps.len();
            writeln!(out, "{}: good, {apps} {}", of_file(), plural(apps, "app"))?;
            if apps == 0 {
                tell("it has no [[app]]: nobody may ask");
            }
            settings.doubts().iter().for_each(|own| tell(&format!("warning: {own}")));
        }
    }
    Ok(())
}

/// Reads a configuration; what is wrong is told with its name.
fn read(file: &Path) -> anyhow::Result<Settings> {
    let read = Settings::from_file(file);
    if let Err(error @ SettingsError::Unreadable { .. }) = read {
        // It has the name itself.
        return Err(error.into());
    }
    read.with_context(|| file.display().to_string())
}

/// `getcases token`.
pub(crate) fn token(args: &TokenArgs) -> anyhow::Result<()> {
    let settings = read(&args.config)?;
    let apps = Apps::new(&settings.apps)?;
    let expires = match args.expires {
        Expires::After(time) => Some(time),
        Expires::Never => None,
    };
    let token = getcases_server::make_token(&apps, &args.app, args.user.as_deref(), expires)?;
    writeln!(io::stdout().lock(), "{token}")?;
    Ok(())
}

/// What the flags, the environment and the configuration say together.
fn settings(args: &ServeArgs) -> anyhow::Result<Settings> {
    let is_open = args.is_open();
    let mut settings = match &args.config {
        Some(file) => read(file)?,
        None if is_open => Settings::default(),
        None => {
            let wrong = "who may ask? --config FILE says it; to try, --demo has cases of its own, \
                         and --insecure-local asks nobody on this machine for a token";
            return Err(Usage(wrong.to_owned()).into());
        }
    };
    let files = [&args.files[..], &args.cases[..]].concat();
    if !files.is_empty() {
        settings.cases = files;
    } else if let Some(files) = std::env::var_os("GETCASES_CASES") {
        settings.cases = std::env::split_paths(&files).collect();
    }
    if let Some(folder) = args.store() {
        settings.store = Some(folder.to_owned());
    }
    if settings.store.is_some() {
        if cfg!(not(feature = "store")) {
            return Err(Usage("store: this command was built without stores".to_owned()).into());
        }
        if args.account.is_some() || args.stream.is_some() || args.strict_load {
            let wrong = "--account, --stream and --strict-load are of files, and the cases of a \
                         store have theirs";
            return Err(Usage(wrong.to_owned()).into());
        }
    }
    settings.listen = args.listen.unwrap_or(settings.listen);
    if let Some(threads) = args.threads {
        settings.threads = Some(usize::try_from(threads)?);
    }
    set_limits(&mut settings.limits, &args.limits)?;
    settings.check().map_err(|error| Usage(error.to_string()))?;
    if is_open && !settings.listen.ip().is_loopback() {
        let wrong = format!(
            "{} is no loopback address: without tokens, only this machine may ask",
            settings.listen
        );
        return Err(Usage(wrong).into());
    }
    Ok(settings)
}

/// The limits that the environment has, then those of flags.
fn set_limits(limits: &mut Limits, flags: &[(&'static str, u64)]) -> anyhow::Result<()> {
    for (variable, text) in std::env::vars_os() {
        let Some(variable) = variable.to_str() else { continue };
        let Some(name) = variable.strip_prefix("GETCASES_LIMITS_") else { continue };
        let known = || Limits::ALL.iter().map(|(name, _)| *name);
        let Some(name) = known().find(|own| own.eq_ignore_ascii_case(name)) else {
            let near = getcases_load::nearest(name, known()).map(str::to_uppercase);
            let meant = near.map(|near| format!("; did you mean GETCASES_LIMITS_{near}?"));
            let told = format!("{variable}: there is no such limit{}", meant.unwrap_or_default());
            return Err(Usage(told).into());
        };
        let value = text.to_str().and_then(|text| text.parse().ok());
        let value = value.ok_or_else(|| Usage(format!("{variable}: {text:?} is no number")))?;
        limits.set(name, value);
    }
    for (name, value) in flags {
        limits.set(name, *value);
    }
    Ok(())
}

fn access(settings: &Settings) -> anyhow::Result<Access> {
    Ok(Access::Apps(Apps::new(&settings.apps)?))
}

fn tls(settings: &Settings) -> anyhow::Result<Option<Tls>> {
    match (&settings.tls_certificate_file, &settings.tls_key_file) {
        (Some(certificate), Some(key)) => Ok(Some(Tls::from_files(certificate, key)?)),
        _ => Ok(None),
    }
}

/// Listens, loads, and answers until it is to stop.
async fn serve(args: ServeArgs, settings: Settings) -> anyhow::Result<()> {
    let config = args.config.clone();
    let of_file = || config.as_ref().map_or_else(String::new, |file| file.display().to_string());
    let access = if args.is_open() {
        Access::Everybody { user: args.user.clone() }
    } else {
        access(&settings).with_context(of_file)?
    };
    let tls = tls(&settings).with_context(of_file)?;
    settings.doubts().iter().for_each(|own| tracing::warn!("{own}"));
    let server = Server::new(access, settings.limits.clone());
    // Whoever is told where it listens finds it there: another server's store ends it before that.
    #[cfg(feature = "store")]
    let locked = settings.store.as_ref().map(kept::Begun::lock).transpose()?;
    #[cfg(not(feature = "store"))]
    let locked = None;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    #[cfg(feature = "store")]
    let demo = args.demo.then(kept::Demo::new).transpose().context("cannot make a store")?;
    #[cfg(not(feature = "store"))]
    let demo = None::<Demo>;
    let where_kept = match (&settings.store, &demo) {
        (Some(folder), _) => format!("cases are kept in {}", folder.display()),
        (None, Some(own)) => {
            format!("cases are kept in {} until this ends", own.folder().display())
        }
        (None, None) => IN_MEMORY.to_owned(),
    };
    // Before anybody is told that it is there.
    let stop = stopped(args.config.is_some())?;
    say(&format!("{where_kept}\nlistening on {scheme}://{address}"))?;
    if let Some(config) = args.config.clone() {
        reload_on_hangup(server.clone(), config, args.limits.clone())?;
    }
    let router = server.router_for(&settings.cors_origins);
    let (done, opened) = tokio::sync::oneshot::channel();
    let (opening, begun) = (server.clone(), demo.as_ref().map(|own| own.begun()).or(locked));
    std::thread::spawn(move || {
        let _ = done.send(open(&opening, &args, settings, (address, begun)));
    });
    let answering = getcases_server::serve(listener, server, router, tls, stop);
    let mut answering = std::pin::pin!(answering);
    let closing = tokio::select! {
        ended = &mut answering => return Ok(ended?),
        opened = opened => opened.unwrap_or_else(|_| Err(anyhow::anyhow!("the load panicked")))?,
    };
    answering.await?;
    closing()
}

#[cfg(feature = "store")]
use kept::Begun;

/// Without stores there is none.
#[cfg(not(feature = "store"))]
type Begun = std::convert::Infallible;

#[cfg(not(feature = "store"))]
enum Demo {}

#[cfg(not(feature = "store"))]
impl Demo {
    fn folder(&self) -> &std::path::Path {
        match *self {}
    }

    fn begun(&self) -> Begun {
        match *self {}
    }
}

/// What is done once nothing is answered any more.
type Closing = Box<dyn FnOnce() -> anyhow::Result<()> + Send>;

/// Loads the cases, or opens their store, and gives them to the server.
fn open(
    server: &Server,
    args: &ServeArgs,
    settings: Settings,
    (address, begun): (SocketAddr, Option<Begun>),
) -> anyhow::Result<Closing> {
    match begun {
        None => {}
        #[cfg(not(feature = "store"))]
        Some(none) => match none {},
        #[cfg(feature = "store")]
        Some(Begun::Demo(kept)) => {
            kept.fill()?;
            let lines = ready(server, &*kept, Some(address));
            server.open(kept);
            say(&lines)?;
            return Ok(Box::new(|| Ok(())));
        }
        #[cfg(feature = "store")]
        Some(Begun::Locked(locked)) => {
            let kept = kept::Kept::open(locked)?;
            let lines = ready(server, &*kept, args.is_open().then_some(address));
            server.open(kept.clone());
            say(&lines)?;
            return Ok(Box::new(move || Ok(kept.checkpoint()?)));
        }
    }
    let loaded = if args.demo { demo::load()? } else { load(args, settings.cases)? };
    let lines = ready(server, &loaded.engine, args.is_open().then_some(address));
    server.open(Arc::new(loaded.engine));
    say(&lines)?;
    Ok(Box::new(|| Ok(())))
}

/// What is told of the cases that are there; with an address that asks for no token, how to try it.
fn ready(server: &Server, cases: &dyn Backend, open_at: Option<SocketAddr>) -> String {
    let scopes = cases.scopes();
    let mut lines = Vec::new();
    let count: usize = scopes.iter().map(|scope| cases.snapshot(scope).len()).sum();
    lines.push(format!(
        "ready: {count} {} of {} {}",
        plural(count, "case"),
        scopes.len(),
        plural(scopes.len(), "scope"),
    ));
    for scope in scopes.iter().take(TOLD) {
        let [account, stream] = [scope.account(), scope.stream()].map(getcases_load::plain);
        let count = cases.snapshot(scope).len();
        lines.push(format!("  account {account}, stream {stream}: {count}"));
    }
    if scopes.len() > TOLD {
        lines.push(format!("  and {} more", scopes.len() - TOLD));
    }
    let mut unseen = scopes.iter().filter(|scope| !server.has_reader_of(scope));
    if let Some(first) = unseen.next() {
        let [account, stream] = [first.account(), first.stream()].map(getcases_load::plain);
        lines.push(format!(
            "no app may read {} of {}, such as account {account}, stream {stream}",
            1 + unseen.count(),
            scopes.len(),
        ));
    }
    let pasted = scopes.iter().find(|scope| can_be_pasted(scope));
    if let Some(address) = open_at {
        lines.push(format!("http://{address}/docs/ shows the API, and asks it"));
    }
    if let (Some(scope), Some(address)) = (pasted, open_at) {
        lines.push(curl(scope.account(), scope.stream(), address));
    }
    lines.join("\n")
}

fn load(args: &ServeArgs, files: Vec<PathBuf>) -> anyhow::Result<Loaded> {
    let mut first = FirstRefused::default();
    let files = Files::new(files, args.reading.clone());
    let scope = (args.account.as_deref(), args.stream.as_deref());
    let loaded = load::files(&files, scope, &mut |file, refused| {
        first.note(file, refused);
        Ok(())
    })?;
    first.report(&loaded);
    let refused = loaded.report.refused;
    anyhow::ensure!(!args.strict_load || refused == 0, "{refused} cases were refused");
    anyhow::ensure!(!loaded.has_file_all_refused(), "there is a file in which nothing is a case");
    Ok(loaded)
}

/// Whether a scope's names come through a shell, a header and a path as they are.
fn can_be_pasted(scope: &Scope) -> bool {
    let (account, stream) = (scope.account(), scope.stream());
    let is_whole = account.trim() == account && getcases_load::plain(account) == account;
    is_whole && !account.is_empty() && !matches!(stream, "" | "." | "..")
}

/// What to paste into a shell.
fn curl(account: &str, stream: &str, address: SocketAddr) -> String {
    let header = shell_text(&format!("accountId: {account}"));
    let path = format!("caseManagement/api/public/analytics/{}/getCases", path_part(stream));
    format!(
        "try:\n  curl 'http://{address}/{path}' \\\n    --header {header} \\\n    \
         --header 'Content-Type: application/json' \\\n    \
         --data '{{\"unresolved\":true,\"sortBy\":\"dueDate\",\"limit\":3}}'"
    )
}

/// A part of a path, as it stands in a URL.
fn path_part(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Reads the configuration again whenever the process is told to hang up. One that is wrong changes
/// nothing.
fn reload_on_hangup(
    server: Server,
    config: PathBuf,
    flags: Vec<(&'static str, u64)>,
) -> anyhow::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            let read = || -> anyhow::Result<_> {
                // Once: it may be another a moment later.
                let text = std::fs::read_to_string(&config)?;
                // As a file is that is just being written, or did not fit on its disk.
                anyhow::ensure!(!text.trim().is_empty(), "it is empty");
                let mut settings = Settings::of_file(&text, &config)?;
                set_limits(&mut settings.limits, &flags)?;
                settings.check()?;
                if settings.apps.is_empty() {
                    tracing::warn!("the configuration has no app: nobody may ask");
                }
                Ok((access(&settings)?, settings.limits))
            };
            match read() {
                Ok((access, limits)) => {
                    server.set_rules(access, limits);
                    tracing::info!(config = %config.display(), "the configuration is read again");
                }
                Err(error) => tracing::error!(
                    config = %config.display(),
                    error = format!("{error:#}"),
                    "the configuration is wrong, and the one before stays",
                ),
            }
        }
    });
    Ok(())
}

/// Ends when the process is to stop.
fn stopped(has_config: bool) -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate, mut hangup) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            // With a configuration it is read again; else the terminal is gone.
            _ = hangup.recv(), if !has_config => {}
        }
        tracing::info!("ending what runs");
    })
}

/// Writes lines to the standard output at once: others wait for them.
fn say(lines: &str) -> anyhow::Result<()> {
    let lines: Vec<_> = lines.split('\n').map(getcases_load::plain).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "{}", lines.join("\n"))?;
    Ok(out.flush()?)
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
