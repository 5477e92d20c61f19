//! Wrong calls, small commands, and readers that go away.

use std::io::Read;
use std::process::Stdio;

use super::program::{Program, folder, names, stories};

#[test]
fn wrong_flags_are_answered_with_code_2() {
    let temp = folder();
    let program = Program::main(temp.path());
    for (args, expected) in [
        (&["trian"][..], "train"),
        (&["train", "--epsiodes", "3"], "--episodes"),
        (&["train", "--episodes", "many"], "invalid value"),
        (&["train", "--dry-run", "perhaps"], "perhaps"),
        (&["train", "--set", "training.seed"], "KEY=VALUE"),
        (&["score", "--tokens-per-pass", "0"], "0"),
        (&["generate", "--n", "0"], "0"),
        (&["chat", "--date", "yesterday"], "yesterday"),
        (&["sft"], "required"),
        (&["sft", "a", "--save", "b", "--held-out", "1"], "from 0 to 0.9"),
        (&["evaluate", "--message", "a", "--env", "sales"], "cannot be used with"),
    ] {
        let told = program.run(args).refused();
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}

#[test]
fn missing_files_and_models_are_named() {
    let temp = folder();
    let program = Program::main(temp.path());
    for (args, expected) in [
        (&["score", "--model", "no-such-model"][..], "no-such-model"),
        (&["score", "--model", "builtin:large"], "builtin:tiny"),
        (&["train", "--config", "missing.toml"], "missing.toml"),
        (&["train", "--resume", "missing"], "missing"),
        (&["train", "--resume"], "--output"),
        (&["sft", "missing.jsonl", "--save", "x"], "missing.jsonl"),
        (&["report", "missing"], "missing"),
        (&["init", "--path", "a.ini"], ".toml"),
    ] {
        let told = program.run(args).refused();
        assert!(told.starts_with("error: failed to ") && told.contains(expected), "{told}");
    }
    assert_eq!(names(temp.path()), [""; 0]);
}

#[test]
fn a_model_of_the_hub_needs_a_network_or_the_cache() {
    let temp = folder();
    let ended = Program::main(temp.path()).run(&["score", "--model", "someone/something"]);
    assert!(ended.refused().contains("HF_HUB_OFFLINE"));
    let program = Program::main(temp.path())
        .with("HF_HUB_OFFLINE", "0")
        .with("HF_ENDPOINT", "http://127.0.0.1:9");
    let ended = program.run(&["score", "--model", "someone/something"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert!(ended.stderr.contains("cannot be reached"), "{}", ended.stderr);
}

#[test]
fn a_starter_is_written_once() {
    let temp = folder();
    let program = Program::main(temp.path());
    let said = program.run(&["init", "--path", "a.yaml"]).ok();
    assert!(said.contains("Wrote starter config to a.yaml"), "{said}");
    let path = temp.path().join("a.yaml");
    std::fs::write(&path, "mine").unwrap();
    assert!(program.run(&["init", "--path", "a.yaml"]).refused().contains("--force"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    program.run(&["init", "--path", "a.yaml", "--force"]).ok();
    assert!(std::fs::read_to_string(&path).unwrap().contains("scenario_set"));
    assert!(program.run(&["init", "--path", "b/a.toml"]).refused().contains("folder"));
}

#[test]
fn the_version_is_that_of_the_package() {
    let temp = folder();
    let program = Program::main(temp.path());
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        program
            .run(&["version"])
            .ok()
            .starts_with(&format!("stateset-agents version: {version}\n"))
    );
    assert_eq!(program.run(&["version", "--json"]).json_lines()[0]["version"], version);
}

#[test]
fn a_doctor_finds_what_is_broken() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let healthy = program.run(&["doctor", "--json", "--model", &model]).json_lines();
    let found = &healthy[0];
    assert_eq!(found["healthy"], true, "{found}");
    assert!(found["memory_plan"]["total_bytes"].as_u64() > Some(1_000_000), "{found}");
    assert!(found["hardware"]["threads"].as_u64() >= Some(1));
    assert_eq!(found["model_hub"]["offline"], true);
    let text = program.run(&["doctor", "--model", &model]).ok();
    assert!(text.contains("memory plan") && text.contains("in all"), "{text}");

    let file = temp.path().join("file");
    std::fs::write(&file, "").unwrap();
    let args = ["doctor", "--json", "--model", &model, "--set", "training.output_dir=file/runs"];
    let ended = program.run(&args);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("\"broken\":[\"output folder\"]"), "{}", ended.stdout);
    assert_eq!(names(temp.path()), ["file"]);
}

#[test]
fn debug_logs_go_to_stderr() {
    let temp = folder();
    let program = Program::main(temp.path()).with("STATESET_DEBUG", "1");
    let ended = program.run(&["version"]);
    assert!(ended.stderr.contains("DEBUG"), "{}", ended.stderr);
    assert_eq!(ended.ok().lines().count(), 2);
    assert_eq!(Program::main(temp.path()).run(&["version"]).stderr, "");
}

/// A reader that goes away after the first line ends the program quietly.
#[test]
fn a_closed_output_is_no_failure() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let lines = "{\"prompt\": \"Once upon a time\"}\n".repeat(3000);
    std::fs::write(temp.path().join("lines.jsonl"), lines).unwrap();
    let mut child = Program::main(temp.path())
        .command(&["score", "lines.jsonl", "--model", &model])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
