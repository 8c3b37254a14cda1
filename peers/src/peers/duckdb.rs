//! DuckDB in memory: one table in the order of creation, small integers, one thread.

use anyhow::{Context as _, Result};
use duckdb::{Connection, params};
use getcases_plain::By;

use crate::ask::Ask;
use crate::peer::{Found, Page, Peer, Ready};
use crate::rows::Rows;
use crate::sql;

const TABLE: &str = "
    SET threads = 1;
    CREATE TABLE cases(
        n UINTEGER, status UTINYINT, priority UTINYINT, channel UTINYINT, unresolved UTINYINT,
        unassigned UTINYINT, q1 UTINYINT, q2 UTINYINT, assignee USMALLINT, created UINTEGER,
        updated UINTEGER, due UINTEGER, severity UINTEGER, stage UINTEGER, name UINTEGER,
        ref_id UINTEGER, agent UINTEGER, id UINTEGER, text VARCHAR
    );
";

/// A database in memory.
#[derive(Debug)]
pub struct Duckdb {
    connection: Connection,
}

impl Duckdb {
    /// Appends every case.
    ///
    /// # Errors
    /// Where DuckDB fails.
    pub fn load(rows: &Rows) -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLE)?;
        let mut cases = connection.appender("cases")?;
        for number in &rows.order {
            let (number, at, n) = (*number, *number as usize, rows.arrival(*number));
            let (status, priority) = (rows.status.column[at], rows.priority.column[at]);
            let (channel, assignee) = (rows.channel.column[at], rows.assignee.column[at]);
            let flags = [rows.unresolved[at], rows.unassigned[at]];
            let [unresolved, unassigned] = flags.map(u8::from);
            let [q1, q2] = rows.queues[at];
            let [created, updated, due, severity, stage, name, ref_id, agent, id] =
                By::ALL.map(|by| rows.rank(by, number));
            let text = rows.texts(number);
            cases.append_row(params![
                n, status, priority, channel, unresolved, unassigned, q1, q2, assignee, created,
                updated, due, severity, stage, name, ref_id, agent, id, text
            ])?;
        }
        cases.flush()?;
        drop(cases);
        connection.execute_batch("CHECKPOINT; ANALYZE;")?;
        Ok(Self { connection })
    }
}

impl Peer for Duckdb {
    fn name(&self) -> &'static str {
        "DuckDB"
    }

    fn about(&self) -> String {
        let version = self.connection.version().unwrap_or_default();
        format!("{version}, in memory; one thread, rows in the order of creation, prepared")
    }

    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>> {
        let mut conditions = sql::conditions(ask);
        conditions.extend(ask.queues.as_deref().map(sql::queued));
        let has = |text: &str| format!("contains(text, {})", sql::quoted(text));
        conditions.extend(ask.text.as_deref().map(has));
        conditions.extend(ask.filter.as_ref().map(|filter| sql::tree(filter, &has)));
        let filter = sql::filter(&conditions);
        let prepare = |text: &str| {
            self.connection.prepare(text).with_context(|| format!("DuckDB refuses {text}"))
        };
        let mut count = prepare(&format!("SELECT count(*) FROM cases{filter}"))?;
        let mut page = prepare(&format!("SELECT n FROM cases{filter}{}", sql::paging(ask)))?;
        Ok(Ready::run(move || {
            let total: i64 = count.query_row([], |row| row.get(0))?;
            let numbers = if ask.request.limit == 0 {
                Vec::new()
            } else {
                page.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
            };
            Ok(Found { total: total as u64, page: Page::Arrivals(numbers) })
        }))
    }
}
