//! Everything that was measured, as it is written to a file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::machine::Machine;
use crate::measure::percentile;

/// The peers whose fastest one getcases is compared with first.
pub const DATABASES: [&str; 3] = ["SQLite", "Tantivy", "DuckDB"];
/// What else the fastest is looked for among, in a summary of its own.
const TUNED: &str = "SQLite, tuned";
/// What everything is compared with.
pub const OWN: &str = "getcases";

/// One run, or several that were merged.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// How many cases.
    pub cases: u64,
    /// What they were drawn by.
    pub seed: u64,
    /// Whether they were loaded in random order.
    pub shuffle: bool,
    /// What was measured on.
    pub machine: Machine,
    /// What was measured.
    pub peers: Vec<Loaded>,
    /// What each class took.
    pub classes: Vec<Measured>,
    /// Sums over the classes; made when the report is written.
    #[serde(default)]
    pub summaries: Vec<Summary>,
}

/// One peer, loaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// As it stands in tables.
    pub name: String,
    /// Its version, and how it is driven.
    pub about: String,
    /// How long its load took.
    pub load_ms: u64,
    /// By how much the process grew.
    pub bytes_per_case: u64,
}

/// Which classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The 17 of the workload.
    Fixed,
    /// The same with other values; made of what is written with the 17.
    Variants,
    /// What they leave out.
    More,
}

impl Of {
    /// Every group, in order.
    pub const ALL: [Self; 3] = [Self::Fixed, Self::Variants, Self::More];
}

/// One class.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Its name.
    pub class: String,
    /// Its group.
    pub of: Of,
    /// The body, or the first of several.
    pub body: String,
    /// Who asks it.
    pub user: Option<String>,
    /// How many bodies were checked and timed.
    pub bodies: usize,
    /// How many cases match the body.
    pub total: u64,
    /// What each peer took, in the order of the peers.
    pub outcomes: Vec<Outcome>,
}

/// One class on one peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Which peer.
    pub peer: String,
    /// Of the body; where a class has no body of its own, over the medians of all its bodies.
    pub figures: Option<Figures>,
    /// Over the medians of the bodies with other values.
    pub variants: Option<Figures>,
    /// Why there are no figures.
    pub reason: Option<String>,
}

/// Nanoseconds from a prepared request to its ids and its total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Half of the samples take no longer.
    pub median_ns: u64,
    /// One in a hundred takes longer.
    pub p99_ns: u64,
    /// How many.
    pub samples: usize,
}

/// What getcases is to the others, over a group of classes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// The group.
    pub of: Of,
    /// Against what.
    pub against: String,
    /// The geometric mean of the ratios.
    pub mean: f64,
    /// The least ratio, below 1 where getcases loses.
    pub worst: f64,
    /// Its class.
    pub worst_class: String,
    /// Each class that getcases loses, with its ratio.
    pub losses: Vec<(String, f64)>,
}

impl Figures {
    /// Of nanoseconds; nothing of none.
    pub fn of(samples: impl Iterator<Item = u64>) -> Option<Self> {
        let samples: Vec<u64> = samples.collect();
        (!samples.is_empty()).then(|| Self {
            median_ns: percentile(samples.clone(), 50),
            p99_ns: percentile(samples.clone(), 99),
            samples: samples.len(),
        })
    }
}

impl Measured {
    /// The median of a peer.
    #[must_use]
    pub fn median(&self, peer: &str) -> Option<u64> {
        let outcome = self.outcomes.iter().find(|outcome| outcome.peer == peer)?;
        Some(outcome.figures?.median_ns.max(1))
    }

    /// How many times as long a peer takes as getcases.
    #[must_use]
    pub fn ratio(&self, peer: &str) -> Option<f64> {
        Some(self.median(peer)? as f64 / self.median(OWN)? as f64)
    }

    /// The fastest of the databases, and how many times as long it takes as getcases.
    #[must_use]
    pub fn fastest(&self) -> Option<(&'static str, f64)> {
        self.fastest_of(&DATABASES)
    }

    fn fastest_of(&self, names: &[&'static str]) -> Option<(&'static str, f64)> {
        let ratios = names.iter().filter_map(|name| Some((*name, self.ratio(name)?)));
        ratios.min_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

impl Report {
    /// A report without figures.
    #[must_use]
    pub fn new(args: &Args, machine: Machine) -> Self {
        Self {
            cases: args.cases,
            seed: args.seed,
            shuffle: args.shuffle,
            machine,
            peers: Vec::new(),
            classes: Vec::new(),
            summaries: Vec::new(),
        }
    }

    /// A report that was written.
    ///
    /// # Errors
    /// Where the file is none.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let about = || format!("cannot read {}", file.display());
        let text = fs::read_to_string(file).with_context(about)?;
        serde_json::from_str(&text).with_context(about)
    }

    /// Takes over the classes of an earlier report that this one has not measured.
    ///
    /// # Errors
    /// Where the file is of other cases, or is no report.
    pub fn merge(&mut self, file: &Path) -> anyhow::Result<()> {
        if !file.exists() {
            return Ok(());
        }
        let mut earlier = Self::read(file)?;
        let own = (self.cases, self.seed, self.shuffle);
        ensure!((earlier.cases, earlier.seed, earlier.shuffle) == own, "figures of other cases");
        for class in self.classes.drain(..) {
            match earlier.classes.iter_mut().find(|known| known.class == class.class) {
                Some(known) => *known = class,
                None => earlier.classes.push(class),
            }
        }
        self.classes = earlier.classes;
        Ok(())
    }

    /// The classes of a group.
    #[must_use]
    pub fn group(&self, of: Of) -> Vec<Measured> {
        let stored = if of == Of::Variants { Of::Fixed } else { of };
        let mut classes: Vec<Measured> =
            self.classes.iter().filter(|class| class.of == stored).cloned().collect();
        if of == Of::Variants {
            for outcome in classes.iter_mut().flat_map(|class| &mut class.outcomes) {
                outcome.figures = outcome.variants;
            }
            classes.retain(|class| class.outcomes.iter().any(|own| own.figures.is_some()));
        }
        classes
    }

    /// The sums over the classes of a group.
    #[must_use]
    pub fn summaries(&self, of: Of) -> Vec<Summary> {
        let others = self.peers.iter().map(|peer| peer.name.as_str()).filter(|name| *name != OWN);
        let [a, b, c] = DATABASES;
        let groups = [
            ("the fastest of SQLite, Tantivy and DuckDB", vec![a, b, c]),
            ("the fastest of these and a tuned SQLite", vec![a, b, c, TUNED]),
        ];
        let groups = groups.iter().filter_map(|(against, names)| {
            let ratio = |class: &Measured| class.fastest_of(names).map(|(_, ratio)| ratio);
            self.summary(of, against, ratio)
        });
        groups.chain(others.filter_map(|name| self.summary(of, name, |c| c.ratio(name)))).collect()
    }

    fn summary(
        &self,
        of: Of,
        against: &str,
        ratio: impl Fn(&Measured) -> Option<f64>,
    ) -> Option<Summary> {
        let own = self.group(of);
        let ratios: Vec<_> =
            own.iter().filter_map(|class| Some((class.class.clone(), ratio(class)?))).collect();
        let (worst_class, worst) = ratios.iter().min_by(|(_, a), (_, b)| a.total_cmp(b))?.clone();
        let logs: f64 = ratios.iter().map(|(_, ratio)| ratio.ln()).sum();
        Some(Summary {
            of,
            against: against.to_owned(),
            mean: (logs / ratios.len() as f64).exp(),
            worst,
            worst_class,
            losses: ratios.into_iter().filter(|(_, ratio)| *ratio < 1.0).collect(),
        })
    }

    /// Puts the classes in order: the 17 by their numbers, then the others as they came.
    pub fn sort(&mut self) {
        let number = |class: &Measured| match class.of {
            Of::Fixed => class.class.clone(),
            Of::Variants | Of::More => String::new(),
        };
        self.classes.sort_by_cached_key(|class| (class.of, number(class)));
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&mut self, file: &Path) -> anyhow::Result<()> {
        self.summaries = Of::ALL.into_iter().flat_map(|of| self.summaries(of)).collect();
        let text = serde_json::to_string_pretty(self)?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }
}
