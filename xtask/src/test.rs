//! Everything that a change must pass, in one command.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 30;
const FUZZ_TARGETS: [&str; 4] = ["request", "document", "history", "files"];

pub(crate) fn run() -> anyhow::Result<()> {
    let started = Instant::now();
    cargo(&["fmt", "--all", "--check"], &[])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    cargo(&["test", "--workspace"], &[])?;
    // The features of the library, which nothing here turns on.
    cargo(
        &["test", "-p", "getcases", "--test", "it", "--features", "tracing,serde", "spans"],
        &[],
    )?;
    // Few cases then reach every path of the index.
    small_segments(&["test", "-p", "getcases", "--target-dir", &small_target()], &[])?;
    cargo(&["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    if has_tool("deny")? {
        cargo(&["deny", "check", "bans", "licenses", "sources"], &[])?;
    }
    if quiet(&["+nightly", "miri", "--version"]) {
        miri()?;
    } else {
        note("skipped: Miri needs a nightly toolchain with its component");
    }
    if has_nightly() && has_tool("fuzz")? {
        for target in FUZZ_TARGETS {
            fuzz(target)?;
        }
    } else {
        note("skipped: fuzzing needs a nightly toolchain and cargo-fuzz");
    }
    note(&format!("all passed, in {} minutes", started.elapsed().as_secs() / 60));
    Ok(())
}

/// The tests of the files with `unsafe` code.
fn miri() -> anyhow::Result<()> {
    let flags = [("MIRIFLAGS", "-Zmiri-disable-isolation")];
    let tests = ["--lib", "--", "index::collections"];
    let words = ["+nightly", "miri", "test", "-p", "getcases"];
    cargo(&[&words[..], &tests].concat(), &flags)
}

fn fuzz(target: &str) -> anyhow::Result<()> {
    let seconds = format!("-max_total_time={FUZZ_SECONDS}");
    // The sanitizer is for unsafe code, which Miri checks; without it more inputs are tried.
    let words = ["+nightly", "fuzz", "run", "--sanitizer", "none", target, "--", &seconds];
    small_segments(&[&words[..], &["-verbosity=0", "-print_final_stats=1"]].concat(), &[])
}

/// Where what is built with small segments goes, so that the rest is not built anew after it.
fn small_target() -> String {
    let target = env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    format!("{target}/small")
}

/// Runs cargo with every size of the index made small.
fn small_segments(words: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let flags = format!("{flags} --cfg getcases_small_segments");
    let own = [("RUSTFLAGS", flags.trim())];
    cargo(words, &[variables, &own].concat())
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn cargo(words: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    note(&format!("cargo {}", words.join(" ")));
    // What this run was started with is for this toolchain; `+nightly` needs the name alone.
    let mut command = Command::new("cargo");
    command.args(words).envs(variables.iter().copied()).current_dir(root());
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    let status =
        command.status().with_context(|| format!("cannot run cargo {}", words.join(" ")))?;
    if !status.success() {
        bail!("cargo {} failed", words.join(" "));
    }
    Ok(())
}

/// Whether `cargo NAME` is there. In CI it is installed where it is not.
fn has_tool(name: &str) -> anyhow::Result<bool> {
    if quiet(&[name, "--version"]) {
        return Ok(true);
    }
    if env::var_os("CI").is_none() {
        note(&format!(
            "skipped: cargo-{name} is not installed (cargo install --locked cargo-{name})"
        ));
        return Ok(false);
    }
    cargo(&["install", "--locked", &format!("cargo-{name}")], &[])?;
    Ok(true)
}

fn has_nightly() -> bool {
    quiet(&["+nightly", "--version"])
}

fn quiet(words: &[&str]) -> bool {
    let mut command = Command::new("cargo");
    command.args(words).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").current_dir(root());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[allow(clippy::print_stderr)]
fn note(text: &str) {
    eprintln!("── {text}");
}
