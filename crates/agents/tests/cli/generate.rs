//! `generate` against transformers where it is greedy, and against itself where it draws.

use serde_json::{Value, json};

use super::program::{Program, folder, stories};

#[test]
fn greedy_text_is_that_of_transformers() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/tinystories.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let greedy = &golden["greedy"];
    let input = format!(
        "{}\n{}\n",
        json!({ "prompt": greedy["prompt"] }),
        json!({ "tokens": greedy["prompt_ids"] })
    );
    let args = ["generate", "--model", &model, "--greedy", "--max-new-tokens", "200"];
    let lines = Program::main(temp.path()).read(&args, &input).json_lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1]);
    let found: Vec<u32> = serde_json::from_value(lines[0]["tokens"].clone()).unwrap();
    let expected: Vec<u32> = serde_json::from_value(greedy["ids"].clone()).unwrap();
    // transformers was told not to stop at the end token.
    assert_eq!(found, expected[..found.len()]);
    let stopped = lines[0]["finish_reason"] == "stop";
    assert!(stopped || found.len() == 200, "{} tokens", found.len());
    let text = lines[0]["text"].as_str().unwrap();
    assert!(greedy["text"].as_str().unwrap().trim_start().starts_with(text.trim_start()), "{text}");
    let logprobs = lines[0]["logprobs"].as_array().unwrap();
    assert!(logprobs.len() == found.len() && logprobs.iter().all(|lp| lp.as_f64() <= Some(0.0)));
}

#[test]
fn samples_belong_to_their_line_and_number_alone() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let generate = |args: &[&str], input: &str| {
        let common = ["generate", "--model", &model, "--max-new-tokens", "12"];
        program.read(&[&common[..], args].concat(), input).json_lines()
    };
    let (one, two) = ("{\"prompt\": \"Once upon a time\"}\n", "{\"prompt\": \"The cat\"}\n");
    let all = generate(&["--n", "3"], &format!("{one}{two}"));
    let places: Vec<(Value, Value)> =
        all.iter().map(|line| (line["line"].clone(), line["sample"].clone())).collect();
    let expected = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)];
    assert_eq!(places, expected.map(|(line, sample)| (json!(line), json!(sample))));
    assert!(all[0]["tokens"] != all[1]["tokens"] || all[1]["tokens"] != all[2]["tokens"]);

    let alone = generate(&[], one);
    assert_eq!(alone[0]["tokens"], all[0]["tokens"]);
    assert_eq!(alone[0]["line"], Value::Null);
    assert_eq!(generate(&["--threads", "2"], one), alone);
    let other = generate(&["--n", "3", "--seed", "7"], one);
    assert!((0..3).any(|i| other[i]["tokens"] != all[i]["tokens"]));
}

#[test]
fn stop_texts_end_an_answer_and_are_cut() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let input = "{\"prompt\": \"Once upon a time\"}\n\
        {\"messages\": [{\"role\": \"user\", \"content\": \"Once upon a time\"}]}\n";
    let common = ["generate", "--model", &model, "--greedy", "--max-new-tokens", "40"];
    let whole = program.read(&common, input).json_lines();
    let text = whole[0]["text"].as_str().unwrap();
    let word = text.split_whitespace().nth(3).unwrap();
    let args = [&common[..], &["--stop", word]].concat();
    let cut = program.read(&args, input).json_lines();
    assert_eq!(cut[0]["finish_reason"], "stop");
    assert_eq!(cut[0]["text"].as_str().unwrap(), text.split(word).next().unwrap());
    assert!(cut[0]["tokens"].as_array().unwrap().len() < 40);
}

#[test]
fn bad_settings_and_lines_are_refused() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    let args = ["generate", "--model", &model, "--temperature", "-1", "--top-p", "2"];
    let told = program.read(&args, "").refused();
    assert!(told.contains("--temperature") && told.contains("--top-p"), "{told}");
    let told = program.read(&["generate", "--model", &model], "{\"tokens\": []}\n").refused();
    assert!(told.contains("line 1: there is no token"), "{told}");
}
