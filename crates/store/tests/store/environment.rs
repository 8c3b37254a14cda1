//! What surrounds a store and may go wrong: each a clear error, and nothing lost.

use std::fs;
use std::path::Path;

use getcases::{Batch, Scope};
use getcases_store::{Finding, Options, Store, StoreError, backup, verify};

fn desk() -> Scope {
    Scope::new("account", "stream")
}

fn upsert(store: &Store, id: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.upsert(&desk(), format!(r#"{{"_id":"{id}","name":"{}"}}"#, "x".repeat(2000))).unwrap();
    store.write(batch).map(drop)
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, &Options::default())
}

/// A store of some cases.
fn made(path: &Path) -> Store {
    let store = open(path).unwrap();
    (0..20).for_each(|id| upsert(&store, &id.to_string()).unwrap());
    store
}

#[test]
fn a_second_writer_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = made(folder.path());
    assert!(matches!(open(folder.path()), Err(StoreError::Locked { .. })));
    // Readers come beside it, and see what was acknowledged.
    let (read, report) = Store::open_read_only(folder.path(), &Options::default()).unwrap();
    assert!(report.is_whole() && read.snapshot(&desk()).len() == 20);
    assert!(matches!(upsert(&read, "1"), Err(StoreError::ReadOnly)));
    upsert(&store, "20").unwrap();
    drop(store);
    assert_eq!(open(folder.path()).unwrap().snapshot(&desk()).len(), 21);
}

/// A cursor that was given before a restart goes on after it.
#[test]
fn cursors_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = made(folder.path());
    let ask = |store: &Store, body: String| {
        let context = getcases::Context::default();
        let snapshot = store.snapshot(&desk());
        let query = snapshot.query_json(body.as_bytes(), &context).unwrap();
        snapshot.search(&query)
    };
    let first = ask(&store, r#"{"cursor":true,"limit":12}"#.to_owned());
    let next = format!(r#"{{"cursor":{:?},"limit":12}}"#, first.next_cursor.unwrap());
    let second = ask(&store, next.clone()).results;
    drop(store);
    let (read, _) = Store::open_read_only(folder.path(), &Options::default()).unwrap();
    assert_eq!(ask(&read, next.clone()).results, second);
    assert_eq!(second.len(), 8);
    drop(read);
    assert_eq!(ask(&open(folder.path()).unwrap(), next).results, second);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = fs::metadata(folder.path().join("cursors.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}

/// Files beside the database that were cut or changed.
#[test]
fn a_key_that_was_cut_is_made_anew_and_a_foreign_lock_is_found() {
    let folder = tempfile::tempdir().unwrap();
    drop(made(folder.path()));
    let key = folder.path().join("cursors.key");
    fs::write(&key, b"cut").unwrap();
    drop(open(folder.path()).unwrap());
    assert_eq!(fs::read(&key).unwrap().len(), 16);
    fs::write(folder.path().join("store.lock"), b"garbage").unwrap();
    assert!(open(folder.path()).is_err());
    let report = verify(folder.path(), &Options::default()).unwrap();
    assert!(matches!(&*report.findings, [Finding::Store { .. }]), "{report:?}");
}

#[test]
fn a_database_that_is_gone_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    drop(made(folder.path()));
    let database = folder.path().join("cases.sqlite");
    let bytes = fs::read(&database).unwrap();
    fs::remove_file(&database).unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::Missing { .. })));
    assert!(matches!(verify(folder.path(), &Options::default()), Err(StoreError::Missing { .. })));
    // Nor one that is empty.
    fs::write(&database, b"").unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::Missing { .. })));
    // Every shorter one is told of.
    for part in 1..8 {
        fs::write(&database, &bytes[..bytes.len() * part / 8]).unwrap();
        let opened = open(folder.path());
        assert!(matches!(opened, Err(StoreError::Damaged(_))), "{part}: {opened:?}");
        assert!(!verify(folder.path(), &Options::default()).unwrap().is_whole());
    }
    fs::write(&database, &bytes).unwrap();
    assert_eq!(open(folder.path()).unwrap().snapshot(&desk()).len(), 20);
}

#[test]
fn a_log_that_is_gone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    drop(made(&path));
    let store = open(&path).unwrap();
    upsert(&store, "20").unwrap();
    // As the power would leave it: the files without the process.
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["cases.sqlite", "cases.sqlite-wal", "store.lock"] {
        fs::copy(path.join(name), copy.join(name)).unwrap();
    }
    drop(store);
    // Of a log that somebody else has copied nothing is missed.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    for name in ["cases.sqlite", "cases.sqlite-wal", "store.lock"] {
        fs::copy(copy.join(name), other.join(name)).unwrap();
    }
    let connection = rusqlite::Connection::open(other.join("cases.sqlite")).unwrap();
    connection.query_row("SELECT count(*) FROM cases", (), |row| row.get::<_, i64>(0)).unwrap();
    drop(connection);
    assert!(!other.join("cases.sqlite-wal").exists());
    assert_eq!(open(&other).unwrap().snapshot(&desk()).len(), 21);

    let log = copy.join("cases.sqlite-wal");
    let bytes = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    let Err(StoreError::Damaged(findings)) = open(&copy) else { panic!("it was opened") };
    assert!(findings.contains(&Finding::Log), "{findings:?}");
    fs::write(&log, b"").unwrap();
    assert!(matches!(open(&copy), Err(StoreError::Damaged(_))));
    fs::write(&log, bytes).unwrap();
    assert_eq!(open(&copy).unwrap().snapshot(&desk()).len(), 21);
}

#[test]
fn a_later_version_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(made(folder.path()));
    let connection = rusqlite::Connection::open(folder.path().join("cases.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 7).unwrap();
    drop(connection);
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1 }));
    assert_eq!(error.to_string(), "the store has format 7, and this program knows formats up to 1");
    assert!(matches!(verify(folder.path(), &Options::default()), Err(StoreError::Newer { .. })));
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("cases.sqlite");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch("CREATE TABLE t(a)").unwrap();
    drop(connection);
    let before = fs::read(&database).unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::NotAStore { .. })));
    fs::write(&database, b"some text that is no database at all").unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::Damaged(_))));
    fs::write(&database, before).unwrap();
}

#[cfg(unix)]
#[test]
fn nothing_is_written_into_files_that_have_another_place_or_none() {
    for removes in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("store"), folder.path().join("other"));
        let store = made(&path);
        upsert(&store, "20").unwrap();
        match removes {
            true => std::fs::remove_dir_all(&path).unwrap(),
            false => std::fs::rename(&path, &other).unwrap(),
        }
        let error = upsert(&store, "21").unwrap_err();
        assert!(error.to_string().ends_with("were moved, removed or replaced"), "{error}");
        assert!(matches!(error, StoreError::Broken(_)), "{error:?}");
        drop(store);
        if !removes {
            assert_eq!(open(&other).unwrap().snapshot(&desk()).len(), 21);
        }
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_into_a_log_that_was_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = made(folder.path());
    let [log, copy] = ["cases.sqlite-wal", "copy"].map(|name| folder.path().join(name));
    fs::copy(&log, &copy).unwrap();
    fs::rename(&copy, &log).unwrap();
    let error = upsert(&store, "20").unwrap_err();
    assert!(error.to_string().ends_with("were moved, removed or replaced"), "{error}");
    assert!(matches!(store.writable(), Err(StoreError::Broken(_))));
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [from, to, aside] = ["from", "to", "to.partial"].map(|name| folder.path().join(name));
    fs::create_dir(&from).unwrap();
    assert!(backup(&from, &to, |_, _| {}).is_err());
    assert!(!to.exists() && !aside.exists());
}

#[test]
fn a_path_is_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:cases?immutable=1#%41");
    drop(made(&path));
    assert_eq!(open(&path).unwrap().snapshot(&desk()).len(), 20);
}

#[test]
fn what_another_program_writes_stops_writes_here() {
    let folder = tempfile::tempdir().unwrap();
    let store = made(folder.path());
    let connection = rusqlite::Connection::open(folder.path().join("cases.sqlite")).unwrap();
    connection.execute("DELETE FROM cases WHERE _id = '3'", ()).unwrap();
    let error = upsert(&store, "20").unwrap_err();
    assert!(matches!(error, StoreError::Broken(_)), "{error}");
    assert!(error.to_string().ends_with("anew: another program has written into the database"));
    assert!(matches!(store.writable(), Err(StoreError::Broken(_))));
    assert_eq!(store.snapshot(&desk()).len(), 20);
    drop((store, connection));
    // And it is found.
    let Err(StoreError::Damaged(findings)) = open(folder.path()) else { panic!("it was opened") };
    let count = Finding::Count { scope: desk(), found: 19, written: 20 };
    assert_eq!(findings, [count]);
    // What is whole can be read.
    let options = Options { despite_damage: true, ..Options::default() };
    let (read, report) = Store::open_read_only(folder.path(), &options).unwrap();
    assert_eq!((read.snapshot(&desk()).len(), report.findings.len()), (19, 1));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a store?");
    drop(made(&path));
    let permit = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    permit(0o555);
    let lock = path.join("store.lock");
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o444)).unwrap();
    // Whoever may write everywhere is not stopped by that.
    if fs::write(path.join("probe"), b"").is_err() {
        assert!(matches!(open(&path), Err(StoreError::Io { .. })));
    } else {
        fs::remove_file(path.join("probe")).unwrap();
    }
    let (read, _) = Store::open_read_only(&path, &Options::default()).unwrap();
    assert_eq!(read.snapshot(&desk()).len(), 20);
    permit(0o755);
}
