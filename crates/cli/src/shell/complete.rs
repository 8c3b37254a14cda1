//! Completion: names of words, and the values that there are.

use std::cell::RefCell;
use std::collections::HashMap;

use getcases::{Context, Query, Snapshot};
use getcases_load::plain;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use serde_json::json;

use super::command::COMMANDS;
use super::values;
use crate::words::names::{self, Kind};
use crate::words::quoted;

/// How many candidates are offered.
const OFFERED: usize = 100;
/// How many values of a field are known: the most frequent ones.
const KNOWN: usize = 2_000;

/// Completes lines by the words there are and by the values of cases.
#[derive(Default)]
pub(super) struct Completions {
    snapshot: Option<Snapshot>,
    /// Values by their field, since they were first asked for.
    values: RefCell<HashMap<&'static str, Vec<String>>>,
}

impl Completions {
    /// Completes with the values of these cases.
    pub(super) fn of(snapshot: Option<Snapshot>) -> Self {
        Self { snapshot, values: RefCell::default() }
    }

    /// What may stand in place of what a line ends with, and from which byte on.
    fn offered(&self, line: &str) -> (usize, Vec<Pair>) {
        let ending = Ending::of(line);
        let offered = match &ending {
            Ending::None => Vec::new(),
            Ending::Word { start, is_first } => names_like(tail(line, *start), *is_first),
            Ending::Value { name, item } => self.values_like(tail(line, *name), tail(line, *item)),
            Ending::Argument { command, start } => self.arguments(command, tail(line, *start)),
        };
        (ending.start(), offered)
    }

    /// Values for a word by its name, of which an element is begun.
    fn values_like(&self, written: &str, item: &str) -> Vec<Pair> {
        let name = written.trim_start_matches('-').split(':').next().unwrap_or_default();
        let Some(name) = names::named(name) else { return Vec::new() };
        let plain_names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let known: Vec<String> = match name.kind {
            Kind::List { .. } | Kind::In { is_prefixed: false } => {
                self.known(name.field.unwrap_or_default())
            }
            Kind::Exists { .. } => plain_names(&names::fields()),
            Kind::Flag { .. } => plain_names(&["true", "false"]),
            Kind::Sort => {
                let minus = if item.starts_with('-') { "-" } else { "" };
                let sorts = names::SORTS.iter().map(|own| format!("{minus}{own}"));
                return like(sorts, item, str::to_owned);
            }
            _ => Vec::new(),
        };
        like(known.into_iter(), item.strip_prefix('"').unwrap_or(item), quoted)
    }

    fn arguments(&self, command: &str, written: &str) -> Vec<Pair> {
        let fields = values::names().into_iter().map(str::to_owned);
        match command {
            "values" => like(fields, written, str::to_owned),
            "get" => like(self.ids(written).into_iter(), written, str::to_owned),
            _ => Vec::new(),
        }
    }

    /// The values of a field, the most frequent first.
    fn known(&self, field: &'static str) -> Vec<String> {
        let (Some(snapshot), Some(own)) = (&self.snapshot, values::named(field)) else {
            return Vec::new();
        };
        let gather = || snapshot.values(own).take(KNOWN).map(|value| value.shown).collect();
        self.values.borrow_mut().entry(field).or_insert_with(gather).clone()
    }

    /// The first ids that begin so.
    fn ids(&self, begin: &str) -> Vec<String> {
        let Some(snapshot) = &self.snapshot else { return Vec::new() };
        let filter = match begin {
            "" => json!({}),
            _ => json!({"_id": {"startsWith": begin}}),
        };
        let body = json!({"filter": filter, "sortBy": "_id", "limit": OFFERED}).to_string();
        let Ok(query) = Query::from_json(body.as_bytes(), &Context::default()) else {
            return Vec::new();
        };
        snapshot.search_ids(&query).ids.iter().map(ToString::to_string).collect()
    }
}

/// What a line ends with: bytes at which its parts begin.
#[derive(Debug, PartialEq, Eq)]
enum Ending<'l> {
    /// Nothing that can be completed.
    None,
    /// A word as far as it has no colon.
    Word { start: usize, is_first: bool },
    /// A value, or an element of a list.
    Value { name: usize, item: usize },
    /// What stands behind a command.
    Argument { command: &'l str, start: usize },
}

impl<'l> Ending<'l> {
    fn of(line: &'l str) -> Self {
        let first = line.len() - line.trim_start().len();
        let text = tail(line, first);
        if text.starts_with('{') {
            return Self::None;
        }
        if let Some((command, rest)) = text.split_once(char::is_whitespace) {
            let start = line.len() - rest.trim_start().len();
            match command {
                "explain" => return Self::of_words(line, start),
                "values" | "get" => return Self::Argument { command, start },
                "page" | "scope" => return Self::None,
                _ => {}
            }
        }
        Self::of_words(line, first)
    }

    fn of_words(line: &str, first: usize) -> Self {
        let (mut start, mut item, mut is_quoted, mut is_escaped) = (first, None, false, false);
        for (at, c) in tail(line, first).char_indices() {
            let behind = first + at + c.len_utf8();
            if is_quoted {
                is_quoted = is_escaped || c != '"';
                is_escaped = c == '\\' && !is_escaped;
                continue;
            }
            match c {
                '"' => is_quoted = true,
                ':' if item.is_none() => item = Some(behind),
                ',' if item.is_some() => item = Some(behind),
                _ if c.is_whitespace() => (start, item) = (behind, None),
                _ => {}
            }
        }
        match item {
            Some(item) => Self::Value { name: start, item },
            None if is_quoted => Self::None,
            None => Self::Word { start, is_first: start == first },
        }
    }

    /// Where what is completed begins.
    fn start(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Word { start, .. } | Self::Argument { start, .. } => *start,
            Self::Value { item, .. } => *item,
        }
    }
}

/// A line from some byte on, which is one that a character begins at.
fn tail(line: &str, start: usize) -> &str {
    line.get(start..).unwrap_or_default()
}

/// Names, and commands where the word is the first of its line.
fn names_like(written: &str, is_first: bool) -> Vec<Pair> {
    let (minus, begin) = match written.strip_prefix('-') {
        Some(begin) => ("-", begin),
        None => ("", written),
    };
    let named = |spelling: &str| {
        let is_flag = |name: &names::Name| matches!(name.kind, Kind::Flag { .. });
        let end = if names::named(spelling).is_some_and(is_flag) { ' ' } else { ':' };
        format!("{minus}{spelling}{end}")
    };
    // Other names for the same only where they are asked for.
    let shown = names::shown();
    let begins = |own: &str| begins_so(own, begin);
    let spellings: Vec<&str> = match shown.iter().any(|own| begins(own)) {
        true => shown,
        false => names::spellings().collect(),
    };
    let commands = COMMANDS.iter().filter(|_| is_first && minus.is_empty());
    let commands = commands.map(|command| format!("{command} "));
    let names = spellings.into_iter().filter(|own| begins(own)).map(named);
    like(names.chain(commands), written, str::to_owned)
}

/// The texts that begin as is written, in any letter case.
fn like(
    texts: impl Iterator<Item = String>,
    written: &str,
    as_written: impl Fn(&str) -> String,
) -> Vec<Pair> {
    let pair = |text: String| Pair { display: plain(&text), replacement: as_written(&text) };
    texts.filter(|text| begins_so(text, written)).take(OFFERED).map(pair).collect()
}

fn begins_so(text: &str, begin: &str) -> bool {
    let mut folded = text.chars().flat_map(char::to_lowercase);
    begin.chars().flat_map(char::to_lowercase).all(|c| folded.next() == Some(c))
}

impl Completer for Completions {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.offered(line.get(..at).unwrap_or_default()))
    }
}

impl Hinter for Completions {
    type Hint = String;
}

impl Highlighter for Completions {}

impl Validator for Completions {}

impl rustyline::Helper for Completions {}

#[cfg(test)]
mod tests {
    use getcases::{Engine, Scope};

    use super::*;

    fn completions() -> Completions {
        let (engine, scope) = (Engine::new(), Scope::new("a", "s"));
        let cases = [
            r#"{"_id":"ci-1","status":"Open","queues":["Queue 3","a,b"]}"#,
            r#"{"_id":"ci-2","status":"On hold","queues":["evil\u001b[31m\u009b"]}"#,
            r#"{"_id":"cx-1","status":{"name":"Open","statusCategory":"closed"}}"#,
        ];
        engine.write(|batch| cases.iter().try_for_each(|json| batch.upsert(&scope, json))).unwrap();
        Completions::of(Some(engine.snapshot(&scope)))
    }

    /// The line with what is offered in the place of its end.
    fn lines(line: &str) -> Vec<String> {
        let (start, offered) = completions().offered(line);
        assert!(offered.iter().all(|pair| !pair.display.contains(char::is_control)));
        offered.iter().map(|pair| format!("{}{}", &line[..start], pair.replacement)).collect()
    }

    #[test]
    fn names_and_commands_are_completed() {
        assert_eq!(lines("stat"), ["status:"]);
        assert_eq!(lines("x STAT"), ["x status:"]);
        assert_eq!(lines("assig"), ["assignee:"]);
        assert_eq!(lines("-unr"), ["-unresolved "]);
        assert_eq!(lines("ne"), ["next "]);
        assert_eq!(lines("late ne"), [""; 0]);
        assert_eq!(lines("explain cat"), ["explain category:"]);
        assert_eq!(lines("values qu"), ["values queue"]);
        assert_eq!(lines("get ci"), ["get ci-1", "get ci-2"]);
        assert_eq!(lines("{\"sta"), [""; 0]);
        assert_eq!(lines("\"sta"), [""; 0]);
        assert!(lines("").len() > 30);
    }

    #[test]
    fn values_are_completed_as_they_are_written() {
        assert_eq!(lines("status:"), ["status:Open", "status:\"On hold\""]);
        assert_eq!(lines("x -status:open,on"), ["x -status:open,\"On hold\""]);
        assert_eq!(lines("queue:\"Que"), ["queue:\"Queue 3\""]);
        assert_eq!(lines("queue:a"), ["queue:\"a,b\""]);
        assert_eq!(lines("queue:ev"), ["queue:\"evil\\u001b[31m\\u009b\""]);
        assert_eq!(lines("category:"), ["category:closed"]);
        assert_eq!(lines("sort:name,-du"), ["sort:name,-due"]);
        assert_eq!(lines("no:prio"), ["no:priority"]);
        assert_eq!(lines("mine:f"), ["mine:false"]);
        assert_eq!(lines("created:20"), [""; 0]);
        assert_eq!(lines("nobody:x"), [""; 0]);
        assert_eq!(Completions::default().offered("status:").1.len(), 0);
    }
}
