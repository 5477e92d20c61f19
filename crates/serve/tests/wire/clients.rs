//! The Python clients of OpenAI and Anthropic against a server of ours.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::running::start;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python with both packages: the one that `STATESET_CLIENTS_PYTHON` names, one in `target/clients`, or
/// the system's. `None`, said aloud, where there is none; a failure where `STATESET_REQUIRE_CLIENTS` is 1.
#[allow(clippy::print_stdout, reason = "a test says so when it is skipped")]
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("STATESET_CLIENTS_PYTHON").map(PathBuf::from);
    let here = workspace().join("target/clients/bin/python");
    let found = named.into_iter().chain([here, PathBuf::from("python3")]).find(|python| {
        let check =
            Command::new(python).args(["-c", "import anthropic, openai, pydantic"]).output();
        check.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        let required = std::env::var_os("STATESET_REQUIRE_CLIENTS").is_some_and(|one| one == "1");
        assert!(!required, "no Python here has the packages of tests/clients/requirements.txt");
        println!("SKIPPED: no Python here has the packages of tests/clients/requirements.txt");
        if let Some(log) = std::env::var_os("STATESET_SKIP_LOG")
            && let Ok(mut log) = std::fs::OpenOptions::new().append(true).create(true).open(log)
        {
            let _ = writeln!(log, "tests/clients");
        }
    }
    found
}

async fn run(script: &'static str) {
    let Some(python) = python() else { return };
    let server = start().await;
    let address = server.address.clone();
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python);
        command.arg(workspace().join("tests/clients").join(script)).arg(address);
        // A proxy that the machine may have does not lead here.
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command.output().unwrap()
    });
    let output = output.await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{script} failed\n{out}\n{err}");
    assert!(out.lines().any(|line| line == "all passed"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_client_works() {
    run("openai_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_client_works() {
    run("anthropic_client.py").await;
}
