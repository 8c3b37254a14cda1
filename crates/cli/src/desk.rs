//! Where requests are answered: bodies and words, as JSON or as tables, with what is told of them.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use getcases::{Context, Page, Query, Refusal, Request, Snapshot};

use crate::args::ExplainForm;
use crate::table::{self, Look};
use crate::words::{self, Words, Wrong};
use crate::{hint, tell};

/// A request as it came.
#[derive(Debug)]
pub(crate) enum Asked {
    /// JSON.
    Body(Vec<u8>),
    Words(Words),
    /// Words that cannot be read.
    Refused(Vec<Wrong>),
}

impl Asked {
    /// A line of words.
    pub(crate) fn words(line: &str) -> Self {
        Words::read(line).map_or_else(Self::Refused, Self::Words)
    }

    /// The body, or what words became; nothing where they cannot be read.
    pub(crate) fn body(&self) -> &[u8] {
        match self {
            Self::Body(body) => body,
            Self::Words(words) => words.body.as_bytes(),
            Self::Refused(_) => &[],
        }
    }

    /// What is asked of a snapshot, which knows its cursors.
    fn query(&self, snapshot: &Snapshot, context: &Context) -> Result<Query, Wrongs> {
        let query = snapshot.query_json(self.body(), context);
        match self {
            Self::Body(_) => query.map_err(Wrongs::Body),
            Self::Words(words) => query.map_err(|refusal| Wrongs::Words(words.wrongs(&refusal))),
            Self::Refused(wrongs) => Err(Wrongs::Words(wrongs.clone())),
        }
    }
}

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Wrongs {
    Body(Refusal),
    Words(Vec<Wrong>),
}

impl Wrongs {
    fn to_json(&self) -> String {
        match self {
            Self::Body(refusal) => String::from_utf8_lossy(&refusal.to_json()).into_owned(),
            Self::Words(wrongs) => words::to_json(wrongs),
        }
    }

    pub(crate) fn print(&self, form: Form, out: &mut impl Write) -> io::Result<()> {
        match form {
            Form::Table => self.lines().iter().try_for_each(|line| writeln!(out, "{line}")),
            Form::Json => print_json(self.to_json().as_bytes(), out),
        }
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Body(refusal) => refusal.problems().iter().map(getcases_load::describe).collect(),
            Self::Words(wrongs) => wrongs.iter().map(Wrong::line).collect(),
        }
    }
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Table,
}

/// One snapshot, and how it is asked.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) snapshot: Snapshot,
    pub(crate) context: Context,
    pub(crate) look: Look,
    pub(crate) form: Form,
}

/// A page, and how long it took to find.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) page: Page,
    pub(crate) time: Duration,
}

impl Desk {
    /// Answers a request, explaining it before where that is asked; tells what of it was not as it
    /// asked.
    pub(crate) fn answer(
        &self,
        asked: &Asked,
        explain: Option<ExplainForm>,
    ) -> Result<Answer, Wrongs> {
        let started = Instant::now();
        let query = asked.query(&self.snapshot, &self.context).inspect_err(|wrongs| {
            match wrongs {
                // One object a request, also for one that there is nothing to tell of.
                _ if explain.is_some() => tell(&wrongs.to_json()),
                Wrongs::Body(refusal) => hint::of_refusal(refusal).iter().for_each(|own| tell(own)),
                Wrongs::Words(_) => {}
            }
        })?;
        let page = self.snapshot.search(&query);
        let time = started.elapsed();
        match explain {
            Some(form) => tell(&self.explained(asked, &query, form)),
            None => {
                tell_changes(&page);
                if let Asked::Words(words) = asked {
                    let hints = hint::of_words(words, &self.snapshot).into_iter();
                    // A count besides each body of many would cost more than some answers.
                    let of_order = || hint::of_order(&query, &self.snapshot);
                    let is_first = page.page == 1 && page.total_results > 0;
                    let hints = hints.chain(is_first.then(of_order).flatten());
                    hints.for_each(|own| tell(&own));
                }
                if page.total_results == 0 {
                    let hints = hint::of_nothing(asked.body(), &self.snapshot, &self.context);
                    hints.iter().for_each(|own| tell(own));
                }
            }
        }
        Ok(Answer { page, time })
    }

    /// How a request is understood and answered, with the body that words became.
    pub(crate) fn explain(&self, asked: &Asked, form: ExplainForm) -> Result<String, Wrongs> {
        let query = asked.query(&self.snapshot, &self.context)?;
        Ok(self.explained(asked, &query, form))
    }

    fn explained(&self, asked: &Asked, query: &Query, form: ExplainForm) -> String {
        let explain = self.snapshot.explain(query);
        let body = match asked {
            Asked::Words(words) => Some(&words.body),
            _ => None,
        };
        match form {
            ExplainForm::Text => {
                let body = body.map(|body| format!("body      {body}\n")).unwrap_or_default();
                format!("{body}{explain}")
            }
            ExplainForm::Json => {
                // Writing into memory never fails.
                let explain = serde_json::to_string(&explain).unwrap_or_default();
                match (body, explain.strip_prefix('{')) {
                    (Some(body), Some(rest)) => format!("{{\"body\":{body},{rest}"),
                    _ => explain,
                }
            }
        }
    }

    /// A page as a table.
    pub(crate) fn table(&self, page: &Page) -> String {
        table::page(page, usize::MAX, self.look)
    }

    /// Prints a page.
    pub(crate) fn print(&self, page: &Page, out: &mut impl Write) -> io::Result<()> {
        match self.form {
            Form::Table => writeln!(out, "{}", self.table(page)),
            Form::Json => print_json(&page.to_json(), out),
        }
    }
}

/// Prints JSON as it is, but to a terminal no character that it obeys: JSON has escapes for them.
pub(crate) fn print_json(json: &[u8], out: &mut impl Write) -> io::Result<()> {
    if io::stdout().is_terminal() {
        out.write_all(words::escaped(&String::from_utf8_lossy(json)).as_bytes())?;
    } else {
        out.write_all(json)?;
    }
    out.write_all(b"\n")
}

/// Tells on the standard error what of a request is not as it was asked.
pub(crate) fn tell_changes(page: &Page) {
    for name in &page.ignored {
        let near = getcases_load::nearest(name, Request::FIELDS.into_iter());
        let meant = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let told = match name.strip_prefix("selectedColumns.") {
            Some(column) => format!("ignored: no case has the column {column:?}"),
            None => format!("ignored: nothing reads {name:?}{meant}"),
        };
        tell(&told);
    }
    if let Some(limit) = page.lowered_limit {
        tell(&format!("lowered: the limit is {limit}"));
    }
}
