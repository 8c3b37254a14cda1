//! What a load tells: refused cases, the first ones and how many there are.

use std::path::{Path, PathBuf};

use getcases_load::{Held, Outline, Place, Refused};

use crate::loaded::{Caseless, Loaded};
use crate::tell;

/// How many refused cases are told of one by one, unless all are asked for.
pub(crate) const TOLD: usize = 20;

/// The first refused cases of a load: what is kept does not grow with their number.
#[derive(Debug, Default)]
pub(crate) struct FirstRefused(Vec<(PathBuf, Refused)>);

impl FirstRefused {
    /// Keeps a refused case where it is one of the first.
    pub(crate) fn note(&mut self, file: &Path, refused: Refused) {
        if self.0.len() < TOLD {
            self.0.push((file.to_owned(), refused));
        }
    }

    /// Tells of the first refused cases on the standard error, and of how many were refused and
    /// replaced.
    pub(crate) fn report<E>(&self, loaded: &Loaded<E>) {
        for (file, refused) in &self.0 {
            refused.lines(file).iter().for_each(|line| tell(line));
        }
        if let Some(more) = untold(loaded.report.refused, self.0.len()) {
            tell(&format!("{more}; `getcases check --all` tells of each"));
        }
        if loaded.report.refused > 0 {
            tell(&format!("refused {} of {} cases", loaded.report.refused, loaded.report.total));
        }
        report_dates(loaded);
        if loaded.report.replaced > 0 {
            let replaced = loaded.report.replaced;
            tell(&format!("replaced {replaced}: a later case with the same _id took the place"));
        }
        report_empty(loaded);
        report_all_refused(loaded);
    }
}

/// Tells of files without any record.
pub(crate) fn report_empty<E>(loaded: &Loaded<E>) {
    for empty in loaded.caseless.iter().filter(|own| own.held.records == 0) {
        tell(&format!("{}: there is no case in it", empty.file.display()));
    }
}

/// Tells of integers that are dates and must be seconds, or calendar digits: how many cases have
/// one, and where the first stands.
pub(crate) fn report_dates<E>(loaded: &Loaded<E>) {
    let report = &loaded.report;
    if let Some((file, Place { line, column })) = &loaded.in_seconds {
        tell(&format!(
            "{}:{line}:{column}: warning: an integer that is a date before 1973 must be seconds, \
             and dates are milliseconds; so it is in {} of the cases (--map: a source * 1000 is \
             of seconds)",
            file.display(),
            report.in_seconds
        ));
    }
    if let Some((file, Place { line, column })) = &loaded.in_digits {
        tell(&format!(
            "{}:{line}:{column}: warning: an integer that reads as yyyymmdd, with hhmm behind it \
             or not, is taken for milliseconds; so it is in {} of the cases (a date is \
             \"2025-05-29T09:33Z\", or milliseconds)",
            file.display(),
            report.in_digits
        ));
    }
}

/// Tells of files that have records of which none is a case: what they hold, and how records of
/// other systems are read.
pub(crate) fn report_all_refused<E>(loaded: &Loaded<E>) {
    for Caseless { file, held, is_plain } in &loaded.caseless {
        if held.all_refused() {
            tell(&format!("{}: {}", file.display(), why_all_refused(held, *is_plain)));
        }
    }
}

/// Why a file has no case, as far as its first record tells.
pub(crate) fn why_all_refused(held: &Held, is_plain: bool) -> String {
    let count = match held.records {
        1 => "its only record is no case".to_owned(),
        records => format!("none of its {records} records is a case"),
    };
    let Outline { keys, list, .. } = &held.outline;
    if !is_plain || keys.is_empty() || keys.iter().any(|key| key == "_id") {
        return count;
    }
    let keys: Vec<_> = keys.iter().map(|key| format!("{key:?}")).collect();
    // Where there are more records, a list in one is a part of it.
    let records = match list.as_ref().filter(|_| held.records == 1) {
        Some(list) => format!(" and --records '{list}'"),
        None => String::new(),
    };
    format!(
        "{count}: there is no _id beside {}; records of other systems are read by \
         --map '_id=…,name=…'{records} (docs/files.md)",
        keys.join(", ")
    )
}

/// How many refused cases were not told of, in words; nothing where all were.
pub(crate) fn untold(refused: u64, told: usize) -> Option<String> {
    let more = refused.checked_sub(told as u64).filter(|more| *more > 0)?;
    Some(format!("... and {more} more"))
}
