//! Words, each by itself: which has a name, which is a part of the text, which is `not`.

use std::borrow::Cow;

use super::lexer::{self, Char, Word, find};
use super::names::{self, Kind, Name};
use super::wrong::{Wrong, shown};

/// What one word asks, or some that are one text.
#[derive(Debug)]
pub(super) struct Term<'w> {
    pub(super) column: usize,
    /// Whether the cases are asked for that it does not match.
    pub(super) is_negated: bool,
    pub(super) asks: Asks<'w>,
}

#[derive(Debug)]
pub(super) enum Asks<'w> {
    /// A name, as it is written too, and its value; a flag may have none.
    Named { name: &'static Name, spelling: String, value: Option<&'w [Char]> },
    /// A text; `goes_on` where texts behind it are part of it: it does not stand in quotes.
    Text { text: String, goes_on: bool },
    /// `and`, `or` and `not`; in capitals they are never texts.
    Link { link: Link, is_capital: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    And,
    Or,
    Not,
}

impl Term<'_> {
    /// Whether it is a text that its neighbours may be part of.
    fn is_loose(&self) -> bool {
        match self.asks {
            Asks::Named { .. } => false,
            Asks::Text { goes_on, .. } => goes_on && !self.is_negated,
            Asks::Link { is_capital, .. } => !is_capital,
        }
    }

    /// The link that it is beside these neighbours; between texts it is one of them.
    fn link(&self, before: Option<&Self>, behind: Option<&Self>) -> Option<Link> {
        let Asks::Link { link, is_capital } = self.asks else { return None };
        let is_loose = |beside: Option<&Self>| beside.is_some_and(Self::is_loose);
        let is_link = behind.is_some_and(|term| matches!(term.asks, Asks::Link { .. }));
        let is_negation =
            before.is_some_and(|own| matches!(own.asks, Asks::Link { link: Link::Not, .. }));
        let is_text = match link {
            // Behind another one it is no text that this one negates.
            Link::Not => is_loose(behind) && !is_link && !is_negation,
            Link::And | Link::Or => is_loose(before) && is_loose(behind),
        };
        (is_capital || !is_text).then_some(link)
    }
}

/// What words ask, in their order; links are told of by what they link.
pub(super) fn terms<'w>(words: &'w [Word<'_>]) -> Vec<Result<Term<'w>, Wrong>> {
    let mut terms: Vec<Result<Term<'w>, Wrong>> = Vec::new();
    let read: Vec<_> = words.iter().map(term).collect();
    let at = |at: Option<usize>| at.and_then(|at| read.get(at)?.as_ref().ok());
    let links: Vec<_> = (0..read.len())
        .map(|here| at(Some(here))?.link(at(here.checked_sub(1)), at(Some(here + 1))))
        .collect();
    let mut negated: Option<usize> = None;
    let mut goes_on = false;
    // Whether `and` has something on both sides: before it no link, and behind it none but `not`.
    let joins = |here: usize| {
        let before = here.checked_sub(1).and_then(|at| links.get(at)?.as_ref());
        let behind = links.get(here + 1);
        let is_behind = behind.is_some_and(|own| matches!(own, None | Some(Link::Not)));
        here > 0 && before.is_none() && is_behind
    };
    for (here, (word, term)) in words.iter().zip(read).enumerate() {
        let link = links[here];
        if let (Some(column), Some(_)) = (negated, link) {
            terms.push(Err(nothing_to_negate(column)));
            negated = None;
        }
        match link {
            Some(Link::And) if !joins(here) => {
                terms.push(Err(nothing_to_join(word.column)));
            }
            Some(Link::And) => {}
            Some(Link::Or) => terms.push(Err(or(word.column))),
            Some(Link::Not) => negated = Some(word.column),
            None => {
                let term = term.and_then(|term| negate(text_of(term, word), negated.take()));
                let is_loose = term.as_ref().is_ok_and(Term::is_loose);
                match (term, terms.last_mut()) {
                    (Ok(term), Some(Ok(last))) if is_loose && goes_on => join(last, term),
                    (term, _) => terms.push(term),
                }
                goes_on = is_loose;
                continue;
            }
        }
        goes_on = false;
    }
    terms.extend(negated.map(|column| Err(nothing_to_negate(column))));
    terms
}

/// A link that is a text.
fn text_of<'w>(term: Term<'w>, word: &Word<'_>) -> Term<'w> {
    match term.asks {
        Asks::Link { .. } => {
            Term { asks: Asks::Text { text: word.written.to_owned(), goes_on: true }, ..term }
        }
        _ => term,
    }
}

fn negate(term: Term<'_>, by: Option<usize>) -> Result<Term<'_>, Wrong> {
    match by {
        Some(column) if term.is_negated => Err(nothing_to_negate(column)),
        Some(column) => Ok(Term { is_negated: true, column, ..term }),
        None => Ok(term),
    }
}

/// Adds a text to the one before it.
fn join(last: &mut Term<'_>, term: Term<'_>) {
    if let (Asks::Text { text, .. }, Asks::Text { text: more, .. }) = (&mut last.asks, term.asks) {
        *text += " ";
        *text += &more;
    }
}

fn nothing_to_negate(column: usize) -> Wrong {
    Wrong::words(column, "not has nothing behind it that it can negate")
        .accepts("not NAME:VALUE, -NAME:VALUE, or \"not\" for the text")
}

fn nothing_to_join(column: usize) -> Wrong {
    Wrong::words(column, "and has nothing on one side that it can join")
        .accepts("words on both sides, or \"and\" for the text")
}

fn or(column: usize) -> Wrong {
    Wrong::new("unsupported", column, "words are all asked at once, and have no or")
        .accepts("a list for one name (status:open,new), a filter in JSON, or \"or\" for the text")
}

/// A word by itself.
fn term<'w>(word: &'w Word<'_>) -> Result<Term<'w>, Wrong> {
    let column = word.column;
    let is_negated = word.chars.len() > 1 && lexer::starts(&word.chars, "-");
    let chars = word.chars.get(usize::from(is_negated)..).unwrap_or_default();
    let asks = match find(chars, ":") {
        Some(at) => with_name(word, &chars[..at], &chars[at + 1..])?,
        None => without_name(word, chars)?,
    };
    if is_negated && matches!(asks, Asks::Link { .. }) {
        return Err(nothing_to_negate(column));
    }
    Ok(Term { column, is_negated, asks })
}

/// Whether a word is a text, or a part of one, only because it has neither a name nor quotes.
pub(super) fn is_bare(word: &Word<'_>) -> bool {
    let is_text = matches!(term(word), Ok(Term { asks: Asks::Text { goes_on: true, .. }, .. }));
    is_text && find(&word.chars, ":").is_none()
}

fn with_name<'w>(word: &Word<'_>, name: &[Char], value: &'w [Char]) -> Result<Asks<'w>, Wrong> {
    let spelling = lexer::text(name);
    let Some(name) = names::named(&spelling).filter(|_| !spelling.is_empty()) else {
        let near = names::near(&spelling, names::spellings());
        let msg = format!("no word has the name {:?}", shown(&spelling));
        let hint = if near.is_none() { ", and a text with a colon needs quotes" } else { "" };
        let wrong = Wrong::new("unknown_field", word.column, msg + hint).meant(near);
        return Err(wrong.found(word.written).accepts_one_of(&names::shown()));
    };
    if value.is_empty() {
        let msg = format!("nothing stands behind {spelling}:");
        let form = format!("{spelling}:{}", name.form);
        return Err(Wrong::words(word.column, msg).accepts(form));
    }
    if name.kind == Kind::Text {
        return text(word, value);
    }
    Ok(Asks::Named { name, spelling, value: Some(value) })
}

fn without_name<'w>(word: &Word<'_>, chars: &'w [Char]) -> Result<Asks<'w>, Wrong> {
    let is_plain = chars.iter().all(|char| !char.is_quoted);
    let written = lexer::text(chars);
    if !is_plain {
        return text(word, chars);
    }
    let link = match &*written.to_ascii_lowercase() {
        "and" => Some(Link::And),
        "or" => Some(Link::Or),
        "not" => Some(Link::Not),
        _ => None,
    };
    if let Some(link) = link {
        let is_capital = written.bytes().all(|byte| byte.is_ascii_uppercase());
        return Ok(Asks::Link { link, is_capital });
    }
    if let Some(name) = names::named(&written)
        && matches!(name.kind, Kind::Flag { .. })
    {
        return Ok(Asks::Named { name, spelling: written, value: None });
    }
    let end = written.find(['=', '<', '>']).filter(|end| *end > 0);
    if let Some(name) = end.and_then(|end| names::named(written.get(..end)?)) {
        let msg = "a colon stands between a name and its value";
        let form = format!("{}:{}, or quotes around a text", name.names[0], name.form);
        return Err(Wrong::words(word.column, msg).found(word.written).accepts(form));
    }
    text(word, chars)
}

fn text<'w>(word: &Word<'_>, chars: &[Char]) -> Result<Asks<'w>, Wrong> {
    if lexer::ends(chars, '*') && chars.len() > 1 {
        let wrong =
            Wrong::new("unknown_operator", word.column, "a text is found anywhere, as it is");
        return Err(wrong.found(word.written).accepts("the text without *, or in quotes with it"));
    }
    let goes_on = chars.iter().all(|char| !char.is_quoted);
    Ok(Asks::Text { text: whole(word.column, || word.written.to_owned(), chars)?, goes_on })
}

/// A text that stands in quotes whole, or not at all.
pub(super) fn whole(
    column: usize,
    written: impl Fn() -> String,
    chars: &[Char],
) -> Result<String, Wrong> {
    let quoted = chars.iter().filter(|char| char.is_quoted).count();
    if chars.is_empty() {
        let wrong = Wrong::words(column, "a value is missing");
        return Err(wrong.found(&written()).accepts("values with one comma between two"));
    }
    if quoted > 0 && quoted < chars.len() {
        let wrong = Wrong::words(column, "a value stands in quotes in part");
        return Err(wrong.found(&written()).accepts("quotes around all of it"));
    }
    Ok(lexer::text(chars))
}

/// An argument as a part of a line. One that begins with a name and goes on with nothing but texts
/// is one word.
pub(super) fn argument(argument: &str) -> Cow<'_, str> {
    let has_space = argument.contains(char::is_whitespace) && !argument.contains('"');
    let words = if has_space { lexer::words(argument).unwrap_or_default() } else { Vec::new() };
    let terms: Vec<_> = words.iter().map(term).collect();
    let is_one = terms.iter().enumerate().all(|(at, term)| match term {
        Ok(Term { asks: Asks::Named { value, .. }, .. }) => at == 0 && value.is_some(),
        Ok(Term { asks: Asks::Text { .. }, is_negated, .. }) => {
            // A text with a name begins it, too.
            (at > 0 && !is_negated) != words[at].chars.iter().any(|char| char.c == ':')
        }
        Ok(Term { asks: Asks::Link { is_capital, .. }, .. }) => at > 0 && !is_capital,
        Err(_) => false,
    });
    match argument.split_once(':') {
        Some((name, value)) if is_one && !terms.is_empty() => {
            let is_text = matches!(terms[0], Ok(Term { asks: Asks::Text { .. }, .. }));
            let items: Vec<_> = if is_text { vec![value] } else { value.split(',').collect() };
            let item = |item: &&str| {
                // White space around an element separates words.
                let item = if is_text { item } else { item.trim() };
                let is_one = !item.contains(char::is_whitespace);
                if is_one { item.to_owned() } else { lexer::quoted(item) }
            };
            let items: Vec<_> = items.iter().map(item).collect();
            Cow::Owned(format!("{name}:{}", items.join(",")))
        }
        _ => Cow::Borrowed(argument),
    }
}
