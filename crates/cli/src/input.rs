//! Files of cases: opened, decompressed, and cut into the texts of single cases.
//!
//! A file is NDJSON, read a block at a time; or else one text, an array of cases, a response
//! (`{"results":[…]}`) or cases one after the other over many lines, which is read whole.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;

use crate::form;

/// How much of an NDJSON file is read at a time.
const BLOCK: usize = 4 << 20;

/// Some texts of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    bytes: Vec<u8>,
    /// Where each text stands in the bytes, and on which line of the file it starts, from 1.
    texts: Vec<(u64, Range<usize>)>,
}

impl Block {
    /// One text, on no line of a file.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut block = Self::default();
        block.push(text);
        block
    }

    /// Adds a text that is on no line of a file.
    pub(crate) fn push(&mut self, text: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.texts.push((0, start..self.bytes.len()));
    }

    /// How many bytes it has.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The line and the bytes of each text.
    pub(crate) fn texts(&self) -> Vec<(u64, &[u8])> {
        self.texts.iter().map(|(line, range)| (*line, &self.bytes[range.clone()])).collect()
    }
}

/// Opens a file, or the standard input for `-`, and takes off what it is compressed with. The bar
/// runs with the bytes read.
pub(crate) fn open(path: &Path, bar: &ProgressBar) -> anyhow::Result<Box<dyn Read + Send>> {
    let raw: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        bar.inc_length(file.metadata().map_or(0, |metadata| metadata.len()));
        Box::new(file)
    };
    let raw = BufReader::with_capacity(1 << 20, bar.wrap_read(raw));
    form::unpacked(raw).with_context(|| unreadable(path))
}

fn unreadable(path: &Path) -> String {
    format!("cannot read {}", path.display())
}

/// Reads a file and hands its texts on, a block at a time, until `each` says to stop.
pub(crate) fn read(
    path: &Path,
    bar: &ProgressBar,
    each: impl FnMut(Block) -> bool,
) -> anyhow::Result<()> {
    let mut input = open(path, bar)?;
    blocks(&mut *input, each).with_context(|| unreadable(path))
}

fn blocks(input: &mut dyn Read, mut each: impl FnMut(Block) -> bool) -> io::Result<()> {
    let mut bytes = Vec::new();
    fill(input, &mut bytes, BLOCK)?;
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    if !is_lines(&bytes) {
        input.read_to_end(&mut bytes)?;
        let texts = split_whole(&bytes);
        each(Block { bytes, texts });
        return Ok(());
    }
    let (mut line, mut length) = (1, bytes.len() + BLOCK);
    loop {
        let ended = fill(input, &mut bytes, length)?;
        let newline = memchr::memrchr(b'\n', &bytes).map(|at| at + 1);
        let end = match newline {
            _ if ended => bytes.len(),
            Some(end) => end,
            // A line longer than a block: read on, twice as far each time, until it ends.
            None => {
                length = 2 * bytes.len();
                continue;
            }
        };
        let rest = bytes.split_off(end);
        let texts = split_lines(&bytes, &mut line);
        if !each(Block { bytes, texts }) || ended {
            return Ok(());
        }
        bytes = rest;
        length = BLOCK.max(2 * bytes.len());
    }
}

/// Reads until there are `length` bytes, which are more than there are; says whether the input has
/// ended.
fn fill(input: &mut dyn Read, bytes: &mut Vec<u8>, length: usize) -> io::Result<bool> {
    debug_assert!(length > bytes.len(), "nothing read would tell nothing of the end");
    let missing = length.saturating_sub(bytes.len()) as u64;
    let read = input.take(missing).read_to_end(bytes)?;
    Ok((read as u64) < missing)
}

/// Whether a file that starts so has one case a line: its first line is a whole value and not all
/// there is, or it is torn. A value goes on in the next line behind a bracket, a comma or a colon.
fn is_lines(start: &[u8]) -> bool {
    let first = skip_space(start, 0);
    if start.get(first) != Some(&b'{') {
        return start.get(first) != Some(&b'[');
    }
    let line_end = start[first..].iter().position(|byte| *byte == b'\n').map(|at| first + at);
    let next = line_end.map(|end| skip_space(start, end)).filter(|next| *next < start.len());
    let (Some(line_end), Some(next)) = (line_end, next) else { return false };
    if value_end(start, first).is_some_and(|end| end <= line_end) {
        return true;
    }
    match start[first..line_end].trim_ascii_end().last() {
        Some(b'[') => false,
        Some(b'{' | b',' | b':') => start[next] == b'{',
        _ => true,
    }
}

fn split_lines(bytes: &[u8], line: &mut u64) -> Vec<(u64, Range<usize>)> {
    let (mut texts, mut start) = (Vec::new(), 0);
    while start < bytes.len() {
        let newline = memchr::memchr(b'\n', &bytes[start..]);
        let range = start..newline.map_or(bytes.len(), |length| start + length + 1);
        start = range.end;
        if bytes[range.clone()].starts_with(b"{\"results\":[") {
            // A response, as they are printed one a line.
            let mut cases = Vec::new();
            match results(bytes, range.start, range.end) {
                Some((from, to)) => elements(bytes, from, to, &mut cases),
                None => cases.push(range),
            }
            texts.extend(cases.into_iter().map(|range| (*line, range)));
        } else if !bytes[range.clone()].iter().all(|byte| is_space(*byte)) {
            texts.push((*line, range));
        }
        *line += u64::from(newline.is_some());
    }
    texts
}

/// The texts of the cases in a text of arrays, responses and cases. What cannot be cut is one text,
/// for the strict reader to refuse.
fn split_whole(bytes: &[u8]) -> Vec<(u64, Range<usize>)> {
    let mut ranges = Vec::new();
    let mut at = skip_space(bytes, 0);
    while at < bytes.len() {
        let Some(end) = value_end(bytes, at) else {
            if bytes[at] == b'[' {
                elements(bytes, at, bytes.len(), &mut ranges);
            } else {
                ranges.push(at..bytes.len());
            }
            break;
        };
        match bytes[at] {
            b'[' => elements(bytes, at, end, &mut ranges),
            _ => match results(bytes, at, end) {
                Some((start, end)) => elements(bytes, start, end, &mut ranges),
                None => ranges.push(at..end),
            },
        }
        at = skip_space(bytes, end);
    }
    let (mut line, mut from) = (1, 0);
    let number = |range: Range<usize>| {
        line += bytes[from..range.start].iter().filter(|byte| **byte == b'\n').count() as u64;
        from = range.start;
        (line, range)
    };
    ranges.into_iter().map(number).collect()
}

/// The elements of the array that starts at `at` and ends before `end`.
fn elements(bytes: &[u8], at: usize, end: usize, ranges: &mut Vec<Range<usize>>) {
    let mut at = skip_space(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return;
    }
    loop {
        let Some(after) = value_end(bytes, at).filter(|after| *after <= end) else {
            ranges.push(at..end);
            return;
        };
        let next = skip_space(bytes, after);
        match bytes.get(next) {
            Some(b',') => ranges.push(at..after),
            Some(b']') => {
                ranges.push(at..after);
                return;
            }
            // The file ends within the array: an empty text, which is no case, tells of it.
            None => {
                ranges.extend([at..after, end..end]);
                return;
            }
            // A comma is missing; nothing is lost by it.
            Some(b'{') => {
                ranges.push(at..after);
                at = next;
                continue;
            }
            Some(_) => {
                ranges.push(at..end);
                return;
            }
        }
        at = skip_space(bytes, next + 1);
    }
}

/// The array `results` of an object that has one and no `_id`: where it starts and ends.
fn results(bytes: &[u8], at: usize, end: usize) -> Option<(usize, usize)> {
    let (mut at, mut found) = (skip_space(bytes, at + 1), None);
    while at < end && bytes[at] == b'"' {
        let key_end = value_end(bytes, at)?;
        let colon = skip_space(bytes, key_end);
        let value = skip_space(bytes, colon + 1);
        let after = value_end(bytes, value)?;
        match &bytes[at..key_end] {
            b"\"_id\"" => return None,
            b"\"results\"" if bytes[value] == b'[' => found = Some((value, after)),
            _ => {}
        }
        at = skip_space(bytes, after);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
    }
    found
}

/// Where the value that starts at `at` ends, judged by its brackets and quotes only.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut at) = (0usize, at);
    loop {
        match *bytes.get(at)? {
            b'"' => at = text_end(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' if depth == 0 => return None,
            byte if depth > 0 || is_space(byte) => at += 1,
            _ => {
                let rest = &bytes[at..];
                let ends = |byte: &u8| is_space(*byte) || matches!(byte, b',' | b']' | b'}');
                return Some(at + rest.iter().position(ends).unwrap_or(rest.len()));
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    at + bytes[at.min(bytes.len())..].iter().take_while(|byte| is_space(**byte)).count()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Vec<(u64, &str)> {
        split_whole(text.as_bytes()).into_iter().map(|(line, range)| (line, &text[range])).collect()
    }

    #[test]
    fn cuts_arrays_responses_and_cases() {
        assert_eq!(whole("[\n{\"a\":[1]} ,\n 2]"), [(2, "{\"a\":[1]}"), (3, "2")]);
        assert_eq!(
            whole("{\"results\":[{\"_id\":\"}\\\"\"}],\"page\":1}"),
            [(1, "{\"_id\":\"}\\\"\"}")]
        );
        assert_eq!(whole("{\n\"_id\":1}\n{\"b\":2}"), [(1, "{\n\"_id\":1}"), (3, "{\"b\":2}")]);
        assert_eq!(
            whole("{\"_id\":\"1\",\"results\":[]}"),
            [(1, "{\"_id\":\"1\",\"results\":[]}")]
        );
        assert_eq!(whole(" [ ] "), []);
    }

    #[test]
    fn responses_may_stand_one_a_line() {
        let text = b"{\"results\":[{\"_id\":\"1\"},{\"_id\":\"2\"}],\"page\":1}\n\
            {\"results\":[{\"_id\":\n{}";
        let texts = split_lines(text, &mut 1);
        let texts: Vec<_> = texts.into_iter().map(|(line, range)| (line, &text[range])).collect();
        let torn = &b"{\"results\":[{\"_id\":\n"[..];
        assert_eq!(
            texts,
            [(1, &b"{\"_id\":\"1\"}"[..]), (1, b"{\"_id\":\"2\"}"), (2, torn), (3, b"{}")]
        );
        assert_eq!(whole("[{\"a\":1} {\"b\":2}]"), [(1, "{\"a\":1}"), (1, "{\"b\":2}")]);
    }

    #[test]
    fn what_cannot_be_cut_is_left_to_the_reader() {
        assert_eq!(whole("[{\"a\":1},\n{\"b\":"), [(1, "{\"a\":1}"), (2, "{\"b\":")]);
        assert_eq!(whole("[1 2]"), [(1, "1 2]")]);
        assert_eq!(whole("[1,\n2"), [(1, "1"), (2, "2"), (2, "")]);
        assert_eq!(whole("[1,\n2,"), [(1, "1"), (2, "2"), (2, "")]);
        assert_eq!(whole("{\"a\":"), [(1, "{\"a\":")]);
    }

    /// Lines of any length end where they end: the last one needs no newline.
    #[test]
    fn reads_lines_of_any_length() {
        for length in [1, BLOCK - 9, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK / 2] {
            for end in ["", "\n", "\r\n"] {
                for first in ["{}\n", ""] {
                    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(length));
                    let text = format!("{first}{long}\n{{}}\n{long}{end}");
                    let mut lines = Vec::new();
                    let each = |block: Block| {
                        let texts = block.texts();
                        lines.extend(texts.iter().map(|(line, t)| (*line, t.trim_ascii().len())));
                        true
                    };
                    blocks(&mut text.as_bytes(), each).unwrap();
                    let lengths = [long.len(), 2, long.len()];
                    let known = (!first.is_empty()).then_some(2).into_iter().chain(lengths);
                    assert!(lines.into_iter().eq((1..).zip(known)), "{length} {first:?} {end:?}");
                }
            }
        }
    }

    #[test]
    fn tells_lines_from_one_text() {
        for lines in [
            "{\"a\":1}\n{\"b\":2}",
            "{\"a\":\n{\"b\":2}\n",
            "rubbish\n{}",
            "{}\r\n\r\n{}",
            "{\"a\":1,\"b\n2025 restarted\n{}",
            "{\"a\":tru\n\"x\"\n",
        ] {
            assert!(is_lines(lines.as_bytes()), "{lines:?}");
        }
        for whole in [
            "[{}]",
            "{\n  \"a\": 1\n}",
            "{\"a\":1}\n",
            "{\"results\":[]}",
            " \n[\n",
            "{\"results\":[\n{\"a\":1},\n{\"b\":2}]}",
            "{\"a\":1,\n\"b\":2}",
        ] {
            assert!(!is_lines(whole.as_bytes()), "{whole:?}");
        }
    }
}
