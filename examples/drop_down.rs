//! What stands in a desk's drop-downs, each value with its exact count:
//! `cargo run --release -p getcases-examples --bin drop_down`
#![allow(clippy::print_stdout)]

use std::error::Error;

use getcases::{Engine, Scope, ValueField};
use getcases_workload::{Shape, Workload};

const CASES: u64 = 10_000;
/// How many values of a field are shown.
const SHOWN: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::new();
    let desk = Scope::new("account", "stream");
    let workload = Workload::new(CASES, 1, Shape::Lean);
    engine.write(|batch| {
        let mut document = Vec::new();
        (0..CASES).try_for_each(|number| {
            document.clear();
            workload.write_case(number, &mut document);
            batch.upsert(&desk, &document)
        })
    })?;
    let snapshot = engine.snapshot(&desk);
    for (title, field) in [
        ("Status", ValueField::Status),
        ("Priority", ValueField::Priority),
        ("Channel", ValueField::Channel),
        ("Queue", ValueField::Queue),
        ("Assignee", ValueField::Assignee),
    ] {
        let values = snapshot.values(field);
        println!("{title}");
        for value in values.take(SHOWN) {
            println!("  {:<24} {:>6}", value.shown, value.count);
        }
    }
    Ok(())
}
