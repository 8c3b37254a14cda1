//! Cases in an engine, each in the scope that it names, and which scope is asked.

use std::collections::BTreeSet;

use getcases::{Case, Engine, Refusal, Scope, WriteError};

use crate::Usage;
use crate::memory;
use crate::report::Seconds;

/// A scope's part for cases that name none, where no other case names one either.
const NOWHERE: &str = "-";

/// How many scopes are shown of those that may be chosen.
const SHOWN: usize = 20;
/// How many names are shown in one line.
const FEW: usize = 5;

/// How many cases are written at a time, and from how many bytes of them on fewer are.
const BATCH: usize = 1 << 16;
const BATCH_WEIGHT: usize = 64 << 20;
/// From how many bytes on a document counts four times: long ones gain little by being many.
const LONG: usize = 64 << 10;

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
    pub(crate) seconds: Seconds,
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
    batch_weight: usize,
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
            seconds: Seconds::default(),
            home: Scope::new(account.unwrap_or(NOWHERE), stream.unwrap_or(NOWHERE)),
            chosen,
            named: BTreeSet::new(),
            account: Agreement::default(),
            stream: Agreement::default(),
            batch: Vec::new(),
            batch_bytes: 0,
            batch_weight: 0,
            written_bytes: 0,
        }
    }

    /// Counts a case that was refused.
    pub(crate) fn refuse(&mut self) {
        (self.total, self.refused) = (self.total + 1, self.refused + 1);
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
        let length = case.document().len();
        self.batch_bytes += length;
        self.batch_weight += if length < LONG { length } else { 4 * length };
        self.batch.push(case);
        let is_full = self.batch.len() >= BATCH || self.batch_weight >= BATCH_WEIGHT;
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
                    let case = Case::from_json(document.json().as_bytes())?;
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
        self.batch_weight = 0;
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
    ///
    /// # Errors
    /// Where a choice is needed (`Usage`), and where what is chosen is not what any case names.
    pub(crate) fn scope(&self) -> anyhow::Result<Scope> {
        let choices = [
            ("account", "--account", &self.chosen.0, self.accounts()),
            ("stream", "--stream", &self.chosen.1, self.streams()),
        ];
        for (what, flag, chosen, named) in choices {
            if let Some(chosen) = chosen.as_deref().filter(|chosen| !named.contains(chosen)) {
                if !named.is_empty() {
                    anyhow::bail!("no case names the {what} {chosen:?}; {}", listed(what, &named));
                }
            } else if chosen.is_none() && named.len() > 1 {
                let pairs = self.named.iter().map(|(account, stream)| {
                    let part = |part: &Option<Box<str>>| part.clone().unwrap_or(NOWHERE.into());
                    format!("\n  --account '{}' --stream '{}'", part(account), part(stream))
                });
                let more = match self.named.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    more => format!("\n  and {more} more"),
                };
                let pairs: String = pairs.take(SHOWN).collect();
                anyhow::bail!(Usage(format!(
                    "the cases name more than one {what}; choose with {flag}:{pairs}{more}"
                )));
            }
        }
        Ok(self.home.clone())
    }
}

/// The first few of the names that cases have.
fn listed(what: &str, names: &BTreeSet<&str>) -> String {
    let shown: Vec<_> = names.iter().take(FEW).map(|name| format!("{name:?}")).collect();
    let more = match names.len().saturating_sub(FEW) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the {what}s that there are: {}{more}", shown.join(", "))
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
