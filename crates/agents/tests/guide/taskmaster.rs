//! Recorded dialogues: converted, learned from, and trained on.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::examples::example;
use crate::data::test_data;

fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn agents(folder: &Path, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stateset-agents"));
    let text = stdout(command.args(args).arg("--json").current_dir(folder));
    serde_json::from_str(&text).expect("one JSON object")
}

#[test]
fn dialogues_are_converted_learned_and_played() {
    let Some(dialogues) = test_data("taskmaster-4/data") else { return };
    let temp = tempfile::tempdir().unwrap();
    let convert = ["--scenarios", "coffee.jsonl", "--conversations", "sft.jsonl", "--max", "120"];
    stdout(
        Command::new(example("convert_taskmaster"))
            .arg(dialogues.canonicalize().unwrap())
            .args(convert)
            .current_dir(temp.path()),
    );
    let learned = agents(
        temp.path(),
        &[
            "sft",
            "sft.jsonl",
            "--save",
            "coffee",
            "--steps",
            "20",
            "--learning-rate",
            "1e-3",
            "--held-out",
            "0.1",
        ],
    );
    let loss = |name: &str| learned[name].as_f64().expect("a number");
    assert!(loss("loss_held_out_after") < 0.9 * loss("loss_held_out_before"), "{learned}");

    let trained = agents(
        temp.path(),
        &[
            "train",
            "--model",
            "coffee",
            "--env",
            "coffee.jsonl",
            "--output",
            "run",
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
        ],
    );
    assert_eq!(trained["episodes"], 16);
    assert!(temp.path().join("run/report.html").is_file());
}
