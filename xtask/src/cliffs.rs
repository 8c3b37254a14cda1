//! Degenerate scopes crossed with random requests: each answer held against the oracle, each cost
//! against its bound.

use anyhow::bail;
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;

use crate::cost::{Figure, drawn};
use crate::counting::alone;

/// How many of the worst scopes are printed for each figure that is over its bound.
const SHOWN: usize = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many scopes.
    #[arg(long, value_name = "N", default_value_t = 100)]
    n: u64,
    /// What they are drawn by; a scope's own seed is this one and its number.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many cases a scope has.
    #[arg(long, value_name = "C", default_value_t = 20_000)]
    cases: u64,
    /// How many requests are asked of each.
    #[arg(long, value_name = "R", default_value_t = 100)]
    requests: u64,
    /// End with one JSON object.
    #[arg(long)]
    json: bool,
}

/// The worst case of a figure in one scope.
struct Worst {
    ratio: f64,
    what: &'static str,
    figure: u64,
    bound: u64,
    seed: u64,
    body: String,
    recipe: String,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let bar = ProgressBar::new(args.n);
    let (worst, different) = (Mutex::new(Vec::new()), Mutex::new(0));
    (args.seed..args.seed + args.n).into_par_iter().for_each(|seed| {
        let (own, differences) = alone(|| scope(args, seed));
        for difference in &differences {
            bar.suspend(|| eprintln!("seed {seed}: {}", cut(difference, 4000)));
        }
        if let (Ok(mut worst), Ok(mut different)) = (worst.lock(), different.lock()) {
            worst.extend(own);
            *different += differences.len();
        }
        bar.inc(1);
    });
    bar.finish_and_clear();
    let mut worst = worst.into_inner().unwrap_or_default();
    let different = different.into_inner().unwrap_or_default();
    worst.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    let over = worst.iter().filter(|worst| worst.ratio > 1.0).count();
    let mut times: HashMap<&str, usize> = HashMap::new();
    // Of each figure the worst, whether it is over or not.
    worst.retain(|Worst { what, ratio, .. }| {
        let times = times.entry(what).or_default();
        *times += 1;
        *times == 1 || *ratio > 1.0 && *times <= SHOWN
    });
    if args.json {
        let shown = worst.iter().map(|worst| {
            let Worst { ratio, what, figure, bound, seed, body, recipe } = worst;
            json!({"ratio": ratio, "what": what, "figure": figure, "bound": bound, "seed": seed,
                "body": body, "recipe": recipe})
        });
        let shown: Vec<Value> = shown.collect();
        println!("{}", json!({"over": over, "different": different, "worst": shown}));
    } else {
        for worst in &worst {
            let Worst { ratio, what, figure, bound, seed, body, recipe } = worst;
            println!("{ratio:.2} {what}: {figure} of {bound}; seed {seed}\n  {body}\n  {recipe}");
        }
        println!("{} scopes, {over} figures over, {different} answers different", args.n);
    }
    if over > 0 || different > 0 {
        bail!("a cost is over its bound, or an answer is wrong");
    }
    Ok(())
}

/// The worst of each figure in one scope, and where engine and oracle differ.
fn scope(args: &Args, seed: u64) -> (Vec<Worst>, Vec<String>) {
    let mut worst = Vec::new();
    let (recipe, differences) = drawn(seed, args.cases, args.requests, |body, figures| {
        note(&mut worst, figures, seed, body);
    });
    let recipe = format!("{recipe:?}");
    worst.iter_mut().for_each(|worst: &mut Worst| worst.recipe.clone_from(&recipe));
    (worst, differences)
}

/// Keeps the greatest ratio of each figure.
fn note(worst: &mut Vec<Worst>, figures: &[Figure], seed: u64, body: &str) {
    for (what, figure, bound) in figures {
        let ratio = *figure as f64 / (*bound).max(1) as f64;
        let own = worst.iter().position(|worst| worst.what == *what);
        if own.is_some_and(|own| worst[own].ratio >= ratio) {
            continue;
        }
        let noted = Worst {
            ratio,
            what,
            figure: *figure,
            bound: *bound,
            seed,
            body: cut(body, 300),
            recipe: String::new(),
        };
        match own {
            Some(own) => worst[own] = noted,
            None => worst.push(noted),
        }
    }
}

fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}
