//! The commands of the guide's pages on serving.

use std::path::Path;

use super::pages::{arguments, stdout};
use super::readme::serve;

const SERVING: &str = include_str!("../../../../docs/serving.md");
const SECURITY: &str = include_str!("../../../../docs/serving-security.md");

fn run(page: &str, start: &str, folder: &Path) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stateset-agents"));
    stdout(command.args(arguments(page, start)), folder)
}

#[test]
fn keys_of_the_guide_come_and_go() {
    let temp = tempfile::tempdir().unwrap();
    let key = run(SECURITY, "stateset-agents keys add", temp.path());
    assert!(key.starts_with("sk-stateset-"), "{key}");
    assert!(run(SECURITY, "stateset-agents keys list", temp.path()).starts_with("anna"));
    run(SECURITY, "stateset-agents keys revoke", temp.path());
    assert_eq!(run(SECURITY, "stateset-agents keys list", temp.path()), "");
}

#[test]
fn the_short_name_serves() {
    let temp = tempfile::tempdir().unwrap();
    serve(&arguments(SERVING, "stateset-agents grpo-serve").join(" "), temp.path());
}
