//! The medians as a picture: a row a class, a mark a peer, on a logarithmic scale.
//!
//! Written out by hand: a few shapes of SVG, the same on every machine, with no font to measure.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::report::{Measured, OWN, Of, Report};
use crate::table::times;

const WIDTH: f64 = 1110.0;
const LEFT: f64 = 350.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 118.0;
const ROW: f64 = 26.0;
/// Powers of ten, of nanoseconds: 0.1 µs to 10 s.
const DECADES: (i32, i32) = (2, 10);
/// The peers, each with its colour. They stand apart for colour-blind readers too.
const COLOURS: [(&str, &str); 7] = [
    ("getcases", "#0b6e4f"),
    ("SQLite", "#2f6fb7"),
    ("SQLite, tuned", "#8fb8de"),
    ("Tantivy", "#d1495b"),
    ("DuckDB", "#e8a200"),
    ("roaring", "#7b5ea7"),
    ("scan", "#5c6770"),
];

/// Writes a picture beside the figures' file for each group of classes.
///
/// # Errors
/// Where a picture cannot be written.
pub fn write(report: &Report, figures: &Path) -> anyhow::Result<()> {
    let groups = [(Of::Fixed, ""), (Of::Variants, "-variants"), (Of::More, "-more")];
    for (of, ending) in groups {
        let classes = report.group(of);
        if classes.is_empty() {
            continue;
        }
        let stem = figures.file_stem().unwrap_or_default().to_string_lossy();
        let file = figures.with_file_name(format!("{stem}{ending}.svg"));
        fs::write(&file, draw(report, &classes))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// The decades that the medians need.
fn decades(classes: &[Measured]) -> (i32, i32) {
    let outcomes = classes.iter().flat_map(|class| &class.outcomes);
    let medians = outcomes.filter_map(|outcome| Some(outcome.figures?.median_ns.max(1)));
    let logs: Vec<f64> = medians.map(|median| (median as f64).log10()).collect();
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min).floor() as i32;
    let most = logs.iter().copied().fold(0.0, f64::max).ceil() as i32;
    (least.max(DECADES.0), most.min(DECADES.1).max(least + 1))
}

fn draw(report: &Report, classes: &[Measured]) -> String {
    let bottom = TOP + classes.len() as f64 * ROW;
    let height = bottom + 52.0;
    let (least, most) = decades(classes);
    let across = |ns: f64| {
        let part = (ns.log10() - f64::from(least)) / f64::from(most - least);
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    };
    let mut svg = head(report, height);
    for decade in least..=most {
        let x = across(10_f64.powi(decade));
        svg += &rect(x, TOP, 1.0, bottom - TOP, "#d9dee3", 1.0);
        svg += &text(x, bottom + 20.0, "axis middle", &unit(decade));
    }
    for (at, class) in classes.iter().enumerate() {
        row(&mut svg, class, TOP + at as f64 * ROW, at % 2 == 0, &across);
    }
    let note = "× = how many times getcases' time the fastest of SQLite, Tantivy and DuckDB takes";
    svg += &text(LEFT, height - 8.0, "axis", note);
    svg + "</svg>\n"
}

const STYLE: &str = r#"<style>
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2933 }
.title { font-size: 20px; font-weight: 600 }
.note { font-size: 13px; fill: #52606d }
.class { font-size: 13px }
.axis { font-size: 12px; fill: #52606d }
.ratio { font-size: 13px; font-weight: 600 }
.loss { fill: #b00020 }
.middle { text-anchor: middle }
.end { text-anchor: end }
</style>
"#;

fn head(report: &Report, height: f64) -> String {
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"
width="{WIDTH}" height="{height}">
{STYLE}"#
    );
    svg += &rect(0.0, 0.0, WIDTH, height, "#ffffff", 1.0);
    svg += &text(24.0, 34.0, "title", "One page of 50 and the exact total");
    let shuffled = if report.shuffle { " loaded in random order" } else { "" };
    let note = format!(
        "{} made cases{shuffled}, median of each query, one thread, {}; further left is faster",
        thousands(report.cases),
        report.machine.cpu
    );
    svg += &text(24.0, 56.0, "note", &note);
    let mut x = LEFT;
    for (name, colour) in COLOURS {
        if report.peers.iter().any(|peer| peer.name == name) {
            svg += &mark(name, colour, x + 6.0, 85.5);
            svg += &text(x + 18.0, 90.0, "class", name);
            x += 46.0 + 8.0 * name.len() as f64;
        }
    }
    svg
}

fn row(svg: &mut String, class: &Measured, y: f64, is_shaded: bool, across: &impl Fn(f64) -> f64) {
    let middle = y + ROW / 2.0;
    if is_shaded {
        *svg += &rect(12.0, y, WIDTH - 24.0, ROW, "#000000", 0.03);
    }
    *svg += &text(LEFT - 14.0, middle + 4.5, "class end", &class.class);
    if let Some(own) = class.median(OWN) {
        *svg += &rect(LEFT, middle - 4.0, across(own as f64) - LEFT, 8.0, COLOURS[0].1, 0.28);
    }
    for (name, colour) in COLOURS.into_iter().rev() {
        if let Some(median) = class.median(name) {
            *svg += &mark(name, colour, across(median as f64), middle);
        }
    }
    if let Some((name, ratio)) = class.fastest() {
        let style = if ratio < 1.0 { "ratio loss" } else { "ratio" };
        let x = WIDTH - RIGHT + 70.0;
        *svg += &text(x, middle + 4.5, &format!("{style} end"), &times(ratio));
        *svg += &text(x + 8.0, middle + 4.5, "axis", name);
    }
}

fn text(x: f64, y: f64, class: &str, content: &str) -> String {
    let content = escape(content);
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{content}</text>\n")
}

fn rect(x: f64, y: f64, width: f64, height: f64, colour: &str, opacity: f64) -> String {
    format!(
        r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"
opacity="{opacity}"/>
"#
    )
}

/// Databases are round, getcases is a diamond, the two plain designs are square.
fn mark(name: &str, colour: &str, x: f64, y: f64) -> String {
    let style = format!(r#"fill="{colour}" stroke="white""#);
    let shape = match name {
        "getcases" => format!(r#"<path d="M{:.1} {y:.1}l7 -7l7 7l-7 7z" {style}/>"#, x - 7.0),
        "roaring" | "scan" => {
            let (x, y) = (x - 4.5, y - 4.5);
            format!(r#"<rect x="{x:.1}" y="{y:.1}" width="9" height="9" {style}/>"#)
        }
        _ => format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="5.5" {style}/>"#),
    };
    shape + "\n"
}

fn unit(decade: i32) -> String {
    let (power, unit) = match decade {
        ..3 => (decade, "ns"),
        3..6 => (decade - 3, "µs"),
        6..9 => (decade - 6, "ms"),
        _ => (decade - 9, "s"),
    };
    format!("{} {unit}", 10_i64.pow(power.max(0) as u32))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
