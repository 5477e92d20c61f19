//! `train` and `evaluate` on the word of a judge at a server.

use std::fs;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::model_server::serve;
use super::program::{Program, folder};

/// What it says of every conversation, by the criteria of the rubric `general`.
const ANSWER: &str = r#"{"understanding": 5, "correctness": 3, "usefulness": 1, "clarity": {"score": 5}, "manner": 5}"#;

/// Scores of a group: the first shown is the best.
fn group_answer(question: &str) -> String {
    let n = question.matches("\\n\\nAttempt ").count();
    let score = |id: usize| json!({"id": id, "score": 1.0 / id as f64});
    Value::from((1..=n).map(score).collect::<Vec<_>>()).to_string()
}

/// What it says to what it is asked.
fn verdict(asked: &str) -> String {
    if asked.contains("Attempt 1:") { group_answer(asked) } else { ANSWER.to_owned() }
}

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9/v1";

const PRICES: &str = "[models.\"m-1\"]\ninput_per_million = 1\noutput_per_million = 10\n";

/// One step of one group of four, judged by `model` at `url`.
fn train(program: &Program, model: &str, url: &str, more: &[&str]) -> super::program::Ended {
    let model = format!("--judge={model}");
    let url = format!("--set=reward.judge_url={url}");
    let small = [
        "train",
        "--threads=1",
        "--steps=1",
        "--prompts=p.jsonl",
        &model,
        &url,
        "--set=reward.judge_api_key_env=STATESET_TEST_JUDGE_KEY",
        "--set=reward.judge_max_attempts=1",
        "--set=reward.judge_cache=kept",
        "--set=reward.judge_ledger=ledger.json",
        "--set=reward.judge_prices=prices.toml",
        "--set=training.prompts_per_step=1",
        "--set=training.num_generations=4",
        "--set=agent.use_stub_model=true",
        "--set=training.eval_before=false",
        "--set=training.run_post_eval=false",
    ];
    program.run(&[&small[..], more].concat())
}

#[test]
fn a_server_s_word_is_trained_on_paid_for_and_kept() {
    let temp = folder();
    fs::write(temp.path().join("p.jsonl"), "{\"prompt\": \"My order is late.\"}\n")
        .expect("written");
    fs::write(temp.path().join("prices.toml"), PRICES).expect("written");
    let (url, asked) = serve(verdict);
    let program = Program::main(temp.path()).with("STATESET_TEST_JUDGE_KEY", "s3cret");
    for (spec, part) in
        [("judge:general", "component/correctness"), ("ruler:general", "judge/asked")]
    {
        let reward = format!("--reward={spec}");
        let ended = train(&program, "m-1", &url, &[&reward, "--output=one", "--force"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let metrics =
            fs::read_to_string(temp.path().join("one/metrics.jsonl")).expect("it is there");
        assert!(metrics.contains(part), "{metrics}");
    }
    let n = asked.load(Ordering::SeqCst);
    assert!(n >= 2, "{n}");
    let ledger = fs::read_to_string(temp.path().join("ledger.json")).expect("it is there");
    let account = &serde_json::from_str::<Value>(&ledger).expect("JSON")["models"]["m-1"];
    assert_eq!(account["n_requests"], n);
    let cost = account["cost"].as_f64().expect("a number");
    assert!((cost - n as f64 * 2e-4).abs() < 1e-12, "{cost}");
    // The same run again asks the same questions, whose answers are kept, with no budget left.
    let again = ["--reward=judge:general", "--output=two", "--set=reward.judge_budget=0"];
    let ended = train(&program, "m-1", &url, &again);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(asked.load(Ordering::SeqCst), n);
    let everything = [fs::read_to_string(temp.path().join("two/config.toml")), Ok(ended.stderr)];
    for text in everything {
        assert!(!text.expect("it is there").contains("s3cret"));
    }
}

#[test]
fn settings_of_a_server_that_do_not_fit_are_refused() {
    let temp = folder();
    fs::write(temp.path().join("p.jsonl"), "{\"prompt\": \"My order is late.\"}\n")
        .expect("written");
    fs::write(temp.path().join("prices.toml"), PRICES).expect("written");
    let program = Program::main(temp.path());
    let told = train(&program, "m-1", NOWHERE, &["--reward=judge:general"]).refused();
    assert!(told.contains("STATESET_TEST_JUDGE_KEY is not set"), "{told}");
    let program = program.with("STATESET_TEST_JUDGE_KEY", "s3cret");
    for (model, more, part) in [
        ("m-1", "--reward=judge:generall", "did you mean \"general\"?"),
        ("m-1", "--reward=judge:none.yaml", "none.yaml"),
        ("m-2", "--set=reward.judge_budget=1", "did you mean \"m-1\"?"),
    ] {
        let told = train(&program, model, NOWHERE, &[more]).refused();
        assert!(told.contains(part) && !told.contains("s3cret"), "{told}");
    }
}

#[test]
fn recorded_conversations_are_judged_and_failures_are_counted() {
    let temp = folder();
    let program = Program::main(temp.path()).with("STATESET_TEST_JUDGE_KEY", "s3cret");
    let line = |id: &str| {
        json!({"id": id, "messages": [
            {"role": "user", "content": "My order is late."},
            {"role": "assistant", "content": "I am sorry. What is its number?"},
        ]})
    };
    let lines = format!("{}\n{}\n", line("a"), line("b"));
    let judged = |reward: &str, url: &str, more: &[&str]| {
        let url = format!("--set=reward.judge_url={url}");
        let args = [
            "reward",
            "--reward",
            reward,
            "--judge=m-1",
            &url,
            "--set=reward.judge_api_key_env=STATESET_TEST_JUDGE_KEY",
            "--set=reward.judge_max_attempts=1",
            "-",
        ];
        program.read(&[&args[..], more].concat(), &lines)
    };
    let (url, asked) = serve(verdict);
    for reward in ["judge:general", "ruler:general", "judge:general=0.5,conciseness=0.5"] {
        let scored = judged(reward, &url, &["--json"]).json_lines();
        let ids: Vec<&Value> = scored.iter().map(|line| &line["id"]).collect();
        assert_eq!(ids, ["a", "b"], "{reward}");
        assert!(scored.iter().all(|line| line["score"].is_number()), "{reward}: {scored:?}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 6);
    let told = judged("judge:general", NOWHERE, &[]).ok();
    assert!(told.contains("2, 2 of them unscorable"), "{told}");
    let unscored = judged("judge:general", NOWHERE, &["--json"]).json_lines();
    assert!(unscored.iter().all(|line| line["score"].is_null()), "{unscored:?}");
    assert!(unscored.iter().all(|line| line["unscorable"].is_string()), "{unscored:?}");
    let told = program.read(&["reward", "--reward", "judge:general", "-"], &lines).refused();
    assert!(told.contains("--judge"), "{told}");
    let told = judged("judge:generall", NOWHERE, &[]).refused();
    assert!(told.contains("did you mean \"general\"?"), "{told}");
}
