//! The commands and files of the guide's pages on data and environments, run as they are written.
//! Trainings are cut short by further settings.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::examples::example;
use crate::data::test_data;

const DATA: &str = include_str!("../../../../docs/data.md");
const COMPOSITES: &str = include_str!("../../../../docs/composites.md");
const ENVIRONMENTS: &str = include_str!("../../../../docs/environments.md");

/// The first block of a page that is fenced as `language` and comes after `before`.
fn block<'a>(page: &'a str, before: &str, language: &str) -> &'a str {
    let rest = page.split_once(before).expect("the page says so").1;
    let rest = rest.split_once(&format!("```{language}\n")).expect("there is a block").1;
    rest.split_once("```").expect("it ends").0
}

/// The arguments of the first command of a page that begins with `start`.
pub(super) fn arguments(page: &str, start: &str) -> Vec<String> {
    let joined = page.replace("\\\n", " ");
    let line = joined.lines().map(str::trim).find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no page has a command {start}"));
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

pub(super) fn stdout(command: &mut Command, folder: &Path) -> String {
    let output = command.current_dir(folder).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command of `page`, with further arguments, and reads what `--json` prints.
fn run(page: &str, start: &str, more: &[&str], folder: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stateset-agents"));
    let text = stdout(command.args(arguments(page, start)).args(more).arg("--json"), folder);
    serde_json::from_str(&text).expect("one JSON object")
}

/// Keeps a training to seconds.
const SHORT: [&str; 10] = [
    "--steps",
    "2",
    "--set",
    "training.prompts_per_step=2",
    "--set",
    "training.num_generations=4",
    "--set",
    "training.max_completion_length=32",
    "--set",
    "evaluation.num_episodes=2",
];

#[test]
fn recorded_dialogues_are_converted_learned_and_played() {
    let Some(dialogues) = test_data("taskmaster-4/data") else { return };
    let temp = tempfile::tempdir().unwrap();
    let converter = arguments(DATA, "cargo run --release --package stateset-agents --example");
    let after = converter.iter().position(|word| word == "--").expect("it has arguments") + 2;
    let mut convert = Command::new(example("convert_taskmaster"));
    convert.arg(dialogues.canonicalize().unwrap()).args(&converter[after..]);
    stdout(convert.args(["--max", "120"]), temp.path());

    let learn = ["--steps", "20", "--learning-rate", "1e-3", "--held-out", "0.1"];
    let learned = run(DATA, "stateset-agents sft", &learn, temp.path());
    let loss = |name: &str| learned[name].as_f64().expect("a number");
    assert!(loss("loss_held_out_after") < 0.9 * loss("loss_held_out_before"), "{learned}");

    let config = block(DATA, "where `coffee.toml` holds", "toml");
    std::fs::write(temp.path().join("coffee.toml"), config).unwrap();
    let trained = run(DATA, "stateset-agents train", &SHORT, temp.path());
    assert_eq!(trained["episodes"], 16);
}

#[test]
fn scenarios_of_the_guide_are_played() {
    let temp = tempfile::tempdir().unwrap();
    let scenarios = block(ENVIRONMENTS, "## A scenario file", "yaml");
    std::fs::write(temp.path().join("scenarios.yaml"), scenarios).unwrap();
    let config = block(ENVIRONMENTS, "## A scenario file", "toml");
    std::fs::write(temp.path().join("run.toml"), config).unwrap();
    let trained = run(ENVIRONMENTS, "stateset-agents train", &SHORT, temp.path());
    assert_eq!(trained["steps"], 2);
}

#[test]
fn a_reward_is_looked_at_as_the_guide_says() {
    let temp = tempfile::tempdir().unwrap();
    let reward = block(COMPOSITES, "## A reward file", "toml");
    std::fs::write(temp.path().join("reward.toml"), reward).unwrap();
    let conversations = block(COMPOSITES, "## Looking at a reward", "jsonl");
    std::fs::write(temp.path().join("conversations.jsonl"), conversations).unwrap();
    let run = |start: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stateset-agents"));
        stdout(command.args(arguments(COMPOSITES, start)), temp.path())
    };
    let text = run("stateset-agents reward --reward reward.toml conversations.jsonl --show");
    assert!(text.contains("3, 1 of them unscorable") && text.contains("Best"), "{text}");
    let lines = run("stateset-agents reward --reward reward.toml conversations.jsonl --json");
    assert_eq!(lines.lines().count(), 3);
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["id"], &first["components"]["verified"]), (&"right".into(), &1.0.into()));
}

#[test]
fn prompts_of_the_guide_can_be_checked() {
    let prompts = block(COMPOSITES, "## Prompts with an answer", "jsonl");
    let read = stateset_env::scenarios::prompts_from_bytes(prompts.as_bytes(), "guide.jsonl");
    let read = read.unwrap_or_else(|error| panic!("{error}"));
    let replies = [
        "#### 84",
        "Two of them cost $20.00.",
        "3 and 4",
        "(B)",
        "Blue, white and red.",
        "AB-1234",
        "```json\n{\"item\": \"lamp\", \"n\": 2}\n```",
        "The capital of the Netherlands is Amsterdam.",
    ];
    assert_eq!(read.len(), replies.len());
    for (i, scenario) in read.iter().enumerate() {
        let check = stateset_env::prompts::Check::of(scenario).unwrap().expect("it has a check");
        for (j, reply) in replies.iter().enumerate() {
            assert_eq!(check.judge(reply).is_right, i == j, "{:?}: {reply}", scenario.messages);
        }
    }
}
