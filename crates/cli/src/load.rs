//! Cases read from files, and put into an engine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use getcases::{Case, Engine, Refusal, Scope, WriteError};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::input::{self, Block};
use crate::memory;
use crate::{Usage, tell};

/// A scope's part for cases that name none, where no other case names one either.
const NOWHERE: &str = "-";

/// How many parsed pieces of blocks may wait: while one thread enters values, the others go on.
const AHEAD: usize = 4;

/// How many scopes are shown of those that may be chosen.
const SHOWN: usize = 20;

/// How many cases are written at a time, and from how many bytes of them on fewer are.
const BATCH: usize = 1 << 16;
const BATCH_BYTES: usize = 64 << 20;

/// How many texts of a block are parsed at a time: what waits to be written stays small, however
/// short the texts are.
const PARSED: usize = 1 << 11;

/// How many refused cases are told of one by one, unless all are asked for.
pub(crate) const TOLD: usize = 20;

/// A case that was refused, and where it stands.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) file: PathBuf,
    pub(crate) line: u64,
    pub(crate) refusal: Refusal,
}

impl Refused {
    /// `FILE:LINE: $.path: code: message`, by the first problem.
    pub(crate) fn line(&self) -> String {
        let problems = self.refusal.problems();
        let more = match problems.len() {
            1 => String::new(),
            many => format!(" (and {} more)", many - 1),
        };
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        format!("{}:{}: {first}{more}", self.file.display(), self.line)
    }

    /// One JSON object: the file, the line and the problems.
    pub(crate) fn to_json(&self) -> String {
        let file = serde_json::Value::from(self.file.to_string_lossy());
        let body = self.refusal.to_json();
        // The body is `{"errors":[…]}`: its member goes on behind the place.
        let errors = String::from_utf8_lossy(body.get(1..).unwrap_or_default());
        format!("{{\"file\":{file},\"line\":{},{errors}", self.line)
    }
}

/// Takes each refused case as it is met; an error ends the load.
pub(crate) type Refuse<'f> = dyn FnMut(Refused) -> anyhow::Result<()> + 'f;

/// The first refused cases of a load: what is kept does not grow with their number.
#[derive(Debug, Default)]
pub(crate) struct FirstRefused(Vec<Refused>);

impl FirstRefused {
    /// Keeps a refused case where it is one of the first.
    pub(crate) fn note(&mut self, refused: Refused) {
        if self.0.len() < TOLD {
            self.0.push(refused);
        }
    }

    /// Tells of the first refused cases on the standard error, and of the number of all.
    pub(crate) fn report(&self, loaded: &Loaded) {
        self.0.iter().for_each(|refused| tell(&refused.line()));
        if let Some(more) = untold(loaded.refused, self.0.len()) {
            tell(&format!("{more}; `getcases check --all` tells of each"));
        }
        if loaded.refused > 0 {
            tell(&format!("refused {} of {} cases", loaded.refused, loaded.total));
        }
    }
}

/// How many refused cases were not told of, in words; nothing where all were.
pub(crate) fn untold(refused: u64, told: usize) -> Option<String> {
    let more = refused.checked_sub(told as u64).filter(|more| *more > 0)?;
    Some(format!("... and {more} more"))
}

/// The account and the stream that a case names, where it does.
type Named = (Option<Box<str>>, Option<Box<str>>);

/// Cases of files in an engine.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    /// How many took the place of an earlier one.
    pub(crate) replaced: u64,
    /// How many were refused.
    pub(crate) refused: u64,
    /// How many cases were read, refused ones included.
    pub(crate) total: u64,
    /// How many bytes their texts have.
    pub(crate) bytes: u64,
    chosen: (Option<String>, Option<String>),
    /// What cases name.
    named: BTreeSet<Named>,
    /// What they agree on; of streams those that are named beside the chosen account.
    account: Agreement,
    stream: Agreement,
    /// Where cases go that name no scope: it may be named by one that comes later.
    home: Scope,
    batch: Vec<Case>,
    batch_bytes: usize,
    written_bytes: u64,
}

impl Loaded {
    /// An empty engine; `account` and `stream` are what is asked, where that is chosen.
    pub(crate) fn new(account: Option<&str>, stream: Option<&str>) -> Self {
        let chosen = (account.map(str::to_owned), stream.map(str::to_owned));
        Self {
            engine: Engine::new(),
            replaced: 0,
            refused: 0,
            total: 0,
            bytes: 0,
            home: Scope::new(account.unwrap_or(NOWHERE), stream.unwrap_or(NOWHERE)),
            chosen,
            named: BTreeSet::new(),
            account: Agreement::default(),
            stream: Agreement::default(),
            batch: Vec::new(),
            batch_bytes: 0,
            written_bytes: 0,
        }
    }

    /// Adds a case, to the scope it names, or else to where those go that name none.
    pub(crate) fn push(&mut self, case: Case) -> Result<(), WriteError<Refusal>> {
        self.total += 1;
        let named = (case.account().map(Into::into), case.stream().map(Into::into));
        if !self.named.contains(&named) {
            if let Some(account) = &named.0 {
                self.account.add(account);
            }
            if let Some(stream) = named.1.as_deref().filter(|_| self.is_chosen(&named.0)) {
                self.stream.add(stream);
            }
            self.named.insert(named);
            self.move_home()?;
        }
        self.batch_bytes += case.document().len();
        self.batch.push(case);
        let is_full = self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES;
        if is_full { self.flush() } else { Ok(()) }
    }

    /// Where cases go that name no scope, once another case has named it.
    fn move_home(&mut self) -> Result<(), WriteError<Refusal>> {
        let account = self.chosen.0.as_deref().or(self.account.only()).unwrap_or(NOWHERE);
        let stream = self.chosen.1.as_deref().or(self.stream.only()).unwrap_or(NOWHERE);
        let home = Scope::new(account, stream);
        if home == self.home {
            return Ok(());
        }
        self.flush()?;
        self.home = home;
        if self.named.iter().any(|(account, stream)| account.is_none() || stream.is_none()) {
            self.engine.scopes().iter().try_for_each(|scope| self.move_out(scope))?;
        }
        Ok(())
    }

    /// Moves the cases out of a scope that do not belong there any more.
    fn move_out(&self, scope: &Scope) -> Result<(), WriteError<Refusal>> {
        let cases = self.engine.snapshot(scope);
        let mut documents = cases.documents().peekable();
        while documents.peek().is_some() {
            self.engine.write(|batch| {
                for document in documents.by_ref().take(BATCH) {
                    let case = Case::from_json(document.as_bytes())?;
                    let own = self.scope_of(&case);
                    if own != *scope {
                        batch.delete(scope, case.id());
                        batch.upsert_case(&own, case)?;
                    }
                }
                Ok::<_, Refusal>(())
            })?;
        }
        if self.engine.snapshot(scope).is_empty() {
            self.engine.drop_scope(scope);
        }
        Ok(())
    }

    /// The scope that a case names, as far as it does.
    fn scope_of(&self, case: &Case) -> Scope {
        let account = case.account().unwrap_or(self.home.account());
        let stream = case.stream().unwrap_or(self.home.stream());
        let is_home = account == self.home.account() && stream == self.home.stream();
        if is_home { self.home.clone() } else { Scope::new(account, stream) }
    }

    fn flush(&mut self) -> Result<(), WriteError<Refusal>> {
        let cases = std::mem::take(&mut self.batch);
        self.written_bytes += std::mem::take(&mut self.batch_bytes) as u64;
        memory::expect(self.written_bytes);
        let written = self.engine.write(|batch| {
            cases.into_iter().try_for_each(|case| batch.upsert_case(&self.scope_of(&case), case))
        })?;
        self.replaced += written.replaced;
        Ok(())
    }

    /// Every case is in the engine.
    pub(crate) fn finish(mut self) -> Result<Self, WriteError<Refusal>> {
        self.flush()?;
        Ok(self)
    }

    fn accounts(&self) -> BTreeSet<&str> {
        self.named.iter().filter_map(|(account, _)| account.as_deref()).collect()
    }

    /// The streams that cases of the chosen account name.
    fn streams(&self) -> BTreeSet<&str> {
        let own = self.named.iter().filter(|(account, _)| self.is_chosen(account));
        own.filter_map(|(_, stream)| stream.as_deref()).collect()
    }

    /// Whether an account that a case names is asked, as far as one is chosen.
    fn is_chosen(&self, account: &Option<Box<str>>) -> bool {
        match (&self.chosen.0, account) {
            (Some(chosen), Some(account)) => **chosen == **account,
            _ => true,
        }
    }

    /// Which scope is asked: what is chosen, else what all cases that name one agree on.
    pub(crate) fn scope(&self) -> Result<Scope, Usage> {
        let choices = [
            ("account", "--account", &self.chosen.0, self.accounts()),
            ("stream", "--stream", &self.chosen.1, self.streams()),
        ];
        for (what, flag, chosen, named) in choices {
            if chosen.is_none() && named.len() > 1 {
                let pairs = self.named.iter().map(|(account, stream)| {
                    let part = |part: &Option<Box<str>>| part.clone().unwrap_or(NOWHERE.into());
                    format!("\n  --account '{}' --stream '{}'", part(account), part(stream))
                });
                let more = match self.named.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    more => format!("\n  and {more} more"),
                };
                return Err(Usage(format!(
                    "the cases name more than one {what}; choose with {flag}:{}{more}",
                    pairs.take(SHOWN).collect::<String>()
                )));
            }
        }
        Ok(self.home.clone())
    }
}

/// Whether names that were added are all the same. Cost: none that grows with them.
#[derive(Debug, Default)]
enum Agreement {
    #[default]
    Nothing,
    On(Box<str>),
    None,
}

impl Agreement {
    fn add(&mut self, name: &str) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::On(name.into()),
            Self::On(own) if *own == *name => Self::On(own),
            _ => Self::None,
        };
    }

    /// The only one.
    fn only(&self) -> Option<&str> {
        match self {
            Self::On(own) => Some(own),
            _ => None,
        }
    }
}

/// Loads files of cases, parsing on every core; refused ones are handed on in the files' order.
/// Progress shows where the standard error is a terminal.
pub(crate) fn files(
    files: &[PathBuf],
    account: Option<&str>,
    stream: Option<&str>,
    mut refuse: impl FnMut(Refused) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Loaded> {
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    memory::loading(|pool| {
        let mut loaded = Loaded::new(account, stream);
        for file in files {
            bar.set_message(file.display().to_string());
            load_file(file, &bar, &mut loaded, pool, &mut refuse)?;
        }
        bar.finish_and_clear();
        Ok(loaded.finish()?)
    })
}

fn load_file(
    file: &Path,
    bar: &ProgressBar,
    loaded: &mut Loaded,
    pool: &ThreadPool,
    refuse: &mut Refuse<'_>,
) -> anyhow::Result<()> {
    let (sender, read) = sync_channel::<Block>(1);
    std::thread::scope(|threads| {
        let reader =
            threads.spawn(|| input::read(file, bar, move |block| sender.send(block).is_ok()));
        blocks(read, pool, loaded, &mut |mut refused| {
            refused.file = file.to_owned();
            refuse(refused)
        })?;
        reader.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the reading thread panicked")))
    })
}

/// Loads blocks of cases: they are parsed on every core, some ahead of what is written.
pub(crate) fn blocks(
    blocks: impl IntoIterator<Item = Block, IntoIter: Send> + Send,
    pool: &ThreadPool,
    loaded: &mut Loaded,
    refuse: &mut Refuse<'_>,
) -> anyhow::Result<()> {
    let (sender, parsed) = sync_channel::<Vec<_>>(AHEAD);
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for block in blocks {
                for texts in block.texts().chunks(PARSED) {
                    let cases = texts
                        .par_iter()
                        .map(|(line, text)| (*line, text.trim_ascii()))
                        .map(|(line, text)| (line, text.len(), Case::from_json(text)));
                    if sender.send(pool.install(|| cases.collect())).is_err() {
                        return;
                    }
                }
            }
        });
        for cases in parsed {
            for (line, length, case) in cases {
                loaded.bytes += length as u64;
                match case {
                    Ok(case) => loaded.push(case)?,
                    Err(refusal) => {
                        (loaded.total, loaded.refused) = (loaded.total + 1, loaded.refused + 1);
                        refuse(Refused { file: PathBuf::new(), line, refusal })?;
                    }
                }
            }
        }
        Ok(())
    })
}
