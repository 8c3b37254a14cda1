//! Cases of files in an engine, and which scope of it is asked.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use getcases::{Engine, Scope};
use getcases_load::{Held, Loader, Place, Report, ScopeError, Scopes};

use crate::Usage;
use crate::memory;

/// How many scopes are shown of those that may be chosen.
const SHOWN: usize = 20;
/// How many names are shown in one line.
const FEW: usize = 5;

/// Cases of files in an engine.
#[derive(Debug)]
pub(crate) struct Loaded<E = Engine> {
    pub(crate) engine: E,
    pub(crate) report: Report,
    /// Where the first integer stands that is a date and must be seconds.
    pub(crate) in_seconds: Option<(PathBuf, Place)>,
    /// Where the first one stands that must be calendar digits.
    pub(crate) in_digits: Option<(PathBuf, Place)>,
    /// The files in which nothing is a case: empty ones, too.
    pub(crate) caseless: Vec<Caseless>,
    scopes: Scopes,
}

/// A file in which nothing is a case.
#[derive(Debug)]
pub(crate) struct Caseless {
    pub(crate) file: PathBuf,
    /// No record, or refused ones only.
    pub(crate) held: Held,
    /// Whether the file is read as it is, and no mapping could be wrong.
    pub(crate) is_plain: bool,
}

/// A load into an engine of its own, which memory is made ready for. Generations that clients of an
/// earlier process know are below its own.
pub(crate) fn loader() -> Loader {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let engine = Engine::builder().first_generation(since.as_micros() as u64).build();
    Loader::new(engine).before_write(memory::expect)
}

impl<E> Loaded<E> {
    /// What a load leaves that read no file.
    pub(crate) fn new(loaded: getcases_load::Loaded<E>) -> Self {
        Self::of_files(loaded, &[], Vec::new())
    }

    /// What a load of files leaves; `caseless` are those of them in which nothing is a case.
    pub(crate) fn of_files(
        loaded: getcases_load::Loaded<E>,
        files: &[&Path],
        caseless: Vec<Caseless>,
    ) -> Self {
        let getcases_load::Loaded { engine, report, scopes } = loaded;
        let in_file = |(number, place): (usize, Place)| {
            files.get(number).map(|&file| (file.to_owned(), place))
        };
        let in_seconds = report.first_in_seconds.and_then(in_file);
        let in_digits = report.first_in_digits.and_then(in_file);
        Self { engine, report, in_seconds, in_digits, caseless, scopes }
    }

    /// Whether there is a file that has records, and all were refused.
    pub(crate) fn has_file_all_refused(&self) -> bool {
        self.caseless.iter().any(|own| own.held.all_refused())
    }

    /// Which scope is asked: what is chosen, else what all cases that name one agree on.
    ///
    /// # Errors
    /// Where a choice is needed (`Usage`), and where what is chosen is not what any case names.
    pub(crate) fn scope(&self) -> anyhow::Result<Scope> {
        asked(&self.scopes)
    }
}

/// Which of some scopes is asked, as [`Loaded::scope`] says it.
pub(crate) fn asked(scopes: &Scopes) -> anyhow::Result<Scope> {
    let error = match scopes.asked() {
        Ok(scope) => return Ok(scope),
        Err(error) => error,
    };
    match &error {
        ScopeError::Unknown { part, named, .. } => {
            anyhow::bail!("{error}; {}", listed(part, named))
        }
        ScopeError::Ambiguous { part, named } => {
            anyhow::bail!(Usage(format!("{error}; {}", choices(part, named))))
        }
        _ => Err(error.into()),
    }
}

/// The first few of the names that cases have.
fn listed(part: &str, named: &[String]) -> String {
    let shown: Vec<_> = named.iter().take(FEW).map(|name| format!("{name:?}")).collect();
    let more = match named.len().saturating_sub(FEW) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the {part}s that there are: {}{more}", shown.join(", "))
}

/// A text as a shell takes it for one.
pub(crate) fn shell_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The flags that choose one of the scopes that cases name.
pub(crate) fn choices(part: &str, named: &[Scope]) -> String {
    let pair = |own: &Scope| {
        let [account, stream] =
            [own.account(), own.stream()].map(|name| shell_text(&getcases_load::plain(name)));
        format!("\n  --account {account} --stream {stream}")
    };
    let pairs: String = named.iter().take(SHOWN).map(pair).collect();
    let more = match named.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    format!("choose with --{part}:{pairs}{more}")
}
