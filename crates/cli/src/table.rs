//! Pages as tables, for people.

use std::collections::HashMap;

use comfy_table::{ContentArrangement, Table, presets};
use getcases::{Document, Page};
use serde_json::value::RawValue;

/// How many characters of a cell are shown.
const WIDTH: usize = 40;

/// The first rows of a page as a table, with a line below it that tells which page it is.
pub(crate) fn page(page: &Page, rows: usize) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["_id", "name", "status", "priority", "queue", "assignee", "created", "due"]);
    for document in page.results.iter().take(rows) {
        table.add_row(row(document));
    }
    let Page { page: number, total_pages, total_results, .. } = page;
    let cases = if *total_results == 1 { "case" } else { "cases" };
    let mut figures = format!("{total_results} {cases} in all");
    if page.limit > 0 {
        figures += &format!(", page {number} of {total_pages}");
    }
    if page.results.len() > rows {
        figures += &format!(", {rows} of {} rows shown", page.results.len());
    }
    if page.results.is_empty() { figures } else { format!("{table}\n{figures}") }
}

/// Members by their keys, each as it is spelled: a number may be one that no tree can hold.
type Members<'d> = HashMap<String, &'d RawValue>;

fn row(document: &Document) -> [String; 8] {
    let case: Members<'_> = serde_json::from_str(document.json()).unwrap_or_default();
    let member = |key: &str| case.get(key).map_or("", |value| value.get());
    let due = if member("ETA").starts_with('"') { "ETA" } else { "dueDate" };
    [
        document.id().to_owned(),
        text(member("name")),
        named(member("status")),
        named(member("priority")),
        first(member("queues")),
        named(member("currAssignee")),
        day(&text(member("createdAt"))),
        day(&text(member(due))),
    ]
    .map(|cell| cut(&cell))
}

/// A text, or a number as it is spelled; nothing for another kind.
fn text(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).unwrap_or_default(),
        Some(b'-' | b'0'..=b'9') => json.to_owned(),
        _ => String::new(),
    }
}

/// The name of an object, or a plain text that is one.
fn named(json: &str) -> String {
    if !json.starts_with('{') {
        return text(json);
    }
    let members: Members<'_> = serde_json::from_str(json).unwrap_or_default();
    members.get("name").map(|name| text(name.get())).unwrap_or_default()
}

/// The name of the first of a list, or of the one that stands for a list.
fn first(json: &str) -> String {
    if !json.starts_with('[') {
        return named(json);
    }
    let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    list.first().map(|first| named(first.get())).unwrap_or_default()
}

/// A time to the minute.
fn day(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// The first characters of a cell, without those that a terminal obeys.
fn cut(cell: &str) -> String {
    let cell: String =
        cell.chars().map(|own| if own.is_control() { '\u{FFFD}' } else { own }).collect();
    match cell.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_reaches_a_terminal() {
        let cell = cut("a\u{1b}[31mred\u{7}\r\n\u{9b}b");
        assert!(!cell.chars().any(char::is_control) && cell.contains("red"), "{cell:?}");
    }

    #[test]
    fn a_cell_is_told_whatever_numbers_stand_beside_it() {
        assert_eq!(text("1e999"), "1e999");
        assert_eq!(text("\"a\\u0041\""), "aA");
        assert_eq!(named(r#"{"score":1e999,"name":"High"}"#), "High");
        assert_eq!(first(r#"[{"name":-0,"_id":1e999},"b"]"#), "-0");
        assert_eq!((text("[1]"), named("null"), first("[]")), Default::default());
    }
}
