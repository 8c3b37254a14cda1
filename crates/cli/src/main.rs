//! The `getcases` command.

mod args;
mod bench;
mod check;
mod demo;
mod desk;
mod generate;
mod hint;
mod layout;
mod load;
mod loaded;
mod manual;
mod memory;
mod query;
mod report;
#[cfg(feature = "server")]
mod serve;
mod shell;
mod stats;
#[cfg(feature = "store")]
mod store;
mod table;
mod titles;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use args::{Cli, Command};

/// Wrong usage that only the files can tell, such as cases of several scopes and no choice.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn main() -> ExitCode {
    memory::settle();
    let arguments = args::with_words(std::env::args_os());
    let done = match Cli::try_parse_from(arguments) {
        Ok(cli) => run(cli.command),
        Err(told) => print(&told),
    };
    match done {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("getcases: {error:#}"));
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
        }
    }
}

/// Prints help, the version, or what is wrong with the arguments.
fn print(told: &clap::Error) -> anyhow::Result<ExitCode> {
    let printed = told.print();
    if told.use_stderr() {
        if let Some(word) = meant_word(told) {
            tell(&format!("what is asked stands in words, behind the files: -w {word}:…"));
        }
        return Ok(ExitCode::from(2));
    }
    printed?;
    Ok(ExitCode::SUCCESS)
}

/// The name of a word that was given as a flag, to the command that takes words behind one.
fn meant_word(told: &clap::Error) -> Option<&'static str> {
    std::env::args_os().nth(1).filter(|command| command == "query")?;
    let ContextValue::String(flag) = told.get(ContextKind::InvalidArg)? else { return None };
    let flag = flag.strip_prefix("--")?;
    let names = words::names::NAMES.iter().flat_map(|own| own.names);
    let is_unknown = told.kind() == ErrorKind::UnknownArgument;
    names.copied().find(|name| is_unknown && *name == flag)
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo => demo::run().map(|()| ExitCode::SUCCESS),
        Command::Query(args) => query::run(&args),
        Command::Shell(args) => shell::run(&args),
        Command::Generate(args) => generate::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Check(args) => check::run(&args),
        Command::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Stats(args) => stats::run(&args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(*args),
        #[cfg(feature = "server")]
        Command::Config(command) => serve::config(&command).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "server")]
        Command::Token(args) => serve::token(&args).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "store")]
        Command::Store(command) => store::run(&command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "getcases", &mut script);
            io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man(args) => manual::run(&args).map(|()| ExitCode::SUCCESS),
    }
}

/// Writes lines to the standard error, without what a terminal obeys. Whether anyone reads them
/// changes neither what is printed nor the exit code.
pub(crate) fn tell(lines: &str) {
    let lines: Vec<_> = lines.split('\n').map(getcases_load::plain).collect();
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

/// Whether something else was to be asked, and nothing failed.
fn is_usage(error: &anyhow::Error) -> bool {
    let file = error.downcast_ref::<getcases_load::Error>();
    error.is::<Usage>() || matches!(file, Some(getcases_load::Error::Usage(_)))
}

/// Whoever reads our output has gone: there is nothing to complain about.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io.into_iter().any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
