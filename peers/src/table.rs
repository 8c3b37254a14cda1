//! The figures side by side.

use comfy_table::{CellAlignment, Table, presets};

use crate::report::{Figures, Measured, OWN, Of, Report};

/// Under this many times as fast as the fastest database is told besides.
const MODEST: f64 = 25.0;

/// All tables of a report.
#[must_use]
pub fn print(report: &Report) -> String {
    let shuffled = if report.shuffle { ", loaded in random order" } else { "" };
    let mut text = format!("{} cases, seed {}{shuffled}\n\n", report.cases, report.seed);
    text += &loads(report);
    for of in Of::ALL {
        let title = match of {
            Of::Fixed => "The 17 classes",
            Of::Variants => "The 17 classes with other values: over the medians of their bodies",
            Of::More => "More classes: over the medians of their bodies",
        };
        let classes = report.group(of);
        if !classes.is_empty() {
            text += &format!("\n\n{title}: median µs (p99)\n\n{}\n", figures(report, &classes));
            text += &summaries(report, of, &classes);
        }
    }
    text
}

fn loads(report: &Report) -> String {
    let mut table = empty();
    table.set_header(["peer", "load s", "bytes a case", "what it is"]);
    for peer in &report.peers {
        let seconds = format!("{:.1}", peer.load_ms as f64 / 1e3);
        let bytes = peer.bytes_per_case.to_string();
        table.add_row([&peer.name, &seconds, &bytes, &peer.about]);
    }
    table.to_string()
}

fn empty() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table
}

fn figures(report: &Report, classes: &[Measured]) -> String {
    let names: Vec<_> = report.peers.iter().map(|peer| peer.name.as_str()).collect();
    let mut table = empty();
    let mut header = vec!["class", "total"];
    header.extend(&names);
    header.extend(["fastest database", "roaring", "scan"]);
    table.set_header(header);
    for class in classes {
        let mut row = vec![class.class.clone(), class.total.to_string()];
        row.extend(names.iter().map(|name| cell(class, name)));
        row.push(fastest(class));
        row.extend(["roaring", "scan"].map(|name| class.ratio(name).map_or(String::new(), times)));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn cell(class: &Measured, peer: &str) -> String {
    let outcome = class.outcomes.iter().find(|outcome| outcome.peer == peer);
    match outcome.map(|outcome| (outcome.figures, &outcome.reason)) {
        Some((Some(Figures { median_ns, p99_ns, .. }), _)) => {
            format!("{} ({})", micros(median_ns), micros(p99_ns))
        }
        Some((None, Some(reason))) => format!("n/a: {reason}"),
        _ => "n/a".to_owned(),
    }
}

fn micros(ns: u64) -> String {
    let micros = ns as f64 / 1e3;
    if micros < 100.0 { format!("{micros:.1}") } else { format!("{micros:.0}") }
}

/// Two digits that say something, for gains and losses alike.
#[must_use]
pub fn times(ratio: f64) -> String {
    let digits = match ratio {
        ..0.1 => 3,
        ..1.0 => 2,
        ..10.0 => 1,
        _ => 0,
    };
    format!("{ratio:.digits$}×")
}

fn fastest(class: &Measured) -> String {
    let fastest = class.fastest();
    fastest.map_or(String::new(), |(name, ratio)| format!("{} {name}", times(ratio)))
}

/// One class in one line, as soon as it is measured.
#[must_use]
pub fn line(class: &Measured) -> String {
    let own = class.median(OWN).map_or(String::new(), micros);
    format!("{}: {own} µs, {}", class.class, fastest(class))
}

fn summaries(report: &Report, of: Of, classes: &[Measured]) -> String {
    let mut text = String::new();
    for sum in report.summaries(of) {
        let (mean, worst) = (times(sum.mean), times(sum.worst));
        text += &format!("\nagainst {}: geometric mean {mean}, ", sum.against);
        text += &format!("worst {worst} ({}), losses: ", sum.worst_class);
        let losses = sum.losses.iter().map(|(class, ratio)| format!("{class} {}", times(*ratio)));
        let losses: Vec<_> = losses.collect();
        text += &if losses.is_empty() { "none".to_owned() } else { losses.join(", ") };
    }
    let modest: Vec<_> = classes
        .iter()
        .filter_map(|class| Some((class, class.fastest()?)))
        .filter(|(_, (_, ratio))| *ratio < MODEST)
        .map(|(class, _)| format!("{} {}", class.class, fastest(class)))
        .collect();
    text += &format!("\nunder {MODEST}× of the fastest database: {}\n", modest.join(", "));
    text
}
