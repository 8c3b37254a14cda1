//! `getcases man`: a manual page for the command, and one for each of its subcommands.

use std::io::{self, Write};

use anyhow::Context as _;
use clap::CommandFactory;
use clap_mangen::Man;

use crate::Usage;
use crate::args::{Cli, ManArgs};

pub(crate) fn run(args: &ManArgs) -> anyhow::Result<()> {
    // `help` has no page: each page says what it does.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &args.dir {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| format!("cannot write to {}", folder.display()))?;
        return Ok(());
    }
    let page = match &args.subcommand {
        None => command,
        Some(name) => {
            let names = || command.get_subcommands().map(clap::Command::get_name);
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
    let mut text = Vec::new();
    Man::new(page).render(&mut text)?;
    io::stdout().write_all(&text)?;
    Ok(())
}
