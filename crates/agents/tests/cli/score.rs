//! `score` against what transformers computes for the same model.

use serde_json::{Value, json};

use super::program::{Program, folder, stories};

/// Largest difference of a log-prob or an entropy from transformers'.
const TOLERANCE: f64 = 2e-4;

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/tinystories.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("a golden file")).expect("JSON")
}

fn close(found: &Value, expected: &Value) {
    let found = found.as_array().expect("a list");
    assert!(found[0].is_null(), "the first token has no number");
    assert_eq!(found.len() - 1, expected.as_array().expect("a list").len());
    for (found, expected) in found[1..].iter().zip(expected.as_array().expect("a list")) {
        let difference = found.as_f64().expect("a number") - expected.as_f64().expect("a number");
        assert!(difference.abs() < TOLERANCE, "{found} {expected}");
    }
}

#[test]
fn numbers_are_those_of_transformers() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let golden = golden();
    let stories = golden["stories"].as_array().unwrap();
    let mut input = String::new();
    for story in stories {
        input += &format!("{}\n\n", json!({ "prompt": story["text"] }));
        input += &format!("{}\n", json!({ "tokens": story["ids"] }));
    }
    let program = Program::main(temp.path());
    for args in [&[][..], &["--tokens-per-pass", "40"], &["--threads", "2"]] {
        let args = [&["score", "--model", &model][..], args].concat();
        let lines = program.read(&args, &input).json_lines();
        assert_eq!(lines.len(), 2 * stories.len());
        for (pair, story) in lines.chunks(2).zip(stories) {
            assert_eq!(pair[0], pair[1]);
            assert_eq!(pair[0]["tokens"], story["ids"]);
            close(&pair[0]["logprobs"], &story["next_logprobs"]);
            close(&pair[0]["entropies"], &story["entropies"]);
            let mask = pair[0]["assistant_mask"].as_array().unwrap();
            assert_eq!(mask.len(), story["ids"].as_array().unwrap().len());
            assert!(mask.iter().all(|marked| marked == false));
        }
    }
}

#[test]
fn the_mask_marks_the_answers() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let line = json!({ "messages": [
        { "role": "user", "content": "Tell me a story." },
        { "role": "assistant", "content": "Once upon a time" },
        { "role": "user", "content": "More!" },
        { "role": "assistant", "content": "The sun was hot." },
    ]});
    let path = temp.path().join("lines.jsonl");
    std::fs::write(&path, line.to_string()).unwrap();
    let program = Program::main(temp.path());
    let lines = program.run(&["score", "lines.jsonl", "--model", &model]).json_lines();
    let mask: Vec<bool> = serde_json::from_value(lines[0]["assistant_mask"].clone()).unwrap();
    let starts = mask.windows(2).filter(|pair| !pair[0] && pair[1]).count();
    assert_eq!(starts, 2, "two answers: {mask:?}");
    assert_eq!(mask.len(), lines[0]["tokens"].as_array().unwrap().len());
    assert_eq!(mask.last(), Some(&true), "the last answer ends the row");
}

#[test]
fn every_bad_line_is_named_before_anything_is_printed() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let long = json!({ "tokens": vec![1; 5000] });
    let input = format!(
        "{{\"prompt\": \"fine\"}}\n\nnot json\n{{\"tokens\": [1, 99999]}}\n{{\"text\": \"x\"}}\n{long}\n\
         {{\"messages\": [{{\"role\": \"robot\", \"content\": \"x\"}}]}}\n"
    );
    let told = Program::main(temp.path()).read(&["score", "--model", &model], &input).refused();
    for expected in [
        "line 3:",
        "line 4: token 99999",
        "line 5: unknown field",
        "line 6: 5000 tokens",
        "line 7:",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    assert!(!told.contains("line 1:"), "{told}");
}

#[test]
fn no_lines_are_no_mistake() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    assert_eq!(program.read(&["score", "--model", &model], "\n").ok(), "");
    assert_eq!(program.read(&["generate", "--model", &model], "").ok(), "");
    let lines = program.read(&["score", "--model", &model], "{\"tokens\": []}").json_lines();
    assert_eq!(lines[0]["logprobs"], json!([]));
}
