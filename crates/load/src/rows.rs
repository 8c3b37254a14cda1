//! Tables (CSV): a header, rows cut as records, and rows made documents.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};

use csv_core::{ReadFieldResult, ReadRecordResult, Reader, ReaderBuilder};

use crate::Error;
use crate::cut::Sink;
use crate::mapping::{Mapping, Source, Target, nearest};
use crate::scan::Ended;
use crate::shape::{Document, Found, quoted, seconds};
use crate::window::{LONGEST, Window};

/// What may stand between the cells of a row: what makes most columns of the header does.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What a sheet may write before its header, with the delimiter and a line end behind it.
const SEP: &[u8] = b"sep=";
/// What a table is to be, and how one of the usual others becomes that.
pub(crate) const UTF_8: &str = "UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE";
/// How long a header may be.
const HEADER: usize = 256 << 10;
/// How many columns are shown of those that there are.
const SHOWN: usize = 40;
/// How many characters are shown of a column's name.
const LETTERS: usize = 40;

/// The columns of a table, and what they are in a case.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    delimiter: u8,
    columns: Vec<String>,
    targets: Vec<(Target, Source, usize)>,
    /// The columns that stay under their own names, and where each of the name is.
    others: Vec<(String, Vec<usize>)>,
}

/// Why a row is none of its table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// So many cells.
    Ragged(usize),
    /// A quote that opens in it closes at no end of a cell.
    Open,
    /// Bytes that are no UTF-8, from here on; or a zero byte.
    NoText(usize),
}

/// Whether a text begins with a header: names with commas, semicolons, tabs or bars between them;
/// or with a line that names the delimiter.
pub(crate) fn is_table(start: &[u8]) -> bool {
    if named_delimiter(start).is_some() {
        return true;
    }
    let Some((_, cells)) = header_cells(start, &DELIMITERS) else { return false };
    let is_name = |name: &String| {
        let first = name.trim().chars().next();
        first.is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '#'))
            && !name.contains(|c: char| c.is_control() || matches!(c, '{' | '}' | '[' | ']' | '"'))
    };
    // Sheets leave empty cells at the end of each row.
    let empty = cells.iter().rev().take_while(|cell| cell.trim().is_empty()).count();
    let named = cells.get(..cells.len() - empty).unwrap_or_default();
    named.len() > 1 && named.iter().all(is_name)
}

thread_local! {
    /// A reader for each delimiter: making one costs more than reading many rows, and clones of
    /// them do not read.
    static READERS: [RefCell<Reader>; DELIMITERS.len()] = DELIMITERS
        .map(|delimiter| RefCell::new(ReaderBuilder::new().delimiter(delimiter).build()));
}

/// Reads from the start of a row.
fn with_reader<T>(delimiter: u8, read: impl FnOnce(&mut Reader) -> T) -> T {
    let at = DELIMITERS.iter().position(|own| *own == delimiter).unwrap_or(0);
    READERS.with(|readers| {
        let mut reader = readers[at].borrow_mut();
        reader.reset();
        read(&mut reader)
    })
}

/// The delimiter that a first line `sep=;` names.
fn named_delimiter(start: &[u8]) -> Option<u8> {
    let (delimiter, behind) = start.strip_prefix(SEP)?.split_first()?;
    let is_line = matches!(behind.first(), Some(b'\r' | b'\n'));
    DELIMITERS.contains(delimiter).then_some(*delimiter).filter(|_| is_line)
}

/// The delimiter, one of some, and the cells of the first row, as far as it is shown.
fn header_cells(start: &[u8], delimiters: &[u8]) -> Option<(u8, Vec<String>)> {
    let cells = |delimiter: &u8| Some((*delimiter, cells(start, *delimiter).ok()?));
    // Of several the first.
    delimiters.iter().filter_map(cells).rev().max_by_key(|(_, cells)| cells.len())
}

/// The cells of the first row of a text.
fn cells(text: &[u8], delimiter: u8) -> Result<Vec<String>, Wrong> {
    let (mut cells, mut bytes, mut ends) =
        (Vec::new(), vec![0; text.len() + 2], vec![0; text.len() + 2]);
    let count = with_reader(delimiter, |reader| {
        let (result, _, length, count) = reader.read_record(text, &mut bytes, &mut ends);
        if result != ReadRecordResult::InputEmpty {
            return Some(count);
        }
        // A newline ends the row, but within quotes it is a part of the cell.
        let (result, _, _, more) =
            reader.read_record(b"\n", &mut bytes[length..], &mut ends[count..]);
        (result == ReadRecordResult::Record).then_some(count + more)
    });
    let count = count.ok_or(Wrong::Open)?;
    let mut start = 0;
    for end in ends.into_iter().take(count) {
        let cell = std::str::from_utf8(&bytes[start..end]);
        cells.push(cell.map_err(|_| no_text(text))?.to_owned());
        start = end;
    }
    Ok(cells)
}

/// Whether a quoted cell of a row spans lines and has more behind its quote than an end of a cell:
/// the quote was left open in its own line, and the one that closes it opens a cell of a later row.
fn has_open_quote(row: &[u8], delimiter: u8) -> bool {
    if memchr::memchr(b'\n', row).is_none() {
        return false;
    }
    let mut rest = row;
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let (cell, behind) = quoted.split_at(closing_quote(quoted));
            rest = behind.strip_prefix(b"\"").unwrap_or(behind);
            let is_end = rest.first().is_none_or(|b| *b == delimiter || matches!(b, b'\r' | b'\n'));
            if !is_end && memchr::memchr(b'\n', cell).is_some() {
                return true;
            }
        }
        let Some(end) = memchr::memchr(delimiter, rest) else { return false };
        rest = &rest[end + 1..];
    }
}

/// Where a quoted text closes: two quotes are one of its own.
fn closing_quote(quoted: &[u8]) -> usize {
    let mut quotes = memchr::memchr_iter(b'"', quoted);
    while let Some(at) = quotes.next() {
        if quoted.get(at + 1) != Some(&b'"') {
            return at;
        }
        quotes.next();
    }
    quoted.len()
}

fn no_text(text: &[u8]) -> Wrong {
    Wrong::NoText(std::str::from_utf8(text).err().map_or(0, |error| error.valid_up_to()))
}

/// Where a cell of a row begins. Cost: the cells before it.
fn cell_start(row: &[u8], delimiter: u8, cell: usize) -> usize {
    let (mut at, mut into) = (0, [0; 1 << 10]);
    with_reader(delimiter, |reader| {
        for _ in 0..cell {
            let mut is_within = true;
            while is_within {
                let rest = row.get(at..).unwrap_or_default();
                let (result, read, _) = reader.read_field(rest, &mut into);
                at += read;
                is_within = result == ReadFieldResult::OutputFull;
            }
        }
    });
    at
}

impl Header {
    /// The header that a text begins with.
    ///
    /// # Errors
    /// `Error::Content` where it cannot be read, or has two columns for one value; `Error::Usage`
    /// where no column is the `_id`, and where one that is mapped is none of the header's.
    fn read(start: &[u8], delimiters: &[u8], mapping: &Mapping) -> Result<Self, Error> {
        let Some((delimiter, cells)) = header_cells(start, delimiters) else {
            let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
            return Err(Error::Content(match std::str::from_utf8(first) {
                Ok(_) => "its header has an open quote".to_owned(),
                Err(_) => format!("its header is no {UTF_8}"),
            }));
        };
        let columns = cells.iter().enumerate().map(|(at, cell)| match cell.trim() {
            "" => format!("column_{}", at + 1),
            name => name.to_owned(),
        });
        let columns: Vec<_> = columns.collect();
        let mut targets = Vec::new();
        for (target, source) in &mapping.sources {
            let at =
                column(&columns, &source.text).ok_or_else(|| missing(&source.text, &columns))?;
            source.met.note();
            targets.push((*target, source.clone(), at));
        }
        // A column that is named as a target is that, unless another one is mapped to it.
        for (at, name) in columns.iter().enumerate() {
            let target = Target::named(name);
            let is_mapped = |target: &Target| mapping.sources.iter().any(|(own, _)| own == target);
            if target.as_ref().is_some_and(|own| !is_mapped(own)) && columns[..at].contains(name) {
                return Err(Error::Content(format!(
                    "two columns are named {name:?}, and a case has one of it: name one of them \
                     otherwise; {}",
                    listed(&columns)
                )));
            }
            let is_free = |target: &Target| targets.iter().all(|(own, ..)| own != target);
            if let Some(target) = target.filter(is_free) {
                let source = Source::of(name.clone(), false);
                targets.push((target, source, at));
            }
        }
        if !targets.iter().any(|(target, ..)| *target == Target::Id) {
            return Err(Error::Usage(format!(
                "it is CSV without a column _id; say which one that is: --map '_id=COLUMN'; {}",
                listed(&columns)
            )));
        }
        let is_taken = |at: usize, name: &str| {
            targets.iter().any(|(target, _, own)| *own == at || target.key() == name)
        };
        let mut others: Vec<(String, Vec<usize>)> = Vec::new();
        let mut known = HashMap::new();
        for (at, name) in columns.iter().enumerate().filter(|(at, name)| !is_taken(*at, name)) {
            let own = *known.entry(name.as_str()).or_insert(others.len());
            if own == others.len() {
                others.push((name.clone(), Vec::new()));
            }
            others[own].1.push(at);
        }
        Ok(Self { delimiter, columns, targets, others })
    }

    pub(crate) fn source_of(&self, is_asked: impl Fn(Target) -> bool) -> Option<&str> {
        let own = self.targets.iter().find(|(target, ..)| is_asked(*target));
        own.map(|(_, source, _)| &*source.text)
    }

    /// How many cells a row has.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Makes a document of a row.
    pub(crate) fn document(&self, row: &[u8]) -> Result<Document, Wrong> {
        if has_open_quote(row, self.delimiter) {
            return Err(Wrong::Open);
        }
        if let Some(at) = memchr::memchr(0, row) {
            return Err(Wrong::NoText(at));
        }
        let cells = cells(row, self.delimiter)?;
        if cells.len() != self.columns.len() {
            return Err(Wrong::Ragged(cells.len()));
        }
        // The places of cells are looked for only where one is asked for: here they are numbers.
        let place = |at: usize| at..at + 1;
        let found = self
            .targets
            .iter()
            .map(|(target, source, at)| (*target, value(*target, source, &cells[*at]), place(*at)));
        let mut document = Document::default();
        document.targets(&found.collect::<Vec<Found<'_>>>());
        for (name, places) in &self.others {
            let texts = places.iter().map(|at| quoted(&cells[*at]));
            let json = match places.len() {
                1 => texts.collect(),
                // Columns of one name are a list of what is in them.
                _ => format!(
                    "[{}]",
                    texts.filter(|text| text != "\"\"").collect::<Vec<_>>().join(",")
                ),
            };
            document.member(name, &json, place(places.first().copied().unwrap_or(0)));
        }
        document.close();
        Ok(document)
    }

    /// The `_id` of a row that is none, as far as it can be read.
    pub(crate) fn id(&self, row: &[u8]) -> Option<String> {
        let (_, _, at) = self.targets.iter().find(|(target, ..)| *target == Target::Id)?;
        let row = row.get(cell_start(row, self.delimiter, *at)..)?;
        let line = row.split(|byte| *byte == b'\n').next()?;
        let cells = cells(String::from_utf8_lossy(line).as_bytes(), self.delimiter);
        cells.ok()?.into_iter().next().filter(|cell| !cell.is_empty())
    }

    /// Where in a row the cell stands that a place of its document is made of.
    pub(crate) fn origin(&self, row: &[u8], document: &Document, offset: usize) -> usize {
        cell_start(row, self.delimiter, document.origin(offset))
    }
}

/// The JSON text of a cell; digits are a number where a date is asked.
fn value<'c>(target: Target, source: &Source, cell: &str) -> Cow<'c, str> {
    let own = cell.trim();
    let is_number = target.is_date() && own.parse::<i64>().is_ok();
    Cow::Owned(match seconds(own).filter(|_| source.is_seconds) {
        Some(millis) => millis,
        None if is_number => own.to_owned(),
        None => quoted(cell),
    })
}

/// Which column a source is: its name, or that behind a dot, in any letter case.
fn column(columns: &[String], source: &str) -> Option<usize> {
    let names = [Some(source), source.strip_prefix('.')];
    let mut names = names.into_iter().flatten();
    let is_alike = |name: &str, own: &String| own.to_lowercase() == name.to_lowercase();
    names
        .clone()
        .find_map(|name| columns.iter().position(|own| own == name))
        .or_else(|| names.find_map(|name| columns.iter().position(|own| is_alike(name, own))))
}

fn missing(source: &str, columns: &[String]) -> Error {
    let near = nearest(source, columns.iter().map(|own| &**own));
    let meant = near.map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default();
    Error::Usage(format!("no column is named {source:?}{meant}; {}", listed(columns)))
}

fn listed(columns: &[String]) -> String {
    let more = match columns.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let start = |name: &String| name.chars().take(LETTERS).collect::<String>();
    let shown: Vec<_> =
        columns.iter().take(SHOWN).map(|name| format!("{:?}", start(name))).collect();
    format!("its columns are {}{more}", shown.join(", "))
}

/// Reads the header, and goes past it.
pub(crate) fn header<R: Read>(window: &mut Window<R>, mapping: &Mapping) -> Result<Header, Error> {
    let named = named_delimiter(window.look(SEP.len() + 2)?);
    if named.is_some() {
        window.pass(SEP.len() + 1);
    }
    skip_ends(window)?;
    window.begin();
    let delimiters = named.as_ref().map_or(&DELIMITERS[..], std::slice::from_ref);
    let header = Header::read(window.look(HEADER)?, delimiters, mapping)?;
    match with_reader(header.delimiter, |reader| pass_row(window, reader))? {
        Ended::Whole if window.passed() <= HEADER => Ok(header),
        _ => Err(Error::Content(format!("its header is no row of at most {HEADER} bytes"))),
    }
}

/// Cuts rows. Where a quote is open, only the first line is the row's, and what is behind it is
/// read again: no more in all than was read once, lest the time for a text of open quotes grow with
/// the square of its length.
pub(crate) fn cut<R: Read>(
    window: &mut Window<R>,
    header: &Header,
    sink: &mut Sink<'_>,
) -> io::Result<()> {
    // In bytes, and at first as many as a few open quotes take.
    let mut may_read_again = 4 * LONGEST;
    loop {
        skip_ends(window)?;
        let place = window.begin();
        if window.rest()?.is_empty() {
            return Ok(());
        }
        let ended = with_reader(header.delimiter, |reader| pass_row(window, reader))?;
        let row = without_end(window.since(0));
        let is_open = match ended {
            Ended::Whole => has_open_quote(row, header.delimiter),
            Ended::Full => memchr::memchr(b'\n', row).is_some(),
            Ended::Torn => true,
        };
        let length = row.len();
        let is_read_again = is_open && length <= may_read_again;
        if is_read_again {
            may_read_again -= length;
            window.back_to(0);
            pass_line(window)?;
        } else {
            may_read_again += length;
        }
        sink.push_raw(place, window.taken().map(without_end))?;
        // A row that is too long ends with a line.
        if ended == Ended::Full && !is_read_again {
            pass_line(window)?;
        }
    }
}

/// A row without the end of its line.
fn without_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// Goes past one row; it is torn where the text ends within quotes.
fn pass_row<R: Read>(window: &mut Window<R>, reader: &mut Reader) -> io::Result<Ended> {
    let (mut into, mut ends) = ([0; 1 << 10], [0; 64]);
    loop {
        if window.rest()?.is_empty() && window.is_full() {
            return Ok(Ended::Full);
        }
        let rest = window.rest()?;
        let is_end = rest.is_empty();
        // A newline ends the last row, but within quotes it is a part of the cell.
        let text = if is_end { b"\n" } else { rest };
        let (result, read, ..) = reader.read_record(text, &mut into, &mut ends);
        window.pass(if is_end { 0 } else { read });
        match result {
            ReadRecordResult::Record | ReadRecordResult::End => return Ok(Ended::Whole),
            ReadRecordResult::InputEmpty if is_end => return Ok(Ended::Torn),
            _ => {}
        }
    }
}

/// Goes past the ends of lines.
fn skip_ends<R: Read>(window: &mut Window<R>) -> io::Result<()> {
    loop {
        let rest = window.rest()?;
        let (ends, length) =
            (rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count(), rest.len());
        window.pass(ends);
        if window.is_full() {
            window.forget();
        } else if ends < length || length == 0 {
            return Ok(());
        }
    }
}

/// Goes to the end of a line.
fn pass_line<R: Read>(window: &mut Window<R>) -> io::Result<()> {
    loop {
        if window.is_full() {
            window.forget();
        }
        let rest = window.rest()?;
        let (newline, length) = (memchr::memchr(b'\n', rest), rest.len());
        window.pass(newline.unwrap_or(length));
        if newline.is_some() || length == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, read};

    /// The document of each row, or where it is refused and why.
    fn made(text: &str, map: &str) -> Result<Vec<String>, String> {
        let mapping = if map.is_empty() { Mapping::default() } else { map.parse().unwrap() };
        let options = Options { map: mapping, is_table: true, ..Options::default() };
        let mut made = Vec::new();
        let each = |block: crate::Block| {
            made.extend(block.records().iter().map(|record| match record.document() {
                Ok(document) => String::from_utf8(document.into_owned()).unwrap(),
                Err(refused) => {
                    let fault = &refused.faults[0];
                    format!("{}:{} {}", fault.place.line, fault.place.column, fault.code)
                }
            }));
            true
        };
        read(text.as_bytes(), &options, each).map_err(|error| error.to_string())?;
        Ok(made)
    }

    #[test]
    fn rows_are_documents() {
        let text = "\u{feff}_id,name,status,queue,Region\r\n\
            1,\"a \"\"b\"\",\nc\",Open, q 1,EU\r\n\r\n2,,,,\n3,x,y,z,w";
        let expected = [
            concat!(
                r#"{"_id":"1","name":"a \"b\",\nc","status":{"name":"Open"},"#,
                r#""queues":[{"name":" q 1"}],"Region":"EU"}"#
            ),
            r#"{"_id":"2","Region":""}"#,
            r#"{"_id":"3","name":"x","status":{"name":"y"},"queues":[{"name":"z"}],"Region":"w"}"#,
        ];
        assert_eq!(made(text, "").unwrap(), expected);
        for (delimiter, other) in [(";", ","), ("\t", " "), ("|", ";")] {
            let text = format!("_id{delimiter}name\n1{delimiter}a{other}b\n");
            assert_eq!(
                made(&text, "").unwrap(),
                [format!("{{\"_id\":\"1\",\"name\":\"a{other}b\"}}")]
            );
        }
        assert_eq!(made("_id\n1\n", "").unwrap(), ["{\"_id\":\"1\"}"]);
        assert_eq!(made("_id,name\n", "").unwrap(), [""; 0]);
    }

    #[test]
    fn columns_are_mapped() {
        let text = "Key,Labels,Opened,Labels,,Score\nA-1,x,1711111111,y,z,7\nA-2,,1.5,,,\n";
        let map = "_id=.key,createdAt=Opened * 1000,priorityScore=Score";
        let expected = [
            concat!(
                r#"{"_id":"A-1","priority":{"score":7},"createdAt":1711111111000,"#,
                r#""Labels":["x","y"],"column_5":"z"}"#
            ),
            r#"{"_id":"A-2","createdAt":1500,"Labels":[],"column_5":""}"#,
        ];
        assert_eq!(made(text, map).unwrap(), expected);
        let error = made(text, "").unwrap_err();
        assert!(error.contains("CSV without a column _id") && error.contains("\"Key\""), "{error}");
        // Of two columns for one value neither is passed over in silence.
        for header in ["_id,name,name", "_id,_id,name", "_id,createdAt,createdAt"] {
            let error = made(&format!("{header}\n1,2,3\n"), "").unwrap_err();
            assert!(error.starts_with("two columns are named"), "{error}");
        }
        let error = made(text, "_id=Kee").unwrap_err();
        assert!(error.contains("did you mean \"Key\"?"), "{error}");
    }

    #[test]
    fn wrong_rows_are_refused_where_they_stand() {
        let text = "_id,name\n1,a\n2\n\"3\",b\n4,a,b\n";
        assert_eq!(
            made(text, "").unwrap()[1..4].iter().filter(|row| row.ends_with("ragged_row")).count(),
            2
        );
        assert_eq!(made(text, "").unwrap()[1], "3:1 ragged_row");
        let long = format!(
            "_id,name\n1,{}\n2,b\n3,\"{}\n4,c\n",
            "x".repeat(2 << 20),
            "y\n".repeat(1 << 20)
        );
        let rows = made(&long, "").unwrap();
        assert_eq!(rows[..2], ["2:1 document_too_large", r#"{"_id":"2","name":"b"}"#]);
        assert_eq!(rows[2], "4:1 open_quote");
        assert_eq!(rows.last().unwrap(), r#"{"_id":"4","name":"c"}"#);
    }

    #[test]
    fn a_quote_that_never_closes_hides_no_row() {
        let rows = made("_id,name\n1,\"a\nb\"\n2,\"c\n3,d\n5,f", "").unwrap();
        let case = |id: &str, name: &str| format!("{{\"_id\":\"{id}\",\"name\":\"{name}\"}}");
        let (one, three, five) = (case("1", "a\\nb"), case("3", "d"), case("5", "f"));
        assert_eq!(rows, [one, "4:1 open_quote".to_owned(), three, five]);
        assert_eq!(made("_id,name\n1,\"a", "").unwrap(), ["2:1 open_quote"]);
        // What closes it opens a cell of another row, or stands in the middle of one.
        let rows = made("_id,name\n1,\"a\n2,b\n3,\"c \"\"d\"\"\n\"\n4,\"e\n5,a \"b\" c\n", "");
        let (two, three, five) =
            (case("2", "b"), case("3", "c \\\"d\\\"\\n"), case("5", "a \\\"b\\\" c"));
        let open = |line: u32| format!("{line}:1 open_quote");
        assert_eq!(rows.unwrap(), [open(2), two, three, open(6), five]);
        // Within one line it hides nothing.
        assert_eq!(made("_id,name\n1,\"a\" b\n", "").unwrap(), [case("1", "a b")]);
        assert!(made("_id,\"name\n1,a\n", "").is_err());
    }

    /// Each of its lines opens a quote, and would be read to the end of the longest row.
    #[test]
    fn a_text_of_open_quotes_takes_no_square_of_its_length() {
        let text = format!("_id,name\n{}", "a\"b,\"c\n".repeat(1 << 20));
        let rows = made(&text, "").unwrap();
        assert!(rows.iter().all(|row| row.ends_with("open_quote") || row.ends_with("too_large")));
        assert!(rows.len() < 100, "{}", rows.len());
    }

    #[test]
    fn a_row_that_is_no_case_is_told_with_its_id() {
        let mut told = Vec::new();
        let each = |block: crate::Block| {
            told.extend(block.records().iter().filter_map(|record| {
                let refused = record.read().err()?;
                Some((refused.id.unwrap_or_default(), refused.faults[0].msg.clone()))
            }));
            true
        };
        let text = b"name,_id\na,1,x\nb\xFF,\"2\"\nc,3\0\nd\n\"e\nf,4\n";
        read(&text[..], &Options::default(), each).unwrap();
        let open = "a quote opens in the row and closes at no end of a cell";
        let right = [
            ("1", "the row has 3 cells"),
            ("2", "bytes that are no UTF-8"),
            ("3\0", "a zero byte"),
            ("", "the row has 1 cells"),
            ("", open),
        ];
        let own: Vec<_> = told.iter().map(|(id, msg)| (&**id, &**msg)).collect();
        assert_eq!(own, right);
    }

    #[test]
    fn a_first_line_may_name_the_delimiter() {
        let rows = |text: &str| made(text, "").unwrap();
        let case = r#"{"_id":"1","a,b,c":"x"}"#;
        assert_eq!(rows("sep=;\r\n_id;a,b,c\r\n1;x\r\n"), [case]);
        assert_eq!(rows("\u{feff}sep=|\n_id|a,b,c\n1|x\n2\n"), [case, "4:1 ragged_row"]);
        assert!(is_table(b"sep=;\n_id\n1\n") && !is_table(b"sep=;") && !is_table(b"sep=x\n"));
    }

    #[test]
    fn a_header_is_read_whole_or_not_at_all() {
        let wide = |columns: usize| {
            let names: String = (0..columns).map(|at| format!(",c{at}")).collect();
            made(&format!("_id{names}\n1{}\n", ",x".repeat(columns)), "")
        };
        assert!(wide(20_000).unwrap()[0].ends_with("\"c19999\":\"x\"}"));
        assert!(wide(60_000).unwrap_err().contains("at most 262144 bytes"));
    }

    #[test]
    fn cells_have_places() {
        let row = "1,\"a\n,\"\"b\",é;c".as_bytes();
        let starts: Vec<_> = (0..3).map(|cell| cell_start(row, b',', cell)).collect();
        assert_eq!(starts, [0, 2, 11]);
        assert_eq!(cells(b"a,bc\xFF", b','), Err(Wrong::NoText(4)));
    }

    #[test]
    fn headers_are_told_from_other_texts() {
        for table in [
            "id,name,status\n1,one,open\n",
            "\"Issue key\";\"Summary\"\r\nA-1;late\n",
            "Äa\tb",
            "id,name,,\n1,a,,\n",
            "#|Title\n",
        ] {
            assert!(is_table(table.as_bytes()), "{table:?}");
        }
        for other in
            ["{\"a\":1,\"b\":2}\n{}", "[1,2]\n", "{}\n", "rubbish\n{}", "1,2\n3,4\n", "a,\n", ""]
        {
            assert!(!is_table(other.as_bytes()), "{other:?}");
        }
    }
}
