//! Lines of the shell: requests, and commands.

use crate::desk::{Asked, Form};
use crate::query::LONGEST;
use crate::words::{Wrong, unquoted};

use super::paging::Turn;

/// What a line says.
#[derive(Debug)]
pub(super) enum Command {
    Nothing,
    Ask(Asked),
    /// Explain a request, or the last one.
    Explain(Option<Asked>),
    Turn(Turn),
    Form(Form),
    Get(String),
    Values(String),
    Fields,
    Scopes,
    Scope(usize),
    Help,
    Quit,
}

/// The commands, as completion offers them.
pub(super) const COMMANDS: [&str; 14] = [
    "explain", "page", "next", "prev", "json", "table", "get", "values", "fields", "scope", "help",
    "quit", "exit", "not",
];

pub(super) const HELP: &str = "\
A line is a request, in words or as JSON:
  status:open,new text:\"late delivery\" -queue:spam sort:-due limit:20
  {\"status\":[\"open\",\"new\"],\"sortBy\":\"-dueDate\"}
or one of these; in quotes it is a text:
  explain [REQUEST]  how a request, or the last one, is understood and answered
  next, prev         the page behind or before the last one; page N
  json, table        how answers are printed
  get ID             one case, whole
  fields             what words there are
  values FIELD       the values of a field (status, queue, agent …), with their cases
  scope [N]          the accounts and streams there are, or ask another one
  help, quit         Ctrl-C leaves a line, Ctrl-D the shell; Tab completes names and values";

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Result<Command, Wrong> {
    // What was cut may mean something else, words above all.
    if line.len() > LONGEST + 1 {
        let wrong = Wrong::new("body_too_large", 0, "the line is longer than a body may be");
        return Err(wrong.accepts(format!("at most {LONGEST} bytes")));
    }
    let line = line.trim_ascii();
    if line.starts_with(b"{") {
        return Ok(Command::Ask(Asked::Body(line.to_vec())));
    }
    let line = std::str::from_utf8(line).map_err(|error| {
        let valid = line.get(..error.valid_up_to()).unwrap_or_default();
        let column = String::from_utf8_lossy(valid).chars().count() + 1;
        Wrong::new("invalid_words", column, "the line is no UTF-8").accepts("UTF-8")
    })?;
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    Ok(match word {
        "" => Command::Nothing,
        "explain" => Command::Explain((!rest.is_empty()).then(|| request(rest))),
        "page" => Command::Turn(Turn::To(number(word, rest)?)),
        "next" => alone(word, rest, Command::Turn(Turn::Next))?,
        "prev" => alone(word, rest, Command::Turn(Turn::Prev))?,
        "json" => alone(word, rest, Command::Form(Form::Json))?,
        "table" => alone(word, rest, Command::Form(Form::Table))?,
        "fields" => alone(word, rest, Command::Fields)?,
        "help" | "?" => alone(word, rest, Command::Help)?,
        "quit" | "exit" => alone(word, rest, Command::Quit)?,
        "get" => Command::Get(argument(word, rest)?),
        "values" => Command::Values(argument(word, rest)?),
        "scope" if rest.is_empty() => Command::Scopes,
        "scope" => Command::Scope(usize::try_from(number(word, rest)?).unwrap_or(usize::MAX)),
        _ => Command::Ask(Asked::words(line)),
    })
}

fn request(text: &str) -> Asked {
    if text.starts_with('{') { Asked::Body(text.as_bytes().to_vec()) } else { Asked::words(text) }
}

/// A command that has nothing behind it.
fn alone(word: &str, rest: &str, command: Command) -> Result<Command, Wrong> {
    if rest.is_empty() {
        return Ok(command);
    }
    let wrong =
        Wrong::new("invalid_words", word.len() + 2, format!("nothing stands behind {word}"));
    Err(wrong.found(rest).accepts(format!("{word}, or \"{word} …\" in quotes for the text")))
}

fn number(word: &str, rest: &str) -> Result<u64, Wrong> {
    rest.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
        let msg = format!("{word} takes a number from 1");
        let wrong = Wrong::new("invalid_integer", word.len() + 2, msg).found(rest);
        wrong.accepts(format!("{word} N, or \"{word} …\" in quotes for the text"))
    })
}

fn argument(word: &str, rest: &str) -> Result<String, Wrong> {
    if rest.is_empty() {
        let msg = format!("{word} of what is not said");
        return Err(
            Wrong::new("invalid_words", word.len() + 1, msg).accepts(format!("{word} NAME"))
        );
    }
    Ok(unquoted(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        match read(line.as_bytes()) {
            Ok(command) => format!("{command:?}"),
            Err(wrong) => wrong.line(),
        }
    }

    #[test]
    fn commands_are_told_from_requests() {
        assert_eq!(shown("  "), "Nothing");
        assert_eq!(shown(" next "), "Turn(Next)");
        assert_eq!(shown("page 7"), "Turn(To(7))");
        assert_eq!(shown("get ci-1"), "Get(\"ci-1\")");
        assert_eq!(shown(r#"get "a \"b\"""#), r#"Get("a \"b\"")"#);
        assert_eq!(shown("scope"), "Scopes");
        assert_eq!(shown("explain"), "Explain(None)");
        assert!(shown("explain status:open").starts_with("Explain(Some(Words("));
        assert!(shown("explain {}").starts_with("Explain(Some(Body("));
        assert!(shown("{\"limit\":0}").starts_with("Ask(Body("));
        assert!(shown("late delivery").starts_with("Ask(Words("));
        assert!(shown("\"next week\"").starts_with("Ask(Words("));
        assert!(shown("pages").starts_with("Ask(Words("));
    }

    #[test]
    fn a_text_that_begins_like_a_command_is_told_of() {
        assert!(shown("next week").starts_with("words:6: invalid_words: nothing stands behind"));
        assert!(shown("page missing").starts_with("words:6: invalid_integer"));
        assert!(shown("page 0").contains("invalid_integer"));
        assert!(shown("get").contains("invalid_words"));
        assert!(read(b"late \xff").is_err());
    }
}
