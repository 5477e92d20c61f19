//! The example programs, run from the first line to the last.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The built example. Runners of tests build programs but not examples, so cargo is asked to; it has
/// nothing to do from the second time on. The whole workspace is named, because crates are built with
/// the features that all of it asks for, and would be built anew with fewer.
pub(crate) fn example(name: &str) -> PathBuf {
    let programs = Path::new(env!("CARGO_BIN_EXE_stateset-agents")).parent().expect("a folder");
    let target = programs.parent().expect("a folder of a profile in the target folder");
    let is_release = programs.ends_with("release");
    let profile: &[&str] = if is_release { &["--release"] } else { &[] };
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo told this test of its own package would count as a change of every crate that asks for it.
    let is_of_package =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_package) {
            cargo.env_remove(name);
        }
    }
    let output = cargo
        .args(["build", "--quiet", "--workspace", "--example", name])
        .args(profile)
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    programs.join("examples").join(name)
}

fn output_of(name: &str) -> String {
    let temp = tempfile::tempdir().expect("a folder");
    let output = Command::new(example(name)).arg("out").current_dir(temp.path()).output();
    let output = output.expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(name == "hello_world" || temp.path().join("out/report.html").is_file());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn hello_world() {
    let text = output_of("hello_world");
    assert_eq!(text, "agent: Hello! How can I help?\nagent: I see. When did you order it?\n");
}

#[test]
fn quick_start() {
    let text = output_of("quick_start");
    assert!(text.contains("reward Some(") && text.contains("\nagent: "), "{text}");
}

#[test]
fn custom_environment() {
    assert!(output_of("custom_environment").contains(" -> Some("));
}

#[test]
fn custom_reward() {
    let text = output_of("custom_reward");
    assert!(text.contains("listening: Some(") && text.contains("conciseness: Some("), "{text}");
}

#[test]
fn train_on_prompts() {
    assert!(output_of("train_on_prompts").contains(" -> Some("));
}

/// Two replies to customers it has never met, in both orders: a judge that learned nothing is right in
/// half of them.
#[test]
fn trained_judge() {
    let output = Command::new(example("trained_judge")).args(["14", "50"]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let after = text.lines().find_map(|line| line.strip_prefix("after: right in "));
    let percent = after.and_then(|rest| rest.split(' ').next()).and_then(|n| n.parse::<f64>().ok());
    assert!(percent.is_some_and(|percent| percent > 80.0), "{text}");
}
