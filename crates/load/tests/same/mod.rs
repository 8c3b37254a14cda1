//! A file read whole and in pieces, and held against itself. Shared with a fuzz target.

use std::io::{self, Read};
use std::path::Path;

use getcases_load::{Block, Options, Place, read};

/// What comes in pieces of some sizes, again and again.
pub(crate) struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    next: usize,
}

impl Pieces {
    pub(crate) fn new(bytes: Vec<u8>, sizes: &[usize]) -> Self {
        Self { bytes: io::Cursor::new(bytes), sizes: sizes.to_vec(), next: 0 }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.next % self.sizes.len()].max(1);
        self.next += 1;
        let length = into.len().min(size);
        self.bytes.read(&mut into[..length])
    }
}

/// One record, and what is read of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) place: Place,
    pub(crate) text: Option<String>,
    /// The document, or the lines that tell why there is none.
    pub(crate) read: Result<String, Vec<String>>,
}

/// What a text is read to be.
pub(crate) fn report(input: impl Read, options: &Options) -> Result<Vec<Told>, String> {
    let mut told = Vec::new();
    let each = |block: Block| {
        for record in block.records() {
            let case = record.read();
            let read = case.map(|case| case.document().to_owned()).map_err(|refused| {
                assert!(!refused.faults.is_empty(), "a refused record has a fault");
                let mut lines = refused.lines(Path::new("f"));
                lines.extend(refused.json_lines(Path::new("f")));
                for line in &lines {
                    assert!(line.chars().count() < 2000, "{line}");
                    assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line:?}");
                }
                lines
            });
            let text = record.text.map(|text| String::from_utf8_lossy(text).into_owned());
            told.push(Told { place: record.place, text, read });
        }
        true
    };
    read(input, options, each).map_err(|error| error.to_string())?;
    Ok(told)
}

/// Holds a text that is read whole against the same in pieces, and each record against the place of
/// the text where it is said to stand.
pub(crate) fn same_however_it_comes(text: &[u8], sizes: &[usize], options: &Options) {
    let whole = report(text, options);
    let pieces = report(Pieces::new(text.to_vec(), sizes), options);
    assert_eq!(whole, pieces);
    let mut last = Place::START;
    for told in whole.iter().flatten() {
        assert!((told.place.line, told.place.column) >= (last.line, last.column), "{told:?}");
        last = told.place;
        // Columns are characters, which other texts do not have.
        if std::str::from_utf8(text).is_err() {
            continue;
        }
        let rest = String::from_utf8_lossy(from(text, told.place)).into_owned();
        let own = told.text.as_deref().unwrap_or_default();
        assert!(rest.starts_with(own), "{told:?} is not at its place: {rest:?}");
    }
}

/// The bytes from a place on.
fn from(text: &[u8], place: Place) -> &[u8] {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let line = (1..place.line).try_fold(0, |start, _| {
        text[start..].iter().position(|byte| *byte == b'\n').map(|at| start + at + 1)
    });
    let line = line.unwrap();
    let starts = |(_, byte): &(usize, &u8)| **byte & 0xC0 != 0x80;
    let characters = text[line..].iter().enumerate().filter(starts).map(|(at, _)| line + at);
    let start = characters.chain([text.len()]).nth(place.column as usize - 1);
    &text[start.unwrap()..]
}
