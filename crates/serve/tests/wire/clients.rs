//! The Python clients of OpenAI and Anthropic, and a fuzzer that knows our own description, against a server
//! of ours.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::running::{KEY, Running, start, start_whole};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Fails where a package is missing; looking for them takes less time than importing them.
const CHECK: &str = "import importlib.util as u; \
    assert all(map(u.find_spec, 'anthropic openai openapi_spec_validator pydantic schemathesis'.split()))";

/// A Python with all packages: the one that `STATESET_CLIENTS_PYTHON` names, one in `target/clients`, or
/// the system's. `None`, said aloud, where there is none; a failure where `STATESET_REQUIRE_CLIENTS` is 1.
#[allow(clippy::print_stdout, reason = "a test says so when it is skipped")]
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("STATESET_CLIENTS_PYTHON").map(PathBuf::from);
    let here = workspace().join("target/clients/bin/python");
    let found = named.into_iter().chain([here, PathBuf::from("python3")]).find(|python| {
        let check = Command::new(python).args(["-c", CHECK]).output();
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

async fn run(script: &'static str, server: impl Future<Output = Running>) {
    let Some(python) = python() else { return };
    let server = server.await;
    let address = server.address.clone();
    let output = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python);
        command.arg(workspace().join("tests/clients").join(script)).arg(address).arg(KEY);
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
    run("openai_client.py", start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anthropic_client_works() {
    run("anthropic_client.py", start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_document_is_valid_and_no_request_breaks_it() {
    run("own_document.py", start_whole()).await;
}
