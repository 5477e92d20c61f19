//! Programs of other people that tests run against a server, where they are at hand.
//!
//! Where one is missing a test returns early and says so; with `STATESET_REQUIRE_CLIENTS=1` it fails.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python that can import `packages`: the one that `STATESET_CLIENTS_PYTHON` names, one in
/// `target/clients`, or the system's. `None`, said aloud, where there is none.
pub(crate) fn python(packages: &str) -> Option<PathBuf> {
    let named = std::env::var_os("STATESET_CLIENTS_PYTHON").map(PathBuf::from);
    let here = workspace().join("target/clients/bin/python");
    let found = named.into_iter().chain([here, PathBuf::from("python3")]).find(|python| {
        let check = Command::new(python).args(["-c", &format!("import {packages}")]).output();
        check.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        let required = std::env::var_os("STATESET_REQUIRE_CLIENTS").is_some_and(|one| one == "1");
        assert!(!required, "no Python here has {packages} of tests/clients/requirements.txt");
        skip(&format!("no Python here has {packages} of tests/clients/requirements.txt"));
    }
    found
}

/// Says that a test is skipped, to people and to the program that counts.
#[allow(clippy::print_stdout, reason = "a test says so when it is skipped")]
pub(crate) fn skip(why: &str) {
    println!("SKIPPED: {why}");
    if let Some(log) = std::env::var_os("STATESET_SKIP_LOG")
        && let Ok(mut log) = std::fs::OpenOptions::new().append(true).create(true).open(log)
    {
        let _ = writeln!(log, "tests/clients");
    }
}

/// Runs `tests/clients/<script>` with these arguments.
///
/// # Panics
/// Where it does not end with the line `all passed`.
pub(crate) async fn run_client(python: PathBuf, script: &'static str, args: Vec<String>) {
    let output = tokio::task::spawn_blocking(move || output(python, script, args)).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{script} failed\n{out}\n{err}");
    assert!(out.lines().any(|line| line == "all passed"), "{out}");
}

fn output(python: PathBuf, script: &str, args: Vec<String>) -> Output {
    let mut command = Command::new(python);
    command.arg(workspace().join("tests/clients").join(script)).args(args);
    // A proxy that the machine may have does not lead here.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command.output().unwrap()
}
