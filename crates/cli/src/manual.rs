//! `getcases man`: a manual page for the command, and one for each of its subcommands.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::Usage;
use crate::args::{Cli, ManArgs};

const SOURCE: &str = concat!("getcases ", env!("CARGO_PKG_VERSION"));

pub(crate) fn run(args: &ManArgs) -> anyhow::Result<()> {
    // `help` has no page: each page says what it does.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &args.dir {
        return write_all(command, folder)
            .with_context(|| format!("cannot write to {}", folder.display()));
    }
    let page = match &args.subcommand {
        None => command,
        Some(name) => {
            let names = || command.get_subcommands().map(Command::get_name);
            match command.find_subcommand(name) {
                Some(own) => own.clone(),
                None => {
                    let near = getcases_load::nearest(name, names());
                    let meant = near.map(|near| format!("; did you mean {near}?"));
                    let names: Vec<_> = names().collect();
                    return Err(Usage(format!(
                        "there is no subcommand {name:?}{}; there are {}",
                        meant.unwrap_or_default(),
                        names.join(", ")
                    ))
                    .into());
                }
            }
        }
    };
    io::stdout().write_all(&rendered(page)?)?;
    Ok(())
}

/// Writes the page of a command, and of each that is below it.
fn write_all(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
    subcommands.into_iter().try_for_each(|own| write_all(own, folder))?;
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    fs::write(folder.join(name + ".1"), rendered(command)?)
}

/// A page, with the version of the command, which each subcommand shares.
fn rendered(page: Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(page).source(SOURCE).render(&mut text)?;
    Ok(text)
}
