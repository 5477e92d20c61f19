//! `evaluate` and `chat`, with a small model and with a stub.

use serde_json::Value;

use super::program::{Program, folder, names, stories};

#[test]
fn a_conversation_is_read_line_by_line() {
    let temp = folder();
    let program = Program::main(temp.path());
    let stub = ["--model", "stub://demo", "--set", "agent.stub_responses=[\"One.\", \"Two.\"]"];
    let args = [&["chat"][..], &stub].concat();
    let ended = program.read(&args, "hello\n\nand then?\n/reset\nhello\n/quit\nnever read\n");
    assert_eq!(ended.ok(), "One.\nTwo.\nOne.\n");
    let args = [&["evaluate", "--message", "hello"][..], &stub].concat();
    assert_eq!(program.run(&args).ok(), "Response: One.\n");
    let args = [&["evaluate"][..], &stub].concat();
    assert_eq!(program.read(&args, "hello").ok(), "One.\n");
}

#[test]
fn a_model_answers_and_remembers() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let common = ["--model", &model, "--greedy", "--max-new-tokens", "8"];
    let chat = [&["chat"][..], &common].concat();
    let once = program.read(&chat, "Once upon a time\n").ok();
    let twice = program.read(&chat, "Once upon a time\nOnce upon a time\n").ok();
    assert!(twice.starts_with(&once), "{once:?} {twice:?}");
    let anew = program.read(&chat, "Once upon a time\n/reset\nOnce upon a time\n").ok();
    assert_eq!(anew, once.repeat(2));
    let message = [&["evaluate", "--json", "--message", "Once upon a time"][..], &common].concat();
    let answer = &program.run(&message).json_lines()[0];
    assert_eq!(answer["response"].as_str().unwrap().trim(), once.trim());
}

#[test]
fn a_full_context_is_said_and_survived() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let args =
        ["chat", "--model", &model, "--greedy", "--max-new-tokens", "4", "--set", "agent.stop=[]"];
    let long = "the sun was hot ".repeat(400);
    let ended = program.read(&args, &format!("{long}\nOnce upon a time\n"));
    assert!(ended.stderr.contains("/reset"), "{}", ended.stderr);
    assert_eq!(ended.ok().lines().count(), 2);
}

#[test]
fn prompts_are_played_and_judged() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let path = temp.path().join("p.jsonl");
    std::fs::write(&path, "{\"prompt\": \"Once upon a time\"}\n{\"prompt\": \"The cat\"}\n")
        .unwrap();
    std::fs::write(temp.path().join("p.json"), "[\"Once upon a time\", \"The cat\"]").unwrap();
    let common = ["evaluate", "--model", &model, "--reward", "regex:.", "--max-new-tokens", "8"];
    let run = |more: &[&str]| program.run(&[&common[..], more].concat());
    let lines = run(&["--prompts", "p.jsonl", "--json", "--samples", "2"]).json_lines();
    assert_eq!(lines[0]["episodes"], 4);
    assert_eq!(lines[0]["reward"]["mean"], 1.0);
    assert_eq!(lines[0]["success_rate"], 1.0);
    let lines = run(&["--input", "p.json", "--json"]).json_lines();
    assert_eq!(lines[0]["episodes"], 2);
    let text = run(&["--prompts", "p.jsonl", "--output", "out.json"]).ok();
    assert!(text.contains("reward") && text.contains("1.000"), "{text}");
    let saved = std::fs::read_to_string(temp.path().join("out.json")).unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(saved["conversations"].as_array().unwrap().len(), 2);
    assert_eq!(names(temp.path()), ["out.json", "p.json", "p.jsonl"]);
}

#[test]
fn sets_are_played_with_documented_names() {
    let temp = folder();
    let program = Program::grpo_evaluate(temp.path());
    let args = ["stub://demo", "--num-episodes", "5", "--metrics", "reward,length"];
    let text = program.run(&args).ok();
    assert!(text.contains("5 of customer_service, held_out"), "{text}");
    assert!(text.contains("task_completion") && text.contains("turns"), "{text}");
    assert!(!text.contains("goal reached"), "{text}");
    let args = ["stub://demo", "--num-episodes", "3", "--scenarios-file", "missing.json"];
    assert!(program.run(&args).refused().contains("missing.json"));
}

#[test]
fn two_models_are_compared_on_the_same() {
    let Some(model) = stories() else { return };
    let temp = folder();
    std::fs::write(temp.path().join("p.jsonl"), "{\"prompt\": \"Once upon a time\"}\n").unwrap();
    let args = [
        "evaluate",
        "--model",
        &model,
        "--compare-with",
        &model,
        "--prompts",
        "p.jsonl",
        "--reward",
        "contains:she",
        "--max-new-tokens",
        "16",
        "--json",
    ];
    let found = &Program::main(temp.path()).run(&args).json_lines()[0];
    assert_eq!(found["reward_gain_of_second"]["mean"], 0.0, "{found}");
    assert_eq!(found["compared_with"]["reward"], found["reward"]);
}
