//! The tables of a store, its version, and what is asked of SQLite; docs/format.md tells it all.

use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{Finding, StoreError, database};

/// The database in a store's folder.
pub(crate) const DATABASE: &str = "cases.sqlite";
/// Its write-ahead log.
pub(crate) const LOG: &str = "cases.sqlite-wal";

/// `gcsq`: what tells a store from any other database.
pub(crate) const APPLICATION: i32 = 0x6763_7371;
/// The version of the format.
pub(crate) const VERSION: i32 = 1;

/// The tables, each as SQLite keeps its text.
const TABLES: [(&str, &str); 3] = [
    (
        "cases",
        "CREATE TABLE cases(scope INTEGER NOT NULL,_id TEXT NOT NULL,version INTEGER NOT NULL,\
         checksum BLOB NOT NULL,document TEXT NOT NULL,UNIQUE(scope,_id))STRICT",
    ),
    (
        "scopes",
        "CREATE TABLE scopes(number INTEGER PRIMARY KEY,account TEXT NOT NULL,\
         stream TEXT NOT NULL,cases INTEGER NOT NULL,digest BLOB NOT NULL,\
         generation INTEGER NOT NULL,checksum BLOB NOT NULL,UNIQUE(account,stream))STRICT",
    ),
    (
        "store",
        "CREATE TABLE store(scopes INTEGER NOT NULL,dropped INTEGER NOT NULL,\
         log INTEGER NOT NULL,checksum BLOB NOT NULL)STRICT",
    ),
];

/// Makes the tables of a database that has none, whole or not at all.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let tables: String = TABLES.iter().map(|(_, text)| format!("{text};")).collect();
    let none = hex(crate::record::store_row(0, 0, 0));
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {tables}
         INSERT INTO store(scopes, dropped, log, checksum) VALUES(0, 0, 0, x'{none}');
         PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
    ))
}

fn hex(digest: u128) -> String {
    format!("{digest:032x}")
}

/// What a database is, by its header.
pub(crate) enum Kind {
    /// Nothing is in it.
    Empty,
    Store,
}

/// Tells what a database is.
///
/// # Errors
/// Where it is another program's, or a later version's.
pub(crate) fn kind(connection: &Connection) -> Result<Kind, StoreError> {
    let number = |name: &str| {
        let asked = connection.query_row(&format!("PRAGMA {name}"), (), |row| row.get::<_, i32>(0));
        asked.map_err(database("read the header"))
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables = connection.query_row(tables, (), |row| row.get::<_, i64>(0));
    let tables = tables.map_err(database("read the schema"))?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(Kind::Empty),
        (APPLICATION, VERSION, _) => Ok(Kind::Store),
        (APPLICATION, newer, _) if newer > VERSION => {
            Err(StoreError::Newer { found: newer, known: VERSION })
        }
        _ => Err(StoreError::NotAStore { application, version }),
    }
}

/// Which tables are not what they must be: a statement would mean something else.
pub(crate) fn check_tables(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (name, text) in TABLES {
        let asked = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?";
        let found =
            connection.query_row(asked, [name], |row| row.get::<_, String>(0)).optional()?;
        if found.as_deref() != Some(text) {
            findings.push(Finding::Table { name: name.to_owned() });
        }
    }
    let others = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_autoindex_%'";
    let others: i64 = connection.query_row(others, (), |row| row.get(0))?;
    if findings.is_empty() && others != TABLES.len() as i64 {
        findings.push(Finding::Table { name: "sqlite_schema".to_owned() });
    }
    Ok(findings)
}
