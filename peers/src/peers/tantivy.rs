//! Tantivy in memory: one segment, terms and fast fields, one thread, exact counts.
//!
//! Text is a field of all grams of one to three code points. A needle of up to three is one term,
//! exactly; a longer one is the conjunction of its trigrams, and each case that has them all is
//! verified against its text, which is held beside the index.
//!
//! Pages come from fast fields, never from the documents' own order: an update adds a document
//! anew at the end, so that order is none of created dates in a store that lives.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use getcases_plain::{By, Keyed};
use memchr::memmem::Finder;
use tantivy::columnar::ColumnValues;
use tantivy::directory::RamDirectory;
use tantivy::indexer::NoMergePolicy;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, EnableScoring, Occur, Query, RangeQuery, TermQuery,
    TermSetQuery, Weight,
};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{NgramTokenizer, TextAnalyzer};
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, Term};

use crate::ask::{Ask, Coded};
use crate::peer::{Found, Page, Peer, Ready};
use crate::rows::Rows;
use crate::sql;
use crate::top::Top;

/// Code points of the longest gram.
const GRAM: usize = 3;
/// What a thread gathers before it writes a segment.
const BUDGET: usize = 2_000_000_000;
/// As many terms as a union is quicker with than a set.
const UNION: usize = 16;

/// The fields that filters look terms up in.
#[derive(Clone, Copy, Debug)]
struct Fields {
    status: Field,
    priority: Field,
    channel: Field,
    unresolved: Field,
    unassigned: Field,
    queue: Field,
    assignee: Field,
    number: Field,
    grams: Field,
    ranks: [Field; 9],
}

/// A searcher over one segment.
pub struct Tantivy<'r> {
    searcher: Searcher,
    fields: Fields,
    rows: &'r Rows,
    /// The number of each document.
    numbers: Arc<dyn ColumnValues<u64>>,
    ranks: Vec<Arc<dyn ColumnValues<u64>>>,
}

impl Fields {
    fn new() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let term = || NumericOptions::default() | INDEXED;
        let grams = TextFieldIndexing::default()
            .set_tokenizer("grams")
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let fields = Self {
            status: schema.add_u64_field("status", term()),
            priority: schema.add_u64_field("priority", term()),
            channel: schema.add_u64_field("channel", term()),
            unresolved: schema.add_u64_field("unresolved", term()),
            unassigned: schema.add_u64_field("unassigned", term()),
            queue: schema.add_u64_field("queue", term()),
            assignee: schema.add_u64_field("assignee", term()),
            number: schema.add_u64_field("number", FAST),
            grams: schema
                .add_text_field("grams", TextOptions::default().set_indexing_options(grams)),
            ranks: By::ALL.map(|by| schema.add_u64_field(sql::column(by), FAST)),
        };
        (schema.build(), fields)
    }

    fn document(&self, rows: &Rows, number: u32) -> TantivyDocument {
        let at = number as usize;
        let mut document = TantivyDocument::default();
        document.add_u64(self.status, rows.status.column[at].into());
        document.add_u64(self.priority, rows.priority.column[at].into());
        document.add_u64(self.channel, rows.channel.column[at].into());
        document.add_u64(self.unresolved, rows.unresolved[at].into());
        document.add_u64(self.unassigned, rows.unassigned[at].into());
        for queue in rows.queues[at].into_iter().filter(|queue| *queue > 0) {
            document.add_u64(self.queue, queue.into());
        }
        document.add_u64(self.assignee, rows.assignee.column[at].into());
        document.add_u64(self.number, number.into());
        document.add_text(self.grams, rows.texts(number));
        for (by, field) in By::ALL.into_iter().zip(self.ranks) {
            document.add_u64(field, rows.rank(by, number).into());
        }
        document
    }

    /// The conditions of a request, but for what is verified; nothing where there are none.
    fn query(&self, ask: &Ask) -> Option<Box<dyn Query>> {
        let mut all: Vec<Box<dyn Query>> = Vec::new();
        all.extend(ask.request.unresolved.then(|| any(self.unresolved, &[1_u8])));
        all.extend(ask.request.unassigned.then(|| any(self.unassigned, &[1_u8])));
        all.extend(ask.status.as_ref().map(|codes| any(self.status, codes)));
        all.extend(ask.priority.as_ref().map(|codes| any(self.priority, codes)));
        all.extend(ask.channel.as_ref().map(|codes| any(self.channel, codes)));
        all.extend(ask.queues.as_ref().map(|codes| any(self.queue, codes)));
        all.extend(ask.assignee.as_ref().map(|codes| any(self.assignee, codes)));
        all.extend(ask.numbers.as_ref().map(|numbers| range(self.number, numbers)));
        all.extend(ask.due.as_ref().map(|due| range(self.ranks[By::Due as usize], due)));
        let grams = ask.text.as_ref().map(|text| grams(text)).unwrap_or_default();
        all.extend(grams.iter().map(|gram| term(Term::from_field_text(self.grams, gram))));
        all.extend(ask.filter.as_ref().map(|filter| self.tree(filter)));
        match all.len() {
            0 | 1 => all.pop(),
            _ => Some(Box::new(BooleanQuery::intersection(all))),
        }
    }
}

impl Fields {
    /// A filter, whose texts are no longer than a gram.
    fn tree(&self, filter: &Coded) -> Box<dyn Query> {
        let all = |parts: &[Coded]| parts.iter().map(|part| self.tree(part)).collect();
        match filter {
            Coded::And(parts) => Box::new(BooleanQuery::intersection(all(parts))),
            Coded::Or(parts) => Box::new(BooleanQuery::union(all(parts))),
            Coded::Not(inner) => Box::new(BooleanQuery::new(vec![
                (Occur::Must, Box::new(AllQuery)),
                (Occur::MustNot, self.tree(inner)),
            ])),
            Coded::Codes(column, codes) => {
                let field = match column {
                    Keyed::Status => self.status,
                    Keyed::Priority => self.priority,
                    Keyed::Channel => self.channel,
                    Keyed::Queue => self.queue,
                    Keyed::Assignee => self.assignee,
                };
                any(field, codes)
            }
            Coded::Unresolved => any(self.unresolved, &[1_u8]),
            Coded::Unassigned => any(self.unassigned, &[1_u8]),
            Coded::Text(text) => term(Term::from_field_text(self.grams, text)),
            Coded::Created(numbers, _) => range(self.number, numbers),
            Coded::Due(ranks) => range(self.ranks[By::Due as usize], ranks),
        }
    }
}

fn term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn any<C: Copy + Into<u64>>(field: Field, codes: &[C]) -> Box<dyn Query> {
    let mut terms = codes.iter().map(|code| Term::from_field_u64(field, (*code).into()));
    match codes.len() {
        0 => Box::new(EmptyQuery),
        1 => terms.next().map_or(Box::new(EmptyQuery), term),
        2..=UNION => Box::new(BooleanQuery::union(terms.map(term).collect())),
        _ => Box::new(TermSetQuery::new(terms)),
    }
}

fn range(field: Field, range: &std::ops::Range<u32>) -> Box<dyn Query> {
    let bound = |value: u32| Term::from_field_u64(field, value.into());
    Box::new(RangeQuery::new(
        Bound::Included(bound(range.start)),
        Bound::Excluded(bound(range.end)),
    ))
}

fn has_long_text(filter: &Coded) -> bool {
    match filter {
        Coded::And(parts) | Coded::Or(parts) => parts.iter().any(has_long_text),
        Coded::Not(inner) => has_long_text(inner),
        Coded::Text(text) => text.chars().count() > GRAM,
        _ => false,
    }
}

/// The needle itself, or its trigrams.
fn grams(text: &str) -> BTreeSet<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(letters.len().min(GRAM)).map(|gram| gram.iter().collect()).collect()
}

impl<'r> Tantivy<'r> {
    /// Adds every case, then merges what was written into one segment.
    ///
    /// # Errors
    /// Where Tantivy fails.
    pub fn load(rows: &'r Rows) -> Result<Self> {
        let (schema, fields) = Fields::new();
        let index = Index::builder().schema(schema).open_or_create(RamDirectory::create())?;
        let grams = NgramTokenizer::new(1, GRAM, false)?;
        index.tokenizers().register("grams", TextAnalyzer::from(grams));
        let mut writer: IndexWriter = index.writer_with_num_threads(1, BUDGET)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for number in &rows.order {
            writer.add_document(fields.document(rows, *number))?;
        }
        writer.commit()?;
        let reader = index.reader()?;
        let mut segments = Vec::new();
        for segment in reader.searcher().segment_readers() {
            let first = segment.fast_fields().u64("number")?.values.get_val(0);
            segments.push((first, segment.segment_id()));
        }
        if segments.len() > 1 {
            // The oldest cases first, as they came.
            segments.sort_unstable_by(|a, b| b.cmp(a));
            let segments: Vec<_> = segments.into_iter().map(|(_, segment)| segment).collect();
            writer.merge(&segments).wait()?;
        }
        writer.garbage_collect_files().wait()?;
        writer.wait_merging_threads()?;
        reader.reload()?;
        let searcher = reader.searcher();
        ensure!(searcher.segment_readers().len() == 1, "more than one segment");
        let fast = searcher.segment_reader(0).fast_fields();
        let ranks = By::ALL.map(|by| fast.u64(sql::column(by)).map(|column| column.values));
        Ok(Self {
            numbers: fast.u64("number")?.values,
            ranks: ranks.into_iter().collect::<Result<_, _>>()?,
            fields,
            rows,
            searcher,
        })
    }

    fn weight(&self, query: &dyn Query) -> Result<Box<dyn Weight>> {
        Ok(query.weight(EnableScoring::disabled_from_searcher(&self.searcher))?)
    }

    /// By the index alone, where no page is asked.
    fn count(&self, query: Option<&dyn Query>) -> Result<Found<'_>> {
        let reader = self.searcher.segment_reader(0);
        let total = match query {
            None => reader.max_doc(),
            Some(query) => self.weight(query)?.count(reader)?,
        };
        Ok(Found { total: total.into(), page: Page::Numbers(Vec::new()) })
    }

    /// Every match looked at, the best ones kept.
    fn gathered(
        &self,
        query: &dyn Query,
        verify: Option<&Finder<'_>>,
        ask: &Ask,
    ) -> Result<Found<'_>> {
        let reader = self.searcher.segment_reader(0);
        let ranks = &self.ranks[ask.request.by as usize];
        let mut top = Top::new(ask.end().min(self.rows.len() as u64) as usize);
        let mut total = 0;
        let mut keys = Vec::new();
        self.weight(query)?.for_each_no_score(reader, &mut |documents| {
            keys.resize(documents.len(), 0);
            ranks.get_vals(documents, &mut keys);
            for (key, document) in keys.iter().zip(documents) {
                let has = |f: &Finder<'_>| {
                    let number = self.numbers.get_val(*document) as u32;
                    f.find(self.rows.texts(number).as_bytes()).is_some()
                };
                if verify.is_some_and(|finder| !has(finder)) {
                    continue;
                }
                total += 1;
                let key = ask.key(*key as u32);
                if !top.excludes(key) {
                    top.push(key, self.numbers.get_val(*document) as u32);
                }
            }
        })?;
        Ok(Found { total, page: Page::Numbers(top.page(ask)) })
    }
}

impl Peer for Tantivy<'_> {
    fn name(&self) -> &'static str {
        "Tantivy"
    }

    fn about(&self) -> String {
        let version = tantivy::version_string();
        format!("{version}, in memory; one segment, grams of 1 to 3, fast fields, exact count")
    }

    fn prepare<'p>(&'p self, ask: &'p Ask) -> Result<Ready<'p>> {
        if ask.filter.as_ref().is_some_and(has_long_text) {
            return Ok(Ready::No("a text longer than a gram is verified, which a filter cannot"));
        }
        let query = self.fields.query(ask);
        let long = ask.text.as_ref().filter(|text| text.chars().count() > GRAM);
        let verify = long.map(|text| Finder::new(text.as_bytes()));
        Ok(Ready::run(move || {
            if ask.request.limit == 0 && verify.is_none() {
                return self.count(query.as_deref());
            }
            let query = query.as_deref().unwrap_or(&AllQuery);
            self.gathered(query, verify.as_ref(), ask).context("Tantivy fails")
        }))
    }
}
