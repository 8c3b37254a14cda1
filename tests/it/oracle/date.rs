//! The oracle's dates, read by the letter of docs/contract.md, *Dates*.

use super::json::{Json, Node};

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// Days since 1970 of a real day of the years 1 to 9999.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let before: i64 = lengths[..(month - 1) as usize].iter().sum();
    let y = year - 1;
    Some(y * 365 + y / 4 - y / 100 + y / 400 + before + day - 1 - 719_162)
}

/// What is left of a text to read.
struct Rest {
    chars: Vec<char>,
    at: usize,
}

impl Rest {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Goes past a character that is one of these.
    fn one_of(&mut self, wanted: &str) -> Option<char> {
        let found = self.peek().filter(|c| wanted.contains(*c))?;
        self.at += 1;
        Some(found)
    }

    /// Goes past just so many ASCII digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let part: String = self.chars.get(self.at..self.at + digits)?.iter().collect();
        self.at += digits;
        let digits_only = part.chars().all(|c| c.is_ascii_digit());
        if digits_only { part.parse().ok() } else { None }
    }

    fn at_most(&mut self, greatest: i64) -> Option<i64> {
        self.number(2).filter(|number| *number <= greatest)
    }
}

/// The first and last millisecond that a text names, where utc = local + offset minutes.
fn span_of_text(text: &str, offset: i64) -> Option<(i64, i64)> {
    let mut rest = Rest { chars: text.trim().chars().collect(), at: 0 };
    let year = rest.number(4)?;
    rest.one_of("-")?;
    let month = rest.number(2)?;
    rest.one_of("-")?;
    let day = days(year, month, rest.number(2)?)? * DAY;
    if rest.peek().is_none() {
        return Some((day + offset * MINUTE, day + offset * MINUTE + DAY - 1));
    }
    rest.one_of("Tt ")?;
    let at = day + clock(&mut rest)?;
    let shift = match rest.one_of("Zz+-") {
        None => offset,
        Some('+') => -zone(&mut rest)?,
        Some('-') => zone(&mut rest)?,
        Some(_) => 0,
    };
    rest.peek().is_none().then_some((at + shift * MINUTE, at + shift * MINUTE))
}

/// `hh:mm`, optionally `:ss`, after that optionally a fraction; in milliseconds of the day.
fn clock(rest: &mut Rest) -> Option<i64> {
    let hours = rest.at_most(23)?;
    rest.one_of(":")?;
    let mut at = (hours * 60 + rest.at_most(59)?) * MINUTE;
    if rest.one_of(":").is_some() {
        at += rest.at_most(59)? * 1000;
        if rest.one_of(".,").is_some() {
            let mut digits = String::new();
            while let Some(digit) = rest.one_of("0123456789") {
                digits.push(digit);
            }
            if digits.is_empty() || digits.len() > 9 {
                return None;
            }
            at += format!("{digits}00")[..3].parse::<i64>().ok()?;
        }
    }
    Some(at)
}

/// `hh:mm`, `hhmm` or `hh`, in minutes.
fn zone(rest: &mut Rest) -> Option<i64> {
    let hours = rest.at_most(23)?;
    if rest.peek().is_none() {
        return Some(hours * 60);
    }
    _ = rest.one_of(":");
    Some(hours * 60 + rest.at_most(59)?)
}

/// The same for any JSON value that is a date.
pub fn span(value: &Node<'_>, offset: i64) -> Option<(i64, i64)> {
    match &value.json {
        Json::Text(text) => span_of_text(text, offset),
        Json::Number(number) => {
            let at = number.parse::<i64>().ok()?;
            let (first, last) = (days(1, 1, 1)? * DAY, days(9999, 12, 31)? * DAY + DAY - 1);
            (first..=last).contains(&at).then_some((at, at))
        }
        _ => None,
    }
}
