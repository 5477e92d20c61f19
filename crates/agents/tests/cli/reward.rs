//! `reward`: what it prints, as text and as JSON, and what it refuses.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::program::{Program, folder};

/// Rewards whose rules will not change.
const REWARD: &str = "[weights]\nverified = 2\n\"contains:sorry\" = 1\n\"regex:[?]\" = 1\n";

fn conversation(id: &str, lines: &[&str], context: Value) -> Value {
    let message = |(i, text): (usize, &&str)| {
        let role = if i % 2 == 0 { "user" } else { "assistant" };
        json!({ "role": role, "content": text })
    };
    let messages: Vec<Value> = lines.iter().enumerate().map(message).collect();
    json!({ "id": id, "messages": messages, "context": context })
}

fn conversations() -> String {
    let paris = || json!({ "answer": "Paris" });
    let lines = [
        conversation("right", &["Capital of France?", "Answer: Paris"], paris()),
        conversation("polite", &["Capital of France?", "I am sorry, is it Rome?"], paris()),
        conversation("both", &["Capital?", "Sorry, of France?", "Yes.", "Paris."], paris()),
        conversation("wrong", &["Capital of France?", "Rome"], paris()),
        conversation("open", &["Hello?", "Hello! How can I help?"], json!({})),
        conversation("mute", &["Hello?"], paris()),
    ];
    lines.map(|line| format!("{line}\n")).concat()
}

fn write(folder: &Path) {
    fs::write(folder.join("reward.toml"), REWARD).expect("the folder is writable");
    fs::write(folder.join("conversations.jsonl"), conversations()).expect("the folder is writable");
}

#[test]
fn the_text_shows_parts_correlations_spread_and_both_ends() {
    let temp = folder();
    write(temp.path());
    let program = Program::main(temp.path());
    let args = ["reward", "--reward", "reward.toml", "conversations.jsonl", "--show", "1"];
    let text = program.run(&args).ok();
    insta::assert_snapshot!("reward", text);
    // A reader that is no file gets the same.
    let args = ["reward", "--reward", "reward.toml", "-", "--show", "1"];
    assert_eq!(program.read(&args, &conversations()).ok(), text);
}

#[test]
fn json_has_a_line_for_each_conversation() {
    let temp = folder();
    write(temp.path());
    let args = ["reward", "--reward", "reward.toml", "conversations.jsonl", "--json"];
    let lines = Program::main(temp.path()).run(&args).json_lines();
    assert_eq!(lines.len(), 6);
    let parts = json!({ "verified": 1.0, "contains:sorry": 0.0, "regex:[?]": 0.0 });
    let expected = json!({ "id": "right", "score": 0.5, "components": parts, "unscorable": null });
    assert_eq!(lines[0], expected);
    assert_eq!(lines[2]["score"], 1.0);
    assert_eq!(lines[4]["score"], Value::Null);
    assert_eq!(lines[4]["components"]["verified"], Value::Null);
    assert_eq!(lines[4]["components"]["regex:[?]"], 1.0);
    let why = "verified: the scenario says nothing of a right answer";
    assert_eq!(lines[4]["unscorable"], why);
}

#[test]
fn a_reward_without_parts_and_lines_without_ids_will_do() {
    let temp = folder();
    let line = json!({ "messages": [{ "role": "assistant", "content": "A dog." }] });
    let program = Program::main(temp.path());
    let args = ["reward", "--reward", "contains:dog", "-", "--json"];
    let lines = program.read(&args, &format!("\n{line}\n{line}\n")).json_lines();
    let expected = json!({ "id": 2, "score": 1.0, "components": {}, "unscorable": null });
    assert_eq!((&lines[0], &lines[1]["id"]), (&expected, &json!(3)));
    let text = program.read(&["reward", "--reward", "contains:dog", "-"], &line.to_string()).ok();
    assert!(text.contains("1, 0 of them unscorable"), "{text}");
    assert!(!text.contains("Correlations") && !text.contains("Pareto"), "{text}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let temp = folder();
    write(temp.path());
    let program = Program::main(temp.path());
    let refused =
        |args: &[&str], input: &str| program.read(&[&["reward"], args].concat(), input).refused();
    let bad =
        "{\"messages\": []}\nnot json\n{\"messages\": [{\"role\": \"usr\", \"content\": \"x\"}]}\n";
    let told = refused(&["--reward", "safety", "-"], bad);
    for expected in
        ["the standard input", "line 1: it has no messages", "line 2:", "line 3:", "usr"]
    {
        assert!(told.contains(expected), "{told}");
    }
    let told = refused(&["--reward", "safty", "conversations.jsonl"], "");
    assert!(told.contains("did you mean \"safety\"?"), "{told}");
    let told = refused(&["--reward", "safety=-1,helpfulness=1", "conversations.jsonl"], "");
    assert!(told.contains("the weight of safety is -1"), "{told}");
    let told = refused(&["--reward", "safety", "nowhere.jsonl"], "");
    assert!(told.contains("read nowhere.jsonl"), "{told}");
    assert!(refused(&["--reward", "safety", "-"], "\n").contains("holds no conversation"));
    fs::write(temp.path().join("bad.yaml"), "weights: {safety: 0}\nmetod: min\n").unwrap();
    let told = refused(&["--reward", "bad.yaml", "conversations.jsonl"], "");
    assert!(
        told.contains("did you mean `method`?") && told.contains("only weights of 0"),
        "{told}"
    );
    assert!(refused(&["--reward", "lost.toml", "-"], "").contains("read lost.toml"));
    assert!(refused(&["conversations.jsonl"], "").contains("--reward"));
}

#[test]
fn what_a_run_recorded_can_be_judged_by_another_reward() {
    let temp = folder();
    let program = Program::main(temp.path());
    let args = ["train", "--stub", "--steps", "1", "--output", "run", "--json"];
    program.run(&args).ok();
    let path = "run/evaluations/before.jsonl";
    let args = ["reward", "--reward", "conciseness", path, "--json"];
    let lines = program.run(&args).json_lines();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["score"].is_number()), "{lines:?}");
}
