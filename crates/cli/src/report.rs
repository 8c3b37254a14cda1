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
        if let Some(more) = untold(loaded.refused, self.0.len()) {
            tell(&format!("{more}; `getcases check --all` tells of each"));
        }
        if loaded.refused > 0 {
            tell(&format!("refused {} of {} cases", loaded.refused, loaded.total));
        }
        loaded.seconds.report();
        if loaded.replaced > 0 {
            let replaced = loaded.replaced;
            tell(&format!("replaced {replaced}: a later case with the same _id took the place"));
        }
    }
}

/// Cases whose dates are integers that must be seconds: how many, and where the first stands.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    count: u64,
    first: Option<(PathBuf, Place)>,
    /// The first of the file that is read.
    here: Option<Place>,
}

impl Seconds {
    /// Counts a case that has such a date.
    pub(crate) fn note(&mut self, place: Option<Place>) {
        self.count += u64::from(place.is_some());
        self.here = self.here.or(place);
    }

    /// Says which file it was that has been read.
    pub(crate) fn end_file(&mut self, file: &Path) {
        if let Some(place) = self.here.take() {
            self.first.get_or_insert_with(|| (file.to_owned(), place));
        }
    }

    /// Tells of them on the standard error.
    pub(crate) fn report(&self) {
        let Some((file, Place { line, column })) = &self.first else { return };
        tell(&format!(
            "{}:{line}:{column}: warning: an integer that is a date before 1973 must be seconds, \
             and dates are milliseconds; so it is in {} of the cases (--map: a source * 1000 is of \
             seconds)",
            file.display(),
            self.count
        ));
    }
}

/// How many refused cases were not told of, in words; nothing where all were.
pub(crate) fn untold(refused: u64, told: usize) -> Option<String> {
    let more = refused.checked_sub(told as u64).filter(|more| *more > 0)?;
    Some(format!("... and {more} more"))
}
