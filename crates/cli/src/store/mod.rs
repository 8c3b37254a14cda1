//! The commands of a store: cases kept on a disk.

mod care;
mod change;
mod export;
pub(crate) mod load;
mod read;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use getcases::Scope;
use getcases_store::{Options, Store, StoreError};

use crate::Usage;
use crate::args::Files;

/// Where the cases are kept.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// The folder of the store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
}

/// Which scope cases belong to that name none, or that is meant.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The account, where the store has several, or cases name none.
    #[arg(long, value_name = "A")]
    pub(crate) account: Option<String>,
    /// The stream, where the account has several, or cases name none.
    #[arg(long, value_name = "S")]
    pub(crate) stream: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Put files of cases into a store, which is made where there is none.
    Load(LoadArgs),
    /// Put cases into a store, which is made where there is none: NDJSON from the standard input.
    Upsert(ChangeArgs),
    /// Take cases out of a store: an _id a line from the standard input, as it is or as --acks
    /// prints it. A line that is a JSON text is read as one.
    Delete(ChangeArgs),
    /// Print cases of a store.
    Get(GetArgs),
    /// Hold everything in a store against what was written. Exit code 1 where it is damaged, with
    /// a line for each finding; 3 where a later version made it.
    Verify(VerifyArgs),
    /// Write a store anew, without what is free in it.
    Compact(At),
    /// Copy a store into a folder that is not there, also while it is written.
    Backup(CopyArgs),
    /// Put a copy of a store into a folder that is not there, once it was found whole.
    Restore(CopyArgs),
    /// Print every case of a store, in the order of scopes and _ids, or what a request finds.
    Export(ExportArgs),
    /// List the scopes of a store: account, stream and how many cases, parted by tabs.
    Scopes(At),
    /// Take a scope out of a store with all its cases.
    DropScope(ScopeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) of: Of,
    #[command(flatten)]
    pub(crate) files: Files,
    /// Fail where a case is refused: what is whole is in the store all the same.
    #[arg(long)]
    pub(crate) strict_load: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) of: Of,
    /// How many lines are one batch, which is kept whole or not at all.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = crate::args::some())]
    pub(crate) batch: usize,
    /// Print each _id on a line of its own once it is on the disk, in the order of the input.
    ///
    /// It is JSON text where it begins with a quote or has a control character.
    #[arg(long)]
    pub(crate) acks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) of: Of,
    /// The _ids, as they are or as --acks prints them.
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) at: At,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The folder that is copied.
    #[arg(value_name = "FROM")]
    pub(crate) from: PathBuf,
    /// The folder that is made.
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
}

/// A scope by its names: none is taken out because it is the only one, unless that is said.
#[derive(Debug, Args)]
pub(crate) struct ScopeArgs {
    #[command(flatten)]
    pub(crate) at: At,
    /// The account, as `getcases scopes` lists it.
    #[arg(long, value_name = "A", allow_hyphen_values = true, required_unless_present = "only")]
    pub(crate) account: Option<String>,
    /// The stream.
    #[arg(long, value_name = "S", allow_hyphen_values = true, required_unless_present = "only")]
    pub(crate) stream: Option<String>,
    /// The only scope that there is, or that is left by one name: names may have characters that no
    /// argument has.
    #[arg(long)]
    pub(crate) only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) of: Of,
    /// A request as JSON, @FILE, or - for the standard input: what it finds in each scope, in its
    /// order; all of it, where it has no limit or page of its own.
    #[arg(long, value_name = "JSON")]
    pub(crate) body: Option<OsString>,
    /// How cases are printed.
    #[arg(long, value_enum, default_value_t = ExportFormat::Ndjson)]
    pub(crate) format: ExportFormat,
    /// Print what is whole where the store is damaged; a line for each finding on the standard
    /// error, and exit code 1.
    #[arg(long)]
    pub(crate) despite_damage: bool,
    /// The current user's id, for `mycase`.
    #[arg(long, value_name = "U", requires = "body")]
    pub(crate) user: Option<String>,
    /// The zone of dates without one, as of `query`.
    #[arg(
        long, value_name = "±HH:MM|MINUTES", default_value = "0",
        value_parser = crate::args::offset, allow_hyphen_values = true
    )]
    pub(crate) tz_offset: i64,
}

/// How cases are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A document a line.
    Ndjson,
    /// A column for each top-level key: texts as they are, everything else as JSON.
    Csv,
}

pub(crate) fn run(command: &StoreCommand) -> anyhow::Result<ExitCode> {
    match command {
        StoreCommand::Load(args) => load::run(args),
        StoreCommand::Upsert(args) => change::upsert(args),
        StoreCommand::Delete(args) => change::delete(args),
        StoreCommand::Get(args) => read::get(args),
        StoreCommand::Verify(args) => care::verify(args),
        StoreCommand::Compact(at) => care::compact(at),
        StoreCommand::Backup(args) => care::backup(args),
        StoreCommand::Restore(args) => care::restore(args),
        StoreCommand::Export(args) => export::run(args),
        StoreCommand::Scopes(at) => read::scopes(at),
        StoreCommand::DropScope(args) => care::drop_scope(args),
    }
}

/// Opens a store for writing; only `is_made` makes one.
fn open(at: &At, is_made: bool) -> anyhow::Result<Store> {
    if !is_made && !at.store.is_dir() {
        return Err(StoreError::Missing { file: at.store.clone() }.into());
    }
    Ok(Store::open(&at.store, &Options::default())?)
}

/// Opens a store for reading.
pub(crate) fn read_only(folder: &Path) -> anyhow::Result<Store> {
    Ok(Store::open_read_only(folder, &Options::default())?.0)
}

/// The scopes that a choice leaves.
fn fitting(store: &Store, account: Option<&str>, stream: Option<&str>) -> Vec<Scope> {
    let fits = |own: &Scope| {
        account.is_none_or(|account| account == own.account())
            && stream.is_none_or(|stream| stream == own.stream())
    };
    store.scopes().into_iter().filter(fits).collect()
}

/// The scope that is meant: what is chosen, else the only one that fits.
///
/// # Errors
/// Where several fit, or none.
pub(crate) fn scope(
    store: &Store,
    account: Option<&str>,
    stream: Option<&str>,
) -> anyhow::Result<Scope> {
    let mut fitting = fitting(store, account, stream);
    match (fitting.pop(), fitting.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            fitting.push(last);
            let part = if account.is_some() { "stream" } else { "account" };
            let choices = crate::loaded::choices(part, &fitting);
            anyhow::bail!(Usage(format!("{} scopes fit; {choices}", fitting.len())))
        }
        (None, _) => anyhow::bail!("the store has no such scope; `getcases scopes` lists them"),
    }
}
