//! The commands of the guide's page on judges, with a server of this test in place of the page's.

use std::fs;
use std::process::Command;
use std::sync::atomic::Ordering;

use super::model_server::serve;
use super::pages::{SHORT, arguments, block, stdout};

const JUDGES: &str = include_str!("../../../../docs/judges.md");

/// Scores by the criteria of whichever rubric is asked about.
fn verdict(asked: &str) -> String {
    let criteria: &[&str] = match asked.contains("librarian") {
        true => &["fit", "honesty"],
        false => &["understanding", "correctness", "usefulness", "clarity", "manner"],
    };
    let score = |name: &&str| ((*name).to_owned(), 4.into());
    serde_json::Value::Object(criteria.iter().map(score).collect()).to_string()
}

#[test]
fn judges_of_the_guide_are_asked() {
    let temp = tempfile::tempdir().unwrap();
    let (url, asked) = serve(verdict);
    let at_server = ["--set", &format!("reward.judge_url={url}")];
    let key = ["--set", "reward.judge_api_key_env=JUDGE_KEY"];
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_stateset-agents"));
        program.env("JUDGE_KEY", "s3cret");
        program
    };

    let rubric = block(JUDGES, "A file in YAML or JSON holds one of your own", "yaml");
    fs::write(temp.path().join("librarian.yaml"), rubric).unwrap();
    let train = arguments(JUDGES, "stateset-agents train --judge");
    let small = ["--stub", "--prompts", "p.jsonl", "--output", "run"];
    fs::write(temp.path().join("p.jsonl"), "{\"prompt\": \"Something about lamps?\"}\n").unwrap();
    let mut command = program();
    stdout(command.args(train).args(SHORT).args(small).args(at_server).args(key), temp.path());
    let n = asked.load(Ordering::SeqCst);
    assert!(n > 0);

    let talk = r#"{"id": "a", "messages": [{"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Hello! How can I help?"}]}"#;
    fs::write(temp.path().join("conversations.jsonl"), talk.replace('\n', " ")).unwrap();
    // A setting that is said twice counts as it is said last.
    let reward = arguments(JUDGES, "stateset-agents reward --reward judge:general");
    let mut command = program();
    let text = stdout(command.args(reward).args(at_server).arg("--json"), temp.path());
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(line["score"].is_number() && line["unscorable"].is_null(), "{line}");
    assert!(asked.load(Ordering::SeqCst) > n);
}
