//! `sft` teaches a small model a sentence.

use serde_json::json;

use super::program::{Program, folder, names, stories};

#[test]
fn a_sentence_is_learned_saved_and_said() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let line = json!({ "messages": [
        { "role": "user", "content": "Who are you?" },
        { "role": "assistant", "content": "The sun was hot." },
    ]});
    std::fs::write(temp.path().join("d.jsonl"), format!("{line}\n").repeat(20)).unwrap();
    let args = [
        "sft",
        "d.jsonl",
        "--model",
        &model,
        "--save",
        "out",
        "--steps",
        "30",
        "--learning-rate",
        "2e-3",
        "--tokens-per-step",
        "256",
        "--held-out",
        "0.1",
        "--json",
    ];
    let found = &program.run(&args).json_lines()[0];
    let loss = |name: &str| found[name].as_f64().unwrap();
    assert!(loss("loss_held_out_after") < 0.2 * loss("loss_held_out_before"), "{found}");
    assert_eq!(found["steps"], 30);
    let saved = names(&temp.path().join("out"));
    for name in ["config.json", "model.safetensors", "tokenizer.json", "agent_config.json"] {
        assert!(saved.iter().any(|saved| saved == name), "{saved:?}");
    }
    let args = ["evaluate", "--checkpoint", "out", "--message", "Who are you?", "--greedy"];
    assert_eq!(program.run(&args).ok(), "Response: The sun was hot.\n");
}

#[test]
fn adapters_are_saved_beside_the_name_of_their_base() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    std::fs::write(temp.path().join("d.jsonl"), "{\"text\": \"The sun was hot.\"}\n").unwrap();
    let common = ["sft", "d.jsonl", "--model", &model, "--save", "out", "--held-out", "0"];
    program.run(&[&common[..], &["--lora-rank", "4", "--steps", "2"]].concat()).ok();
    assert!(names(&temp.path().join("out")).contains(&"adapter_config.json".to_owned()));
    let line = "{\"prompt\": \"The sun\"}";
    let adapted = program.read(&["score", "--model", "out"], line).json_lines();
    let base = program.read(&["score", "--model", &model], line).json_lines();
    assert_ne!(adapted[0]["logprobs"], base[0]["logprobs"]);
    assert_eq!(adapted[0]["tokens"], base[0]["tokens"]);
}

#[test]
fn bad_data_is_named_and_nothing_is_written() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    std::fs::write(temp.path().join("d.jsonl"), "{\"text\": \"a\"}\nno\n{\"txt\": 1}\n").unwrap();
    let told = program.run(&["sft", "d.jsonl", "--model", &model, "--save", "out"]).refused();
    assert!(told.contains("line 2:") && told.contains("line 3:"), "{told}");
    assert_eq!(names(temp.path()), ["d.jsonl"]);
}
