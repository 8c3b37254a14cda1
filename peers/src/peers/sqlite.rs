//! SQLite in memory: covering indexes, FTS5 trigrams, statements prepared beforehand.

use anyhow::{Context as _, Result};
use getcases_plain::By;
use rusqlite::{Connection, params};

use crate::ask::Ask;
use crate::peer::{Found, Page, Peer, Ready};
use crate::rows::Rows;
use crate::sql;

/// Texts of fewer code points have no trigram to look up.
const TRIGRAM: usize = 3;

const TABLES: &str = "
    PRAGMA temp_store = memory;
    PRAGMA journal_mode = off;
    CREATE TABLE cases(
        n INTEGER PRIMARY KEY, status INT, priority INT, channel INT, unresolved INT,
        unassigned INT, q1 INT, q2 INT, assignee INT, created INT, updated INT, due INT,
        severity INT, stage INT, name INT, ref_id INT, agent INT, id INT
    );
    CREATE TABLE words(n INTEGER PRIMARY KEY, text TEXT);
    CREATE VIRTUAL TABLE grams
        USING fts5(text, content='', tokenize='trigram case_sensitive 1');
";

/// A case once a queue, in the order that a queue is asked in.
const QUEUED: &str = "
    CREATE TABLE queued(
        queue INT, unresolved INT, due INT, n INT, status INT, priority INT, channel INT,
        unassigned INT, assignee INT, created INT, updated INT, severity INT, stage INT, name INT,
        ref_id INT, agent INT, id INT,
        PRIMARY KEY(queue, unresolved, due, n DESC)
    ) WITHOUT ROWID;
";

/// What a filter may ask besides an index's first columns.
const COVER: &str = "status, priority, channel, unresolved, unassigned, q1, q2, assignee";

/// The orders that filters are asked with; the others need no more than themselves.
const COVERED: [By; 4] = [By::Updated, By::Due, By::Priority, By::Name];

/// What there are indexes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indexed {
    /// Every order, covering what filters ask.
    Orders,
    /// Also the filters that the 17 classes begin with, each in the order that it is asked in, and
    /// a table by queue.
    Classes,
}

/// A database in memory.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    indexed: Indexed,
}

impl Sqlite {
    /// Fills the tables, then makes the indexes and their statistics.
    ///
    /// # Errors
    /// Where SQLite fails.
    pub fn load(rows: &Rows, indexed: Indexed) -> Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        connection.execute_batch(QUEUED)?;
        let transaction = connection.transaction()?;
        {
            let marks = |count| vec!["?"; count].join(",");
            let insert = |table, count| format!("INSERT INTO {table} VALUES ({})", marks(count));
            let mut case = transaction.prepare(&insert("cases", 18))?;
            let mut queued = transaction.prepare(&insert("queued", 17))?;
            let mut word = transaction.prepare(&insert("words", 2))?;
            let mut gram = transaction.prepare("INSERT INTO grams(rowid, text) VALUES (?, ?)")?;
            for number in &rows.order {
                let (number, at, n) = (*number, *number as usize, rows.arrival(*number));
                let (status, priority) = (rows.status.column[at], rows.priority.column[at]);
                let (channel, assignee) = (rows.channel.column[at], rows.assignee.column[at]);
                let (unresolved, unassigned) = (rows.unresolved[at], rows.unassigned[at]);
                let [q1, q2] = rows.queues[at];
                let [created, updated, due, severity, stage, name, ref_id, agent, id] =
                    By::ALL.map(|by| rows.rank(by, number));
                case.execute(params![
                    n, status, priority, channel, unresolved, unassigned, q1, q2, assignee,
                    created, updated, due, severity, stage, name, ref_id, agent, id
                ])?;
                let is_queued = |queue: &u8| *queue > 0 && indexed == Indexed::Classes;
                for queue in [q1, q2].into_iter().filter(is_queued) {
                    queued.execute(params![
                        queue, unresolved, due, n, status, priority, channel, unassigned, assignee,
                        created, updated, severity, stage, name, ref_id, agent, id
                    ])?;
                }
                let text = rows.texts(number);
                word.execute(params![n, text])?;
                gram.execute(params![n, text])?;
            }
        }
        transaction.commit()?;
        connection.execute_batch(&indexes(indexed))?;
        Ok(Self { connection, indexed })
    }

    /// The count and the page of a request.
    fn statements(&self, ask: &Ask) -> (String, String) {
        let mut conditions = sql::conditions(ask);
        let mut table = "cases".to_owned();
        match ask.queues.as_deref() {
            // One queue's cases stand together, none of them twice.
            Some([queue]) if ask.text.is_none() && self.indexed == Indexed::Classes => {
                table = "queued".to_owned();
                conditions.push(format!("queue = {queue}"));
            }
            Some(queues) => conditions.push(sql::queued(queues)),
            None => {}
        }
        conditions.extend(ask.filter.as_ref().map(|filter| sql::tree(filter, &holds)));
        let (mut count, mut n) = (table.clone(), "n");
        if let Some(text) = &ask.text {
            if text.chars().count() < TRIGRAM {
                count = "words CROSS JOIN cases USING (n)".to_owned();
                if conditions.is_empty() {
                    count = "words".to_owned();
                }
                conditions.push(format!("instr(text, {}) > 0", sql::quoted(text)));
                table = "words JOIN cases USING (n)".to_owned();
                n = "cases.n";
            } else {
                table = "grams CROSS JOIN cases ON cases.n = grams.rowid".to_owned();
                count = if conditions.is_empty() { "grams".to_owned() } else { table.clone() };
                conditions.push(format!("grams MATCH {}", phrase(text)));
                n = "cases.n";
            }
        }
        let filter = sql::filter(&conditions);
        (
            format!("SELECT count(*) FROM {count}{filter}"),
            format!("SELECT {n} FROM {table}{filter}{}", sql::paging(ask)),
        )
    }
}

/// That a text is held, as a part of another condition.
fn holds(text: &str) -> String {
    if text.chars().count() < TRIGRAM {
        return format!("n IN (SELECT n FROM words WHERE instr(text, {}) > 0)", sql::quoted(text));
    }
    format!("n IN (SELECT rowid FROM grams WHERE grams MATCH {})", phrase(text))
}

/// A text whose trigrams follow each other.
fn phrase(text: &str) -> String {
    sql::quoted(&format!("\"{}\"", text.replace('"', "\"\"")))
}

fn indexes(indexed: Indexed) -> String {
    let mut indexes = String::new();
    for by in By::ALL {
        let column = sql::column(by);
        let cover = if COVERED.contains(&by) { format!(", {COVER}") } else { String::new() };
        indexes += &format!("CREATE INDEX by_{column} ON cases({column}, n DESC{cover});\n");
    }
    let missing = crate::rows::MISSING;
    indexes += &format!("CREATE INDEX due_last ON cases(due = {missing}, due DESC, n DESC);\n");
    if indexed == Indexed::Classes {
        indexes += &format!(
            "CREATE INDEX of_status ON cases(status, n DESC, {COVER}, due);
             CREATE INDEX of_unresolved ON cases(unresolved, due, n DESC, {COVER});
             CREATE INDEX of_assignee ON cases(assignee, unresolved, updated, n DESC, {COVER}, due);
             CREATE INDEX of_nobody ON cases(unassigned, priority, n DESC, {COVER}, due);\n"
        );
    }
    indexes + "INSERT INTO grams(grams) VALUES ('optimize');\nANALYZE;"
}

impl Peer for Sqlite {
    fn name(&self) -> &'static str {
        match self.indexed {
            Indexed::Orders => "SQLite",
            Indexed::Classes => "SQLite, tuned",
        }
    }

    fn about(&self) -> String {
        let version = rusqlite::version();
        let indexes = match self.indexed {
            Indexed::Orders => "a covering index for every order",
            Indexed::Classes => "besides, indexes made for the 17 classes and a table by queue",
        };
        format!("{version}, in memory; {indexes}; FTS5 trigrams, ANALYZE, prepared")
    }

    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>> {
        let (count, page) = self.statements(ask);
        let prepare = |text: &str| {
            self.connection.prepare(text).with_context(|| format!("SQLite refuses {text}"))
        };
        let (mut count, mut page) = (prepare(&count)?, prepare(&page)?);
        let wanted = ask.request.limit;
        Ok(Ready::run(move || {
            let total: i64 = count.query_row([], |row| row.get(0))?;
            let numbers = if wanted == 0 {
                Vec::new()
            } else {
                page.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
            };
            Ok(Found { total: total as u64, page: Page::Arrivals(numbers) })
        }))
    }
}
