//! `getcases load`: files of cases put into a store.

use std::process::ExitCode;

use getcases::{Batch, Scope, Snapshot, Written};
use getcases_load::{Error, Fill, Loader, Sink};
use getcases_store::{Store, StoreError};

use super::LoadArgs;
use crate::memory;
use crate::report::FirstRefused;
use crate::tell;

pub(crate) fn run(args: &LoadArgs) -> anyhow::Result<ExitCode> {
    args.files.one_standard_input(false)?;
    // A name that is none makes no store.
    args.files.are_there()?;
    let store = super::open(&args.at, true)?;
    let mut refused = FirstRefused::default();
    let own = Kept(&store);
    let loaded = memory::loading(|| {
        let loader = Loader::new(own).before_write(memory::expect);
        let loader = loader.asking(args.of.account.as_deref(), args.of.stream.as_deref());
        crate::load::into(loader, &args.files, &mut |file, case| {
            refused.note(file, case);
            Ok(())
        })
    })?;
    refused.report(&loaded);
    let report = &loaded.report;
    let replaced = match report.replaced {
        0 => String::new(),
        some => format!(", {some} in the place of earlier ones"),
    };
    tell(&format!("loaded {} cases{replaced}", report.total - report.refused));
    let is_strict = args.strict_load && report.refused > 0;
    let has_failed = is_strict || loaded.has_file_all_refused();
    store.close()?;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A store as what files are loaded into: each batch is on the disk before the next is filled.
pub(crate) struct Kept<'s>(pub(crate) &'s Store);

fn failed(error: StoreError) -> Error {
    Error::Sink(Box::new(error))
}

impl Sink for Kept<'_> {
    fn snapshot(&self, scope: &Scope) -> Snapshot {
        self.0.snapshot(scope)
    }

    fn write(&self, fill: &mut Fill<'_>) -> Result<Written, Error> {
        let mut batch = Batch::new();
        fill(&mut batch).map_err(getcases::WriteError::Stage)?;
        self.0.write(batch).map_err(failed)
    }

    fn drop_scope(&self, scope: &Scope) -> Result<(), Error> {
        self.0.drop_scope(scope).map(drop).map_err(failed)
    }
}
