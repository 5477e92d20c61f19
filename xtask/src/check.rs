//! The checks: tests, and everything the build server runs.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{cargo, root, run, works};
use crate::tidy;

/// Every test and every documentation example. Tests that want data which is absent are counted.
pub(crate) fn test(filter: &[String]) -> Result<()> {
    let log = root().join("target").join("skipped-tests.log");
    fs::create_dir_all(root().join("target"))?;
    let _ = fs::remove_file(&log);
    let mut tests = cargo();
    if works(cargo().args(["nextest", "--version"])) {
        tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        tests.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
    }
    run(tests.args(filter).env("STATESET_SKIP_LOG", &log))?;
    if filter.is_empty() {
        run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
    }
    let skipped = fs::read_to_string(&log).unwrap_or_default();
    println!("tests without their data: {}", skipped.lines().count());
    for path in skipped.lines() {
        println!("  no {path}");
    }
    Ok(())
}

/// What the build server runs, in the order that fails soonest.
pub(crate) fn ci() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    run(Command::new("typos").current_dir(root()))
        .context("spelling; `pip install typos` installs the checker")?;
    run(cargo().args(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
        .context("licences; `cargo install --locked cargo-deny` installs the checker")?;
    run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    test(&[])
}

/// Golden files are written by Python, on purpose only; this says how.
pub(crate) fn golden() -> Result<()> {
    let readme = root().join("tests/golden/README.md");
    print!("{}", fs::read_to_string(&readme).context("failed to read tests/golden/README.md")?);
    Ok(())
}
