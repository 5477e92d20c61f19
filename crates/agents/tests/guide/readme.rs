//! The commands of README.md, run in an empty folder.
//!
//! Trainings are cut short, and the model of the hub is replaced by the same one on disk; everything else
//! stands as it is written.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::data::test_data;

const README: &str = include_str!("../../../../README.md");
const HUB_MODEL: &str = "raincandy-u/TinyStories-656K";
/// Keeps a training to seconds.
const SHORT: &str = "--set training.max_steps=1 --set training.prompts_per_step=2 --set training.num_generations=2 \
                     --set evaluation.num_episodes=2";

/// Every command of the shell blocks, without comments, lines joined.
fn commands() -> Vec<String> {
    let blocks = README.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(""));
    let text = blocks.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The call of our program in a command; `None` for what is not one.
fn call(command: &str) -> Option<&str> {
    command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("stateset-agents "))
}

/// Serves until it listens, and a little longer: it must end well when it is asked to.
pub(super) fn serve(call: &str, folder: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stateset-agents"))
        .args(call.split_whitespace())
        .args(["--port", "0"])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let told = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut lines = told.lines().map_while(Result::ok);
    let listens = |line: &String| line.starts_with("listening on http://127.0.0.1:");
    let mut before = Vec::new();
    while let Some(line) = lines.next().filter(|line| !listens(line)) {
        before.push(line);
    }
    assert!(child.try_wait().expect("it can be asked").is_none(), "{call}: {before:?}");
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(asked.expect("kill starts").success());
    lines.for_each(drop);
    assert!(child.wait().expect("it ends").success(), "{call}");
}

fn run(call: &str, folder: &Path) {
    if call.starts_with("serve") {
        return serve(call, folder);
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_stateset-agents"))
        .args(call.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // What a chat reads; other commands do not look.
    let _ = child.stdin.take().expect("a pipe").write_all(b"Hello!\n/quit\n");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{call}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_command_works_in_an_empty_folder() {
    let all = commands();
    assert!(all.iter().any(|command| command == "cargo run --release -- train"), "{all:?}");
    let Some(stories) = test_data("tinystories-656k") else { return };
    let temp = tempfile::tempdir().expect("a folder");
    let openings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benchmarks/data");
    std::fs::create_dir_all(temp.path().join("benchmarks/data")).unwrap();
    let name = "benchmarks/data/openings.jsonl";
    std::fs::copy(openings.join("openings.jsonl"), temp.path().join(name)).unwrap();
    let stories = stories.canonicalize().unwrap();
    let mut n_run = 0;
    for call in all.iter().filter_map(|command| call(command)) {
        let call = call.replace(HUB_MODEL, stories.to_str().unwrap());
        let is_training = call.starts_with("train") && !call.contains("--dry-run");
        run(&if is_training { format!("{call} {SHORT}") } else { call }, temp.path());
        n_run += 1;
    }
    assert!(n_run >= 6, "{all:?}");
    assert!(temp.path().join("outputs/run-001/report.html").is_file());
}

#[test]
fn commands_of_the_toolchain_are_the_two_that_are_meant() {
    let others: Vec<String> = commands().into_iter().filter(|c| call(c).is_none()).collect();
    assert_eq!(others, ["cargo xtask test"]);
}
