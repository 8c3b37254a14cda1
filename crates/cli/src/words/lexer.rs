//! A line cut into words.

use super::wrong::{Wrong, shown};

/// A character of a word, and whether it stood in quotes: what has a meaning of its own (`:` `,`
/// `..` `*` and more) has none there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Char {
    pub(super) c: char,
    pub(super) is_quoted: bool,
}

/// A word of a line. Its characters are never none.
#[derive(Clone, Debug)]
pub(super) struct Word<'l> {
    /// Where it begins: a number of characters, from 1.
    pub(super) column: usize,
    /// As it is written.
    pub(super) written: &'l str,
    pub(super) chars: Vec<Char>,
}

/// What may stand before a quote that opens: a value, an element of a list, an end of a range.
const BEFORE_QUOTES: [char; 7] = [':', ',', '-', '<', '>', '=', '.'];
/// What may stand behind a quote that closes, beside white space.
const BEHIND_QUOTES: [char; 3] = [',', '.', '*'];

/// Cuts a line at white space outside quotes. Cost grows with its length.
pub(super) fn words(line: &str) -> Result<Vec<Word<'_>>, Wrong> {
    let mut reader = Reader { line, at: 0, column: 1 };
    let mut words = Vec::new();
    loop {
        while reader.peek().is_some_and(char::is_whitespace) {
            reader.next();
        }
        if reader.peek().is_none() {
            return Ok(words);
        }
        words.push(reader.word()?);
    }
}

/// A place in a line.
struct Reader<'l> {
    line: &'l str,
    at: usize,
    column: usize,
}

impl<'l> Reader<'l> {
    fn rest(&self) -> &'l str {
        // `at` only ever goes on by whole characters.
        self.line.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.column += 1;
        Some(c)
    }

    fn word(&mut self) -> Result<Word<'l>, Wrong> {
        let (start, column) = (self.at, self.column);
        let mut chars: Vec<Char> = Vec::new();
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace()) {
            if c != '"' {
                chars.push(Char { c, is_quoted: false });
                self.next();
                continue;
            }
            let before = chars.last();
            if before.is_some_and(|before| before.is_quoted || !BEFORE_QUOTES.contains(&before.c)) {
                let msg = "a quote within a word";
                return Err(Wrong::words(self.column, msg)
                    .accepts("quotes around a whole value or text; a quote within them is \\\""));
            }
            self.quoted(&mut chars)?;
        }
        let written = self.line.get(start..self.at).unwrap_or_default();
        Ok(Word { column, written, chars })
    }

    /// What stands in quotes, its escapes read as JSON has them.
    fn quoted(&mut self, chars: &mut Vec<Char>) -> Result<(), Wrong> {
        let (opened, before) = (self.column, chars.len());
        self.next();
        loop {
            match self.next() {
                None => {
                    let wrong = Wrong::words(opened, "the quote that opens here never closes");
                    return Err(wrong.accepts("a quote at the end; one within the text is \\\""));
                }
                Some('"') => break,
                Some('\\') => chars.push(Char { c: self.escaped()?, is_quoted: true }),
                Some(c) => chars.push(Char { c, is_quoted: true }),
            }
        }
        if chars.len() == before {
            let wrong = Wrong::words(opened, "there is nothing between the quotes");
            return Err(wrong.accepts("a text that is not empty"));
        }
        match self.peek() {
            Some(c) if !c.is_whitespace() && !BEHIND_QUOTES.contains(&c) => {
                let msg = format!("{:?} behind a closing quote", shown(&c.to_string()));
                Err(Wrong::words(self.column, msg).accepts("white space, a comma, .. or *"))
            }
            _ => Ok(()),
        }
    }

    /// The character that an escape stands for; what opens it is behind us.
    fn escaped(&mut self) -> Result<char, Wrong> {
        let column = self.column - 1;
        let c = match self.next() {
            Some(c @ ('"' | '\\' | '/')) => Some(c),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unit().and_then(|unit| self.scalar(unit)),
            _ => None,
        };
        c.ok_or_else(|| {
            let wrong = Wrong::words(column, "no escape that quotes know");
            wrong.accepts("\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        (0..4).for_each(|_| _ = self.next());
        u32::from_str_radix(digits, 16).ok()
    }

    /// The character of a unit, and of a second one behind it where it is half of a pair.
    fn scalar(&mut self, unit: u32) -> Option<char> {
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit);
        }
        if !self.rest().starts_with("\\u") {
            return None;
        }
        (0..2).for_each(|_| _ = self.next());
        let low = self.unit().filter(|low| (0xDC00..0xE000).contains(low))?;
        char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
    }
}

/// The text of some characters.
pub(super) fn text(chars: &[Char]) -> String {
    chars.iter().map(|char| char.c).collect()
}

/// Where a text without quotes first stands.
pub(super) fn find(chars: &[Char], what: &str) -> Option<usize> {
    (0..chars.len()).find(|at| starts(&chars[*at..], what))
}

/// Whether they begin with a text without quotes.
pub(super) fn starts(chars: &[Char], what: &str) -> bool {
    let count = what.chars().count();
    count <= chars.len() && what.chars().zip(chars).all(|(c, own)| own.c == c && !own.is_quoted)
}

/// Whether they end with a character without quotes.
pub(super) fn ends(chars: &[Char], c: char) -> bool {
    chars.last() == Some(&Char { c, is_quoted: false })
}

/// A text as a value is written: in quotes where it needs them.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !is_obeyed(c) && !"\",:*<>=-\\".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) && !text.contains("..") {
        return text.to_owned();
    }
    // Writing a text into memory never fails.
    escaped(&serde_json::to_string(text).unwrap_or_default())
}

/// The text that one quoted value stands for; any other text as it is.
pub(crate) fn unquoted(text: &str) -> String {
    match words(text).as_deref() {
        Ok([word]) if word.chars.iter().all(|char| char.is_quoted) => self::text(&word.chars),
        _ => text.to_owned(),
    }
}

/// JSON with an escape for each character within its texts that a terminal obeys.
pub(crate) fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) && !c.is_ascii_whitespace() {
            escaped += &format!("\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a terminal does something else with a character than to show it. None needs more than
/// four hexadecimal digits.
fn is_obeyed(c: char) -> bool {
    getcases_load::plain(c.encode_utf8(&mut [0; 4])).starts_with(char::REPLACEMENT_CHARACTER)
        && c != char::REPLACEMENT_CHARACTER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(line: &str) -> Vec<String> {
        words(line).unwrap().iter().map(|word| text(&word.chars)).collect()
    }

    #[test]
    fn white_space_parts_words_but_in_quotes() {
        assert_eq!(cut("  a\tb:c \u{3000}"), ["a", "b:c"]);
        assert_eq!(cut(r#"text:"late  delivery","x" -"a b""#), ["text:late  delivery,x", "-a b"]);
        assert_eq!(cut(r#""\"\\\/\n\u00e9\ud83d\ude00 ab""#), ["\"\\/\né😀 ab"]);
        let line = words(r#"é x:"b c""#).unwrap();
        assert_eq!((line[1].column, line[1].written), (3, r#"x:"b c""#));
        assert!(line[1].chars[2].is_quoted && !line[1].chars[1].is_quoted);
    }

    #[test]
    fn wrong_quotes_are_told_where_they_stand() {
        let column = |line: &str| words(line).unwrap_err().column();
        assert_eq!(column(r#"é x:"b c"#), 5);
        assert_eq!(column(r#"tv 55" broken"#), 6);
        assert_eq!(column(r#"x:"a"b"#), 6);
        assert_eq!(column(r#"x:"a""b""#), 6);
        assert_eq!(column(r#"x:"a\qb""#), 5);
        assert_eq!(column(r#"x:"\ud83d""#), 4);
        assert_eq!(column(r#"x:"\u12""#), 4);
        assert_eq!(column(r#"a "" b"#), 3);
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was() {
        for own in
            ["a", "a b", "x:y", "a\"b\\", "a..b", "-a", "\n\u{1b}\u{9b}", "55\"", "é客", "a*"]
        {
            let line = format!("x:{}", quoted(own));
            let read = words(&line).unwrap();
            assert_eq!((read.len(), text(&read[0].chars[2..])), (1, own.to_owned()), "{line}");
        }
    }
}
