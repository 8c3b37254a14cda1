//! Pages as tables, for people.

use comfy_table::{ContentArrangement, Table, presets};
use getcases::{Document, Page};
use serde_json::Value;

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

fn row(document: &Document) -> [String; 8] {
    let case: Value = serde_json::from_str(document.json()).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let named = |value: &Value| match value {
        Value::Object(object) => object.get("name").map(text).unwrap_or_default(),
        value => text(value),
    };
    let first = |value: &Value| match value {
        Value::Array(list) => list.first().map(named).unwrap_or_default(),
        value => named(value),
    };
    let due = if case["ETA"].is_string() { &case["ETA"] } else { &case["dueDate"] };
    [
        document.id().to_owned(),
        text(&case["name"]),
        named(&case["status"]),
        named(&case["priority"]),
        first(&case["queues"]),
        named(&case["currAssignee"]),
        day(&text(&case["createdAt"])),
        day(&text(due)),
    ]
    .map(|cell| cut(&cell))
}

/// A time to the minute.
fn day(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn cut(cell: &str) -> String {
    match cell.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}
