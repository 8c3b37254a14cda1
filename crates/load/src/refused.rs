//! Refused records, told with the places of the file: one line for people, one object for machines,
//! each of bounded length.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use getcases::{Accepted, Case, Code, Problem, Refusal};

use crate::block::Record;
use crate::rows::{UTF_8, Wrong};
use crate::scan::member;
use crate::shape::{Document, Shape};
use crate::window::{LONGEST, Place};

/// How many characters of an `_id` are shown.
const SHOWN: usize = 128;
/// Integers that are dates before 1973 as milliseconds, and since then as seconds.
const SECONDS: Range<i64> = 100_000_000..100_000_000_000;
/// The years that calendar digits may begin with.
const YEARS: Range<i64> = 1900..2100;

/// One thing that is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the file; the record's own place where what is wrong is missing.
    pub place: Place,
    /// A code of the library's, or `ragged_row`, `open_quote` or `invalid_text` of a table.
    pub code: &'static str,
    /// Where it is in the case, at most 256 characters.
    pub path: String,
    /// What it is, in words.
    pub msg: String,
    /// The refused value as JSON text, at most 128 characters of it.
    pub value: Option<String>,
    /// What would be accepted.
    pub accepted: Option<Accepted>,
}

/// A record that is no case: its `_id`, where it has one, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// At most 128 characters of it.
    pub id: Option<String>,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl Record<'_> {
    /// Reads the case. Cost grows with the text.
    ///
    /// # Errors
    /// Every problem of it, each where it stands in the file.
    pub fn read(&self) -> Result<Case, Refused> {
        let Some(text) = self.text else {
            return Err(Refused { id: None, faults: vec![too_long(self.place)] });
        };
        let Some(document) = self.made(text)? else {
            let place = |offset| self.place.after(text.get(..offset).unwrap_or_default());
            return Case::from_json(text).map_err(|refusal| Refused::new(text, &refusal, place));
        };
        let json = document.json.as_bytes();
        let place = |offset| {
            let origin = match self.shape {
                Shape::Row(header) => header.origin(text, &document, offset),
                _ => document.origin(offset),
            };
            self.place.after(text.get(..origin).unwrap_or_default())
        };
        Case::from_json(json).map_err(|refusal| {
            let mut refused = Refused::new(json, &refusal, place);
            refused.faults.iter_mut().for_each(|fault| fault.name_source(self.shape));
            refused
        })
    }

    /// The text of the case, as far as one can be made.
    ///
    /// # Errors
    /// Why it cannot be made of a record of another system, or of a table.
    pub fn document(&self) -> Result<Cow<'_, [u8]>, Refused> {
        let Some(text) = self.text else {
            return Err(Refused { id: None, faults: vec![too_long(self.place)] });
        };
        let made = self.made(text)?;
        Ok(made.map_or(Cow::Borrowed(text), |document| Cow::Owned(document.json.into_bytes())))
    }

    /// The document that is made of a record, where one is.
    fn made(&self, text: &[u8]) -> Result<Option<Document>, Refused> {
        match self.shape {
            Shape::Case => Ok(None),
            // Where it is no JSON, the strict reader says why.
            Shape::Json(mapped) => Ok(Document::of_json(text, mapped)),
            Shape::Row(header) => match header.document(text) {
                Ok(document) => Ok(Some(document)),
                Err(wrong) => {
                    let fault = row_fault(self.place, text, header.len(), &wrong);
                    Err(Refused { id: header.id(text).map(shown), faults: vec![fault] })
                }
            },
        }
    }

    /// Where the first date of a case stands that is an integer and must be seconds: read as
    /// milliseconds it is before 1973, and it is none of the first day.
    #[must_use]
    pub fn seconds(&self, case: &Case) -> Option<Place> {
        self.integer_date(case, |date| SECONDS.contains(&date))
    }

    /// Where the first date of a case stands that is an integer and must be calendar digits:
    /// `20250529`, with `hhmm` or `hhmmss` behind it or not. Milliseconds with such digits are of
    /// the first hour, of 1976, or of some centuries from now.
    #[must_use]
    pub fn digits(&self, case: &Case) -> Option<Place> {
        self.integer_date(case, is_calendar)
    }

    /// Where the first date of a case stands that is such an integer. Cost: that of looking for it
    /// only where the case has such a date.
    fn integer_date(&self, case: &Case, must_be: impl Fn(i64) -> bool) -> Option<Place> {
        let mut dates = [case.created(), case.updated(), case.due()].into_iter().flatten();
        if !dates.any(&must_be) {
            return None;
        }
        let keys = ["createdAt", "timestampValue", "updatedAt", "dueDate", "ETA"];
        let document = case.document().as_bytes();
        let is_integer = |key: &&str| {
            let value = member(document, key).and_then(|range| document.get(range));
            let number = value.and_then(|value| serde_json::from_slice(value).ok());
            number.is_some_and(&must_be)
        };
        let key = keys.iter().find(|key| is_integer(key))?;
        let text = self.text.filter(|_| matches!(self.shape, Shape::Case));
        let start = text.and_then(|text| text.get(..member(text, key)?.start));
        Some(self.place.after(start.unwrap_or_default()))
    }
}

/// Whether the digits of an integer are those of a day (8 of them), or of a minute (12) or a second
/// (14) of one.
fn is_calendar(number: i64) -> bool {
    let (day, time) = match number {
        10_000_000..100_000_000 => (number, 0),
        100_000_000_000..1_000_000_000_000 => (number / 10_000, number % 10_000 * 100),
        10_000_000_000_000..100_000_000_000_000 => (number / 1_000_000, number % 1_000_000),
        _ => return false,
    };
    let (year, month, day) = (day / 10_000, day / 100 % 100, day % 100);
    let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
    let is_day = YEARS.contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    is_day && hour < 24 && minute < 60 && second < 60
}

fn row_fault(place: Place, row: &[u8], columns: usize, wrong: &Wrong) -> Fault {
    let (offset, code, msg, accepted) = match wrong {
        Wrong::Ragged(cells) => {
            let accepted = format!("{columns} cells, as the header has");
            (0, "ragged_row", format!("the row has {cells} cells"), accepted)
        }
        Wrong::Open => {
            let accepted = "a quote at the end of the cell; one within it is two".to_owned();
            (
                0,
                "open_quote",
                "a quote opens in the row and closes at no end of a cell".to_owned(),
                accepted,
            )
        }
        Wrong::NoText(offset) => {
            let (msg, accepted) = match row.get(*offset) {
                Some(0) => ("a zero byte", "text without zero bytes"),
                _ => ("bytes that are no UTF-8", UTF_8),
            };
            (*offset, "invalid_text", msg.to_owned(), accepted.to_owned())
        }
    };
    Fault {
        place: place.after(row.get(..offset).unwrap_or_default()),
        code,
        path: "$".to_owned(),
        msg,
        value: None,
        accepted: Some(accepted.into()),
    }
}

fn too_long(place: Place) -> Fault {
    Fault {
        place,
        code: Code::DocumentTooLarge.as_str(),
        path: "$".to_owned(),
        msg: format!("longer than {LONGEST} bytes"),
        value: None,
        accepted: Some(format!("at most {LONGEST} bytes").into()),
    }
}

impl Fault {
    /// Tells what the value is mapped from.
    fn name_source(&mut self, shape: &Shape) {
        let key = self.path.strip_prefix("$.").unwrap_or_default();
        if let Some(source) = shape.source_of(key).filter(|source| *source != key) {
            self.msg += &format!(" (mapped from {source:?})");
        }
    }
}

impl Refused {
    fn new(text: &[u8], refusal: &Refusal, place: impl Fn(usize) -> Place) -> Self {
        let fault = |problem: &Problem| Fault {
            place: place(problem.offset().unwrap_or(0)),
            code: problem.code().as_str(),
            path: problem.path().to_owned(),
            msg: message(problem),
            value: problem.value().map(str::to_owned),
            accepted: problem.accepted().cloned(),
        };
        Self { id: id(text), faults: refusal.problems().iter().map(fault).collect() }
    }

    /// One line a fault, for people: `FILE:LINE:COLUMN: path: code: what; found …; accepted …`.
    #[must_use]
    pub fn lines(&self, file: &Path) -> Vec<String> {
        let file = file.display();
        let line = |fault: &Fault| {
            let Fault { place: Place { line, column }, code, path, msg, value, accepted } = fault;
            let told = told(path, code, msg, value.as_deref(), accepted.as_ref());
            let id = self.id.as_ref().map(|id| format!("; _id {id:?}")).unwrap_or_default();
            plain(&format!("{file}:{line}:{column}: {told}{id}"))
        };
        self.faults.iter().map(line).collect()
    }

    /// One JSON object a fault: `file`, `line`, `column`, `_id` where there is one, `code`, `path`,
    /// `msg`, `value` where there is one, and `accepted`.
    #[must_use]
    pub fn json_lines(&self, file: &Path) -> Vec<String> {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let file = text(&file.to_string_lossy());
        let id = self.id.as_deref().map(|id| format!(",\"_id\":{}", text(id)));
        let id = id.unwrap_or_default();
        let line = |fault: &Fault| {
            let Place { line, column } = fault.place;
            let mut json = format!("{{\"file\":{file},\"line\":{line},\"column\":{column}{id}");
            let told = [("code", fault.code), ("path", &fault.path), ("msg", &fault.msg)];
            for (name, value) in told {
                let _ = write!(json, ",\"{name}\":{}", text(value));
            }
            if let Some(value) = &fault.value {
                // White space between values may be newlines; in texts there are none.
                let _ = write!(json, ",\"value\":{}", value.replace(['\n', '\r', '\t'], " "));
            }
            if let Some(accepted) = &fault.accepted {
                let _ = write!(json, ",\"accepted\":{}", accepted.to_json());
            }
            json + "}"
        };
        self.faults.iter().map(line).collect()
    }
}

/// A problem in one line for people, without what a terminal obeys: `path: code: what; found …;
/// accepted: …`.
#[must_use]
pub fn describe(problem: &Problem) -> String {
    plain(&problem.to_string())
}

/// What is wrong in one line, as a [`Problem`] shows it.
#[must_use]
pub fn told(
    path: &str,
    code: &str,
    msg: &str,
    value: Option<&str>,
    accepted: Option<&Accepted>,
) -> String {
    let found = value.map(|value| format!("; found {value}")).unwrap_or_default();
    let accepted = accepted.map(|accepted| format!("; accepted: {accepted}")).unwrap_or_default();
    format!("{path}: {code}: {msg}{found}{accepted}")
}

/// What is wrong, without the place within the record: the file's own is told.
fn message(problem: &Problem) -> String {
    match problem.msg().split_once(": ") {
        Some((_, what)) if problem.code() == Code::InvalidJson => {
            format!("not strict JSON: {what}")
        }
        _ => problem.msg().to_owned(),
    }
}

/// The `_id` of a record, as far as it can be read.
fn id(text: &[u8]) -> Option<String> {
    serde_json::from_slice(text.get(member(text, "_id")?)?).ok().map(shown)
}

/// As much of an `_id` as is shown.
fn shown(mut id: String) -> String {
    let end = id.char_indices().nth(SHOWN).map_or(id.len(), |(end, _)| end);
    id.truncate(end);
    id
}

/// A text without what a terminal obeys: control characters, and those that turn its direction.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_obeyed(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_digits_are_told_from_milliseconds() {
        for own in [20_250_529, 202_505_290_000, 202_505_292_359, 20_250_529_235_959] {
            assert!(is_calendar(own), "{own}");
        }
        // No such month, day, hour, minute or year; what milliseconds are today; seconds.
        for other in [
            20_251_329,
            20_250_532,
            202_505_292_400,
            202_505_290_060,
            20_250_529_000_060,
            10_000_101,
            1_748_491_380_000,
            1_748_491_380,
            -20_250_529,
            i64::MAX,
        ] {
            assert!(!is_calendar(other), "{other}");
        }
    }
}
