//! Refused records, told with the places of the file: one line for people, one object for machines,
//! each of bounded length.

use std::fmt::Write as _;
use std::path::Path;

use getcases::{Accepted, Case, Code, Problem, Refusal};

use crate::block::Record;
use crate::scan::member;
use crate::window::{LONGEST, Place};

/// How many characters of an `_id` are shown.
const SHOWN: usize = 128;

/// One thing that is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the file; the record's own place where what is wrong is missing.
    pub place: Place,
    /// A code of the library's, or of this crate's own.
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
        Case::from_json(text).map_err(|refusal| Refused::new(self.place, text, &refusal))
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

impl Refused {
    fn new(place: Place, text: &[u8], refusal: &Refusal) -> Self {
        let fault = |problem: &Problem| Fault {
            place: place.after(text.get(..problem.offset.unwrap_or(0)).unwrap_or_default()),
            code: problem.code.as_str(),
            path: problem.path.clone(),
            msg: message(problem),
            value: problem.value.clone(),
            accepted: problem.accepted.clone(),
        };
        Self { id: id(text), faults: refusal.problems().iter().map(fault).collect() }
    }

    /// One line a fault, for people: `FILE:LINE:COLUMN: path: code: what; found …; accepted …`.
    #[must_use]
    pub fn lines(&self, file: &Path) -> Vec<String> {
        let file = file.display();
        let line = |fault: &Fault| {
            let Fault { place: Place { line, column }, code, path, msg, .. } = fault;
            let mut text = format!("{file}:{line}:{column}: {path}: {code}: {msg}");
            // Writing into memory never fails.
            if let Some(value) = &fault.value {
                let _ = write!(text, "; found {value}");
            }
            match &fault.accepted {
                Some(Accepted::Phrase(phrase)) => _ = write!(text, "; accepted: {phrase}"),
                Some(Accepted::OneOf(list)) => _ = write!(text, "; accepted: {}", list.join(", ")),
                None => {}
            }
            if let Some(id) = &self.id {
                let _ = write!(text, "; _id {id:?}");
            }
            plain(&text)
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
            let accepted = match &fault.accepted {
                Some(Accepted::Phrase(phrase)) => Some(text(phrase)),
                Some(Accepted::OneOf(list)) => Some(serde_json::Value::from(&**list).to_string()),
                None => None,
            };
            if let Some(accepted) = accepted {
                let _ = write!(json, ",\"accepted\":{accepted}");
            }
            json + "}"
        };
        self.faults.iter().map(line).collect()
    }
}

/// What is wrong, without the place within the record: the file's own is told.
fn message(problem: &Problem) -> String {
    match problem.msg.split_once(": ") {
        Some((_, what)) if problem.code == Code::InvalidJson => format!("not strict JSON: {what}"),
        _ => problem.msg.clone(),
    }
}

/// The `_id` of a record, as far as it can be read.
fn id(text: &[u8]) -> Option<String> {
    let id: String = serde_json::from_slice(text.get(member(text, "_id")?)?).ok()?;
    let shown = id.char_indices().nth(SHOWN).map_or(id.len(), |(end, _)| end);
    id.get(..shown).map(str::to_owned)
}

/// A text without what a terminal obeys: control characters, and those that turn its direction.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_obeyed(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
