//! What a text is by its first bytes: a table or JSON, cut into records.

use std::io::Read;

use crate::Error;
use crate::block::Block;
use crate::cut::{self, Sink};
use crate::kind;
use crate::mapping::Mapping;
use crate::outline::Outline;
use crate::path::JsonPath;
use crate::rows;
use crate::shape::Shape;
use crate::window::Window;

/// How much of a text is looked at to tell what it is.
const LOOK: usize = 64 << 10;

/// What a text may begin with to say that it is UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How a text is to be read, where it is not as cases usually are.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where the records are in each value of the text, such as `.issues[]`.
    pub records: Option<JsonPath>,
    /// What their values are in a case.
    pub map: Mapping,
    /// Whether it is a table, as its name may tell, unless it begins as JSON does.
    pub is_table: bool,
}

/// Cuts a text into records and hands them on, a block at a time, until `each` says to stop. Holds
/// at most 8 MiB of the text, and the block that is handed on. Gives what the text begins with.
///
/// # Errors
/// Where reading fails; what was read before is handed on. Where the text is none that is read,
/// which is told by its name.
pub fn read(
    input: impl Read,
    options: &Options,
    mut each: impl FnMut(Block) -> bool,
) -> Result<Outline, Error> {
    let mut window = Window::new(input);
    if window.look(MARK.len())? == MARK {
        window.leave_out(MARK.len());
    }
    let start = window.look(LOOK)?;
    let (is_table, is_json) = (rows::is_table(start), is_json(start));
    kind::check_text(start, is_table || is_json)?;
    let may_be_table = options.is_table || !options.map.sources.is_empty();
    if is_table || may_be_table && !is_json {
        let header = rows::header(&mut window, &options.map)?;
        let mut sink = Sink::new(Shape::Row(header.clone()), &mut each);
        let read = rows::cut(&mut window, &header, &mut sink);
        sink.finish(read)?;
        return Ok(Outline::default());
    }
    let outline = Outline::of(start);
    let mut sink = Sink::new(Shape::of_json(&options.map)?, &mut each);
    let records = options.records.as_ref().or(options.map.records.as_ref());
    let read = cut::cut(&mut window, records.map(JsonPath::steps), &mut sink);
    match (sink.finish(read)?, records) {
        (Some(false), Some(path)) => Err(Error::Usage(format!("it has nothing at {path}"))),
        _ => Ok(outline),
    }
}

/// Whether a text begins as JSON does, or has nothing in it.
fn is_json(start: &[u8]) -> bool {
    matches!(start.trim_ascii_start().first(), Some(b'{' | b'[') | None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::{LONGEST, Place};

    /// The line, the column and the text of each record.
    fn cut(text: &str) -> Vec<(u64, u64, String)> {
        let mut records = Vec::new();
        let each = |block: Block| {
            records.extend(block.records().iter().map(|record| {
                let Place { line, column } = record.place;
                let text = record.text.map_or("too long".into(), String::from_utf8_lossy);
                (line, column, text.into_owned())
            }));
            true
        };
        read(text.as_bytes(), &Options::default(), each).unwrap();
        records
    }

    fn is_cut(text: &str, records: &[(u64, u64, &str)]) {
        let expected: Vec<_> =
            records.iter().map(|(l, c, text)| (*l, *c, (*text).into())).collect();
        assert_eq!(cut(text), expected, "{text:?}");
    }

    #[test]
    fn arrays_responses_and_cases() {
        is_cut("[\n{\"a\":[1]} ,\n 2]", &[(2, 1, "{\"a\":[1]}"), (3, 2, "2")]);
        is_cut(
            "{\"page\":1,\"results\":[{\"_id\":\"}\\\"\"}],\"next\":1}",
            &[(1, 22, "{\"_id\":\"}\\\"\"}")],
        );
        is_cut("{\n\"_id\":1}\n{\"b\":2}", &[(1, 1, "{\n\"_id\":1}"), (3, 1, "{\"b\":2}")]);
        let own = "{\"_id\":\"1\",\"results\":[]}";
        is_cut(own, &[(1, 1, own)]);
        let own = "{\"results\":[],\"_id\":\"1\"}";
        is_cut(own, &[(1, 1, own)]);
        is_cut(" [ ] ", &[]);
        is_cut("{\"results\":[]}", &[]);
        // A key that stands twice hides nothing.
        let twice = "{\"results\":[1],\"n\":0,\"results\":[2],\"results\":3}";
        is_cut(twice, &[(1, 13, "1"), (1, 33, "2")]);
        is_cut("\u{feff}[{}]", &[(1, 2, "{}")]);
    }

    #[test]
    fn lines_and_responses_one_a_line() {
        is_cut(
            "{\"a\":1}\n\n  {\"é\":2} \r\n{}",
            &[(1, 1, "{\"a\":1}"), (3, 3, "{\"é\":2}"), (4, 1, "{}")],
        );
        let torn = "{\"results\":[{\"_id\":\"1\"},{\"_id\":\"2\"}],\"page\":1}\n\
            {\"results\":[{\"_id\":\n{}";
        is_cut(
            torn,
            &[
                (1, 13, "{\"_id\":\"1\"}"),
                (1, 25, "{\"_id\":\"2\"}"),
                (2, 13, "{\"_id\":"),
                (3, 1, "{}"),
            ],
        );
    }

    #[test]
    fn what_cannot_be_cut_is_left_to_the_reader() {
        is_cut("[{\"a\":1},\n{\"b\":", &[(1, 2, "{\"a\":1}"), (2, 1, "{\"b\":")]);
        is_cut("[1 2]", &[(1, 2, "1"), (1, 4, "2]")]);
        is_cut("[1,\n2", &[(1, 2, "1"), (2, 1, "2"), (2, 2, "")]);
        is_cut("[1,\n2,", &[(1, 2, "1"), (2, 1, "2"), (2, 3, "")]);
        is_cut("[{\"a\":1} {\"b\":2}]", &[(1, 2, "{\"a\":1}"), (1, 10, "{\"b\":2}")]);
        is_cut("{\"a\":", &[(1, 1, "{\"a\":")]);
        is_cut("{\"results\":[{},{\"a", &[(1, 13, "{}"), (1, 16, "{\"a")]);
        is_cut("{\"results\":[1]", &[(1, 13, "1"), (1, 15, "")]);
        is_cut("]", &[(1, 1, "]")]);
    }

    /// As a torn write leaves them; where they stand decides nothing of the other records.
    #[test]
    fn zero_bytes_are_a_fault_of_their_record() {
        is_cut(
            "{\"a\":1}\n{\"b\":\0}\n\0\0\n{}",
            &[(1, 1, "{\"a\":1}"), (2, 1, "{\"b\":\0}"), (3, 1, "\0\0"), (4, 1, "{}")],
        );
        let padding = "{}\n".repeat(LOOK);
        let count = |text: &str| cut(text).len();
        assert_eq!(count(&format!("{padding}\0\n{{}}")), LOOK + 2);
        assert_eq!(count("[{},\0,{}]"), 3);
        assert_eq!(count("_id,name\n1,a\0b\n2,c\n"), 2);
    }

    #[test]
    fn lines_are_told_from_values() {
        for (lines, count) in [
            ("{\"a\":1}\n{\"b\":2}", 2),
            ("{\"a\":\n{\"b\":2}\n", 2),
            ("rubbish\n{}", 2),
            ("{}\r\n\r\n{}", 2),
            ("{\"a\":1,\"b\n2025 restarted\n{}", 3),
            ("{\"a\":tru\n\"x\"\n", 2),
        ] {
            assert_eq!(cut(lines).len(), count, "{lines:?}");
        }
        for (values, count) in [
            ("[{}]", 1),
            ("{\n  \"a\": 1\n}", 1),
            ("{\"a\":1}\n", 1),
            (" \n[\n", 1),
            ("{\"results\":[\n{\"a\":1},\n{\"b\":2}]}", 2),
            ("{\"a\":1,\n\"b\":2}", 1),
        ] {
            assert_eq!(cut(values).len(), count, "{values:?}");
        }
    }

    /// Records of any length end where they end; one that is too long for a case says so.
    #[test]
    fn records_of_any_length() {
        for length in [1, LONGEST - 8, LONGEST - 7, LONGEST + 5000, 3 * LONGEST, 9 * LONGEST / 2] {
            let long = format!("{{\"a\":\"{}\"}}", "x".repeat(length));
            let told = if long.len() > LONGEST { "too long" } else { &*long };
            for (text, line, column) in [
                (format!("{{}}\n{long}\n{{}}"), 2, 1),
                (format!("[{{}},{long}\n,{{}}]\n"), 1, 5),
                (format!("{{}}\n{{\"results\":[{long}]}}\n{{}}"), 2, 13),
                (format!("{{\"results\":[{{}},{long},\n{{}}]}}"), 1, 16),
                (format!("{{\n}}{long}{{}}"), 2, 2),
            ] {
                let records = cut(&text);
                assert_eq!(records.len(), 3, "{length}");
                let (own_line, own_column, own) = &records[1];
                assert_eq!((*own_line, *own_column), (line, column), "{length}");
                assert!(own == told, "{length}");
            }
        }
    }

    #[test]
    fn reading_stops_where_nobody_takes_more() {
        let mut count = 0;
        let lines = "{}\n".repeat(100_000);
        read(lines.as_bytes(), &Options::default(), |_| {
            count += 1;
            false
        })
        .unwrap();
        assert_eq!(count, 1);
    }
}
