//! What the figures were measured on.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Facts about a machine, as far as it tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// How many threads run at once.
    pub cores: usize,
    /// Of the processor's flags, those of wide instructions and bit counts.
    pub flags: Vec<String>,
    /// Bytes.
    pub memory: u64,
    /// The system's name and version.
    pub system: String,
    /// The compiler.
    pub rustc: String,
}

/// Asks the system.
#[must_use]
pub fn facts() -> Machine {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let cpu = read("/proc/cpuinfo");
    let wide = |flag: &&str| {
        ["avx", "sse4", "bmi", "popcnt", "gfni"].iter().any(|start| flag.starts_with(start))
    };
    let flags = value(&cpu, "flags").unwrap_or_default();
    let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kilobytes = memory.split(' ').next().and_then(|number| number.parse::<u64>().ok());
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    Machine {
        cpu: value(&cpu, "model name").unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(0, Into::into),
        flags: flags.split(' ').filter(wide).map(str::to_owned).collect(),
        memory: kilobytes.unwrap_or(0) * 1024,
        system: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
        rustc: rustc.unwrap_or_default(),
    }
}
