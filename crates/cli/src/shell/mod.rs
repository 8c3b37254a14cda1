//! `getcases shell`: cases loaded once, and asked line by line.

mod command;
mod complete;
mod lines;
mod paging;
mod pretty;
mod values;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use getcases::{Page, Scope, Snapshot, ValueCount};
use getcases_load::plain;
use serde_json::json;

use crate::args::{ExplainForm, ShellArgs};
use crate::desk::{Answer, Asked, Desk, Form, Wrongs, print_json};
use crate::loaded::Loaded;
use crate::table::Look;
use crate::words::{Wrong, names};
use crate::{Usage, query, tell};
use command::{Command, HELP};
use lines::{Line, Lines};

/// How many values a table of them shows.
const VALUES: usize = 50;

pub(crate) fn run(args: &ShellArgs) -> anyhow::Result<ExitCode> {
    if args.files.paths().any(|file| file == Path::new("-")) {
        let wrong = "lines come from the standard input, so cases cannot (-)";
        return Err(Usage(wrong.to_owned()).into());
    }
    let started = Instant::now();
    let Some(loaded) = query::load(&args.files, &args.asking)? else {
        return Ok(ExitCode::FAILURE);
    };
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let form = match (args.table, args.json) {
        (true, _) => Form::Table,
        (_, true) => Form::Json,
        _ if io::stdout().is_terminal() => Form::Table,
        _ => Form::Json,
    };
    let mut lines = if is_terminal { Lines::terminal()? } else { Lines::plain() };
    let mut session = Session {
        args,
        snapshot: None,
        has_moved: false,
        last: None,
        has_refused: false,
        is_terminal,
        form,
        loaded,
    };
    session.open()?;
    if is_terminal {
        let seconds = started.elapsed().as_secs_f64();
        let cases = session.loaded.report.total - session.loaded.report.refused;
        tell(&format!("{cases} cases loaded in {seconds:.1} s; help, fields, Tab, quit"));
    }
    let mut out = io::BufWriter::new(io::stdout());
    loop {
        if std::mem::take(&mut session.has_moved) {
            lines.complete_from(session.snapshot.clone());
        }
        let goes_on = match lines.next()? {
            Line::Text(line) => session.line(&line, &mut out)?,
            Line::Cancelled => true,
            Line::End => false,
        };
        out.flush()?;
        if !goes_on {
            break;
        }
    }
    // People have seen what was refused; scripts are told.
    let is_failure = session.has_refused && !is_terminal;
    Ok(if is_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is loaded, what is asked, and how.
struct Session<'a> {
    args: &'a ShellArgs,
    loaded: Loaded,
    /// The scope that is asked; nothing while one is to be chosen.
    snapshot: Option<Snapshot>,
    /// Whether another scope was chosen since lines were last completed.
    has_moved: bool,
    form: Form,
    last: Option<Last>,
    has_refused: bool,
    /// Whether people read the answers, whatever form these have.
    is_terminal: bool,
}

/// The last request that was answered, and where its page is.
struct Last {
    asked: Asked,
    page: Page,
}

impl Session<'_> {
    /// Goes to the scope that the cases agree on, or says that one is to be chosen.
    fn open(&mut self) -> anyhow::Result<()> {
        match self.loaded.scope() {
            Ok(scope) => self.go_to(&scope),
            Err(error) if error.is::<Usage>() => {
                tell("the cases are of several scopes: scope lists them, scope N chooses one");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn go_to(&mut self, scope: &Scope) {
        self.snapshot = Some(self.loaded.engine.snapshot(scope));
        self.has_moved = true;
        self.last = None;
    }

    /// Where requests are answered now; a refusal while no scope is chosen.
    fn desk(&self) -> Result<Desk, Wrong> {
        let snapshot = self.snapshot.clone().ok_or_else(|| {
            let wrong = Wrong::new("unknown_scope", 0, "no scope is chosen");
            wrong.accepts("scope, which lists them, and scope N")
        })?;
        let context = self.args.asking.context();
        let look = Look::of_stdout(context.offset_minutes, context.now.unwrap_or(0));
        Ok(Desk { snapshot, context, look, form: self.form })
    }

    /// Does what a line says; whether there is to be another.
    fn line(&mut self, line: &[u8], out: &mut impl Write) -> anyhow::Result<bool> {
        let done = match command::read(line) {
            Ok(Command::Quit) => return Ok(false),
            Ok(command) => self.command(command, out),
            Err(wrong) => Err(wrong.into()),
        };
        match done {
            Ok(()) => {}
            Err(Stopped::Refused(wrongs)) => {
                self.has_refused = true;
                wrongs.print(self.form, out)?;
            }
            Err(Stopped::Broken(error)) => return Err(error.into()),
        }
        Ok(true)
    }

    fn command(&mut self, command: Command, out: &mut impl Write) -> Result<(), Stopped> {
        match command {
            Command::Ask(asked) => self.ask(asked, out)?,
            Command::Explain(asked) => self.explain(asked.as_ref(), out)?,
            Command::Turn(turn) => {
                let last = self.last.as_ref().ok_or_else(nothing_asked)?;
                let turned = paging::turned(last.asked.body(), turn, &last.page)?;
                self.ask(Asked::Body(turned), out)?;
            }
            Command::Form(form) => self.choose_form(form, out)?,
            Command::Get(id) => self.get(&id, out)?,
            Command::Values(field) => self.values(&field, out)?,
            Command::Fields => self.fields(out)?,
            Command::Scopes => self.scopes(out)?,
            Command::Scope(number) => self.choose(number, out)?,
            Command::Help => self.help(out)?,
            Command::Nothing | Command::Quit => {}
        }
        Ok(())
    }

    fn ask(&mut self, asked: Asked, out: &mut impl Write) -> Result<(), Stopped> {
        let desk = self.desk()?;
        let Answer { page, time } = desk.answer(&asked, None)?;
        match desk.form {
            Form::Table => writeln!(out, "{}, in {time:.1?}", desk.table(&page))?,
            Form::Json => {
                print_json(&page.to_json(), out)?;
                out.flush()?;
                let Page { total_results, page, total_pages, .. } = page;
                tell(&format!(
                    "{total_results} cases, page {page} of {total_pages}, in {time:.1?}"
                ));
            }
        }
        self.last = Some(Last { asked, page });
        Ok(())
    }

    /// Explains a request, or the last one.
    fn explain(&mut self, asked: Option<&Asked>, out: &mut impl Write) -> Result<(), Stopped> {
        let desk = self.desk()?;
        let last = self.last.as_ref().map(|last| &last.asked);
        let asked = asked.or(last).ok_or_else(nothing_asked)?;
        match self.form {
            Form::Json => {
                print_json(desk.explain(asked, ExplainForm::Json)?.as_bytes(), out)?;
            }
            Form::Table => {
                for line in desk.explain(asked, ExplainForm::Text)?.lines() {
                    writeln!(out, "{}", plain(line))?;
                }
            }
        }
        Ok(())
    }

    fn get(&self, id: &str, out: &mut impl Write) -> Result<(), Stopped> {
        let document = self.desk()?.snapshot.get(id).ok_or_else(|| {
            let wrong = Wrong::new("unknown_id", 0, "no case has the _id").found(id);
            wrong.accepts("an _id as it is, or the line in quotes for the text")
        })?;
        match self.form {
            Form::Json => print_json(document.json().as_bytes(), out)?,
            Form::Table => print_json(pretty::indented(document.json()).as_bytes(), out)?,
        }
        Ok(())
    }

    fn values(&self, field: &str, out: &mut impl Write) -> Result<(), Stopped> {
        let (name, field) = values::field(field)?;
        let desk = self.desk()?;
        let found = desk.snapshot.values(field);
        let (count, missing) = (found.len(), found.missing());
        if self.form == Form::Json {
            let value = |own: ValueCount| json!({"value": own.shown, "cases": own.count});
            let values: Vec<_> = found.map(value).collect();
            let json = json!({"field": name, "values": values, "missing": missing});
            return Ok(print_json(json.to_string().as_bytes(), out)?);
        }
        for ValueCount { shown, count, .. } in found.take(VALUES) {
            writeln!(out, "{count:>10}  {}", plain(&shown.replace(['\t', '\n', '\r'], " ")))?;
        }
        let more = match count.saturating_sub(VALUES) {
            0 => String::new(),
            more => format!(", {more} of them not shown"),
        };
        Ok(writeln!(out, "{count} values{more}; {missing} cases have none")?)
    }

    fn fields(&self, out: &mut impl Write) -> io::Result<()> {
        if self.form == Form::Table {
            return write!(out, "{}", names::listed());
        }
        let names = names::all().map(|own| {
            let names::Name { names, field, form, meaning, .. } = own;
            json!({"names": names, "field": field, "form": form, "meaning": meaning})
        });
        print_json(json!({"fields": names.collect::<Vec<_>>()}).to_string().as_bytes(), out)
    }

    fn scopes(&self, out: &mut impl Write) -> io::Result<()> {
        let scopes = self.loaded.engine.scopes();
        if self.form == Form::Json {
            let scopes: Vec<_> = scopes.iter().map(|own| self.scope_json(own)).collect();
            return print_json(json!({"scopes": scopes}).to_string().as_bytes(), out);
        }
        for (at, own) in scopes.iter().enumerate() {
            writeln!(out, "{:>4}  {}", at + 1, self.scope_line(own))?;
        }
        Ok(())
    }

    fn scope_json(&self, scope: &Scope) -> serde_json::Value {
        let cases = self.loaded.engine.snapshot(scope).len();
        json!({"account": scope.account(), "stream": scope.stream(), "cases": cases})
    }

    fn scope_line(&self, scope: &Scope) -> String {
        let cases = self.loaded.engine.snapshot(scope).len();
        format!("{}  {}  {cases} cases", plain(scope.account()), plain(scope.stream()))
    }

    fn choose(&mut self, number: usize, out: &mut impl Write) -> Result<(), Stopped> {
        let scopes = self.loaded.engine.scopes();
        let Some(scope) = number.checked_sub(1).and_then(|at| scopes.get(at)) else {
            let wrong = Wrong::new("unknown_scope", 0, "no scope has this number");
            let accepted = format!("1 to {}; scope lists them", scopes.len());
            return Err(wrong.found(&number.to_string()).accepts(accepted).into());
        };
        self.go_to(scope);
        match self.form {
            Form::Json => print_json(self.scope_json(scope).to_string().as_bytes(), out)?,
            Form::Table => writeln!(out, "{}", self.scope_line(scope))?,
        }
        Ok(())
    }

    /// Prints in another form from this line on.
    fn choose_form(&mut self, form: Form, out: &mut impl Write) -> io::Result<()> {
        self.form = form;
        match form {
            Form::Json => print_json(br#"{"form":"json"}"#, out),
            Form::Table => writeln!(out, "answers are tables; json prints JSON"),
        }
    }

    /// One line of JSON where scripts read one a line.
    fn help(&self, out: &mut impl Write) -> io::Result<()> {
        if self.form == Form::Table || self.is_terminal {
            return writeln!(out, "{HELP}");
        }
        let lines: Vec<_> = HELP.lines().collect();
        print_json(json!({"help": lines}).to_string().as_bytes(), out)
    }
}

/// Why a line was not done.
enum Stopped {
    /// It is refused, and the next one may come.
    Refused(Wrongs),
    /// Nobody reads the answers.
    Broken(io::Error),
}

impl From<Wrongs> for Stopped {
    fn from(wrongs: Wrongs) -> Self {
        Self::Refused(wrongs)
    }
}

impl From<Wrong> for Stopped {
    fn from(wrong: Wrong) -> Self {
        Self::Refused(Wrongs::Words(vec![wrong]))
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

fn nothing_asked() -> Wrong {
    Wrong::new("nothing_asked", 0, "nothing has been asked yet").accepts("a request before it")
}
