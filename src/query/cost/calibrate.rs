//! Measures what the steps of a query cost, beside what choices take them for.
//!
//! `cargo test --release -p getcases --lib calibrate -- --ignored --nocapture` prints a table, in
//! nanoseconds: the least of some rounds over segments of 65,536 made cases, one after the other,
//! so that memory is about as near as in a question over a scope of them.

use std::hint::black_box;
use std::time::Instant;

use super::*;
use crate::case::Case;
use crate::contract::{Direction, SortField};
use crate::index::{BitSet, Change, Field, Index, PostingList, Segment};
use crate::query::access_path::PredicateSet;
use crate::query::docset::{DocSet, Form, SegmentMatches};
use crate::query::interval::Interval;
use crate::query::listed::Listed;
use crate::query::made::{index_of, query};
use crate::query::merge::calibrate::{gathered, walked};
use crate::query::plan::Plan;
use crate::query::residual;
use crate::query::value_range::ValueRange;
use crate::threads::Pool;

/// How many cases; and how often each step is measured, the least of which counts.
const CASES: u64 = 4 << 16;
const ROUNDS: usize = 5;

fn index() -> Index {
    let workload = getcases_workload::Workload::new(CASES, 1, getcases_workload::Shape::Lean);
    let mut case = Vec::new();
    let cases = (0..CASES).map(|number| {
        case.clear();
        workload.write_case(number, &mut case);
        Change::Upsert(Box::new(Case::from_json(&case).unwrap()))
    });
    index_of(cases.collect())
}

/// A table of steps.
struct Table<'i> {
    index: &'i Index,
    pool: Pool,
}

impl<'i> Table<'i> {
    fn plan(&self, body: &str) -> Plan<'_> {
        let query = query(body);
        Plan::new(query.clauses(), query.filter(), self.index, &self.pool)
    }

    /// Prints what one of so many steps takes, which `work` makes in a segment and counts.
    fn row(&self, name: &str, taken: u64, mut work: impl FnMut(&'i Segment) -> usize) {
        let mut least = f64::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let steps: usize = self.index.segments().iter().map(|segment| work(segment)).sum();
            least = least.min(start.elapsed().as_nanos() as f64 / steps.max(1) as f64);
        }
        println!("{name:<16} {taken:>6} {least:>10.2}");
    }
}

/// Slots of a segment that are far from one another, each once.
fn scattered(segment: &Segment) -> Vec<u16> {
    (0..segment.slots()).map(|at| (at * 40_503 % segment.slots()) as u16).collect()
}

#[test]
#[ignore = "measures, and asserts nothing: for whoever changes a cost"]
fn calibrate() {
    let index = index();
    let table = Table { index: &index, pool: Pool::lasting("calibrate", 1) };
    println!("{:<16} {:>6} {:>10}", "step", "taken", "measured");
    signatures(&table);
    lists(&table);
    orders(&table);
    texts(&table);
}

fn signatures(table: &Table<'_>) {
    let open = table.plan(r#"{"status":["open"]}"#);
    let most = table.plan(r#"{"status":["closed"]}"#);
    let mask = open.signatures.run_mask().unwrap();
    let nothing = PredicateSet::default();
    let left = PredicateSet { signatures: true, ..nothing };
    let created = PredicateSet { created: true, ..nothing };
    let test = |segment, left| residual::tested(&open, segment, left, &scattered(segment));
    table.row("CANDIDATE", CANDIDATE, |segment| test(segment, nothing));
    table.row("SIGNATURE_TEST", SIGNATURE_TEST, |segment| test(segment, left));
    table.row("ROW_TEST", ROW_TEST, |segment| test(segment, created));
    table.row("COLUMN_WORD", COLUMN_WORD, |segment| {
        black_box(most.signatures.docs_in(segment));
        segment.slots() / 64
    });
    table.row("CODE_TEST", CODE_TEST, |segment| {
        let order = segment.order(Field::Created);
        let parts = order.parts(order.start(), order.end());
        parts
            .map(|part| {
                black_box(part.codes().iter().filter(|code| mask.codes().has(**code)).count());
                part.codes().len()
            })
            .sum()
    });
    table.row("RUN_SUM", RUN_SUM, |segment| {
        let order = segment.order(Field::Created);
        let parts = order.parts(order.start(), order.end());
        parts
            .map(|part| {
                black_box(mask.count_part(&part));
                1
            })
            .sum()
    });
}

fn lists(table: &Table<'_>) {
    let insert = |list: &PostingList, set: &mut BitSet| {
        list.each(|slot| set.insert(slot));
        list.len() as usize
    };
    table.row("LIST", LIST, |segment| {
        let mut set = BitSet::default();
        let values: Vec<u32> = (0..2000).collect();
        let lists = Listed::Assignees.among(segment, &values);
        lists
            .map(|list| {
                insert(list, &mut set);
                1
            })
            .sum()
    });
    table.row("INSERT", INSERT, |segment| {
        let mut set = BitSet::default();
        let lists = Listed::Queues.among(segment, &[0, 1, 2, 3]);
        lists.map(|list| insert(list, &mut set)).sum()
    });
    let other = BitSet::up_to(60_000);
    table.row("JOIN", JOIN, |_| {
        let mut set = BitSet::up_to(50_000);
        (0..16).map(|_| black_box(set.intersect(&other))).count()
    });
    let few: BitSet = (0..8).map(|at| at * 8_000).collect();
    table.row("PASS", PASS, |_| {
        (0..16)
            .map(|_| {
                few.each(|slot| {
                    black_box(slot);
                });
            })
            .count()
    });
}

fn orders(table: &Table<'_>) {
    let (index, plan) = (table.index, table.plan(r#"{"status":["open"]}"#));
    let none = table.plan(r#"{"status":["nobody has it"]}"#);
    table.row("SEARCH", SEARCH, |segment| {
        let ranges = (0..64).map(|at| 1_700_000_000_000 + at * 997_000_000);
        ranges
            .map(|at| {
                let range = ValueRange::of_dates(Field::Updated, (at, i64::MAX));
                black_box(range.positions(index.catalog(), segment));
            })
            .count()
    });
    let created = (SortField::Created, Direction::Desc);
    let empty =
        |segment| SegmentMatches { segment, form: Form::Bitmap(BitSet::default()), count: 0 };
    table.row("SLOT_BY_CODE", SLOT_BY_CODE, |segment| {
        walked(&none, DocSet::of_signatures(&none, segment), created)
    });
    table.row("SLOT_BY_TEST", SLOT_BY_TEST, |segment| {
        let found = empty(segment);
        walked(&plan, DocSet::of(&plan, &found), (SortField::Name, Direction::Asc))
    });
    for (name, taken, field) in [
        ("ROWS_REVERSED", ROWS_REVERSED, SortField::Updated),
        ("TEXTS_REVERSED", TEXTS_REVERSED, SortField::Name),
    ] {
        let direction = if field == SortField::Updated { Direction::Asc } else { Direction::Desc };
        table.row(name, taken, |segment| {
            let found = empty(segment);
            walked(&plan, DocSet::of(&plan, &found), (field, direction))
        });
    }
    table.row("GATHER", GATHER, |segment| {
        gathered(
            &plan,
            DocSet::of_signatures(&plan, segment),
            (SortField::Updated, Direction::Desc),
        )
    });
    let whole = |segment: &Segment| {
        let order = segment.order(Field::Created);
        Interval::new(segment, Field::Created, (order.start(), order.end()))
    };
    table.row("LISTED_SLOT", LISTED_SLOT, |segment| {
        let all = table.plan("{}");
        let mut sum = 0;
        whole(segment).unwrap().for_each_of(plan.context(segment), &all.signatures, |slot| {
            sum += usize::from(slot);
        });
        black_box(sum);
        segment.slots()
    });
    table.row("WALKED_SIGNATURE", WALKED_SIGNATURE, |segment| {
        let order = segment.order(Field::Name);
        let slots = order.between(order.start(), order.end());
        let has = |slot: &u16| plan.signatures.has(segment.signature(*slot));
        black_box(slots.filter(has).count());
        segment.slots()
    });
    table.row("WALKED_ROW", WALKED_ROW, |segment| {
        let own = whole(segment).unwrap();
        let order = segment.order(Field::Name);
        let slots = order.between(order.start(), order.end());
        black_box(slots.filter(|slot| own.has(index.catalog(), segment, *slot)).count());
        segment.slots()
    });
}

fn texts(table: &Table<'_>) {
    table.row("TIE", TIE, |segment| {
        let catalog = table.index.catalog();
        let pairs = scattered(segment);
        let pairs = pairs.windows(2).map(|pair| (segment.doc(pair[0]), segment.doc(pair[1])));
        black_box(pairs.filter(|(a, b)| Field::Name.compare(catalog, *a, *b).is_lt()).count());
        segment.slots()
    });
    let plan = table.plan(r#"{"searchText":"refund"}"#);
    let text = plan.text.as_ref().unwrap();
    table.row("TEXT_TEST", TEXT_TEST, |segment| {
        let slots = scattered(segment);
        black_box(slots.iter().filter(|slot| text.is_in(segment.row(**slot))).count());
        slots.len()
    });
    table.row("TERMS: a slot", SLOT, |segment| {
        let mut count = 0;
        let context = plan.context(segment);
        if let Some(crate::query::text::Slots::Many(set)) = text.slots(context, u64::MAX, |_| true)
        {
            count = set.len();
        }
        count
    });
}
