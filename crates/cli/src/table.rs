//! Pages as tables, for people: what the engine read of each case, as wide as there is room.

use anstyle::{AnsiColor, Style};
use getcases::{Case, Page};
use getcases_load::plain;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::layout::{Column, fit};

/// What stands between columns.
const GAP: &str = "  ";
/// How wide a table is where nothing tells how wide it may be.
const WIDTH: usize = 100;

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// The columns, as they stand: how wide they may be, how narrow, and which goes first where there
/// is no room.
const COLUMNS: [Column; 10] = [
    Column { title: "_id", most: 40, least: 10, rank: 0 },
    Column { title: "name", most: 48, least: 24, rank: 0 },
    Column { title: "status", most: 20, least: 8, rank: 1 },
    Column { title: "priority", most: 12, least: 8, rank: 3 },
    Column { title: "due", most: MINUTES, least: DAYS, rank: 2 },
    Column { title: "assignee", most: 20, least: 8, rank: 5 },
    Column { title: "queue", most: 20, least: 8, rank: 6 },
    Column { title: "channel", most: 16, least: 6, rank: 8 },
    Column { title: "created", most: MINUTES, least: DAYS, rank: 4 },
    Column { title: "updated", most: MINUTES, least: DAYS, rank: 7 },
];

/// How wide a time is to the minute, and to the day.
const MINUTES: usize = 16;
const DAYS: usize = 10;

/// How a table looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// How many characters a line has at most, as wide as a terminal shows them.
    pub(crate) width: usize,
    pub(crate) is_coloured: bool,
    /// Minutes with utc = local + offset.
    pub(crate) offset: i64,
    /// The time of asking.
    pub(crate) now: i64,
}

impl Look {
    /// As the standard output takes it: as wide as its terminal, else as `COLUMNS` says.
    pub(crate) fn of_stdout(offset: i64, now: i64) -> Self {
        let stdout = std::io::stdout();
        let terminal = terminal_size::terminal_size_of(&stdout).map(|(width, _)| width.0.into());
        let told = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
        let choice = anstream::AutoStream::choice(&stdout);
        Self {
            width: terminal.or_else(told).filter(|width| *width > 0).unwrap_or(WIDTH),
            is_coloured: choice != anstream::ColorChoice::Never,
            offset,
            now,
        }
    }

    fn styled(&self, style: Style, text: &str) -> String {
        let is_plain = !self.is_coloured || style == Style::new();
        if is_plain { text.to_owned() } else { format!("{style}{text}{style:#}") }
    }
}

/// The first rows of a page as a table, with a line below it that tells which page it is.
pub(crate) fn page(page: &Page, rows: usize, look: Look) -> String {
    let cases = page.results.iter().take(rows);
    // What was answered was read before.
    let cases = cases.filter_map(|document| Case::from_json(document.json().as_bytes()).ok());
    let rows: Vec<Row> = cases.map(|case| row(&case, look)).collect();
    let Page { page: number, total_pages, total_results, .. } = page;
    let cases = if *total_results == 1 { "case" } else { "cases" };
    let mut figures = format!("{total_results} {cases} in all");
    if page.limit > 0 {
        figures += &format!(", page {number} of {total_pages}");
    }
    if rows.is_empty() {
        return figures;
    }
    if page.results.len() > rows.len() {
        figures += &format!(", {} of {} rows shown", rows.len(), page.results.len());
    }
    format!("{}{figures}; times are {}", table(&rows, look), zone(look.offset))
}

/// A cell of each column, and how it looks.
type Row = [(String, Style); COLUMNS.len()];

fn row(case: &Case, look: Look) -> Row {
    let is_overdue = case.is_unresolved() && case.due().is_some_and(|due| due < look.now);
    let priority = case.priority().unwrap_or_default();
    let style = severity(&priority);
    let time = |time: Option<i64>| time.map_or_else(String::new, |at| minute(at, look.offset));
    [
        (case.id().to_owned(), Style::new()),
        (case.name().unwrap_or_default(), Style::new()),
        (case.status().unwrap_or_default(), Style::new()),
        (priority, style),
        (time(case.due()), if is_overdue { RED } else { Style::new() }),
        (case.assignee().unwrap_or_default(), Style::new()),
        (case.queues().join(", "), Style::new()),
        (case.channels().join(", "), Style::new()),
        (time(case.created()), Style::new()),
        (time(case.updated()), Style::new()),
    ]
    .map(|(cell, style)| (plain(&cell.replace(['\t', '\n', '\r'], " ")), style))
}

/// How a priority looks, by the names that desks give them.
fn severity(priority: &str) -> Style {
    match &*priority.trim().to_lowercase() {
        "critical" | "urgent" | "highest" | "blocker" | "p0" | "p1" => RED.bold(),
        "high" | "major" | "p2" => YELLOW,
        _ => Style::new(),
    }
}

fn table(rows: &[Row], look: Look) -> String {
    let natural = |at: usize| rows.iter().map(|row| row[at].0.width()).max().unwrap_or(0);
    let widths = fit(&COLUMNS, natural, look.width, GAP.len());
    let titles = COLUMNS.map(|column| (column.title.to_owned(), BOLD));
    let mut text = String::new();
    for cells in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        let mut pad = 0;
        for ((cell, style), width) in cells.iter().zip(&widths) {
            let Some(width) = *width else { continue };
            let cell = cut(cell, width);
            // What stands last in a line needs nothing behind it.
            line.extend(std::iter::repeat_n(' ', std::mem::take(&mut pad)));
            line += &look.styled(*style, &cell);
            pad = width.saturating_sub(cell.width()) + GAP.len();
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A text cut to a width; a time to its day.
fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    if width >= DAYS && cell.is_ascii() && cell.len() == MINUTES {
        return cell.get(..DAYS).unwrap_or_default().to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let own = c.width().unwrap_or(0);
        let is_left = own <= left;
        left = left.saturating_sub(own);
        is_left
    };
    cell.chars().take_while(fits).chain(['…']).collect()
}

/// An instant to the minute, where utc = local + offset.
fn minute(at: i64, offset: i64) -> String {
    let local = at.saturating_sub(offset.saturating_mul(60_000));
    let time = chrono::DateTime::from_timestamp_millis(local);
    time.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M").to_string())
}

/// A zone by its offset: `UTC`, `UTC+05:30`.
fn zone(offset: i64) -> String {
    let sign = if offset > 0 { '-' } else { '+' };
    match (offset.unsigned_abs() / 60, offset.unsigned_abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, minutes) => format!("UTC{sign}{hours:02}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use getcases::{Context, Engine, Query, Scope};

    use super::*;

    const LOOK: Look = Look { width: 100, is_coloured: false, offset: 0, now: 0 };

    fn shown(documents: &[&str], look: Look) -> String {
        let (engine, scope) = (Engine::new(), Scope::new("a", "s"));
        engine
            .write(|batch| documents.iter().try_for_each(|json| batch.upsert(&scope, json)))
            .unwrap();
        let body = br#"{"sortBy":"_id"}"#;
        let query = Query::from_json(body, &Context::default()).unwrap();
        page(&engine.snapshot(&scope).search(&query), 50, look)
    }

    #[test]
    fn a_table_shows_what_is_read_in_the_asked_zone() {
        let case = r#"{"_id":"1","name":"客 late","status":{"lname":"open"},"source":"emailInst-1",
            "fields":{"lname":"due date","selectedValue":"2025-02-01"},"timestampValue":0}"#;
        let text = shown(&[case], LOOK);
        let cells =
            |line: usize| text.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>();
        let expected = ["1", "客", "late", "open", "2025-02-01", "00:00", "emailinst-1,", "em…"];
        assert_eq!(cells(1), [&expected[..], &["1970-01-01", "00:00"]].concat());
        assert!(text.ends_with("1 case in all, page 1 of 1; times are UTC"), "{text}");
        let text = shown(&[case], Look { offset: -330, ..LOOK });
        assert!(
            text.contains("2025-02-01 05:30") && text.ends_with("times are UTC+05:30"),
            "{text}"
        );
        let text = shown(&[case], Look { offset: 300, ..LOOK });
        assert!(
            text.contains("2025-01-31 19:00") && text.ends_with("times are UTC-05:00"),
            "{text}"
        );
    }

    #[test]
    fn a_table_is_as_wide_as_there_is_room() {
        let case = format!(
            r#"{{"_id":"{0}","name":"{1}","status":"{0}","priority":"{0}","dueDate":0,"createdAt":0,
            "updatedAt":0,"currAssignee":"{1}","queues":["{0}"],"channel":"{0}"}}"#,
            "x".repeat(60),
            "客".repeat(60)
        );
        for width in 1..250 {
            let text = shown(&[&case], Look { width, ..LOOK });
            let table: Vec<_> = text.lines().take(2).collect();
            assert!(table.iter().all(|line| line.width() <= width.max(6)), "{width}\n{text}");
            assert_eq!(
                table[0].split_whitespace().next().map(|title| title.starts_with(['_', '…'])),
                Some(true)
            );
            assert_eq!(text.contains("updated"), width >= 112, "{width}\n{text}");
        }
    }

    #[test]
    fn urgent_and_overdue_cases_are_coloured() {
        let cases = [
            r#"{"_id":"1","priority":"Urgent","dueDate":5}"#,
            r#"{"_id":"2","priority":"low","dueDate":5,"status":"closed"}"#,
        ];
        let look = Look { is_coloured: true, now: 6, ..LOOK };
        let text = shown(&cases, look);
        let lines: Vec<_> = text.lines().collect();
        let is_red = |cell: &str| lines[1].contains(&format!("{RED}{cell}{RED:#}"));
        assert!(is_red("1970-01-01 00:00") && lines[1].contains("Urgent\u{1b}[0m"), "{text:?}");
        assert!(!lines[2].contains('\u{1b}'), "{text:?}");
        assert!(!shown(&cases, LOOK).contains('\u{1b}'));
    }

    #[test]
    fn no_control_character_reaches_a_terminal() {
        let case = r#"{"_id":"\u001b]0;x\u0007","name":"a\u001b[31mred\r\n\u009b\u202eb"}"#;
        let text = shown(&[case], LOOK);
        let obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(obeyed) && text.contains("red"), "{text:?}");
        assert_eq!(text.lines().count(), 3);
    }
}
