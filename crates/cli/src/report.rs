//! What a load tells: refused cases, the first ones and how many there are.

use std::path::{Path, PathBuf};

use getcases_load::{Place, Refused};

use crate::loaded::Loaded;
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
    pub(crate) fn report(&self, loaded: &Loaded) {
        for (file, refused) in &self.0 {
            refused.lines(file).iter().for_each(|line| tell(line));
        }
        if let Some(more) = untold(loaded.report.refused, self.0.len()) {
            tell(&format!("{more}; `getcases check --all` tells of each"));
        }
        if loaded.report.refused > 0 {
            tell(&format!("refused {} of {} cases", loaded.report.refused, loaded.report.total));
        }
        report_seconds(loaded);
        if loaded.report.replaced > 0 {
            let replaced = loaded.report.replaced;
            tell(&format!("replaced {replaced}: a later case with the same _id took the place"));
        }
    }
}

/// Tells of integers that are dates and must be seconds: how many cases have one, and where the
/// first stands.
pub(crate) fn report_seconds(loaded: &Loaded) {
    let Some((file, Place { line, column })) = &loaded.in_seconds else { return };
    tell(&format!(
        "{}:{line}:{column}: warning: an integer that is a date before 1973 must be seconds, \
         and dates are milliseconds; so it is in {} of the cases (--map: a source * 1000 is of \
         seconds)",
        file.display(),
        loaded.report.in_seconds
    ));
}

/// How many refused cases were not told of, in words; nothing where all were.
pub(crate) fn untold(refused: u64, told: usize) -> Option<String> {
    let more = refused.checked_sub(told as u64).filter(|more| *more > 0)?;
    Some(format!("... and {more} more"))
}
