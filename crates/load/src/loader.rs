//! Cases of files put into an engine: parsed on every core, some ahead of what is written.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc::sync_channel;

use getcases::{Case, Engine, Scope, WriteError};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::block::{Block, Record};
use crate::outline::Outline;
use crate::refused::Refused;
use crate::scopes::Scopes;
use crate::sink::Sink;
use crate::text::Options;
use crate::window::Place;
use crate::{Error, text, unpack};

/// How many blocks of parsed cases may wait: while one thread enters values, the others go on.
const AHEAD: usize = 4;

/// How many cases are written at a time, and from how many bytes of them on fewer are.
const BATCH: usize = 1 << 16;
const BATCH_WEIGHT: usize = 64 << 20;
/// How many cases are kept in one piece of memory until they are written.
const PART: usize = 1 << 10;
/// From how many bytes on a document counts sixteen times: long ones gain little by being many, and
/// take several times their text until they are written.
const LONG: usize = 64 << 10;

/// Puts the cases of files into an engine, each into the scope that it names.
///
/// Useful for whole files: a case with the `_id` of an earlier one takes its place, and a case that
/// is wrong is left out and told of. A batch is written whenever 65,536 cases have come together,
/// or fewer long ones: others see a load in parts. Cases that name no scope stand in one named `-`
/// until [`Loader::finish`] moves them to where they belong; nobody else may write there meanwhile,
/// and where it had cases before, all stay. [`Loader::asking`] says beforehand where they belong.
/// Not for changes that must be seen at once; fill
/// a batch of the engine's with these.
///
/// After an error the loader goes on as if the rest of the text had not been there: what was read
/// of it before counts, and another text may be read, or the load finished. A loader that is
/// dropped unfinished loses the batch that is not written yet, and leaves cases without a scope in
/// `-`.
///
/// ```
/// use getcases::Engine;
/// use getcases_load::{Error, Loader, Options};
///
/// let engine = Engine::new();
/// let mut loader = Loader::new(&engine);
/// let file: &[u8] = b"{\"_id\":\"1\",\"accountId\":\"a\",\"iId\":\"s\"}\n{\"_id\":2}\n";
/// loader.read(file, &Options::default(), &mut |refused| {
///     let fault = &refused.faults[0];
///     assert_eq!((fault.place.line, fault.path.as_str()), (2, "$._id"));
///     Ok::<_, Error>(())
/// })?;
/// let loaded = loader.finish()?;
/// assert_eq!((loaded.report.total, loaded.report.refused), (2, 1));
/// assert_eq!(engine.snapshot(&loaded.scopes.asked()?).len(), 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the last batch is written by `finish`"]
pub struct Loader<E = Engine> {
    engine: E,
    scopes: Scopes,
    /// Where cases stand that do not name all of their scope, and whether there was none before.
    homes: BTreeMap<Scope, bool>,
    report: Report,
    threads: Option<usize>,
    pool: Option<ThreadPool>,
    /// How many texts were read.
    texts: usize,
    /// The cases of the next batch, in parts: what was written of it is freed part by part.
    batch: Vec<Vec<Case>>,
    batch_bytes: usize,
    batch_weight: usize,
    written_bytes: u64,
    before_write: Box<dyn FnMut(u64) + Send>,
}

/// What a load did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many cases were read, refused ones included.
    pub total: u64,
    /// How many were refused.
    pub refused: u64,
    /// How many took the place of an earlier one.
    pub replaced: u64,
    /// How many bytes their texts have.
    pub bytes: u64,
    /// How many have an integer for a date that must be seconds: as milliseconds, which it is read
    /// as, it is before 1973.
    pub in_seconds: u64,
    /// Where the first of these stands: the number of the text, from 0, and the place there.
    pub first_in_seconds: Option<(usize, Place)>,
    /// How many have an integer for a date that must be calendar digits, `202505290000`: it is read
    /// as milliseconds, too.
    pub in_digits: u64,
    /// Where the first of these stands.
    pub first_in_digits: Option<(usize, Place)>,
}

/// What one text held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// How many records.
    pub records: u64,
    /// How many of these were refused.
    pub refused: u64,
    /// What the first of them is, where the text is JSON.
    pub outline: Outline,
}

impl Held {
    /// Whether there are records, and none is a case: they are of another system, or broken.
    #[must_use]
    pub fn all_refused(&self) -> bool {
        self.records > 0 && self.refused == self.records
    }
}

/// What a load leaves.
#[derive(Debug)]
pub struct Loaded<E = Engine> {
    /// Every case is in it.
    pub engine: E,
    /// What was done.
    pub report: Report,
    /// What the cases name.
    pub scopes: Scopes,
}

impl<E> std::fmt::Debug for Loader<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("report", &self.report).finish_non_exhaustive()
    }
}

impl<E: Sink> Loader<E> {
    /// A load into an engine, a reference to one, or whatever else takes cases.
    pub fn new(engine: E) -> Self {
        Self {
            engine,
            scopes: Scopes::new(None, None),
            homes: BTreeMap::new(),
            report: Report::default(),
            threads: None,
            pool: None,
            texts: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            batch_weight: 0,
            written_bytes: 0,
            before_write: Box::new(|_| {}),
        }
    }

    /// Which account and stream cases belong to that name none, and which [`Scopes::asked`] gives.
    pub fn asking(mut self, account: Option<&str>, stream: Option<&str>) -> Self {
        self.scopes = Scopes::new(account.map(str::to_owned), stream.map(str::to_owned));
        self
    }

    /// How many threads parse; as many as there are cores, if this is not called.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Is told before each batch is written how many bytes of cases that makes in all.
    pub fn before_write(mut self, tell: impl FnMut(u64) + Send + 'static) -> Self {
        self.before_write = Box::new(tell);
        self
    }

    /// Reads a text, unpacked where it is gzip or zstd; refused cases are handed on in its order,
    /// and an error of `refuse` ends the load. Gives what the text held. Holds some megabytes of
    /// it, and a batch.
    ///
    /// # Errors
    /// What `refuse` returns; where reading fails, or the text is none that is read: what came
    /// before is in the engine, or in the batch that comes next.
    pub fn read<F: From<Error> + Send>(
        &mut self,
        raw: impl Read + Send,
        options: &Options,
        refuse: &mut dyn FnMut(Refused) -> Result<(), F>,
    ) -> Result<Held, F> {
        let (total, refused) = (self.report.total, self.report.refused);
        let (sender, blocks) = sync_channel::<Block>(1);
        std::thread::scope(|threads| {
            let reader = threads.spawn(move || {
                let send = move |block| sender.send(block).is_ok();
                unpack(raw).and_then(|text| text::read(text, options, send))
            });
            self.blocks(blocks, refuse)?;
            match reader.join() {
                Ok(outline) => Ok(Held {
                    records: self.report.total - total,
                    refused: self.report.refused - refused,
                    outline: outline?,
                }),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Takes in the records of a text that was cut already.
    ///
    /// # Errors
    /// As of [`Loader::read`].
    pub fn blocks<F: From<Error> + Send>(
        &mut self,
        blocks: impl IntoIterator<Item = Block, IntoIter: Send> + Send,
        refuse: &mut dyn FnMut(Refused) -> Result<(), F>,
    ) -> Result<(), F> {
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => ThreadPoolBuilder::new()
                .num_threads(self.threads.unwrap_or(0))
                .thread_name(|number| format!("getcases-load-{number}"))
                .build()
                .map_err(|error| Error::from(std::io::Error::other(error)))?,
        };
        let text = self.texts;
        self.texts += 1;
        let (sender, parsed) = sync_channel::<Vec<Parsed>>(AHEAD);
        let blocks = blocks.into_iter();
        let taken = std::thread::scope(|threads| {
            let pool = &pool;
            threads.spawn(move || {
                for block in blocks {
                    let records = block.records();
                    let read = || records.par_iter().map(Parsed::of).collect();
                    if sender.send(pool.install(read)).is_err() {
                        return;
                    }
                }
            });
            parsed.into_iter().flatten().try_for_each(|own| self.take(own, text, refuse))
        });
        self.pool = Some(pool);
        taken
    }

    fn take<F: From<Error>>(
        &mut self,
        parsed: Parsed,
        text: usize,
        refuse: &mut dyn FnMut(Refused) -> Result<(), F>,
    ) -> Result<(), F> {
        let report = &mut self.report;
        report.bytes += parsed.bytes as u64;
        if let Some(place) = parsed.seconds {
            report.in_seconds += 1;
            report.first_in_seconds.get_or_insert((text, place));
        }
        if let Some(place) = parsed.digits {
            report.in_digits += 1;
            report.first_in_digits.get_or_insert((text, place));
        }
        match parsed.case {
            Ok(case) => Ok(self.push(case)?),
            Err(refused) => {
                report.total += 1;
                report.refused += 1;
                refuse(refused)
            }
        }
    }

    /// Adds a case, to the scope that it names, as far as it does.
    ///
    /// # Errors
    /// Where the engine has no room for a batch.
    pub fn push(&mut self, case: Case) -> Result<(), Error> {
        self.report.total += 1;
        let is_homeless = case.account().is_none() || case.stream().is_none();
        if self.scopes.note(&case) && is_homeless {
            let (account, stream) = self.scopes.literal(&case);
            let engine = &self.engine;
            // Of a scope that had cases before the load it is not known whose these are.
            let is_empty = |own: &Scope| engine.snapshot(own).is_empty();
            self.homes.entry(Scope::new(account, stream)).or_insert_with_key(is_empty);
        }
        let length = case.document().len();
        self.batch_bytes += length;
        self.batch_weight += if length < LONG { length } else { 16 * length };
        match self.batch.last_mut().filter(|last| last.len() < PART) {
            Some(last) => last.push(case),
            None => self.batch.push(vec![case]),
        }
        let is_last = |last: &Vec<Case>| self.batch.len() * PART == BATCH && last.len() == PART;
        let is_full = self.batch_weight >= BATCH_WEIGHT || self.batch.last().is_some_and(is_last);
        if is_full { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let cases = std::mem::take(&mut self.batch);
        self.batch_weight = 0;
        self.written_bytes += std::mem::take(&mut self.batch_bytes) as u64;
        (self.before_write)(self.written_bytes);
        // Most cases name what the one before them does.
        let (mut cases, mut scope) = (cases.into_iter().flatten(), Scope::new("", ""));
        let scopes = &self.scopes;
        let written = self.engine.write(&mut |batch| {
            cases.by_ref().try_for_each(|case| {
                let (account, stream) = scopes.literal(&case);
                if (scope.account(), scope.stream()) != (account, stream) {
                    scope = Scope::new(account, stream);
                }
                batch.upsert_case(&scope, case)
            })
        })?;
        self.report.replaced += written.replaced;
        Ok(())
    }

    /// Writes what is left, and moves cases that do not name all of a scope to where they belong.
    ///
    /// # Errors
    /// Where the engine has no room for it.
    pub fn finish(mut self) -> Result<Loaded<E>, Error> {
        self.flush()?;
        let homes = std::mem::take(&mut self.homes);
        homes.iter().filter(|(_, is_own)| **is_own).try_for_each(|(own, _)| self.move_out(own))?;
        Ok(Loaded { engine: self.engine, report: self.report, scopes: self.scopes })
    }

    /// Moves the cases out of a scope that do not belong there, now that all are read. One that
    /// names the scope where they go stays there in the place of one that does not.
    fn move_out(&mut self, scope: &Scope) -> Result<(), Error> {
        if !self.scopes.have_strangers(scope) {
            return Ok(());
        }
        let engine = &self.engine;
        let cases = engine.snapshot(scope);
        let mut documents = cases.documents().peekable();
        while documents.peek().is_some() {
            let some = documents.by_ref().take(BATCH).map(|own| Case::from_json(own.as_ref()));
            let some = some.collect::<Result<Vec<_>, _>>().map_err(WriteError::Stage)?;
            let (mut some, mut replaced) = (some.into_iter(), 0);
            engine.write(&mut |batch| {
                some.by_ref().try_for_each(|case| {
                    let own = self.scopes.of(&case);
                    if own == *scope {
                        return Ok(());
                    }
                    batch.delete(scope, case.id());
                    if engine.snapshot(&own).get(case.id()).is_some() {
                        replaced += 1;
                        return Ok(());
                    }
                    batch.upsert_case(&own, case)
                })
            })?;
            self.report.replaced += replaced;
        }
        if engine.snapshot(scope).is_empty() {
            engine.drop_scope(scope)?;
        }
        Ok(())
    }
}

/// A record as it was read.
struct Parsed {
    bytes: usize,
    case: Result<Case, Refused>,
    /// Where a date stands that must be seconds.
    seconds: Option<Place>,
    /// Where one stands that must be calendar digits.
    digits: Option<Place>,
}

impl Parsed {
    fn of(record: &Record<'_>) -> Self {
        let case = record.read();
        let (seconds, digits) = match &case {
            Ok(case) => (record.seconds(case), record.digits(case)),
            Err(_) => (None, None),
        };
        Self { bytes: record.text.map_or(0, <[u8]>::len), case, seconds, digits }
    }
}

#[cfg(test)]
mod tests {
    use getcases::Snapshot;

    use super::*;

    fn load(loader: &mut Loader<&Engine>, text: &[u8]) -> Vec<Refused> {
        let mut refused = Vec::new();
        let note = &mut |own| {
            refused.push(own);
            Ok::<_, Error>(())
        };
        loader.read(text, &Options::default(), note).unwrap();
        refused
    }

    fn ids(snapshot: &Snapshot) -> Vec<String> {
        snapshot.cases().map(|case| case.id().to_owned()).collect()
    }

    #[test]
    fn texts_come_in_their_order_and_refusals_too() {
        let engine = Engine::new();
        let mut text = Vec::new();
        for number in 0..5000 {
            let name = if number % 1000 == 999 { "7".to_owned() } else { format!("\"{number}\"") };
            text.extend(format!("{{\"_id\":{name},\"name\":\"a\"}}\n").into_bytes());
        }
        let mut loader = Loader::new(&engine).threads(3);
        let refused = load(&mut loader, &text);
        let lines: Vec<_> = refused.iter().map(|own| own.faults[0].place.line).collect();
        assert_eq!(lines, [1000, 2000, 3000, 4000, 5000]);
        load(&mut loader, b"[{\"_id\":\"1\",\"name\":\"b\",\"createdAt\":1700000000}]");
        let held =
            loader.read(&b"[{\"k\":1},7]"[..], &Options::default(), &mut |_| Ok::<_, Error>(()));
        let held = held.unwrap();
        assert!(held.all_refused() && held.records == 2 && held.outline.keys == ["k"], "{held:?}");
        let Loaded { report, scopes, .. } = loader.finish().unwrap();
        assert_eq!((report.total, report.refused, report.replaced), (5003, 7, 1));
        assert_eq!((report.in_seconds, report.first_in_seconds.unwrap().0), (1, 1));
        let snapshot = engine.snapshot(&scopes.asked().unwrap());
        assert_eq!(snapshot.len(), 4995);
        assert!(snapshot.get("1").unwrap().json().contains("\"b\""));
    }

    #[test]
    fn a_load_goes_on_after_an_error_and_is_lost_where_it_is_dropped() {
        let engine = Engine::new();
        let mut loader = Loader::new(&engine);
        let note = &mut |_| Ok::<_, Error>(());
        let torn = [b"{\"_id\":\"1\"}\n".as_slice(), b"{\"_id\":\"2\"}\n"].concat();
        let torn = zstd::encode_all(&*torn, 1).unwrap();
        let error = loader.read(&torn[..torn.len() - 3], &Options::default(), note);
        assert!(error.is_err());
        assert!(loader.read(&b"PAR1"[..], &Options::default(), note).is_err());
        loader.read(&b"{\"_id\":\"3\"}\n"[..], &Options::default(), note).unwrap();
        let Loaded { report, scopes, .. } = loader.finish().unwrap();
        let snapshot = engine.snapshot(&scopes.asked().unwrap());
        assert_eq!(snapshot.len() as u64, report.total);
        assert!(snapshot.get("3").is_some());

        let engine = Engine::new();
        let mut loader = Loader::new(&engine);
        loader.read(&b"{\"_id\":\"1\"}\n"[..], &Options::default(), note).unwrap();
        drop(loader);
        assert!(engine.scopes().is_empty());
    }

    #[test]
    fn an_error_of_who_hears_of_refusals_ends_the_load() {
        let engine = Engine::new();
        let mut loader = Loader::new(&engine);
        let stop = &mut |_| Err(Error::Usage("enough".to_owned()));
        let text: &[u8] = b"{\"_id\":\"1\"}\n{}\n{\"_id\":\"2\"}\n";
        let error = loader.read(text, &Options::default(), stop).unwrap_err();
        assert_eq!(error.to_string(), "enough");
    }

    /// The ids of each scope, once some texts are loaded into an engine.
    fn loaded(engine: &Engine, texts: &[&str]) -> (Vec<(String, Vec<String>)>, u64) {
        let mut loader = Loader::new(engine);
        for text in texts {
            load(&mut loader, text.as_bytes());
        }
        let report = loader.finish().unwrap().report;
        let scopes = engine.scopes().into_iter().map(|scope| {
            let ids = ids(&engine.snapshot(&scope));
            (format!("{}/{}", scope.account(), scope.stream()), ids)
        });
        (scopes.collect(), report.replaced)
    }

    fn own(scope: &str, own: &[&str]) -> (String, Vec<String>) {
        (scope.to_owned(), own.iter().map(|id| (*id).to_owned()).collect())
    }

    const A: &str = r#"{"_id":"a","accountId":"a","iId":"s"}"#;
    const B: &str = r#"{"_id":"b","accountId":"b","iId":"s"}"#;
    const NONE: &str = r#"{"_id":"n"}"#;

    #[test]
    fn cases_without_a_scope_belong_where_all_others_do_in_any_order() {
        for texts in [[NONE, A], [A, NONE]] {
            assert_eq!(loaded(&Engine::new(), &texts).0, [own("a/s", &["a", "n"])]);
        }
        for texts in [[NONE, A, B], [A, NONE, B], [A, B, NONE], [B, A, NONE]] {
            let right = [own("-/s", &["n"]), own("a/s", &["a"]), own("b/s", &["b"])];
            assert_eq!(loaded(&Engine::new(), &texts).0, right, "{texts:?}");
        }
        // Some name a part of their scope.
        let (p, r) = (r#"{"_id":"p","accountId":"a"}"#, r#"{"_id":"r","accountId":"b"}"#);
        for texts in [[p, NONE, r, A], [A, p, NONE, r], [r, p, A, NONE]] {
            let right = [own("-/s", &["n"]), own("a/s", &["a", "p"]), own("b/s", &["r"])];
            assert_eq!(loaded(&Engine::new(), &texts).0, right, "{texts:?}");
        }
    }

    #[test]
    fn a_case_that_names_its_scope_stays_beside_one_that_does_not() {
        let (named, other) = (r#"{"_id":"x","accountId":"a","iId":"s"}"#, r#"{"_id":"x"}"#);
        for texts in [[named, other, B], [other, named, B], [B, other, named]] {
            let right = [own("-/s", &["x"]), own("a/s", &["x"]), own("b/s", &["b"])];
            assert_eq!(loaded(&Engine::new(), &texts), (right.into(), 0), "{texts:?}");
        }
        for texts in [[named, other], [other, named]] {
            let engine = Engine::new();
            assert_eq!(loaded(&engine, &texts), (vec![own("a/s", &["x"])], 1));
            let kept = engine.snapshot(&Scope::new("a", "s")).get("x").unwrap();
            assert_eq!(kept.json(), named);
        }
    }

    #[test]
    fn more_cases_than_a_batch_are_moved_by_their_scopes_alone() {
        let case = |id: usize| format!("{{\"_id\":\"{id}\",\"accountId\":\"a\",\"iId\":\"s\"}}\n");
        let mut text: String = (0..=BATCH).map(case).collect();
        text += NONE;
        let (scopes, _) = loaded(&Engine::new(), &[&text, B]);
        let counts: Vec<_> = scopes.iter().map(|(scope, ids)| (&**scope, ids.len())).collect();
        assert_eq!(counts, [("-/s", 1), ("a/s", BATCH + 1), ("b/s", 1)]);
    }

    #[test]
    fn what_was_there_before_a_load_stays_where_it_is() {
        let engine = Engine::new();
        for (account, stream, id) in [("-", "-", "old"), ("x", "y", "mine"), ("a", "s", "theirs")] {
            let scope = Scope::new(account, stream);
            engine.write(|batch| batch.upsert(&scope, format!("{{\"_id\":\"{id}\"}}"))).unwrap();
        }
        let right = [
            own("-/-", &["n", "old"]),
            own("a/s", &["a", "theirs"]),
            own("b/s", &["b"]),
            own("x/y", &["mine"]),
        ];
        assert_eq!(loaded(&engine, &[NONE, A, B]).0, right);
    }
}
