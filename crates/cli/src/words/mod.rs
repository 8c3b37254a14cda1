//! Words as a request: `status:open,new text:"late delivery" sort:-due`, read into the JSON body
//! that means the same.
//!
//! Rules: docs/contract.md, *Words*. A line is cut into words (`lexer`), each is read by its name
//! (`names`, `terms`), and what they ask becomes a body (`body`), which is judged as any other.

mod body;
mod lexer;
pub(crate) mod names;
mod terms;
mod wrong;

use getcases::{Code, Problem, Refusal};

pub(crate) use lexer::{escaped, quoted, unquoted};
pub(crate) use wrong::{Wrong, to_json};

/// How many problems are told one by one, as the contract does.
const LISTED: usize = 100;
/// How many words without a name are known by themselves.
const BARE: usize = 16;

/// A body, and where the words stand that it comes from.
#[derive(Debug)]
pub(crate) struct Words {
    /// JSON.
    pub(crate) body: String,
    /// Paths of the body and columns.
    places: Vec<(String, usize)>,
    /// Words without a name and without quotes, which are texts.
    pub(crate) bare: Vec<String>,
}

impl Words {
    /// Reads a line. Cost grows with its length.
    ///
    /// # Errors
    /// Every word that cannot be read; what breaks the line into words comes alone.
    pub(crate) fn read(line: &str) -> Result<Self, Vec<Wrong>> {
        if line.trim_start().starts_with('{') {
            let wrong = Wrong::words(1, "this is JSON, and no words");
            return Err(vec![wrong.accepts("words; JSON stands behind --body")]);
        }
        let words = lexer::words(line).map_err(|wrong| vec![wrong])?;
        let mut body = body::Body::default();
        let mut wrongs = Vec::new();
        for term in terms::terms(&words) {
            if let Err(wrong) = term.and_then(|term| body.add(&term)) {
                wrongs.push(wrong);
            }
        }
        if wrongs.is_empty() {
            let bare = words.iter().filter(|word| terms::is_bare(word));
            let bare = bare.take(BARE).map(|word| word.written.to_owned()).collect();
            return Ok(Self { bare, ..body.finish() });
        }
        let more = wrongs.len().saturating_sub(LISTED);
        wrongs.truncate(LISTED);
        if more > 0 {
            wrongs.push(Wrong::new("too_many_problems", 0, format!("{more} more problems")));
        }
        Err(wrongs)
    }

    /// Why the body is refused, told by the words that it comes from.
    pub(crate) fn wrongs(&self, refusal: &Refusal) -> Vec<Wrong> {
        let wrong = |problem: &Problem| {
            let is_within = |path: &str| {
                let rest = problem.path().strip_prefix(path);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let within = self.places.iter().filter(|(path, _)| is_within(path));
            let place = within.max_by_key(|(path, _)| path.len());
            let wrong = Wrong::of_body(problem, place.map_or(0, |(_, column)| *column));
            match problem.code() {
                Code::UnknownSortField => {}
                Code::MissingCurrentUser => return wrong.accepts("a user: --user ID"),
                _ => return wrong,
            }
            let value = problem.value().unwrap_or_default();
            let name = value.trim_matches(['"', '-']).split(':').next().unwrap_or_default();
            wrong.meant(names::near(name, names::sorts())).accepts_one_of(&names::SORTS)
        };
        let mut wrongs: Vec<_> = refusal.problems().iter().map(wrong).collect();
        // A word may become several parameters.
        wrongs.dedup_by(|one, other| one == other);
        wrongs
    }
}

/// A line of arguments, each one or more words. One that begins with a name and goes on with texts
/// is one word, for a shell that has taken its quotes: `text:"late delivery"`.
pub(crate) fn line<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let arguments: Vec<_> = arguments.into_iter().map(terms::argument).collect();
    arguments.join(" ")
}

/// Whether a text is more likely words than the name of a file: it begins with a name and a colon,
/// or is a flag.
pub(crate) fn looks_like(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once(':') {
        Some((name, value)) => {
            let is_name = name.chars().all(char::is_alphabetic) && name.len() > 1;
            !value.is_empty() && is_name
        }
        None => {
            names::named(text).is_some_and(|name| matches!(name.kind, names::Kind::Flag { .. }))
        }
    }
}

#[cfg(test)]
mod tests;
