//! A request as a value of a program, without JSON, and how it is understood:
//! `cargo run --release -p getcases-examples --bin typed`
#![allow(clippy::print_stdout)]

use std::error::Error;

use getcases::Comparison::{Gte, Lt};
use getcases::{Context, Engine, Filter, FilterField, Query, Request, Scope};

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::new();
    let desk = Scope::new("account", "stream");
    engine.write(|batch| {
        [
            r#"{"_id":"1","name":"Late delivery","status":"Open","dueDate":"2025-05-29"}"#,
            r#"{"_id":"2","name":"Late again","status":"Open","dueDate":"2025-06-02"}"#,
            r#"{"_id":"3","name":"Late once more","status":"Closed","dueDate":"2025-05-30"}"#,
            r#"{"_id":"4","name":"Broken screen","status":"New"}"#,
        ]
        .iter()
        .try_for_each(|case| batch.upsert(&desk, case))
    })?;

    let in_may = Filter::due([Gte("2025-05-01".parse()?), Lt("2025-06-01".parse()?)]);
    let request = Request {
        unresolved: true,
        filter: Some(in_may | Filter::missing(FilterField::Due)),
        sort_by: vec!["dueDate".parse()?, "name".parse()?],
        ..Request::default()
    };
    // What can be wrong is wrong here; what is asked afterwards has an answer.
    let query = Query::new(&request, &Context::default())?;
    let snapshot = engine.snapshot(&desk);
    let page = snapshot.search(&query);
    println!("{} unresolved cases are due in May, or have no due date:", page.total_results);
    for document in &page.results {
        println!("  {document}");
    }
    println!("\n{}", snapshot.explain(&query));

    let wrong = Request { page: Some(2), skip: Some(10), ..request };
    if let Err(refusal) = Query::new(&wrong, &Context::default()) {
        println!("refused: {refusal}");
    }
    Ok(())
}
